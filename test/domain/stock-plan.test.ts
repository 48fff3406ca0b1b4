import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readStock, type StockFormat } from '../../src/domain/stock-csv.ts';
import { planStock, stockUpdate, type StockPlanInputs } from '../../src/domain/stock-plan.ts';
import type { VariantStock } from '../../src/domain/stock.ts';
import { encodeText, ENCODINGS } from '../../src/domain/text-file.ts';
import { csvRow, fixture, STOCK_FORMAT, stockCsv, type StockCells } from './samples.ts';

const NOTHING: StockPlanInputs = {
  outstanding: { byEan: new Map(), byReference: new Map() },
  applied: null,
  protectedProducts: [],
  mode: 'subtract',
};
const sold = (byEan: Record<string, number>, byReference: Record<string, number> = {}) => ({
  byEan: new Map(Object.entries(byEan)),
  byReference: new Map(Object.entries(byReference)),
});
const appliedStock = (...variants: readonly VariantStock[]) =>
  new Map(variants.map((variant) => [variant.ean, variant]));
const variant = (ean: string, quantity: number, reference = 'A', size = '38'): VariantStock => ({
  ean,
  reference,
  size,
  quantity,
});

/** Plans, writes ExportCSVmod and reads it again. */
function update(rows: readonly StockCells[], inputs: Partial<StockPlanInputs> = {}) {
  const stock = readStock(stockCsv(...rows), 'ExportCSV', STOCK_FORMAT);
  const plan = planStock(stock, { ...NOTHING, ...inputs });
  const bytes = Buffer.concat([...stockUpdate(stock, plan)]);
  const written = readStock(bytes, 'ExportCSVmod', STOCK_FORMAT).variants.map(({ ean, quantity }) => [
    ean,
    quantity,
  ]);
  return { plan, bytes, written, shown: plan.variants.map(({ ean, quantity }) => [ean, quantity]) };
}
const [E1, E2, E3] = ['3600000000017', '3600000000024', '3600000000031'] as const;

describe('Subtracting', () => {
  test('shows what Proshop has less what is outstanding, and tells each correction', () => {
    const { plan, written, shown } = update(
      [
        ['A', '38', E1, '3'],
        ['A', '39', E2, '5'],
      ],
      { outstanding: sold({ [E1]: 2 }) },
    );
    expect(shown).toEqual([
      [E1, 1],
      [E2, 5],
    ]);
    expect(written).toEqual(shown);
    expect(plan.corrections).toEqual([
      { ean: E1, reference: 'A', size: '38', proshop: 3, outstanding: 2, shown: 1 },
    ]);
    expect(plan).toMatchObject({ rows: 2, units: 6, removedRows: 0, setAside: [], doubts: [] });
  });

  test('never goes below 0, and keeps the row while the product has stock', () => {
    const { written } = update(
      [
        ['A', '38', E1, '1'],
        ['A', '39', E2, '5'],
      ],
      { outstanding: sold({ [E1]: 4 }) },
    );
    expect(written).toEqual([
      [E1, 0],
      [E2, 5],
    ]);
  });

  test('leaves a product out when nothing of it is left, so that the module shows it at 0', () => {
    const rows: StockCells[] = [
      ['A', '38', E1, '1'],
      ['A', '39', E2, '0'],
      ['B', '38', E3, '1'],
    ];
    const { plan, written, shown } = update(rows, { outstanding: sold({ [E1]: 1 }) });
    expect(written).toEqual([[E3, 1]]);
    expect(shown).toEqual([
      [E1, 0],
      [E2, 0],
      [E3, 1],
    ]);
    expect(plan.removedRows).toBe(2);
  });

  test('leaves a product alone that was at 0 already', () => {
    expect(update([['A', '38', E1, '0']]).written).toEqual([[E1, 0]]);
  });

  test('counts units without a barcode against every variant of their reference', () => {
    const { written } = update(
      [
        ['A', '38', E1, '3'],
        ['A', '39', E2, '5'],
        ['B', '38', E3, '5'],
      ],
      {
        outstanding: sold({ [E1]: 1 }, { A: 2, '': 9 }),
      },
    );
    expect(written).toEqual([
      [E1, 0],
      [E2, 3],
      [E3, 5],
    ]);
  });

  test('counts units of no known reference against nothing, and takes rows without reference for no product', () => {
    const rows: StockCells[] = [
      ['', '38', E1, '1'],
      ['', '39', E2, '0'],
    ];
    expect(update(rows, { outstanding: sold({}, { '': 9 }) }).written).toEqual([
      [E1, 1],
      [E2, 0],
    ]);
    expect(update(rows, { outstanding: sold({ [E1]: 1 }), mode: 'remove' }).written).toEqual([
      [E1, 0],
      [E2, 0],
    ]);
  });

  test('shows a figure below 0 as 0', () => {
    const { plan, written } = update([
      ['A', '38', E1, '-2'],
      ['A', '39', E2, '1'],
    ]);
    expect(written).toEqual([
      [E1, 0],
      [E2, 1],
    ]);
    expect(plan.setAside).toEqual([]);
  });
});

test('Removing leaves out every row of a product that has an outstanding variant, as the old script did', () => {
  const rows: StockCells[] = [
    ['A', '38', E1, '3'],
    ['A', '39', E2, '5'],
    ['B', '38', E3, '5'],
  ];
  const { plan, written, shown } = update(rows, { outstanding: sold({ [E1]: 1 }), mode: 'remove' });
  expect(written).toEqual([[E3, 5]]);
  expect(shown).toEqual([
    [E1, 0],
    [E2, 0],
    [E3, 5],
  ]);
  expect(plan.removedRows).toBe(2);
});

describe('Protected products', () => {
  const protectedProducts = [{ reference: 'BON', ean: '2000000000503', quantity: 1000 }];

  test('have one row of their own, whatever Proshop says of them', () => {
    const { plan, written, shown } = update(
      [
        ['BON', '', '2000000000503', '0'],
        ['BON', 'M', E3, '2'],
        ['AUTRE', '', '2000000000503', '3'],
        ['A', '38', E1, '1'],
      ],
      {
        protectedProducts,
        outstanding: sold({ '2000000000503': 7 }),
        mode: 'remove',
      },
    );
    expect(written).toEqual([
      [E1, 1],
      ['2000000000503', 1000],
    ]);
    expect(shown).toEqual(written);
    expect(plan.removedRows).toBe(3);
  });

  test('are written in the right columns, quoted where they must be', () => {
    const { bytes } = update([['A', '38', E1, '1']], {
      protectedProducts: [{ reference: 'BON;"é"', ean: '2000000000503', quantity: 1 }],
    });
    expect(bytes.toString('latin1').split('\r\n').slice(-2)).toEqual([
      ';;;"BON;""é""";;2000000000503;;1;008',
      '',
    ]);
  });
});

describe('A row that cannot be read zeroes nothing', () => {
  const fillers: StockCells[] = Array.from({ length: 20 }, (_, index) => [
    'F',
    `${index}`,
    `${40000000 + index}`,
    '1',
  ]);

  test('its quantity unreadable, the one last applied is written, less what is outstanding', () => {
    const { plan, written, shown } = update([...fillers, ['A', '38', E1, 'x']], {
      applied: appliedStock(variant(E1, 4)),
      outstanding: sold({ [E1]: 1 }),
    });
    expect(written.at(-1)).toEqual([E1, 3]);
    expect(shown.at(-1)).toEqual([E1, 3]);
    expect(plan.setAside).toMatchObject([{ line: 22, field: 'Stock' }]);
    expect(plan.doubts).toEqual([]);
    expect(plan.difference).toMatchObject({ toZero: 0, down: 1 });
  });

  test('its quantity unreadable and never applied, the update is doubted', () => {
    const { plan, bytes } = update([...fillers, ['A', '38', E1, 'x']]);
    expect(plan.doubts).toEqual([
      {
        rule: 'unreadable',
        message:
          'Expected a readable quantity or one applied before, got neither in 1 row(s) (ExportCSV, line 22)',
      },
    ]);
    expect(bytes.toString('latin1')).toContain(';x;008\r\n');
  });

  test('its barcode unreadable, it is taken for the variant of its reference and size', () => {
    const applied = appliedStock(variant(E1, 4), variant(E2, 2, 'A', '39'));
    const outstanding = sold({ [E1]: 2 });
    const { plan, bytes, shown } = update([...fillers, ['A', '38', '?', '3']], { applied, outstanding });
    expect(bytes.toString('latin1')).toContain(';38;?;59,90;1;008\r\n');
    expect(shown).toContainEqual([E1, 1]);
    expect(plan.difference).toMatchObject({ down: 1, toZero: 1 });
    expect(plan).toMatchObject({ setAside: [{ line: 22, field: 'Gencod' }], doubts: [] });
  });

  test('its barcode unreadable and its reference and size never applied, it passes as it is', () => {
    const { plan, bytes, shown } = update([...fillers, ['A', '38', '?', '3']], { applied: appliedStock() });
    expect(bytes.toString('latin1')).toContain(';38;?;59,90;3;008\r\n');
    expect(shown).toHaveLength(fillers.length);
    expect(plan).toMatchObject({ setAside: [{ line: 22, field: 'Gencod' }], doubts: [] });
  });

  test('neither readable, the update is doubted', () => {
    expect(update([...fillers, ['A', '38', '?', '?']]).plan.doubts).toMatchObject([{ rule: 'unreadable' }]);
  });

  test('a product is not left out for the rows of it that can be read', () => {
    const { written } = update([...fillers, ['A', '38', E1, '1'], ['A', '39', '?', '3']], {
      outstanding: sold({ [E1]: 1 }),
    });
    expect(written.slice(-2)).toEqual([
      [E1, 0],
      [null, 3],
    ]);
  });

  test('nor for rows of it whose quantity is unknown', () => {
    const { bytes } = update([...fillers, ['A', '38', E1, '1'], ['A', '39', E2, '?']], {
      outstanding: sold({ [E1]: 1 }),
    });
    expect(bytes.toString('latin1')).toContain(`;39;${E2};59,90;?;008`);
  });

  test('one unreadable row in ten is the most that passes', () => {
    const applied = appliedStock(variant(E1, 4), variant(E2, 4));
    const odd: StockCells = ['A', '38', E1, 'x'];
    expect(update([...fillers.slice(0, 9), odd], { applied }).plan.doubts).toEqual([]);
    expect(update([...fillers.slice(0, 8), odd], { applied }).plan.doubts).toMatchObject([
      { rule: 'unreadable' },
    ]);
  });
});

describe('A barcode that stands twice', () => {
  test('with the same row is kept once, and told', () => {
    const { plan, written, shown } = update([
      ['A', '38', E1, '3'],
      ['A', '38', E1, '3'],
      ['A', '39', E2, '1'],
    ]);
    expect(written).toEqual([
      [E1, 3],
      [E2, 1],
    ]);
    expect(shown).toEqual(written);
    expect(plan.setAside).toEqual([
      {
        line: 3,
        field: 'Gencod',
        reason: `Expected \`Gencod\` to stand once, got \`${E1}\` again (first on line 2): the same row, left out`,
      },
    ]);
  });

  test('with rows that differ has the smallest quantity in each, less what is outstanding, and the update is doubted', () => {
    const rows: StockCells[] = [
      ['A', '38', E1, '5'],
      ['A', '38', E1, '3'],
      ['B', '38', E1, '4'],
      ['A', '39', E2, '9'],
    ];
    const { plan, written, shown } = update(rows, { outstanding: sold({ [E1]: 1 }) });
    expect(written).toEqual([
      [E1, 2],
      [E1, 2],
      [E1, 2],
      [E2, 9],
    ]);
    expect(shown).toEqual([
      [E1, 2],
      [E2, 9],
    ]);
    expect(plan.setAside).toHaveLength(2);
    expect(plan.doubts).toMatchObject([{ rule: 'duplicates' }]);
  });
});

describe('The difference with the last stock applied', () => {
  test('counts every variant once, and what the file does not name as going to 0', () => {
    const { plan } = update(
      [
        ['A', '38', E1, '3'],
        ['A', '39', E2, '1'],
        ['B', '38', E3, '0'],
        ['B', '39', '40000000', '2'],
        ['C', '38', '40000001', '2'],
      ],
      {
        applied: appliedStock(
          variant(E1, 1),
          variant(E2, 5),
          variant(E3, 2),
          variant('40000000', 2),
          variant('40000002', 7, 'D'),
          variant('40000003', 0, 'D'),
        ),
      },
    );
    expect(plan.difference).toEqual({
      up: 1,
      down: 1,
      toZero: 2,
      created: 1,
      unchanged: 1,
      largest: [
        { ean: '40000002', reference: 'D', size: '38', name: '', before: 7, after: 0 },
        { ean: E2, reference: 'A', size: '39', name: 'Fée Daim Bleu', before: 5, after: 1 },
        { ean: E1, reference: 'A', size: '38', name: 'Fée Daim Bleu', before: 1, after: 3 },
        { ean: E3, reference: 'B', size: '38', name: 'Fée Daim Bleu', before: 2, after: 0 },
        { ean: '40000001', reference: 'C', size: '38', name: 'Fée Daim Bleu', before: null, after: 2 },
      ],
    });
  });

  test('shows the 20 largest changes', () => {
    const rows = Array.from({ length: 50 }, (_, index): StockCells => [
      'A',
      `${index}`,
      `${40000000 + index}`,
      `${index}`,
    ]);
    const { largest } = update(rows).plan.difference;
    expect(largest.map(({ after }) => after)).toEqual(Array.from({ length: 20 }, (_, index) => 49 - index));
  });
});

describe('ExportCSVmod', () => {
  test.each(['accents', 'quoted', 'no-final-line-break', 'bom', 'sold-out', 'protected', 'several-lines'])(
    'is the file beside it: %s.csv',
    (name) => {
      const encoding = name === 'bom' ? 'utf-8' : 'windows-1252';
      const format = { ...STOCK_FORMAT, file: { ...STOCK_FORMAT.file, encoding } } as const;
      const stock = readStock(fixture(`stock/${name}.csv`), 'ExportCSV', format);
      const plan = planStock(stock, {
        ...NOTHING,
        outstanding: sold({ [E1]: 1, [E3]: 5 }),
        protectedProducts: [{ reference: 'BON-CADEAU-50', ean: '2000000000503', quantity: 1000 }],
      });
      const bytes = Buffer.concat([...stockUpdate(stock, plan)]);
      expect(bytes.toString('latin1')).toBe(fixture(`stock/${name}.mod.csv`).toString('latin1'));
    },
  );

  test.each([
    [
      'the last row',
      [
        ['A', '38', E2, '1'],
        ['B', '38', E1, '1'],
      ],
    ],
    ['every row', [['B', '38', E1, '1']]],
  ] as const)(
    'has no line without end when %s is left out of a file that ends without a line break',
    (_, rows) => {
      const stock = readStock(stockCsv(...rows).subarray(0, -2), 'ExportCSV', STOCK_FORMAT);
      const protectedProducts = [{ reference: 'BON', ean: '2000000000503', quantity: 1 }];
      const plan = planStock(stock, { ...NOTHING, outstanding: sold({ [E1]: 1 }), protectedProducts });
      const lines = Buffer.concat([...stockUpdate(stock, plan)])
        .toString('latin1')
        .split('\r\n');
      expect(lines).toHaveLength(rows.length + 1);
      expect(lines.at(-1)).toBe(';;;BON;;2000000000503;;1;008');
    },
  );

  const tables = fc
    .record({
      encoding: fc.constantFrom(...ENCODINGS),
      delimiter: fc.constantFrom(';', ',', '\t', '|'),
      quote: fc.constantFrom('"', "'"),
      lineBreak: fc.constantFrom('\n', '\r\n'),
      hasMark: fc.boolean(),
      hasFinalBreak: fc.boolean(),
      isQuoted: fc.boolean(),
      rows: fc.uniqueArray(
        fc.record({
          ean: fc.integer({ min: 10_000_000, max: 10_000_099 }).map(String),
          reference: fc.constantFrom('A', 'B', 'C é', 'D;"\'|,\t', 'E\r\nF'),
          size: fc.string({ maxLength: 3 }).map((size) => size.trim()),
          supplier: fc.constantFrom('', 'Fée', '12"', "l'Œuf", 'a\nb'),
          quantity: fc.integer({ min: 0, max: 9 }),
        }),
        { maxLength: 30, selector: ({ ean }) => ean },
      ),
    })
    .map(({ rows, lineBreak, hasMark, hasFinalBreak, isQuoted, ...file }) => {
      const format: StockFormat = {
        ...STOCK_FORMAT,
        file: { ...file, decimalMark: '.' },
        finalLineBreak: 'optional',
      };
      const header = Object.values(STOCK_FORMAT.columns);
      const cells = rows.map(({ ean, reference, size, supplier, quantity }) => [
        supplier,
        '',
        '',
        reference,
        size,
        ean,
        '1',
        `${quantity}`,
        '008',
      ]);
      const text =
        [header, ...cells].map((row) => csvRow(row, format.file, () => isQuoted)).join(lineBreak) +
        (hasFinalBreak ? lineBreak : '');
      const mark = hasMark && file.encoding === 'utf-8' ? '\uFEFF' : '';
      return { format, rows, bytes: encodeText(mark + text, file.encoding) };
    });
  const units = fc.dictionary(
    fc.integer({ min: 10_000_000, max: 10_000_099 }).map(String),
    fc.integer({ min: 1, max: 9 }),
    { maxKeys: 40 },
  );

  test('is ExportCSV byte for byte when nothing is outstanding and nothing is protected', () => {
    fc.assert(
      fc.property(tables, ({ bytes, format }) => {
        const stock = readStock(bytes, 'ExportCSV', format);
        expect(Buffer.concat([...stockUpdate(stock, planStock(stock, NOTHING))])).toEqual(bytes);
      }),
    );
  });

  test('read again, says exactly what the plan says, and its other bytes are those of ExportCSV', () => {
    fc.assert(
      fc.property(
        tables,
        units,
        fc.constantFrom('subtract', 'remove'),
        ({ bytes, format, rows }, byEan, mode) => {
          const stock = readStock(bytes, 'ExportCSV', format);
          const protectedProducts = [{ reference: 'C é', ean: '20000000', quantity: 7 }];
          const plan = planStock(stock, { ...NOTHING, outstanding: sold(byEan), protectedProducts, mode });
          const updated = readStock(Buffer.concat([...stockUpdate(stock, plan)]), 'ExportCSVmod', format);

          const written = new Map(updated.variants.map(({ ean, quantity }) => [ean, quantity]));
          expect(updated.unreadable).toEqual([]);
          expect(written.size).toBe(updated.rows);
          for (const { ean, quantity } of plan.variants) expect(written.get(ean) ?? 0).toBe(quantity);
          expect(plan.variants.length).toBeGreaterThanOrEqual(written.size);
          expect(updated.rows).toBe(rows.length - plan.removedRows + 1);

          const names = new Map(
            stock.variants.map(({ ean, name, reference, size }) => [ean, [name, reference, size]]),
          );
          for (const { ean, name, reference, size } of updated.variants.slice(0, -1))
            expect([name, reference, size]).toEqual(names.get(ean));
        },
      ),
    );
  });

  test('shows Proshop less outstanding, variant by variant, and the sums are right', () => {
    fc.assert(
      fc.property(tables, units, units, ({ bytes, format, rows }, byEan, before) => {
        const applied = appliedStock(
          ...Object.entries(before).map(([ean, quantity]) => variant(ean, quantity)),
        );
        const plan = planStock(readStock(bytes, 'ExportCSV', format), {
          ...NOTHING,
          outstanding: sold(byEan),
          applied,
        });
        expect(plan.variants.map(({ ean, quantity }) => [ean, quantity])).toEqual(
          rows.map(({ ean, quantity }) => [ean, Math.max(0, quantity - (byEan[ean] ?? 0))]),
        );
        const { up, down, toZero, created, unchanged } = plan.difference;
        const gone = Object.keys(before).filter((ean) => !rows.some((row) => row.ean === ean)).length;
        expect(up + down + toZero + created + unchanged).toBe(rows.length + gone);
        expect(plan.units).toBe(plan.variants.reduce((sum, { quantity }) => sum + quantity, 0));
        for (const { proshop, outstanding, shown } of plan.corrections)
          expect(shown).toBe(Math.max(0, proshop - outstanding));
      }),
    );
  });
});

test('A row of another width is taken for no variant: what stands under its titles may be anything', () => {
  const bytes = Buffer.concat([stockCsv(['A', '39', E2, '1']), Buffer.from('Fee;Daim;Bleu;A;38\r\n')]);
  const stock = readStock(bytes, 'ExportCSV', STOCK_FORMAT);
  const plan = planStock(stock, {
    ...NOTHING,
    applied: appliedStock(variant(E1, 3), variant(E2, 1, 'A', '39')),
  });
  expect(Buffer.concat([...stockUpdate(stock, plan)])).toEqual(bytes);
  expect(plan.doubts.map(({ rule }) => rule)).toContain('unreadable');
});

test('Long names are cut in the largest changes, which go through a history', () => {
  const { plan } = update([['A', 'x'.repeat(9_000), E1, '3']]);
  expect(plan.difference.largest[0]?.size).toBe(`${'x'.repeat(100)}…`);
});
