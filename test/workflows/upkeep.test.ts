import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Deps } from '../../src/activities/deps.ts';
import { cycleFolder } from '../../src/activities/open-cycle.ts';
import { upkeep as upkeepActivity, type UpkeepResult } from '../../src/activities/upkeep.ts';
import { createArchive } from '../../src/archive.ts';
import { loadConfig, type Config } from '../../src/config.ts';
import { createCycles } from '../../src/cycles.ts';
import { notYet } from '../../src/failures.ts';
import { TASK_QUEUE, UPKEEP_SCHEDULE_ID, upsertSchedules } from '../../src/schedule.ts';
import { cycle } from '../../src/workflows/cycle.ts';
import { upkeepSentence } from '../../src/workflows/labels.ts';
import { upkeep } from '../../src/workflows/upkeep.ts';
import { fakeActivities, INPUT } from '../support/fakes.ts';
import { startDevServer, startTimeSkipping, workflowBundle } from '../support/temporal.ts';

describe('the upkeep on a Temporal of its own', () => {
  let temporal: TestWorkflowEnvironment;
  let root: string;
  let config: Config;
  let fetched: string[];
  beforeAll(async () => {
    temporal = await startDevServer();
    root = await mkdtemp(join(tmpdir(), 'passerelle-histories-'));
    const url = 'http://127.0.0.1/?secure_key=k3y-k3y-k3y';
    const example = loadConfig(join(import.meta.dirname, '..', '..', 'passerelle.example.yaml'), {
      FTP_PASSWORD: 'sesame-sesame',
      SHOP_EXPORT_ORDERS_URL: url,
      SHOP_IMPORT_PRODUCTS_URL: url,
      SHOP_UPDATE_STOCK_URL: url,
    });
    config = {
      ...example,
      schedule: { ...example.schedule, cron: '0 0 1 1 *' },
      archive: { ...example.archive, folder: root },
    };
    await upsertSchedules(temporal.client, config);
  });
  afterAll(async () => {
    await temporal.teardown();
    await rm(root, { recursive: true, force: true });
  });
  beforeEach(() => {
    fetched = [];
  });

  /** Runs something while a worker does the upkeep, and cycles in which Proshop never takes the orders of those named so. */
  const whileWorking = async <T>(work: () => Promise<T>): Promise<T> => {
    const real = createCycles(temporal.client);
    const cycles = {
      ...real,
      history: (run: Parameters<typeof real.history>[0]) => {
        fetched.push(run.runId);
        return real.history(run);
      },
    };
    const ledger = { forgetCustomers: async () => 3, forgetSightings: async () => undefined };
    const archive = createArchive(root);
    const fakes = fakeActivities().activities;
    const { activities } = fakeActivities({
      openCycle: async (input) => ({
        ...(await fakes.openCycle(input)),
        folder: cycleFolder({ id: input.id, startedAt: new Date(input.startedAt) }, config.timeZone),
      }),
      deliverOrders: async (input) => {
        if (Context.current().info.workflowExecution?.workflowId === 'cycle-endless')
          throw notYet('still there');
        return fakes.deliverOrders(input);
      },
      upkeep: upkeepActivity({ config, archive, cycles, ledger } as unknown as Deps),
    });
    const worker = await Worker.create({
      connection: temporal.nativeConnection,
      taskQueue: TASK_QUEUE,
      workflowBundle: await workflowBundle(),
      activities,
    });
    return worker.runUntil(work());
  };
  const isClosed = async (runId: string) => {
    const found = await createCycles(temporal.client).closed(new Date(0));
    return found.some((run) => run.runId === runId);
  };
  /** As the schedule starts it. */
  const runUpkeep = async (): Promise<{ result: UpkeepResult; workflowId: string }> => {
    const schedule = temporal.client.schedule.getHandle(UPKEEP_SCHEDULE_ID);
    const before = (await schedule.describe()).info.numActionsTaken;
    await schedule.trigger();
    await expect.poll(async () => (await schedule.describe()).info.numActionsTaken).toBe(before + 1);
    const last = (await schedule.describe()).info.recentActions.at(-1)?.action.workflow;
    const workflowId = last?.workflowId ?? '';
    const result = (await temporal.client.workflow.getHandle(workflowId).result()) as UpkeepResult;
    return { result, workflowId };
  };
  const archived = async () => {
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
      .sort();
  };

  it('archives the histories of cycles that ended well and that were terminated, once, so that they replay', async () => {
    const { report, terminated, first } = await whileWorking(async () => {
      const report = await temporal.client.workflow.execute(cycle, {
        args: [INPUT],
        taskQueue: TASK_QUEUE,
        workflowId: 'cycle-whole',
      });
      const endless = await temporal.client.workflow.start(cycle, {
        args: [INPUT],
        taskQueue: TASK_QUEUE,
        workflowId: 'cycle-endless',
      });
      const running = await temporal.client.workflow.start(cycle, {
        args: [INPUT],
        taskQueue: 'nobody',
        workflowId: 'cycle-running',
      });
      await expect
        .poll(async () => (await endless.describe()).raw.pendingActivities?.[0]?.lastFailure?.message)
        .toBe('still there');
      await endless.terminate();
      const terminated = endless.firstExecutionRunId;
      await expect.poll(() => isClosed(report.cycle.id)).toBe(true);
      await expect.poll(() => isClosed(terminated)).toBe(true);
      const { startTime } = await endless.describe();
      const first = await runUpkeep();
      await running.terminate();
      return { report, terminated: { id: terminated, startedAt: startTime }, first };
    });
    const folders = [report.cycle.folder ?? '', cycleFolder(terminated, config.timeZone)];
    expect(await archived()).toEqual(folders.map((folder) => `${folder}/history.json`).sort());
    const sizes = await Promise.all(
      folders.map(async (folder) => (await stat(join(root, folder, 'history.json'))).size),
    );
    expect(first.result).toEqual({
      histories: 2,
      bytes: (sizes[0] ?? 0) + (sizes[1] ?? 0),
      lost: 0,
      purgedDays: 0,
      forgottenOrders: 3,
    });
    expect(fetched.sort()).toEqual([report.cycle.id, terminated.id].sort());

    const histories = await Promise.all(
      folders.map(async (folder) => ({
        workflowId: folder,
        history: JSON.parse(await readFile(join(root, folder, 'history.json'), 'utf8')) as {
          events: {
            eventType: string;
            activityTaskScheduledEventAttributes?: { activityType: { name: string } };
          }[];
        },
      })),
    );
    expect(histories.map(({ history }) => history.events.at(-1)?.eventType)).toEqual([
      'EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED',
      'EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED',
    ]);
    expect(await replay(histories)).toEqual({
      [folders[0] ?? '']: 'replayed',
      [folders[1] ?? '']: 'replayed',
    });
    for (const { history } of histories)
      for (const event of history.events) {
        const type = event.activityTaskScheduledEventAttributes?.activityType;
        if (type?.name === 'exportOrders') type.name = 'exportPizza';
      }
    expect(new Set(Object.values(await replay(histories)))).toEqual(new Set(['DeterminismViolationError']));
  });

  it('fetches and writes nothing twice', async () => {
    await expect.poll(async () => (await createCycles(temporal.client).closed(new Date(0))).length).toBe(3);
    // The one that ran on while the others were archived.
    expect((await whileWorking(runUpkeep)).result).toMatchObject({ histories: 1 });
    expect(fetched).toHaveLength(1);
    const paths = await archived();
    const times = await Promise.all(paths.map(async (path) => (await stat(join(root, path))).mtimeMs));
    fetched = [];
    expect((await whileWorking(runUpkeep)).result).toMatchObject({ histories: 0, bytes: 0 });
    expect([fetched, await archived()]).toEqual([[], paths]);
    expect(await Promise.all(paths.map(async (path) => (await stat(join(root, path))).mtimeMs))).toEqual(
      times,
    );
  });

  it('tells in French what it is and what it did', async () => {
    const { workflowId, details } = await whileWorking(async () => {
      const { workflowId } = await runUpkeep();
      const handle = temporal.client.workflow.getHandle(workflowId);
      const details = await handle.query<string>('__temporal_workflow_metadata');
      return { workflowId, details: JSON.stringify(details) };
    });
    const description = await temporal.client.workflow.getHandle(workflowId).describe();
    expect(await description.staticSummary()).toBe('Entretien quotidien');
    expect(await description.staticDetails()).toContain('Chaque nuit');
    expect(details).toContain('aucun historique à archiver');
  });

  it('has no history of a cycle that Temporal does not know', async () => {
    const unknown = { workflowId: 'cycle-unknown', runId: randomUUID(), startedAt: '' };
    expect(await createCycles(temporal.client).history(unknown)).toBeNull();
  });
});

const replay = async (saved: readonly { workflowId: string; history: unknown }[]) => {
  const outcomes: Record<string, string> = {};
  const replayed = Worker.runReplayHistories({ workflowBundle: await workflowBundle() }, saved);
  for await (const { workflowId, error } of replayed) outcomes[workflowId] = error?.name ?? 'replayed';
  return outcomes;
};

describe('an upkeep that does not succeed', () => {
  it('is tried for half a day, and then told as failed', async () => {
    const temporal = await startTimeSkipping();
    try {
      let attempts = 0;
      const { activities } = fakeActivities({
        upkeep: async () => {
          attempts++;
          throw new Error('no disk');
        },
      });
      const taskQueue = randomUUID();
      const worker = await Worker.create({
        connection: temporal.nativeConnection,
        taskQueue,
        workflowBundle: await workflowBundle(),
        activities,
      });
      const run = temporal.client.workflow.execute(upkeep, { taskQueue, workflowId: taskQueue });
      await expect(worker.runUntil(run)).rejects.toThrow('Workflow execution failed');
      expect(attempts).toBeGreaterThan(60);
    } finally {
      await temporal.teardown();
    }
  });
});

it.each([
  [
    { histories: 48, bytes: 2_400_000, lost: 0, purgedDays: 1, forgottenOrders: 12 },
    /^48 historiques archivés \(2\s400\s000 octets\), 1 jour effacé de l’archive, 12 commandes dont le client est oublié$/,
  ],
  [
    { histories: 0, bytes: 0, lost: 2, purgedDays: 0, forgottenOrders: 0 },
    /^aucun historique à archiver, 2 historiques déjà effacés par Temporal, aucun jour à effacer de l’archive$/,
  ],
])('is told in a sentence: %o', (done, sentence) => {
  expect(upkeepSentence(done)).toMatch(sentence);
});
