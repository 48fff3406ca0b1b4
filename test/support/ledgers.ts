import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { Client } from 'pg';
import { copyBlankLedger } from '../../chaos/blank-ledger.ts';
import { openLedger, type OpenLedger } from '../../src/ledger/open.ts';
import { Secret } from '../../src/secret.ts';

export interface TestLedger extends OpenLedger {
  /** Empties every table. */
  reset(): Promise<void>;
}

/** The databases that the ledger's tests run on: PGlite, and PostgreSQL where DATABASE_URL names one. */
export const LEDGERS: readonly { readonly name: string; readonly open: () => Promise<TestLedger> }[] = [
  { name: 'PGlite', open: openTestPglite },
  ...(process.env.DATABASE_URL === undefined ? [] : [{ name: 'PostgreSQL', open: openTestPostgres }]),
];

/** The ledger's own tests run on every database; those of what stands on it run on this one. */
export async function openTestPglite(): Promise<TestLedger> {
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-ledger-'));
  await copyBlankLedger(join(folder, 'ledger'));
  const open = await openLedger({ databaseUrl: undefined, folder: join(folder, 'ledger') });
  return withReset(open, () => rm(folder, { recursive: true, force: true }));
}

async function openTestPostgres(): Promise<TestLedger> {
  const database = await createTestDatabase();
  if (database === null) throw new Error('Expected DATABASE_URL to be set, got nothing');
  const open = await openLedger({ databaseUrl: new Secret(database.url), folder: '' });
  return withReset(open, () => database.drop());
}

/** A database of its own on the PostgreSQL of DATABASE_URL, so that test files can run at the same time; null without one. */
export async function createTestDatabase(): Promise<{ readonly url: string; drop(): Promise<void> } | null> {
  if (process.env.DATABASE_URL === undefined) return null;
  const url = new URL(process.env.DATABASE_URL);
  const name = `passerelle_test_${randomBytes(6).toString('hex')}`;
  await administer(url, `create database ${name}`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  return { url: own.href, drop: () => administer(url, `drop database ${name} with (force)`) };
}

async function administer(url: URL, statement: string): Promise<void> {
  const client = new Client({ connectionString: url.href });
  await client.connect();
  await client.query(statement);
  await client.end();
}

function withReset(open: OpenLedger, clean: () => Promise<void>): TestLedger {
  return {
    ...open,
    async reset() {
      await open.database.execute(
        sql`truncate orders, order_lines, unnumbered_orders, deliveries, stock_exports, applied_stock, models, open_calls, staging_folders, incomplete_orders, shop_cursors, shop_rows, warnings, sightings, unwatched cascade`,
      );
    },
    async close() {
      await open.close();
      await clean();
    },
  };
}
