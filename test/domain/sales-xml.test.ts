import { spawnSync } from 'node:child_process';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Order } from '../../src/domain/order.ts';
import { readTemplate, salesXml, TemplateError } from '../../src/domain/sales-xml.ts';
import { decodeText, ENCODINGS } from '../../src/domain/text-file.ts';
import { fixture, LINE, ORDER, ORDERS_FORMAT } from './samples.ts';

const FACTS = { createdAt: '2026-11-24 10:27:03', orders: 1, units: 1 };
/** A template with this inside the order and this inside the line. */
const around = (order: string, line = '{{ line.ean }}') =>
  `<V>\n  <O passerelle:repeat="order">\n    ${order}\n    <L passerelle:repeat="line">${line}</L>\n  </O>\n</V>`;
const write = (template: string | Uint8Array, orders: readonly Order[] = [ORDER]) =>
  Buffer.concat([...salesXml(readTemplate(template, 't.xml'), orders, FACTS)]);
/** What one placeholder gives for one order. */
const valueOf = (placeholder: string, order: Order = ORDER) =>
  /<X>([^]*?)<\/X>/.exec(write(around(`<X>${placeholder}</X>`), [order]).toString())?.[1] ?? '';

describe('The sales file', () => {
  test('repeats the marked elements for each order and each line, without the markers', () => {
    const orders = [ORDER, { ...ORDER, id: 1043, lines: [LINE, { ...LINE, ean: '3600000000024' }] }];
    expect(write(around('<N>{{ order.id }}</N>'), orders).toString()).toBe(
      [
        '<V>',
        '  <O>',
        '    <N>1042</N>',
        '    <L>3600000000017</L>',
        '  </O>',
        '  <O>',
        '    <N>1043</N>',
        '    <L>3600000000017</L>',
        '    <L>3600000000024</L>',
        '  </O>',
        '</V>',
        '',
      ].join('\n'),
    );
  });

  test('holds nothing of the order before, whatever each has', () => {
    const line = (ean: string) => ({ ...LINE, ean, name: ean.repeat(2) });
    const orders = [['1', '2', '3'], ['4'], ['5', '6']].map((eans, index) => ({
      ...ORDER,
      transaction: index === 1 ? '' : `t${index}`,
      lines: eans.map(line),
    }));
    const template = around(
      '<T a="{{ order.transaction }}">{{ order.transaction }}</T>',
      '<E>{{ line.ean }}</E><N>{{ line.name }}</N>',
    ).replace('</O>', '<F passerelle:repeat="line">{{ line.ean }}</F></O>');
    const alone = orders.map((order) => /  <O>[^]*<\/O>\n/.exec(write(template, [order]).toString())?.[0]);
    expect(write(template, orders).toString()).toBe(`<V>\n${alone.join('')}</V>\n`);
    expect(alone[1]?.replaceAll(/\n */g, '')).toBe('  <O><T a=""/><L><E>4</E><N>44</N></L><F>4</F></O>');
  });

  test('has neither the comments nor the instructions of the template, but its declaration, tabs and line ends', () => {
    const template = [
      '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>',
      '<!-- {{ order.unknown }} -->',
      '<?note {{ order.unknown }}?>',
      '<V>',
      '\t<!-- <O> -->',
      '\t<O passerelle:repeat="order"><L passerelle:repeat="line"/></O>',
      '\t<T><![CDATA[<{{ file.units }}>]]></T>',
      '</V>',
    ].join('\r\n');
    expect(write(template).toString()).toBe(
      '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n<V>\r\n\t<O>\r\n\t\t<L/>\r\n\t</O>\r\n\t<T>&lt;1&gt;</T>\r\n</V>\r\n',
    );
  });

  test('keeps the namespaces of the template as they are, but for that of the marker', () => {
    const template =
      '<p:V xmlns:p="urn:p" xmlns:passerelle="urn:passerelle" xmlns="urn:d"><p:G><p:O passerelle:repeat="order" p:a="{{ order.id }}"><L xmlns="urn:l" passerelle:repeat="line"/></p:O></p:G></p:V>';
    expect(write(template).toString().replaceAll(/\n */g, '')).toBe(
      '<p:V xmlns:p="urn:p" xmlns="urn:d"><p:G><p:O p:a="1042"><L xmlns="urn:l"/></p:O></p:G></p:V>',
    );
  });

  test('may hold no order at all', () => {
    expect(write(around('<N/>'), []).toString()).toBe('<V>\n</V>\n');
  });

  test('is written order by order: no more than a block of it is in memory', () => {
    let taken = 0;
    const orders = (function* () {
      for (; taken < 10_000; taken++) yield ORDER;
    })();
    const pieces = salesXml(readTemplate(around('<N>{{ order.id }}</N>'), 't.xml'), orders, FACTS);
    expect(pieces.next().value?.length).toBeLessThan(70_000);
    expect(taken).toBeLessThan(2_000);
  });

  test('never has a byte that its encoding lacks: U+FFFD is written as a reference', () => {
    const template = `<?xml version="1.0" encoding="windows-1252"?>${around('<X>{{ order.reference }}</X>')}`;
    expect(write(template, [{ ...ORDER, reference: '\uFFFD' }]).toString()).toContain('<X>&#65533;</X>');
  });

  test.each([
    ['utf-8', 'é€Œł😀'],
    ['windows-1252', 'é€Œ&#322;&#128512;'],
    ['iso-8859-15', 'é€&#338;&#322;&#128512;'.replace('&#338;', 'Œ')],
    ['iso-8859-1', 'é&#8364;&#338;&#322;&#128512;'],
  ] as const)('is written in %s, with references for what it lacks', (encoding, expected) => {
    const template = `<?xml version="1.0" encoding="${encoding}"?>${around('<X>{{ order.reference }}</X>')}`;
    const bytes = write(template, [{ ...ORDER, reference: 'é€Œł😀' }]);
    expect(decodeText(bytes, encoding)).toContain(`<X>${expected}</X>`);
  });

  test.each(ENCODINGS)('reads a template that is written in %s', (encoding) => {
    const latin = encoding === 'utf-8' ? 'utf8' : 'latin1';
    const template = Buffer.from(`<?xml version="1.0" encoding="${encoding}"?>${around('<É>à</É>')}`, latin);
    expect(decodeText(write(template), encoding)).toContain('<É>à</É>');
  });

  test.each(ENCODINGS)(
    'gives every text back to an XML parser in %s, but for what XML forbids',
    (encoding) => {
      const piece = fc.oneof(
        fc.constantFrom(
          '&',
          '<',
          '>',
          '"',
          "'",
          ']]>',
          '&amp;',
          '&eacute;',
          '&#10;',
          '&#x41;',
          '\r\n',
          '\n',
          '\t',
          ' ',
        ),
        fc.constantFrom(
          '\0',
          '\u0007',
          '\uD800',
          '\uFFFF',
          '\u0085',
          '\u2028',
          '{{ order.id }}',
          'é',
          '€',
          '😀',
        ),
        fc.string({ unit: 'binary' }),
      );
      const text = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
      const texts = fc.sample(text, 1_000);
      const template = `<?xml version="1.0" encoding="${encoding}"?>${around('<X a="{{ order.reference }}">{{ order.reference }}</X>')}`;
      const bytes = write(
        template,
        texts.map((reference) => ({ ...ORDER, reference })),
      );
      const allowed = texts.map((text) =>
        text.replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, ''),
      );
      // Proshop's parser is not known, so one that is not ours stands for it: xmlbuilder2's takes `&amp;#x41;` for `A`.
      const script =
        'import json, sys, xml.etree.ElementTree as ET\n' +
        'print(json.dumps([[x.get("a"), x.text or ""] for x in ET.parse(sys.stdin.buffer).iter("X")]))';
      const parsed = spawnSync('python3', ['-c', script], { input: bytes, encoding: 'utf8', maxBuffer: 1e8 });
      expect(parsed.stderr).toBe('');
      expect(JSON.parse(parsed.stdout)).toEqual(allowed.map((text) => [text, text]));
    },
  );
});

describe('A placeholder', () => {
  test.each([
    ['{{ order.reference }}', 'QWERTYUIO'],
    ['{{order.reference}}', 'QWERTYUIO'],
    ['{{- order.id -}}', '1042'],
    ['{{ customer.firstname }} {{ customer.lastname }}', 'Zoé Martin'],
    ['n° {{ order.id }}, {{ file.orders }}/{{ file.units }}', 'n° 1042, 1/1'],
    ['{{ customer.lastname | upcase }}', 'MARTIN'],
    ['{{ customer.lastname | downcase | truncate: 4, "" }}', 'mart'],
    ['{{ order.transaction | default: "aucune" }}', 'aucune'],
    ['{{ customer.email | replace: "@", " (a) " | strip }}', 'zoe (a) example.org'],
    ['{{ order.date | date: "%d/%m/%y %H:%M:%S %%" }}', '24/11/26 10:20:00 %'],
    ['{{ order.date | date }}', '24/11/2026'],
    ['{{ order.total | plus: order.shipping | minus: "0.1" }}', '159.7'],
    ['{{ order.total | times: 3 | round: 1 | decimal_mark: "," }}', '479,4'],
    ['{{ order.total | divided_by: 1.2 | round: 2 }}', '133.17'],
    ['{{ order.id | plus: 1 }}', '1043'],
    ['{{ "fixe" }}', 'fixe'],
    ['&#78;&#x2D;{{ order.id }}', 'N-1042'],
    ['{{ 1.10 | plus: 2 }} {{ 1.10 }}', '3.1 1.10'],
    ['{{ customer.firstname | truncate: 2 }}', 'Zo'],
    ['{{ order.reference | replace: "Q", "$&amp;" }}', '$&amp;WERTYUIO'],
    ['{{ customer.lastname | replace: &quot;Mar&quot;, "Tar" }}', 'Tartin'],
  ])('%s is %s', (placeholder, expected) => {
    expect(valueOf(placeholder)).toBe(expected);
  });

  test.each([
    ['0.1', '0.2', '0.3'],
    ['9007199254740993', '1', '9007199254740994'],
    ['1000000000000000000000', '0.01', '1000000000000000000000.01'],
  ])('never reckons with floats: %s + %s = %s', (total, shipping, sum) => {
    expect(valueOf('{{ order.total | plus: order.shipping }}', { ...ORDER, total, shipping })).toBe(sum);
  });

  test.each([
    ['1.005', '1.01'],
    ['2.675', '2.68'],
    ['-1.005', '-1.01'],
    ['79.9', '79.90'],
  ])('rounds half away from zero: %s is %s', (total, rounded) => {
    expect(valueOf('{{ order.total | round: 2 }}', { ...ORDER, total })).toBe(rounded);
  });

  test('leaves a date alone that is none', () => {
    expect(valueOf('{{ order.date | date: "%d/%m/%Y" }}x', { ...ORDER, date: '' })).toBe('x');
  });

  test('that cannot be worked out for an order names its line, and nothing of the customer', () => {
    const order = { ...ORDER, discounts: '0' };
    const divided = () => valueOf('{{ order.total | divided_by: order.discounts }}', order);
    expect(divided).toThrow(TemplateError);
    expect(divided).toThrow(
      'Expected a placeholder that can be worked out, got [big.js] Division by zero (t.xml, line 3)',
    );
  });
});

describe('A template is refused', () => {
  test.each([
    ['<V><O></V>', 1, 'Expected </O>, got </V>'],
    [
      '<?xml version="1.1"?>\n<V/>',
      1,
      'Expected a declaration such as `<?xml version="1.0" encoding="utf-8"?>`, got',
    ],
    ['<?xml version="1.0"\u2028?>\n<V/>', 1, 'Expected a declaration such as'],
    [`<?xml version="1.0" encoding="utf-8${'x'.repeat(300)}"?>\n<V/>`, 1, 'Expected an encoding among'],
    ['<V>\n\u0001</V>', 2, 'Expected characters that XML allows, got U+0001'],
    ['<V>\n&#0;</V>', 2, 'Expected an entity that XML knows, such as `&amp;`, got `&#0;`'],
    [
      '<V>\n<ª/></V>',
      2,
      'Expected names that every XML parser takes (Latin letters, digits, `_`, `-`, `.`), got `ª`',
    ],
    ['<V>\n<xmlns:a/></V>', 2, 'Expected names that XML does not keep for itself, got `xmlns:a`'],
    ['<V>\n<X xmlns:a=""/></V>', 2, 'Expected a fixed address in `xmlns:a`, got ""'],
    ['<V>\n<O>', 2, 'Expected </O> after it, got the end of the file'],
    ['<V></V></V>', 1, 'Expected no closing tag, got </V>'],
    ['<V/>\n<V/>', 2, 'Expected one root element, got <V> too'],
    ['\n', 1, 'Expected a root element, got none'],
    ['<V/>\ntexte', 1, 'Expected nothing but one root element, got text outside of it'],
    ['<V>\n<O a=1/></V>', 2, 'Expected well-formed XML, got `<O a=1/></V>`'],
    ['<V>\n<O a="1" a="2"/></V>', 2, 'Expected `a` once in <O>, got it twice'],
    ['<V>\n<O a="<"/></V>', 2, 'Expected well-formed XML, got `<O a="<"/></V>`'],
    ['<V>\nR&D</V>', 2, 'Expected an entity that XML knows, such as `&amp;`, got `&`'],
    ['<V>\n&eacute;</V>', 2, 'Expected an entity that XML knows, such as `&amp;`, got `&eacute;`'],
    ['<V>\n<p:O/></V>', 2, 'Expected `xmlns:p` on <p:O> or around it, got `p:O` without it'],
    ['<!DOCTYPE V>\n<V/>', 1, 'Expected well-formed XML, got `<!DOCTYPE V>`'],
    ['<V>\n<!-- -- --></V>', 2, 'Expected well-formed XML, got `<!-- -- --></V>`'],
    ['<V>\n<O>texte<L/></O></V>', 2, 'Expected text or elements in <O>, got both'],
    [
      '<?xml version="1.0" encoding="UTF-16"?><V/>',
      1,
      'Expected an encoding among utf-8, windows-1252, iso-8859-1, iso-8859-15, got `utf-16`',
    ],
    [
      '<?xml version="1.0" encoding="iso-8859-1"?>\n<V>\n<Œ/></V>',
      3,
      'Expected names that iso-8859-1 can write, got `Œ`',
    ],
    ['<V>\n</V>', 1, 'Expected an element with passerelle:repeat="order" inside the root, got none'],
    [
      '<V>\n<O passerelle:repeat="order"/></V>',
      1,
      'Expected an element with passerelle:repeat="line" inside an order, got none',
    ],
    [
      '<V passerelle:repeat="order"/>',
      1,
      'Expected passerelle:repeat="order" inside the root, got it on the root',
    ],
    [
      '<V>\n<L passerelle:repeat="line"/></V>',
      2,
      'Expected passerelle:repeat="line" inside an element repeated for each order, got it outside',
    ],
    [
      '<V>\n<O passerelle:repeat="orders"/></V>',
      2,
      'Expected passerelle:repeat="order" or "line", got "orders"',
    ],
    [
      '<V>\n<O passerelle:repete="order"/></V>',
      2,
      'Expected no name in passerelle: but passerelle:repeat, got `passerelle:repete`',
    ],
    [
      around('<M passerelle:repeat="order"/>'),
      3,
      'Expected no passerelle:repeat="order" inside another, got <M>',
    ],
    [
      around('', '<M passerelle:repeat="line"/>'),
      4,
      'Expected no passerelle:repeat="line" inside another, got <M>',
    ],
    [
      around('').replace('</V>', '<O passerelle:repeat="order"/></V>'),
      6,
      'Expected one element with passerelle:repeat="order", got two',
    ],
    [
      around('<X>\n{{ order.ref }}</X>'),
      4,
      'Expected a field of `order` (id, reference, state, status, date, payment, paymentModule, transaction, voucherName, voucherCode, voucherAmount, total, totalWithoutTax, shipping, discounts), got `order.ref`',
    ],
    [
      around('<X a="{{ client.nom }}"/>'),
      3,
      'Expected a name in order, customer, delivery, invoice, line, file, got `client.nom`',
    ],
    [around('<X>{{ order }}</X>'), 3, 'Expected a field of `order`'],
    [around('<X>{{ order.lines }}</X>'), 3, 'Expected a field of `order`'],
    [around('<X>{{ order.total.length }}</X>'), 3, 'Expected a field of `order`'],
    [around('<X>{{ order.constructor }}</X>'), 3, 'Expected a field of `order`'],
    [around('<X>{{ constructor.name }}</X>'), 3, 'Expected a name in order'],
    [
      around('<X>{{ line.ean }}</X>'),
      3,
      'Expected `line.ean` inside an element with passerelle:repeat="line", got it outside',
    ],
    [
      around('').replace('<V>', '<V>\n<X>{{ order.id }}</X>'),
      2,
      'Expected `order.id` inside an element with passerelle:repeat="order", got it outside',
    ],
    [around('<X>{{ order.id | default: client.nom }}</X>'), 3, 'Expected a name in order'],
    [
      around('<X>{{ order.id | md5 }}</X>'),
      3,
      'Expected one of the filters upcase, downcase, strip, truncate, replace, default, plus, minus, times, divided_by, round, decimal_mark, date, got `md5`',
    ],
    [
      around('<X>{{ order.id == 1 }}</X>'),
      3,
      'Expected one name, text or number, then filters, got `{{ order.id == 1 }}`',
    ],
    [
      around('<X>{{ true }}</X>'),
      3,
      'Expected a name, a text or a number, got something else in a placeholder',
    ],
    [around('<X>{{ order.total | round: places: 2 }}</X>'), 3, 'Expected a name, a text or a number'],
    [around('<X>{{ order["total"] }}</X>'), 3, 'Expected a name in order'],
    [around('<X>{{ order.id | truncate: "x" }}</X>'), 3, 'Expected a placeholder that can be worked out'],
    [around('&#x110000;'), 3, 'Expected an entity that XML knows, such as `&amp;`, got `&#x110000;`'],
    [around('<X>{{ order.id | append: "x" }}</X>'), 3, 'Expected one of the filters'],
    [around('<X>{% if order.id %}x{% endif %}</X>'), 3, 'Expected placeholders only, got a tag, `{%`'],
    [around('<X>{{ order.id </X>'), 3, 'Expected a placeholder such as `{{ order.reference }}`, got'],
    [
      around('<X>{{ customer.lastname | plus: 1 }}</X>'),
      3,
      'Expected a placeholder that can be worked out, got a value that is not a number',
    ],
    [around('<X>{{ order.total | divided_by: 0 }}</X>'), 3, 'Expected a placeholder that can be worked out'],
    [
      around('<X>{{ order.date | date: "%B" }}</X>'),
      3,
      'Expected a placeholder that can be worked out, got `%B`, which is none of %Y %y %m %d %H %M %S',
    ],
  ])('%s (line %i)', (source, line, message) => {
    expect(() => readTemplate(source, 't.xml')).toThrow(
      expect.objectContaining({ name: 'TemplateError', file: 't.xml', line }),
    );
    expect(() => readTemplate(source, 't.xml')).toThrow(message);
  });

  test('when its bytes are not what it declares', () => {
    expect(() => readTemplate(Buffer.from('<V>\n<É/></V>', 'latin1'), 't.xml')).toThrow(
      'Expected utf-8 text, got bytes that are not UTF-8 (t.xml, line 2)',
    );
  });

  test('when it names a field that no column gives', () => {
    expect(() =>
      readTemplate(around('<X>{{ order.discounts }}</X>'), 't.xml', ORDERS_FORMAT.columns),
    ).toThrow(
      'Expected a column for `order.discounts` (setting orders.columns.order.discounts), got none (t.xml, line 3)',
    );
    const template = fixture('orders/sales-template.xml');
    expect(() => readTemplate(template, 't.xml', ORDERS_FORMAT.columns)).not.toThrow();
  });
});
