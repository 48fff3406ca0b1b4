import { Big } from 'big.js';
import type { Row } from './database.ts';
import { insertRow, rowOf, rowsOf } from './database.ts';
import { CANCELLED, PAYMENT_ERROR } from './order-states.ts';
import type { Site } from './site.ts';
import { addUnits } from './stock.ts';

/** Who changes the state of an order, and whether the change is noted in its history. */
export interface StateChange {
  readonly employee?: number;
  readonly noted?: boolean;
}

const gaveBack = (state: number): boolean => state === CANCELLED || state === PAYMENT_ERROR;

/**
 * Moves an order to another state, as the back office does: gives its units back or takes them, numbers its invoice and
 * its delivery, and notes the change. An order that stands at state 0 moves without its stock.
 */
export function changeState(site: Site, order: number, state: number, change: StateChange = {}): void {
  const { database } = site;
  const row = rowOf(database, 'orders', order);
  const now = site.localTime();
  const next = rowOf(database, 'order_states', state);
  const before = database.order_states.rows.get(row.current_state);
  if (before !== undefined) moveStock(site, row, before, next);
  row.current_state = state;
  row.valid = next.logable;
  row.date_upd = now;
  if (next.invoice && row.invoice_number === 0) addInvoice(site, row);
  if (next.paid) payRest(site, row);
  if (next.delivery && row.delivery_number === 0) {
    row.delivery_number = highest(rowsOf(database, 'orders').map((one) => one.delivery_number)) + 1;
    row.delivery_date = now;
  }
  if (change.noted !== false) {
    insertRow(database, 'order_histories', {
      id_employee: change.employee ?? 0,
      id_order_state: state,
      id_order: order,
      date_add: now,
    });
  }
}

/** Cancelled and payment error give back, refunded does not; what was given back is taken again once it is sold. */
function moveStock(
  { database }: Site,
  order: Row<'orders'>,
  before: Row<'order_states'>,
  next: Row<'order_states'>,
): void {
  const taken = next.logable && !before.logable && gaveBack(before.id);
  const given = !next.logable && gaveBack(next.id) && !gaveBack(before.id);
  if (!taken && !given) return;
  for (const detail of rowsOf(database, 'order_details', (row) => row.id_order === order.id)) {
    const units = detail.product_quantity * (taken ? -1 : 1);
    addUnits(database, detail.product_id, detail.product_attribute_id, units);
  }
}

/** Makes an order's invoice, and gives the order its number. */
export function addInvoice(site: Site, order: Row<'orders'>): void {
  order.invoice_number = makeInvoice(site, order).number;
  order.invoice_date = site.localTime();
}

/** Makes an order's invoice, which the order does not know yet. */
export function makeInvoice({ database, localTime }: Site, order: Row<'orders'>): Row<'order_invoices'> {
  const invoice = insertRow(database, 'order_invoices', {
    id_order: order.id,
    number: highest(rowsOf(database, 'order_invoices').map((one) => one.number)) + 1,
    total_discount_tax_excl: order.total_discounts_tax_excl,
    total_discount_tax_incl: order.total_discounts_tax_incl,
    total_paid_tax_excl: order.total_paid_tax_excl,
    total_paid_tax_incl: order.total_paid_tax_incl,
    total_products: order.total_products,
    total_products_wt: order.total_products_wt,
    total_shipping_tax_excl: order.total_shipping_tax_excl,
    total_shipping_tax_incl: order.total_shipping_tax_incl,
    total_wrapping_tax_excl: order.total_wrapping_tax_excl,
    total_wrapping_tax_incl: order.total_wrapping_tax_incl,
    shop_address: database.shops.rows.get(order.id_shop)?.name ?? '',
    date_add: localTime(),
  });
  for (const detail of rowsOf(database, 'order_details', (row) => row.id_order === order.id))
    detail.id_order_invoice = invoice.id;
  for (const rule of rowsOf(database, 'order_cart_rules', (row) => row.id_order === order.id))
    rule.id_order_invoice = invoice.id;
  return invoice;
}

/** Notes a payment of what is still to be paid. */
export function payRest({ database, localTime }: Site, order: Row<'orders'>): void {
  const rest = new Big(order.total_paid).minus(order.total_paid_real);
  if (rest.lte(0)) return;
  addPayment({ database, localTime }, order, rest.toFixed(6));
  order.total_paid_real = order.total_paid;
}

/** Notes a payment, which is tied to the order by its reference only. */
export function addPayment(
  { database, localTime }: Pick<Site, 'database' | 'localTime'>,
  order: Row<'orders'>,
  amount: string,
): void {
  insertRow(database, 'order_payments', {
    order_reference: order.reference,
    id_currency: order.id_currency,
    amount,
    payment_method: order.payment,
    conversion_rate: order.conversion_rate,
    date_add: localTime(),
  });
}

function highest(numbers: readonly number[]): number {
  return numbers.reduce((top, number) => Math.max(top, number), 0);
}
