import { cp, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ScheduleOverlapPolicy } from '@temporalio/client';
import { ORDER_COLUMNS, writeConfiguration } from '../sandbox/configuration.ts';
import { startFtpProxy } from '../sandbox/ftp-proxy.ts';
import { startSandbox } from '../sandbox/sandbox.ts';
import type { Truth } from '../sandbox/truth.ts';
import { openLedger } from '../src/ledger/open.ts';
import { startCycle } from '../src/run-cycle.ts';
import { SCHEDULE_ID } from '../src/schedule.ts';
import { historyText, listRuns, resultOf, temporalAt, untilClosed } from './cycles.ts';
import type { CycleRun } from './cycles.ts';
import type { Directive } from './directive.ts';
import { startKillableFtpServer } from './ftp-under-test.ts';
import { superviseGateway } from './gateway-supervisor.ts';
import type { Environment } from './gateway-supervisor.ts';
import { badEnd, findViolations } from './oracle.ts';
import type { CycleEvidence } from './oracle.ts';
import { describeFault } from './plan.ts';
import type { Fault, Plan, Redeployment } from './plan.ts';
import { fixedPort } from './ports.ts';
import { createPostgres } from './postgres.ts';

export interface RunResult {
  readonly plan: Plan;
  /** What the oracle found; empty = passed. */
  readonly violations: readonly string[];
  /** Faults that really came, in words. */
  readonly struck: readonly string[];
  readonly cycles: number;
  readonly seconds: number;
  /** Where everything lies; deleted when nothing was found. */
  readonly folder: string;
}

/** Real milliseconds of the shop's half hour. */
const HALF_HOUR = 5_000;
/** Milliseconds within which a cycle must end, however it is broken. */
const CYCLE_PATIENCE = 120_000;
/** Whole cycles after the broken ones within which everything must be right again. */
const RECOVERY = 3;

/** Runs one plan from a fresh shop to the oracle's judgement. */
export async function runPlan(plan: Plan): Promise<RunResult> {
  const began = performance.now();
  const folder = await mkdtemp(join(tmpdir(), `passerelle-chaos-${plan.seed}-`));
  const closers: (() => Promise<void>)[] = [];
  try {
    const { violations, struck, cycles } = await runIn(folder, plan, closers);
    const seconds = (performance.now() - began) / 1_000;
    return { plan, violations, struck, cycles, seconds, folder };
  } finally {
    for (const close of closers.toReversed()) await close().catch(() => undefined);
  }
}

async function runIn(folder: string, plan: Plan, closers: (() => Promise<void>)[]) {
  const { scenario } = plan;
  const root = join(folder, 'ftp');
  const ftp = await startKillableFtpServer(plan.ftp, root);
  closers.push(() => ftp.stop());
  const imports: Truth[] = [];
  const sandbox = await startSandbox({
    folder,
    halfHour: HALF_HOUR,
    scenario,
    held: true,
    ftp,
    settings: { notExported: plan.notExported, asciiMode: plan.asciiMode },
    onImport: (truth) => imports.push(truth),
  });
  closers.push(() => sandbox.stop());
  const proxy = await startFtpProxy(ftp);
  closers.push(() => proxy.stop());
  const postgres = plan.ledger === 'PostgreSQL' ? await createPostgres() : undefined;
  if (postgres !== undefined) {
    closers.push(() => postgres.stop());
    await postgres.start();
  }

  const temporalPort = await fixedPort();
  const configure = async (more: readonly Redeployment[] = []) =>
    writeConfiguration(sandbox, {
      folder,
      scenario,
      overrides: {
        schedule: { cron: '0 0 1 1 *' },
        temporal: { port: temporalPort, uiPort: temporalPort + 1_000 },
        ftp: {
          port: proxy.port,
          timeout: '2s',
          ...(more.includes('staging folder') ? { staging: '/passerelle-2' } : {}),
        },
        shop: { timeout: '2s' },
        stock: { planAge: '5s' },
        proshop: { margin: '100ms', ...(more.includes('sales prefix') ? { salesPrefix: 'web' } : {}) },
        ...(more.includes('wrong column') ? { orders: { columns: WRONG_COLUMNS } } : {}),
        waits: WAITS,
      },
    });
  const { path, environment } = await configure();
  const variables: Environment = {
    ...environment,
    ...(postgres === undefined ? {} : { DATABASE_URL: postgres.url }),
  };
  if (postgres === undefined)
    await cp(await ledgerModel(), join(folder, 'data', 'ledger'), { recursive: true });

  const journal = join(folder, 'struck.log');
  const struck: string[] = [];
  const autumn = plan.cycles.flat().find((fault) => fault.kind === 'daylight saving');
  const directive: Directive = { journal, archive: join(folder, 'data', 'archive'), ahead: 0 };
  let { ahead } = directive;
  if (autumn !== undefined) {
    ahead = Date.parse(CHANGES[autumn.change]) - 20_000 - Date.now();
    proxy.showTimes((time) => parisWall(new Date(time.getTime() + ahead)));
    struck.push(describeFault(autumn));
  }
  const gateway = superviseGateway(path, variables, join(folder, 'directive.json'), { ...directive, ahead });
  closers.push(() => gateway.stop());
  await gateway.ready();

  const runs: RunNote[] = [];
  const { ask: temporal, close: closeTemporal } = temporalAt(temporalPort);
  closers.push(closeTemporal);
  let redeployed: readonly Redeployment[] = [];
  const redeploy = async (changes: readonly Redeployment[]) => {
    redeployed = changes;
    await configure(changes);
    await gateway.redeploy({
      ...variables,
      ...(changes.includes('wrong password') ? { FTP_PASSWORD: 'un-autre-mot-de-passe' } : {}),
    });
  };

  /** Arms the faults of one cycle. Gives what takes them back. */
  const arm = (faults: readonly Fault[]) => {
    const work: Promise<unknown>[] = [];
    const later = (milliseconds: number, act: () => Promise<unknown>) => {
      work.push(sleep(milliseconds).then(act));
    };
    const from = proxy.commands.length;
    const triggers = new Map<number, (() => void)[]>();
    const at = (command: number, fault: Fault, act: () => void) => {
      const note = () => {
        struck.push(describeFault(fault));
        act();
      };
      triggers.set(command, [...(triggers.get(command) ?? []), note]);
    };
    const heldUp: Extract<Fault, { kind: 'orders exported by hand' }>[] = [];
    const seen = new Map<string, number>();
    let kill: Directive['kill'];
    let fullDisk: Directive['fullDisk'];
    for (const fault of faults) {
      switch (fault.kind) {
        case 'kill worker':
          kill = { effect: fault.effect, moment: fault.moment };
          gateway.restartAfter(fault.downFor);
          break;
        case 'kill temporal':
          at(fault.command, fault, () => {
            gateway.restartAfter(fault.downFor);
            work.push(killTemporal(folder));
          });
          break;
        case 'kill ftp server':
          at(fault.command, fault, () => {
            work.push(ftp.kill());
            later(fault.downFor, () => ftp.start());
          });
          break;
        case 'kill ledger':
          at(fault.command, fault, () => {
            work.push(postgres?.kill() ?? Promise.resolve());
            later(fault.downFor, async () => postgres?.start());
          });
          break;
        case 'ftp':
          proxy.arm(fault.rule);
          break;
        case 'ftp refuses connections':
          at(fault.command, fault, () => proxy.refuse(fault.for));
          break;
        case 'shop':
          sandbox.failNext(fault.job, fault.fault);
          struck.push(describeFault(fault));
          break;
        case 'orders exported by hand':
          heldUp.push(fault);
          break;
        case 'proshop is late':
          sandbox.proshop.skipImports(1);
          struck.push(describeFault(fault));
          break;
        case 'proshop takes half':
          sandbox.proshop.takeHalf();
          struck.push(describeFault(fault));
          break;
        case 'bad ExportCSV':
          sandbox.damageNextExport(fault.damage);
          struck.push(describeFault(fault));
          break;
        case 'full disk':
          fullDisk = { write: fault.write, writes: fault.writes };
          break;
        case 'clock jumps':
          at(fault.command, fault, () => {
            ahead += fault.by;
            gateway.order({ ...directive, ahead });
          });
          break;
        case 'redeployed':
          at(fault.command, fault, () => work.push(redeploy([fault.change])));
          break;
        case 'daylight saving':
        case 'schedule':
          break;
      }
    }
    gateway.order({ ...directive, ahead, kill, fullDisk });
    const unlisten = proxy.onCommand(async (count, verb) => {
      for (const act of triggers.get(count - from) ?? []) act();
      triggers.delete(count - from);
      for (const name of [verb, '*']) seen.set(name, (seen.get(name) ?? 0) + 1);
      for (const fault of heldUp) {
        const { before, occurrence } = fault;
        if ((before !== verb && before !== '*') || seen.get(before) !== occurrence) continue;
        struck.push(describeFault(fault));
        orderOneMore();
        await sandbox.exportOrdersByHand();
      }
    });
    return async () => {
      unlisten();
      await Promise.all(work);
      for (const rule of proxy.struck.slice(noted)) struck.push(describeFault({ kind: 'ftp', rule }));
      noted = proxy.struck.length;
      proxy.disarm();
      sandbox.recover();
      gateway.order({ ...directive, ahead });
      await Promise.all([ftp.start().catch(() => undefined), postgres?.start().catch(() => undefined)]);
      if (redeployed.includes('wrong password') || redeployed.includes('wrong column')) await redeploy([]);
    };
  };
  let noted = 0;
  const orderOneMore = () => {
    const first = scenario.events.find((event) => 'order' in event);
    if (first === undefined || !('order' in first)) return;
    const { ean } = first.order.lines[0] ?? { ean: '' };
    try {
      sandbox.placeOrder({ ...first.order, lines: [{ ean, quantity: 1 }] });
    } catch {
      // Sold out: somebody exports all the same.
    }
  };

  const sandboxTime = (real: Date) => {
    const ago = (Date.now() - real.getTime()) * sandbox.clock.scale;
    return new Date(sandbox.clock.now().getTime() - ago).toISOString().slice(0, -1);
  };
  const evidenceOf = async ({ workflowId, runId, ...run }: RunNote): Promise<CycleEvidence> => ({
    id: runId.slice(-8),
    startedAt: sandboxTime(run.startTime),
    endedAt: sandboxTime(run.closeTime ?? new Date()),
    status: run.status,
    report: await temporal((client) => resultOf(client, workflowId, runId)),
    history: historyText(
      await temporal((client) => client.workflow.getHandle(workflowId, runId).fetchHistory()),
    ),
    besideAnother: run.besideAnother,
  });

  const cycle = async (faults: readonly Fault[], inStep: boolean): Promise<RunNote> => {
    await gateway.ready();
    if (inStep) await sandbox.clock.until(nextStart(sandbox.clock.time()));
    const schedule = faults.find((fault) => fault.kind === 'schedule')?.how;
    const before = await temporal(listRuns);
    if (schedule === 'paused')
      await temporal((client) => client.schedule.getHandle(SCHEDULE_ID).pause('inventaire'));
    const disarm = arm(faults);
    if (schedule !== undefined) struck.push(`schedule ${schedule}`);
    await temporal(async (client) => {
      if ((await listRuns(client)).length > before.length) return;
      const others = schedule === 'triggered twice' ? [startCycle(client)] : [];
      await Promise.all([startCycle(client), ...others]);
      if (schedule === 'two at once')
        await client.schedule.getHandle(SCHEDULE_ID).trigger(ScheduleOverlapPolicy.ALLOW_ALL);
    });
    await sleep(300);
    const isOver = await untilClosed(temporal, CYCLE_PATIENCE);
    await disarm();
    await gateway.ready();
    if (schedule === 'paused') {
      const { state } = await temporal((client) => client.schedule.getHandle(SCHEDULE_ID).describe());
      if (!state.paused) violations.push('the schedule that was paused runs again by itself');
      await temporal((client) => client.schedule.getHandle(SCHEDULE_ID).unpause());
    }
    if (!isOver) violations.push(`a cycle had not ended after ${CYCLE_PATIENCE / 1_000} s`);
    const known = new Set(before.map(({ runId }) => runId));
    const mine = (await temporal(listRuns)).filter(({ runId }) => !known.has(runId));
    const noteOf = (run: (typeof mine)[number]): RunNote => ({
      ...run,
      besideAnother: schedule === 'two at once',
    });
    runs.push(...mine.map(noteOf));
    return noteOf(mine.at(-1)!);
  };

  const violations: string[] = [];
  sandbox.clock.go();
  for (const faults of plan.cycles) await cycle(faults, plan.inStep);
  let truth = sandbox.truth();
  for (let round = 0; round < RECOVERY; round++) {
    const last = await evidenceOf(await cycle([], true));
    truth = sandbox.truth();
    if (badEnd({ truth, cycles: [last] }).length === 0) break;
  }
  const cycles: CycleEvidence[] = [];
  for (const run of runs) cycles.push(await evidenceOf(run));
  await gateway.stop();
  const kills = (await readFile(journal, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
  const told = { 'the log': gateway.log(), ...(await archivedReports(directive.archive)) };
  const secrets = Object.values(variables);
  violations.push(
    ...findViolations({
      truth,
      imports,
      cycles: cycles.sort((a, b) => a.startedAt.localeCompare(b.startedAt)),
      told,
      secrets,
    }),
  );
  return { violations, struck: [...struck, ...kills], cycles: cycles.length };
}

const WAITS = {
  heartbeat: '3s',
  attempt: '10s',
  exportOrders: '14s',
  deliverOrders: '12s',
  ordersTaken: '14s',
  stockExport: '16s',
  newProducts: '8s',
  prepareStock: '12s',
  updateStock: '14s',
};
const WRONG_COLUMNS = { ...ORDER_COLUMNS, order: { ...ORDER_COLUMNS.order, id: 'numero' } };
const CHANGES = { spring: '2026-03-29T01:00:00Z', autumn: '2026-10-25T01:00:00Z' } as const;

interface RunNote extends CycleRun {
  readonly besideAnother: boolean;
}

/** Shortly before Proshop takes the orders. */
function nextStart(time: string): number {
  const minute = Number(time.slice(14, 16));
  return minute >= 20 && minute < 50 ? 50 : 20;
}

function parisWall(time: Date): Date {
  const text = new Intl.DateTimeFormat('sv-SE', {
    timeZone: 'Europe/Paris',
    dateStyle: 'short',
    timeStyle: 'medium',
  }).format(time);
  return new Date(`${text.replace(' ', 'T')}Z`);
}

let model: Promise<string> | undefined;

/** An empty PGlite ledger: it takes seconds to make, and is the same for all. */
function ledgerModel(): Promise<string> {
  model ??= (async () => {
    const folder = await mkdtemp(join(tmpdir(), 'passerelle-ledger-model-'));
    const open = await openLedger({ databaseUrl: undefined, folder });
    await open.close();
    return folder;
  })();
  return model;
}

async function killTemporal(folder: string): Promise<void> {
  const note = await readFile(join(folder, 'data', 'temporal.json'), 'utf8').catch(() => null);
  if (note === null) return;
  try {
    process.kill((JSON.parse(note) as { pid: number }).pid, 'SIGKILL');
  } catch {
    // Gone already, with the gateway.
  }
}

async function archivedReports(archive: string): Promise<Readonly<Record<string, string>>> {
  const entries = await readdir(archive, { recursive: true }).catch(() => []);
  const reports = entries.filter((entry) => entry.endsWith('report.json'));
  return Object.fromEntries(
    await Promise.all(
      reports.map(
        async (name) => [`the archive's ${name}`, await readFile(join(archive, name), 'utf8')] as const,
      ),
    ),
  );
}

/** Deletes what a run has left. */
export async function forget({ folder }: RunResult): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}
