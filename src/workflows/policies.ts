import type { ActivityOptions } from '@temporalio/workflow';

/** Waiting times of a cycle, in milliseconds: how often to look, and how long each step may take in all. */
export interface Waits {
  readonly look: number;
  readonly heartbeat: number;
  readonly attempt: number;
  readonly exportOrders: number;
  readonly deliverOrders: number;
  readonly ordersTaken: number;
  readonly stockExport: number;
  readonly newProducts: number;
  readonly prepareStock: number;
  readonly updateStock: number;
}

/** Work that a network or a server can spoil: tried again soon, then less and less often. */
export const working = (waits: Waits): ActivityOptions => ({
  startToCloseTimeout: waits.attempt,
  heartbeatTimeout: waits.heartbeat,
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: Math.max(waits.look, 1_000) },
});

/** Evidence that comes when it comes: looked for at an even pace. Costs three events however long it lasts. */
export const waiting = (waits: Waits): ActivityOptions => ({
  startToCloseTimeout: waits.attempt,
  heartbeatTimeout: waits.heartbeat,
  retry: { initialInterval: waits.look, backoffCoefficient: 1 },
});
