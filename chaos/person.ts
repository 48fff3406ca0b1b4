import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowNotFoundError, WorkflowUpdateFailedError, type Client } from '@temporalio/client';
import { createCycles } from '../src/cycles.ts';
import { decideUpdate } from '../src/workflows/decision.ts';
import type { Answer, Hold } from '../src/workflows/report.ts';
import { listRuns, type CycleRun } from './cycles.ts';
import { describeFault } from './plan.ts';
import type { Fault } from './plan.ts';
import type { Stage } from './stage.ts';

/** Milliseconds: a cycle whose worker is down does not answer. */
const PATIENCE = 5_000;

type Held = Extract<Fault, { kind: 'update held' }>;

/** What somebody has answered, and heard that it was noted. */
export interface Noted {
  readonly runId: string;
  readonly answer: Answer;
}

export interface PersonsDay {
  readonly struck: readonly string[];
  readonly noted: readonly Noted[];
  readonly violations: readonly string[];
}

/**
 * Has somebody look whether an update is held while a cycle runs, and decide of it as the fault says; as it should be
 * without one. Who finds more than that it is the first one skips it. Gives what ends the day, after the cycle.
 */
export function startPersonsDay(stage: Stage, fault: Held | undefined): () => Promise<PersonsDay> {
  const { askTemporal, gateway } = stage;
  const struck: string[] = [];
  const noted: Noted[] = [];
  const violations: string[] = [];
  const seen = new Set<string>();
  const over = new AbortController();

  /** True when the answer was noted. */
  const send = async (run: CycleRun, answer: Answer): Promise<boolean> => {
    const isNoted = await askTemporal((client) => decide(client, run, answer));
    if (isNoted) noted.push({ runId: run.runId, answer });
    return isNoted;
  };
  const see = async (run: CycleRun, hold: Hold): Promise<void> => {
    const how = fault?.decide ?? 'apply';
    const isFirst = hold.reasons.every((reason) => reason.includes('gate.firstRun'));
    if (fault !== undefined) struck.push(describeFault(fault));
    if (fault?.dies === true) {
      gateway.kill();
      await gateway.ready();
    }
    if (how === 'not at all' || how === 'too late') return;
    const answer = isFirst && how !== 'skip' ? 'apply' : 'skip';
    const isNoted = await send(run, { answer, who: 'Anne', why: 'première' });
    if (how === 'twice' && isNoted && (await send(run, { answer: 'skip', who: 'Bruno', why: 'seconde' })))
      violations.push('a second answer was noted after the first');
  };
  const day = (async () => {
    for (; !over.signal.aborted; await sleep(200)) {
      const runs = await askTemporal(listRuns);
      for (const run of runs.filter(({ status }) => status === 'RUNNING')) {
        const report = await askTemporal((client) => createCycles(client).report(run, PATIENCE));
        const hold = report?.holds?.at(-1);
        const key = `${run.runId} ${hold?.until}`;
        if (hold === undefined || hold.decision !== null || seen.has(key)) continue;
        seen.add(key);
        await see(run, hold);
      }
    }
  })();

  return async () => {
    over.abort();
    await day;
    const last = (await askTemporal(listRuns)).at(-1);
    const late: Answer = { answer: 'apply', who: 'Anne', why: 'trop tard' };
    if (fault?.decide === 'too late' && last !== undefined && (await send(last, late)))
      violations.push('an answer was noted after the cycle had ended');
    return { struck, noted, violations };
  };
}

/** True when the answer was noted, false when it was refused. */
async function decide(client: Client, { workflowId, runId }: CycleRun, answer: Answer): Promise<boolean> {
  try {
    await client.workflow.getHandle(workflowId, runId).executeUpdate(decideUpdate, { args: [answer] });
    return true;
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError || error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
