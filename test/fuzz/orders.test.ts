import * as fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { readOrders, type OrdersFile, type OrdersFormat } from '../../src/domain/order-csv.ts';
import { orderSchema } from '../../src/domain/order.ts';
import { ENCODINGS, FormatError } from '../../src/domain/text-file.ts';
import { ORDERS_FORMAT, ordersCsv } from '../domain/samples.ts';
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

const read = (bytes: Uint8Array, format: OrdersFormat = ORDERS_FORMAT) =>
  outcome(() => readOrders(bytes, 'commandes', format));
const CUSTOMER = 'zoe.secret@example.org';

const sound = { customer_email: fc.constant(CUSTOMER), product_quantity: fc.constantFrom('1', '2', '3.000') };
const id = fc.integer({ min: 1, max: 12 });
const row = fc.oneof(
  { weight: 4, arbitrary: fc.record({ id, ...sound }) },
  {
    weight: 1,
    arbitrary: fc.record({
      id,
      ...sound,
      product_quantity: fc.constantFrom(...NASTY),
      customer_lastname: fc.constantFrom(...NASTY),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ id, ...sound, delivery_address1: fc.constantFrom('a\r\nb', '"', ';;') }),
  },
);
const rows = fc.array(row, { maxLength: 12 }).map((drawn) =>
  drawn.map(({ id, ...cells }, index) => ({
    ...cells,
    id_order: `${4_000 + id}`,
    reference: `REF${4_000 + id}`,
    product_name: `Modele ${index}`,
  })),
);
const format = fc.record({
  encoding: fc.constantFrom(...ENCODINGS),
  decimalMark: fc.constantFrom('.' as const, ',' as const),
  finalLineBreak: fc.constantFrom('required' as const, 'optional' as const),
});
const formatOf = ({ finalLineBreak, ...file }: typeof format extends fc.Arbitrary<infer T> ? T : never) => ({
  ...ORDERS_FORMAT,
  finalLineBreak,
  file: { ...ORDERS_FORMAT.file, ...file },
});

/** Quotes that somebody typed at the start of a field: in which row and column. */
const strays = fc.oneof(
  { weight: 3, arbitrary: fc.constant([]) },
  { weight: 1, arbitrary: fc.array(fc.tuple(fc.nat(12), fc.constantFrom(0, 8, 20)), { maxLength: 3 }) },
);

function withStrays(bytes: Buffer, strays: readonly (readonly [row: number, column: number])[]): Buffer {
  const table = bytes
    .toString()
    .split('\n')
    .map((line) => line.split(';'));
  for (const [row, column] of strays) {
    const cells = table[1 + (row % table.length)];
    if (cells?.[column] !== undefined) cells[column] = `"${cells[column]}`;
  }
  return Buffer.from(table.map((cells) => cells.join(';')).join('\n'));
}

describe('An orders file', () => {
  afterAll(expectNoPollution);

  test(
    'that is damaged ends in orders, orders set aside and a cut, or in an error that says where',
    () => {
      fc.assert(
        fc.property(
          rows,
          strays,
          fc.array(damage, { maxLength: 3 }),
          fc.option(format, { freq: 4 }),
          (rows, strays, damages, drawn) => {
            const whole = ordersCsv(...rows);
            const bytes = damaged(withStrays(whole, strays), damages);
            const { result, error } = read(bytes, drawn ? formatOf(drawn) : ORDERS_FORMAT);
            expect(result === undefined).toBe(error instanceof FormatError);
            if (result === undefined) expectTold(error, bytes);
            else {
              expectSound(result, bytes);
              expectNothingLost(result, whole, bytes);
              if (damages.length === 0) expectEveryOrder(result, rows);
            }
          },
        ),
        RUNS,
      );
    },
    PATIENCE,
  );

  test(
    'whose columns are moved, doubled or gone is read by its titles, or refused',
    () => {
      fc.assert(
        fc.property(
          rows.map((rows) => rows.slice(0, 3)),
          fc.array(fc.tuple(fc.constantFrom('swap', 'drop', 'double'), fc.nat(23), fc.nat(23)), {
            maxLength: 3,
          }),
          (rows, changes) => {
            const whole = ordersCsv(...rows.map(({ id_order, reference }) => ({ id_order, reference })));
            const table = whole.toString().slice(1).split('\r\n').slice(0, -1);
            const cells = table.map((line) => line.split(';'));
            for (const [kind, from, to] of changes) cells.forEach((line) => change(line, kind, from, to));
            const bytes = Buffer.from(cells.map((line) => `${line.join(';')}\r\n`).join(''));
            const { result, error } = read(bytes);
            if (result === undefined) return expectTold(error, bytes);
            expect(result.setAside).toEqual([]);
            expect(result.orders).toEqual(read(whole).result?.orders);
          },
        ),
        RUNS,
      );
    },
    PATIENCE,
  );

  test(
    'that is none ends likewise',
    () => {
      const bytes = fc
        .tuple(fc.boolean(), rawBytes(ordersCsv({}, { id_order: '1043' })))
        .map(([hasHeader, pieces]) => Buffer.concat([...(hasHeader ? [ordersCsv()] : []), pieces]));
      fc.assert(
        fc.property(bytes, format, (bytes, drawn) => {
          const { result, error } = read(bytes, formatOf(drawn));
          expect(result === undefined).toBe(error instanceof FormatError);
          if (result === undefined) expectTold(error, bytes);
          else expectSound(result, bytes);
        }),
        RUNS,
      );
    },
    PATIENCE,
  );

  test.each(['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'])(
    'may have a column titled %s, mapped or not',
    (title) => {
      const bytes = Buffer.from(ordersCsv({}).toString().replace('payment_method', title));
      const order = { ...ORDERS_FORMAT.columns.order, paymentModule: title };
      const { result } = read(bytes, { ...ORDERS_FORMAT, columns: { ...ORDERS_FORMAT.columns, order } });
      expect(result?.orders[0]?.paymentModule).toBe('stripe');
      const { paymentModule: _, ...without } = order;
      const unmapped = { ...ORDERS_FORMAT, columns: { ...ORDERS_FORMAT.columns, order: without } };
      expect(read(bytes, unmapped).result?.orders[0]?.paymentModule).toBe('');
    },
  );
});

function change(line: string[], kind: string, from: number, to: number): void {
  const value = line[from % line.length] ?? '';
  if (kind === 'drop') line.splice(from % line.length, 1);
  else if (kind === 'double') line.splice(to % line.length, 0, value);
  else {
    line[from % line.length] = line[to % line.length] ?? '';
    line[to % line.length] = value;
  }
}

function expectTold(error: unknown, bytes: Uint8Array): void {
  expect(error).toBeInstanceOf(FormatError);
  const { message, line } = error as FormatError;
  expect(message).toMatch(/^Expected [^]+, got [^]+ \(commandes, line \d+; setting [^]+\)$/);
  expect(message).not.toContain(CUSTOMER);
  expectInFile(line, bytes);
}

function expectInFile(line: number, bytes: Uint8Array): void {
  expect(line).toBeGreaterThanOrEqual(1);
  expect(line).toBeLessThanOrEqual(lineCount(bytes));
}

function expectSound({ orders, setAside, rows, cut }: OrdersFile, bytes: Uint8Array): void {
  for (const order of orders) expect(orderSchema.safeParse(order).success).toBe(true);
  const ids = [...orders, ...setAside].map(({ id }) => id).filter((id) => id !== null);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { line, reason } of setAside) {
    expectInFile(line, bytes);
    expect(reason).toMatch(/^Expected /);
    expect(reason).not.toContain(CUSTOMER);
  }
  for (const { quantity } of setAside.flatMap(({ lines }) => lines)) {
    expect(Number.isInteger(quantity) && quantity >= 1 && quantity <= 1_000_000).toBe(true);
  }
  expect(orders.flatMap(({ lines }) => lines).length + setAside.length).toBeLessThanOrEqual(rows);
  expect(orders.length + setAside.length > 0).toBe(rows > 0);
  expectInFile(cut?.line ?? 1, bytes);
}

/** Every row that came through whole is told of, and an order of such rows alone is as it was. */
function expectNothingLost({ orders, setAside, cut }: OrdersFile, whole: Buffer, bytes: Buffer): void {
  const sent = rowsOf(whole);
  const came = bytes.toString().split('\n');
  const known = new Map(
    [...orders, ...setAside].filter(({ id }) => id !== null).map((order) => [order.id, order]),
  );
  const end = cut ? cut.line - 1 : came.length;
  const through = came.slice(1, end).filter((line) => sent.includes(line));
  const idOf = (line: string) => Number(line.split(';')[0]);
  expect(through.filter((line) => !known.has(idOf(line)))).toEqual([]);

  const asSent = orders.filter(({ id }) => {
    const mine = sent.filter((line) => idOf(line) === id).join('\n');
    return came.filter((line) => line.includes(`${id}`)).join('\n') === mine;
  });
  for (const { id, lines } of asSent) {
    const texts = sent.filter((line) => idOf(line) === id).map((line) => line.split(';')[14]?.trim() ?? '');
    expect(texts.filter((text) => !/^\d+(?:[.,]0+)?$/.test(text))).toEqual([]);
    expect(lines.map(({ quantity }) => quantity)).toEqual(texts.map((text) => Number.parseInt(text, 10)));
  }
}

/** A stray quote alone hides no order, unless the file says that it is cut. */
function expectEveryOrder(
  { orders, setAside, cut }: OrdersFile,
  rows: readonly { readonly id_order: string }[],
): void {
  const known = new Set([...orders, ...setAside].map(({ id }) => `${id}`));
  const hidden = new Set(rows.map(({ id_order }) => id_order).filter((id) => !known.has(id)));
  const unnumbered = setAside.filter(({ id }) => id === null).length;
  expect(cut ? 0 : hidden.size).toBeLessThanOrEqual(unnumbered);
}

/** Rows of one line and without quotes, as they stand between line feeds. */
function rowsOf(bytes: Buffer): readonly string[] {
  const rows = bytes.toString().split('\n').slice(1);
  return rows.filter((row) => /^40\d\d;REF/.test(row) && !row.includes('"') && row.split(';').length === 24);
}
