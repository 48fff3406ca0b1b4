import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ScheduleOverlapPolicy } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { Truth } from '../sandbox/truth.ts';
import { startCycle } from '../src/run-cycle.ts';
import type { StepName } from '../src/workflows/report.ts';
import { armFaults } from './arm.ts';
import { historyText, listRuns, resultOf, scheduleOf, untilClosed } from './cycles.ts';
import type { CycleRun } from './cycles.ts';
import { badEnd, findViolations } from './oracle.ts';
import type { CycleEvidence } from './oracle.ts';
import { startPersonsDay } from './person.ts';
import type { Noted } from './person.ts';
import { describeFault, isHeldFirst } from './plan.ts';
import type { Fault, Plan } from './plan.ts';
import { setStage } from './stage.ts';
import type { Stage } from './stage.ts';

export interface RunResult {
  readonly plan: Plan;
  /** What the oracle found; empty = passed. */
  readonly violations: readonly string[];
  /** Faults that really came, in words. */
  readonly struck: readonly string[];
  readonly cycles: number;
  readonly seconds: number;
  /** Where everything lies; `forget` deletes it. */
  readonly folder: string;
}

/** What happened in one planned cycle. */
interface Played {
  readonly runs: readonly PlayedRun[];
  /** The truth of its end, where stock is written by the Webservice. */
  readonly end: Truth | null;
  readonly struck: readonly string[];
  readonly noted: readonly Noted[];
  readonly violations: readonly string[];
}

interface PlayedRun extends CycleRun {
  readonly besideAnother: boolean;
}

/** Milliseconds within which a cycle must end, however it is broken. */
const CYCLE_PATIENCE = 120_000;
/** Whole cycles after the broken ones within which everything must be right again. */
const RECOVERY = 3;
const READING_STEPS: readonly StepName[] = ['exportOrders', 'exportLateOrders'];

/** Runs one plan from a fresh shop to the oracle's judgement. */
export async function runPlan(plan: Plan): Promise<RunResult> {
  const began = performance.now();
  const folder = await mkdtemp(join(tmpdir(), `passerelle-chaos-${plan.seed}-`));
  const stage = await setStage(plan, folder);
  try {
    const played: Played[] = [];
    stage.sandbox.clock.go();
    for (const faults of plan.cycles) played.push(await playCycle(stage, plan, faults, plan.inStep));
    let truth = stage.sandbox.truth();
    for (let round = 0; round < RECOVERY; round++) {
      if (round > 0) sellOverTheCounter(stage.sandbox);
      const whole = await playCycle(stage, plan, [], true);
      played.push(whole);
      truth = stage.sandbox.truth();
      const last = whole.runs.at(-1);
      // What stays half made is given up by the cycle after the one that sees it.
      const isLeft = round === 0 && truth.orders.some(({ life }) => life?.standing === 'incomplete');
      const isOver =
        last !== undefined && badEnd({ truth, cycles: [await evidenceOf(stage, last)] }).length === 0;
      if (isOver && !isLeft) break;
    }

    const runs = played.flatMap((one) => one.runs);
    const cycles: CycleEvidence[] = [];
    for (const run of runs.sort((a, b) => a.startTime.getTime() - b.startTime.getTime()))
      cycles.push(await evidenceOf(stage, run));
    await stage.gateway.stop();
    const told = { 'the log': stage.gateway.log(), ...(await archivedReports(stage.archive)) };
    const { secrets } = stage;
    const noted = played.flatMap((one) =>
      one.noted.map(({ runId, answer }) => ({ cycle: runId.slice(-8), answer })),
    );
    const imports = [...stage.imports, ...played.flatMap(({ end }) => end ?? [])];
    const jumps = plan.cycles.flat().some(({ kind }) => kind === 'clock jumps');
    const patience = jumps ? Infinity : stage.patience;
    return {
      plan,
      violations: [
        ...played.flatMap(({ violations }) => violations),
        ...findViolations({ truth, imports, cycles, noted, patience, told, secrets }),
      ],
      struck: [...played.flatMap(({ struck }) => struck), ...truth.sabotage, ...(await stage.suffered())],
      cycles: cycles.length,
      seconds: (performance.now() - began) / 1_000,
      folder,
    };
  } finally {
    await stage.stop();
  }
}

/** Plays one cycle from its start to its end, with these faults, and has everything work again. */
async function playCycle(
  stage: Stage,
  plan: Plan,
  faults: readonly Fault[],
  inStep: boolean,
): Promise<Played> {
  const { sandbox, gateway, askTemporal } = stage;
  const violations: string[] = [];
  const schedule = faults.find((fault) => fault.kind === 'schedule');
  await gateway.ready();
  if (inStep) await sandbox.clock.until(nextStart(sandbox.clock.time()));
  const before = await askTemporal(listRuns);
  if (schedule?.how === 'paused') await askTemporal((client) => scheduleOf(client).pause('inventaire'));
  const disarm = armFaults(stage, plan.scenario, faults);
  const endDay = isHeldFirst(plan)
    ? startPersonsDay(
        stage,
        faults.find((fault) => fault.kind === 'update held'),
      )
    : async () => ({ struck: [], noted: [], violations: [] });

  await askTemporal(async (client) => {
    // Asked again because Temporal died: it may have started the cycle before.
    if ((await listRuns(client)).length > before.length) return;
    const twice = schedule?.how === 'triggered twice';
    await Promise.all(twice ? [startCycle(client), startCycle(client)] : [startCycle(client)]);
    if (schedule?.how === 'two at once') await scheduleOf(client).trigger(ScheduleOverlapPolicy.ALLOW_ALL);
  });
  // A second one appears in the list a moment later.
  await sleep(300);
  if (!(await untilClosed(askTemporal, CYCLE_PATIENCE)))
    violations.push(`a cycle had not ended after ${CYCLE_PATIENCE / 1_000} s`);
  const end = sandbox.webservice === undefined ? null : await truthAtRest(sandbox);
  const struck = [...(await disarm())];
  const day = await endDay();
  struck.push(...day.struck);
  violations.push(...day.violations);
  await gateway.ready();

  if (schedule?.how === 'paused') {
    const { state } = await askTemporal((client) => scheduleOf(client).describe());
    if (!state.paused && faults.every(({ kind }) => kind !== 'paused'))
      violations.push('the schedule that was paused runs again by itself');
    await askTemporal((client) => scheduleOf(client).unpause());
  }
  const known = new Set(before.map(({ runId }) => runId));
  const runs = (await askTemporal(listRuns)).filter(({ runId }) => !known.has(runId));
  return {
    runs: runs.map((run) => ({ ...run, besideAnother: schedule?.how === 'two at once' })),
    end,
    struck: schedule === undefined ? struck : [...struck, describeFault(schedule)],
    noted: day.noted,
    violations,
  };
}

/**
 * Shops that are open sell. In one that does not, an ExportCSV stays the same to the byte, which is held for good where it
 * cannot be told from an old one: when nobody saw whether an order was taken before it (docs/reliability.md).
 */
function sellOverTheCounter(sandbox: Sandbox): void {
  const [most] = sandbox.truth().variants.toSorted((a, b) => (b.proshop ?? 0) - (a.proshop ?? 0));
  if (most !== undefined) sandbox.sellInStore(most.ean, 1);
}

/** The truth when no order is being made any more. */
async function truthAtRest(sandbox: Sandbox): Promise<Truth> {
  await sandbox.shop.settled();
  return sandbox.truth();
}

async function evidenceOf(
  { sandbox, askTemporal }: Stage,
  { workflowId, runId, startTime, closeTime, status, besideAnother }: PlayedRun,
): Promise<CycleEvidence> {
  const sandboxTime = (real: Date) => {
    const ago = (Date.now() - real.getTime()) * sandbox.clock.scale;
    return new Date(sandbox.clock.now().getTime() - ago).toISOString().slice(0, -1);
  };
  const handleOf = (client: Client) => client.workflow.getHandle(workflowId, runId);
  const report = await askTemporal((client) => resultOf(client, workflowId, runId));
  return {
    id: runId.slice(-8),
    startedAt: sandboxTime(startTime),
    endedAt: sandboxTime(closeTime ?? new Date()),
    status,
    report,
    readings: (report?.steps ?? []).flatMap(({ name, state, startedAt, endedAt }) =>
      READING_STEPS.includes(name) && state === 'done' && startedAt !== null && endedAt !== null
        ? [{ startedAt: sandboxTime(new Date(startedAt)), endedAt: sandboxTime(new Date(endedAt)) }]
        : [],
    ),
    history: historyText(await askTemporal((client) => handleOf(client).fetchHistory())),
    besideAnother,
  };
}

/** The minute from which a cycle has time to deliver the orders before Proshop takes them. */
function nextStart(time: string): number {
  const minute = Number(time.slice(14, 16));
  return minute >= 20 && minute < 50 ? 50 : 20;
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
