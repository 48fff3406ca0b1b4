import { check } from './check.ts';
import type { Check } from './check.ts';
import { instant } from './clock.ts';
import type { Truth, TruthOrder, TruthRequest } from './truth.ts';

/** Judges that every order reached Proshop once, and as it was ordered. */
export function judgeOrders(truth: Truth, placedBefore: string | undefined): readonly Check[] {
  const looks = truth.webservice?.requests.filter((request) => request.resource === 'orders');
  const before =
    placedBefore ??
    truth.orderExports[0]?.at ??
    looks?.find(({ status }) => status === 200)?.startedAt ??
    truth.startedAt;
  const transmissible = (order: TruthOrder) => order.readable && !order.paidByVoucher && !order.lostByModule;
  const sold = truth.orders.flatMap((order) => {
    const at = soldAt(order);
    return at !== null && transmissible(order) ? [{ order, at }] : [];
  });
  const due = sold.flatMap(({ order, at }) => (at < before ? [order] : []));
  const late = sold.flatMap(({ order, at }) => (at >= before ? [order] : []));
  const vouchers = truth.orders.filter((order) => order.paidByVoucher);
  const unreadable = truth.orders.filter((order) => !order.readable);
  const unsold = truth.orders.filter((order) => soldAt(order) === null);
  return [
    check(
      'every order was taken by Proshop exactly once',
      due.filter((order) => order.taken.length !== 1).map(takenTooOften),
      `${due.length} order(s)`,
    ),
    check(
      'late orders were taken once or wait for the next cycle',
      late.filter((order) => order.taken.length > 1).map(takenTooOften),
      `${late.length} late, ${late.filter((order) => order.taken.length === 0).length} waiting`,
    ),
    ...(looks === undefined
      ? []
      : [
          check(
            'orders that are not sold, or were seen cancelled, were not sent',
            truth.orders
              .filter((order) => order.taken.length > 0 && isSentWrongly(order, truth, looks))
              .map(takenTooOften),
            `${unsold.length} not sold`,
          ),
          check(
            'orders that were cancelled later were taken once at most',
            unsold.filter((order) => order.taken.length > 1).map(takenTooOften),
            `${unsold.filter((order) => order.taken.length === 1).length} taken`,
          ),
        ]),
    check(
      'orders paid with a gift voucher were not sent',
      vouchers.filter((order) => order.taken.length > 0).map(takenTooOften),
      `${vouchers.length} to enter by hand`,
    ),
    check(
      'orders that cannot be read were not sent',
      unreadable.filter((order) => order.taken.length > 0).map(takenTooOften),
      `${unreadable.length} set aside`,
    ),
    check(
      'each sale arrived as it was ordered',
      [
        ...truth.orders.flatMap((order) => differences(order)),
        ...truth.unknownSales.map((id) => `sale ${id} is no order of the shop`),
      ],
      `${truth.orders.filter((order) => order.sale !== null).length} sale(s) compared`,
    ),
  ];
}

/** Since when it is sold, as far as anybody can know; null when it is not. */
export function soldAt({ placedAt, life }: TruthOrder): string | null {
  if (life === undefined) return placedAt;
  if (life.standing !== 'sold') return null;
  const before = life.changes.findLastIndex(({ standing }) => standing !== 'sold');
  return life.changes[before + 1]?.at ?? placedAt;
}

/** True when it was never sold by then, or when passerelle had looked since it was cancelled. */
function isSentWrongly({ life, taken }: TruthOrder, truth: Truth, looks: readonly TruthRequest[]): boolean {
  if (life === undefined) return false;
  const [at = ''] = taken;
  const wasSold = life.changes.some(
    (change, index) => change.standing === 'sold' && (index === 0 || change.at < at),
  );
  if (!wasSold) return true;
  // A file that Proshop leaves lying may hold what was cancelled since.
  if (truth.sabotage.some((said) => said.startsWith('proshop'))) return false;
  const then = life.changes.findLast((change) => change.at < at);
  if (then?.standing !== 'cancelled') return false;
  return readings(looks).some((startedAt) => startedAt > then.at && startedAt < at);
}

/** When each reading of the orders began: one is made of several requests, during which an order may change. */
function readings(looks: readonly TruthRequest[]): readonly string[] {
  return looks.flatMap(({ startedAt }, index) => {
    const before = looks[index - 1];
    const isNew = before === undefined || instant(startedAt) - instant(before.startedAt) > BETWEEN_READINGS;
    return isNew ? [startedAt] : [];
  });
}

/** Sandbox milliseconds. */
const BETWEEN_READINGS = 3 * 60_000;

function takenTooOften(order: TruthOrder): string {
  return `order ${order.id} was taken ${order.taken.length} time(s)`;
}

function differences(order: TruthOrder): readonly string[] {
  const { sale } = order;
  if (sale === null) return [];
  const ordered = {
    reference: order.reference,
    payment: order.payment,
    total: order.total,
    firstname: order.customer.firstname,
    lastname: order.customer.lastname,
    address: order.address,
    lines: order.lines.map(({ ean, quantity, unitPrice }) => ({ ean, quantity, unitPrice })),
  };
  return (Object.keys(ordered) as (keyof typeof ordered)[])
    .filter((field) => JSON.stringify(ordered[field]) !== JSON.stringify(sale[field]))
    .map(
      (field) =>
        `order ${order.id}: expected ${field} ${JSON.stringify(ordered[field])}, got ${JSON.stringify(sale[field])}`,
    );
}
