import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { createLiveView } from '../src/live-view.ts';
import { STEPS, type CycleReport, type StepState } from '../src/workflows/report.ts';

const report = (...states: readonly StepState[]): CycleReport => ({
  outcome: 'running',
  cycle: { id: 'a', folder: null },
  startedAt: '2026-11-24T09:25:00.000Z',
  endedAt: null,
  steps: STEPS.map((name, index) => ({
    number: index + 1,
    name,
    state: states[index] ?? 'waiting',
    startedAt: states[index] === undefined ? null : '2026-11-24T09:25:00.000Z',
    endedAt: states[index] === 'done' ? '2026-11-24T09:25:02.500Z' : null,
    facts: null,
    why: null,
  })),
  alarms: [],
});

it('prints a line a change where it cannot redraw, and what holds the cycle up before its first step', () => {
  const out = new PassThrough();
  const view = createLiveView(out as unknown as NodeJS.WriteStream);
  const held = { attempt: 2, message: 'getaddrinfo ENOTFOUND ftp.example.org' };
  view.show(report(), held);
  view.show(report(), { ...held, attempt: 3 });
  view.show(report('done'), null);
  view.show(report('done'), null);
  view.end();
  expect((out.read() as Buffer).toString()).toBe(
    'Préparation du cycle · getaddrinfo ENOTFOUND ftp.example.org (essai 2)\n' +
      '✓ 1/8 Export des commandes de la boutique · fait · 2.5 s\n',
  );
});
