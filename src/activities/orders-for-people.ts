import { refused } from '../failures.ts';
import type { IncompleteJourney, OrderJourney } from '../ledger/journeys.ts';
import { isDay, startOfDay } from '../local-time.ts';
import type { Deps } from './deps.ts';

/** What people ask of orders: nothing of it names a customer. Lists are cut at LONGEST; `total` counts all. */
export interface OrdersForPeople {
  readonly outstanding: Listed<OrderJourney>;
  readonly byHand: Listed<{ readonly id: number; readonly reference: string }>;
  readonly setAside: Listed<{ readonly id: OrderName; readonly reason: string | null }>;
  readonly takeBacks: Listed<{ readonly id: number; readonly reference: string; readonly cause: string }>;
  readonly incomplete: Listed<{ readonly id: number; readonly reference: string; readonly givenUp: boolean }>;
}

/** An order's number; for one whose number cannot be read, its tag, `3f2a91c0-12`. */
export type OrderName = number | string;

export interface Listed<T> {
  readonly total: number;
  readonly first: readonly T[];
}

export interface SettleInput {
  readonly ids: readonly OrderName[];
  readonly why: string;
}

export interface SettleResult {
  /** Orders that are settled for this reason, or whose cancellations and refunds are. */
  readonly settled: readonly OrderName[];
  /** Those of `settled` that no sales file held yet, and none will. */
  readonly neverSent: readonly number[];
  /** Those of which there was nothing to settle: unknown, in a sales file, cancelled, or settled before. */
  readonly nothingToSettle: readonly OrderName[];
}

/** What another gateway must be told before it goes on where passerelle stops. Whole: 2 MB hold 200,000 numbers. */
export interface OrdersSent {
  /** The shop's day, `2026-11-24`. */
  readonly since: string;
  /** Numbers of the orders that passerelle has sent from that day on, or that a person has entered; ascending. */
  readonly orders: readonly number[];
}

/** An answer travels through Temporal, which takes 2 MB at most. */
const LONGEST = 200;

/** Lists the orders that Proshop's stock does not count, and those that a person must see to. */
export const listOrders =
  ({ ledger }: Deps) =>
  async (): Promise<OrdersForPeople> => {
    const { byHand, setAside, unnumbered } = await ledger.ordersForPeople();
    const takeBacks = await ledger.takeBacksForPeople();
    const incomplete = await ledger.incompleteOrders();
    return {
      outstanding: await ledger.outstandingJourneys(LONGEST),
      byHand: listed(byHand.map(({ id, reference }) => ({ id, reference }))),
      setAside: listed([
        ...setAside.map(({ id, reason }) => ({ id, reason })),
        ...unnumbered.map(({ tag, reason }) => ({ id: tag, reason })),
      ]),
      takeBacks: listed(takeBacks.map(({ id, reference, cause }) => ({ id, reference, cause }))),
      incomplete: listed(
        incomplete.map(({ id, reference, givenUpAt }) => ({ id, reference, givenUp: givenUpAt !== null })),
      ),
    };
  };

/** Tells where one order has been; null when passerelle has never seen it. */
export const orderJourney =
  ({ ledger }: Deps) =>
  (id: number): Promise<OrderJourney | IncompleteJourney | null> =>
    ledger.orderJourney(id);

/**
 * Lists the orders that Proshop has from passerelle, or from a person, since a day of the shop, `2026-11-24`.
 * @throws Refused when there is no such day
 */
export const ordersSent =
  ({ ledger, config }: Pick<Deps, 'ledger' | 'config'>) =>
  async (since: string): Promise<OrdersSent> => {
    if (!isDay(since)) throw refused(`Expected a day such as 2026-11-24, got ${since}`);
    return { since, orders: await ledger.ordersSentSince(startOfDay(since, config.timeZone)) };
  };

/** Notes that a person has seen to these orders in Proshop: entered them, or taken back what was cancelled or refunded. The same again changes nothing. */
export const settleOrders =
  ({ ledger }: Deps) =>
  async ({ ids, why }: SettleInput): Promise<SettleResult> => {
    const settled: OrderName[] = [];
    const neverSent: number[] = [];
    for (const id of ids) {
      const at = new Date();
      if (typeof id === 'string') {
        await ledger.settleUnnumbered(id, at, why);
        if ((await ledger.unnumberedSettled(id)) === why) settled.push(id);
        continue;
      }
      await ledger.settleOrder(id, at, why);
      await ledger.settleTakeBacks(id, at, why);
      // Asked of the ledger, because an attempt before this one may have settled it, and not have lived to say so.
      const journey = await ledger.orderJourney(id);
      if (journey !== null && 'takeBacks' in journey) {
        const those = [journey.settled, ...journey.takeBacks.map((takeBack) => takeBack.settled)];
        if (!those.some((one) => one?.why === why)) continue;
        settled.push(id);
        if (['send', 'waiting'].includes(journey.route) && journey.delivery === null) neverSent.push(id);
      }
    }
    return { settled, neverSent, nothingToSettle: ids.filter((id) => !settled.includes(id)) };
  };

function listed<T>(all: readonly T[]): Listed<T> {
  return { total: all.length, first: all.slice(0, LONGEST) };
}
