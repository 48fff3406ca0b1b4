import { instant, type ScaledClock } from './clock.ts';
import type { FtpAccess } from './ftp-access.ts';
import { upload, withFtp } from './ftp-access.ts';
import type { Journal } from './journal.ts';
import type { AddressSeed } from './scenario.ts';
import type { ModulesShop, ModulesOrder, ModulesOrderLine } from './modules-shop.ts';

/** The settings page of the Order Export module. */
export interface OrderExportSettings {
  /** FTP path of the file: a fixed name arrives without extension. */
  readonly path: string;
  readonly delimiter: string;
  /** "Export not exported": each order only once. */
  readonly notExported: boolean;
  /** The module's defect: what is ordered between the query and the mark is marked although no file holds it. */
  readonly marksUnwritten: boolean;
  /** False: one row an order, its products joined by commas. */
  readonly productsInLines: boolean;
  /** The module's default; PHP then sends CRLF for each LF, and many servers store that. */
  readonly asciiMode: boolean;
  /** Sandbox milliseconds between the query and the mark (seed.md: about 10 seconds). */
  readonly duration: number;
}

const ADDRESS = {
  company: (address: AddressSeed) => address.company ?? '',
  firstname: (address: AddressSeed) => address.firstname,
  lastname: (address: AddressSeed) => address.lastname,
  address1: (address: AddressSeed) => address.address1,
  address2: (address: AddressSeed) => address.address2 ?? '',
  postcode: (address: AddressSeed) => address.postcode,
  city: (address: AddressSeed) => address.city,
  country: (address: AddressSeed) => address.country,
  phone: (address: AddressSeed) => address.phone ?? '',
} as const;

/** Title of each column and its value, in the file's order. A column of products has one value a product. */
const ORDER_COLUMNS: readonly (readonly [string, (order: ModulesOrder) => string])[] = [
  ['id_order', (order) => String(order.id)],
  ['reference', (order) => order.reference],
  ['current_state', () => '2'],
  ['status_order', () => 'Paiement accepté'],
  ['date_add', (order) => order.placedAt.slice(0, 19).replace('T', ' ')],
  ['payment', (order) => order.payment],
  ['payment_method', (order) => order.paymentModule],
  ['payment_amount', (order) => money(order.total)],
  ['payment_transaction_id', (order) => (order.payment === 'PayPal' ? `PP-${order.id}` : '')],
  ['voucher_name', (order) => order.voucher?.name ?? ''],
  ['voucher_code', (order) => order.voucher?.code ?? ''],
  ['voucher_tax_incl', (order) => money(order.voucher?.amount ?? 0)],
  ['total_paid_tax_incl', (order) => money(order.total)],
  ['total_paid_tax_excl', (order) => money(Math.round(order.total / 1.2))],
  ['total_shipping_tax_incl', (order) => money(order.shipping)],
  ['total_discounts_tax_incl', (order) => money(order.voucher?.amount ?? 0)],
  ['customer_firstname', (order) => order.customer.firstname],
  ['customer_lastname', (order) => order.customer.lastname],
  ['customer_email', (order) => order.customer.email],
  ...Object.entries(ADDRESS).map(
    ([field, value]) => [`delivery_${field}`, (order: ModulesOrder) => value(order.delivery)] as const,
  ),
  ...Object.entries(ADDRESS).map(
    ([field, value]) => [`invoice_${field}`, (order: ModulesOrder) => value(order.invoice)] as const,
  ),
];

const LINE_COLUMNS: readonly (readonly [string, (line: ModulesOrderLine) => string])[] = [
  ['product_id', (line) => String(line.productId)],
  ['product_attribute_id', (line) => String(line.variantId)],
  ['product_name', (line) => (line.size === '' ? line.name : `${line.name} - Taille : ${line.size}`)],
  ['product_reference', (line) => line.reference],
  ['product_ean13', (line) => (line.gencod ? line.ean : '')],
  ['product_quantity', (line) => String(line.quantity)],
  ['product_quantity_refunded', () => '0'],
  ['unit_product_price_tax_incl', (line) => money(line.unitPrice)],
  ['supplier_name', (line) => line.supplier],
  ['manufacturer_name', (line) => line.supplier],
  ['combinations_value', (line) => line.size],
];

/**
 * Runs the Order Export module once: queries, writes the file straight to its final name, queries again and marks.
 * With no order to export it writes nothing, so that the previous file stays.
 * @param byHand somebody runs it in the back office: what a file held that still stood under its name is lost then. So is what
 *   it wrote itself, when the module is called before anybody could see its file
 */
export async function exportOrders(
  shop: ModulesShop,
  settings: OrderExportSettings,
  ftp: FtpAccess,
  clock: ScaledClock,
  journal: Journal,
  byHand = false,
): Promise<number> {
  const at = clock.time();
  const wanted = () => shop.orders.filter((order) => !settings.notExported || !order.exported);
  const orders = wanted();
  let overwritten = false;
  await clock.pass(settings.duration);
  if (orders.length > 0) {
    const text = ordersCsv(orders, settings);
    const bytes = Buffer.from(settings.asciiMode ? text.replaceAll('\n', '\r\n') : text, 'utf8');
    await withFtp(ftp, async (client) => {
      overwritten = (await client.sendIgnoringError(`SIZE ${settings.path}`)).code < 400;
      if (settings.asciiMode) await client.send('TYPE A');
      await upload(client, settings.path, bytes);
    });
    for (const order of orders) order.written = true;
  }
  // A file that nobody had taken yet, and that the module would not write again.
  const ids = new Set(orders.map((order) => order.id));
  const previous = journal.orderExports.findLast((run) => run.written.length > 0);
  const wasUnseen = previous?.byHand && instant(at) - instant(previous.endedAt) < LOOK_TO_CALL;
  const lostBefore =
    overwritten && (byHand || wasUnseen) ? (previous?.written ?? []).filter((id) => !ids.has(id)) : [];
  const marked = settings.marksUnwritten ? wanted() : orders;
  const lost = settings.notExported ? marked.filter((order) => !order.written) : [];
  for (const order of marked) order.exported = true;
  journal.orderExports.push({
    at,
    endedAt: clock.time(),
    byHand,
    written: [...ids],
    lost: [...lostBefore, ...lost.map((order) => order.id)],
  });
  return orders.length;
}

/** Sandbox milliseconds from the last look at the file to the module's query: some 120 real ones on the campaign's clock. */
const LOOK_TO_CALL = 45_000;

/** The module's CSV: UTF-8 with BOM, a header, LF. */
export function ordersCsv(
  orders: readonly ModulesOrder[],
  settings: Pick<OrderExportSettings, 'delimiter' | 'productsInLines'>,
): string {
  const rows = orders.flatMap((order) => {
    const shared = ORDER_COLUMNS.map(([, value]) => value(order));
    return settings.productsInLines
      ? order.lines.map((line) => [...shared, ...LINE_COLUMNS.map(([, value]) => value(line))])
      : [[...shared, ...LINE_COLUMNS.map(([, value]) => order.lines.map(value).join(','))]];
  });
  const header = [...ORDER_COLUMNS, ...LINE_COLUMNS].map(([title]) => title);
  return '\uFEFF' + [header, ...rows].map((row) => fputcsv(row, settings.delimiter)).join('');
}

/**
 * Writes a row as PHP's fputcsv does: quoted when it holds a delimiter, quote, backslash, blank or line break; a quote
 * is doubled, but not the one that follows a backslash (PHP's escape character, on by default).
 */
export function fputcsv(fields: readonly string[], delimiter: string): string {
  return `${fields
    .map((field) =>
      field.includes(delimiter) || /["\\ \t\r\n]/.test(field)
        ? `"${field.replace(/(\\+"?)|"/g, (match, escaped: string | undefined) => escaped ?? `${match}"`)}"`
        : field,
    )
    .join(delimiter)}\n`;
}

function money(cents: number): string {
  return `${Math.trunc(cents / 100)}.${String(cents % 100).padStart(2, '0')}`;
}
