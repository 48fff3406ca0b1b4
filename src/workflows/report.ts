import { defineQuery, defineSignal } from '@temporalio/workflow';

/** Steps of the cycle, in the note's order. */
export const STEPS = [
  'exportOrders',
  'deliverOrders',
  'awaitOrdersTaken',
  'collectStock',
  'createProducts',
  'exportLateOrders',
  'prepareStock',
  'updateStock',
] as const;
export type StepName = (typeof STEPS)[number];

export type StepState = 'waiting' | 'running' | 'done' | 'skipped' | 'failed';

export interface StepReport {
  /** 1 to 8. */
  readonly number: number;
  readonly name: StepName;
  readonly state: StepState;
  /** ISO 8601; null before. */
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  /** The activity's result: what and how many. */
  readonly facts: unknown;
  /** Why it failed or was skipped. */
  readonly why: { readonly type: string; readonly message: string } | null;
}

export type AlarmKind =
  | 'orders-not-taken'
  | 'no-fresh-stock'
  | 'stock-not-confirmed'
  | 'batch-held'
  | 'orders-set-aside'
  | 'orders-by-hand'
  | 'orders-to-take-back'
  | 'orders-incomplete'
  | 'stock-left'
  | 'shadow-differs'
  | 'shadow-unwatched'
  | 'step-failed';

export interface Alarm {
  readonly kind: AlarmKind;
  readonly step: number;
  readonly message: string;
}

/** What a person says of a held stock update: `decide`'s argument. */
export interface Answer {
  readonly answer: 'apply' | 'skip';
  readonly who: string;
  readonly why: string;
}

export interface Decision extends Answer {
  /** ISO 8601. */
  readonly at: string;
}

/** A stock update that the gate keeps from the shop until a person decides. */
export interface Hold {
  /** ISO 8601: with no answer until then it is skipped. */
  readonly until: string;
  /** The shop's, in which people are told the hour. */
  readonly timeZone: string;
  /** What the gate said. */
  readonly reasons: readonly string[];
  /** Null before, and when nobody decided in time. */
  readonly decision: Decision | null;
}

/** `held`: the gate said no. `degraded`: some step did not do its work. `failed`: the cycle could not even begin. */
export type Outcome = 'running' | 'complete' | 'degraded' | 'held' | 'failed';

/** What happened, when, how many and why: the workflow's result, its query, and report.json. */
export interface CycleReport {
  readonly outcome: Outcome;
  readonly cycle: { readonly id: string; readonly folder: string | null };
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly steps: readonly StepReport[];
  readonly alarms: readonly Alarm[];
  /** The held updates of this cycle, in order; undefined when the gate held nothing. */
  readonly holds?: readonly Hold[];
  /** Beside the old gateway; undefined in its place. */
  readonly mode?: 'shadow';
}

/** The report as it stands, at any time. */
export const reportQuery = defineQuery<CycleReport>('report');

/** A person has no time for Proshop: the cycle ends its waits, and works with what is there. */
export const hurrySignal = defineSignal('hurry');
