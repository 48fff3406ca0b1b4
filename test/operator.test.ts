import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Activities } from '../src/activities/index.ts';
import type { Config } from '../src/config.ts';
import { refused } from '../src/failures.ts';
import { createOperator, NoAnswer, Refusal, type Operator } from '../src/operator.ts';
import { startCycle } from '../src/run-cycle.ts';
import { SCHEDULE_ID, TASK_QUEUE, upsertSchedules } from '../src/schedule.ts';
import { statusLines } from '../src/workflows/labels.ts';
import { fakeActivities, INPUT } from './support/fakes.ts';
import { startDevServer, workflowBundle } from './support/temporal.ts';

const config = {
  schedule: { cron: '0 3 1 1 *', catchUp: 60_000 },
  timeZone: 'Europe/Paris',
  waits: { ...INPUT.waits, decision: 60_000 },
} as Config;

let server: TestWorkflowEnvironment;
let operator: Operator;
let impatient: Operator;
beforeAll(async () => {
  server = await startDevServer();
  operator = createOperator(server.client);
  impatient = createOperator(server.client, 2_000);
});
afterAll(() => server.teardown());

async function working<T>(change: Partial<Activities>, work: () => Promise<T>): Promise<T> {
  const worker = await Worker.create({
    connection: server.nativeConnection,
    taskQueue: TASK_QUEUE,
    workflowBundle: await workflowBundle(),
    activities: fakeActivities(change).activities,
  });
  return worker.runUntil(work);
}

/** What the operator's command writes on stdout, when it ends well. */
async function command(words: readonly string[]): Promise<string> {
  const client = join(import.meta.dirname, '..', 'src', 'client.ts');
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', client, ...words], {
    env: { PATH: process.env.PATH, TEMPORAL_ADDRESS: server.address },
  });
  return stdout;
}

const HELD: Partial<Activities> = {
  prepareStock: async (input) => ({
    ...(await fakeActivities().activities.prepareStock(input)),
    passed: false,
    reasons: [{ rule: 'toZero', message: 'Expected less, got more' }],
    rules: ['toZero'],
  }),
};

describe('the operator', () => {
  it('is told when no gateway has ever run', async () => {
    expect(
      statusLines({
        schedule: await impatient.status().then(({ schedule }) => schedule),
        running: null,
        last: [],
        orders: null,
      })[0],
    ).toContain('Temporal ne connaît pas encore la passerelle');
  });

  it('pauses with a reason, resumes, and sees both; a deployment keeps the pause', async () => {
    await upsertSchedules(server.client, config);
    await working({}, async () => {
      await operator.pause('inventaire');
      await upsertSchedules(server.client, config);
      const paused = await operator.status();
      expect(paused.schedule).toMatchObject({ paused: true, note: 'inventaire' });
      expect(statusLines(paused).slice(0, 2)).toEqual([
        'Programmation : en pause : inventaire',
        'Mode : en service',
      ]);
      await operator.resume();
      const { schedule } = await operator.status();
      expect(schedule).toMatchObject({ paused: false, nextAt: expect.stringContaining('-01-01T02:00:00') });
    });
  });

  it('sees a held update, is refused a wrong word, decides, and reads the outcome', async () => {
    await working(HELD, async () => {
      await expect(operator.decide({ answer: 'skip', who: 'Anne', why: 'essai' })).rejects.toThrow(
        new Refusal('Aucune mise à jour du stock n’est retenue en ce moment.'),
      );
      const run = await startCycle(server.client);
      expect(run.started).toBe(true);
      let status = await operator.status();
      while (status.running?.report?.holds === undefined) {
        await sleep(100);
        status = await operator.status();
      }
      const lines = statusLines(status).join('\n');
      expect(lines).toMatch(
        /Cycle en cours depuis .* : Mise à jour du stock retenue : décision attendue avant/,
      );
      expect(lines).toContain('npm run client -- decide apply');
      await expect(operator.decide({ answer: 'skip', who: '', why: 'essai' })).rejects.toThrow(
        /^Attendu : .*reçu : {"answer":"skip","who":"","why":"essai"}$/,
      );
      expect((await startCycle(server.client)).started).toBe(false);
      expect(await operator.decide({ answer: 'skip', who: 'Anne', why: 'essai' })).toBe(
        'Noté : mise à jour ignorée, décision de Anne.',
      );
      while ((await operator.status()).running !== null) await sleep(100);
      const { last } = await operator.status();
      expect(last[0]).toMatchObject({
        status: 'COMPLETED',
        report: { outcome: 'held', holds: [{ decision: { who: 'Anne' } }] },
      });
      expect(statusLines(await operator.status()).join('\n')).toMatch(
        /à \d\d:\d\d : retenu, \d+ s\n +⚠ Le contrôle/,
      );
    });
  });

  it('says a decision again that no worker heard', async () => {
    await working(HELD, async () => {
      await startCycle(server.client);
      while ((await operator.status()).running?.report?.holds === undefined) await sleep(100);
    });
    const decided = operator.decide({ answer: 'skip', who: 'Anne', why: 'essai' });
    // A worker that takes the task and says nothing of the update in it.
    const { workflowService } = server.client;
    const { taskToken } = await server.client.withDeadline(Date.now() + 60_000, () =>
      workflowService.pollWorkflowTaskQueue({
        namespace: server.namespace ?? 'default',
        taskQueue: { name: TASK_QUEUE },
        identity: 'deaf',
      }),
    );
    await workflowService.respondWorkflowTaskCompleted({ taskToken, identity: 'deaf' });
    await working(HELD, async () => {
      expect(await decided).toBe('Noté : mise à jour ignorée, décision de Anne.');
      while ((await operator.status()).running !== null) await sleep(100);
    });
  });

  it('goes on where it was after somebody paused the running cycle between two steps', async () => {
    const { workflowService } = server.client;
    const called: string[] = [];
    let goOn: () => void = () => undefined;
    const pause = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const { activities } = fakeActivities();
    const change: Partial<Activities> = {
      deliverOrders: async (input) => {
        called.push('deliverOrders');
        await pause;
        return activities.deliverOrders(input);
      },
      awaitOrdersTaken: async (input) => {
        called.push('awaitOrdersTaken');
        return activities.awaitOrdersTaken(input);
      },
    };
    await working(change, async () => {
      const run = await startCycle(server.client);
      const what = {
        namespace: 'default',
        workflowId: run.workflowId,
        runId: run.runId,
        identity: 'Anne',
        reason: 'essai',
        requestId: randomUUID(),
      };
      while (called.length === 0) await sleep(100);
      await workflowService.pauseWorkflowExecution(what);
      goOn();
      await sleep(3_000);
      const seen = statusLines(await operator.status());
      expect(seen[2]).toMatch(
        /^Cycle en pause, commencé .* : il ne fait rien, et aucun autre ne part, avant/,
      );
      expect(await startCycle(server.client)).toEqual({ ...run, started: false });
      await expect(operator.decide({ answer: 'skip', who: 'Anne', why: 'essai' })).rejects.toThrow(
        new Refusal('Le cycle est en pause : il n’entend rien avant Unpause Workflow, dans sa page.'),
      );
      expect(called).toEqual(['deliverOrders']);
      await workflowService.unpauseWorkflowExecution(what);
      while ((await operator.status()).running !== null) await sleep(100);
      expect((await operator.status()).last[0]).toMatchObject({ report: { outcome: 'complete' } });
    });
    expect(called).toEqual(['deliverOrders', 'awaitOrdersTaken']);
  });

  it('asks for orders, for one, and settles', async () => {
    const asked: unknown[] = [];
    const change: Partial<Activities> = {
      orderJourney: async (id) => {
        asked.push(id);
        return null;
      },
      settleOrders: async (input) => {
        asked.push(input);
        return { settled: [1], neverSent: [], nothingToSettle: [2] };
      },
    };
    await working(change, async () => {
      expect((await operator.orders()).outstanding.total).toBe(0);
      expect(await operator.order(1201)).toBeNull();
      expect(await operator.settle({ ids: [1, 2], why: 'saisie' })).toEqual({
        settled: [1],
        neverSent: [],
        nothingToSettle: [2],
      });
    });
    expect(asked).toEqual([1201, { ids: [1, 2], why: 'saisie' }]);
  });

  it('asks for the orders sent since a day, and is refused a wrong one', async () => {
    const change: Partial<Activities> = {
      ordersSent: async (since) => {
        if (since === 'hier') throw refused('Expected a day such as 2026-11-24, got hier');
        return { since, orders: [4, 9, 10] };
      },
    };
    await working(change, async () => {
      expect(await operator.ordersSent('2026-11-24')).toEqual({ since: '2026-11-24', orders: [4, 9, 10] });
      await expect(operator.ordersSent('hier')).rejects.toThrow(
        new Refusal('Refusé : Expected a day such as 2026-11-24, got hier'),
      );
      const typed = ['orders', 'sent', '--since', '2026-11-24'];
      // As it is added to a file: nothing else stands on stdout.
      expect(await command(typed)).toBe('4\n9\n10\n');
      expect(await command([...typed, '--json'])).toBe('{"since":"2026-11-24","orders":[4,9,10]}\n');
    });
  });

  it('is told of a cycle that came to no end of its own', async () => {
    const id = randomUUID();
    const handle = await server.client.workflow.start('cycle', {
      taskQueue: 'nobody',
      workflowId: id,
      args: [INPUT],
    });
    await handle.terminate('essai');
    // The list of workflows follows within a second or so.
    let { last } = await working({}, () => operator.status());
    while (last[0]?.workflowId !== id) ({ last } = await working({}, () => operator.status()));
    expect(statusLines({ schedule: null, running: null, last, orders: null })[3]).toMatch(
      /: arrêté de force, 0 s$/,
    );
  });

  it('sees a cycle that runs and does not answer', async () => {
    const handle = await server.client.workflow.start('cycle', {
      taskQueue: 'nobody',
      workflowId: randomUUID(),
      args: [INPUT],
    });
    let { running } = await impatient.status();
    while (running === null) ({ running } = await impatient.status());
    await handle.terminate('essai');
    expect(statusLines({ schedule: null, running, last: [], orders: null })[1]).toMatch(
      /^Cycle en cours depuis .* : il ne répond pas/,
    );
  });

  it('says so when the gateway does not answer', async () => {
    const handle = server.client.schedule.getHandle(SCHEDULE_ID);
    expect((await handle.describe()).state.paused).toBe(false);
    await expect(impatient.orders()).rejects.toThrow(NoAnswer);
    expect(statusLines(await impatient.status()).at(-1)).toContain('Temporal répond, mais la passerelle non');
  });
});
