import { STOCK_COLUMNS } from '../sandbox/configuration.ts';
import { closeSync, openSync, writeSync } from 'node:fs';
import type { OrdersFormat } from '../src/domain/order-csv.ts';
import type { StockFormat } from '../src/domain/stock-csv.ts';

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
      transaction: 'payment_transaction_id',
      voucherName: 'voucher_name',
      voucherCode: 'voucher_code',
      voucherAmount: 'voucher_tax_incl',
      total: 'total_paid_tax_incl',
      totalWithoutTax: 'total_paid_tax_excl',
      shipping: 'total_shipping_tax_incl',
      discounts: 'total_discounts_tax_incl',
    },
    customer: { firstname: 'customer_firstname', lastname: 'customer_lastname', email: 'customer_email' },
    delivery: {
      company: 'delivery_company',
      firstname: 'delivery_firstname',
      lastname: 'delivery_lastname',
      address1: 'delivery_address1',
      address2: 'delivery_address2',
      postcode: 'delivery_postcode',
      city: 'delivery_city',
      country: 'delivery_country',
      phone: 'delivery_phone',
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

export const STOCK_FORMAT: StockFormat = {
  file: { encoding: 'windows-1252', delimiter: ';', quote: '"', decimalMark: ',' },
  columns: STOCK_COLUMNS,
  store: '008',
};

/** Barcode of the nth variant. */
/** Key of the shop that the benchmark makes for itself. */
export const WEBSERVICE_KEY = 'B'.repeat(32);

export const eanOf = (index: number): string => `${3_600_000_000_000 + index}`;

/** Writes an orders file of so many lines, two an order, as the module Order Export would. */
export function writeOrders(path: string, lines: number): void {
  const { order, customer, delivery, line } = ORDERS_FORMAT.columns;
  const titles = [order, customer, delivery, line].flatMap((titles) => Object.values(titles));
  write(path, 'utf8', lines, `\uFEFF${titles.join(';')}\r\n`, (index) => {
    const id = 1_000 + Math.floor(index / 2);
    const head = `${id};REF${id};2;Paiement accepté;2026-11-24 10:20:00;Carte bancaire;stripe;tx_${id}`;
    const amounts = ';;;159.900000;133.250000;5.900000;0.000000';
    const customer = `Zoé;Lefèvre;zoe${id}@example.org`;
    const address = `;Zoé;Lefèvre;12 rue de l'Église;"Bât. B; 2e étage";59000;Lille;France;0600000000`;
    const product = `${eanOf(index % 5_000)};MOD${index % 900};"Bottine ""Élise"" & Cie";1;76.990000;38`;
    return `${[head, amounts, customer, address, product].join(';')}\r\n`;
  });
}

/** Writes ExportCSV with so many rows, eight sizes a product, as Proshop would. */
export function writeStock(path: string, rows: number): void {
  const header = `${Object.values(STOCK_FORMAT.columns).join(';')}\r\n`;
  write(path, 'latin1', rows, header, (index) => {
    const product = Math.floor(index / 8);
    return `Fée ${product % 50};Cuir;Noir;MOD${product};${36 + (index % 8)};${eanOf(index)};89,90;${index % 7};008\r\n`;
  });
}

function write(
  path: string,
  encoding: 'utf8' | 'latin1',
  count: number,
  header: string,
  rowOf: (index: number) => string,
): void {
  const file = openSync(path, 'w');
  let text = header;
  for (let index = 0; index < count; index++) {
    text += rowOf(index);
    if (text.length < 1_000_000) continue;
    writeSync(file, text, null, encoding);
    text = '';
  }
  writeSync(file, text, null, encoding);
  closeSync(file);
}
