import { setTimeout as sleep } from 'node:timers/promises';
import { ScheduleOverlapPolicy, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { SCHEDULE_ID, WORKFLOW_ID } from './schedule.ts';
import { reportQuery, type CycleReport } from './workflows/report.ts';

export interface CycleRun {
  readonly workflowId: string;
  readonly runId: string;
}

export interface StartedCycle extends CycleRun {
  /** False when a cycle was running already: there is never a second one beside it. */
  readonly started: boolean;
}

/** What the running step waits for, as its last attempt said. */
export interface Waiting {
  readonly attempt: number;
  readonly message: string;
}

const PACE = 250;
const DEADLINE = 10_000;
const PATIENCE = 30_000;

/** Starts a cycle through the schedule, so that it obeys the schedule's overlap rule; gives the one that runs already if any. */
export async function startCycle(client: Client): Promise<StartedCycle> {
  const running = await runningCycle(client);
  if (running !== null) return { ...running, started: false };
  const schedule = client.schedule.getHandle(SCHEDULE_ID);
  const before = new Set((await recentRuns(client)).map(({ runId }) => runId));
  await schedule.trigger(ScheduleOverlapPolicy.SKIP);
  for (let look = 0; look < 120; look++) {
    await sleep(PACE);
    const run = (await recentRuns(client)).find(({ runId }) => !before.has(runId));
    if (run !== undefined) return { ...run, started: true };
  }
  throw new Error(`Expected the schedule ${SCHEDULE_ID} to start a cycle within 30 s, got none`);
}

/**
 * Follows a cycle to its end; `show` gets its report again and again, and `noReport` is told, once, when none comes.
 * @throws what Temporal answers when it cannot be asked for half a minute, or when the cycle failed.
 */
export async function followCycle(
  client: Client,
  run: CycleRun,
  show: (report: CycleReport, waiting: Waiting | null) => void,
  noReport: () => void = () => undefined,
): Promise<CycleReport> {
  const handle = client.workflow.getHandle(run.workflowId, run.runId);
  // A call without a deadline whose answer is lost is waited for for ever.
  const ask = <T>(question: () => Promise<T>) => client.withDeadline(Date.now() + DEADLINE, question);
  let tellSilenceAt = Date.now() + DEADLINE;
  for (let answeredAt = Date.now(); ; await sleep(PACE)) {
    try {
      const { closeTime, raw } = await ask(() => handle.describe());
      answeredAt = Date.now();
      if (closeTime !== undefined) break;
      const pending = raw.pendingActivities?.[0];
      const message = pending?.lastFailure?.message;
      const waiting = message == null ? null : { attempt: pending?.attempt ?? 1, message };
      // Refused before the first step has begun and while a person has paused the workflow.
      const report = await ask(() => handle.query(reportQuery)).catch(() => null);
      if (report !== null) {
        show(report, waiting);
        tellSilenceAt = Infinity;
      } else if (Date.now() > tellSilenceAt) {
        noReport();
        tellSilenceAt = Infinity;
      }
    } catch (error) {
      if (error instanceof WorkflowNotFoundError || Date.now() - answeredAt > PATIENCE) throw error;
    }
  }
  const report = (await client.withDeadline(Date.now() + PATIENCE, () => handle.result())) as CycleReport;
  show(report, null);
  return report;
}

/** The cycle that has begun and not ended, also while a person has paused it. */
export async function runningCycle(client: Client): Promise<CycleRun | null> {
  const query = `WorkflowType = '${WORKFLOW_ID}' AND CloseTime IS NULL`;
  for await (const { workflowId, runId } of client.workflow.list({ query })) return { workflowId, runId };
  return null;
}

async function recentRuns(client: Client): Promise<readonly CycleRun[]> {
  const { info } = await client.schedule.getHandle(SCHEDULE_ID).describe();
  return info.recentActions.map(({ action: { workflow } }) => ({
    workflowId: workflow.workflowId,
    runId: workflow.firstExecutionRunId,
  }));
}
