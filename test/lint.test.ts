import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';

// The rules that hold the house together, tried on files that break them.

const ROOT = join(import.meta.dirname, '..');

let house: string;
beforeEach(async () => {
  house = await mkdtemp(join(tmpdir(), 'passerelle-lint-'));
  for (const name of ['.oxlintrc.json', 'tsconfig.json']) await copyFile(join(ROOT, name), join(house, name));
  await symlink(join(ROOT, 'node_modules'), join(house, 'node_modules'));
});
afterEach(() => rm(house, { recursive: true, force: true }));

/** The rules that a file breaks. */
const broken = async (path: string, source: string): Promise<readonly string[]> => {
  await mkdir(dirname(join(house, path)), { recursive: true });
  await writeFile(join(house, path), source);
  const { stdout } = await promisify(execFile)(
    join(ROOT, 'node_modules/.bin/oxlint'),
    ['--format=json', path],
    {
      cwd: house,
    },
  ).catch((error: { stdout: string }) => error);
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { code: string }[] };
  return diagnostics.map(({ code }) => code);
};

const WORKFLOW = `
import { proxyActivities } from '@temporalio/workflow';
const { deliver } = proxyActivities<{ deliver(): Promise<void> }>({ startToCloseTimeout: 1 });
`;

it('finds an activity that a workflow forgot to await', async () => {
  const path = 'src/workflows/forgetful.ts';
  expect(
    await broken(path, `${WORKFLOW}export async function forget(): Promise<void> { deliver(); }`),
  ).toEqual(['typescript(no-floating-promises)']);
  expect(
    await broken(path, `${WORKFLOW}export async function wait(): Promise<void> { await deliver(); }`),
  ).toEqual([]);
});

it.each([
  ['src/domain/order.ts', "export { readFileSync } from 'node:fs';"],
  ['src/domain/order.ts', "export { Client } from 'basic-ftp';"],
  ['src/domain/order.ts', "export { loadConfig } from '../config.ts';"],
  ['src/workflows/cycle.ts', "export { readFileSync } from 'node:fs';"],
  ['src/workflows/cycle.ts', "export { z } from 'zod';"],
  ['src/workflows/cycle.ts', "export { createActivities } from '../activities/index.ts';"],
])('keeps %s from importing what it may not: %s', async (path, source) => {
  expect(await broken(path, source)).toEqual(['eslint(no-restricted-imports)']);
});

it.each([
  [
    'src/domain/order.ts',
    "export { z } from 'zod';\nexport { parse } from 'csv-parse/sync';\nexport { one } from './two.ts';",
  ],
  [
    'src/workflows/cycle.ts',
    "export type { Deps } from '../activities/deps.ts';\nexport { sleep } from '@temporalio/workflow';",
  ],
])('lets %s import what it needs', async (path, source) => {
  expect(await broken(path, source)).toEqual([]);
});

it('keeps the domain from the clock', async () => {
  expect(await broken('src/domain/order.ts', 'export const now = new Date();')).toEqual([
    'eslint(no-restricted-globals)',
  ]);
});
