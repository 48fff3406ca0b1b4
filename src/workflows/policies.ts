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
  /** For a person, when the gate holds an update; undefined in a cycle that was begun before there was one. */
  readonly decision?: number;
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

/** The daily upkeep: nothing waits for it, so it is tried for half a day. What is left then, the next one does. */
export const keeping: ActivityOptions = {
  startToCloseTimeout: '2h',
  scheduleToCloseTimeout: '12h',
  heartbeatTimeout: '30s',
  retry: { initialInterval: '10s', backoffCoefficient: 2, maximumInterval: '10m' },
};

/** The watch: a look that fails is followed by the next one. Looks that find nothing to tell say themselves when that is. */
export const watching: ActivityOptions = {
  startToCloseTimeout: '2m',
  heartbeatTimeout: '30s',
  retry: { initialInterval: '1m', backoffCoefficient: 1 },
};

/** The look at the old gateway's files, which live for seconds: begun again at once, on another worker if need be. */
export const following: ActivityOptions = {
  startToCloseTimeout: '1h',
  heartbeatTimeout: '10s',
  retry: { initialInterval: '1s', backoffCoefficient: 1 },
};
