import type { OrderSeed } from '../scenario.ts';
import { addVoucher, detailCells, freeReference, lineOf, orderCells, refuseWhatIsNotThere } from './cart.ts';
import type { Line } from './cart.ts';
import { addPayment, changeState, makeInvoice } from './change-state.ts';
import type { StateChange } from './change-state.ts';
import { keep } from './combinations.ts';
import type { Row } from './database.ts';
import { insertRow, rowOf } from './database.ts';
import { CANCELLED, PAID, PAYMENT_ERROR } from './order-states.ts';
import { pause } from './pause.ts';
import { refund } from './refund.ts';
import type { RefundRow } from './refund.ts';
import type { Site } from './site.ts';
import { stockOf, sumOfSizes, writeTotal } from './stock.ts';

export interface CheckoutOptions {
  /** How many times slower than measured an order is made; 0 for as fast as it goes. 1 when left out. */
  readonly slowness?: number;
  /** Draws the references and the uncertain times. */
  readonly random?: () => number;
}

/** Where a PHP process can die while it makes an order. */
export type DeathPoint =
  /** The order is there, at state 0, without rows; no stock is taken. */
  | 'order made'
  /** The stock of the first row is taken, the row is not there, nor is the product's total right. */
  | 'stock taken'
  | 'first row made'
  /** All rows are there; no carrier, no payment, no state. */
  | 'rows made'
  | 'paid';

export interface PlaceOptions {
  /** The state that the order is made in; paid when left out. */
  readonly state?: number;
  /** The process dies there: the order stays at state 0 for good. */
  readonly diesAt?: DeathPoint;
  /** False: the taxes of the rows are not deleted and written again at the end. */
  readonly rewritesTaxes?: boolean;
}

/** An order that a shopper has sent off. It is visible at once, and complete a little later. */
export interface PlacedOrder {
  readonly id: number;
  readonly reference: string;
  /** Resolves when PHP is done with it, or dead. */
  readonly finished: Promise<void>;
}

/** What happens to orders in the shop, other than through the Webservice. */
export interface Checkout {
  /**
   * A shopper's order goes through the shop's checkout, in PrestaShop's own order of events.
   * @throws when the shop shows too few units and does not sell what it has not, or has no such article
   */
  placeOrder(seed: OrderSeed, options?: PlaceOptions): PlacedOrder;
  /** Moves an order to another state, with what that does to its stock. */
  changeState(order: number, state: number, change?: StateChange): void;
  /**
   * Makes a credit slip. Neither the order's state nor its `date_upd` changes. The units go back into stock when it is said.
   * Returns the id of the slip.
   */
  refund(order: number, rows: readonly RefundRow[], options?: { readonly restock?: boolean }): number;
}

/** Milliseconds as they were measured on 8.2.1, each counted from the step before. */
const STEPS = {
  firstStock: 2.2,
  total: 0.9,
  firstRow: 4.2,
  nextStock: 0.6,
  nextRow: 1.8,
  rowTaxes: 0.3,
  carrier: 0.5,
  payment: 0.5,
  totalPaid: 0.4,
  state: 11,
  invoice: 27,
  invoiceNumber: 7.6,
  history: 11,
  unpaidHistory: 3.5,
  taxesAgain: 165,
  unpaidTaxesAgain: 6.3,
  taxesGone: 0.5,
} as const;

/** Opens the shop's doors: what shoppers and the merchant do to orders. */
export function openCheckout(site: Site, options: CheckoutOptions = {}): Checkout {
  const { database } = site;
  const { slowness = 1, random = Math.random } = options;
  const wait = (milliseconds: number) => pause(milliseconds * slowness);

  /** PHP reads the quantity, reckons, and writes it: what another wrote in between is lost. */
  const takeStock = async ({ article, quantity }: Line): Promise<void> => {
    const { product, combination } = article;
    const stock = stockOf(database, product.id, combination?.id ?? 0);
    if (stock === undefined) return;
    const { quantity: read } = stock;
    await wait(0.13 + 0.43 * random());
    stock.quantity = read - quantity;
    if (combination === undefined) return;
    await wait(STEPS.total);
    writeTotal(database, product.id, sumOfSizes(database, product.id));
  };

  const finish = async (
    order: Row<'orders'>,
    lines: readonly Line[],
    { state = PAID, diesAt, rewritesTaxes = true }: PlaceOptions,
  ): Promise<void> => {
    if (diesAt === 'order made') return;
    const next = rowOf(database, 'order_states', state);
    const takes = state !== CANCELLED && state !== PAYMENT_ERROR;
    const details: Row<'order_details'>[] = [];
    for (const line of lines) {
      const first = details.length === 0;
      await wait(first ? STEPS.firstStock : STEPS.nextStock);
      if (takes && diesAt === 'stock taken') {
        if (line.article.stock !== undefined) line.article.stock.quantity -= line.quantity;
        return;
      }
      if (takes) await takeStock(line);
      await wait(first ? STEPS.firstRow : STEPS.nextRow);
      details.push(insertRow(database, 'order_details', detailCells(order, line)));
      if (diesAt === 'first row made') return;
      await wait(STEPS.rowTaxes);
      addTaxes(details.slice(-1), lines);
    }
    if (diesAt === 'rows made') return;

    await wait(STEPS.carrier);
    insertRow(database, 'order_carriers', {
      id_order: order.id,
      id_carrier: order.id_carrier,
      shipping_cost_tax_excl: order.total_shipping_tax_excl,
      shipping_cost_tax_incl: order.total_shipping_tax_incl,
      date_add: site.localTime(),
    });
    if (next.paid) {
      await wait(STEPS.payment);
      addPayment(site, order, order.total_paid);
      await wait(STEPS.totalPaid);
      order.total_paid_real = order.total_paid;
      order.date_upd = site.localTime();
    }
    if (diesAt === 'paid') return;

    await wait(STEPS.state);
    order.current_state = state;
    order.valid = next.logable;
    order.date_upd = site.localTime();
    if (next.invoice) {
      await wait(STEPS.invoice);
      const { number } = makeInvoice(site, order);
      await wait(STEPS.invoiceNumber);
      order.invoice_number = number;
      order.invoice_date = site.localTime();
      order.date_upd = site.localTime();
    }
    await wait(next.invoice ? STEPS.history : STEPS.unpaidHistory);
    insertRow(database, 'order_histories', {
      id_order_state: state,
      id_order: order.id,
      date_add: site.localTime(),
    });
    if (!rewritesTaxes) return;
    await wait(next.invoice ? STEPS.taxesAgain : STEPS.unpaidTaxesAgain);
    const ids = new Set(details.map((detail) => detail.id));
    keep(database.detailTaxes, ({ detail }) => !ids.has(detail));
    await wait(STEPS.taxesGone);
    addTaxes(details, lines);
  };

  const addTaxes = (details: readonly Row<'order_details'>[], lines: readonly Line[]): void => {
    for (const detail of details) {
      const line = lines.find(
        ({ article }) =>
          article.product.id === detail.product_id &&
          (article.combination?.id ?? 0) === detail.product_attribute_id,
      );
      if (line !== undefined && line.tax !== 0)
        database.detailTaxes.push({ detail: detail.id, tax: line.tax });
    }
  };

  return {
    placeOrder: (seed, placing = {}) => {
      const lines = seed.lines.map((line) => lineOf(site, line));
      refuseWhatIsNotThere(lines);
      const reference = seed.reference ?? freeReference(site, random);
      const order = insertRow(database, 'orders', orderCells(site, seed, lines, reference));
      addVoucher(site, seed, order);
      return { id: order.id, reference, finished: finish(order, lines, placing) };
    },
    changeState: (order, state, change) => changeState(site, order, state, change),
    refund: (order, rows, { restock = false } = {}) => refund(site, order, rows, restock),
  };
}
