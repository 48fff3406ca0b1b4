import { describe, expect, test } from 'vitest';
import { ean13 } from '../../sandbox/scenario.ts';
import { readStock, type StockFormat } from '../../src/domain/stock-csv.ts';
import { encodeText } from '../../src/domain/text-file.ts';
import { explainStock } from '../../src/format/explain-stock.ts';
import { fixture } from '../domain/samples.ts';
import { configured, SHOP_STOCK } from '../support/shop-files.ts';

const eans = ['360000000001', '360000000002', '360000000003'].map(ean13);
/** Rows of three variants of two models under these titles. */
const file = (titles: string, store: (row: number) => string = () => '008') =>
  [
    titles,
    ...eans.map(
      (ean, row) => `Fée;Daim;Bleu;MOD${row >> 1};${38 + row};${ean};59,90;${2 * row};${store(row)}`,
    ),
  ]
    .map((line) => `${line}\r\n`)
    .join('');
const PROSHOP = 'Fournisseur;Matiere;Couleur;Modele;Taille;Gencod;Prix;Stock;Magasin';
const explain = (text: string | Buffer, format: StockFormat | null = SHOP_STOCK) =>
  explainStock(typeof text === 'string' ? encodeText(text, 'windows-1252') : text, 'ExportCSV', format);

describe('A stock file that the configuration fits', () => {
  test('is explained with its rows, variants, models and units', () => {
    expect(explain(file(PROSHOP))).toMatchObject({
      seen: { encoding: 'windows-1252', delimiter: ';', decimalMark: ',', lineBreak: 'CRLF' },
      readWith: 'configuration',
      doubts: [],
      absent: [],
      unmapped: [],
      content: { rows: 3, variants: 3, models: 2, units: 6, rejects: [] },
      proposal: null,
    });
  });

  test.each(['accents', 'quoted', 'several-lines', 'sold-out', 'protected'])('is the fixture %s', (name) => {
    expect(explain(fixture(`stock/${name}.csv`)).readWith).toBe('configuration');
  });

  test('shows the rows that cannot be read', () => {
    const { content, proposal, readWith } = explain(
      `${file(PROSHOP)}${'Fée;Daim;Bleu;MOD9;38;3600000000017;59,90;2;008\r\n'.repeat(20)}Fée;Daim;Bleu;MOD9;38;?;59,90;2;008\r\n`,
    );
    expect([readWith, proposal]).toEqual(['configuration', null]);
    expect(content?.rejects).toEqual([
      { line: 25, field: 'Gencod', reason: 'Expected `Gencod` to be a barcode of 8 to 14 digits, got `?`' },
    ]);
  });

  test('keeps its settings when it is the file that is wrong', () => {
    const explained = explain(file(PROSHOP, (row) => (row === 1 ? '009' : '008')));
    expect(explained).toMatchObject({ readWith: 'configuration', proposal: null });
    expect(explained.doubts).toEqual([expect.stringContaining('setting stock.store')]);
  });
});

describe('The section that is proposed', () => {
  test.each([
    [
      'other French titles',
      'Marque;Matière;Coloris;Référence;Pointure;Code-barres;Prix de vente TTC;Qté stock;N° magasin',
    ],
    ['English titles', 'Supplier;Material;Color;Model;Size;Barcode;Price;Quantity;Store'],
    ['nothing but values to know most columns by', 'Fournisseur;Matiere;Couleur;Modele;c5;c6;c7;c8;c9'],
  ])('reads a file with %s, once it is in a configuration', async (_, titles) => {
    const bytes = encodeText(file(titles), 'windows-1252');
    const { readWith, proposal, content } = explain(bytes);
    expect([readWith, proposal?.missing]).toEqual(['proposal', []]);
    expect(content).toMatchObject({ rows: 3, variants: 3, models: 2, units: 6, rejects: [] });

    const { stock } = await configured(proposal?.section ?? '');
    expect(stock.protected).toHaveLength(1);
    const read = readStock(bytes, 'ExportCSV', stock);
    expect([read.doubts, read.unreadable]).toEqual([[], []]);
    expect(read.variants[2]).toMatchObject({
      reference: 'MOD1',
      size: '40',
      ean: eans[2],
      price: '59.90',
      quantity: 4,
      name: 'Fée Daim Bleu',
      supplier: 'Fée',
    });
  });

  test('finds the store, as a text', () => {
    expect(explain(file(PROSHOP.replace('Magasin', 'Boutique'), () => '012')).proposal?.section).toContain(
      "\n  store: '012'\n",
    );
  });

  test('leaves the store open where there are several', () => {
    const { proposal, readWith } = explain(
      file(PROSHOP, (row) => `01${row}`),
      null,
    );
    expect(proposal?.missing).toEqual(['stock.store']);
    expect(proposal?.section).toContain('\n  # store:\n');
    expect(readWith).toBeNull();
  });
});

describe('A nasty stock file', () => {
  test.each([
    ['empty', '', { seen: { problem: 'empty' }, readWith: null, content: null }],
    ['a header alone', `${PROSHOP}\r\n`, { readWith: 'configuration', content: { rows: 0, units: 0 } }],
    ['a quote that is never closed', `${file(PROSHOP)}"Fée;Daim`, { readWith: 'configuration' }],
    ['a title twice', file(PROSHOP.replace('Prix', 'Stock')), { proposal: { twice: ['Stock'] } }],
    ['a huge line', 'x'.repeat(2_000_000), { seen: { problem: 'long row' }, readWith: null }],
    ['binary', Buffer.from([0, 255, 1, 254, 10, 0, 200]), { readWith: null }],
  ])('is explained all the same: %s', (_, text, expected) => {
    expect(explain(text)).toMatchObject(expected);
  });
});
