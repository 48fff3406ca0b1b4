import { STOCK_COLUMNS } from '../../sandbox/configuration.ts';
import { readFileSync } from 'node:fs';
import type { OrdersFormat } from '../../src/domain/order-csv.ts';
import type { Order, OrderLine } from '../../src/domain/order.ts';
import type { StockFormat } from '../../src/domain/stock-csv.ts';
import type { CsvFormat } from '../../src/domain/text-file.ts';

/** The bytes of a file of test/fixtures. */
export function fixture(path: string): Buffer {
  return readFileSync(new URL(`../fixtures/${path}`, import.meta.url));
}

export const ORDERS_FORMAT: OrdersFormat = {
  file: { encoding: 'utf-8', delimiter: ';', quote: '"', decimalMark: '.' },
  finalLineBreak: 'required',
  columns: {
    order: {
      id: 'id_order',
      reference: 'reference',
      state: 'current_state',
      status: 'status_order',
      date: 'date_add',
      payment: 'payment',
      paymentModule: 'payment_method',
      voucherCode: 'voucher_code',
      voucherAmount: 'voucher_tax_incl',
      total: 'total_paid_tax_incl',
      shipping: 'total_shipping_tax_incl',
    },
    customer: { firstname: 'customer_firstname', lastname: 'customer_lastname', email: 'customer_email' },
    delivery: {
      address1: 'delivery_address1',
      address2: 'delivery_address2',
      postcode: 'delivery_postcode',
      city: 'delivery_city',
    },
    invoice: {},
    line: {
      ean: 'product_ean13',
      reference: 'product_reference',
      name: 'product_name',
      quantity: 'product_quantity',
      unitPrice: 'unit_product_price_tax_incl',
      size: 'combinations_value',
    },
  },
};

const ORDER_ROW = {
  id_order: '1042',
  reference: 'QWERTYUIO',
  current_state: '2',
  status_order: 'Paiement accepté',
  date_add: '2026-11-24 10:20:00',
  payment: 'Carte bancaire',
  payment_method: 'stripe',
  voucher_code: '',
  voucher_tax_incl: '',
  total_paid_tax_incl: '159.80',
  total_shipping_tax_incl: '0.00',
  product_ean13: '3600000000017',
  product_reference: 'MOD17',
  product_name: 'Bottine',
  product_quantity: '1',
  unit_product_price_tax_incl: '79.90',
  combinations_value: '38',
  customer_firstname: 'Zoé',
  customer_lastname: 'Martin',
  customer_email: 'zoe@example.org',
  delivery_address1: '12 rue Haute',
  delivery_address2: '',
  delivery_postcode: '59000',
  delivery_city: 'Lille',
};
type OrderCells = Readonly<Partial<Record<keyof typeof ORDER_ROW, string>>>;

/** An orders file of such rows, as the module writes it: UTF-8, byte order mark, CRLF. */
export function ordersCsv(...rows: readonly OrderCells[]): Buffer {
  const lines = [Object.keys(ORDER_ROW), ...rows.map((row) => Object.values({ ...ORDER_ROW, ...row }))];
  return Buffer.from(`\uFEFF${lines.map((cells) => `${csvRow(cells, ORDERS_FORMAT.file)}\r\n`).join('')}`);
}

export const STOCK_FORMAT: StockFormat = {
  file: { encoding: 'windows-1252', delimiter: ';', quote: '"', decimalMark: ',' },
  columns: STOCK_COLUMNS,
  store: '008',
};

/** A row of ExportCSV: `['MOD17', '38', '3600000000017', '2']`, and the store when it is not 008. */
export type StockCells = readonly [
  reference: string,
  size: string,
  ean: string,
  quantity: string,
  store?: string,
];

/** ExportCSV with such rows. */
export function stockCsv(...rows: readonly StockCells[]): Buffer {
  const lines = rows.map(
    ([reference, size, ean, quantity, store = '008']) =>
      `Fée;Daim;Bleu;${reference};${size};${ean};59,90;${quantity};${store}\r\n`,
  );
  return Buffer.from(
    `Fournisseur;Matiere;Couleur;Modele;Taille;Gencod;Prix;Stock;Magasin\r\n${lines.join('')}`,
    'latin1',
  );
}

/** One row of a delimited file, quoted where it must be, or everywhere. */
export function csvRow(
  cells: readonly string[],
  { delimiter, quote }: CsvFormat,
  isQuoted: (cell: string) => boolean = () => false,
): string {
  return cells
    .map((cell) =>
      [delimiter, quote, '\r', '\n'].some((special) => cell.includes(special)) || isQuoted(cell)
        ? `${quote}${cell.replaceAll(quote, quote + quote)}${quote}`
        : cell,
    )
    .join(delimiter);
}

export const LINE: OrderLine = {
  ean: '3600000000017',
  reference: 'MOD17',
  name: 'Bottine',
  quantity: 1,
  unitPrice: '79.90',
  size: '38',
  supplier: '',
  brand: '',
  productId: '',
  variantId: '',
};

export const ORDER: Order = {
  id: 1042,
  reference: 'QWERTYUIO',
  state: '2',
  status: 'Paiement accepté',
  date: '2026-11-24 10:20:00',
  payment: 'Carte bancaire',
  paymentModule: 'stripe',
  transaction: '',
  voucherName: '',
  voucherCode: '',
  voucherAmount: '0',
  total: '159.80',
  totalWithoutTax: '0',
  shipping: '0.00',
  discounts: '0',
  customer: { firstname: 'Zoé', lastname: 'Martin', email: 'zoe@example.org' },
  delivery: {
    company: '',
    firstname: '',
    lastname: '',
    address1: '12 rue Haute',
    address2: '',
    postcode: '59000',
    city: 'Lille',
    country: '',
    phone: '',
  },
  invoice: {
    company: '',
    firstname: '',
    lastname: '',
    address1: '',
    address2: '',
    postcode: '',
    city: '',
    country: '',
    phone: '',
  },
  lines: [LINE],
};
