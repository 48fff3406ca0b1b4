import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, rmdir, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { Client } from 'pg';
import type { Config } from '../config.ts';
import { isPrivate } from '../data-folder.ts';
import { isHeld } from '../ledger/folder-lock.ts';
import { MIGRATIONS } from '../ledger/open.ts';
import type { Secret } from '../secret.ts';
import { said, type Tell } from './finding.ts';

/** Milliseconds for one answer of PostgreSQL. */
const PATIENCE = 10_000;

/** Examines the database of the ledger. Its tables are not touched. */
export async function examineLedger({ databaseUrl, data }: Config, tell: Tell): Promise<void> {
  if (databaseUrl !== undefined) {
    await examinePostgres(databaseUrl, tell);
    return;
  }
  // PGlite is one process's. The running gateway's folder is good: it works in it.
  const folder = join(data, 'ledger');
  const held = await isHeld(folder);
  if (!held && !(await isFolderOrAbsent(folder, tell))) return;
  tell('ok', 'pglite', folder, held ? 'held' : 'free');
  if (!held) await examineFolder(data, tell);
}

async function isFolderOrAbsent(folder: string, tell: Tell): Promise<boolean> {
  try {
    await readdir(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    tell('fault', 'disk', folder, said(error));
    return false;
  }
}

/** Examines the folder of the archive. */
export async function examineArchive({ archive }: Config, tell: Tell): Promise<void> {
  await examineFolder(archive.folder, tell);
}

async function examinePostgres(url: Secret, tell: Tell): Promise<void> {
  let client: Client | undefined;
  try {
    client = new Client({
      connectionString: url.reveal(),
      connectionTimeoutMillis: PATIENCE,
      query_timeout: PATIENCE,
    });
    // A connection that breaks would end the process where nobody listens.
    client.on('error', () => undefined);
    await client.connect();
    const { rows } = await client.query<{ version: string; journal: string | null }>(
      "select current_setting('server_version') as version, to_regclass('drizzle.__drizzle_migrations')::text as journal",
    );
    tell('ok', 'database', 'PostgreSQL', rows[0]?.version ?? '');
    // No journal: nothing was ever applied.
    const last = rows[0]?.journal == null ? 0 : await lastMigration(client);
    const missing = readMigrationFiles(MIGRATIONS).filter(({ folderMillis }) => folderMillis > last).length;
    tell(missing === 0 ? 'ok' : 'warning', 'migrations', '', missing);
  } catch (error) {
    tell('fault', 'database', 'PostgreSQL', said(error));
  } finally {
    await client?.end();
  }
}

/** The time by which Drizzle orders migrations, of the last one that was applied. */
async function lastMigration(client: Client): Promise<number> {
  const { rows } = await client.query<{ last: string | null }>(
    'select max(created_at) as last from drizzle.__drizzle_migrations',
  );
  return Number(rows[0]?.last ?? 0);
}

const GIGABYTE = 1_000_000_000;
const LEAST_SPACE = 1;

/** Tries to write in a folder of this machine. One that is missing is made for that, and removed again. */
async function examineFolder(folder: string, tell: Tell): Promise<void> {
  let made: string | undefined;
  try {
    made = await mkdir(folder, { recursive: true, mode: 0o700 });
    // Before our own file is in it.
    const isOurs = await isPrivate(folder);
    const probe = join(folder, `doctor-${randomUUID()}.tmp`);
    try {
      await writeFile(probe, 'passerelle doctor\n', { flag: 'wx', mode: 0o600 });
    } finally {
      await rm(probe, { force: true });
    }
    tell('ok', 'disk', folder);
    if (!isOurs) tell('warning', 'privacy', folder);
    const { bavail, bsize } = await statfs(folder);
    const free = (bavail * bsize) / GIGABYTE;
    tell(free < LEAST_SPACE ? 'warning' : 'ok', 'space', folder, Math.floor(free * 10) / 10);
  } catch (error) {
    tell('fault', 'disk', folder, said(error));
  } finally {
    if (made !== undefined) await removeEmpty(folder, made);
  }
}

/** Removes `folder` and those around it, up to `outermost`; one that somebody uses by now stays. */
async function removeEmpty(folder: string, outermost: string): Promise<void> {
  for (let path = folder; path.length >= outermost.length; path = dirname(path))
    await rmdir(path).catch(() => undefined);
}
