import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { WorkflowFailedError, type WorkflowUpdateFailedError } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CollectStockInput } from '../../src/activities/collect-stock.ts';
import type { Activities } from '../../src/activities/index.ts';
import { badData, notYet, refused, shopBusy, transient } from '../../src/failures.ts';
import { cycle } from '../../src/workflows/cycle.ts';
import { decideUpdate } from '../../src/workflows/decision.ts';
import { reportTable } from '../../src/workflows/labels.ts';
import {
  hurrySignal,
  reportQuery,
  STEPS,
  type Answer,
  type CycleReport,
  type StepName,
} from '../../src/workflows/report.ts';
import { fakeActivities, INPUT } from '../support/fakes.ts';
import { startTimeSkipping, workflowBundle } from '../support/temporal.ts';

let server: TestWorkflowEnvironment;
beforeAll(async () => {
  server = await startTimeSkipping();
});
afterAll(() => server.teardown());

interface Run {
  readonly report: CycleReport;
  readonly calls: readonly string[];
}

async function runCycle(change: Partial<Activities> = {}): Promise<Run> {
  const { activities, calls } = fakeActivities(change);
  const taskQueue = randomUUID();
  const worker = await Worker.create({
    connection: server.nativeConnection,
    taskQueue,
    workflowBundle: await workflowBundle(),
    activities,
  });
  const report = await worker.runUntil(
    server.client.workflow.execute(cycle, { args: [INPUT], taskQueue, workflowId: randomUUID() }),
  );
  return { report, calls };
}

const fail = (error: () => Error) => async (): Promise<never> => {
  throw error();
};
const failAt = (step: 1 | 6, error: () => Error): Pick<Activities, 'exportOrders'> => ({
  exportOrders: async (input) => {
    if (input.step === step) throw error();
    return fakeActivities().activities.exportOrders(input);
  },
});
const stepOf = (report: CycleReport, name: StepName) => {
  const step = report.steps.find((candidate) => candidate.name === name);
  if (step === undefined) throw new Error(`no step ${name}`);
  return step;
};
const states = (report: CycleReport) => report.steps.map(({ state }) => state).join(' ');
const alarms = (report: CycleReport) => report.alarms.map(({ kind, step }) => `${kind} ${step}`);
/** Whole minutes that a step took, of the server's skipped time. */
const minutes = (report: CycleReport, name: StepName) => {
  const { startedAt, endedAt } = stepOf(report, name);
  return Math.round((Date.parse(endedAt ?? '') - Date.parse(startedAt ?? '')) / 60_000);
};

describe('a cycle in which all goes well', () => {
  it('does the eight steps of the note in their order', async () => {
    const { report, calls } = await runCycle();
    expect(calls).toEqual([
      'openCycle',
      'exportOrders 1',
      'deliverOrders',
      'awaitOrdersTaken',
      'collectStock',
      'createProducts',
      'exportOrders 6',
      'prepareStock',
      'updateStock',
      'closeCycle',
    ]);
    expect(report.steps.map(({ name }) => name)).toEqual([...STEPS]);
    expect(states(report)).toBe('done done done done done done done done');
    expect(report).toMatchObject({ outcome: 'complete', alarms: [] });
  });

  it('says by the worker’s clock how old the orders are, not by Temporal’s', async () => {
    const askedAt = '2031-01-01T00:00:00.000Z';
    const told: string[] = [];
    const fakes = fakeActivities().activities;
    await runCycle({
      exportOrders: async (input) => ({ ...(await fakes.exportOrders(input)), askedAt }),
      updateStock: async (input) => {
        told.push(input.lateOrdersAt);
        return fakes.updateStock(input);
      },
    });
    expect(told).toEqual([askedAt]);
  });

  it('reports what, when and how many of each step', async () => {
    const { report } = await runCycle();
    expect(stepOf(report, 'deliverOrders')).toMatchObject({
      number: 2,
      facts: { file: '/import/ventes.xml', orders: 3, archived: { size: 1_234 } },
      why: null,
    });
    for (const { startedAt, endedAt } of report.steps) {
      expect(Date.parse(endedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(startedAt ?? ''));
    }
  });

  it('hands the stock update on to the shop as it was prepared, and the file that stood at the start to the collector', async () => {
    const seen: unknown[] = [];
    const note =
      <T>(result: T) =>
      async (input: unknown): Promise<T> => {
        seen.push(input);
        return result;
      };
    const { activities } = fakeActivities();
    await runCycle({
      collectStock: note(await activities.collectStock({} as never)),
      updateStock: note(await activities.updateStock({} as never)),
    });
    expect(seen).toMatchObject([
      { standing: { size: 7 } },
      { exportId: 'e', update: { path: '2026-11-24/10h25-3f2a91c0/file' } },
    ]);
  });
});

describe('evidence', () => {
  it('is looked for at an even pace, and the cycle goes on as soon as it is there', async () => {
    let looks = 0;
    const { report } = await runCycle({
      awaitOrdersTaken: async () => {
        if (++looks < 13) throw notYet('ventes.xml still there');
        return { taken: 1, orders: 3 };
      },
    });
    expect(looks).toBe(13);
    expect(minutes(report, 'awaitOrdersTaken')).toBe(3);
    expect(report.outcome).toBe('complete');
  });
});

describe('when a deadline passes', () => {
  it('1: the cycle goes on with the orders that the ledger knows', async () => {
    const { report, calls } = await runCycle(failAt(1, () => transient('the shop answers 500')));
    expect(minutes(report, 'exportOrders')).toBe(4);
    expect(calls.filter((call) => call === 'exportOrders 1').length).toBeGreaterThan(5);
    expect(calls).toContain('deliverOrders');
    expect(states(report)).toBe('failed done done done done done done done');
    expect(report.outcome).toBe('degraded');
    expect(alarms(report)).toEqual(['step-failed 1']);
    expect(stepOf(report, 'exportOrders').why).toEqual({
      type: 'Transient',
      message: 'the shop answers 500',
    });
  });

  it('2: the orders wait, and the rest goes on', async () => {
    const { report } = await runCycle({ deliverOrders: fail(() => transient('the FTP server is down')) });
    expect(minutes(report, 'deliverOrders')).toBe(3);
    expect(states(report)).toBe('done failed done done done done done done');
    expect(report.outcome).toBe('degraded');
    expect(alarms(report)).toEqual(['step-failed 2']);
  });

  it('3: the alarm is raised, and the cycle goes on with the orders outstanding', async () => {
    const { report } = await runCycle({
      awaitOrdersTaken: fail(() => notYet('ventes.xml still there (4812 bytes)')),
    });
    expect(minutes(report, 'awaitOrdersTaken')).toBe(10);
    expect(states(report)).toBe('done done failed done done done done done');
    expect(report.outcome).toBe('degraded');
    expect(alarms(report)).toEqual(['orders-not-taken 3']);
    expect(stepOf(report, 'awaitOrdersTaken').why).toEqual({
      type: 'NotYet',
      message: 'ventes.xml still there (4812 bytes)',
    });
  });

  it('4: no stock is written, the late orders are still seen, the alarm is raised', async () => {
    const { report, calls } = await runCycle({ collectStock: fail(() => notYet('No ExportCSV yet')) });
    expect(minutes(report, 'collectStock')).toBe(20);
    expect(states(report)).toBe('done done done failed skipped done skipped skipped');
    expect(calls).not.toContain('createProducts');
    expect(calls).not.toContain('prepareStock');
    expect(calls).not.toContain('updateStock');
    expect(calls.at(-1)).toBe('closeCycle');
    expect(alarms(report)).toEqual(['no-fresh-stock 4']);
    expect(report.outcome).toBe('degraded');
  });

  it('5: it is reported, and the stock update goes on without it', async () => {
    const { report } = await runCycle({
      createProducts: fail(() => notYet('The shop is running another import')),
    });
    expect(minutes(report, 'createProducts')).toBe(5);
    expect(states(report)).toBe('done done done done failed done done done');
    expect(report.outcome).toBe('degraded');
    expect(alarms(report)).toEqual(['step-failed 5']);
  });

  it('6: without the late orders no stock is written', async () => {
    const { report, calls } = await runCycle(failAt(6, () => transient('the shop answers 500')));
    expect(minutes(report, 'exportLateOrders')).toBe(4);
    expect(states(report)).toBe('done done done done done failed skipped skipped');
    expect(calls).not.toContain('prepareStock');
    expect(calls).not.toContain('updateStock');
    expect(report.outcome).toBe('degraded');
    expect(alarms(report)).toEqual(['step-failed 6']);
  });

  it('7: nothing is written without a plan', async () => {
    const { report, calls } = await runCycle({
      prepareStock: fail(() => transient('the ledger is unreachable')),
    });
    expect(minutes(report, 'prepareStock')).toBe(3);
    expect(states(report)).toBe('done done done done done done failed skipped');
    expect(calls).not.toContain('updateStock');
    expect(alarms(report)).toEqual(['step-failed 7']);
  });

  it('8: the file is taken back so that no old stock is ever applied, and the alarm is raised', async () => {
    const { report, calls } = await runCycle({ updateStock: fail(() => notYet('ExportCSVmod still there')) });
    expect(minutes(report, 'updateStock')).toBe(10);
    expect(states(report)).toBe('done done done done done done done failed');
    expect(calls.slice(-2)).toEqual(['withdrawStock', 'closeCycle']);
    expect(alarms(report)).toEqual(['stock-not-confirmed 8']);
    expect(report.outcome).toBe('degraded');
  });
});

describe('a failure', () => {
  it.each([
    ['that is refused', () => refused('530 Login incorrect: check ftp.user and ftp.password')],
    ['of bad data', () => badData('Expected 27 columns, got 1')],
  ])('%s is not tried again', async (_name, error) => {
    const { calls, report } = await runCycle({ deliverOrders: fail(error) });
    expect(calls.filter((call) => call === 'deliverOrders')).toHaveLength(1);
    expect(stepOf(report, 'deliverOrders').why?.message).toBe(error().message);
  });

  it('that passes is tried again and leaves no trace in the outcome', async () => {
    let attempts = 0;
    const { report } = await runCycle({
      deliverOrders: async () => {
        if (++attempts < 4) throw transient('421 Timeout');
        return { file: null, archived: null, orders: 0, orderIds: [], setAsideIds: [] };
      },
    });
    expect(attempts).toBe(4);
    expect(report.outcome).toBe('complete');
  });

  it('to begin ends the cycle as failed, with nothing done', async () => {
    const { report, calls } = await runCycle({ openCycle: fail(() => refused('530 Login incorrect')) });
    expect(calls).toEqual(['openCycle', 'closeCycle']);
    expect(report.cycle.folder).toMatch(/^\d{4}-\d{2}-\d{2}\/\d{2}h\d{2}Z-[0-9a-f]{8}$/);
    expect(report.outcome).toBe('failed');
    expect(report.alarms[0]?.message).toBe('Préparation du cycle : refusé : 530 Login incorrect');
  });

  it('to file the report shows in the outcome', async () => {
    const { report } = await runCycle({ closeCycle: fail(() => refused('ENOSPC')) });
    expect(report.outcome).toBe('degraded');
  });
});

describe('the gate', () => {
  const held = async () => ({
    ...(await fakeActivities().activities.prepareStock({} as never)),
    passed: false,
    reasons: [{ rule: 'rowsDown', message: 'Expected at least 70 rows, got 50' }],
  });

  it('keeps a batch that it refuses away from the shop, with its reasons in the report', async () => {
    const { report, calls } = await runCycle({ prepareStock: held });
    expect(calls).not.toContain('updateStock');
    expect(states(report)).toBe('done done done done done done done skipped');
    expect(report.outcome).toBe('held');
    expect(alarms(report)).toEqual(['batch-held 7']);
    expect(stepOf(report, 'updateStock').why).toEqual({
      type: 'Held',
      message: 'beaucoup de lignes en moins (Expected at least 70 rows, got 50)',
    });
    expect(stepOf(report, 'prepareStock').facts).toMatchObject({
      passed: false,
      reasons: [{ rule: 'rowsDown' }],
    });
  });

  describe('while it holds an update', () => {
    /** Runs a cycle whose stock is held for `rules`, each prepared stock for the next of them, and tells people so. */
    async function decided(
      rules: readonly (readonly string[])[],
      people: (cycle: {
        readonly decide: (answer: unknown) => Promise<string>;
        readonly held: (times: number) => Promise<CycleReport>;
      }) => Promise<void>,
      opened: { readonly nextCycleAt?: string | null } = {},
    ): Promise<Run> {
      let prepared = 0;
      const fakes = fakeActivities().activities;
      const { activities, calls } = fakeActivities({
        openCycle: async (input) => ({ ...(await fakes.openCycle(input)), ...opened }),
        prepareStock: async (input) => {
          const said = rules[prepared++] ?? [];
          return {
            ...(await fakes.prepareStock(input)),
            passed: said.length === 0,
            difference: { up: 0, down: 1, toZero: 1, created: 1, unchanged: 0, largest: LARGEST },
            reasons: said.map((rule) => ({ rule, message: `Expected less, got more (${rule})` })),
            rules: said,
          };
        },
      });
      const taskQueue = randomUUID();
      const worker = await Worker.create({
        connection: server.nativeConnection,
        taskQueue,
        workflowBundle: await workflowBundle(),
        activities,
      });
      const report = await worker.runUntil(async () => {
        const handle = await server.client.workflow.start(cycle, {
          args: [{ waits: { ...INPUT.waits, decision: 60 * 60_000 } }],
          taskQueue,
          workflowId: randomUUID(),
        });
        await people({
          decide: (answer) => handle.executeUpdate(decideUpdate, { args: [answer as Answer] }),
          async held(times) {
            for (;;) {
              const now = await handle.query(reportQuery).catch(() => null);
              if (now?.holds?.length === times) return now;
              await sleep(50);
            }
          },
        });
        return handle.result();
      });
      return { report, calls };
    }
    const LARGEST = [
      { ean: '3600000000009', name: 'Bottine daim', size: '38', before: 7, after: 0 },
      { ean: '3600000000016', name: 'Mule', size: 'TU', before: null, after: 2 },
    ];
    const APPLY = { answer: 'apply', who: 'Anne', why: 'inventaire fait' } as const;
    const SKIP = { answer: 'skip', who: 'Bruno', why: 'fichier d’hier' } as const;
    const refusal = (decision: Promise<string>) =>
      decision.then(
        () => expect.fail('Expected a refusal'),
        (error: WorkflowUpdateFailedError) => error.cause?.message,
      );

    it('applies it when a person says so, with late orders and stock prepared anew', async () => {
      const { report, calls } = await decided([['rowsDown'], ['rowsDown']], async ({ decide, held }) => {
        const now = await held(1);
        expect(alarms(now)).toEqual(['batch-held 7']);
        expect(now.holds).toEqual([
          {
            until: expect.any(String),
            timeZone: 'UTC',
            reasons: ['beaucoup de lignes en moins (Expected less, got more (rowsDown))'],
            decision: null,
          },
        ]);
        expect(await decide(APPLY)).toBe('Noté : mise à jour appliquée, décision de Anne.');
      });
      const round = ['exportOrders 6', 'prepareStock'];
      expect(calls.slice(6)).toEqual([...round, ...round, 'updateStock', 'closeCycle']);
      expect(report).toMatchObject({ outcome: 'complete', alarms: [] });
      expect(report.holds).toMatchObject([{ decision: { ...APPLY, at: expect.any(String) } }]);
    });

    it('asks again when another rule says no to what was prepared anew', async () => {
      const { report, calls } = await decided(
        [['rowsDown'], ['rowsDown', 'toZero'], []],
        async ({ decide, held }) => {
          await held(1);
          await decide(APPLY);
          await held(2);
          await decide(SKIP);
        },
      );
      expect(calls).not.toContain('updateStock');
      expect(report.outcome).toBe('held');
      expect(report.holds?.map(({ decision }) => decision?.who)).toEqual(['Anne', 'Bruno']);
    });

    it('keeps the shop’s stock when a person says so', async () => {
      const { report, calls } = await decided([['rowsDown']], async ({ decide, held }) => {
        await held(1);
        expect(await decide(SKIP)).toBe('Noté : mise à jour ignorée, décision de Bruno.');
      });
      expect(calls).not.toContain('updateStock');
      expect(report).toMatchObject({ outcome: 'held', holds: [{ decision: SKIP }] });
      expect(stepOf(report, 'updateStock')).toMatchObject({ state: 'skipped', why: { type: 'Held' } });
    });

    it('takes no other words, and says which it expects', async () => {
      const { report } = await decided([['rowsDown']], async ({ decide, held }) => {
        await held(1);
        for (const words of [
          'apply',
          null,
          { answer: 'yes', who: 'Anne', why: 'x' },
          { answer: 'apply', who: ' ', why: 'x' },
          { answer: 'apply', who: 'Anne' },
          { answer: 'apply', who: 'Anne', why: 'x'.repeat(201) },
        ]) {
          const refused = await refusal(decide(words));
          expect(refused).toContain('Attendu : { "answer": "apply" ou "skip"');
          expect(refused).toContain(JSON.stringify(words).slice(0, 100));
        }
        await decide(SKIP);
      });
      expect(report.holds).toMatchObject([{ decision: SKIP }]);
    });

    it('takes one answer, and none before it asks or after', async () => {
      await decided([['rowsDown'], []], async ({ decide, held }) => {
        await held(1);
        const [first, second] = await Promise.allSettled([decide(APPLY), decide(SKIP)]);
        const refused = [first, second].filter(({ status }) => status === 'rejected');
        expect(refused).toHaveLength(1);
        expect((refused[0] as PromiseRejectedResult).reason.cause.message).toMatch(/^(Déjà décidé|Aucune)/);
      });
      let asked: Promise<string | undefined> = Promise.resolve('');
      await decided([[]], async ({ decide }) => {
        asked = refusal(decide(APPLY));
        await asked;
      });
      expect(await asked).toBe('Aucune mise à jour du stock n’est retenue en ce moment.');
    });

    it('skips it after the patience when nobody answers', async () => {
      const { report } = await decided([['rowsDown']], async () => undefined);
      expect(report).toMatchObject({ outcome: 'held', holds: [{ decision: null }] });
      const waited = Date.parse(report.endedAt ?? '') - Date.parse(report.startedAt);
      expect(Math.round(waited / 60_000)).toBe(60);
    });

    it('skips it when the next cycle is due', async () => {
      const nextCycleAt = new Date((await server.currentTimeMs()) + 25 * 60_000).toISOString();
      const { report } = await decided([['rowsDown']], async () => undefined, { nextCycleAt });
      expect(report.holds).toMatchObject([{ until: nextCycleAt, decision: null }]);
      const waited = Date.parse(report.endedAt ?? '') - Date.parse(report.startedAt);
      expect(Math.round(waited / 60_000)).toBe(25);
    });

    it('skips it at once when the next cycle is late already', async () => {
      const nextCycleAt = new Date((await server.currentTimeMs()) - 60_000).toISOString();
      const { report } = await decided([['rowsDown']], async () => undefined, { nextCycleAt });
      expect(report.outcome).toBe('held');
      expect(Date.parse(report.endedAt ?? '') - Date.parse(report.startedAt)).toBeLessThan(60_000);
    });

    it('shows in the details who must decide what, and the largest changes', async () => {
      const { report } = await decided([['rowsDown']], async ({ decide, held }) => {
        const table = reportTable(await held(1));
        expect(table).toContain('Mise à jour du stock retenue : décision attendue avant');
        expect(table).toContain('`decide`');
        expect(table).toContain('Expected less, got more (rowsDown)');
        expect(table).toContain('| Bottine daim | 38 | 3600000000009 | 7 | 0 |');
        expect(table).toContain('| Mule | TU | 3600000000016 | absente | 2 |');
        await decide({ ...APPLY, who: 'A|nne' });
      });
      expect(reportTable(report)).toContain('appliquée par A\\|nne');
      expect(reportTable(report)).not.toContain('`decide`');
    });
  });

  it('has no product created from a doubtful file', async () => {
    const { activities } = fakeActivities();
    const { report, calls } = await runCycle({
      collectStock: async (input) => ({
        ...(await activities.collectStock(input)),
        doubts: ['Expected the store 008, got 009'],
      }),
      prepareStock: held,
    });
    expect(calls).not.toContain('createProducts');
    expect(stepOf(report, 'createProducts').why?.message).toBe('Expected the store 008, got 009');
  });
});

describe('a cycle that a person hurries', () => {
  async function hurried(change: Partial<Activities>, from: 'the start' | 'step 3' | 'step 4'): Promise<Run> {
    const { activities, calls } = fakeActivities(change);
    const taskQueue = randomUUID();
    const worker = await Worker.create({
      connection: server.nativeConnection,
      taskQueue,
      workflowBundle: await workflowBundle(),
      activities,
    });
    const report = await worker.runUntil(async () => {
      const handle = await server.client.workflow.start(cycle, {
        args: [INPUT],
        taskQueue,
        workflowId: randomUUID(),
      });
      const awaited = { 'the start': 'openCycle', 'step 3': 'awaitOrdersTaken', 'step 4': 'collectStock' };
      while (!calls.includes(awaited[from])) await sleep(20);
      await handle.signal(hurrySignal);
      return handle.result();
    });
    return { report, calls };
  }
  const never = async () => {
    throw notYet('still there');
  };
  const standing: (CollectStockInput['standing'] | undefined)[] = [];
  const collectsWhatStands: Activities['collectStock'] = async (input) => {
    standing.push(input.standing);
    if (input.standing !== null) throw notYet('Still the ExportCSV from before the cycle');
    return fakeActivities().activities.collectStock(input);
  };

  it.each(['the start', 'step 3', 'step 4'] as const)(
    'from %s on waits for Proshop no longer, and works with what is there',
    async (from) => {
      const taken = from === 'step 4' ? {} : { awaitOrdersTaken: never };
      const { report } = await hurried({ ...taken, collectStock: collectsWhatStands }, from);
      expect(states(report)).toBe(
        `done done ${from === 'step 4' ? 'done' : 'skipped'} done done done done done`,
      );
      expect(report.outcome).toBe(from === 'step 4' ? 'complete' : 'degraded');
      expect(alarms(report)).toEqual([]);
      expect(standing.at(-1)).toBeNull();
      expect(Date.parse(report.endedAt ?? '') - Date.parse(report.startedAt)).toBeLessThan(2 * 60_000);
    },
  );

  it('does without stock when there is none', async () => {
    const { report } = await hurried({ collectStock: never }, 'step 4');
    expect(states(report)).toBe('done done done failed skipped done skipped skipped');
    expect(minutes(report, 'collectStock')).toBeLessThanOrEqual(2);
  });

  it('is cancelled all the same', async () => {
    const { activities } = fakeActivities({ awaitOrdersTaken: never });
    const taskQueue = randomUUID();
    const worker = await Worker.create({
      connection: server.nativeConnection,
      taskQueue,
      workflowBundle: await workflowBundle(),
      activities,
    });
    await worker.runUntil(async () => {
      const handle = await server.client.workflow.start(cycle, {
        args: [INPUT],
        taskQueue,
        workflowId: randomUUID(),
      });
      await handle.cancel();
      const error: unknown = await handle.result().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(WorkflowFailedError);
    });
  });
});

describe('a shop that is busy with another import', () => {
  it('is asked again with late orders and stock prepared anew each time', async () => {
    let tries = 0;
    const { report, calls } = await runCycle({
      updateStock: async () => {
        if (++tries < 3) throw shopBusy('The shop is running another import');
        return { variants: 50, confirmedAt: '' };
      },
    });
    const round = ['exportOrders 6', 'prepareStock', 'updateStock'];
    expect(calls.slice(6)).toEqual([...round, ...round, ...round, 'closeCycle']);
    expect(report.outcome).toBe('complete');
    expect(minutes(report, 'updateStock')).toBe(3);
  });

  it('is given up at the deadline', async () => {
    const { report, calls } = await runCycle({
      updateStock: fail(() => shopBusy('The shop is running another import')),
    });
    expect(calls.filter((call) => call === 'updateStock')).toHaveLength(4);
    expect(minutes(report, 'updateStock')).toBeLessThanOrEqual(10);
    expect(calls.slice(-2)).toEqual(['withdrawStock', 'closeCycle']);
    expect(alarms(report)).toEqual(['stock-not-confirmed 8']);
  });
});

describe('orders for people', () => {
  it('raise an alarm that names them, and do not spoil the outcome', async () => {
    const { activities } = fakeActivities();
    const { report } = await runCycle({
      exportOrders: async (input) => ({
        ...(await activities.exportOrders(input)),
        ...(input.step === 1
          ? { byHand: 1, byHandIds: [12], setAside: 1, setAsideOrders: [{ id: 13, reason: '' }] }
          : {}),
      }),
    });
    expect(report.outcome).toBe('complete');
    expect(report.alarms.map(({ message }) => message)).toEqual([
      'Commandes payées en bon cadeau, à saisir à la main : 12.',
      'Commandes illisibles mises de côté : 13.',
    ]);
  });
});

describe('a cancelled cycle', () => {
  it('takes its stock update back before it ends', async () => {
    const { activities, calls } = fakeActivities({
      updateStock: async () => {
        await Context.current().cancelled;
        throw new Error('never here');
      },
    });
    const taskQueue = randomUUID();
    const worker = await Worker.create({
      connection: server.nativeConnection,
      taskQueue,
      workflowBundle: await workflowBundle(),
      activities: {
        ...activities,
        updateStock: async () => {
          calls.push('updateStock');
          const beat = setInterval(() => Context.current().heartbeat(), 50);
          await Context.current().cancelled.finally(() => clearInterval(beat));
        },
      },
    });
    await worker.runUntil(async () => {
      const handle = await server.client.workflow.start(cycle, {
        args: [INPUT],
        taskQueue,
        workflowId: randomUUID(),
      });
      while (!calls.includes('updateStock')) await new Promise((resolve) => setTimeout(resolve, 20));
      await handle.cancel();
      await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
    });
    expect(calls.at(-1)).toBe('withdrawStock');
  });
});
