import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FtpServer } from '../../sandbox/ftp-server.ts';
import type { ArchivedFile } from '../../src/archive.ts';
import type { Activities } from '../../src/activities/index.ts';
import { FAILURE } from '../../src/failures.ts';
import { CYCLE, ordersCsv, orderRow, stockCsv } from '../support/files.ts';
import { Cut } from '../support/cuts.ts';
import { onEach, REAL_SERVERS, SANDBOX_SERVER, standsAround } from '../support/ftp-servers.ts';
import { openTestPglite, type TestLedger } from '../support/ledgers.ts';
import { FTP_EFFECTS, startWorld, type AttemptNotes, type World } from '../support/world.ts';

// An activity is cut after each of its side effects in turn (the worker died, or the answer was lost) and attempted
// again, as Temporal would. However it was cut, the end must be that of one clean run. On Debian's FTP servers it is
// cut after what it does there.

let test: TestLedger;
let world: World | undefined;
beforeAll(async () => {
  test = await openTestPglite();
});
afterAll(() => test.close());
beforeEach(async () => {
  await test.reset();
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(async () => {
  vi.useRealTimers();
  await world?.stop();
  world = undefined;
});

interface Case {
  /** Brings the world to where the activity begins. */
  readonly before: (world: World) => Promise<void>;
  /** One attempt. */
  readonly attempt: (activities: Activities) => Promise<unknown>;
  /** What the rest of the cycle does. */
  readonly after?: (world: World) => Promise<unknown>;
  /** What happens outside between two attempts. */
  readonly between?: (world: World) => Promise<void>;
  /** Writes, renames or removes files on the FTP server: tried on Debian's too. */
  readonly onEach?: true;
}

const cases: Record<string, Case> = {
  'openCycle, with a stock update of an earlier cycle to take back': {
    before: async (w) => {
      await prepared(w);
      await w
        .attempt((a) => a.updateStock({ cycle: CYCLE, ...stock, lateOrdersAt: new Date().toISOString() }))
        .catch(notYet);
    },
    attempt: (a) => a.openCycle({ id: 'b', startedAt: '2026-11-24T09:25:00.000Z' }),
  },
  exportOrders: {
    onEach: true,
    before: async (w) => {
      await w.put('export/commandes', ordersCsv(orderRow(1), orderRow(2, { payment: 'Bon cadeau' })));
      let exported = false;
      // Like the module's "export not exported": each order comes once, whatever becomes of the answer.
      w.shop.exportOrders = async () => {
        if (!exported) await w.put('export/commandes', ordersCsv(orderRow(3), orderRow(4, { ean: '' })));
        exported = true;
        return 'Exported';
      };
    },
    attempt: (a) => a.exportOrders({ cycle: CYCLE, step: 1 }),
    // The orders files go when the cycle closes.
    after: async (w) => {
      await w.attempt(closeCycle);
      await w.attempt(closeCycle);
    },
  },
  deliverOrders: {
    before: withOrders,
    attempt: (a) => a.deliverOrders({ cycle: CYCLE }),
  },
  'deliverOrders, with Proshop taking the file as soon as it sees it': {
    onEach: true,
    before: withOrders,
    attempt: (a) => a.deliverOrders({ cycle: CYCLE }),
    between: takeSales,
  },
  awaitOrdersTaken: {
    before: async (w) => {
      await withOrders(w);
      await w.attempt((a) => a.deliverOrders({ cycle: CYCLE }));
      await takeSales(w);
    },
    attempt: (a) => a.awaitOrdersTaken({ cycleStartedAt: '2026-01-01T00:00:00.000Z' }),
  },
  collectStock: {
    before: (w) => w.put('ExportCSV', STOCK),
    attempt: (a) => a.collectStock({ cycle: CYCLE, standing: null }),
  },
  createProducts: {
    before: collected,
    attempt: (a) => a.createProducts(stock),
  },
  prepareStock: {
    before: collected,
    attempt: (a) => a.prepareStock({ cycle: CYCLE, ...stock }),
  },
  updateStock: {
    before: async (w) => {
      await prepared(w);
      w.shop.updateStock = async () => {
        // The module deletes the file when it is done.
        setTimeout(() => void unlink(join(w.ftpRoot, 'ExportCSVmod')).catch(() => undefined), 30);
        return 'Import started';
      };
    },
    attempt: (a) => a.updateStock({ cycle: CYCLE, ...stock, lateOrdersAt: new Date().toISOString() }),
  },
  'updateStock, with the shop busy at first': {
    before: async (w) => {
      await prepared(w);
      w.shop.updateStock = async () => {
        w.shop.updateStock = async () => {
          setTimeout(() => void unlink(join(w.ftpRoot, 'ExportCSVmod')).catch(() => undefined), 30);
          return 'Import started';
        };
        return 'Other import is running now';
      };
    },
    attempt: (a) => a.updateStock({ cycle: CYCLE, ...stock, lateOrdersAt: new Date().toISOString() }),
  },
  withdrawStock: {
    onEach: true,
    before: async (w) => {
      await prepared(w);
      await w
        .attempt((a) => a.updateStock({ cycle: CYCLE, ...stock, lateOrdersAt: new Date().toISOString() }))
        .catch(notYet);
    },
    attempt: (a) => a.withdrawStock(),
  },
  closeCycle: {
    before: (w) => withOrders(w),
    attempt: closeCycle,
  },
};

onEach([SANDBOX_SERVER, ...REAL_SERVERS], (tested) => {
  const server = standsAround(tested);

  const tried = Object.entries(cases).filter(([, { onEach }]) => onEach === true || tested.kind === null);
  describe.each(tried)('%s', (_name, case_) => {
    it('ends as one clean run does, whichever of its side effects it is cut after', async () => {
      const clean = await runCase(case_, server(), 0);
      expect(clean.cut).toBeNull();
      const isTried = (cutAfter: number) =>
        tested.kind === null || FTP_EFFECTS.some((name) => name === clean.effects[cutAfter - 1]);
      let cutAfter = 1;
      for (; cutAfter <= clean.effects.length || tested.kind === null; cutAfter++) {
        if (!isTried(cutAfter)) continue;
        const { cut, end } = await runCase(case_, server(), cutAfter);
        if (cut === null) break;
        expect({ cut, end }).toEqual({ cut, end: clean.end });
      }
      // Every side effect was cut after once; activities without one are shown to have none.
      expect(cutAfter - 1).toBeGreaterThanOrEqual(clean.effects.length);
    });
  });
});

/** Runs a case in a new world, cut once after its `cutAfter`-th side effect: what it did, and how it ended. */
async function runCase(
  { before, attempt, after, between }: Case,
  server: FtpServer,
  cutAfter: number,
): Promise<{ cut: string | null; effects: readonly string[]; end: unknown }> {
  /** True when the attempt succeeded; false when there must be another one. */
  const over = async (w: World, attempts: number, notes: AttemptNotes): Promise<boolean> => {
    try {
      await w.attempt((activities) => attempt(activities), notes);
      return true;
    } catch (error) {
      if (error instanceof Cut) return false;
      if (attempts > 40 || !RETRIED.has((error as { type?: string }).type ?? '')) throw error;
      return false;
    }
  };
  await world?.stop();
  await test.reset();
  const w = await startWorld(test.ledger, undefined, server);
  world = w;
  await before(w);
  w.scissors.arm(cutAfter);
  const notes: AttemptNotes = { details: undefined };
  for (let attempts = 1; !(await over(w, attempts, notes)); attempts++) {
    await between?.(w);
    await new Promise((resolve) => setTimeout(resolve, 40));
    // A call that had no answer may still be at work before that (`shop.timeout`).
    vi.setSystemTime(Date.now() + 31_000);
  }
  const { cut } = w.scissors;
  const effects = [...w.scissors.done];
  w.scissors.arm(0);
  await between?.(w);
  await after?.(w);
  return { cut, effects, end: await endState(w) };
}

/** What the workflow would hand from step to step. */
let stock: { exportId: string; file: ArchivedFile; update: ArchivedFile };

const STOCK = stockCsv(['3000000000017', 3], ['3000000000024', 1, 'MOD2']);
const RETRIED = new Set<string>([FAILURE.notYet, FAILURE.transient, FAILURE.shopBusy]);

function closeCycle(activities: Activities): Promise<unknown> {
  return activities.closeCycle({
    cycle: CYCLE,
    report: { outcome: 'complete', cycle: CYCLE, startedAt: '', endedAt: '', steps: [], alarms: [] },
  });
}

function notYet(error: unknown): void {
  if ((error as { type?: string }).type !== FAILURE.notYet) throw error;
}

async function withOrders(w: World): Promise<void> {
  await w.put('export/commandes', ordersCsv(orderRow(1), orderRow(2)));
  await w.attempt((a) => a.exportOrders({ cycle: CYCLE, step: 1 }));
}

async function collected(w: World): Promise<void> {
  const notes: AttemptNotes = { details: undefined };
  const collect = () => w.attempt((a) => a.collectStock({ cycle: CYCLE, standing: null }), notes);
  // Nothing yet, then for the first time, then the same.
  await collect().catch(notYet);
  await w.put('ExportCSV', STOCK);
  await collect().catch(notYet);
  const { exportId, file } = await collect();
  stock = { exportId, file, update: file };
}

async function prepared(w: World): Promise<void> {
  await collected(w);
  const { exportId, file } = stock;
  const { update } = await w.attempt((a) => a.prepareStock({ cycle: CYCLE, file }));
  stock = { exportId, file, update };
}

const taken: string[] = [];

async function takeSales(w: World): Promise<void> {
  for (const name of await readdir(join(w.ftpRoot, 'import'))) {
    await unlink(join(w.ftpRoot, 'import', name));
    taken.push(name);
  }
}

/** Everything that lasts, without what is made up anew each time. */
async function endState(w: World) {
  const rows = async (query: string) => {
    const result = (await test.database.execute(sql.raw(query))) as { rows: unknown[] };
    return result.rows;
  };
  const salesTaken = taken.splice(0).length;
  return {
    ftp: await w.files(),
    archive: await w.archived(),
    salesTaken,
    calls: [...new Set(w.shop.calls)],
    orders: await rows(
      `select o.id, o.route, o.reason, o.seen_cycle, o.seen_step, d.state, d.taken_at is not null as taken
       from orders o left join deliveries d on d.id = o.delivery_id order by o.id`,
    ),
    lines: await rows('select * from order_lines order by order_id, position'),
    deliveries: await rows(
      `select kind, cycle, size, state, taken_at is not null as taken from deliveries where state <> 'abandoned' order by 1, 2`,
    ),
    exports: await rows(
      'select cycle, sha256, rows, units, applied_at is not null as applied from stock_exports',
    ),
    stock: await rows('select * from applied_stock order by ean'),
    models: await rows('select reference, confirmed_at is not null as confirmed from models order by 1'),
  };
}
