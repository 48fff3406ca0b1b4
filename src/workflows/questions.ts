import { proxyActivities } from '@temporalio/workflow';
import type { DiffResult } from '../activities/diff.ts';
import type { Activities } from '../activities/index.ts';
import type {
  OrdersForPeople,
  OrdersSent,
  SettleInput,
  SettleResult,
} from '../activities/orders-for-people.ts';
import type { ReplayInput, ReplayResult } from '../activities/replay.ts';
import type { ResetShopCacheResult } from '../activities/reset-shop-cache.ts';
import type { IncompleteJourney, OrderJourney } from '../ledger/journeys.ts';

// What the operator's command asks the ledger, which only the worker opens. Each question is a workflow of its own, so
// that the history says who asked what, and what was answered.

/** Somebody waits in front of a screen. */
const answers = proxyActivities<Activities>({
  startToCloseTimeout: '15s',
  scheduleToCloseTimeout: '25s',
  retry: { initialInterval: '1s' },
});

/** A million variants take a minute. */
const workings = proxyActivities<Activities>({
  startToCloseTimeout: '90s',
  scheduleToCloseTimeout: '110s',
  retry: { initialInterval: '2s' },
});

export function orders(): Promise<OrdersForPeople> {
  return answers.listOrders();
}

export function order(id: number): Promise<OrderJourney | IncompleteJourney | null> {
  return answers.orderJourney(id);
}

export function ordersSent(since: string): Promise<OrdersSent> {
  return answers.ordersSent(since);
}

export function settleOrders(input: SettleInput): Promise<SettleResult> {
  return answers.settleOrders(input);
}

export function diff(): Promise<DiffResult> {
  return workings.diff();
}

export function replay(input: ReplayInput): Promise<ReplayResult> {
  return workings.replay(input);
}

export function resetShopCache(): Promise<ResetShopCacheResult> {
  return answers.resetShopCache();
}
