import { describe, expect, test } from 'vitest';
import { encodeText } from '../../src/domain/text-file.ts';
import { compareXml } from '../../src/format/compare-xml.ts';
import { readSentSales } from '../../src/format/read-sales-xml.ts';

const root = (xml: string | Buffer) =>
  readSentSales(typeof xml === 'string' ? Buffer.from(xml) : xml, 'sent.xml').root;
const compare = (expected: string | Buffer, got: string | Buffer) => compareXml(root(expected), root(got));
const lines = (...rows: readonly string[]) =>
  `<v>${rows.map((row) => `<l><e>${row}</e><q>1</q></l>`).join('')}</v>`;

describe('Two sales files are the same', () => {
  test.each([
    ['attributes in another order', '<v a="1" b="2"/>', '<v b="2" a="1"/>'],
    ['another indentation', '<v>\n\t<a>x</a>\r\n</v>', '<v><a>x</a></v>'],
    [
      'texts on lines of their own, as old scripts have them',
      '<v><a>\n    x y\n  </a></v>',
      '<v><a>x y</a></v>',
    ],
    ['an empty element on two lines', '<v><a>\n  </a></v>', '<v><a/></v>'],
    ['another line end in a text', '<v><a>x\r\ny</a></v>', '<v><a>x\ny</a></v>'],
    ['quotes, references and CDATA', "<v a='&#233;'><![CDATA[<]]></v>", '<v a="é">&lt;</v>'],
    ['an empty element written in two ways', '<v><a></a></v>', '<v><a/></v>'],
    ['comments and instructions', '<?x y?><v><!-- a --><a/></v>', '<v><a/></v>'],
    ['namespaces', '<p:v xmlns:p="urn:p"><p:a/></p:v>', '<p:v xmlns:p="urn:p"><p:a/></p:v>'],
  ])('with %s', (_, one, other) => {
    expect(compare(one, other)).toEqual([]);
  });

  test.each(['windows-1252', 'iso-8859-1', 'latin-1', 'cp1252', 'ISO-8859-15'])(
    'declared as %s',
    (declared) => {
      const xml = `<?xml version="1.0" encoding="${declared}"?><v a="é">où</v>`;
      expect(compare(encodeText(xml, 'iso-8859-1'), '<v a="é">où</v>')).toEqual([]);
    },
  );
});

describe('A difference is told with its path:', () => {
  test.each([
    ['a text', '<v><a>x</a></v>', '<v><a>y</a></v>', [['text', '/v/a', 'x', 'y']]],
    ['white space in a text', '<v><a>x </a></v>', '<v><a>x</a></v>', [['text', '/v/a', 'x ', 'x']]],
    ['a blank for an empty text', '<v><a> </a></v>', '<v><a/></v>', [['text', '/v/a', ' ', '']]],
    [
      'a no-break space for an empty text',
      '<v><a>&#160;</a></v>',
      '<v><a/></v>',
      [['text', '/v/a', '\u00a0', '']],
    ],
    [
      'white space in CDATA for an empty text',
      '<v><a><![CDATA[  ]]></a></v>',
      '<v><a/></v>',
      [['text', '/v/a', '  ', '']],
    ],
    [
      'line feeds that are written as references',
      '<v><a>\n&#10; 06&#10;\n</a></v>',
      '<v><a>06</a></v>',
      [['text', '/v/a', '\n 06\n', '06']],
    ],
    ['an attribute', '<v><a n="1"/></v>', '<v><a n="2"/></v>', [['attribute', '/v/a/@n', '1', '2']]],
    ['an attribute that is missing', '<v n="1"/>', '<v/>', [['attribute', '/v/@n', '1', null]]],
    ['an attribute too many', '<v/>', '<v n=""/>', [['attribute', '/v/@n', null, '']]],
    [
      'an element that is missing',
      '<v><a/><b>x</b></v>',
      '<v><a/></v>',
      [['missing', '/v/b', '<b>x</b>', null]],
    ],
    [
      'an element too many',
      '<v><a/></v>',
      '<v><a/><b n="1"/></v>',
      [['surplus', '/v/b', null, '<b n="1"/>']],
    ],
    ['two that changed places', '<v><a/><b/></v>', '<v><b/><a/></v>', [['order', '/v/a', '1', '2']]],
    [
      'another root',
      '<v/>',
      '<w/>',
      [
        ['missing', '/v', '<v/>', null],
        ['surplus', '/w', null, '<w/>'],
      ],
    ],
    [
      'a namespace',
      '<v xmlns="urn:a"/>',
      '<v xmlns="urn:b"/>',
      [['attribute', '/v/@xmlns', 'urn:a', 'urn:b']],
    ],
    [
      'a prefix',
      '<p:v xmlns:p="urn:p"/>',
      '<v xmlns:p="urn:p"/>',
      [
        ['missing', '/p:v', '<p:v xmlns:p="urn:p"/>', null],
        ['surplus', '/v', null, '<v xmlns:p="urn:p"/>'],
      ],
    ],
  ])('%s', (_, expected, got, differences) => {
    expect(compare(expected, got).map((one) => [one.kind, one.path, one.expected, one.got])).toEqual(
      differences,
    );
  });

  test('positions stand where a name is there several times', () => {
    const [one] = compare(lines('1', '2', '3'), lines('1', 'x', '3'));
    expect(one).toEqual({ kind: 'text', path: '/v/l[2]/e', expected: '2', got: 'x' });
  });

  test('one that is missing in the middle does not make the others differ', () => {
    expect(compare(lines('1', '2', '3', '4'), lines('1', '3', '4'))).toMatchObject([
      { kind: 'missing', path: '/v/l[2]' },
    ]);
    expect(compare(lines('1', '3', '4'), lines('0', '1', '3', '4'))).toMatchObject([
      { kind: 'surplus', path: '/v/l[1]' },
    ]);
  });

  test('of many that all differ, each is told once', () => {
    const many = (text: string) => lines(...Array.from({ length: 700 }, (_, index) => `${text}${index}`));
    expect(compare(many('a'), many('b'))).toHaveLength(700);
  });

  test('a deep file takes no more time than a flat one', () => {
    const deep = (text: string) => `${'<a n="\\&quot;">'.repeat(90)}${text}${'</a>'.repeat(90)}`;
    expect(compare(deep('x'), deep('y'))).toHaveLength(1);
  });
});

describe('A huge sales file is compared at once', () => {
  test('with many elements of one name, of which each differs', () => {
    const many = (text: string) => `<v>${`<l>${text}</l>`.repeat(40_000)}</v>`;
    const before = process.cpuUsage();
    expect(compare(many('a'), many('b'))).toHaveLength(40_000);
    // Not by the clock, which runs on while others have the machine.
    expect(process.cpuUsage(before).user).toBeLessThan(10_000_000);
  });

  test('with a long comment', () => {
    expect(compare(`<v><!--${'x'.repeat(12_000_000)}--></v>`, '<v/>')).toEqual([]);
  });
});

describe('A sales file is refused', () => {
  test.each([
    [
      'with a comment that XML does not allow',
      '<v><!-- a -- b --></v>',
      'Expected well-formed XML, got `<!-- a',
    ],
    ['with a comment that ends with a dash', '<v><!-- a ---></v>', 'Expected well-formed XML, got `<!-- a'],
    ['cut', '<v><a>x</a>', 'Expected </v> after it, got the end of the file (sent.xml, line 1)'],
    ['empty', '', 'Expected a root element, got none'],
    [
      'with a DOCTYPE',
      '<!DOCTYPE v [<!ENTITY a "b">]><v>&a;</v>',
      'Expected well-formed XML, got `<!DOCTYPE',
    ],
    ['with an entity that XML does not know', '<v>\n&eacute;</v>', 'got `&eacute;` (sent.xml, line 2)'],
    ['with text beside elements', '<v>x<a/></v>', 'Expected text or elements in <v>, got both'],
    ['with a prefix that is not declared', '<p:v/>', 'Expected `xmlns:p`'],
    ['in an encoding that nobody knows', '<?xml version="1.0" encoding="klingon"?><v/>', 'got `klingon`'],
  ])('%s', (_, xml, message) => {
    expect(() => readSentSales(Buffer.from(xml), 'sent.xml')).toThrow(message);
  });

  test('in another encoding than it declares', () => {
    const latin = encodeText('<v>é</v>', 'iso-8859-1');
    expect(() => readSentSales(latin, 'sent.xml')).toThrow(
      'Expected utf-8 text, got bytes that are not UTF-8',
    );
  });
});
