import { and, asc, eq, inArray, isNotNull, isNull, not, sql } from 'drizzle-orm';
import type { WarningKey, WarningKind } from '../domain/warnings.ts';
import type { Database } from './database.ts';
import { inBatches } from './in-batches.ts';
import { warnings } from './schema.ts';

export type WarningRow = typeof warnings.$inferSelect;

/** The part of the ledger that remembers which warnings last, and which channel was told what. */
export function createWarnings(db: Database) {
  return {
    /** Those that last, and those that some channel has still to be told are over. */
    warnings: (): Promise<WarningRow[]> =>
      db.select().from(warnings).orderBy(asc(warnings.kind), asc(warnings.subject)),

    /** Notes that these last: since `at`, or since they were noted before. */
    async noteWarnings(lasting: readonly WarningKey[], at: Date): Promise<void> {
      for (const part of inBatches(lasting)) {
        await db
          .insert(warnings)
          .values(part.map(({ kind, subject }) => ({ kind, subject, since: at })))
          .onConflictDoUpdate({
            target: [warnings.kind, warnings.subject],
            set: { since: sql`excluded.since`, overAt: null },
            setWhere: isNotNull(warnings.overAt),
          });
      }
    },

    /** Notes that these last no longer. */
    async endWarnings(kind: WarningKind, subjects: readonly string[], at: Date): Promise<void> {
      for (const part of inBatches(subjects)) {
        await db
          .update(warnings)
          .set({ overAt: at })
          .where(and(areThese(kind, part), isNull(warnings.overAt)));
      }
    },

    /** Notes that a channel was told that these began, or are over. */
    async markWarned(
      channel: string,
      kind: WarningKind,
      subjects: readonly string[],
      change: 'began' | 'over',
    ): Promise<void> {
      const others = sql`array_remove(${warnings.told}, ${channel}::text)`;
      const told = change === 'over' ? others : sql`array_append(${others}, ${channel}::text)`;
      for (const part of inBatches(subjects))
        await db.update(warnings).set({ told }).where(areThese(kind, part));
    },

    /** Forgets those that are over and that none of the channels holds for lasting. */
    async forgetWarnings(channels: readonly string[]): Promise<void> {
      const isWaitedFor = sql`${warnings.told} && ${sql.param([...channels], warnings.told)}`;
      await db.delete(warnings).where(and(isNotNull(warnings.overAt), not(isWaitedFor)));
    },
  };
}

function areThese(kind: WarningKind, subjects: readonly string[]) {
  return and(eq(warnings.kind, kind), inArray(warnings.subject, [...subjects]));
}
