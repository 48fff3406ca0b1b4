import { chmod, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { drizzle as drizzlePg } from 'drizzle-orm/node-postgres';
import { migrate as migratePg } from 'drizzle-orm/node-postgres/migrator';
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite';
import { migrate as migratePglite } from 'drizzle-orm/pglite/migrator';
import { Pool } from 'pg';
import type { Secret } from '../secret.ts';
import { lockFolder } from './folder-lock.ts';
import { createLedger, type Database, type Ledger } from './ledger.ts';

/** Where Drizzle finds them. */
export const MIGRATIONS = { migrationsFolder: join(import.meta.dirname, 'migrations') };
/** Any number that no other program on the same PostgreSQL uses for its advisory lock. */
const MIGRATION_LOCK = 727_370_551;
/** PGlite fills the 128 MB of buffers that PostgreSQL takes by itself, in this process's memory; the ledger needs few. */
const START = [...PGlite.defaultStartParams, '-c', 'shared_buffers=16MB'];

export interface OpenLedger {
  readonly ledger: Ledger;
  readonly database: Database;
  /** What it is, for a log line: `PostgreSQL` or `PGlite in <folder>`. */
  readonly description: string;
  close(): Promise<void>;
}

/**
 * Opens the ledger and brings its tables up to date: the PostgreSQL at `databaseUrl`, or PGlite in `folder`.
 * @throws {FolderBusyError} when another process has the PGlite folder open: two would corrupt it.
 */
export function openLedger(place: {
  readonly databaseUrl: Secret | undefined;
  readonly folder: string;
}): Promise<OpenLedger> {
  return place.databaseUrl === undefined ? openPglite(place.folder) : openPostgres(place.databaseUrl);
}

async function openPostgres(url: Secret): Promise<OpenLedger> {
  const pool = new Pool({
    connectionString: url.reveal(),
    max: 8,
    connectionTimeoutMillis: 10_000,
    statement_timeout: 60_000,
    keepAlive: true,
  });
  // An idle connection that PostgreSQL drops is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => undefined);
  try {
    const client = await pool.connect();
    try {
      // Several workers start at once after a deployment: one migrates, the others wait.
      await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
      await migratePg(drizzlePg(client), MIGRATIONS);
    } finally {
      await client.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => undefined);
      client.release();
    }
  } catch (error) {
    await pool.end();
    throw error;
  }
  const database = drizzlePg(pool);
  return { ledger: createLedger(database), database, description: 'PostgreSQL', close: () => pool.end() };
}

async function openPglite(folder: string): Promise<OpenLedger> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const held = await lockFolder(folder);
  const client = await PGlite.create(folder, { startParams: START });
  await migratePglite(drizzlePglite(client), MIGRATIONS);
  await narrow(folder);
  const database = drizzlePglite(client);
  return {
    ledger: createLedger(database),
    database,
    description: `PGlite in ${folder}`,
    async close() {
      await client.close();
      await held.release();
    },
  };
}

/** PGlite makes most of its files open to everyone, whatever the process's mask. */
async function narrow(folder: string): Promise<void> {
  await chmod(folder, 0o700);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o700 : 0o600);
  }
}
