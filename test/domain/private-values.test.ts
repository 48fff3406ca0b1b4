import { describe, expect, test } from 'vitest';
import { readOrders } from '../../src/domain/order-csv.ts';
import { FormatError } from '../../src/domain/text-file.ts';
import { ORDERS_FORMAT, ordersCsv } from './samples.ts';

// A row whose values stand under the wrong titles puts customers where a message quotes what it found.

const PRIVATE = [
  'Lefèvre',
  'zoe.lefevre@example.org',
  '1 rue du Bac',
  '0612345678',
  '06 12 34 56 78',
  '06.12.34.56.78',
  '+33612345678',
  '+33 6 12345678',
  '1985-03-12',
  '4111111111111111',
];
/** Columns whose values are checked, and so quoted when they do not pass. */
const CHECKED = [
  'id_order',
  'date_add',
  'voucher_tax_incl',
  'total_paid_tax_incl',
  'total_shipping_tax_incl',
  'product_ean13',
  'product_quantity',
  'unit_product_price_tax_incl',
];

/** Everything that a file makes passerelle say to people. */
const told = (bytes: Uint8Array): string => {
  try {
    return readOrders(bytes, 'commandes', ORDERS_FORMAT)
      .setAside.map(({ reason, field }) => `${field}: ${reason}`)
      .join('\n');
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return error.message;
  }
};

describe.each(CHECKED)('a customer’s value under the title %s', (column) => {
  test.each(PRIVATE)('is not quoted: %s', (value) => {
    const sound = Array.from({ length: 8 }, (_, index) => ({ id_order: `${2_000 + index}` }));
    const oneRow = ordersCsv(...sound, { id_order: '1043', [column]: value });
    const everyRow = ordersCsv(...sound.map((cells) => ({ ...cells, [column]: value })));
    for (const bytes of [oneRow, everyRow]) expect(told(bytes)).not.toContain(value);
  });
});

test('whole rows that are shifted tell no customer, however far', () => {
  const [header = '', row = ''] = ordersCsv({
    customer_lastname: PRIVATE[0] ?? '',
    customer_email: PRIVATE[1] ?? '',
    delivery_address1: PRIVATE[2] ?? '',
    delivery_city: PRIVATE[3] ?? '',
  })
    .toString('utf8')
    .split('\r\n');
  const fields = row.split(';');
  for (let shift = 1; shift < fields.length; shift++) {
    const shifted = [...fields.slice(shift), ...fields.slice(0, shift)].join(';');
    for (const rows of [1, 8]) {
      const said = told(Buffer.from([header, ...Array<string>(rows).fill(shifted), ''].join('\r\n')));
      expect(PRIVATE.filter((value) => said.includes(value))).toEqual([]);
    }
  }
});
