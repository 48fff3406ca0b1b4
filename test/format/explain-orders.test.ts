import { describe, expect, test } from 'vitest';
import { demoScenario, ean13, randomScenario } from '../../sandbox/scenario.ts';
import { readOrders } from '../../src/domain/order-csv.ts';
import { encodeText } from '../../src/domain/text-file.ts';
import { explainOrders, ordersFormatOf } from '../../src/format/explain-orders.ts';
import { configured, ordersFileOf, SHOP_ORDERS } from '../support/shop-files.ts';

const [EAN_1, EAN_2] = [ean13('360000000001'), ean13('360000000002')];
const FRENCH = [
  ['N° commande', '4101', '4101', '4102'],
  ['Référence commande', 'QWERTYUIO', 'QWERTYUIO', 'ASDFGHJKL'],
  ['Date de commande', '2026-11-24 10:20:00', '2026-11-24 10:20:00', '2026-11-24 10:31:00'],
  ['Mode de paiement', 'Carte bancaire', 'Carte bancaire', 'Chèque'],
  ['Total TTC', '159,80', '159,80', '89,90'],
  ['Frais de port', '0,00', '0,00', '4,90'],
  ['Prénom client', 'Zoé', 'Zoé', 'Gaël'],
  ['Nom client', 'Lefèvre', 'Lefèvre', 'Nuñez'],
  ['E-mail', 'zoe@example.com', 'zoe@example.com', 'gael@example.com'],
  ['Adresse de livraison', '1 rue du Bac', '1 rue du Bac', '2 quai Ney'],
  ['Code postal livraison', '75007', '75007', '29900'],
  ['Ville livraison', 'Paris', 'Paris', 'Concarneau'],
  ['Gencod', EAN_1, EAN_2, EAN_1],
  ['Référence article', 'MOD1', 'MOD1', 'MOD1'],
  ['Désignation', 'Derby', 'Derby', 'Derby'],
  ['Quantité', '1', '1', '1'],
  ['Prix unitaire TTC', '79,90', '79,90', '89,90'],
  ['Pointure', '38', '39', '38'],
  ['Remarque', '', '', ''],
] as const;

/** A file of columns, each with its title first. */
function file(columns: readonly (readonly string[])[], delimiter = ';'): string {
  const rows = (columns[0] ?? []).map((_, row) => columns.map((column) => column[row] ?? '').join(delimiter));
  return rows.map((row) => `${row}\r\n`).join('');
}

const explain = (text: string | Buffer) =>
  explainOrders(typeof text === 'string' ? Buffer.from(text) : text, 'commandes', SHOP_ORDERS);
const reading = (bytes: Buffer, columns: Parameters<typeof readOrders>[2]) =>
  readOrders(bytes, 'commandes', columns);

describe('An orders file that the configuration fits', () => {
  test('is explained with its columns, its orders and the rows that cannot be taken', () => {
    const explained = explain(ordersFileOf(demoScenario));
    expect(explained).toMatchObject({
      seen: {
        encoding: 'utf-8',
        byteOrderMark: true,
        delimiter: ';',
        quote: '"',
        decimalMark: '.',
        lineBreak: 'LF',
        endsWithLineBreak: true,
        header: { line: 1 },
      },
      readWith: 'configuration',
      fault: null,
      absent: [],
      unmapped: ['payment_amount', 'product_quantity_refunded'],
      proposal: null,
      content: { orders: 7, first: 4101, last: 4108, cut: false },
    });
    expect(explained.mapped).toContainEqual({ field: 'line.ean', title: 'product_ean13' });
    // The order with a line without gencod.
    expect(explained.content?.rejects).toEqual([
      {
        line: expect.any(Number) as number,
        field: 'product_ean13',
        reason: 'Expected `product_ean13` to be a barcode of 8 to 14 digits, got nothing',
      },
    ]);
  });

  test('names no customer', () => {
    const told = JSON.stringify(explain(ordersFileOf(demoScenario)));
    expect(told).not.toMatch(/Lefèvre|example\.com|Concarneau|Mésanges/);
  });
});

describe('The section that is proposed', () => {
  test('finds every column of the module by its own title', () => {
    const format = ordersFormatOf(ordersFileOf(randomScenario(3, { orders: 30 })));
    expect(format).toEqual(SHOP_ORDERS);
  });

  test.each([
    ['French titles', FRENCH, 'tab'],
    [
      'titles in capitals without accents',
      FRENCH.map(([title, ...values]) => [plain(title), ...values]),
      'tab',
    ],
    ['columns in another order', FRENCH.toReversed(), ';'],
  ] as const)(
    'reads a file with %s without faults, once it is in a configuration',
    async (_, columns, named) => {
      const delimiter = named === 'tab' ? '\t' : named;
      const bytes = encodeText(file(columns, delimiter), 'windows-1252');
      const { readWith, fault, proposal, content, seen } = explain(bytes);
      expect(seen).toMatchObject({
        encoding: 'windows-1252',
        delimiter,
        decimalMark: ',',
        lineBreak: 'CRLF',
      });
      expect(fault).toContain('setting orders.file.encoding');
      expect([readWith, proposal?.missing, content?.rejects]).toEqual(['proposal', [], []]);

      const { orders } = await configured(proposal?.section ?? '');
      expect(orders.file).toEqual({ encoding: 'windows-1252', delimiter, quote: '"', decimalMark: ',' });
      // What else the section holds is as it was.
      expect(orders.voucher.codes).toEqual(['BC-*']);
      const read = reading(bytes, { ...orders, columns: orders.columns ?? SHOP_ORDERS.columns });
      expect([read.setAside, read.cut]).toEqual([[], null]);
      expect(read.orders).toHaveLength(2);
      expect(read.orders[0]).toMatchObject({
        id: 4101,
        reference: 'QWERTYUIO',
        date: '2026-11-24 10:20:00',
        payment: 'Carte bancaire',
        total: '159.80',
        customer: { firstname: 'Zoé', lastname: 'Lefèvre', email: 'zoe@example.com' },
        delivery: { address1: '1 rue du Bac', postcode: '75007', city: 'Paris' },
        lines: [
          { ean: EAN_1, reference: 'MOD1', name: 'Derby', quantity: 1, unitPrice: '79.90', size: '38' },
          { ean: EAN_2, size: '39' },
        ],
      });
    },
  );

  test('leaves what it cannot find in comments, and keeps the section valid', async () => {
    const bytes = Buffer.from(file(FRENCH));
    const section = explain(bytes).proposal?.section ?? '';
    expect(section).toContain('\n      # transaction:\n');
    expect(section).toContain('\n    # invoice:\n      # company:\n');
    const { orders } = await configured(section);
    expect(orders.columns?.invoice).toEqual({});
  });

  test('knows columns by their values where their titles say nothing', () => {
    const silent = file([
      ['c1', '4101', '4101', '4102'],
      ['c2', 'QWERTYUIO', 'QWERTYUIO', 'ASDFGHJKL'],
      ['c3', '2026-11-24 10:20:00', '2026-11-24 10:20:00', '2026-11-24 10:31:00'],
      ['reglement', 'Carte', 'Carte', 'Carte'],
      ['c5', EAN_1, EAN_2, EAN_1],
      ['modele', 'A', 'A', 'B'],
      ['c7', '38', '39', '38'],
      ['c8', '1', '2', '1'],
      ['c9', '79,90', '79,90', '10,00'],
    ]);
    const { proposal, content } = explain(silent);
    expect(proposal?.byValues).toEqual([
      'line.ean',
      'order.date',
      'order.reference',
      'order.id',
      'line.size',
      'line.unitPrice',
      'line.quantity',
    ]);
    expect(content).toMatchObject({ orders: 2, lines: 3, rejects: [] });
  });

  test('names the columns that might be a field, when there are several', () => {
    const { proposal } = explain(
      file([
        ['n1', '4101', '4102'],
        ['n2', '7', '9'],
        ['Gencod', EAN_1, EAN_2],
      ]),
    );
    expect(proposal?.section).toContain('# id: "n1" | "n2"');
    expect(proposal?.missing).toContain('order.id');
  });

  test('passes over a column whose values are not what its title says', () => {
    const { proposal } = explain(
      file([...FRENCH, ['Code EAN', 'x', 'y', 'z']].filter(([t]) => t !== 'Gencod')),
    );
    expect(proposal?.refused).toEqual([{ field: 'line.ean', title: 'Code EAN' }]);
    expect(proposal?.missing).toEqual(['line.ean']);
  });

  test('reads nothing from a title that stands above several columns', () => {
    const { proposal } = explain(file([...FRENCH, ['Gencod', EAN_1, EAN_1, EAN_1]]));
    expect(proposal?.twice).toEqual(['Gencod']);
    expect(proposal?.missing).toEqual(['line.ean']);
  });

  test.each(['"', ': #', 'yes', "l'EAN", '- x', 'a\nb', '\u009b', '{{ x }}', '1'])(
    'stays valid with the title %j',
    async (title) => {
      const quoted = `"${title.replaceAll('"', '""')}"`;
      const columns = FRENCH.map(([name, ...values]) => [name === 'Gencod' ? quoted : name, ...values]);
      const section = explain(file(columns)).proposal?.section ?? '';
      expect((await configured(section)).orders.columns?.line.ean).toBe(title);
    },
  );
});

describe('A nasty orders file', () => {
  const good = file(FRENCH);
  const row = good.split('\r\n')[1] ?? '';
  test.each([
    ['empty', '', { seen: { problem: 'empty', header: null }, readWith: null, proposal: null }],
    ['a byte order mark alone', '\uFEFF', { seen: { problem: 'empty' }, readWith: null, proposal: null }],
    ['rows without a header', `${row}\r\n${row}\r\n`, { seen: { problem: 'no header' }, proposal: null }],
    [
      'a header alone',
      file(FRENCH.map(([title]) => [title])),
      { readWith: 'proposal', content: { orders: 0, rows: 0, first: null, last: null } },
    ],
    [
      'a column too many in one row',
      good.replace(row, `${row};surplus`),
      { content: { rejects: [{ line: 2, field: '', reason: 'Expected 19 fields, got 20' }] } },
    ],
    [
      'a quote that is never closed',
      `${good}4103;"Q`,
      { seen: { header: { line: 1 } }, content: { cut: true } },
    ],
    ['a header that is cut', 'id_order;reference', { content: { cut: true, orders: 0 }, proposal: null }],
    ['line ends of an old Mac', good.replaceAll('\r\n', '\r'), { readWith: null, content: null }],
    ['a last row that is cut', `${good}4103;QWERT`, { content: { cut: true, orders: 2 } }],
    ['a line of 2 MB', `${'x'.repeat(2_000_000)}\r\n`, { seen: { problem: 'long row' }, readWith: null }],
    ['a line of 2 MB below', `${good}${'x'.repeat(2_000_000)}\r\n`, { readWith: null }],
    ['binary', Buffer.from([0, 255, 1, 254, 10, 0, 200]), { readWith: null }],
    [
      'UTF-16',
      Buffer.from(`\uFEFF${good}`, 'utf16le'),
      { seen: { encoding: 'utf-16' }, readWith: null, proposal: null },
    ],
    ['no column that is known', 'sep=;\r\n', { readWith: null, proposal: null }],
  ])('is explained all the same: %s', (_, text, expected) => {
    expect(explain(text)).toMatchObject(expected);
  });

  test('in Latin-1, read as UTF-8, gets the encoding that it has', () => {
    const latin = encodeText(good, 'iso-8859-1');
    expect(explain(latin).proposal?.section).toContain('encoding: windows-1252\n');
    expect(explain(encodeText(good.replace('Derby', '12 € œuvre'), 'iso-8859-15')).seen.encoding).toBe(
      'iso-8859-15',
    );
  });

  test('in UTF-8 with one bad byte stays in UTF-8, and gets its line', () => {
    const [start, end] = good.split('Nuñez');
    const bytes = Buffer.concat([Buffer.from(`${start}Nu`), Buffer.from([0xf1]), Buffer.from(`ez${end}`)]);
    for (const format of [SHOP_ORDERS, null])
      expect(explainOrders(bytes, 'commandes', format)).toMatchObject({
        seen: { encoding: 'utf-8', badLine: 4 },
        readWith: null,
        proposal: null,
      });
    expect(explain(good).seen.badLine).toBeNull();
  });

  test('with quotes of another kind gets them', async () => {
    const quoted = good.replace('1 rue du Bac', "'1; rue du Bac'").replace('2 quai Ney', "'2; quai Ney'");
    const { proposal } = explain(quoted.replace('1 rue du Bac', "'3; rue du Bac'"));
    expect((await configured(proposal?.section ?? '')).orders.file.quote).toBe("'");
  });

  test('without a configuration is read with what it says itself', () => {
    const bytes = Buffer.from(good);
    expect(explainOrders(bytes, 'commandes', null)).toMatchObject({
      readWith: 'proposal',
      content: { orders: 2 },
    });
    expect(explainOrders(Buffer.from(''), 'commandes', null)).toMatchObject({ readWith: null, fault: null });
  });

  test('whose products are joined in one row says so, whatever its settings', () => {
    const joined = file(
      FRENCH.map(([title, first, second]) => [
        title,
        title === 'Gencod' ? `${EAN_1},${EAN_2}` : (first ?? second),
      ]),
    );
    const { fault } = explainOrders(Buffer.from(joined), 'commandes', null);
    expect(fault).toContain('"each product in a separate line"');
  });
});

/** As a till writes titles: capitals without accents. */
function plain(title: string): string {
  return title.normalize('NFD').replaceAll(/\p{M}/gu, '').toUpperCase();
}
