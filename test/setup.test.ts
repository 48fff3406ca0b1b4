import { execFile } from 'node:child_process';
import { copyFile, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const NOWHERE = 'http://127.0.0.1:9/';

let clone: string;
beforeEach(async () => {
  clone = await mkdtemp(join(tmpdir(), 'passerelle-clone-'));
  await cp(join(ROOT, 'scripts'), join(clone, 'scripts'), { recursive: true });
  for (const name of ['package.json', 'package-lock.json'])
    await copyFile(join(ROOT, name), join(clone, name));
});
afterEach(() => rm(clone, { recursive: true, force: true }));

it('says in one sentence that a fresh clone without a network cannot be set up', async () => {
  const run = promisify(execFile)(process.execPath, ['scripts/setup.mjs', '--test'], {
    cwd: clone,
    env: {
      PATH: process.env.PATH,
      HOME: clone,
      npm_config_registry: NOWHERE,
      npm_config_cache: join(clone, 'cache'),
      PIP_INDEX_URL: NOWHERE,
    },
  });
  const { code, stdout, stderr } = await run.then(
    () => ({ code: 0, stdout: '', stderr: '' }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
  expect(code).toBe(1);
  expect(stdout).toBe('Set-up: fetching the npm packages (about 600 MB on disk, once)…\n');
  expect(stderr).toBe(
    'Set-up could not fetch the npm packages: the package registry does not answer. Connect this machine to the network, or set its proxy, and run the command again.\n',
  );
});

it('does nothing where everything is there already', async () => {
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [join(ROOT, 'scripts/setup.mjs'), '--test'],
    {
      // Anything that it wanted to fetch would fail.
      env: { PATH: process.env.PATH, npm_config_registry: NOWHERE, PIP_INDEX_URL: NOWHERE },
    },
  );
  expect(stdout + stderr).toBe('');
});
