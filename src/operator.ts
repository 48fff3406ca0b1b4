import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ApplicationFailure,
  isGrpcDeadlineError,
  TimeoutFailure,
  WorkflowFailedError,
  WorkflowUpdateFailedError,
  type Client,
} from '@temporalio/client';
import type { DiffResult } from './activities/diff.ts';
import type {
  OrdersForPeople,
  OrdersSent,
  SettleInput,
  SettleResult,
} from './activities/orders-for-people.ts';
import type { ReplayInput, ReplayResult } from './activities/replay.ts';
import type { ResetShopCacheResult } from './activities/reset-shop-cache.ts';
import { createCycles, type CycleSeen, type ScheduleSeen } from './cycles.ts';
import type { IncompleteJourney, OrderJourney } from './ledger/journeys.ts';
import { periodOf, type Period } from './report-page.ts';
import { runningCycle } from './run-cycle.ts';
import { SCHEDULE_ID, TASK_QUEUE } from './schedule.ts';
import { decideUpdate } from './workflows/decision.ts';
import { COMMAND, DECISIONS, QUESTIONS } from './workflows/labels.ts';
import type { Answer } from './workflows/report.ts';

/** Error thrown when what was asked for cannot be done; its message, in French, says why. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}

/** Error thrown when the gateway does not answer, though Temporal does; its message is French. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

export interface Status {
  /** Null before any gateway has been started. */
  readonly schedule: ScheduleSeen | null;
  /** Its report is what it tells now; null when it does not answer. */
  readonly running: CycleSeen | null;
  /** The newest first, the running one not among them. */
  readonly last: readonly CycleSeen[];
  /** Null when no gateway answers. */
  readonly orders: OrdersForPeople | null;
}

export type Operator = ReturnType<typeof createOperator>;

/** What an activity said, under Temporal's wrappings. */
function rootOf(error: Error): unknown {
  return error.cause instanceof Error ? rootOf(error.cause) : error;
}

/** What an activity said no to, as a Refusal. */
async function orRefusal<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    const cause = error instanceof WorkflowFailedError ? rootOf(error) : null;
    if (cause instanceof ApplicationFailure) throw new Refusal(COMMAND.refused(cause.message));
    throw error;
  }
}

/** Temporal's word that an update reached a worker and came back neither accepted nor refused, as after a worker's end: it is not in the history, and the cycle has not seen it. */
function isUnheard(error: unknown): boolean {
  return (
    error instanceof WorkflowUpdateFailedError &&
    error.cause instanceof ApplicationFailure &&
    error.cause.type === 'UnprocessedUpdate'
  );
}

/** Milliseconds: somebody waits in front of a screen. */
const PATIENCE = 30_000;
/** Temporal's word that time is over comes first. */
const GRACE = 5_000;
/** So many times as patient with what has a million variants to go through. */
const SLOW = 4;
/** Milliseconds before the same is asked again. */
const PACE = 250;
const LAST_CYCLES = 6;

/** What an operator can ask and tell, through Temporal alone. A gateway that does not answer within `patience` milliseconds is down. */
export function createOperator(client: Client, patience = PATIENCE) {
  const cycles = createCycles(client);
  const schedule = client.schedule.getHandle(SCHEDULE_ID);

  const ask = async <T>(
    type: keyof typeof QUESTIONS,
    args: readonly unknown[] = [],
    within = patience,
  ): Promise<T> => {
    try {
      return await client.withDeadline(Date.now() + within + GRACE, () =>
        client.workflow.execute<(...args: readonly unknown[]) => Promise<T>>(type, {
          taskQueue: TASK_QUEUE,
          workflowId: `${type}-${randomUUID()}`,
          workflowExecutionTimeout: within,
          staticSummary: QUESTIONS[type],
          args: [...args],
        }),
      );
    } catch (error) {
      const isLate = error instanceof WorkflowFailedError && error.cause instanceof TimeoutFailure;
      if (isLate || isGrpcDeadlineError(error)) throw new NoAnswer(COMMAND.noAnswer);
      throw error;
    }
  };
  const askOrders = () => ask<OrdersForPeople>('orders');

  return {
    async status(): Promise<Status> {
      const recent = await cycles.recent(LAST_CYCLES + 1);
      const running = recent.find(({ endedAt }) => endedAt === null);
      return {
        schedule: await cycles.schedule(),
        // A gateway that was killed keeps the question for ten seconds, before the next one is asked.
        running:
          running === undefined ? null : { ...running, report: await cycles.report(running, patience) },
        last: recent.filter((cycle) => cycle !== running).slice(0, LAST_CYCLES),
        orders: await askOrders().catch((error: unknown) => {
          if (error instanceof NoAnswer) return null;
          throw error;
        }),
      };
    },

    /** Stops new cycles; the running one goes on to its end. */
    pause: (why: string): Promise<void> => schedule.pause(why),

    resume: (): Promise<void> => schedule.unpause(),

    /**
     * Tells the running cycle what becomes of the stock update that it holds. Gives what it noted.
     * @throws {Refusal} with the cycle's own words.
     */
    async decide(answer: Answer): Promise<string> {
      const run = await runningCycle(client);
      if (run === null) throw new Refusal(DECISIONS.nothingHeld);
      const handle = client.workflow.getHandle(run.workflowId, run.runId);
      const deadline = Date.now() + patience + GRACE;
      for (;;) {
        try {
          const { status } = await client.withDeadline(deadline, () => handle.describe());
          if (status.name === 'PAUSED') throw new Refusal(DECISIONS.paused);
          return await client.withDeadline(deadline, () =>
            handle.executeUpdate(decideUpdate, { args: [answer] }),
          );
        } catch (error) {
          if (isUnheard(error) && Date.now() < deadline) {
            await sleep(PACE);
            continue;
          }
          if (isUnheard(error) || isGrpcDeadlineError(error)) throw new NoAnswer(COMMAND.noAnswer);
          if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure)
            throw new Refusal(error.cause.message);
          throw error;
        }
      }
    },

    orders: askOrders,

    /** Null when nobody has seen such an order. */
    order: (id: number) => ask<OrderJourney | IncompleteJourney | null>('order', [id]),

    /** @throws {Refusal} when `since` is no day such as `2026-11-24`. */
    ordersSent: (since: string) => orRefusal(ask<OrdersSent>('ordersSent', [since])),

    /** @throws {Refusal} when there is no cache to put aside, or no access to the shop's files. */
    resetShopCache: () => orRefusal(ask<ResetShopCacheResult>('resetShopCache')),

    /** @throws {Refusal} when Proshop has left no file, or one that cannot be read. */
    diff: () => orRefusal(ask<DiffResult>('diff', [], patience * SLOW)),

    /** @throws {Refusal} when the archive has no such cycle, or several, or a file in it cannot be read any more. */
    replay: (input: ReplayInput) => orRefusal(ask<ReplayResult>('replay', [input], patience * SLOW)),

    /** What the cycles of the last `days` days did, today among them: as far back as Temporal keeps them. */
    async period(days: number): Promise<Period> {
      const now = new Date();
      // A day may have 25 hours.
      const since = new Date(now.getTime() - (days * 24 + 1) * 60 * 60_000);
      return periodOf(await cycles.finished(since), now, days);
    },

    settle: (input: SettleInput) => ask<SettleResult>('settleOrders', [input]),
  };
}
