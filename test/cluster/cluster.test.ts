import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { expect, it, onTestFailed, onTestFinished } from 'vitest';
import { createPostgres } from '../../chaos/postgres.ts';
import { writeConfiguration } from '../../sandbox/configuration.ts';
import { judge } from '../../sandbox/judge.ts';
import { startSandbox } from '../../sandbox/sandbox.ts';
import { demoScenario } from '../../sandbox/scenario.ts';
import { followCycle, startCycle } from '../../src/run-cycle.ts';
import { SCHEDULE_ID, TASK_QUEUE } from '../../src/schedule.ts';
import type { CycleReport } from '../../src/workflows/report.ts';
import { startGatewayProcess, UNHURRIED } from '../support/gateway-process.ts';
import { startTemporalCluster } from '../support/cluster.ts';

// What docker-compose.yml runs in containers, as processes of this machine: a Temporal server of that version with the
// same jobs and the same environment, one PostgreSQL for it and for the ledger, and two workers.

const DAYS = 24 * 60 * 60;
/** Deadlines that a step does not miss because a worker was missed first. */
const PATIENT = Object.fromEntries(Object.keys(UNHURRIED).map((step) => [step, '150s']));

it(
  'carries a cycle to its end though one of its two workers is killed half-way',
  { timeout: 400_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'passerelle-cluster-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const postgres = await createPostgres();
    onTestFinished(() => postgres.stop());
    await postgres.start();
    const cluster = await startTemporalCluster(folder, new URL(postgres.url));
    onTestFinished(() => cluster.stop());
    // `docker compose up` runs the jobs each time.
    await cluster.setUpAgain();
    const { namespaceInfo, config } = await cluster.client.workflowService.describeNamespace({
      namespace: cluster.namespace,
    });
    expect(namespaceInfo?.name).toBe('passerelle');
    expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(90 * DAYS);

    // The dead worker is missed after ten seconds, which must be few of the sandbox's minutes.
    const sandbox = await startSandbox({ folder, halfHour: 45_000, scenario: demoScenario, held: true });
    onTestFinished(() => sandbox.stop());
    const { path, environment } = await writeConfiguration(sandbox, {
      folder,
      scenario: demoScenario,
      overrides: {
        schedule: { cron: '0 0 1 1 *' },
        // Proshop's next stock must not come while the dead worker's attempt runs out.
        proshop: { every: '10m' },
        waits: { ...PATIENT, heartbeat: '3s' },
      },
    });
    await mkdir(join(folder, 'data'), { recursive: true });
    const variables = {
      ...environment,
      DATABASE_URL: postgres.url,
      TEMPORAL_ADDRESS: cluster.address,
      TEMPORAL_NAMESPACE: cluster.namespace,
    };
    const workers = [startGatewayProcess(path, variables), startGatewayProcess(path, variables)];
    onTestFinished(async () => void (await Promise.all(workers.map((worker) => worker.end('SIGTERM')))));
    onTestFailed(() => console.error(workers.map((worker) => worker.output()).join('\n')));
    await Promise.all(workers.map((worker) => worker.ready()));
    await untilPolling(cluster, 2);

    sandbox.clock.go();
    await sandbox.clock.until(55);
    const run = await startCycle(cluster.client);
    let killed: Promise<string> | undefined;
    let latest: CycleReport | undefined;
    // What a person would ask for first.
    onTestFailed(() => console.error(JSON.stringify(latest, null, 1)));
    const report = await followCycle(cluster.client, run, (now) => {
      latest = now;
      // Step 4 waits for Proshop: some worker is at it for a while.
      const isHalfWay = now.steps.some(({ name, state }) => name === 'collectStock' && state === 'running');
      if (isHalfWay) killed ??= killTheOneAtWork(cluster.client, run);
    });
    const victim = await killed;
    expect(victim).toBeDefined();
    expect(report.outcome).toBe('complete');
    expect(judge(sandbox.truth()).checks.filter(({ ok }) => !ok)).toEqual([]);

    // Work was begun by the victim, and all of it was ended by somebody, in the end by the other one.
    const history = await cluster.client.workflow.getHandle(run.workflowId, run.runId).fetchHistory();
    const ended = (history.events ?? []).flatMap(
      ({ activityTaskCompletedEventAttributes: done }) => done?.identity ?? [],
    );
    expect(ended.at(-1)).not.toBe(victim);
    expect(await cluster.client.schedule.getHandle(SCHEDULE_ID).describe()).toMatchObject({
      scheduleId: SCHEDULE_ID,
    });
  },
);

/** Kills the worker that has the running activity. Gives its identity, `pid@host`, the SDK's own. */
async function killTheOneAtWork(
  client: Client,
  run: { readonly workflowId: string; readonly runId: string },
): Promise<string> {
  const handle = client.workflow.getHandle(run.workflowId, run.runId);
  for (const end = Date.now() + 30_000; Date.now() < end; await sleep(100)) {
    const { raw } = await handle.describe();
    const identity = raw.pendingActivities?.[0]?.lastWorkerIdentity ?? '';
    const pid = Number(identity.split('@')[0]);
    if (pid > 0) {
      process.kill(pid, 'SIGKILL');
      return identity;
    }
  }
  throw new Error('Expected an activity that some worker has, got none within 30 s');
}

async function untilPolling(
  { client, namespace }: { readonly client: Client; readonly namespace: string },
  count: number,
): Promise<void> {
  for (const end = Date.now() + 30_000; ; await sleep(250)) {
    const { pollers } = await client.workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name: TASK_QUEUE },
      // Activities.
      taskQueueType: 2,
    });
    if (new Set(pollers.map(({ identity }) => identity)).size >= count) return;
    if (Date.now() > end) throw new Error(`Expected ${count} workers that poll, got ${pollers.length}`);
  }
}
