import { ActivityFailure, ApplicationFailure, isCancellation, setCurrentDetails } from '@temporalio/workflow';
import { failureAlarm, reportTable, stepLabel, whySentence } from './labels.ts';
import {
  STEPS,
  type AlarmKind,
  type CycleReport,
  type Decision,
  type Hold,
  type Outcome,
  type StepName,
  type StepReport,
} from './report.ts';

export interface Why {
  readonly type: string;
  readonly message: string;
}

/** Why a step that waits for Proshop was cut short: a person wished it. */
export const HURRIED = 'Hurried';

/** Failures that have an alarm of their own. */
const ALARM_OF: Partial<Record<StepName, AlarmKind>> = {
  awaitOrdersTaken: 'orders-not-taken',
  collectStock: 'no-fresh-stock',
  updateStock: 'stock-not-confirmed',
};

/** Keeps a cycle's report while it grows, and shows it in the Web UI. */
export function trackProgress(id: string, startedAt: string, mode?: 'shadow') {
  let report: CycleReport = {
    outcome: 'running',
    cycle: { id, folder: null },
    startedAt,
    endedAt: null,
    steps: STEPS.map((name, index) => ({
      number: index + 1,
      name,
      state: 'waiting',
      startedAt: null,
      endedAt: null,
      facts: null,
      why: null,
    })),
    alarms: [],
    ...(mode === undefined ? {} : { mode }),
  };

  const show = (next: CycleReport): void => {
    report = next;
    setCurrentDetails(reportTable(report));
  };
  const setStep = (name: StepName, change: Partial<StepReport>): void =>
    show({
      ...report,
      steps: report.steps.map((step) => (step.name === name ? { ...step, ...change } : step)),
    });

  const raise = (kind: AlarmKind, step: number, message: string): void =>
    show({ ...report, alarms: [...report.alarms, { kind, step, message }] });
  const stepOf = (name: StepName): StepReport => {
    const step = report.steps[STEPS.indexOf(name)];
    if (step === undefined) throw new Error(`Expected a step of the cycle, got ${name}`);
    return step;
  };

  return {
    report: (): CycleReport => report,
    opened: (folder: string): void => show({ ...report, cycle: { id, folder } }),

    /**
     * Runs one step, and notes what came of it and the alarm that its failure raises. Null when it failed: the cycle goes
     * on without its result. A step that is done again starts afresh.
     */
    async step<T>(name: StepName, work: (summary: string) => Promise<T>): Promise<T | null> {
      const { number, startedAt } = stepOf(name);
      show({ ...report, alarms: report.alarms.filter(({ step }) => step !== number) });
      setStep(name, { state: 'running', startedAt: startedAt ?? now(), endedAt: null, why: null });
      try {
        const facts = await work(stepLabel(name));
        setStep(name, { state: 'done', endedAt: now(), facts });
        return facts;
      } catch (error) {
        if (isCancellation(error)) throw error;
        const why = reasonOf(error);
        if (why.type === HURRIED) {
          setStep(name, { state: 'skipped', endedAt: now(), why });
          return null;
        }
        setStep(name, { state: 'failed', endedAt: now(), why });
        raise(ALARM_OF[name] ?? 'step-failed', number, failureAlarm(name));
        return null;
      }
    },

    /** Runs what is no step of its own. Null when it failed. */
    async quietly<T>(summary: string, work: () => Promise<T>): Promise<T | null> {
      try {
        return await work();
      } catch (error) {
        if (isCancellation(error)) throw error;
        raise('step-failed', 0, `${summary} : ${whySentence(reasonOf(error))}`);
        return null;
      }
    },

    /** True when the step's last try failed for one of these reasons. */
    failedFor: (name: StepName, types: readonly string[]): boolean =>
      types.includes(stepOf(name).why?.type ?? ''),

    /** Takes the failure of a step's last try back: it will be tried again. */
    postpone(name: StepName): void {
      show({ ...report, alarms: report.alarms.filter(({ step }) => step !== stepOf(name).number) });
      setStep(name, { state: 'waiting', endedAt: null });
    },

    skip: (name: StepName, why: Why): void => setStep(name, { state: 'skipped', why }),

    raise: (kind: AlarmKind, name: StepName, message: string): void =>
      raise(kind, stepOf(name).number, message),

    hold: (hold: Hold): void => show({ ...report, holds: [...(report.holds ?? []), hold] }),

    /** Notes what a person decided of the update that was held last. */
    decided: (decision: Decision): void =>
      show({
        ...report,
        holds: (report.holds ?? []).map((hold, index, { length }) =>
          index === length - 1 ? { ...hold, decision } : hold,
        ),
      }),

    outcome(): Outcome {
      if (report.steps.some(({ why }) => why?.type === 'Held')) return 'held';
      return report.steps.every(({ state, why }) => state === 'done' || why?.type === 'Shadow') &&
        report.alarms.every(({ kind }) => kind !== 'shadow-differs' && kind !== 'shadow-unwatched') &&
        report.alarms.every(({ step }) => step > 0)
        ? 'complete'
        : 'degraded';
    },

    ended(outcome: Outcome): CycleReport {
      show({ ...report, outcome, endedAt: now() });
      return report;
    },
  };
}

/** The failure that counts: what the last attempt said, under Temporal's wrappings. */
export function reasonOf(error: unknown): Why {
  let cause = error;
  while (cause instanceof Error && !(cause instanceof ApplicationFailure) && cause.cause instanceof Error) {
    cause = cause.cause;
  }
  if (cause instanceof ApplicationFailure) return { type: cause.type ?? 'Unknown', message: cause.message };
  if (error instanceof ActivityFailure)
    return {
      type: error.retryState ?? 'Unknown',
      message: cause instanceof Error ? cause.message : error.message,
    };
  return { type: 'Unknown', message: cause instanceof Error ? cause.message : String(cause) };
}

/** Workflow time: the same at every replay. */
function now(): string {
  return new Date(Date.now()).toISOString();
}
