import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { parseXml } from '../../sandbox/xml.ts';
import type { Order } from '../../src/domain/order.ts';
import { readTemplate, salesXml, TemplateError } from '../../src/domain/sales-xml.ts';
import { ENCODINGS, encodeText } from '../../src/domain/text-file.ts';
import { LINE, ORDER } from '../domain/samples.ts';
import {
  damage,
  damaged,
  expectNoPollution,
  lineCount,
  NASTY,
  outcome,
  PATIENCE,
  rawBytes,
  RUNS,
} from './damage.ts';
import { parseAll } from './xml-parser.ts';

const TEMPLATE = readFileSync(join(import.meta.dirname, '..', '..', 'sandbox', 'sales-template.xml'));
const FACTS = { createdAt: '2026-11-24 10:27:03', orders: 1, units: 1 };
const ORDERS = [ORDER, { ...ORDER, id: 1043, reference: 'A&B<C>]]>"\uFFFD', lines: [LINE, LINE] }];
const write = (template: string | Uint8Array, orders: readonly Order[]) =>
  Buffer.concat([...salesXml(readTemplate(template, 'ventes.xml'), orders, FACTS)]);

const text = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...NASTY,
        '\uD800',
        '\uDFFF',
        '\uFFFF',
        '&amp;',
        '&#x41;',
        'é',
        '€',
        '😀',
        '\u0081',
        '\u009d',
      ),
      fc.string({ unit: 'binary', maxLength: 6 }),
      fc.string({ unit: 'grapheme', maxLength: 6 }),
    ),
    { maxLength: 4 },
  )
  .map((pieces) => pieces.join(''));
const order = fc.record({
  reference: text,
  payment: text,
  lastname: text,
  city: text,
  name: text,
  size: text,
});
/** XML 1.0 cannot hold the rest, however it is written: it is dropped. */
const allowed = (text: string) =>
  text.replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '');

describe('Drawn orders', () => {
  afterAll(expectNoPollution);

  test.each(ENCODINGS)(
    'come out of a parser as they went into the sales file, in %s',
    (encoding) => {
      const template = encodeText(
        TEMPLATE.toString().replace('encoding="UTF-8"', `encoding="${encoding}"`),
        encoding,
      );
      const seed = Date.now();
      const drawn = fc.sample(order, { numRuns: RUNS.numRuns / ENCODINGS.length, seed });
      const orders = drawn.map(({ reference, payment, lastname, city, name, size }, index) => ({
        ...ORDER,
        id: index + 1,
        reference,
        payment,
        customer: { ...ORDER.customer, lastname },
        delivery: { ...ORDER.delivery, city },
        lines: [{ ...LINE, name, size }],
      }));
      // One file of all: starting a parser for each order would take an hour.
      const [seen = ''] = parseAll([write(template, orders)]);
      if (typeof seen === 'string') throw new Error(`${seen} (fc.sample with seed ${seed})`);
      for (const [tag, field] of [
        ['Reference', 'reference'],
        ['Mode', 'payment'],
        ['Nom', 'lastname'],
        ['Ville', 'city'],
        ['Designation', 'name'],
        ['Taille', 'size'],
      ] as const) {
        const came = seen.filter(([name]) => name === tag).map(([, , text]) => text);
        const expected = drawn.map((values) => allowed(values[field]));
        expect(came, `<${tag}>, fc.sample with seed ${seed}`).toEqual(expected);
      }
    },
    PATIENCE,
  );
});

const placeholder = fc
  .tuple(
    fc.constantFrom(
      'order.total',
      'order.reference',
      'line.ean',
      'file.units',
      'order.__proto__',
      'constructor',
      '"x"',
      '1.5',
      'true',
      'order["total"]',
    ),
    fc.array(
      fc.tuple(
        fc.constantFrom(
          'upcase',
          'strip',
          'truncate',
          'replace',
          'default',
          'plus',
          'times',
          'divided_by',
          'round',
          'date',
          'decimal_mark',
          'md5',
        ),
        fc.array(
          fc.constantFrom(
            '0',
            '2',
            '-1',
            '1000000',
            '99999999999',
            '"%d/%q"',
            '"a"',
            '""',
            'order.shipping',
            '"<"',
          ),
          { maxLength: 2 },
        ),
      ),
      { maxLength: 3 },
    ),
  )
  .map(
    ([name, filters]) =>
      `{{ ${[name, ...filters.map(([filter, args]) => `${filter}: ${args.join(', ')}`)].join(' | ')} }}`,
  );
const names = fc.constantFrom(
  'Nom',
  'É',
  'Œuvre',
  'ª',
  'a²',
  ':',
  'a:b',
  'xml:a',
  'xmlns',
  'xmlns:a',
  'a·',
  'ж',
  '__proto__',
  'constructor',
);
const pieces = fc.oneof(
  placeholder,
  names.map((name) => `<${name}/>`),
  fc.tuple(names, placeholder).map(([name, value]) => `<X ${name}='${value}'/>`),
  fc.constantFrom(
    ...NASTY,
    '<![CDATA[]]]]><![CDATA[>]]>',
    '<?x y?>',
    '<?xml version="1.0"?>',
    '<!DOCTYPE x [<!ENTITY a "b">]>',
    '&#0;',
    '&#xD800;',
    '&#xFFFF;',
    '&#60;',
    '&lt;',
    '<a>'.repeat(150),
  ),
);
/** The sandbox's template with pieces put between its tags, then damaged. */
const templates = fc
  .tuple(
    fc.array(fc.tuple(fc.nat(1_000), pieces), { maxLength: 2 }),
    fc.constantFrom(...ENCODINGS, 'UTF-16', 'none'),
    fc.array(damage, { maxLength: 1 }),
  )
  .map(([pieces, encoding, damages]) => {
    const tokens = TEMPLATE.toString()
      .replace('UTF-8', encoding)
      .split(/(?=[<"])/);
    for (const [at, piece] of pieces) tokens.splice(at % tokens.length, 0, piece);
    return damaged(
      encodeText(tokens.join(''), ENCODINGS.find((known) => known === encoding) ?? 'utf-8'),
      damages,
    );
  });

describe('A template', () => {
  afterAll(expectNoPollution);

  test(
    'that is damaged gives XML that a parser takes, or an error with its line',
    () => {
      const rendered: { template: Buffer; xml: Buffer }[] = [];
      fc.assert(
        fc.property(templates, (template) => {
          const xml = render(template);
          if (xml) rendered.push({ template, xml });
        }),
        RUNS,
      );
      expect(rendered.length).toBeGreaterThan(RUNS.numRuns / 10);
      // All at once, and so without fast-check's shrinking: a parser a document takes hours.
      const seen = parseAll(rendered.map(({ xml }) => xml));
      const refused = seen.findIndex((elements) => typeof elements === 'string');
      const { template, xml } = rendered[refused] ?? {};
      expect({
        why: seen[refused],
        template: template?.toString('latin1'),
        xml: xml?.toString('latin1'),
      }).toEqual({});
    },
    PATIENCE,
  );

  test(
    'that is none gives an error with its line',
    () => {
      fc.assert(
        fc.property(rawBytes(TEMPLATE), (template) => {
          const xml = render(template);
          expect(() => parseXml(xml?.toString() ?? '<none/>')).not.toThrow();
        }),
        RUNS,
      );
    },
    PATIENCE,
  );

  const PARSED = 'XML that a parser takes';
  const around = (inside: string) =>
    `<V><O passerelle:repeat="order"><X>${inside}</X><L passerelle:repeat="line"/></O></V>`;
  test.each([
    [
      'deep',
      around('<a>'.repeat(5_000) + '</a>'.repeat(5_000)),
      'Expected at most 100 elements inside one another',
    ],
    ['large', around(' '.repeat(200_000)), 'Expected at most 100000 characters'],
    [
      'full of attributes',
      around(`<a ${Array.from({ length: 9_000 }, (_, n) => `a${n}=""`).join(' ')}/>`),
      PARSED,
    ],
    ['full of attributes without an end', around(`<a ${'a="" '.repeat(15_000)}`), 'Expected well-formed XML'],
    ['full of placeholders', around('{{ order.id }}'.repeat(7_000)), PARSED],
    ['one long comment', around(`<!--${'x'.repeat(99_000)}-->`), PARSED],
    ['one long blank', around(`<a${' '.repeat(99_000)}`), 'Expected well-formed XML'],
    [
      'a text that multiplies',
      around(`{{ "a"${' | replace: "a", "aaaaaaaaaa"'.repeat(20)} }}`),
      'got a value of more than 1000000 characters',
    ],
    [
      'a number that grows',
      around(`{{ 9${' | times: 99999999999999999999'.repeat(2_000)} }}`),
      'got a number of more than 1000 characters',
    ],
  ])('that is %s is done with soon', (_, source, message) => {
    const started = process.cpuUsage();
    const { result, error } = outcome(() => write(source, ORDERS));
    expect(result === undefined).toBe(error instanceof TemplateError);
    const [seen] = parseAll(result === undefined ? [] : [result]);
    const told = error instanceof TemplateError ? error.message : typeof seen === 'object' ? PARSED : seen;
    expect(told).toContain(message);
    expect(process.cpuUsage(started).user / 1e6).toBeLessThan(10);
  });
});

function render(template: Uint8Array): Buffer | undefined {
  const { result, error } = outcome(() => write(template, ORDERS));
  if (result !== undefined) return result;
  expect(error).toBeInstanceOf(TemplateError);
  const { line, message } = error as TemplateError;
  expect(message).toMatch(/^Expected [^]+, got [^]+ \(ventes\.xml, line \d+\)$/);
  expect(line).toBeGreaterThanOrEqual(1);
  expect(line).toBeLessThanOrEqual(lineCount(template));
  return undefined;
}
