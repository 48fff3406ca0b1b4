import type { Sandbox } from '../sandbox/sandbox.ts';
import type { OrderSeed, Scenario } from '../sandbox/scenario.ts';
import type { TruthOrder } from '../sandbox/truth.ts';
import { rowsOf } from '../sandbox/webservice/database.ts';
import { AWAITING_BANK_WIRE, CANCELLED, PAID } from '../sandbox/webservice/order-states.ts';
import { addUnits } from '../sandbox/webservice/stock.ts';
import type { Deed } from './plan.ts';

/**
 * Has shoppers or the merchant do something in a shop that is reached by its Webservice. False when there is nothing to
 * do it to: no order of that kind, or too little stock.
 */
export function perform(sandbox: Sandbox, scenario: Scenario, deed: Deed): boolean {
  const { webservice } = sandbox;
  if (webservice === undefined) throw new Error(`Expected a Webservice for "${deed}", got a shop of modules`);
  const { checkout, server } = webservice;
  const { database } = server.site;
  const lastThat = (wanted: (order: TruthOrder) => boolean) => sandbox.truth().orders.findLast(wanted);
  const buy = (placing: Parameters<typeof checkout.placeOrder>[1]) => {
    try {
      checkout.placeOrder(oneUnit(scenario), placing);
      return true;
    } catch {
      // Sold out.
      return false;
    }
  };
  const cancel = (order: TruthOrder | undefined) => {
    if (order !== undefined) checkout.changeState(order.id, CANCELLED);
    return order !== undefined;
  };

  switch (deed) {
    case 'an order comes':
      return buy({});
    case 'an order waits for its bank wire':
      return buy({ state: AWAITING_BANK_WIRE });
    case 'an order is left half made':
      return buy({ diesAt: 'rows made' });
    case 'a bank wire comes': {
      const order = lastThat(({ life }) => life?.standing === 'waiting');
      if (order !== undefined) checkout.changeState(order.id, PAID);
      return order !== undefined;
    }
    case 'an order is cancelled':
      return cancel(lastThat(({ life }) => life?.standing === 'sold' || life?.standing === 'waiting'));
    case 'an order that was not sent yet is cancelled':
      return cancel(
        sandbox
          .truth()
          .orders.find(
            ({ taken, readable, paidByVoucher, life }) =>
              taken.length === 0 && readable && !paidByVoucher && life?.standing === 'sold',
          ),
      );
    case 'an order that was sent is cancelled':
      return cancel(lastThat(({ taken, life }) => taken.length > 0 && life?.standing === 'sold'));
    case 'an order paid with a gift voucher is cancelled':
      return cancel(lastThat(({ paidByVoucher, life }) => paidByVoucher && life?.standing === 'sold'));
    case 'an order is refunded': {
      const order = lastThat(({ taken, life }) => taken.length > 0 && life?.standing === 'sold');
      const [row] = rowsOf(
        database,
        'order_details',
        ({ id_order, product_quantity, product_quantity_refunded }) =>
          id_order === order?.id && product_quantity > product_quantity_refunded,
      );
      if (order === undefined || row === undefined) return false;
      checkout.refund(order.id, [{ row: row.id, quantity: 1 }], { restock: true });
      return true;
    }
    case 'stock is lowered by hand': {
      const [row] = rowsOf(
        database,
        'stock_availables',
        ({ id_product_attribute, quantity }) => id_product_attribute !== 0 && quantity > 1,
      );
      if (row !== undefined) addUnits(database, row.id_product, row.id_product_attribute, -1);
      return row !== undefined;
    }
  }
}

/** The scenario's first order, with one unit of its first line. */
export function oneUnit(scenario: Scenario): OrderSeed {
  const [first] = scenario.events.flatMap((event) => ('order' in event ? [event.order] : []));
  if (first === undefined) throw new Error('Expected an order in the scenario, got none');
  return { ...first, lines: first.lines.slice(0, 1).map((line) => ({ ...line, quantity: 1 })) };
}
