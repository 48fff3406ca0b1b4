import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { upkeep, type UpkeepResult } from '../../src/activities/upkeep.ts';
import type { Deps } from '../../src/activities/deps.ts';
import { createArchive } from '../../src/archive.ts';
import type { ClosedCycle } from '../../src/cycles.ts';
import { orders } from '../../src/ledger/schema.ts';
import { localTime } from '../../src/local-time.ts';
import { openTestPglite, type TestLedger } from '../support/ledgers.ts';
import { anOrder } from '../support/orders.ts';
import { NO_CYCLES } from '../support/world.ts';

const DAY = 24 * 60 * 60_000;
const RETENTION_DAYS = 30;
const ZONE = 'Europe/Paris';

let test: TestLedger;
let root: string;
let fetched: string[];
let closed: ClosedCycle[];
let history: (run: ClosedCycle) => Promise<string | null>;
beforeAll(async () => {
  test = await openTestPglite();
});
afterAll(() => test.close());
beforeEach(async () => {
  // No minute and no day ends while a test runs.
  vi.useFakeTimers({ toFake: ['Date'] });
  await test.reset();
  root = await mkdtemp(join(tmpdir(), 'passerelle-upkeep-'));
  fetched = [];
  closed = [];
  history = async ({ runId }) => `history of ${runId}`;
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(root, { recursive: true, force: true });
});

const ago = (days: number) => new Date(Date.now() - days * DAY);
const dayOf = (instant: Date) => localTime(instant, ZONE).slice(0, 10);
const run = (number: number, startedAt: Date): ClosedCycle => ({
  workflowId: `cycle-${number}`,
  runId: `00000000-0000-0000-0000-0000${String(number).padStart(8, '0')}`,
  startedAt: startedAt.toISOString(),
});
const attempt = (notes: { details?: unknown } = {}, timeZone = ZONE) => {
  const environment = new MockActivityEnvironment(
    { heartbeatDetails: notes.details },
    { logger: new DefaultLogger('ERROR') },
  );
  environment.on('heartbeat', (details: unknown) => {
    notes.details = details;
  });
  const deps = {
    config: { archive: { folder: root, retentionDays: RETENTION_DAYS }, timeZone },
    archive: createArchive(root),
    ledger: test.ledger,
    cycles: {
      ...NO_CYCLES,
      closed: async (since: Date) => {
        expect(Math.abs(since.getTime() - ago(RETENTION_DAYS).getTime())).toBeLessThan(60_000);
        return closed;
      },
      history: async (cycle: ClosedCycle) => {
        fetched.push(cycle.runId);
        return history(cycle);
      },
    },
  } as unknown as Deps;
  return { environment, result: environment.run(upkeep(deps)) as Promise<UpkeepResult> };
};
const files = async () => {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return paths.map((path) => path.slice(root.length + 1)).sort();
};
const put = async (path: string) => {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), 'x');
};

describe('the histories of closed cycles', () => {
  it('go into the cycles’ folders, those of cycles without one into one by their start, and never twice', async () => {
    const [named, unnamed] = [run(1, ago(2)), run(2, ago(1))];
    closed = [named, unnamed];
    const folder = `${dayOf(ago(2))}/named-otherwise-00000001`;
    await put(`${folder}/report.json`);
    const text = 'history of '.length + named.runId.length;
    expect(await attempt().result).toMatchObject({ histories: 2, bytes: 2 * text, lost: 0 });
    const time = localTime(ago(1), ZONE).slice(11, 16).replace(':', 'h');
    expect(await files()).toEqual([
      `${folder}/history.json`,
      `${folder}/report.json`,
      `${dayOf(ago(1))}/${time}-00000002/history.json`,
    ]);
    expect(await readFile(join(root, folder, 'history.json'), 'utf8')).toBe(`history of ${named.runId}`);

    fetched = [];
    expect(await attempt().result).toMatchObject({ histories: 0, bytes: 0 });
    expect(fetched).toEqual([]);
  });

  it('are found again when the time zone is another by now', async () => {
    closed = [run(1, ago(2))];
    await attempt().result;
    const before = await files();
    fetched = [];
    for (const zone of ['Pacific/Kiritimati', 'Pacific/Pago_Pago']) {
      expect(await attempt({}, zone).result).toMatchObject({ histories: 0 });
    }
    expect([fetched, await files()]).toEqual([[], before]);
  });

  it('are counted once when the attempt is cut, and gone on with where it was', async () => {
    closed = [run(1, ago(3)), run(2, ago(2)), run(3, ago(1))];
    await put(`${dayOf(ago(RETENTION_DAYS + 2))}/10h25-a/orders.csv`);
    const notes = {};
    history = async ({ runId }) => {
      if (runId.endsWith('2')) throw new Error('cut');
      return 'one';
    };
    await expect(attempt(notes).result).rejects.toThrow('cut');
    history = async () => 'three';
    expect(await attempt(notes).result).toEqual({
      histories: 3,
      bytes: 3 + 5 + 5,
      lost: 0,
      purgedDays: 1,
      forgottenOrders: 0,
    });
    expect(fetched.map((id) => id.at(-1))).toEqual(['1', '2', '2', '3']);
  });

  it('are told as lost when Temporal has forgotten them, and do not keep the others', async () => {
    closed = [run(1, ago(2)), run(2, ago(1))];
    history = async ({ runId }) => (runId.endsWith('1') ? null : 'there');
    expect(await attempt().result).toMatchObject({ histories: 1, lost: 1 });
  });

  it('of days that are purged are not brought back', async () => {
    closed = [run(1, ago(RETENTION_DAYS + 1))];
    expect(await attempt().result).toMatchObject({ histories: 0 });
    expect([fetched, await files()]).toEqual([[], []]);
  });

  it('are left when the upkeep is cancelled', async () => {
    closed = [run(1, ago(2)), run(2, ago(1))];
    const { environment, result } = attempt();
    history = async () => {
      environment.cancel();
      return 'last';
    };
    await expect(result).rejects.toBeInstanceOf(CancelledFailure);
    expect(fetched).toHaveLength(1);
  });
});

describe('what is past the retention', () => {
  it('goes first, whatever becomes of the rest: days of the archive, and the customers of orders', async () => {
    const [past, last] = [ago(RETENTION_DAYS + 1), ago(RETENTION_DAYS)].map(dayOf);
    await put(`${past}/10h25-a/orders.csv`);
    await put(`${last}/10h25-a/orders.csv`);
    await test.ledger.recordOrders({
      cycle: 'a',
      step: 1,
      file: 'commandes',
      fileSha256: '',
      at: new Date(),
      orders: [1, 2].map((id) => ({ order: anOrder(id), route: 'by_hand' as const })),
      setAside: [],
    });
    await test.database
      .update(orders)
      .set({ seenAt: ago(RETENTION_DAYS + 1) })
      .where(sql`id = 1`);
    closed = [run(1, ago(1))];
    history = async () => {
      throw new Error('Temporal does not answer');
    };
    const notes: { details?: unknown } = {};
    await expect(attempt(notes).result).rejects.toThrow('does not answer');
    expect(await files()).toEqual([`${last}/10h25-a/orders.csv`]);
    const kept = await test.database.select({ id: orders.id, body: orders.body }).from(orders);
    expect(kept.filter(({ body }) => body !== null).map(({ id }) => id)).toEqual([2]);
    expect(notes.details).toMatchObject({ purgedDays: 1, forgottenOrders: 1 });
  });
});
