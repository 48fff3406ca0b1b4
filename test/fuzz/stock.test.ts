import * as fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { fieldSpan } from '../../src/domain/csv-rows.ts';
import { readStock, type StockFile, type StockFormat } from '../../src/domain/stock-csv.ts';
import { planStock, stockUpdate } from '../../src/domain/stock-plan.ts';
import type { VariantStock } from '../../src/domain/stock.ts';
import { ENCODINGS } from '../../src/domain/text-file.ts';
import { STOCK_FORMAT, stockCsv, type StockCells } from '../domain/samples.ts';
import { damage, damaged, expectNoPollution, lineCount, NASTY, PATIENCE, rawBytes, RUNS } from './damage.ts';

const read = (bytes: Uint8Array, format: StockFormat = STOCK_FORMAT) => readStock(bytes, 'ExportCSV', format);

const ean = fc.integer({ min: 0, max: 12 }).map((index) => `${3_600_000_000_000 + index}`);
const plain = fc.constantFrom('MOD1', 'MOD2', 'MOD3');
const size = fc.constantFrom('38', '39', '40');
const cells = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(plain, size, ean, fc.constantFrom('1', '2', '0', '-1', '7')) },
  {
    weight: 1,
    arbitrary: fc.tuple(plain, size, fc.oneof(ean, fc.constantFrom(...NASTY)), fc.constantFrom(...NASTY)),
  },
) as fc.Arbitrary<StockCells>;
/** What the shop shows: some of the file's variants, and some more. */
const applied = fc
  .array(fc.record({ ean, reference: plain, size, quantity: fc.nat(9) }), { maxLength: 8 })
  .map((variants) => new Map<string, VariantStock>(variants.map((variant) => [variant.ean, variant])));
const format = fc.record({
  encoding: fc.constantFrom(...ENCODINGS),
  finalLineBreak: fc.constantFrom('required' as const, 'optional' as const),
});
const formatOf = ({ encoding, finalLineBreak }: typeof format extends fc.Arbitrary<infer T> ? T : never) => ({
  ...STOCK_FORMAT,
  finalLineBreak,
  file: { ...STOCK_FORMAT.file, encoding },
});

describe('ExportCSV', () => {
  afterAll(expectNoPollution);

  test(
    'that is damaged is read row by row, with doubts, and never zeroes what it does not say',
    () => {
      fc.assert(
        fc.property(
          fc.array(cells, { maxLength: 12 }),
          fc.array(damage, { maxLength: 3 }),
          applied,
          fc.option(format, { freq: 4 }),
          (rows, damages, applied, drawn) => {
            const whole = stockCsv(...rows);
            const bytes = damaged(whole, damages);
            const stock = read(bytes, drawn ? formatOf(drawn) : STOCK_FORMAT);
            expect(stock.variants).toHaveLength(stock.rows);
            expectSound(stock, bytes);
            expectNothingLost(stock, whole, bytes);
            expectNoZeroes(stock, applied);
          },
        ),
        RUNS,
      );
    },
    PATIENCE,
  );

  test(
    'that is none is read likewise',
    () => {
      const bytes = fc
        .tuple(fc.boolean(), rawBytes(stockCsv(['MOD1', '38', '3600000000001', '2'])))
        .map(([hasHeader, pieces]) => Buffer.concat([...(hasHeader ? [stockCsv()] : []), pieces]));
      fc.assert(
        fc.property(bytes, applied, format, (bytes, applied, drawn) => {
          const stock = read(bytes, formatOf(drawn));
          expect(stock.variants).toHaveLength(stock.rows);
          expectSound(stock, bytes);
          expectNoZeroes(stock, applied);
        }),
        RUNS,
      );
    },
    PATIENCE,
  );

  test.each(['__proto__', 'constructor', 'toString'])('may have a column titled %s', (title) => {
    const bytes = Buffer.from(
      stockCsv(['MOD1', '38', '3600000000001', '2']).toString('latin1').replace('Stock', title),
      'latin1',
    );
    const columns = { ...STOCK_FORMAT.columns, quantity: title };
    expect(read(bytes, { ...STOCK_FORMAT, columns })).toMatchObject({
      doubts: [],
      variants: [{ quantity: 2 }],
    });
  });
});

function expectSound(stock: StockFile, bytes: Uint8Array): void {
  const { variants, unreadable, doubts } = stock;
  const lines = lineCount(bytes);
  const faulty = new Set(unreadable.map(({ line }) => line));
  for (const [index, { line, start, quantity, ean }] of variants.entries()) {
    expect(line).toBe(Buffer.from(bytes).toString('latin1', 0, start).split('\n').length);
    // What cannot be read is told; what is read stands in the file, under its title.
    expect(ean === null || quantity === null).toBe(faulty.has(line));
    if (quantity === null) continue;
    const end = variants[index + 1]?.start ?? bytes.length;
    const row = Buffer.from(bytes).toString('latin1', start, end);
    const span = fieldSpan(row, stock.header.columns.quantity ?? -1, stock.format.file);
    const said = row
      .slice(span?.start, span?.end)
      .replace(/\xc2\xa0|\xe2\x80[\xa8\xa9]|\xef\xbb\xbf/g, '')
      .trim();
    expect(said).toMatch(/^-?\d+(,0+)?$/);
    expect(Number.parseInt(said, 10)).toBe(quantity);
    expect(Math.abs(quantity)).toBeLessThanOrEqual(1_000_000);
  }
  for (const { line, reason } of unreadable) {
    expect(line).toBeLessThanOrEqual(lines);
    expect(reason.length).toBeLessThan(300);
  }
  for (const { message } of doubts) {
    expect(Number(/line (\d+)/.exec(message)?.[1] ?? 1)).toBeLessThanOrEqual(lines);
    expect(message.length).toBeLessThan(400);
  }
}

/** A row that came through whole is there, or the file is doubted. */
function expectNothingLost({ variants, doubts }: StockFile, whole: Buffer, bytes: Buffer): void {
  if (doubts.length > 0) return;
  const rows = whole.toString('latin1').split('\n').slice(1);
  const sent = new Set(rows.filter((row) => row.split(';').length === 9));
  const lines = new Set(variants.map(({ line }) => line));
  const lost = bytes
    .toString('latin1')
    .split('\n')
    .filter((line, index) => sent.has(line) && !lines.has(index + 1));
  expect(lost).toEqual([]);
}

/** With nothing outstanding, a variant is 0 only where the file or the shop says so; and the update is written. */
function expectNoZeroes(stock: StockFile, applied: ReadonlyMap<string, VariantStock>): void {
  const plan = planStock(stock, {
    outstanding: { byEan: new Map(), byReference: new Map() },
    applied,
    protectedProducts: [],
    mode: 'subtract',
  });
  const written = Buffer.concat([...stockUpdate(stock, plan)]);
  expect(written.length).toBeLessThanOrEqual(stock.bytes.length + 8 * stock.rows);
  const said = new Set(
    stock.variants.filter(({ quantity }) => quantity !== null && quantity <= 0).map(({ ean }) => ean),
  );
  const isSaid = (ean: string) => said.has(ean) || said.has(null) || applied.get(ean)?.quantity === 0;
  for (const { ean, quantity } of plan.variants) {
    expect(Number.isInteger(quantity) && quantity >= 0).toBe(true);
    expect(quantity > 0 || isSaid(ean), `${ean} is zeroed`).toBe(true);
  }
}
