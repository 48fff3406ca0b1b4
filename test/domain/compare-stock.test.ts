import { describe, expect, test } from 'vitest';
import { compareStock } from '../../src/domain/compare-stock.ts';
import { readStock } from '../../src/domain/stock-csv.ts';
import { planStock, stockUpdate } from '../../src/domain/stock-plan.ts';
import { STOCK_FORMAT, stockCsv, type StockCells } from './samples.ts';

const [E1, E2, E3] = ['3600000000017', '3600000000024', '3600000000031'] as const;
const PROSHOP: readonly StockCells[] = [
  ['A', '38', E1, '3'],
  ['A', '39', E2, '5'],
  ['B', '38', E3, '2'],
];

/** Compares ours, with these units outstanding, with an ExportCSVmod of these rows. */
function compare(sold: Record<string, number>, theirs: readonly StockCells[], proshop = PROSHOP) {
  const stock = readStock(stockCsv(...proshop), 'ExportCSV', STOCK_FORMAT);
  const plan = planStock(stock, {
    outstanding: { byEan: new Map(Object.entries(sold)), byReference: new Map() },
    applied: null,
    protectedProducts: [],
    mode: 'subtract',
  });
  const read = (bytes: Uint8Array) => readStock(bytes, 'ExportCSVmod', STOCK_FORMAT);
  return compareStock(read(Buffer.concat([...stockUpdate(stock, plan)])), read(stockCsv(...theirs)), plan);
}
const told = ({ disagreements }: ReturnType<typeof compare>) =>
  disagreements.map(({ ean, ours, theirs, rule }) => [ean, ours, theirs, rule]);

describe('The old gateway’s update', () => {
  test('is the same when nothing is outstanding', () => {
    expect(compare({}, PROSHOP)).toEqual({ sameBytes: true, variants: 3, disagreements: [] });
  });

  test('leaves out the whole product of a missed sale, where ours subtracts', () => {
    expect(told(compare({ [E1]: 1 }, [['B', '38', E3, '2']]))).toEqual([
      [E1, 2, 0, 'removed'],
      [E2, 5, 0, 'removed'],
    ]);
  });

  test('shows what Proshop has where it knew nothing of an order', () => {
    expect(told(compare({ [E1]: 1 }, PROSHOP))).toEqual([[E1, 2, 3, 'order unknown to it']]);
  });

  test('differs for no known reason: another figure, a product too few, one too many', () => {
    const other: readonly StockCells[] = [
      ['A', '38', E1, '3'],
      ['A', '39', E2, '4'],
      ['C', '38', '3600000000048', '1'],
    ];
    expect(told(compare({}, other))).toEqual([
      [E2, 5, 4, null],
      [E3, 2, 0, null],
      ['3600000000048', 0, 1, null],
    ]);
  });

  test('gives a gift voucher a row without EAN: it is the same by its reference', () => {
    const voucher = (quantity: string): StockCells => ['BON-50', '', '', quantity];
    const [ours, theirs] = [
      [...PROSHOP, ['BON-50', '', '2990000000507', '100']],
      [...PROSHOP, voucher('100')],
    ] as readonly (readonly StockCells[])[];
    expect(told(compare({}, theirs ?? [], ours))).toEqual([]);
    expect(told(compare({}, [...PROSHOP, voucher('99')], ours))).toEqual([['', 100, 99, null]]);
    expect(told(compare({}, [...PROSHOP, voucher('3')]))).toEqual([['', 0, 3, null]]);
  });

  test('may leave out a variant without stock: the shop shows 0 either way', () => {
    const rows: readonly StockCells[] = [
      ['A', '39', E2, '5'],
      ['B', '38', E3, '2'],
    ];
    // Two of the same product: the one that is sold out has no row of theirs.
    expect(told(compare({ [E1]: 3 }, rows))).toEqual([]);
  });
});
