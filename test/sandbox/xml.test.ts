import { expect, it } from 'vitest';
import { parseXml } from '../../sandbox/xml.ts';

it('reads elements, attributes, entities, CDATA and comments', () => {
  expect(
    parseXml(
      `<?xml version="1.0"?>\n<!-- c --><a b="1 &amp; 2"><c>x &lt;&#233;&#xE9;<![CDATA[ & ]]></c><d/></a>\n`,
    ),
  ).toEqual({
    name: 'a',
    attributes: { b: '1 & 2' },
    text: '',
    children: [
      { name: 'c', attributes: {}, children: [], text: 'x <éé & ' },
      { name: 'd', attributes: {}, children: [], text: '' },
    ],
  });
});

it.each([
  ['', 'Expected `<`'],
  ['<a><b>1</b>', 'Expected `</a>`'],
  ['<a><b>1</b></a', 'Expected `>`'],
  ['<a><b>1</a></b>', 'Expected `b`'],
  ['<a b=1></a>', 'Expected a quote'],
  ['<a b="1" b="2"/>', 'Expected a well-formed attribute b'],
  ['<a b="<"/>', 'Expected a well-formed attribute b'],
  ['<a>x & y</a>', 'Expected a known entity'],
  ['<a>&nbsp;</a>', 'Expected a known entity'],
  ['<a>]]></a>', 'Expected no `]]>`'],
  ['<a>\u0001</a>', 'Expected a character that XML allows'],
  ['<a>\uD800</a>', 'Expected a character that XML allows'],
  ['<a/><b/>', 'Expected the end'],
  ['<!DOCTYPE a><a/>', 'Expected a name'],
])('refuses %j', (source, message) => {
  expect(() => parseXml(source)).toThrow(message);
});
