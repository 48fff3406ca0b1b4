import type { MetricMeter } from '@temporalio/common';
import type { PrepareStockResult } from './activities/prepare-stock.ts';
import type { AwaitOrdersTakenResult } from './activities/await-orders-taken.ts';
import type { OrderState } from './ledger/ledger.ts';
import type { CycleReport, Outcome, StepName, StepReport } from './workflows/report.ts';

export type Metrics = ReturnType<typeof createMetrics>;

const STEP_SECONDS = 'passerelle_step_duration_seconds';
const WAIT_SECONDS = 'passerelle_proshop_wait_seconds';

/** Upper bounds of the histograms' buckets, in seconds: Temporal's own are made for milliseconds. */
export const BUCKETS = {
  [STEP_SECONDS]: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_200],
  [WAIT_SECONDS]: [10, 30, 60, 120, 180, 300, 420, 600, 900, 1_200, 1_800],
};

const OUTCOMES = ['complete', 'degraded', 'held', 'failed'] as const satisfies readonly Outcome[];

/** Difference of a stock update -> label. */
const CHANGES = { up: 'up', down: 'down', toZero: 'to_zero', created: 'created' } as const;

/** The steps that wait for Proshop -> what for. */
const WAITS: Readonly<Partial<Record<StepName, string>>> = {
  awaitOrdersTaken: 'orders_taken',
  collectStock: 'stock_export',
};

/** Passerelle's own metrics, beside those of Temporal's SDK. docs/monitoring.md lists them. */
export function createMetrics(meter: MetricMeter) {
  const cycles = meter.createCounter(
    'passerelle_cycles_total',
    '',
    'Cycles that this worker closed, by outcome',
  );
  const lastEnd = meter.createGauge(
    'passerelle_last_cycle_timestamp_seconds',
    'float',
    's',
    'When the last cycle that this worker closed had done its steps, in Unix time',
  );
  const steps = meter.createHistogram(
    STEP_SECONDS,
    'float',
    's',
    'How long a step took with all of its attempts, by step and whether it was done or failed',
  );
  const waits = meter.createHistogram(
    WAIT_SECONDS,
    'float',
    's',
    'How long a cycle waited until Proshop had taken the orders or written its stock, and whether it saw that',
  );
  const changed = meter.createCounter(
    'passerelle_stock_variants_changed_total',
    '',
    'Variants that a confirmed stock update changed in the shop, by change',
  );
  const withheld = meter.createGauge(
    'passerelle_stock_withheld_units',
    'int',
    '',
    'Units that Proshop has and the shop was not shown at the last confirmed stock update, for orders that Proshop does not count yet',
  );
  const orders = meter.createGauge(
    'passerelle_orders',
    'int',
    '',
    'Orders that the stock of Proshop does not count yet, by state; together they are the outstanding orders',
  );
  // A counter that begins with its first event would hide it: what was not there before has not increased.
  for (const outcome of OUTCOMES) cycles.add(0, { outcome });
  for (const change of Object.values(CHANGES)) changed.add(0, { change });
  let counted = '';

  return {
    /** Counts a cycle that has its report. The same cycle again, closed by another attempt, is not counted twice. */
    cycleClosed(report: CycleReport): void {
      if (counted === report.cycle.id) return;
      counted = report.cycle.id;
      cycles.add(1, { outcome: report.outcome });
      if (report.endedAt !== null) lastEnd.set(Date.parse(report.endedAt) / 1_000);
      for (const step of report.steps) {
        const seconds = secondsOf(step);
        if (seconds === null) continue;
        steps.record(seconds, { step: step.name, state: step.state });
        const evidence = WAITS[step.name];
        const isSeen = step.state === 'done';
        // Where nothing was published, nothing was waited for.
        if (evidence === undefined || (isSeen && (step.facts as AwaitOrdersTakenResult).taken === 0))
          continue;
        waits.record(seconds, { evidence, seen: isSeen });
      }
      stockChanged(report.steps);
    },

    /** Tells how many orders wait, and for what. */
    ordersStand(counts: Readonly<Record<OrderState, number>>): void {
      for (const [state, count] of Object.entries(counts)) orders.set(count, { state });
    },
  };

  function stockChanged(steps: readonly StepReport[]): void {
    const isDone = (wanted: StepName) => steps.find(({ name, state }) => name === wanted && state === 'done');
    const prepared = isDone('prepareStock');
    if (prepared === undefined || isDone('updateStock') === undefined) return;
    const { difference, withheld: units } = prepared.facts as PrepareStockResult;
    for (const [kind, change] of Object.entries(CHANGES))
      changed.add(difference[kind as keyof typeof CHANGES], { change });
    if (units !== undefined) withheld.set(units);
  }
}

/** Null when the step did not run. A clock that is set back must not make it negative. */
function secondsOf({ startedAt, endedAt }: StepReport): number | null {
  if (startedAt === null || endedAt === null) return null;
  return Math.max(0, Date.parse(endedAt) - Date.parse(startedAt)) / 1_000;
}
