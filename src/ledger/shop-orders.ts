import { and, asc, eq, inArray, isNotNull, isNull, lt, ne, or, sql, type SQL } from 'drizzle-orm';
import {
  orderLife,
  type KnownOrder,
  type OrderRecord,
  type ShopOrder,
  type Standing,
} from '../domain/order-life.ts';
import type { Order, SetAsideOrder, SoldLine } from '../domain/order.ts';
import type { Database } from './database.ts';
import { describeFault } from './describe-fault.ts';
import { inBatches } from './in-batches.ts';
import { ORDER_WRITTEN_OVER } from './order-written-over.ts';
import {
  incompleteOrders,
  orderLines,
  orders,
  shopCursors,
  shopMoves,
  shopRows,
  takeBacks,
} from './schema.ts';

export type IncompleteOrder = typeof incompleteOrders.$inferSelect;

/** Orders as the shop itself shows them, whatever their life. */
export interface ShopOrdersSeen {
  readonly cycle: string;
  /** 1, or 6 for late orders. */
  readonly step: number;
  /** Where they were read. */
  readonly file: string;
  readonly at: Date;
  /** Which reading of the shop showed them. */
  readonly reading: number;
  readonly orders: readonly (Standing & {
    readonly order: Order;
    /** A person must enter it in Proshop. */
    readonly byHand: boolean;
  })[];
  readonly setAside: readonly (Standing & SetAsideOrder & { readonly id: number })[];
}

export interface RefundsSeen {
  readonly cycle: string;
  readonly step: number;
  readonly at: Date;
  readonly refunds: readonly {
    readonly orderId: number;
    /** PrestaShop's id_order_slip. */
    readonly slip: number;
    readonly lines: readonly SoldLine[];
  }[];
}

/** What a person must take back in Proshop. */
export interface TakeBack {
  /** The order's. */
  readonly id: number;
  readonly reference: string;
  /** `cancelled`, or `slip 12`. */
  readonly cause: string;
  readonly lines: readonly SoldLine[];
  readonly stockBack: boolean;
  readonly seenAt: Date;
  /** The cycle whose report has told of it; null = none yet. */
  readonly toldBy: string | null;
}

export interface ShopCursor {
  /** The shop's local time, `2026-11-24 10:25:03`. */
  readonly at: string;
  readonly id: number;
}

/** The part of the ledger that follows orders in the shop itself, where their whole life shows. */
export function createShopOrders(db: Database) {
  return {
    /** Numbers a reading of the shop's orders: what it shows is newer than what those before it showed. */
    async beginReading(): Promise<number> {
      const [row] = await db
        .insert(shopCursors)
        .values({ job: 'readings', at: '', id: 1 })
        .onConflictDoUpdate({ target: shopCursors.job, set: { id: sql`${shopCursors.id} + 1` } })
        .returning({ id: shopCursors.id });
      if (row === undefined) throw new Error('Expected the number of a reading, got none');
      return row.id;
    },

    /**
     * Records what the shop shows of these orders (domain/order-life.ts says what that is); the same again changes nothing,
     * nor does what an attempt that slept has seen before a later reading.
     * Of an order that is given twice the last counts, set-aside ones being the later. None of them is incomplete any more.
     */
    recordShopOrders: (seen: ShopOrdersSeen): Promise<void> =>
      db.transaction(async (tx) => {
        const when = { seenAt: seen.at, seenCycle: seen.cycle, seenStep: seen.step };
        const where = { ...when, seenFile: seen.file };
        for (const batch of inBatches(inOrder(shopOrders(seen)))) {
          // Two attempts at once: the second waits at the first row that the other has, then finds it known.
          const inserted = await insertUnknown(tx, batch, where);
          const ids = batch.map(({ id }) => id);
          const known = await lockKnown(
            tx,
            ids.filter((id) => !inserted.has(id)),
          );
          const current = batch.filter(({ id }) => (known.get(id)?.reading ?? 0) <= seen.reading);
          const changes = current.map((order) => {
            const before = known.get(order.id) ?? null;
            return { id: order.id, before, ...orderLife(before, order) };
          });
          await updateKnown(
            tx,
            changes.flatMap(({ id, before, record }) =>
              before === null || record === null ? [] : [rowOf(id, record, before, where)],
            ),
          );
          await tx
            .update(orders)
            .set({ reading: seen.reading })
            .where(and(inArray(orders.id, [...inserted, ...known.keys()]), lt(orders.reading, seen.reading)));
          const lines = changes.flatMap(({ id, record }) =>
            sold(record?.lines ?? []).map((line, position) => ({ orderId: id, position, ...line })),
          );
          for (const part of inBatches(lines)) await tx.insert(orderLines).values(part);
          await changeTakeBacks(
            tx,
            changes.flatMap(({ id, takeBack }) => (takeBack === 'forget' ? [id] : [])),
            changes.flatMap(({ id, takeBack }) =>
              takeBack === null || takeBack === 'forget'
                ? []
                : [{ orderId: id, cause: 'cancelled', ...takeBack, ...when }],
            ),
          );
          const moves = changes.flatMap(({ id, moves }) =>
            moves.map((move) => ({ orderId: id, ...move, at: seen.at })),
          );
          for (const part of inBatches(moves)) await tx.insert(shopMoves).values(part);
          await tx.delete(incompleteOrders).where(inArray(incompleteOrders.id, ids));
        }
      }),

    /** Records that slips refund lines of these orders, unless the order is unknown or was cancelled before it was sent. The same again changes nothing. */
    recordRefunds: ({ cycle, step, at, refunds }: RefundsSeen): Promise<void> =>
      db.transaction(async (tx) => {
        for (const batch of inBatches(refunds)) {
          const rows = await tx
            .select({ id: orders.id })
            .from(orders)
            .where(
              and(
                inArray(
                  orders.id,
                  batch.map(({ orderId }) => orderId),
                ),
                ne(orders.route, 'cancelled'),
              ),
            );
          const ids = new Set(rows.map(({ id }) => id));
          const values = batch.flatMap(({ orderId, slip, lines }) =>
            ids.has(orderId)
              ? [
                  {
                    orderId,
                    cause: `slip ${slip}`,
                    lines: sold(lines),
                    stockBack: false,
                    seenAt: at,
                    seenCycle: cycle,
                    seenStep: step,
                  },
                ]
              : [],
          );
          if (values.length > 0) await tx.insert(takeBacks).values(values).onConflictDoNothing();
        }
      }),

    /** What a person must take back in Proshop, and that nobody has settled yet. */
    takeBacksForPeople: (): Promise<TakeBack[]> =>
      selectTakeBacks(db, isNull(takeBacks.settledAt)).orderBy(asc(takeBacks.orderId), asc(takeBacks.cause)),

    /** Notes that a person has taken back in Proshop all there was of an order. Gives how many cancellations and slips that settles. */
    async settleTakeBacks(orderId: number, at: Date, why: string): Promise<number> {
      const rows = await db
        .update(takeBacks)
        .set({ settledAt: at, settledWhy: why })
        .where(and(eq(takeBacks.orderId, orderId), isNull(takeBacks.settledAt)))
        .returning({ cause: takeBacks.cause });
      return rows.length;
    },

    /** Records orders that the shop has not written whole, with the lines that show so far. Those known as whole are left out. */
    recordIncomplete: (seen: {
      readonly cycle: string;
      readonly at: Date;
      readonly orders: readonly Pick<IncompleteOrder, 'id' | 'reference' | 'lines'>[];
    }): Promise<void> =>
      db.transaction(async (tx) => {
        for (const batch of inBatches(inOrder(seen.orders))) {
          const known = await knownIn(
            tx,
            batch.map(({ id }) => id),
          );
          const values = batch
            .filter(({ id }) => !known.has(id))
            .map(({ id, reference, lines }) => ({
              id,
              reference,
              lines: sold(lines),
              firstSeenAt: seen.at,
              seenCycle: seen.cycle,
            }));
          if (values.length === 0) continue;
          await tx
            .insert(incompleteOrders)
            .values(values)
            .onConflictDoUpdate({
              target: incompleteOrders.id,
              set: { reference: sql`excluded.reference`, lines: sql`excluded.lines` },
            });
        }
      }),

    /** All of them, those given up too. */
    incompleteOrders: (): Promise<IncompleteOrder[]> =>
      db.select().from(incompleteOrders).orderBy(asc(incompleteOrders.id)),

    /** Notes that these will not become whole: they are outstanding no longer. */
    async giveUpIncomplete(ids: readonly number[], at: Date): Promise<void> {
      for (const part of inBatches(ids)) {
        await db
          .update(incompleteOrders)
          .set({ givenUpAt: at })
          .where(and(inArray(incompleteOrders.id, part), isNull(incompleteOrders.givenUpAt)));
      }
    },

    /** Forgets orders that are whole by now, or gone from the shop. */
    async forgetIncomplete(ids: readonly number[]): Promise<void> {
      for (const part of inBatches(ids))
        await db.delete(incompleteOrders).where(inArray(incompleteOrders.id, part));
    },

    /** What known orders did to the shop's stock since stock was last applied, by EAN; variants that end where they were are left out. */
    async shopMoves(): Promise<ReadonlyMap<string, number>> {
      const units = sql<number>`sum(${shopMoves.units})::int`;
      const rows = await db
        .select({ ean: shopMoves.ean, units })
        .from(shopMoves)
        .groupBy(shopMoves.ean)
        .having(ne(units, 0))
        .orderBy(asc(shopMoves.ean));
      return new Map(rows.map((row) => [row.ean, row.units]));
    },

    /** How far a job has read the shop; null = not at all. */
    async cursor(job: string): Promise<ShopCursor | null> {
      const [row] = await db
        .select({ at: shopCursors.at, id: shopCursors.id })
        .from(shopCursors)
        .where(eq(shopCursors.job, job));
      return row ?? null;
    },

    /** Notes how far a job has read the shop. Never backwards: `at` and `id` each keep the greatest. */
    async moveCursor(job: string, { at, id }: ShopCursor): Promise<void> {
      await db
        .insert(shopCursors)
        .values({ job, at, id })
        .onConflictDoUpdate({
          target: shopCursors.job,
          set: {
            // By their characters, whatever the database's language.
            at: sql`greatest(${shopCursors.at} collate "C", excluded.at collate "C")`,
            id: sql`greatest(${shopCursors.id}, excluded.id)`,
          },
        });
    },

    /** `product/combination` -> id of its stock row in the shop, as it was last seen. */
    async shopRows(): Promise<ReadonlyMap<string, number>> {
      const rows = await db.select().from(shopRows);
      return new Map(
        rows.map(({ productId, combinationId, rowId }) => [`${productId}/${combinationId}`, rowId]),
      );
    },

    /** Notes where the stock of each variant stands in the shop. */
    async rememberShopRows(rows: readonly (typeof shopRows.$inferSelect)[]): Promise<void> {
      for (const part of inBatches(rows)) {
        await db
          .insert(shopRows)
          .values(part)
          .onConflictDoUpdate({
            target: [shopRows.productId, shopRows.combinationId],
            set: { rowId: sql`excluded.row_id` },
          });
      }
    },

    /** Those of the ids that the ledger knows as orders, whatever became of them. */
    async knownOrderIds(ids: readonly number[]): Promise<ReadonlySet<number>> {
      const known = new Set<number>();
      for (const part of inBatches(ids)) for (const id of await knownIn(db, part)) known.add(id);
      return known;
    },
  };
}

/** Take-backs for people. The slips of an order that was cancelled before it was sent say nothing more: its cancellation covers them. */
export function selectTakeBacks(db: Database, where: SQL | undefined) {
  return db
    .select({
      id: takeBacks.orderId,
      reference: orders.reference,
      cause: takeBacks.cause,
      lines: takeBacks.lines,
      stockBack: takeBacks.stockBack,
      seenAt: takeBacks.seenAt,
      toldBy: takeBacks.toldBy,
    })
    .from(takeBacks)
    .innerJoin(orders, eq(orders.id, takeBacks.orderId))
    .where(and(where, or(eq(takeBacks.cause, 'cancelled'), ne(orders.route, 'cancelled'))));
}

/** Of orders whose delivery was given up, those cancelled while it held them were cancelled before they were sent. */
export async function cancelFreed(tx: Database, ids: readonly number[]): Promise<void> {
  for (const part of inBatches(ids)) {
    const isTheirs = and(inArray(takeBacks.orderId, part), eq(takeBacks.cause, 'cancelled'));
    const rows = await tx.select({ id: takeBacks.orderId }).from(takeBacks).where(isTheirs);
    if (rows.length === 0) continue;
    const cancelled = rows.map(({ id }) => id);
    await tx.update(orders).set({ route: 'cancelled', body: null }).where(inArray(orders.id, cancelled));
    await tx.delete(takeBacks).where(and(isTheirs, isNull(takeBacks.settledAt)));
  }
}

type OrderRow = typeof orders.$inferInsert;
type SeenWhere = Pick<OrderRow, 'seenAt' | 'seenCycle' | 'seenStep' | 'seenFile'>;

function shopOrders(seen: ShopOrdersSeen): (ShopOrder & { readonly id: number })[] {
  return [
    ...seen.orders.map(({ order, standing, byHand, stockBack }) => ({
      id: order.id,
      reference: order.reference,
      standing,
      routeWhenSold: byHand ? ('by_hand' as const) : ('send' as const),
      reason: null,
      body: order,
      lines: order.lines,
      stockBack,
    })),
    ...seen.setAside.map(({ id, reference, standing, lines, stockBack, ...fault }) => ({
      id,
      reference,
      standing,
      routeWhenSold: 'set_aside' as const,
      reason: describeFault(fault),
      body: null,
      lines,
      stockBack,
    })),
  ];
}

/** Each once, in the order of their ids, so that two transactions lock them in the same one. */
function inOrder<T extends { readonly id: number }>(items: readonly T[]): T[] {
  return [...new Map(items.map((item) => [item.id, item])).values()].sort((a, b) => a.id - b.id);
}

/** A row of `orders`. A report tells of it again when it goes another way than before. */
function rowOf(
  id: number,
  { route, reference, reason, body }: OrderRecord,
  before: (SeenWhere & Pick<OrderRow, 'route' | 'toldBy'>) | null,
  where: SeenWhere,
): OrderRow {
  const columns = { id, route, reference, reason, body };
  if (before?.route !== route) return { ...columns, ...where, toldBy: null };
  const { seenAt, seenCycle, seenStep, seenFile, toldBy } = before;
  return { ...columns, seenAt, seenCycle, seenStep, seenFile, toldBy };
}

/** Inserts those that nobody knows, without their lines. Gives their ids. */
async function insertUnknown(
  tx: Database,
  batch: readonly (ShopOrder & { readonly id: number })[],
  where: SeenWhere,
): Promise<ReadonlySet<number>> {
  const rows = batch.flatMap((order) => {
    const { record } = orderLife(null, order);
    if (record === null) return [];
    return [rowOf(order.id, record, null, where)];
  });
  if (rows.length === 0) return new Set();
  const inserted = await tx
    .insert(orders)
    .values(rows)
    .onConflictDoNothing({ target: orders.id })
    .returning({ id: orders.id });
  return new Set(inserted.map(({ id }) => id));
}

/** Known orders, locked: nobody else changes, delivers or settles them before this transaction ends. */
async function lockKnown(tx: Database, ids: readonly number[]) {
  if (ids.length === 0) return new Map<number, never>();
  const rows = await tx
    .select()
    .from(orders)
    .where(inArray(orders.id, [...ids]))
    .orderBy(asc(orders.id))
    .for('update');
  const lines = await tx
    .select()
    .from(orderLines)
    .where(inArray(orderLines.orderId, [...ids]))
    .orderBy(asc(orderLines.orderId), asc(orderLines.position));
  const taken = await tx
    .select()
    .from(takeBacks)
    .where(and(inArray(takeBacks.orderId, [...ids]), eq(takeBacks.cause, 'cancelled')))
    .orderBy(asc(takeBacks.orderId))
    .for('update');
  const linesOf = new Map<number, SoldLine[]>();
  for (const { orderId, ean, reference, quantity } of lines) {
    const others = linesOf.get(orderId) ?? [];
    linesOf.set(orderId, [...others, { ean, reference, quantity }]);
  }
  const takeBackOf = new Map(
    taken.map(({ orderId, stockBack, settledAt }) => [orderId, { stockBack, isSettled: settledAt !== null }]),
  );
  return new Map(
    rows.map((row) => {
      const { id, deliveryId, inDoubt, settledAt, reflectedBy } = row;
      const isFinal = deliveryId !== null || inDoubt || settledAt !== null || reflectedBy !== null;
      const known = { lines: linesOf.get(id) ?? [], isFinal, takeBack: takeBackOf.get(id) ?? null };
      return [id, { ...row, ...known } satisfies KnownOrder];
    }),
  );
}

/** Replaces rows that are known and locked, and clears their lines. */
async function updateKnown(tx: Database, rows: readonly OrderRow[]): Promise<void> {
  if (rows.length === 0) return;
  await tx
    .insert(orders)
    .values([...rows])
    .onConflictDoUpdate({
      target: orders.id,
      set: { ...ORDER_WRITTEN_OVER, toldBy: sql`excluded.told_by` },
    });
  await tx.delete(orderLines).where(
    inArray(
      orderLines.orderId,
      rows.map(({ id }) => id),
    ),
  );
}

/** Deletes unsettled take-backs of orders that were reinstated, and adds others: in place of one that was settled before, if need be. */
async function changeTakeBacks(
  tx: Database,
  forgotten: readonly number[],
  added: readonly (typeof takeBacks.$inferInsert)[],
): Promise<void> {
  if (forgotten.length > 0) {
    await tx
      .delete(takeBacks)
      .where(
        and(
          inArray(takeBacks.orderId, [...forgotten]),
          eq(takeBacks.cause, 'cancelled'),
          isNull(takeBacks.settledAt),
        ),
      );
  }
  if (added.length === 0) return;
  await tx
    .insert(takeBacks)
    .values([...added])
    .onConflictDoUpdate({
      target: [takeBacks.orderId, takeBacks.cause],
      set: {
        lines: sql`excluded.lines`,
        stockBack: sql`excluded.stock_back`,
        seenAt: sql`excluded.seen_at`,
        seenCycle: sql`excluded.seen_cycle`,
        seenStep: sql`excluded.seen_step`,
        toldBy: null,
        settledAt: null,
        settledWhy: null,
      },
      setWhere: isNotNull(takeBacks.settledAt),
    });
}

/** Only what a line says to Proshop's stock. */
function sold(lines: readonly SoldLine[]): SoldLine[] {
  return lines.map(({ ean, reference, quantity }) => ({ ean, reference, quantity }));
}

async function knownIn(db: Database, ids: readonly number[]): Promise<Set<number>> {
  const rows = await db
    .select({ id: orders.id })
    .from(orders)
    .where(inArray(orders.id, [...ids]));
  return new Set(rows.map(({ id }) => id));
}
