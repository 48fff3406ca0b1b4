import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { lt, sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeConfiguration } from '../../sandbox/configuration.ts';
import { freePort } from '../../sandbox/free-port.ts';
import { startSandbox, type Sandbox } from '../../sandbox/sandbox.ts';
import { demoScenario } from '../../sandbox/scenario.ts';
import { openLedger, type OpenLedger } from '../../src/ledger/open.ts';
import { orders } from '../../src/ledger/schema.ts';
import { followCycle, startCycle } from '../../src/run-cycle.ts';
import { TASK_QUEUE } from '../../src/schedule.ts';
import { upkeep } from '../../src/workflows/upkeep.ts';
import { connectTo, startGatewayProcess, type GatewayProcess } from '../support/gateway-process.ts';
import { commandLine, environmentOf, listeningSockets, processesWith } from '../support/processes.ts';

// Who can get in, seen from outside: the whole gateway as a process of its own, and what the system says of it.

const LOOPBACK = ['127.0.0.1', '::1'];
const RETENTION_DAYS = 90;

let folder: string;
let data: string;
let sandbox: Sandbox;
let port: number;
let secrets: readonly string[];
let start: (more?: Record<string, string>) => GatewayProcess;
let gateway: GatewayProcess;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-security-'));
  data = join(folder, 'data');
  sandbox = await startSandbox({ folder, halfHour: 15_000, scenario: demoScenario, held: true });
  port = await freePort();
  const { path, environment } = await writeConfiguration(sandbox, {
    folder,
    scenario: demoScenario,
    overrides: {
      schedule: { cron: '0 0 1 1 *' },
      temporal: { port, uiPort: await freePort() },
      archive: { retentionDays: RETENTION_DAYS },
    },
  });
  secrets = Object.values(environment).flatMap((value) => [
    value,
    ...(URL.canParse(value) ? [new URL(value).searchParams.get('secure_key') ?? value] : []),
  ]);
  start = (more = {}) => {
    // The most open one: every file has the rights that it was made with.
    const before = process.umask(0);
    try {
      return startGatewayProcess(path, { ...environment, ...more });
    } finally {
      process.umask(before);
    }
  };
});
afterEach(async () => {
  await gateway.end('SIGTERM');
  await sandbox.stop();
  await rm(folder, { recursive: true, force: true });
});

const started = async (more?: Record<string, string>) => {
  gateway = start(more);
  await gateway.ready();
};
const runCycle = async () => {
  const temporal = await connectTo(port);
  try {
    sandbox.clock.go();
    await sandbox.clock.until(55);
    return await followCycle(temporal.client, await startCycle(temporal.client), () => undefined);
  } finally {
    await temporal.close();
  }
};
const runUpkeep = async () => {
  const temporal = await connectTo(port);
  try {
    const workflowId = `upkeep-${randomUUID()}`;
    return await temporal.client.workflow.execute(upkeep, { taskQueue: TASK_QUEUE, workflowId });
  } finally {
    await temporal.close();
  }
};
const temporalPid = async () =>
  (JSON.parse(await readFile(join(data, 'temporal.json'), 'utf8')) as { pid: number }).pid;
/** What is open to others than its user, path -> rights. */
const openToOthers = async () => {
  const entries = await readdir(data, { recursive: true, withFileTypes: true });
  const paths = [data, ...entries.map((entry) => join(entry.parentPath, entry.name))];
  const rights = await Promise.all(
    paths.map(async (path) => {
      // A database drops files of its own while it runs.
      const found = await stat(path).catch(() => null);
      return [relative(folder, path), (found?.mode ?? 0) & 0o777] as const;
    }),
  );
  expect(rights.length).toBeGreaterThan(20);
  return rights.filter(([, mode]) => (mode & 0o077) !== 0);
};

describe.skipIf(process.platform !== 'linux')('what listens', { timeout: 240_000 }, () => {
  it('listens on loopback, also the Temporal that a killed gateway leaves and the next one takes over', async () => {
    await started();
    const listening = () => processesWith(folder).flatMap(listeningSockets);
    const first = listening();
    expect(first.map((socket) => socket.port)).toContain(port);
    expect(new Set(first.map(({ pid }) => pid))).toContain(await temporalPid());
    expect(first.filter(({ address }) => !LOOPBACK.includes(address))).toEqual([]);

    await gateway.end('SIGKILL');
    await started();
    expect(gateway.output()).toContain('"adopted":true');
    const second = listening();
    expect(second.map((socket) => socket.port)).toContain(port);
    expect(second.filter(({ address }) => !LOOPBACK.includes(address))).toEqual([]);
  });
});

describe.skipIf(process.platform !== 'linux')('a gateway at work', { timeout: 180_000 }, () => {
  it('keeps every file for its user, no secret where others look, and customers for their time only', async () => {
    // As it is found where a container or a service manager made it.
    await mkdir(data, { mode: 0o755 });
    const [past, recent] = [RETENTION_DAYS + 1, RETENTION_DAYS - 1].map((days) =>
      join(data, 'archive', new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10)),
    );
    for (const day of [past, recent]) {
      await mkdir(join(day ?? '', '10h25-3f2a91c0'), { recursive: true, mode: 0o700 });
      await writeFile(join(day ?? '', '10h25-3f2a91c0', 'orders.csv'), 'Lefèvre', { mode: 0o600 });
    }
    await started();
    expect(gateway.output()).toContain('A folder was open to other users');
    expect(gateway.output()).not.toContain('unencrypted');

    const report = await runCycle();
    expect(report.outcome).toBe('complete');
    expect(await runUpkeep()).toMatchObject({ histories: 1, purgedDays: 1 });
    expect(await openToOthers()).toEqual([]);
    expect(await readdir(data)).toEqual(
      expect.arrayContaining([
        'archive',
        'ledger',
        'ledger.lock',
        'temporal.db',
        'temporal.json',
        'temporal.log',
      ]),
    );
    expect((await readdir(join(data, 'archive'))).sort()).toEqual([
      (recent ?? '').slice(-10),
      report.cycle.folder?.slice(0, 10),
    ]);

    const processes = processesWith(folder);
    expect(processes.length).toBeGreaterThan(1);
    for (const secret of secrets) {
      for (const pid of processes) expect(commandLine(pid).includes(secret)).toBe(false);
      expect(environmentOf(await temporalPid()).filter((entry) => entry.includes(secret))).toEqual([]);
    }
    expect(environmentOf(await temporalPid())).toContain('TEMPORAL_VERSION_CHECK_DISABLED=1');

    expect(await gateway.end('SIGTERM')).toBe(0);
    const before = await ageOrders();
    expect(before.byHand).toBeGreaterThan(0);
    await started();
    await runCycle();
    await runUpkeep();
    expect(await gateway.end('SIGTERM')).toBe(0);
    expect(await customersKept()).toEqual({ all: 0, byHand: 0, orders: before.orders });
    expect(await openToOthers()).toEqual([]);
  });
});

/** Makes every order as old as the retention and a day; gives how many still have their customer. */
function ageOrders() {
  return withLedger(async (database) => {
    await database
      .update(orders)
      .set({ seenAt: sql`${orders.seenAt} - ${RETENTION_DAYS + 1} * interval '1 day'` });
    return count(database);
  });
}

function customersKept() {
  return withLedger(count);
}

type Database = OpenLedger['database'];

/** Counts the orders past the retention, and those among them that still have their customer. */
async function count(database: Database) {
  const oldest = new Date(Date.now() - RETENTION_DAYS * 86_400_000);
  const old = await database
    .select({ route: orders.route, body: orders.body })
    .from(orders)
    .where(lt(orders.seenAt, oldest));
  const kept = old.filter(({ body }) => body !== null);
  return {
    orders: old.length,
    all: kept.length,
    byHand: kept.filter(({ route }) => route === 'by_hand').length,
  };
}

async function withLedger<T>(work: (database: Database) => Promise<T>): Promise<T> {
  const open = await openLedger({ databaseUrl: undefined, folder: join(data, 'ledger') });
  try {
    return await work(open.database);
  } finally {
    await open.close();
  }
}

describe('an environment in which no certificate is checked', () => {
  it('is refused at start, in one sentence', async () => {
    gateway = start({ NODE_TLS_REJECT_UNAUTHORIZED: '0' });
    expect(await gateway.ended).toBe(1);
    expect(gateway.output()).toContain(
      'Expected certificates to be checked, got NODE_TLS_REJECT_UNAUTHORIZED=0',
    );
    expect(gateway.output()).not.toContain('    at ');
  });
});
