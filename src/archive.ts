import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, extname, join, parse, resolve, sep } from 'node:path';

const DAY = /^\d{4}-\d{2}-\d{2}$/;

export type Archive = ReturnType<typeof createArchive>;

/** A file of the archive, as it goes through Temporal's history: where and what, never the bytes. */
export interface ArchivedFile {
  /** Relative to the archive's folder: `2026-11-24/10h25-3f2a/orders.csv`. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly sha256: string;
}

/** Keeps every file in and out, a folder a cycle, each written whole or not at all, readable by this user alone. */
export function createArchive(root: string) {
  const locate = (path: string): string => {
    const full = resolve(root, path);
    if (full !== root && !full.startsWith(root + sep))
      throw new Error(`Expected ${path} to be inside the archive`);
    return full;
  };
  const locateIn = (folder: string, name: string): string => {
    const full = locate(`${folder}/${name}`);
    if (dirname(full) !== locate(folder))
      throw new Error(`Expected ${name} to be a file name without folder`);
    return full;
  };

  return {
    /** Writes `bytes` as `name` in the cycle's folder, replacing what a cut attempt may have left there. */
    async write(folder: string, name: string, bytes: Uint8Array): Promise<ArchivedFile> {
      const path = `${folder}/${name}`;
      await writeWhole(locate(folder), locateIn(folder, name), bytes);
      return { path, size: bytes.length, sha256: sha256(bytes) };
    },

    /**
     * Like `write`, but keeps a different file of that name and takes `name-2`, `name-3`, … instead. Not new when a file of
     * the same kind in the folder holds the very same.
     */
    async add(
      folder: string,
      name: string,
      bytes: Uint8Array,
    ): Promise<{ readonly file: ArchivedFile; readonly isNew: boolean }> {
      const { name: stem, ext } = parse(name);
      const there = (await readdir(locate(folder)).catch(absent)) ?? [];
      const found = (path: string) => ({
        path: `${folder}/${path}`,
        size: bytes.length,
        sha256: sha256(bytes),
      });
      for (const other of there.filter((entry) => extname(entry) === ext)) {
        if ((await readFile(locate(`${folder}/${other}`))).equals(bytes))
          return { file: found(other), isNew: false };
      }
      let free = name;
      for (let copy = 2; there.includes(free); copy++) free = `${stem}-${copy}${ext}`;
      await writeWhole(locate(folder), locateIn(folder, free), bytes);
      return { file: found(free), isNew: true };
    },

    /** @throws when the file is not there or not the one that was archived. */
    async read(file: ArchivedFile): Promise<Buffer> {
      const bytes = await readFile(locate(file.path));
      if (sha256(bytes) !== file.sha256)
        throw new Error(`Expected ${file.path} as it was archived, got other bytes`);
      return bytes;
    },

    /** A file by its name alone; null when it is not there. */
    async readIfThere(folder: string, name: string): Promise<Buffer | null> {
      return readFile(locateIn(folder, name)).catch(absent);
    },

    /** Names of the files in a cycle's folder. */
    async names(folder: string): Promise<readonly string[]> {
      return ((await readdir(locate(folder)).catch(absent)) ?? []).sort();
    },

    /** The cycles' folders that begin so: `2026-11-24/10h` gives `2026-11-24/10h25-3f2a91c0` and others. */
    async beginningWith(start: string): Promise<readonly string[]> {
      const [day = '', time = ''] = start.split('/');
      if (!DAY.test(day)) return [];
      const names = (await readdir(locate(day)).catch(absent)) ?? [];
      // The folder `shadow`, of what the old gateway left, is no cycle's.
      return names
        .filter((name) => /^\d/.test(name) && name.startsWith(time))
        .sort()
        .map((name) => `${day}/${name}`);
    },

    async has(folder: string, name: string): Promise<boolean> {
      return (await stat(locateIn(folder, name)).catch(absent)) !== null;
    },

    /** The folder of one of these days whose name ends so, `2026-11-24/10h25-3f2a91c0`; null when there is none. */
    async find(days: readonly string[], ending: string): Promise<string | null> {
      for (const day of days) {
        const found = (await readdir(locate(day)).catch(absent))?.find((name) => name.endsWith(ending));
        if (found !== undefined) return `${day}/${found}`;
      }
      return null;
    },

    /** Deletes the folders of days before `day` (`2026-08-26`). Gives the days deleted. */
    async purge(day: string): Promise<readonly string[]> {
      const days = await readdir(root).catch(absent);
      const old = (days ?? []).filter((name) => DAY.test(name) && name < day).sort();
      for (const name of old) await rm(join(root, name), { recursive: true });
      return old;
    },
  };
}

async function writeWhole(folder: string, target: string, bytes: Uint8Array): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const temporary = `${target}.${randomUUID()}.part`;
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
    // The rename itself lasts only once the folder is on disk too.
    const directory = await open(folder, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

function absent(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
