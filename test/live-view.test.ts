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

it('says that an update is held and how to decide, and then what was decided, once each', () => {
  const out = new PassThrough();
  const view = createLiveView(out as unknown as NodeJS.WriteStream);
  const hold = { until: '2026-11-24T09:55:00.000Z', timeZone: 'Europe/Paris', reasons: [], decision: null };
  const decision = {
    answer: 'skip',
    who: 'Anne',
    why: 'fichier d’hier',
    at: '2026-11-24T09:40:00.000Z',
  } as const;
  view.show({ ...report(), holds: [hold] }, null);
  view.show({ ...report(), holds: [hold] }, null);
  view.show({ ...report(), holds: [{ ...hold, decision }] }, null);
  view.end();
  expect((out.read() as Buffer).toString().trim().split('\n')).toEqual([
    'Mise à jour du stock retenue : décision attendue avant 10:55',
    expect.stringContaining('npm run client -- decide apply --who'),
    'Mise à jour du stock retenue, ignorée par Anne à 10:40 : fichier d’hier',
  ]);
});
