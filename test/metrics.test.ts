import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { copyBlankLedger } from '../chaos/blank-ledger.ts';
import { freePort } from '../sandbox/free-port.ts';
import { closeCycle } from '../src/activities/close-cycle.ts';
import type { Deps } from '../src/activities/deps.ts';
import { createArchive } from '../src/archive.ts';
import { loadConfig, type Config } from '../src/config.ts';
import { createMetrics, type Metrics } from '../src/metrics.ts';
import { followCycle, startCycle } from '../src/run-cycle.ts';
import { SCHEDULE_ID } from '../src/schedule.ts';
import { createLog, startGateway, type Gateway } from '../src/worker.ts';
import { cycle } from '../src/workflows/cycle.ts';
import type { CycleReport } from '../src/workflows/report.ts';
import { fakeActivities, INPUT } from './support/fakes.ts';
import { NOBODY_THERE, startGatewayProcess } from './support/gateway-process.ts';
import { workflowBundle } from './support/temporal.ts';

// A gateway as `npm start` makes it, whose FTP server does not answer, with Temporal's runtime as that installs it.

const ROOT = join(import.meta.dirname, '..');

let folder: string;
let path: string;
let config: Config;
let gateway: Gateway;
let metrics: Metrics;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-metrics-'));
  const example = parse(await readFile(join(ROOT, 'passerelle.example.yaml'), 'utf8')) as Record<
    string,
    object
  >;
  path = join(folder, 'passerelle.yaml');
  await writeFile(
    path,
    stringify({
      ...example,
      schedule: { cron: '0 0 1 1 *' },
      temporal: { port: await freePort(), uiPort: await freePort() },
      monitoring: { health: await freePort(), metrics: await freePort() },
      ftp: { ...example.ftp, host: '127.0.0.1', port: await freePort(), timeout: '1s' },
      proshop: { ...example.proshop, template: join(ROOT, 'sandbox', 'sales-template.xml') },
      waits: { exportOrders: '2s' },
    }),
  );
  config = loadConfig(path, NOBODY_THERE);
  await copyBlankLedger(join(config.data, 'ledger'));
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  gateway = await startGateway(config, createLog(config, silent));
  metrics = createMetrics(Runtime.instance().metricMeter);
});
afterAll(async () => {
  await gateway.stop();
  await rm(folder, { recursive: true, force: true });
});

const scrape = async (): Promise<string> =>
  (await fetch(`http://127.0.0.1:${config.monitoring.metrics}/metrics`)).text();
/** The value of the one line with this name and these labels, whatever others it has. */
const valueOf = (text: string, name: string, labels: Readonly<Record<string, string>> = {}) => {
  const lines = text
    .split('\n')
    .filter(
      (line) =>
        (line.startsWith(`${name}{`) || line.startsWith(`${name} `)) &&
        Object.entries(labels).every(([label, value]) => line.includes(`${label}="${value}"`)),
    );
  expect(lines.length, `lines of ${name} ${JSON.stringify(labels)}`).toBeLessThanOrEqual(1);
  return lines[0] === undefined ? null : Number(lines[0].split(' ').at(-1));
};
const probe = async (path: string) => {
  const response = await fetch(`http://127.0.0.1:${config.monitoring.health}${path}`);
  return { status: response.status, body: await response.json() };
};

describe('a gateway that is watched', () => {
  it('is healthy and ready once its worker polls', async () => {
    await expect.poll(() => probe('/healthz')).toMatchObject({ status: 200 });
    expect((await probe('/healthz')).body).toEqual({ worker: 'ok', temporal: 'ok', ledger: 'ok' });
    expect(await probe('/readyz')).toEqual({ status: 200, body: { worker: 'ok', schedule: 'ok' } });
  });

  it('tells what has not happened yet as 0, and the orders of its ledger', async () => {
    const text = await scrape();
    for (const outcome of ['complete', 'degraded', 'held', 'failed'])
      expect(valueOf(text, 'passerelle_cycles_total', { outcome })).toBe(0);
    for (const state of ['to_send', 'sent', 'by_hand', 'set_aside', 'waiting', 'settled', 'incomplete'])
      expect(valueOf(text, 'passerelle_orders', { state })).toBe(0);
  });

  it('tells what Temporal’s SDK measures', async () => {
    const text = await scrape();
    expect(text).toMatch(/^temporal_request\{/m);
    expect(text).toMatch(/^temporal_num_pollers\{/m);
    expect(text).toMatch(/task_queue="passerelle"/);
  });

  it('counts a cycle that it ran itself', async () => {
    const report = await followCycle(gateway.client, await startCycle(gateway.client), () => undefined);
    expect(report.outcome).toBe('failed');
    const text = await scrape();
    expect(valueOf(text, 'passerelle_cycles_total', { outcome: 'failed' })).toBe(1);
    const endedAt = valueOf(text, 'passerelle_last_cycle_timestamp_seconds');
    expect(endedAt).toBeCloseTo(Date.parse(report.endedAt ?? '') / 1_000, 2);
  });

  it('tells of a whole cycle what it did, once, however often it is closed', async () => {
    const closings: CycleReport[] = [];
    const deps = {
      config,
      archive: createArchive(config.archive.folder),
      ledger: { markTold: async () => undefined },
      shop: { finishOrders: async () => undefined },
      metrics,
    } as unknown as Deps;
    let looks = 0;
    const fakes = fakeActivities().activities;
    const { activities } = fakeActivities({
      awaitOrdersTaken: async () => {
        if (++looks < 3) throw new Error('not yet');
        return { taken: 1, orders: 3 };
      },
      prepareStock: async (input) => ({ ...(await fakes.prepareStock(input)), withheld: 7 }),
      // Its answer is lost, twice.
      closeCycle: async (input) => {
        closings.push(input.report);
        const result = await closeCycle(deps)(input);
        if (closings.length < 3) throw new Error('lost');
        return result;
      },
    });
    const connection = await NativeConnection.connect({ address: `127.0.0.1:${config.temporal.port}` });
    const taskQueue = randomUUID();
    const worker = await Worker.create({
      connection,
      taskQueue,
      workflowBundle: await workflowBundle(),
      activities,
    });
    const input = { waits: { ...INPUT.waits, look: 500 } };
    const report = await worker.runUntil(
      gateway.client.workflow.execute(cycle, { args: [input], taskQueue, workflowId: taskQueue }),
    );
    await connection.close();
    expect([report.outcome, closings.length]).toEqual(['complete', 3]);

    const text = await scrape();
    expect(valueOf(text, 'passerelle_cycles_total', { outcome: 'complete' })).toBe(1);
    expect(valueOf(text, 'passerelle_stock_withheld_units')).toBe(7);
    const changes = { up: 1, down: 2, to_zero: 0, created: 4 };
    for (const [change, variants] of Object.entries(changes))
      expect(valueOf(text, 'passerelle_stock_variants_changed_total', { change })).toBe(variants);
    for (const step of report.steps) {
      const labels = { step: step.name, state: 'done' };
      expect(valueOf(text, 'passerelle_step_duration_seconds_count', labels)).toBe(1);
      const seconds = (Date.parse(step.endedAt ?? '') - Date.parse(step.startedAt ?? '')) / 1_000;
      expect(valueOf(text, 'passerelle_step_duration_seconds_sum', labels)).toBeCloseTo(seconds, 3);
    }
    const taken = { evidence: 'orders_taken', seen: 'true' };
    expect(valueOf(text, 'passerelle_proshop_wait_seconds_count', taken)).toBe(1);
    expect(valueOf(text, 'passerelle_proshop_wait_seconds_sum', taken)).toBeGreaterThanOrEqual(1);
    expect(valueOf(text, 'passerelle_proshop_wait_seconds_bucket', { ...taken, le: '10' })).toBe(1);
    expect(
      valueOf(text, 'passerelle_step_duration_seconds_bucket', {
        step: 'awaitOrdersTaken',
        le: '0.5',
      }),
    ).toBe(0);
  });

  it('tells nobody a secret, and says for each metric what it means', async () => {
    const text = await scrape();
    for (const secret of Object.values(NOBODY_THERE)) expect(text).not.toContain(secret);
    expect(text).not.toContain('k3y-k3y-k3y');
    const names = new Set(
      [...text.matchAll(/^(passerelle_\w+?)(?:_bucket|_sum|_count)?[{ ]/gm)].map(([, name]) => name),
    );
    expect(names.size).toBe(7);
    for (const name of names) expect(text).toMatch(new RegExp(`^# HELP ${name} [A-Z].{20}`, 'm'));
    const page = await readFile(join(ROOT, 'docs', 'monitoring.md'), 'utf8');
    for (const name of names) expect(page).toContain(`\`${name}\``);
  });

  it('is not ready without its schedule', async () => {
    await gateway.client.schedule.getHandle(SCHEDULE_ID).delete();
    expect(await probe('/healthz')).toMatchObject({ status: 200 });
    expect(await probe('/readyz')).toMatchObject({ status: 503, body: { worker: 'ok' } });
  });
});

describe('what a report counts', () => {
  const step = (name: string, state: string, seconds: number | null, facts: unknown = {}) => ({
    number: 1,
    name,
    state,
    startedAt: seconds === null ? null : '2026-11-24T10:00:00.000Z',
    endedAt:
      seconds === null ? null : new Date(Date.parse('2026-11-24T10:00:00Z') + seconds * 1_000).toISOString(),
    facts,
    why: null,
  });
  const close = (...steps: unknown[]) =>
    metrics.cycleClosed({
      outcome: 'degraded',
      cycle: { id: randomUUID(), folder: null },
      startedAt: '',
      endedAt: null,
      steps,
      alarms: [],
    } as never);
  const difference = { up: 1_000, down: 0, toZero: 0, created: 0, unchanged: 0, largest: [] };
  const stockNow = async () => {
    const text = await scrape();
    return {
      up: valueOf(text, 'passerelle_stock_variants_changed_total', { change: 'up' }),
      withheld: valueOf(text, 'passerelle_stock_withheld_units'),
    };
  };

  it('is no change of stock that the shop did not confirm', async () => {
    const before = await stockNow();
    const facts = { difference, withheld: 99 };
    close(step('prepareStock', 'done', 1, facts), step('updateStock', 'failed', 1));
    close(step('prepareStock', 'done', 1, facts), step('updateStock', 'skipped', null));
    close(step('prepareStock', 'failed', 1, null), step('updateStock', 'skipped', null));
    expect(await stockNow()).toEqual(before);
    close(step('prepareStock', 'done', 1, { difference }), step('updateStock', 'done', 1));
    expect(await stockNow()).toEqual({ up: (before.up ?? 0) + 1_000, withheld: before.withheld });
  });

  it('is no wait where nothing was published, and one that was in vain apart', async () => {
    const seen = { evidence: 'orders_taken', seen: 'true' };
    const before = valueOf(await scrape(), 'passerelle_proshop_wait_seconds_count', seen) ?? 0;
    close(
      step('awaitOrdersTaken', 'done', 0, { taken: 0, orders: 0 }),
      step('collectStock', 'failed', 1_200, null),
    );
    const text = await scrape();
    expect(valueOf(text, 'passerelle_proshop_wait_seconds_count', seen) ?? 0).toBe(before);
    const missed = { evidence: 'stock_export', seen: 'false' };
    expect(valueOf(text, 'passerelle_proshop_wait_seconds_sum', missed)).toBe(1_200);
    expect(
      valueOf(text, 'passerelle_step_duration_seconds_sum', { step: 'collectStock', state: 'failed' }),
    ).toBe(1_200);
  });

  it('is no negative time, which a clock that was set back would make', async () => {
    expect(() => close(step('createProducts', 'failed', -60))).not.toThrow();
  });
});

it.each(['health', 'metrics'] as const)('does not start where the port for %s is taken', async (what) => {
  const squatter = createServer().listen(0, '127.0.0.1');
  await once(squatter, 'listening');
  const { port } = squatter.address() as { port: number };
  const settings = parse(await readFile(path, 'utf8')) as Record<string, object>;
  const other = join(folder, `${what}.yaml`);
  await writeFile(
    other,
    stringify({
      ...settings,
      data: join(folder, what),
      temporal: { port: await freePort(), uiPort: await freePort() },
      monitoring: { [what]: port },
    }),
  );
  await copyBlankLedger(join(folder, what, 'ledger'));
  const second = startGatewayProcess(other, NOBODY_THERE);
  try {
    expect(await second.ended).toBe(1);
    expect(second.output()).toMatch(
      new RegExp(`Expected to listen on 127\\.0\\.0\\.1, port ${port} \\(monitoring\\.${what}\\), got: `),
    );
  } finally {
    await second.end('SIGKILL');
    squatter.close();
  }
});
