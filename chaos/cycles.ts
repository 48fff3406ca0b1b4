import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { SCHEDULE_ID, WORKFLOW_ID } from '../src/schedule.ts';
import type { CycleReport } from '../src/workflows/report.ts';

/** One run of the cycle workflow, as Temporal lists it. */
export interface CycleRun {
  readonly workflowId: string;
  readonly runId: string;
  readonly startTime: Date;
  readonly closeTime: Date | undefined;
  /** `RUNNING`, `COMPLETED`, … */
  readonly status: string;
}

/** Runs some work on a Temporal that may be down: again and again until it is up. */
export type Ask = <T>(work: (client: Client) => Promise<T>) => Promise<T>;

/** Reaches the Temporal on a port of this machine. */
export function temporalAt(port: number): { readonly ask: Ask; readonly close: () => Promise<void> } {
  let connection: Connection | undefined;
  const close = async () => {
    await connection?.close();
    connection = undefined;
  };
  const ask: Ask = async (work) => {
    for (const end = Date.now() + 60_000; ; await sleep(300)) {
      try {
        connection ??= await Connection.connect({ address: `127.0.0.1:${port}`, connectTimeout: 1_000 });
        const client = new Client({ connection });
        return await connection.withDeadline(Date.now() + 40_000, () => work(client));
      } catch (error) {
        await close();
        if (Date.now() > end) throw error;
      }
    }
  };
  return { ask, close };
}

export function scheduleOf(client: Client) {
  return client.schedule.getHandle(SCHEDULE_ID);
}

/** Every run of the cycle, in the order of their starts. */
export async function listRuns(client: Client): Promise<readonly CycleRun[]> {
  const runs: CycleRun[] = [];
  const query = `WorkflowType = '${WORKFLOW_ID}'`;
  for await (const { workflowId, runId, startTime, closeTime, status } of client.workflow.list({ query })) {
    runs.push({ workflowId, runId, startTime, closeTime, status: status.name });
  }
  return runs.sort((a, b) => a.startTime.getTime() - b.startTime.getTime());
}

/** Waits until no cycle runs any more. False when one still does after so many milliseconds. */
export async function untilClosed(ask: Ask, patience: number): Promise<boolean> {
  const end = Date.now() + patience;
  while (Date.now() < end) {
    const runs = await ask(listRuns);
    if (runs.every(({ status }) => status !== 'RUNNING')) return true;
    await sleep(250);
  }
  return false;
}

/** The report of a cycle that has ended; null when it has none. */
export async function resultOf(
  client: Client,
  workflowId: string,
  runId: string,
): Promise<CycleReport | null> {
  const handle = client.workflow.getHandle(workflowId, runId);
  const { status } = await handle.describe();
  return status.name === 'COMPLETED' ? ((await handle.result()) as CycleReport) : null;
}

/** A history as text, with its payloads decoded: as it stands in JSON they are base64, in which no word can be found. */
export function historyText(history: History): string {
  return historyToJSON(history).replaceAll(
    /"data": ?"([A-Za-z0-9+/=]*)"/g,
    (_match, data: string) => `"data": ${Buffer.from(data, 'base64').toString('utf8')}`,
  );
}
