import {
  isGrpcServiceError,
  ScheduleNotFoundError,
  type Client,
  WorkflowNotFoundError,
  type WorkflowExecutionInfo,
} from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import pLimit from 'p-limit';
import { SCHEDULE_ID, WORKFLOW_ID } from './schedule.ts';
import type { CycleInput } from './workflows/cycle.ts';
import { reportQuery, type CycleReport } from './workflows/report.ts';

export interface ScheduleSeen {
  /** What the cycles that it starts are: beside the old gateway, or in its place. */
  readonly mode: 'live' | 'shadow';
  readonly paused: boolean;
  /** Who paused it and why, or what Temporal notes of itself. */
  readonly note: string;
  /** ISO 8601; null = never. Temporal tells it of a paused schedule too. */
  readonly nextAt: string | null;
}

/** A run of the cycle, as Temporal knows it. */
export interface CycleSeen {
  readonly workflowId: string;
  readonly runId: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Null while it runs or is paused. */
  readonly endedAt: string | null;
  /** Temporal's word: `RUNNING`, `PAUSED` by a person in the middle, `COMPLETED`, `FAILED`, `TERMINATED`, `CANCELLED`, `TIMED_OUT`. */
  readonly status: string;
  /** Its result; null while it runs, when it came to no end of its own, and when Temporal has it no more. */
  readonly report: CycleReport | null;
}

/** A run that has come to an end, whatever end. */
export type ClosedCycle = Pick<CycleSeen, 'workflowId' | 'runId' | 'startedAt'>;

export interface Cycles {
  /** Null when no gateway has made the schedule yet. `patience` in milliseconds. */
  schedule(patience?: number): Promise<ScheduleSeen | null>;
  /** The newest first. */
  recent(count: number): Promise<readonly CycleSeen[]>;
  /** What a running cycle tells; null when it does not answer: it has not begun, a person has paused it, or no gateway runs. */
  report(run: Pick<CycleSeen, 'workflowId' | 'runId'>, patience?: number): Promise<CycleReport | null>;
  /** Those that ended since then, the oldest first. */
  closed(since: Date): Promise<readonly ClosedCycle[]>;
  /** The same with their reports. */
  finished(since: Date): Promise<readonly CycleSeen[]>;
  /** Its whole history in the JSON that Temporal's tools write and replay reads; null when Temporal has it no more. */
  history(run: ClosedCycle): Promise<string | null>;
}

/** gRPC's number for "there is no such thing". */
const NOT_FOUND = 5;

/** Milliseconds: a call without a deadline whose answer is lost is waited for for ever. */
const DEADLINE = 10_000;

/** How many cycles are listed, and how many results are asked for, at a time. */
const PAGE = 200;
const AT_ONCE = 8;

/** Temporal lists what it forgets a moment longer than it keeps it. */
function gone(error: unknown): null {
  if (error instanceof WorkflowNotFoundError) return null;
  throw error;
}

/** What Temporal knows of the cycles. Throws what it answers, or a deadline exceeded. */
export function createCycles(client: Client): Cycles {
  const ask = <T>(question: () => Promise<T>, patience = DEADLINE) =>
    client.withDeadline(Date.now() + patience, question);
  const look = async (run: WorkflowExecutionInfo): Promise<CycleSeen> => {
    const handle = client.workflow.getHandle(run.workflowId, run.runId);
    const { name: status } = run.status;
    return {
      workflowId: run.workflowId,
      runId: run.runId,
      startedAt: run.startTime.toISOString(),
      endedAt: run.closeTime?.toISOString() ?? null,
      status,
      report: status === 'COMPLETED' ? ((await handle.result().catch(gone)) as CycleReport | null) : null,
    };
  };
  const endedSince = (since: Date) =>
    ask(async () => {
      const query = `WorkflowType = '${WORKFLOW_ID}' AND CloseTime >= '${since.toISOString()}'`;
      const ended: WorkflowExecutionInfo[] = [];
      for await (const run of client.workflow.list({ query, pageSize: PAGE })) ended.push(run);
      return ended.sort((a, b) => a.startTime.getTime() - b.startTime.getTime());
    });
  return {
    schedule: (patience) =>
      ask(async () => {
        try {
          const { action, state, info } = await client.schedule.getHandle(SCHEDULE_ID).describe();
          const [input] = (action.args ?? []) as readonly Partial<CycleInput>[];
          return {
            mode: input?.shadow === undefined ? 'live' : 'shadow',
            paused: state.paused,
            note: state.note ?? '',
            nextAt: info.nextActionTimes[0]?.toISOString() ?? null,
          };
        } catch (error) {
          if (error instanceof ScheduleNotFoundError) return null;
          throw error;
        }
      }, patience),
    recent: (count) =>
      ask(async () => {
        const seen: CycleSeen[] = [];
        for await (const run of client.workflow.list({
          query: `WorkflowType = '${WORKFLOW_ID}'`,
          pageSize: count,
        })) {
          if (seen.length === count) break;
          seen.push(await look(run));
        }
        return seen;
      }),
    report: ({ workflowId, runId }, patience) =>
      ask(() => client.workflow.getHandle(workflowId, runId).query(reportQuery), patience).catch(() => null),
    closed: async (since) =>
      (await endedSince(since)).map(({ workflowId, runId, startTime }) => ({
        workflowId,
        runId,
        startedAt: startTime.toISOString(),
      })),
    // Three months have thousands of them: each has a deadline of its own.
    finished: async (since) => pLimit(AT_ONCE).map(await endedSince(since), (run) => ask(() => look(run))),
    history: ({ workflowId, runId }) =>
      ask(async () => {
        try {
          return historyToJSON(await client.workflow.getHandle(workflowId, runId).fetchHistory());
        } catch (error) {
          if (isGrpcServiceError(error) && (error.code as number) === NOT_FOUND) return null;
          throw error;
        }
      }),
  };
}
