import { randomUUID } from 'node:crypto';
import {
  and,
  asc,
  eq,
  exists,
  gt,
  gte,
  inArray,
  isNotNull,
  isNull,
  lt,
  lte,
  max,
  ne,
  not,
  or,
  sql,
  type SQL,
} from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import type { Look } from '../ftp.ts';
import type { Database } from './database.ts';
import { inBatches } from './in-batches.ts';
import { deliveries, orders, sightings, unwatched } from './schema.ts';

export type Sighting = typeof sightings.$inferSelect;
export type SightingKind = Sighting['kind'];
type OrderRow = typeof orders.$inferSelect;

/** The part of the ledger that remembers what the old gateway was seen doing, in shadow mode. */
export function createSightings(db: Database) {
  const next = alias(sightings, 'next');
  /** Another look of the same path took its place: nobody has taken it. */
  const isReplaced = exists(
    db
      .select({ id: next.id })
      .from(next)
      .where(and(eq(next.path, sightings.path), eq(next.seenAt, sightings.goneAt))),
  );

  return {
    /** Sightings that stood at the last look. */
    standing: (): Promise<Sighting[]> => db.select().from(sightings).where(isNull(sightings.goneAt)),

    /**
     * Notes a file that was not there, or not like that, at the look before: what stood there is gone. Gives the one that
     * another look has noted meanwhile.
     */
    see: (seen: {
      readonly kind: SightingKind;
      readonly path: string;
      readonly look: Look;
      readonly at: Date;
    }): Promise<Sighting> =>
      db.transaction(async (tx) => {
        const { kind, path, look, at } = seen;
        const stands = and(eq(sightings.path, path), isNull(sightings.goneAt));
        const [known] = await tx.select().from(sightings).where(stands).for('update');
        if (known?.size === look.size && known.modifiedAt === look.modifiedAt) return known;
        await tx.update(sightings).set({ goneAt: at }).where(stands);
        const [row] = await tx
          .insert(sightings)
          .values({ id: randomUUID(), kind, path, size: look.size, modifiedAt: look.modifiedAt, seenAt: at })
          .returning();
        if (row === undefined) throw new Error(`Expected ${path} to be noted, got nothing`);
        return row;
      }),

    /**
     * Notes that a sighting was copied into the archive as it stood. A sales file with the bytes of one that went at the very
     * look that showed it first is that one, touched or renamed.
     */
    copied: (
      { id, kind, path, size, modifiedAt, seenAt }: Sighting,
      file: { readonly path: string; readonly sha256: string },
    ): Promise<void> =>
      db.transaction(async (tx) => {
        await tx
          .update(sightings)
          // A cycle may have noted that nobody could read it.
          .set({ archivedPath: file.path, sha256: file.sha256, notedBy: null, fault: null })
          .where(eq(sightings.id, id));
        if (kind !== 'sales') return;
        const isSame = and(
          ne(sightings.id, id),
          eq(sightings.kind, kind),
          eq(sightings.sha256, file.sha256),
          eq(sightings.goneAt, seenAt),
        );
        const [same] = await tx.select({ id: sightings.id }).from(sightings).where(isSame).limit(1);
        if (same === undefined) return;
        await tx.delete(sightings).where(eq(sightings.id, id));
        await tx
          .update(sightings)
          // Read once more: it may have counted as replaced meanwhile.
          .set({ path, size, modifiedAt, goneAt: null, notedBy: null })
          .where(eq(sightings.id, same.id));
        await tx.update(deliveries).set({ finalPath: path, takenAt: null }).where(eq(deliveries.id, same.id));
      }),

    async gone(id: string, at: Date): Promise<void> {
      await db
        .update(sightings)
        .set({ goneAt: at })
        .where(and(eq(sightings.id, id), isNull(sightings.goneAt)));
    },

    /** Copied sightings of which no cycle has taken note yet, oldest first. */
    unnoted: (kind: SightingKind): Promise<Sighting[]> =>
      db
        .select()
        .from(sightings)
        .where(and(eq(sightings.kind, kind), isNull(sightings.notedBy), isNotNull(sightings.sha256)))
        .orderBy(asc(sightings.seenAt)),

    /**
     * Sales files of which no cycle has taken note, or this one has, or one with orders that were not known then, seen since
     * `since`. Also those that nobody could copy. Oldest first.
     */
    salesToRead: (cycle: string, since: Date): Promise<Sighting[]> =>
      db
        .select()
        .from(sightings)
        .where(
          and(
            eq(sightings.kind, 'sales'),
            or(isNotNull(sightings.sha256), not(isReplaced)),
            or(
              isNull(sightings.notedBy),
              eq(sightings.notedBy, cycle),
              and(gt(sightings.unknown, 0), gte(sightings.seenAt, since)),
            ),
          ),
        )
        .orderBy(asc(sightings.seenAt)),

    /** Notes that a cycle has read it, or why nobody can. */
    async noted(id: string, cycle: string, fault: string | null = null): Promise<void> {
      await db.update(sightings).set({ notedBy: cycle, fault }).where(eq(sightings.id, id));
    },

    /** Those of which this cycle has taken note, oldest first. */
    notedBy: (kind: SightingKind, cycle: string): Promise<Sighting[]> =>
      db
        .select()
        .from(sightings)
        .where(and(eq(sightings.kind, kind), eq(sightings.notedBy, cycle)))
        .orderBy(asc(sightings.seenAt)),

    /** True when another look of the same path took its place, so that nobody has taken it. */
    isReplaced: async ({ id }: Pick<Sighting, 'id'>): Promise<boolean> =>
      (await db.$count(sightings, and(eq(sightings.id, id), isReplaced))) > 0,

    /** Notes that the files were looked at; when the look before was more than `patience` ms ago, that nobody looked in between. */
    lookedAt: (at: Date, patience: number): Promise<void> =>
      db.transaction(async (tx) => {
        const [last] = await tx.select().from(unwatched).where(isNull(unwatched.to)).for('update');
        if (last !== undefined && at.getTime() - last.from.getTime() <= patience) {
          await tx.update(unwatched).set({ from: at }).where(eq(unwatched.id, last.id));
          return;
        }
        // What stands at the first look ever may be years old.
        if (last === undefined) await tx.insert(unwatched).values({ from: new Date(0), to: at });
        else await tx.update(unwatched).set({ to: at }).where(eq(unwatched.id, last.id));
        await tx.insert(unwatched).values({ from: at });
      }),

    /** Notes that something went between two looks before anybody could read it. */
    async missedBetween(from: Date, to: Date): Promise<void> {
      await db.insert(unwatched).values({ from, to });
    },

    /** Null when nobody has looked since passerelle was last on its own. */
    async lastLook(): Promise<Date | null> {
      const [last] = await db.select().from(unwatched).where(isNull(unwatched.to));
      return last?.from ?? null;
    },

    /** The end of the latest time at which nobody looked; null when there was none. */
    async unwatchedUntil(): Promise<Date | null> {
      const [latest] = await db.select({ to: max(unwatched.to) }).from(unwatched);
      return latest?.to ?? null;
    },

    /** From here on passerelle is on its own. */
    async forgetLooks(): Promise<void> {
      await db.delete(unwatched);
    },

    /** Forgets the files that went, seen before `before`, whose copies are gone too, and the times without a look that ended by then. */
    async forgetSightings(before: Date): Promise<void> {
      await db.delete(sightings).where(and(isNotNull(sightings.goneAt), lt(sightings.seenAt, before)));
      await db.delete(unwatched).where(lt(unwatched.to, before));
    },

    /**
     * Records a sales file of the old gateway as a delivery of these orders, so that what became of it counts as if it were
     * ours, and no order in it is ever sent again, nor entered by hand. Orders that another delivery holds, or that a person
     * has settled, stay as they are. When another file has taken its place, its orders are set aside for `reason` instead: they
     * are in Proshop only if it took the file at that very moment. The same file again changes nothing.
     */
    recordOldDelivery: (
      sighting: Sighting,
      found: {
        readonly cycle: string;
        readonly orderIds: readonly number[];
        readonly unknown: number;
        readonly reason: string;
      },
    ): Promise<void> =>
      db.transaction(async (tx) => {
        const { cycle, orderIds, unknown, reason } = found;
        const [now] = await tx
          .select({ goneAt: sightings.goneAt, isLost: sql<boolean>`${isReplaced}` })
          .from(sightings)
          .where(eq(sightings.id, sighting.id));
        if (now === undefined) throw new Error(`Expected a sighting of ${sighting.path}, got none`);
        const state = now.isLost ? 'abandoned' : 'published';
        const takenAt = now.isLost ? null : now.goneAt;
        await tx
          .insert(deliveries)
          .values({
            id: sighting.id,
            kind: 'sales',
            cycle,
            // It had none that was ever seen.
            temporaryPath: sighting.path,
            finalPath: sighting.path,
            size: sighting.size,
            sha256: sighting.sha256 ?? '',
            state,
            createdAt: sighting.seenAt,
            publishedAt: sighting.seenAt,
            takenAt,
          })
          .onConflictDoUpdate({
            target: deliveries.id,
            set: { state, takenAt: sql`coalesce(${deliveries.takenAt}, excluded.taken_at)` },
          });
        for (const part of inBatches(orderIds)) {
          const isHere = inArray(orders.id, part);
          if (now.isLost)
            await setInDoubt(tx, and(isHere, or(isUnsent, eq(orders.deliveryId, sighting.id))), reason);
          // Whatever passerelle would have done with it: Proshop gets it.
          else
            await tx
              .update(orders)
              .set({ deliveryId: sighting.id, route: 'send', reason: null, inDoubt: false })
              .where(and(isHere, isUnsent));
        }
        await tx.update(sightings).set({ notedBy: cycle, unknown }).where(eq(sightings.id, sighting.id));
      }),

    /**
     * Sees what became of the old gateway's files that are recorded: Proshop has taken those that went. The orders of those that
     * another took the place of are set aside for `reason`.
     */
    settleOldDeliveries: (reason: string): Promise<void> =>
      db.transaction(async (tx) => {
        const isOpen = and(eq(deliveries.state, 'published'), isNull(deliveries.takenAt));
        const gone = await tx
          .select({ id: deliveries.id, goneAt: sightings.goneAt, isLost: sql<boolean>`${isReplaced}` })
          .from(deliveries)
          .innerJoin(sightings, eq(sightings.id, deliveries.id))
          .where(and(isOpen, isNotNull(sightings.goneAt)));
        for (const { id, goneAt, isLost } of gone) {
          await tx
            .update(deliveries)
            .set(isLost ? { state: 'abandoned' } : { takenAt: goneAt })
            .where(eq(deliveries.id, id));
          if (isLost) await setInDoubt(tx, eq(orders.deliveryId, id), reason);
        }
      }),

    /** Orders that a sales file of the old gateway may hold: that nobody has sent or settled, or that this delivery holds. */
    ordersItMayHold: (delivery: string): Promise<Pick<OrderRow, 'id' | 'reference' | 'body'>[]> =>
      db
        .select({ id: orders.id, reference: orders.reference, body: orders.body })
        .from(orders)
        .where(or(eq(orders.deliveryId, delivery), and(isUnsent, ne(orders.route, 'cancelled'))))
        .orderBy(asc(orders.id)),

    /** Orders to be sent that the old gateway has not sent and that no cycle has told of, and marks them told by this one. */
    async missedByOldGateway(
      cycle: string,
    ): Promise<readonly { readonly id: number; readonly isLate: boolean }[]> {
      const rows = await tell(cycle, and(eq(orders.route, 'send'), isUnsent));
      return rows.map(({ id, seenStep }) => ({ id, isLate: seenStep === 6 }));
    },

    /** Orders in doubt of which no cycle has told, and marks them told by this one. */
    async doubtedOrders(cycle: string): Promise<readonly number[]> {
      return (await tell(cycle, and(eq(orders.inDoubt, true), isUnsent))).map(({ id }) => id);
    },

    /**
     * Sets aside the orders of which nobody can tell whether the old gateway has sent them: that were seen, or placed, before
     * `until`, when somebody looked again after a time at which nobody did.
     * @param until the same instant, as the shop's clock shows it: `2026-11-24 10:25:03`
     */
    async doubtUnwatched(
      routes: readonly ('send' | 'by_hand')[],
      until: { readonly at: Date; readonly local: string },
      reason: string,
    ): Promise<void> {
      const placed = sql<string>`${orders.body}->>'date'`;
      const isOld = or(lte(orders.seenAt, until.at), and(ne(placed, ''), lte(placed, until.local)));
      await setInDoubt(db, and(inArray(orders.route, routes), isUnsent, isOld), reason);
    },
  };

  /** Marks those of which no cycle has told, and gives all of which this one has. */
  async function tell(cycle: string, which: SQL | undefined) {
    await db
      .update(orders)
      .set({ toldBy: cycle })
      .where(and(which, isNull(orders.toldBy)));
    return db
      .select({ id: orders.id, seenStep: orders.seenStep })
      .from(orders)
      .where(and(which, eq(orders.toldBy, cycle)))
      .orderBy(asc(orders.id));
  }

  async function setInDoubt(tx: Database, where: SQL | undefined, reason: string): Promise<void> {
    await tx
      .update(orders)
      .set({ route: 'set_aside', reason, deliveryId: null, inDoubt: true, toldBy: null })
      .where(and(where, eq(orders.inDoubt, false)));
  }
}

const isUnsent = and(isNull(orders.deliveryId), isNull(orders.settledAt));
