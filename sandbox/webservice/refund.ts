import { Big } from 'big.js';
import { insertRow, rowOf } from './database.ts';
import type { Site } from './site.ts';
import { addUnits } from './stock.ts';

/** A row of an order that is refunded. */
export interface RefundRow {
  /** The id of the order_row. */
  readonly row: number;
  readonly quantity: number;
}

/**
 * Makes a credit slip, which leaves no trace in the order itself; the units go back into stock when it is said.
 * @throws when more is refunded than was bought
 */
export function refund(
  { database, localTime }: Site,
  order: number,
  rows: readonly RefundRow[],
  restock: boolean,
): number {
  const { id_customer, conversion_rate } = rowOf(database, 'orders', order);
  const now = localTime();
  const parts = rows.map(({ row, quantity }) => {
    const detail = rowOf(database, 'order_details', row);
    if (detail.id_order !== order || detail.product_quantity - detail.product_quantity_refunded < quantity)
      throw new Error(
        `Expected ${quantity} unit(s) of row ${row} of order ${order} to be refunded, got fewer`,
      );
    return {
      detail,
      quantity,
      net: new Big(detail.unit_price_tax_excl).times(quantity).round(2),
      gross: new Big(detail.unit_price_tax_incl).times(quantity).round(2),
    };
  });
  const sum = (amounts: readonly Big[]) =>
    amounts.reduce((total, amount) => total.plus(amount), new Big(0)).toFixed(6);
  const gross = sum(parts.map((part) => part.gross));
  const slip = insertRow(database, 'order_slips', {
    id_customer,
    id_order: order,
    conversion_rate,
    total_products_tax_excl: sum(parts.map((part) => part.net)),
    total_products_tax_incl: gross,
    amount: gross,
    date_add: now,
    date_upd: now,
  });
  for (const { detail, quantity, net, gross: amount } of parts) {
    insertRow(database, 'order_slip_details', {
      id_order_slip: slip.id,
      id_order_detail: detail.id,
      product_quantity: quantity,
      amount_tax_excl: net.toFixed(6),
      amount_tax_incl: amount.toFixed(6),
    });
    detail.product_quantity_refunded += quantity;
    detail.total_refunded_tax_excl = net.plus(detail.total_refunded_tax_excl).toFixed(6);
    detail.total_refunded_tax_incl = amount.plus(detail.total_refunded_tax_incl).toFixed(6);
    if (!restock) continue;
    detail.product_quantity_reinjected += quantity;
    addUnits(database, detail.product_id, detail.product_attribute_id, quantity);
  }
  return slip.id;
}
