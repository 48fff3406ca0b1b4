import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copyBlankLedger } from '../../chaos/blank-ledger.ts';
import { historyText } from '../../chaos/cycles.ts';
import { writeConfiguration } from '../../sandbox/configuration.ts';
import { freePort } from '../../sandbox/free-port.ts';
import { judge } from '../../sandbox/judge.ts';
import { startSandbox, type Sandbox } from '../../sandbox/sandbox.ts';
import { demoScenario } from '../../sandbox/scenario.ts';
import { followCycle, startCycle } from '../../src/run-cycle.ts';
import { SCHEDULE_ID } from '../../src/schedule.ts';
import type { CycleReport, StepName } from '../../src/workflows/report.ts';
import { createTestDatabase } from '../support/ledgers.ts';
import { startDevServer } from '../support/temporal.ts';
import {
  connectTo,
  startGatewayProcess,
  UNHURRIED,
  type GatewayProcess,
} from '../support/gateway-process.ts';

// The whole of it, as `npm start` runs it: a process of its own, its embedded Temporal, real FTP, the simulated shop.

let folder: string;
let sandbox: Sandbox;
let port: number;
let start: (more?: Record<string, string>) => GatewayProcess;
let gateway: GatewayProcess;
let secrets: readonly string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-cycle-'));
  sandbox = await startSandbox({ folder, halfHour: 15_000, scenario: demoScenario, held: true });
  port = await freePort();
  const { path, environment } = await writeConfiguration(sandbox, {
    folder,
    scenario: demoScenario,
    overrides: {
      schedule: { cron: '0 0 1 1 *' },
      temporal: { port, uiPort: await freePort() },
      // A restart takes a good part of the sandbox's half hour: by then, the next ExportCSV would be due.
      proshop: { every: '10m' },
      waits: UNHURRIED,
    },
  });
  await copyBlankLedger(join(folder, 'data', 'ledger'));
  secrets = Object.values(environment);
  start = (more = {}) => startGatewayProcess(path, { ...environment, ...more });
  gateway = start();
  await gateway.ready();
});
afterEach(async () => {
  await gateway.end('SIGTERM');
  await sandbox.stop();
  await rm(folder, { recursive: true, force: true });
});

const cycleOnce = async (
  temporal: { client: Client; close(): Promise<void> },
  during?: { step: StepName; act: () => Promise<void> },
) => {
  try {
    sandbox.clock.go();
    await sandbox.clock.until(55);
    const run = await startCycle(temporal.client);
    let acted: Promise<void> | undefined;
    const report = await followCycle(temporal.client, run, (now: CycleReport) => {
      const step = now.steps.find(({ name }) => name === during?.step);
      if (step?.state === 'running') acted ??= during?.act();
    });
    await acted;
    const history = await temporal.client.workflow.getHandle(run.workflowId, run.runId).fetchHistory();
    return { report, history, text: historyText(history) };
  } finally {
    await temporal.close();
  }
};

/** What must not stand in a history, a log or a report. */
const privateWords = () => [
  ...secrets,
  ...secrets
    .filter((secret) => URL.canParse(secret))
    .map((secret) => new URL(secret).searchParams.get('secure_key') ?? ''),
  ...sandbox.truth().orders.flatMap(({ customer }) => [customer.lastname]),
];

describe('npm start', { timeout: 240_000 }, () => {
  it('runs the cycle as the sandbox’s truth wants it, and tells no secret and no customer', async () => {
    const { report, history, text } = await cycleOnce(await connectTo(port));
    expect(report.outcome).toBe('complete');
    const judgement = judge(sandbox.truth());
    expect(judgement.checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(judgement.ok).toBe(true);

    const archive = join(folder, 'data', 'archive', report.cycle.folder ?? '');
    expect((await readdir(archive)).sort()).toEqual(
      [
        'ExportCSV',
        'ExportCSVmod',
        'late-orders.csv',
        'orders.csv',
        'orders.xml',
        'report.json',
        'sales-inputs.json.gz',
        'stock-inputs.jsonl.gz',
      ].sort(),
    );
    const filed = await readFile(join(archive, 'report.json'), 'utf8');
    expect(JSON.parse(filed)).toMatchObject({ outcome: 'complete', steps: report.steps });

    // What the activities were told and answered can be read in it, so that a customer would be found.
    expect(text).toContain('"orderIds":[4');
    for (const word of privateWords()) {
      expect(word.length).toBeGreaterThan(3);
      for (const [place, told] of Object.entries({ text, filed, log: gateway.output() })) {
        expect(told.includes(word) ? `${place} tells ${word}` : '').toBe('');
      }
    }
    expect(history.events?.length).toBeLessThan(200);
  });

  it('goes on with a cycle after it was killed, with the Temporal that it left running', async () => {
    // It waits for a whole half hour, so that the kill comes while it does.
    sandbox.damageNextExport('missing');
    const { report, text } = await cycleOnce(await connectTo(port), {
      step: 'collectStock',
      async act() {
        await gateway.end('SIGKILL');
        gateway = start();
        await gateway.ready();
      },
    });
    expect(gateway.output()).toContain('"adopted":true');
    const isUsual = ({ kind }: { readonly kind: string }) =>
      ['orders-by-hand', 'orders-set-aside'].includes(kind);
    expect({
      outcome: report.outcome,
      notDone: report.steps.filter(({ state }) => state !== 'done'),
      unusual: report.alarms.filter((alarm) => !isUsual(alarm)),
    }).toEqual({ outcome: 'complete', notDone: [], unusual: [] });
    expect(text).toContain('collectStock');
    // Nobody looked while it was down, so it may take an order for unknown to Proshop that is known: less, never more.
    // A restart takes a good part of the sandbox's half hour, so the figures may be of the one before.
    expect(
      judge(sandbox.truth(), { stock: 'never more', stalest: 120 }).checks.filter(({ ok }) => !ok),
    ).toEqual([]);
  });

  it('keeps the schedule paused across a restart, and stops its Temporal when it stops', async () => {
    let temporal = await connectTo(port);
    const schedule = () => temporal.client.schedule.getHandle(SCHEDULE_ID);
    expect((await schedule().describe()).policies).toMatchObject({
      overlap: 'BUFFER_ONE',
      catchupWindow: 1_800_000,
    });
    await schedule().pause('inventaire');
    await temporal.close();
    expect(await gateway.end('SIGTERM')).toBe(0);
    await expect(connectTo(port)).rejects.toThrow(/connect/);
    expect(existsSync(join(folder, 'data', 'temporal.json'))).toBe(false);

    gateway = start();
    await gateway.ready();
    temporal = await connectTo(port);
    const { state, spec } = await schedule().describe();
    expect(state).toMatchObject({ paused: true, note: 'inventaire' });
    expect(spec.timezone).toBe('Europe/Paris');
    await temporal.close();
  });

  it('ends, so that somebody notices, when its Temporal dies', async () => {
    const { pid } = JSON.parse(await readFile(join(folder, 'data', 'temporal.json'), 'utf8')) as {
      pid: number;
    };
    process.kill(pid, 'SIGKILL');
    expect(await gateway.ended).toBe(1);
    expect(gateway.output()).toContain(
      'Expected the embedded Temporal to run as long as the gateway, got its end',
    );
  });

  it('refuses to share its ledger with a second gateway, in one sentence', async () => {
    const second = start();
    expect(await second.ended).toBe(1);
    expect(second.output()).toMatch(
      /^Expected .*ledger to be free, got one that another passerelle has open: .*\n$/,
    );
  });
});

describe('npm start with a Temporal cluster and a PostgreSQL of its own', { timeout: 240_000 }, () => {
  it('uses them instead of the embedded ones, and leaves them running', async () => {
    await gateway.end('SIGTERM');
    const cluster = await startDevServer();
    const postgres = await createTestDatabase();
    try {
      const temporal = { client: cluster.client, close: async () => undefined };
      gateway = start({
        TEMPORAL_ADDRESS: cluster.address,
        ...(postgres === null ? {} : { DATABASE_URL: postgres.url }),
      });
      await gateway.ready();
      expect(gateway.output()).toContain(postgres === null ? 'PGlite' : '"ledger":"PostgreSQL"');
      const { report } = await cycleOnce(temporal);
      expect(report.outcome).toBe('complete');
      expect(judge(sandbox.truth()).checks.filter(({ ok }) => !ok)).toEqual([]);
      expect(gateway.output()).not.toContain('Embedded Temporal');
      expect(await gateway.end('SIGTERM')).toBe(0);
      expect(await cluster.client.schedule.getHandle(SCHEDULE_ID).describe()).toMatchObject({
        scheduleId: SCHEDULE_ID,
      });
    } finally {
      await gateway.end('SIGTERM');
      await postgres?.drop();
      await cluster.teardown();
    }
  });
});

describe('a configuration that cannot be used', () => {
  it('is told fault by fault, without a stack trace', async () => {
    const broken = startGatewayProcess(join(folder, 'none.yaml'), {});
    expect(await broken.ended).toBe(1);
    expect(broken.output()).toMatch(/none\.yaml cannot be used, 1 fault\(s\):\n {2}Expected a readable file/);
    expect(broken.output()).not.toContain('    at ');
  });
});
