import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createArchive, type Archive } from '../src/archive.ts';

let root: string;
let archive: Archive;
beforeEach(async () => {
  root = join(await mkdtemp(join(tmpdir(), 'passerelle-archive-')), 'archive');
  archive = createArchive(root);
});
afterEach(() => rm(join(root, '..'), { recursive: true, force: true }));

const FOLDER = '2026-11-24/10h25-3f2a91c0';

it('keeps a file as it was on the wire and reads it back', async () => {
  const bytes = Buffer.from([0xef, 0xbb, 0xbf, 0xe9, 0x0d, 0x0a, 0x00]);
  const file = await archive.write(FOLDER, 'orders.csv', bytes);
  expect(file).toMatchObject({ path: `${FOLDER}/orders.csv`, size: 7 });
  expect(await archive.read(file)).toEqual(bytes);
  expect(await readdir(join(root, FOLDER))).toEqual(['orders.csv']);
});

it('does not read a file that is not the one archived', async () => {
  const file = await archive.write(FOLDER, 'ExportCSV', Buffer.from('a'));
  await writeFile(join(root, file.path), 'b');
  await expect(archive.read(file)).rejects.toThrow('as it was archived');
});

it('keeps two different files of one name, and one of two that are the same', async () => {
  const add = async (content: string) =>
    (await archive.add(FOLDER, 'orders.csv', Buffer.from(content))).file.path;
  expect(await add('a')).toBe(`${FOLDER}/orders.csv`);
  expect(await add('b')).toBe(`${FOLDER}/orders-2.csv`);
  expect(await add('a')).toBe(`${FOLDER}/orders.csv`);
  expect(await add('b')).toBe(`${FOLDER}/orders-2.csv`);
  expect(await readFile(join(root, FOLDER, 'orders.csv'), 'utf8')).toBe('a');
});

it('is readable by its owner alone', async () => {
  const file = await archive.write(FOLDER, 'orders.csv', Buffer.from('a'));
  expect((await stat(join(root, file.path))).mode & 0o777).toBe(0o600);
  expect((await stat(join(root, FOLDER))).mode & 0o777).toBe(0o700);
});

it('leaves nothing behind when it cannot write', async () => {
  await mkdir(join(root, FOLDER, 'orders.csv'), { recursive: true });
  await expect(archive.write(FOLDER, 'orders.csv', Buffer.from('a'))).rejects.toThrow('EISDIR');
  expect(await readdir(join(root, FOLDER))).toEqual(['orders.csv']);
});

it.each(['../outside', '/etc/passwd', `${FOLDER}/../../../outside`])(
  'reads nothing outside its folder: %s',
  async (path) => {
    await expect(archive.read({ path, size: 0, sha256: '' })).rejects.toThrow('inside the archive');
  },
);

it.each(['../outside', '..', '.', '../10h55-other/orders.csv', '/etc/passwd', 'a/b'])(
  'writes nothing outside the folder of its cycle: %s',
  async (name) => {
    await expect(archive.write(FOLDER, name, Buffer.from('a'))).rejects.toThrow('without folder');
    await expect(archive.write('../outside', 'a', Buffer.from('a'))).rejects.toThrow('inside the archive');
    await expect(archive.add(FOLDER, name, Buffer.from('a'))).rejects.toThrow('without folder');
  },
);

it('finds the folder of a cycle by how its name ends, and knows what is in it', async () => {
  await archive.write('2026-11-24/10h25-3f2a91c0', 'orders.csv', Buffer.from('a'));
  const days = ['2026-11-23', '2026-11-24'];
  expect(await archive.find(days, '-3f2a91c0')).toBe('2026-11-24/10h25-3f2a91c0');
  expect(await archive.find(days, '-00000000')).toBeNull();
  expect(await archive.find(['2026-11-23'], '-3f2a91c0')).toBeNull();
  expect(await archive.has('2026-11-24/10h25-3f2a91c0', 'orders.csv')).toBe(true);
  expect(await archive.has('2026-11-24/10h25-3f2a91c0', 'history.json')).toBe(false);
  expect(await archive.has('2026-11-25/10h25-00000000', 'history.json')).toBe(false);
  await expect(archive.has('2026-11-24', '../../etc')).rejects.toThrow('inside the archive');
});

it('forgets whole days that are past the retention, and nothing else', async () => {
  for (const day of ['2026-08-24', '2026-08-25', '2026-08-26']) {
    await archive.write(`${day}/10h25-a`, 'orders.csv', Buffer.from('a'));
  }
  await mkdir(join(root, 'notes'));
  expect(await archive.purge('2026-08-26')).toEqual(['2026-08-24', '2026-08-25']);
  expect((await readdir(root)).sort()).toEqual(['2026-08-26', 'notes']);
});
