import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { modelsOf } from '../../src/domain/product.ts';
import { readStock, sizeOf, type StockFormat } from '../../src/domain/stock-csv.ts';
import { fixture, STOCK_FORMAT, stockCsv, type StockCells } from './samples.ts';

const read = (bytes: Uint8Array, format: StockFormat = STOCK_FORMAT) => readStock(bytes, 'ExportCSV', format);
const TWO: readonly StockCells[] = [
  ['MOD17', '38', '3600000000017', '2'],
  ['MOD17', '39', '3600000000024', '-1'],
];

test('The size of a stock file counts each barcode once, and nothing below 0', () => {
  const one: StockCells = ['MOD17', '38', '3600000000017', '2'];
  const none: StockCells = ['MOD17', '40', '', '5'];
  expect(sizeOf(read(stockCsv(...TWO)))).toEqual({ rows: 2, units: 2 });
  expect(sizeOf(read(stockCsv(...TWO, one, one)))).toEqual({ rows: 2, units: 2 });
  expect(sizeOf(read(stockCsv(...TWO, none, none)))).toEqual({ rows: 4, units: 12 });
});

test('A stock file gives its rows, with lines and offsets', () => {
  const stock = read(stockCsv(...TWO));
  expect(stock).toMatchObject({ rows: 2, unreadable: [], doubts: [] });
  expect(stock.variants).toEqual([
    {
      line: 2,
      start: 69,
      reference: 'MOD17',
      size: '38',
      name: 'Fée Daim Bleu',
      supplier: 'Fée',
      price: '59.90',
      ean: '3600000000017',
      quantity: 2,
    },
    {
      line: 3,
      start: 119,
      reference: 'MOD17',
      size: '39',
      name: 'Fée Daim Bleu',
      supplier: 'Fée',
      price: '59.90',
      ean: '3600000000024',
      quantity: -1,
    },
  ]);
});

test.each(['bom', 'quoted', 'several-lines'])('A stock file is read whatever its dress: %s.csv', (name) => {
  const encoding = name === 'bom' ? 'utf-8' : 'windows-1252';
  const stock = read(fixture(`stock/${name}.csv`), {
    ...STOCK_FORMAT,
    file: { ...STOCK_FORMAT.file, encoding },
  });
  expect(stock.doubts).toEqual([]);
  expect(stock.variants.find(({ ean }) => ean === '3600000000017')?.quantity).toBe(2);
});

test('The models are the references, each once, in the order of the file, with what their rows say', () => {
  const stock = read(
    stockCsv(
      ['B', '38', '36000001', '1'],
      ['A', '38', '', 'x'],
      ['B', '39', '36000003', '1'],
      ['B', '39', '36000003', '1'],
      ['', '1', '36000005', '1'],
    ),
  );
  const common = { name: 'Fée Daim Bleu', supplier: 'Fée', price: '59.90' };
  expect(modelsOf(stock)).toEqual([
    {
      reference: 'B',
      ...common,
      sizes: [
        { size: '38', ean: '36000001' },
        { size: '39', ean: '36000003' },
      ],
    },
    { reference: 'A', ...common, sizes: [] },
  ]);
});

test.each(['', 'cher', '59.90', '-1', '1e9', '12345678901'])('A price of `%s` is none', (price) => {
  const bytes = stockCsv(['A', '38', '3600000000017', '1']).toString('latin1').replace('59,90', price);
  expect(modelsOf(read(Buffer.from(bytes, 'latin1')))).toMatchObject([{ reference: 'A', price: null }]);
});

describe('A row', () => {
  test.each([
    ['2', 2],
    [' 2 ', 2],
    ['2,000', 2],
    ['-3', -3],
    ['1000000', 1_000_000],
  ])('has the quantity `%s`', (text, quantity) => {
    expect(read(stockCsv(['A', '38', '3600000000017', text]))).toMatchObject({
      variants: [{ quantity }],
      unreadable: [],
    });
  });

  test.each([
    ['3600000000017', '1,5', 'Stock', '`Stock` to be a whole number up to 1000000, got `1,5`'],
    ['3600000000017', '1000001', 'Stock', '`Stock` to be a whole number up to 1000000, got `1000001`'],
    ['3600000000017', '', 'Stock', '`Stock` to be a whole number up to 1000000, got nothing'],
    ['3600000000017', '1e3', 'Stock', '`Stock` to be a whole number up to 1000000, got `1e3`'],
    ['36000', '1', 'Gencod', '`Gencod` to be a barcode of 8 to 14 digits, got `36000`'],
    ['', 'x', 'Gencod', '`Gencod` to be a barcode of 8 to 14 digits, got nothing'],
  ])('cannot be read: barcode `%s`, quantity `%s`', (ean, quantity, field, reason) => {
    expect(read(stockCsv(...TWO, ['A', '38', ean, quantity])).unreadable).toMatchObject([
      { line: 4, field, reason: `Expected ${reason}`, reference: 'A' },
    ]);
  });
});

/** A sound file with one text in place of another. */
const edited = (from: string, to: string) =>
  Buffer.from(
    stockCsv(...TWO)
      .toString('latin1')
      .replace(from, to),
    'latin1',
  );

test('A row of another width is read for nothing: its values may stand under the wrong titles', () => {
  const bytes = edited(';59,90;2;', ';59,90;2;;');
  const { variants, unreadable } = read(bytes);
  expect(variants[0]).toMatchObject({ line: 2, ean: null, quantity: null });
  expect(unreadable).toMatchObject([{ line: 2, field: '', reason: 'Expected 9 fields, got 10', ean: null }]);
});

test('Rows that a stray quote has joined are read for nothing, and the file is doubted', () => {
  const rows = stockCsv(...TWO)
    .toString('latin1')
    .replaceAll('\nF', '\n"F');
  const { variants, unreadable, doubts } = read(Buffer.from(rows.replace('\n"Fo', '\nFo'), 'latin1'));
  expect(variants).toMatchObject([{ line: 2, ean: null, quantity: null }]);
  expect(unreadable[0]?.reason).toBe('Expected 9 fields, got rows joined by a quote');
  expect(doubts.map(({ rule }) => rule)).toEqual(['width']);
});

test('A row that was cut and joined with the next one is doubted too, though it has all its fields', () => {
  const rows = stockCsv(...TWO)
    .toString('latin1')
    .split('\r\n');
  const cut = rows[1]?.replace(/\d{13}.*/, '"1;008');
  const next = rows[2]?.replace(/\d{13}/, '"');
  const { variants, doubts } = read(Buffer.from([rows[0], cut, next, ''].join('\r\n'), 'latin1'));
  expect(variants).toMatchObject([{ line: 2, ean: null, quantity: null }]);
  expect(doubts.map(({ rule }) => rule)).toEqual(['width']);
});

test('A title that stands above two columns makes the file doubted', () => {
  const bytes = edited('Prix', 'Stock');
  expect(read(bytes).doubts).toEqual([
    {
      rule: 'header',
      message:
        'Expected one column titled `Stock`, got several (ExportCSV, line 1; setting stock.columns.quantity)',
    },
  ]);
});

test('A long value is cut where it is told', () => {
  const { unreadable, doubts } = read(
    stockCsv(
      ...TWO,
      ['A', '38', '3600000000031', 'x'.repeat(9_000)],
      ['A', '38', '3600000000048', '1', 'y'.repeat(9_000)],
    ),
  );
  expect(unreadable[0]?.reason).toBe(
    `Expected \`Stock\` to be a whole number up to 1000000, got \`${'x'.repeat(100)}…\``,
  );
  expect(doubts[0]?.message.length).toBeLessThan(250);
});

describe('A file is doubted', () => {
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');
  const whole = text(stockCsv(...TWO));
  const utf8: StockFormat = { ...STOCK_FORMAT, file: { ...STOCK_FORMAT.file, encoding: 'utf-8' } };

  test.each([
    [
      '',
      STOCK_FORMAT,
      'empty',
      'Expected a header row, got an empty file (ExportCSV, line 1; setting proshop.exportName)',
    ],
    [
      text(stockCsv()),
      STOCK_FORMAT,
      'empty',
      'Expected rows below the header, got none (ExportCSV, line 1; setting proshop.exportName)',
    ],
    [
      whole.replace('Gencod', 'EAN'),
      STOCK_FORMAT,
      'header',
      'Expected a column titled `Gencod`, got a header of 9 column(s) without it (ExportCSV, line 1; setting stock.columns.ean)',
    ],
    [
      whole.replaceAll(';', ','),
      STOCK_FORMAT,
      'header',
      'Expected a column titled `Modele`, got a header of 1 column(s) without it (ExportCSV, line 1; setting stock.file.delimiter)',
    ],
    [
      whole.replace(';59,90;2;', ';59,90;x;2;'),
      STOCK_FORMAT,
      'width',
      'Expected rows of 9 fields, got 1 row(s) of another width, the first of 10 (ExportCSV, line 2; setting stock.file.quote)',
    ],
    [
      whole.replace(';-1;008', ';-1;009'),
      STOCK_FORMAT,
      'store',
      'Expected rows of store `008`, got 1 row(s) of another, the first of `009` (ExportCSV, line 3; setting stock.store)',
    ],
    [
      whole.slice(0, -2),
      STOCK_FORMAT,
      'cut',
      'Expected a line break after the last row, got the end of the file (ExportCSV, line 3; setting stock.finalLineBreak)',
    ],
    [
      `${whole}"Fée`,
      STOCK_FORMAT,
      'cut',
      'Expected a closing quote, got the end of the file (ExportCSV, line 4; setting stock.file.quote)',
    ],
    [
      whole,
      utf8,
      'encoding',
      'Expected utf-8 text, got bytes that are not UTF-8 (ExportCSV, line 2; setting stock.file.encoding)',
    ],
    [
      Buffer.from(whole, 'utf8').toString('latin1'),
      STOCK_FORMAT,
      'encoding',
      'Expected windows-1252 text, got utf-8 (its accented letters) (ExportCSV, line 2; setting stock.file.encoding)',
    ],
  ] as const)('%j', (source, format, rule, message) => {
    expect(read(Buffer.from(source, 'latin1'), format).doubts).toEqual([{ rule, message }]);
  });

  test('wherever it is cut, but at the end of a row', () => {
    const bytes = Buffer.from(whole, 'latin1');
    for (let length = 0; length < bytes.length; length++) {
      const { doubts } = read(bytes.subarray(0, length));
      const rows = bytes.subarray(0, length).toString('latin1').split('\r\n').length - 2;
      const isAtRowEnd = bytes.subarray(0, length).toString('latin1').endsWith('\r\n') && rows > 0;
      expect(doubts.length > 0, `cut at ${length}`).toBe(!isAtRowEnd);
    }
  });

  test('not for its last line break, where the configuration says so', () => {
    const format: StockFormat = { ...STOCK_FORMAT, finalLineBreak: 'optional' };
    expect(read(Buffer.from(whole.slice(0, -2), 'latin1'), format).doubts).toEqual([]);
  });
});

test('Nothing is ever thrown, whatever the bytes', () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc
      .constantFrom(
        ...stockCsv(...TWO)
          .toString('latin1')
          .split(/(?=[;\r])/),
        '"',
        ';',
        '\n',
      )
      .map((text) => Buffer.from(text, 'latin1')),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), fc.boolean(), (pieces, hasHeader) => {
      const bytes = Buffer.concat([...(hasHeader ? [stockCsv()] : []), ...pieces]);
      expect(() => read(bytes)).not.toThrow();
    }),
    { numRuns: 1_000 },
  );
});
