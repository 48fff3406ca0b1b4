import type * as FileSystem from 'node:fs/promises';
import { expect, it, vi } from 'vitest';
import { doctorLine } from '../src/workflows/labels.ts';
import { examine, openPatient } from './support/doctor.ts';

// A disk that is nearly full cannot be had on every machine.
vi.mock('node:fs/promises', async (original) => ({
  ...(await original<typeof FileSystem>()),
  statfs: async () => ({ bavail: 100_000, bsize: 4_096 }),
}));

it('warns of a disk with less than 1 GB free', async () => {
  const findings = await examine(await openPatient());
  const spaces = findings.filter(({ what }) => what === 'space');
  expect(spaces.map(({ end, verdict, seen }) => [end, verdict, seen])).toEqual([
    ['ledger', 'warning', 0.4],
    ['archive', 'warning', 0.4],
  ]);
  expect(spaces.map(doctorLine)[0]).toMatch(
    /^attention Base de données : 0,4 Go libres dans .* – À faire : /,
  );
});
