import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Activities, Deps } from '../../src/activities/index.ts';
import type { ShadowSalesResult } from '../../src/activities/shadow-sales.ts';
import { shadowApplied, type ShadowStockResult } from '../../src/activities/shadow-stock.ts';
import { notYet, refused, transient } from '../../src/failures.ts';
import { cycle } from '../../src/workflows/cycle.ts';
import { reportTable, SHADOW_DOUBT } from '../../src/workflows/labels.ts';
import type { CycleReport } from '../../src/workflows/report.ts';
import { shadowWatch } from '../../src/workflows/shadow-watch.ts';
import { fakeActivities, INPUT } from '../support/fakes.ts';
import { STOCK_FORMAT, stockCsv } from '../domain/samples.ts';
import { startTimeSkipping, workflowBundle } from '../support/temporal.ts';

let server: TestWorkflowEnvironment;
beforeAll(async () => {
  server = await startTimeSkipping();
});
afterAll(() => server.teardown());

async function workerWith(change: Partial<Activities>) {
  const { activities, calls } = fakeActivities(change);
  const taskQueue = randomUUID();
  const worker = await Worker.create({
    connection: server.nativeConnection,
    taskQueue,
    workflowBundle: await workflowBundle(),
    activities,
  });
  return { worker, taskQueue, calls };
}

async function runShadow(change: Partial<Activities> = {}) {
  const { worker, taskQueue, calls } = await workerWith(change);
  const input = { ...INPUT, shadow: { orders: 2 * 60_000, sales: 5 * 60_000 } };
  const report = await worker.runUntil(
    server.client.workflow.execute(cycle, { args: [input], taskQueue, workflowId: randomUUID() }),
  );
  return { report, calls };
}
const states = (report: CycleReport) => report.steps.map(({ state }) => state).join(' ');
const { activities: fakes } = fakeActivities();
const CYCLE = { id: 'a', folder: 'a' };
const WHEN = '2026-11-24T09:25:00.000Z';
const FILE = { path: '', size: 0, sha256: '' };

/** Steps that succeed at once, but for these facts. */
async function salesWith(
  comparison: Partial<ShadowSalesResult['comparison']>,
  facts: Partial<ShadowSalesResult> = {},
) {
  const sales = await fakes.shadowSales({ cycle: CYCLE, since: WHEN, until: WHEN });
  return { ...sales, ...facts, comparison: { ...sales.comparison, ...comparison } };
}
async function stockWith(
  comparison: Partial<ShadowStockResult['comparison']>,
  facts: Partial<ShadowStockResult> = {},
) {
  const stock = await fakes.shadowStock({ cycle: CYCLE, file: FILE, since: WHEN });
  return { ...stock, ...facts, comparison: { ...stock.comparison, ...comparison } };
}
const never = async () => {
  throw notYet('not there');
};

describe('a cycle beside the old gateway', () => {
  it('sees each step done by it, asks the shop for nothing, and is complete when all is the same', async () => {
    const { report, calls } = await runShadow();
    expect(calls).toEqual([
      'openCycle',
      'shadowOrders',
      'shadowSales',
      'shadowTaken',
      'collectStock',
      'shadowOrders',
      'shadowStock',
      'shadowApplied',
      'closeCycle',
    ]);
    expect(states(report)).toBe('done done done done skipped done done done');
    expect(report).toMatchObject({ outcome: 'complete', alarms: [], mode: 'shadow' });
    expect(reportTable(report)).toContain('3 commandes identiques dans /import/ventes.xml');
    expect(reportTable(report)).toContain('identique à l’ancienne passerelle (50 déclinaisons)');
  });

  it('is not complete when something differs for no known reason, and says what', async () => {
    const { report } = await runShadow({
      shadowSales: () =>
        salesWith(
          {
            different: 5,
            byHand: [10, 11],
            unreadableFiles: ['/import/ventes.xml'],
            missed: [7],
            unknown: 1,
            doubted: 1,
            late: [8],
          },
          { setAsideIds: [9] },
        ),
      shadowStock: () => {
        const other = { reference: 'MOD1', size: '42', ours: 2 };
        return stockWith({
          unexplained: 1,
          explained: 1,
          disagreements: [
            { ...other, ean: '3000000000017', theirs: 3, rule: null },
            { ...other, ean: '3000000000024', theirs: 0, rule: 'removed' },
          ],
        });
      },
    });
    expect(report.outcome).toBe('degraded');
    expect(report.alarms.map(({ kind, step, message }) => [kind, step, message])).toEqual([
      [
        'orders-set-aside',
        2,
        'Commandes peut-être transmises par l’ancienne passerelle, à vérifier dans Proshop : 9.',
      ],
      [
        'shadow-differs',
        2,
        'Ventes : l’ancienne passerelle a fait autrement (à saisir à la main ici, transmises par l’ancienne passerelle : 10, 11, fichier de ventes illisible : /import/ventes.xml, 1 oubliée : 7, 1 vente inconnue).',
      ],
      [
        'shadow-differs',
        7,
        'Stock : 1 déclinaison diffère sans raison connue (3000000000017 : 3 au lieu de 2).',
      ],
    ]);
    const table = reportTable(report);
    expect(table).toContain('tardives, pas encore transmises : 8, mises de côté, peut-être transmises : 1');
    expect(table).toContain(
      '1 déclinaison différente sans raison connue, 1 expliquée (produit retiré en entier par l’ancienne passerelle, au lieu d’une soustraction)',
    );
  });

  it('tells the orders that may be in Proshop from those that cannot be read', async () => {
    const seen = await fakes.shadowOrders({ cycle: CYCLE, step: 1, since: WHEN, until: WHEN });
    const setAsideOrders = [
      { id: 7, reason: SHADOW_DOUBT },
      { id: 8, reason: 'no EAN' },
      { id: null, reason: 'no number' },
    ];
    const { report } = await runShadow({
      shadowOrders: async ({ step }) => (step === 1 ? { ...seen, setAside: 3, setAsideOrders } : seen),
    });
    expect(report.outcome).toBe('complete');
    expect(report.alarms.map(({ kind, step, message }) => [kind, step, message])).toEqual([
      ['orders-set-aside', 1, 'Commandes illisibles mises de côté : 8, une sans numéro lisible.'],
      [
        'orders-set-aside',
        1,
        'Commandes peut-être transmises par l’ancienne passerelle, à vérifier dans Proshop : 7.',
      ],
    ]);
  });

  it('is not complete when an orders file of the shop cannot be read, in either export', async () => {
    const seen = await fakes.shadowOrders({ cycle: CYCLE, step: 1, since: WHEN, until: WHEN });
    const { report } = await runShadow({
      shadowOrders: async ({ step }) => ({ ...seen, unreadableFiles: step === 1 ? ['got A'] : ['B', 'C'] }),
    });
    expect(report.outcome).toBe('degraded');
    expect(report.alarms.map(({ kind, step, message }) => [kind, step, message])).toEqual([
      [
        'shadow-differs',
        1,
        'Commandes : la boutique a laissé un fichier que personne ne peut plus lire (got A).',
      ],
      ['shadow-differs', 6, expect.stringContaining('(B ; C)')],
    ]);
    expect(reportTable(report)).toContain('3 commandes à envoyer, fichier de commandes illisible : got A |');
    expect(reportTable(report)).toContain('fichiers de commandes illisibles : B ; C |');
  });

  it('is not complete when nobody looked for a time, and does not say then that there was nothing', async () => {
    const none = { file: null, archived: null, orders: 0, orderIds: [], files: [] };
    const quiet = await runShadow({ shadowSales: () => salesWith({ identical: 0 }, none) });
    expect(reportTable(quiet.report)).toContain('| aucune vente, comme l’ancienne passerelle |');
    const { report } = await runShadow({
      shadowSales: () => salesWith({ identical: 0, unwatched: true }, none),
    });
    expect(report.outcome).toBe('degraded');
    expect(report.alarms.map(({ kind, step, message }) => [kind, step, message])).toEqual([
      [
        'shadow-unwatched',
        2,
        'Ventes : personne ne regardait pendant une partie de ce temps, la comparaison n’est pas entière.',
      ],
    ]);
    expect(reportTable(report)).toContain(
      '| 0 commande identique dans aucun fichier, personne ne regardait pendant une partie de ce temps |',
    );
  });

  it('is not complete when the gate would have held what the old gateway wrote, but for the first time', async () => {
    const firstRun = { rule: 'firstRun', message: 'first' };
    const first = await runShadow({
      shadowStock: () => stockWith({}, { passed: false, reasons: [firstRun] }),
    });
    expect(first.report).toMatchObject({ outcome: 'complete', alarms: [] });
    const { report } = await runShadow({
      shadowStock: () =>
        stockWith({}, { passed: false, reasons: [{ rule: 'empty', message: 'no row' }, firstRun] }),
    });
    expect(report.outcome).toBe('degraded');
    expect(report.alarms).toEqual([
      {
        kind: 'shadow-differs',
        step: 7,
        message:
          'Stock : le contrôle aurait retenu la mise à jour que l’ancienne passerelle a faite (fichier de Proshop vide (no row)).',
      },
    ]);
    // What the shop shows from now on is noted all the same.
    expect(states(report)).toBe('done done done done skipped done done done');
  });

  it('says that it is a shadow also when it cannot begin; a cycle in the old gateway’s place says nothing', async () => {
    const openCycle = async () => {
      throw refused('530');
    };
    const { report } = await runShadow({ openCycle });
    expect(report).toMatchObject({ outcome: 'failed', mode: 'shadow' });
    const { worker, taskQueue } = await workerWith({});
    const live = await worker.runUntil(
      server.client.workflow.execute(cycle, { args: [INPUT], taskQueue, workflowId: randomUUID() }),
    );
    expect(Object.keys(live)).toEqual(['outcome', 'cycle', 'startedAt', 'endedAt', 'steps', 'alarms']);
  });

  it('goes on without the old gateway’s files, each step for its time', async () => {
    const noUpdate = await runShadow({ shadowStock: never });
    expect(states(noUpdate.report)).toBe('done done done done skipped done failed skipped');
    const noStock = await runShadow({ shadowOrders: never, collectStock: never });
    expect(states(noStock.report)).toBe('failed done done failed skipped failed skipped skipped');
    expect(noStock.report.outcome).toBe('degraded');
    expect(noStock.calls).toContain('closeCycle');
    // The half hour is nearly over.
    const { startedAt, endedAt } = noStock.report.steps[5] ?? {};
    expect(Date.parse(endedAt ?? '') - Date.parse(startedAt ?? '')).toBeLessThan(5 * 60_000);
  });

  it('notes the late orders without a fresh stock too, as late ones', async () => {
    const steps: number[] = [];
    const { report } = await runShadow({
      collectStock: never,
      shadowOrders: (input) => {
        steps.push(input.step);
        return fakes.shadowOrders(input);
      },
    });
    expect(states(report)).toBe('done done done failed skipped done skipped skipped');
    expect(steps).toEqual([1, 6]);
  });
});

describe('the update that the shop has taken', () => {
  it('notes each variant once, as the shop shows it: its first row, nothing below 0', async () => {
    const bytes = stockCsv(
      ['A', '38', '3600000000017', '3'],
      ['A', '38', '3600000000017', '5'],
      ['A', '39', '3600000000024', '-2'],
      ['BON-50', '', '', '9'],
    );
    const applied: unknown[] = [];
    const deps = {
      archive: { read: async () => bytes },
      config: { stock: { ...STOCK_FORMAT, updateName: 'ExportCSVmod' } },
      ledger: {
        notedBy: async () => [
          { path: '/ExportCSVmod', goneAt: new Date(WHEN), archivedPath: 'a', sha256: 'b' },
        ],
        applyStock: async (...given: unknown[]) => applied.push(given),
      },
    } as unknown as Deps;
    const result = await shadowApplied(deps)({ cycle: CYCLE, exportId: 'e' });
    expect(result).toEqual({ variants: 2, confirmedAt: WHEN });
    const variants = [
      { ean: '3600000000017', reference: 'A', size: '38', quantity: 3 },
      { ean: '3600000000024', reference: 'A', size: '39', quantity: 0 },
    ];
    expect(applied).toEqual([['e', variants, new Date(WHEN)]]);
  });
});

describe('the look at the old gateway', () => {
  it('goes on through cut connections and refusals, without a break', async () => {
    const failures = [transient('cut'), refused('530'), transient('cut')];
    const spells: number[] = [];
    const { worker, taskQueue } = await workerWith({
      followOldGateway: async () => {
        const failure = failures.shift();
        if (failure !== undefined) throw failure;
        return { looks: spells.push(1) };
      },
    });
    await worker.runUntil(async () => {
      const handle = await server.client.workflow.start(shadowWatch, {
        taskQueue,
        workflowId: 'shadow-watch',
      });
      while (spells.length < 60) await server.sleep('1s');
      // A day of looks is a run: the history does not grow for ever.
      const { raw, runId } = await handle.describe();
      expect(raw.workflowExecutionInfo?.firstRunId).not.toBe(runId);
      await server.client.workflow.getHandle(handle.workflowId).terminate();
    });
  });
});
