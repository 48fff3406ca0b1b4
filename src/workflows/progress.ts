import { ActivityFailure, ApplicationFailure, isCancellation, setCurrentDetails } from '@temporalio/workflow';
import { reportTable, stepLabel } from './labels.ts';
import {
  STEPS,
  type Alarm,
  type CycleReport,
  type Outcome,
  type StepName,
  type StepReport,
} from './report.ts';

export interface Why {
  readonly type: string;
  readonly message: string;
}

/** Keeps a cycle's report while it grows, and shows it in the Web UI. */
export function trackProgress(id: string, startedAt: string) {
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

  return {
    report: (): CycleReport => report,
    opened: (folder: string): void => show({ ...report, cycle: { id, folder } }),

    /** Runs one step and notes what came of it. Null when it failed: the cycle goes on without its result. */
    async step<T>(name: StepName, work: (summary: string) => Promise<T>): Promise<T | null> {
      setStep(name, {
        state: 'running',
        startedAt: report.steps[STEPS.indexOf(name)]?.startedAt ?? now(),
        why: null,
      });
      try {
        const facts = await work(stepLabel(name));
        setStep(name, { state: 'done', endedAt: now(), facts });
        return facts;
      } catch (error) {
        if (isCancellation(error)) throw error;
        setStep(name, { state: 'failed', endedAt: now(), why: reasonOf(error) });
        return null;
      }
    },

    /** Runs what is no step of its own. Null when it failed. */
    async quietly<T>(work: () => Promise<T>): Promise<T | null> {
      try {
        return await work();
      } catch (error) {
        if (isCancellation(error)) throw error;
        const { type, message } = reasonOf(error);
        show({
          ...report,
          alarms: [...report.alarms, { kind: 'step-failed', step: 0, message: `${type}: ${message}` }],
        });
        return null;
      }
    },

    /** True when the step's last try failed for this reason. */
    failedFor: (name: StepName, type: string): boolean =>
      report.steps[STEPS.indexOf(name)]?.why?.type === type,

    skip: (name: StepName, why: Why): void => setStep(name, { state: 'skipped', why }),

    raise: (kind: Alarm['kind'], name: StepName, message: string): void =>
      show({
        ...report,
        alarms: [
          // A step that is done again raises its alarm once.
          ...report.alarms.filter((alarm) => alarm.kind !== kind || alarm.step !== STEPS.indexOf(name) + 1),
          { kind, step: STEPS.indexOf(name) + 1, message },
        ],
      }),

    outcome(): Outcome {
      if (report.steps.some(({ why }) => why?.type === 'Held')) return 'held';
      return report.steps.every(({ state }) => state === 'done') &&
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
