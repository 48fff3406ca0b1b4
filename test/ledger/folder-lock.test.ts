import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FolderBusyError, lockFolder } from '../../src/ledger/folder-lock.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-lock-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('lets one holder in at a time', async () => {
  const ledger = join(folder, 'ledger');
  const held = await lockFolder(ledger);
  await expect(lockFolder(ledger)).rejects.toThrow(FolderBusyError);
  await held.release();
  await (await lockFolder(ledger)).release();
});

it('is free again the moment its holder is killed', async () => {
  const ledger = join(folder, 'ledger');
  const module = join(import.meta.dirname, '../../src/ledger/folder-lock.ts');
  const holder = spawn(process.execPath, [
    '--import',
    'tsx',
    '--input-type=module',
    '-e',
    `import { lockFolder } from ${JSON.stringify(module)};
     await lockFolder(${JSON.stringify(ledger)});
     console.log('held');
     setInterval(() => {}, 1000);`,
  ]);
  await once(holder.stdout, 'data');
  await expect(lockFolder(ledger)).rejects.toThrow(FolderBusyError);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  await (await lockFolder(ledger)).release();
});
