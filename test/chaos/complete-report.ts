import { STEPS, type CycleReport, type StepName } from '../../src/workflows/report.ts';

/** The report of a cycle in which every step was done, and told these facts. */
export function completeReport(id: string, facts: Readonly<Partial<Record<StepName, unknown>>>): CycleReport {
  return {
    outcome: 'complete',
    cycle: { id, folder: id },
    startedAt: '2026-11-24T09:55:00.000Z',
    endedAt: '2026-11-24T10:21:00.000Z',
    steps: STEPS.map((name, index) => ({
      number: index + 1,
      name,
      state: 'done',
      startedAt: '2026-11-24T09:55:00.000Z',
      endedAt: '2026-11-24T09:56:00.000Z',
      facts: facts[name] ?? {},
      why: null,
    })),
    alarms: [],
  };
}
