import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { renderSales } from '../../src/activities/deliver-orders.ts';
import type { Order } from '../../src/domain/order.ts';
import { readTemplate, TemplateError } from '../../src/domain/sales-xml.ts';
import { compareSales, expectComparable, type SalesCandidate } from '../../src/format/compare-sales.ts';
import { readSentSales } from '../../src/format/read-sales-xml.ts';
import { aLine, anOrder } from '../support/orders.ts';

const SOURCE = readFileSync(new URL('../../sandbox/sales-template.xml', import.meta.url), 'utf8');
const NUMBER = ' Numero="{{ order.id }}"';
const [ONE, TWO] = [anOrder(1), anOrder(2)];

/** A sales file of these orders, changed, compared with what the template makes of the candidates. */
function compare(
  sent: readonly Order[],
  {
    change = (xml: string) => xml,
    candidates = sent.map(asCandidate),
    source = SOURCE,
  }: {
    change?: (xml: string) => string;
    candidates?: readonly SalesCandidate[];
    source?: string;
  } = {},
) {
  const template = readTemplate(source, 'template.xml');
  const xml = change(renderSales(template, sent, '2026-11-24 10:27:03').bytes.toString());
  const { orders, frame, unknown } = compareSales(
    readSentSales(Buffer.from(xml), 'ventes.xml').root,
    template,
    candidates,
  );
  return {
    orders: orders.map(({ id, differences }) => [id, differences?.map(({ path }) => path) ?? null]),
    frame: frame.map(({ path }) => path),
    unknown,
  };
}
const asCandidate = (body: Order): SalesCandidate => ({ id: body.id, reference: body.reference, body });

it('finds each order by its number, whatever order they stand in, and no difference', () => {
  const candidates = [TWO, ONE, anOrder(3)].map(asCandidate);
  expect(compare([ONE, TWO], { candidates })).toEqual({
    orders: [
      [1, []],
      [2, []],
    ],
    frame: [],
    unknown: 0,
  });
});

it.each([
  ['a value', '<Ville>Paris</Ville>', '<Ville>Lyon</Ville>', '/Vente/Client/Ville'],
  ['a missing element', '<Ville>Paris</Ville>', '', '/Vente/Client/Ville'],
  ['an element too many', '</Lignes>', '</Lignes><Note/>', '/Vente/Note'],
])('tells %s by order and path', (_what, from, to, path) => {
  const change = (xml: string) => xml.replace(from, to);
  expect(compare([ONE, TWO], { change }).orders).toEqual([
    [1, [path]],
    [2, []],
  ]);
});

it('tells what stands around the orders, but for the file’s date', () => {
  const change = (xml: string) =>
    xml
      .replace('Magasin="008"', 'Magasin="009"')
      .replace('NbArticles="2"', 'NbArticles="3"')
      .replace('2026-11-24 10:27:03', '24/11/2026 10:27');
  expect(compare([ONE, TWO], { change }).frame).toEqual(['/Ventes/@Magasin', '/Ventes/@NbArticles']);
  expect(compare([ONE], { change: (xml) => xml.replace(/ Creation="[^"]*"/, '') }).frame).toEqual([
    '/Ventes/@Creation',
  ]);
});

it('takes the second of the same order, and one that nobody has seen, for unknown', () => {
  const twice = (xml: string) => xml.replace(/(<Vente [^]*<\/Vente>)/, '$1$1');
  expect(compare([ONE], { change: twice })).toMatchObject({ orders: [[1, []]], unknown: 1 });
  expect(compare([ONE, TWO], { candidates: [asCandidate(TWO)] })).toMatchObject({
    orders: [[2, []]],
    unknown: 1,
  });
});

it('finds an order that it could not read, also alone', () => {
  const candidates = [{ id: 1, reference: ONE.reference, body: null }];
  expect(compare([ONE], { candidates })).toEqual({ orders: [[1, null]], frame: [], unknown: 0 });
});

it('takes a return that a customer typed for a line’s end', () => {
  const typed = { ...ONE, delivery: { ...ONE.delivery, address1: '1 rue du Bac\r\nEscalier B' } };
  const change = (xml: string) => xml.replace('&#13;\n', '\r\n');
  expect(compare([typed], { change }).orders).toEqual([[1, []]]);
});

it('goes by the reference where the number is not shown, and by what else is the same where two orders share it', () => {
  const source = SOURCE.replace(NUMBER, '');
  const other = { ...TWO, reference: ONE.reference, lines: [aLine('3000000000017', 5)] };
  expect(compare([other, ONE], { source, candidates: [ONE, other].map(asCandidate) })).toMatchObject({
    orders: [
      [2, []],
      [1, []],
    ],
    unknown: 0,
  });
});

it.each([
  ['an attribute', (source: string) => source],
  [
    'an element',
    (source: string) => source.replace(NUMBER, '').replace('{{ order.reference }}', '{{ order.id }}'),
  ],
  [
    'one of several of its name',
    (source: string) =>
      source
        .replace(NUMBER, '')
        .replace('<Reference>', '<Reference>A</Reference><Reference>B{{ order.id }}</Reference><Reference>'),
  ],
  [
    'an element of a line',
    (source: string) =>
      source
        .replace(NUMBER, '')
        .replace('{{ order.reference }}', '')
        .replace('{{ line.name }}', 'no {{ order.id }}'),
  ],
  [
    'a name with a prefix of its own',
    (source: string) => source.replace(NUMBER, ' xmlns:n="urn:n" n:o="{{ order.id }}"'),
  ],
  ['the reference', (source: string) => source.replace(NUMBER, '')],
])('finds a few among thousands by %s', (_where, change) => {
  const bodies = Array.from({ length: 2_345 }, (_, index) =>
    anOrder(index + 1, { lines: [aLine('3000000000017'), aLine('3000000000024')] }),
  );
  const sent = [2_345, 1, 1_000, 1_001].flatMap((id) => bodies[id - 1] ?? []);
  expect(compare(sent, { source: change(SOURCE), candidates: bodies.map(asCandidate) })).toEqual({
    orders: sent.map(({ id }) => [id, []]),
    frame: [],
    unknown: 0,
  });
});

it('writes few files to find a few among thousands, and nothing but the number of each', () => {
  let [files, towns] = [0, 0];
  const template = readTemplate(SOURCE, 'template.xml');
  const counting = (node: typeof template.root): typeof template.root => ({
    ...node,
    text: (scope) => {
      if (node.name === 'Ventes') files++;
      if (node.name === 'Ville') towns++;
      return node.text(scope);
    },
    children: node.children.map((child) => (child === template.order ? order : counting(child))),
  });
  const order: typeof template.order = { ...template.order, children: template.order.children.map(counting) };
  const counted = { ...template, order, root: counting(template.root) };
  const { root } = readSentSales(renderSales(template, [TWO], '2026-11-24 10:27:03').bytes, 'ventes.xml');
  const compareAmong = (count: number) => {
    [files, towns] = [0, 0];
    compareSales(
      root,
      counted,
      Array.from({ length: count }, (_, index) => asCandidate(anOrder(index + 1))),
    );
    return [files, towns];
  };
  const [few, many] = [compareAmong(2), compareAmong(2_000)];
  expect(many).toEqual([(few[0] ?? 0) + 1, few[1]]);
});

it('asks for a template that shows one of them', () => {
  const source = SOURCE.replace(NUMBER, '').replace('{{ order.reference }}', '');
  const expected = 'Expected a template with {{ order.id }} or {{ order.reference }}, got neither';
  expect(() => compare([ONE], { source })).toThrow(expected);
  expect(() => expectComparable(readTemplate(source, 'template.xml'), 'template.xml')).toThrow(
    new TemplateError(
      'template.xml',
      5,
      "{{ order.id }} or {{ order.reference }} in <Vente>, by which mode: shadow finds an order in the old gateway's files",
      'neither',
    ),
  );
  expectComparable(readTemplate(SOURCE, 'template.xml'), 'template.xml');
});
