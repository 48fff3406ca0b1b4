import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readOrders, type OrdersFormat } from '../../src/domain/order-csv.ts';
import { readTemplate, salesXml } from '../../src/domain/sales-xml.ts';
import { ENCODINGS, FormatError } from '../../src/domain/text-file.ts';
import { fixture, ORDER, ORDERS_FORMAT, ordersCsv } from './samples.ts';

const read = (bytes: Uint8Array, format: OrdersFormat = ORDERS_FORMAT) =>
  readOrders(bytes, 'orders.csv', format);
const withMark = (decimalMark: '.' | ','): OrdersFormat => ({
  ...ORDERS_FORMAT,
  file: { ...ORDERS_FORMAT.file, decimalMark },
});

describe('A file that is well', () => {
  test('gives its orders, field by field, and 0 or nothing for what has no column', () => {
    expect(read(ordersCsv({}))).toEqual({ orders: [ORDER], setAside: [], rows: 1, cut: null });
  });

  test.each(['accents', 'bom-crlf', 'quoted-delimiters', 'several-lines', 'apart', 'empty'])(
    'becomes the sales XML beside it: %s.csv',
    (name) => {
      const file = read(fixture(`orders/${name}.csv`));
      expect(file).toMatchObject({ setAside: [], cut: null });
      expect(sales(file.orders)).toBe(fixture(`orders/${name}.xml`).toString('latin1'));
    },
  );

  test('gives an order whose rows stand apart once, with every line and the fields of its first row', () => {
    const { orders } = read(
      ordersCsv(
        { customer_lastname: 'Martin' },
        { id_order: '1043', reference: 'ASDFGHJKL' },
        { customer_lastname: 'Durand', product_ean13: '3600000000024' },
      ),
    );
    expect(
      orders.map(({ id, customer, lines }) => [id, customer.lastname, lines.map(({ ean }) => ean)]),
    ).toEqual([
      [1042, 'Martin', ['3600000000017', '3600000000024']],
      [1043, 'Martin', ['3600000000017']],
    ]);
  });

  test('keeps amounts as text, to the last digit', () => {
    const { orders } = read(ordersCsv({ total_paid_tax_incl: '9007199254740993.10' }));
    expect(orders[0]?.total).toBe('9007199254740993.10');
  });

  test('gives amounts a point, whatever mark the file has', () => {
    const cells = {
      total_paid_tax_incl: '159,80',
      total_shipping_tax_incl: '-5,90',
      unit_product_price_tax_incl: '79',
    };
    const { orders } = read(ordersCsv(cells), withMark(','));
    expect(orders[0]).toMatchObject({ total: '159.80', shipping: '-5.90', lines: [{ unitPrice: '79' }] });
  });

  test.each([
    ['.', '10.10,0.20', '10.3'],
    [',', '10,10,0,20', '10.3'],
    [',', '10,10', '10.10'],
    ['.', '', '0'],
  ] as const)('adds up the vouchers of an order: with mark %s, `%s` is %s', (mark, text, sum) => {
    const cells = {
      voucher_tax_incl: text,
      total_paid_tax_incl: '1',
      total_shipping_tax_incl: '0',
      unit_product_price_tax_incl: '1',
    };
    expect(read(ordersCsv(cells), withMark(mark)).orders[0]?.voucherAmount).toBe(sum);
  });

  test.each([
    ['1', 1],
    [' 2 ', 2],
    ['3.000', 3],
    ['1000000', 1_000_000],
  ])('takes the quantity `%s`', (text, quantity) => {
    expect(read(ordersCsv({ product_quantity: text })).orders[0]?.lines[0]?.quantity).toBe(quantity);
  });

  test.each(['96385074', '036000291452', '3600000000017', '13600000000014'])(
    'takes the barcode %s',
    (ean) => {
      expect(read(ordersCsv({ product_ean13: ean })).orders[0]?.lines[0]?.ean).toBe(ean);
    },
  );

  test.each(['windows-1252', 'iso-8859-1', 'iso-8859-15'] as const)('is read in %s', (encoding) => {
    const utf8 = ordersCsv({}).toString().replace('\uFEFF', '');
    const format = { ...ORDERS_FORMAT, file: { ...ORDERS_FORMAT.file, encoding } };
    expect(read(Buffer.from(utf8, 'latin1'), format).orders).toEqual([ORDER]);
  });

  test('tells apart the letters that the one-byte encodings do not share', () => {
    const bytes = Buffer.from(
      ordersCsv({ customer_lastname: '\u00bd\u008c' }).toString('utf8').replace('\uFEFF', ''),
      'latin1',
    );
    const lastname = (encoding: (typeof ENCODINGS)[number]) =>
      read(bytes, { ...ORDERS_FORMAT, file: { ...ORDERS_FORMAT.file, encoding } }).orders[0]?.customer
        .lastname;
    expect(lastname('windows-1252')).toBe('½Œ');
    expect(lastname('iso-8859-15')).toBe('œ\u008c');
  });

  test('may end without a line break where the configuration says so', () => {
    const format: OrdersFormat = { ...ORDERS_FORMAT, finalLineBreak: 'optional' };
    expect(read(ordersCsv({}).subarray(0, -2), format)).toMatchObject({ orders: [ORDER], cut: null });
  });

  test('may have blank lines and titles that every object has', () => {
    const bytes = ordersCsv({})
      .toString()
      .replaceAll('\r\n', '\r\n\r\n')
      .replace('payment_method', '__proto__');
    const { payment, id, reference } = ORDERS_FORMAT.columns.order;
    const order = { id, reference, payment, paymentModule: '__proto__' };
    const file = read(Buffer.from(bytes), { ...ORDERS_FORMAT, columns: { ...ORDERS_FORMAT.columns, order } });
    expect(file).toMatchObject({ orders: [{ id: 1042, paymentModule: 'stripe' }], rows: 1, cut: null });
    expect({}).not.toHaveProperty('paymentModule');
  });
});

describe('A row that cannot be taken', () => {
  const SOUND = { id_order: '1043', reference: 'ASDFGHJKL' };

  test.each([
    [{ product_ean13: '' }, 'product_ean13', 'a barcode of 8 to 14 digits, got nothing'],
    [{ product_ean13: '1234567' }, 'product_ean13', 'a barcode of 8 to 14 digits, got `1234567`'],
    [{ product_ean13: '3.6E+12' }, 'product_ean13', 'a barcode of 8 to 14 digits, got `3.6E+12`'],
    [{ product_quantity: '-3' }, 'product_quantity', 'a whole number from 1 to 1000000, got `-3`'],
    [{ product_quantity: '0' }, 'product_quantity', 'a whole number from 1 to 1000000, got `0`'],
    [{ product_quantity: '1000001' }, 'product_quantity', 'a whole number from 1 to 1000000, got `1000001`'],
    [{ product_quantity: '1.5' }, 'product_quantity', 'a whole number, got `1.5`'],
    [{ product_quantity: 'deux' }, 'product_quantity', 'a whole number, got a text of 4 characters'],
    [
      { unit_product_price_tax_incl: '79,90' },
      'unit_product_price_tax_incl',
      'a number with `.` as decimal mark, got `79,90`',
    ],
    [
      { unit_product_price_tax_incl: '' },
      'unit_product_price_tax_incl',
      'a number with `.` as decimal mark, got nothing',
    ],
    [{ total_paid_tax_incl: '1e3' }, 'total_paid_tax_incl', 'a number with `.` as decimal mark, got `1e3`'],
    [
      { date_add: '24/11/2026 10:20' },
      'date_add',
      'a time such as `2026-11-24 10:20:00`, got a text of 16 characters',
    ],
  ])('sets its order aside: %o', (cells, field, expected) => {
    const file = read(ordersCsv(SOUND, { ...SOUND, id_order: '1044' }, cells));
    expect(file.orders.map(({ id }) => id)).toEqual([1043, 1044]);
    expect(file.setAside).toMatchObject([
      {
        id: 1042,
        reference: 'QWERTYUIO',
        file: 'orders.csv',
        line: 4,
        field,
        reason: `Expected \`${field}\` to be ${expected}`,
      },
    ]);
  });

  test('sets aside its whole order, with every line that was sold: the barcode unread, the reference stands for it', () => {
    const { orders, setAside } = read(
      ordersCsv(
        {},
        { product_ean13: '', product_reference: 'MOD24', product_quantity: '2' },
        { product_ean13: '3600000000031' },
      ),
    );
    expect(orders).toEqual([]);
    expect(setAside).toMatchObject([
      {
        id: 1042,
        line: 3,
        lines: [
          { ean: '3600000000017', reference: 'MOD17', quantity: 1 },
          { ean: null, reference: 'MOD24', quantity: 2 },
          { ean: '3600000000031', reference: 'MOD17', quantity: 1 },
        ],
      },
    ]);
  });

  test.each(['1.5', '99999999999999999999', 'x', ''])(
    'counts one unit at least for the quantity `%s`, which may have been sold',
    (product_quantity) => {
      const { setAside } = read(ordersCsv({ product_quantity }, { product_ean13: '3600000000024' }));
      expect(setAside[0]?.lines).toEqual([
        { ean: '3600000000017', reference: 'MOD17', quantity: 1 },
        { ean: '3600000000024', reference: 'MOD17', quantity: 1 },
      ]);
    },
  );

  test.each(['-3', '0'])('counts no unit for the quantity %s', (product_quantity) => {
    const { setAside } = read(ordersCsv({ product_quantity }, { product_ean13: '3600000000024' }));
    expect(setAside[0]?.lines).toEqual([{ ean: '3600000000024', reference: 'MOD17', quantity: 1 }]);
  });

  test('tells the first fault only', () => {
    const { setAside } = read(ordersCsv({ product_quantity: '0' }, { product_ean13: '' }, SOUND));
    expect(setAside).toMatchObject([{ line: 2, field: 'product_quantity' }]);
  });

  test.each([
    ['too few', (row: string) => row.replace(';Lille', '')],
    ['too many', (row: string) => row.replace(';Lille', ';Lille;Nord')],
  ])('has %s fields', (_, broken) => {
    const [header = '', first = '', second = ''] = ordersCsv({}, SOUND).toString().split('\r\n');
    const file = read(Buffer.from([header, broken(first), second, ''].join('\r\n')));
    expect(file.orders.map(({ id }) => id)).toEqual([1043]);
    expect(file.setAside).toMatchObject([
      { id: 1042, line: 2, field: '', lines: [{ ean: '3600000000017', quantity: 1 }] },
    ]);
    expect(file.setAside[0]?.reason).toMatch(/^Expected 24 fields, got 2[35]$/);
  });

  test('has a number that is none: every such row is set aside by itself', () => {
    const { orders, setAside } = read(
      ordersCsv(SOUND, SOUND, SOUND, { id_order: '' }, { id_order: 'Dupont' }),
    );
    expect(orders).toHaveLength(1);
    expect(setAside).toMatchObject([
      { id: null, line: 5, reason: 'Expected `id_order` to be a whole number of 1 or more, got nothing' },
      {
        id: null,
        line: 6,
        reason: 'Expected `id_order` to be a whole number of 1 or more, got a text of 6 characters',
      },
    ]);
  });

  test('has another reference than its order had', () => {
    const { orders, setAside } = read(ordersCsv({}, { reference: 'OTHER' }));
    expect(orders).toEqual([]);
    expect(setAside).toMatchObject([
      {
        id: 1042,
        line: 3,
        reason: 'Expected one reference for order 1042, got another than in the row before',
      },
    ]);
  });

  test('is told in the order of the file, whatever the order that it belongs to', () => {
    const { setAside } = read(ordersCsv({}, { ...SOUND, product_ean13: '' }, { product_ean13: '' }, SOUND));
    expect(setAside.map(({ id, line }) => [id, line])).toEqual([
      [1043, 3],
      [1042, 4],
    ]);
  });

  test('is none for a field of the order that its first row has well', () => {
    expect(read(ordersCsv({}, { date_add: '24/11/2026' })).orders).toHaveLength(1);
  });

  test('has its line counted through fields of several lines', () => {
    const { setAside } = read(ordersCsv({ ...SOUND, delivery_address1: 'a\r\nb\nc' }, { product_ean13: '' }));
    expect(setAside).toMatchObject([{ line: 5 }]);
  });
});

describe('A file that is cut', () => {
  const whole = ordersCsv({}, { id_order: '1043', reference: 'ASDFGHJKL' }, {});

  test('gives its other orders, and sets the last one aside with its earlier rows: truncated.csv', () => {
    const file = read(fixture('orders/truncated.csv'));
    expect(file.cut).toEqual({ line: 4, expected: '24 fields', got: '12' });
    expect(file.setAside).toMatchObject([{ id: 1044, line: 4, field: '', lines: [] }]);
    expect(sales(file.orders)).toBe(fixture('orders/truncated.xml').toString('latin1'));
  });

  test('names the setting when only the last line break is missing', () => {
    const file = read(whole.subarray(0, -2));
    expect(file.cut).toEqual({
      line: 4,
      expected: 'a line break after the last row',
      got: 'the end of the file',
    });
    expect(file.orders.map(({ id }) => id)).toEqual([1043]);
    expect(file.setAside).toMatchObject([
      {
        id: 1042,
        line: 4,
        reason:
          'Expected a line break after the last row, this row being the last (setting orders.finalLineBreak), got the end of the file',
        lines: [{ ean: '3600000000017' }, { ean: '3600000000017' }],
      },
    ]);
  });

  test('tells a quote that is never closed', () => {
    const file = read(Buffer.from(`${ordersCsv({}).toString()}1043;"ASDF;2;\r\n1044;x`));
    expect(file.cut).toEqual({ line: 3, expected: 'a closing quote', got: 'the end of the file' });
    expect(file.orders.map(({ id }) => id)).toEqual([1042]);
    expect(file.setAside).toMatchObject([{ id: 1043, line: 3 }]);
  });

  test('is cut in its header', () => {
    const file = read(whole.subarray(0, 20));
    expect(file).toMatchObject({ orders: [], setAside: [], rows: 0, cut: { line: 1 } });
  });

  test('gives no half number: what is left of one is no order', () => {
    const file = read(Buffer.from(`${ordersCsv({}).toString()}10`));
    expect(file.orders).toEqual([ORDER]);
    expect(file.setAside).toMatchObject([{ id: null, line: 3 }]);
  });

  test('is never taken for whole, wherever it is cut, and loses no order', () => {
    for (let length = 1; length < whole.length; length++) {
      const bytes = whole.subarray(0, length);
      // The byte order mark alone is an empty file.
      if (length === 3) continue;
      const file = read(bytes);
      const isAtRowEnd = whole.subarray(0, length).toString('latin1').endsWith('\r\n');
      expect(file.cut === null).toBe(isAtRowEnd);
      const rows = bytes.toString().split('\r\n').slice(1, -1);
      const seen = new Set([...file.orders, ...file.setAside].map(({ id }) => `${id}`));
      for (const row of rows) expect(seen).toContain(row.split(';')[0]);
    }
  });
});

describe('A file that is not what the configuration says', () => {
  test.each([
    'joined',
    'other-delimiter',
    'windows-1252',
    'no-header',
    'missing-column',
    'decimal-comma',
    'nothing',
  ])('is refused with the message beside it: %s.csv', (name) => {
    const refused = () => readOrders(fixture(`orders/${name}.csv`), `${name}.csv`, ORDERS_FORMAT);
    expect(refused).toThrow(FormatError);
    expect(refused).toThrow(fixture(`orders/${name}.txt`).toString().trimEnd());
  });

  const inFormat = (file: Partial<OrdersFormat['file']>): OrdersFormat => ({
    ...ORDERS_FORMAT,
    file: { ...ORDERS_FORMAT.file, ...file },
  });
  const unmarked = (text: string) => Buffer.from(text.replace('\uFEFF', ''));

  test.each([
    ['a UTF-8 mark', ordersCsv({}), inFormat({ encoding: 'windows-1252' }), 'orders.file.encoding', 1],
    [
      'UTF-8 letters',
      unmarked(ordersCsv({}).toString()),
      inFormat({ encoding: 'iso-8859-15' }),
      'orders.file.encoding',
      2,
    ],
    ['UTF-16', Buffer.from(ordersCsv({}).toString(), 'utf16le'), ORDERS_FORMAT, 'orders.file.encoding', 1],
    [
      'another quote',
      Buffer.from(
        ordersCsv({})
          .toString()
          .replaceAll(/[^;\r\n\uFEFF]+/g, "'$&'"),
      ),
      ORDERS_FORMAT,
      'orders.file.quote',
      1,
    ],
    [
      'quoted titles and commas',
      Buffer.from(
        ordersCsv({})
          .toString()
          .replaceAll(/[^;\r\n\uFEFF]+/g, '"$&"')
          .replaceAll(';', ','),
      ),
      ORDERS_FORMAT,
      'orders.file.delimiter',
      1,
    ],
    [
      'tabs',
      Buffer.from(ordersCsv({}).toString().replaceAll(';', '\t')),
      ORDERS_FORMAT,
      'orders.file.delimiter',
      1,
    ],
    [
      'a title twice',
      Buffer.from(ordersCsv({}).toString().replaceAll('\r\n', ';product_name\r\n')),
      ORDERS_FORMAT,
      'orders.columns.line.name',
      1,
    ],
    [
      'dates of another shape',
      ordersCsv({ date_add: '24/11/2026' }),
      ORDERS_FORMAT,
      '"date format" of the module Order Export',
      2,
    ],
    [
      'ids under another title',
      ordersCsv({ id_order: 'QWERTYUIO' }),
      ORDERS_FORMAT,
      'orders.columns.order.id',
      2,
    ],
    ['a decimal point', ordersCsv({}), withMark(','), 'orders.file.decimalMark', 2],
    [
      'blank lines only',
      Buffer.from('\uFEFF\r\n\r\n'),
      ORDERS_FORMAT,
      '"header row" of the module Order Export',
      1,
    ],
    [
      'five barcodes that are none',
      ordersCsv(...Array.from({ length: 5 }, () => ({ product_ean13: 'Bottine' }))),
      ORDERS_FORMAT,
      'orders.columns.line.ean',
      2,
    ],
    [
      'five rows with a delimiter too many',
      Buffer.from(ordersCsv({}, {}, {}, {}, {}).toString().replaceAll(';Lille', ';Lille;')),
      ORDERS_FORMAT,
      'orders.file.quote',
      2,
    ],
  ])('has %s', (_, bytes, format, setting, line) => {
    expect(() => read(bytes, format)).toThrow(
      expect.objectContaining({ name: 'FormatError', setting, line }),
    );
  });

  test('is not refused for a few rows, nor for barcodes that are not there', () => {
    expect(read(ordersCsv({ product_ean13: 'Bottine' })).setAside).toHaveLength(1);
    const rows = Array.from({ length: 9 }, (_, index) => ({ id_order: `${index + 1}`, product_ean13: '' }));
    expect(read(ordersCsv(...rows)).setAside).toHaveLength(9);
  });

  test('is refused when more than half of what was tried fails, an order being tried in its first row', () => {
    const bad = { total_paid_tax_incl: '159,80' };
    const other = { id_order: '1043', reference: 'ASDFGHJKL' };
    expect(read(ordersCsv(bad, other)).setAside).toHaveLength(1);
    const third = { ...other, ...bad, id_order: '1044' };
    expect(() => read(ordersCsv(bad, bad, bad, other, other, other, third))).toThrow('and so in 2 of 3');
  });

  test('shows nothing of a customer', () => {
    const { order } = ORDERS_FORMAT.columns;
    const format: OrdersFormat = {
      ...ORDERS_FORMAT,
      columns: { ...ORDERS_FORMAT.columns, order: { ...order, id: 'customer_email' }, customer: {} },
    };
    expect(() => read(ordersCsv({}), format)).toThrow(expect.not.stringContaining('zoe@example.org'));
    expect(() => read(ordersCsv({}), format)).toThrow('got a text of 15 characters');
  });
});

describe('Rows that a stray quote has joined', () => {
  const three = (change: (csv: string) => string) =>
    Buffer.from(
      change(
        ordersCsv(
          { delivery_address1: 'Rue A' },
          { id_order: '1043', delivery_address1: 'Rue B', delivery_city: 'Lyon' },
          { id_order: '1044' },
        ).toString(),
      ),
    );

  test.each([
    [
      'in the same column of two rows',
      (csv: string) => csv.replace('Rue A', '"Rue A').replace('Rue B', '"Rue B'),
    ],
    ['in different columns', (csv: string) => csv.replace('Rue A', '"Rue A').replace('Lyon', '"Lyon')],
    ['and never closed', (csv: string) => csv.replace('Rue A', '"Rue A')],
  ])('lose or mix no order: the file is refused (%s)', (_, change) => {
    expect(() => read(three(change))).toThrow(
      'Expected a quote to be closed in its own row, got rows joined by one (orders.csv, line 2; setting orders.file.quote)',
    );
  });

  test('are not suspected where a field has lines of its own', () => {
    const file = read(ordersCsv({ delivery_address1: '1 rue A\nEscalier B;C' }, { id_order: '1043' }));
    expect(file.orders.map(({ id }) => id)).toEqual([1042, 1043]);
  });
});

describe('Whatever the file', () => {
  test('only FormatError is thrown', () => {
    const encoding = fc.constantFrom(...ENCODINGS);
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc
        .constantFrom(
          ...ordersCsv({}, {})
            .toString()
            .split(/(?=[;\r])/),
        )
        .map((text) => Buffer.from(text)),
      fc.constantFrom(';', '"', '\r\n', '\n', '\0', ',').map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 60 }),
        fc.boolean(),
        encoding,
        (pieces, hasHeader, encoding) => {
          const bytes = Buffer.concat([...(hasHeader ? [ordersCsv()] : []), ...pieces]);
          expect(
            thrownBy(() => read(bytes, { ...ORDERS_FORMAT, file: { ...ORDERS_FORMAT.file, encoding } })),
          ).toSatisfy((error) => error === undefined || error instanceof FormatError);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test('no order number is lost: each ends either in orders or set aside, once, and so do its units', () => {
    const cells = fc.record({
      id_order: fc.integer({ min: 1, max: 9 }).map(String),
      product_ean13: fc.constantFrom('3600000000017', '3600000000024', '', 'x'),
      product_quantity: fc.constantFrom('1', '2', '0', '-1', 'x'),
      customer_lastname: fc.string({ unit: 'grapheme' }),
      delivery_address1: fc.constantFrom('a', '"', ';', 'a\r\nb', '\0\u0007'),
    });
    fc.assert(
      fc.property(fc.array(cells, { maxLength: 30 }), (rows) => {
        // A sound majority, so that no file is refused as a whole.
        const sound = Array.from({ length: rows.length + 1 }, (_, index) => ({ id_order: `${index + 100}` }));
        const file = read(ordersCsv(...sound, ...rows));
        const ids = [...file.orders, ...file.setAside].map(({ id }) => id);
        expect(new Set(ids).size).toBe(ids.length);
        expect(new Set(ids.map(String))).toEqual(
          new Set([...sound, ...rows].map(({ id_order }) => id_order)),
        );
        const units = (quantities: readonly number[]) =>
          quantities.reduce((sum, quantity) => sum + quantity, 0);
        const kept = [...file.orders, ...file.setAside].flatMap(({ lines }) =>
          lines.map(({ quantity }) => quantity),
        );
        const sold = rows
          .map(({ product_quantity }) => (product_quantity === 'x' ? 1 : Number(product_quantity)))
          .filter((quantity) => quantity > 0);
        expect(units(kept)).toBe(units(sold) + sound.length);
      }),
    );
  });
});

function sales(orders: Parameters<typeof salesXml>[1] & { readonly length: number }): string {
  const template = readTemplate(
    fixture('orders/sales-template.xml'),
    'sales-template.xml',
    ORDERS_FORMAT.columns,
  );
  const units = [...orders].flatMap(({ lines }) => lines).reduce((sum, { quantity }) => sum + quantity, 0);
  const facts = { createdAt: '2026-11-24 10:27:03', orders: orders.length, units };
  return Buffer.concat([...salesXml(template, orders, facts)]).toString('latin1');
}

function thrownBy(call: () => unknown): unknown {
  try {
    call();
    return undefined;
  } catch (error) {
    return error;
  }
}
