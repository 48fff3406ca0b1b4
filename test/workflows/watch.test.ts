import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Activities } from '../../src/activities/index.ts';
import { notYet, refused, transient } from '../../src/failures.ts';
import { watch } from '../../src/workflows/watch.ts';
import { fakeActivities } from '../support/fakes.ts';
import { startTimeSkipping, workflowBundle } from '../support/temporal.ts';

let server: TestWorkflowEnvironment;
beforeAll(async () => {
  server = await startTimeSkipping();
});
afterAll(() => server.teardown());

/** Watches with this activity while the test runs, on a clock that skips; gives the server's times of the looks, in ms. */
async function watching(
  look: Activities['watch'],
  test: (handle: WorkflowHandle<typeof watch>, looks: readonly number[]) => Promise<void>,
): Promise<void> {
  const looks: number[] = [];
  const taskQueue = randomUUID();
  const { activities } = fakeActivities({
    watch: async (input) => {
      looks.push(await server.currentTimeMs());
      return look(input);
    },
  });
  const worker = await Worker.create({
    connection: server.nativeConnection,
    taskQueue,
    workflowBundle: await workflowBundle(),
    activities,
  });
  await worker.runUntil(async () => {
    const handle = await server.client.workflow.start(watch, { taskQueue, workflowId: randomUUID() });
    await test(handle, looks);
    await server.client.workflow.getHandle(handle.workflowId).terminate();
  });
}

/** Seconds between looks. */
const pauses = (looks: readonly number[]) =>
  looks.slice(1).map((time, index) => Math.round((time - (looks[index] ?? 0)) / 1_000));

it('looks at the pace that the looks say, and leaves no more in its history than one look does', async () => {
  const quiet = async () => {
    throw notYet('Nothing new', 20_000);
  };
  await watching(quiet, async (handle, looks) => {
    await server.sleep('10m');
    expect(looks.length).toBeGreaterThanOrEqual(28);
    expect(new Set(pauses(looks))).toEqual(new Set([20]));
    const { events } = await handle.fetchHistory();
    expect(events?.length).toBeLessThan(10);
  });
});

it('goes on after looks that failed, also for good', async () => {
  const failures = [transient('no Temporal'), refused('no ledger'), transient('no Temporal')];
  const failing = async () => {
    const failure = failures.shift();
    throw failure ?? notYet('Nothing new', 60_000);
  };
  await watching(failing, async (handle, looks) => {
    await server.sleep('10m');
    expect(looks.length).toBeGreaterThanOrEqual(9);
    expect(new Set(pauses(looks))).toEqual(new Set([60]));
    expect((await handle.describe()).status.name).toBe('RUNNING');
  });
});

it('remembers for which cycle the heartbeat was called, through runs that each end after their looks', async () => {
  const inputs: string[] = [];
  const telling: Activities['watch'] = async ({ beatenUpTo }) => {
    inputs.push(beatenUpTo);
    return { told: ['mail: batch-held began'], beatenUpTo: String(inputs.length), every: 60_000 };
  };
  await watching(telling, async (handle, looks) => {
    const { startTime } = await handle.describe();
    const { firstExecutionRunId } = handle as unknown as { firstExecutionRunId: string };
    await server.sleep('70m');
    expect(new Set(pauses(looks))).toEqual(new Set([60]));
    expect(Date.parse(inputs[0] ?? '')).toBe(startTime.getTime());
    expect(inputs.slice(1)).toEqual(inputs.slice(1).map((_input, index) => String(index + 1)));
    expect(inputs.length).toBeGreaterThan(62);
    const first = server.client.workflow.getHandle(handle.workflowId, firstExecutionRunId);
    expect((await first.describe()).status.name).toBe('CONTINUED_AS_NEW');
    const now = server.client.workflow.getHandle(handle.workflowId);
    expect((await now.describe()).status.name).toBe('RUNNING');
  });
});
