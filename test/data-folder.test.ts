import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makePrivate } from '../src/data-folder.ts';

let parent: string;
let folder: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'passerelle-data-'));
  folder = join(parent, 'data');
});
afterEach(() => rm(parent, { recursive: true, force: true }));

const mode = async () => ((await stat(folder)).mode & 0o777).toString(8);

describe.skipIf(process.platform === 'win32')('the data folder', () => {
  it('is made for its user alone, and left as it is then', async () => {
    expect(await makePrivate(folder)).toBe(false);
    expect(await mode()).toBe('700');
    expect(await makePrivate(folder)).toBe(false);
  });

  it('is narrowed when others could enter it', async () => {
    await mkdir(join(folder, 'ledger'), { recursive: true });
    await mkdir(join(folder, 'lost+found'));
    await writeFile(join(folder, 'temporal.db-wal'), '');
    await chmod(folder, 0o755);
    expect(await makePrivate(folder)).toBe(true);
    expect(await mode()).toBe('700');
  });

  it('is refused, and left as it is, when it is open to others and is not passerelle’s alone', async () => {
    await mkdir(join(folder, 'mysql'), { recursive: true });
    await chmod(folder, 0o750);
    await expect(makePrivate(folder)).rejects.toThrow(
      /^Expected .*data \(setting data or archive\.folder\) to be readable by passerelle's user alone, got .* holds mysql too: name a folder of its own, or run chmod 700 /,
    );
    expect(await mode()).toBe('750');
    await chmod(folder, 0o700);
    expect(await makePrivate(folder)).toBe(false);
  });

  it('is refused in one sentence when it cannot be made', async () => {
    await writeFile(join(parent, 'file'), '');
    await expect(makePrivate(join(parent, 'file', 'data'))).rejects.toThrow(
      /\(setting data or archive\.folder\) to be a folder of passerelle's user, got ENOTDIR: /,
    );
  });
});
