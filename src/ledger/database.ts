import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';

/** PostgreSQL or PGlite, or a transaction of one. */
export type Database = PgDatabase<PgQueryResultHKT>;
