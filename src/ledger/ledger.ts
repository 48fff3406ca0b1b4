import {
  and,
  asc,
  count,
  countDistinct,
  desc,
  eq,
  gt,
  gte,
  inArray,
  isNotNull,
  isNull,
  lt,
  lte,
  ne,
  notExists,
  notInArray,
  or,
  sql,
  sum,
  type SQL,
} from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { OrderRoute } from '../domain/order-life.ts';
import type { Order, SetAsideOrder, SoldLine } from '../domain/order.ts';
import type { VariantStock } from '../domain/stock.ts';
import type { Database } from './database.ts';
import { describeFault } from './describe-fault.ts';
import { inBatches } from './in-batches.ts';
import { createJourneys } from './journeys.ts';
import { ORDER_WRITTEN_OVER } from './order-written-over.ts';
import {
  appliedStock,
  deliveries,
  incompleteOrders,
  models,
  openCalls,
  orderLines,
  orders,
  shopMoves,
  stagingFolders,
  stockExports,
  takeBacks,
  unnumberedOrders,
} from './schema.ts';
import { cancelFreed, createShopOrders, selectTakeBacks, type TakeBack } from './shop-orders.ts';
import { createSightings } from './sightings.ts';
import { createWarnings } from './warnings.ts';

export type { Database } from './database.ts';
export type { IncompleteOrder, RefundsSeen, ShopCursor, ShopOrdersSeen, TakeBack } from './shop-orders.ts';
export type Delivery = typeof deliveries.$inferSelect;
export type StockExport = typeof stockExports.$inferSelect;
export type Ledger = ReturnType<typeof createLedger>;

/** What an order waits for until Proshop's stock counts it. */
export type OrderState =
  | 'to_send'
  | 'sent'
  | 'by_hand'
  | 'set_aside'
  | 'waiting'
  /** A person has seen to it in Proshop. */
  | 'settled'
  /** The shop has not written it whole. */
  | 'incomplete';

export interface OrdersSeen {
  readonly cycle: string;
  /** 1, or 6 for late orders. */
  readonly step: number;
  readonly file: string;
  readonly fileSha256: string;
  readonly at: Date;
  readonly orders: readonly { readonly order: Order; readonly route: 'send' | 'by_hand' }[];
  readonly setAside: readonly SetAsideOrder[];
}

/** Remembers orders, deliveries and the stock last applied. What must be unique is so by the database's keys. */
export function createLedger(db: Database) {
  return {
    ...createJourneys(db),
    ...createShopOrders(db),
    ...createSightings(db),
    ...createWarnings(db),

    /** Records the orders of one file. An order seen before changes nothing, unless it had been set aside and can be read now. */
    recordOrders: (seen: OrdersSeen): Promise<void> =>
      db.transaction(async (tx) => {
        const rows = [
          ...seen.orders.map(({ order, route }) => ({
            order: { id: order.id, reference: order.reference, route, reason: null, body: order },
            lines: order.lines as readonly SoldLine[],
          })),
          ...seen.setAside.flatMap(({ id, reference, lines, ...fault }) =>
            id === null
              ? []
              : [
                  {
                    order: {
                      id,
                      reference,
                      route: 'set_aside' as const,
                      reason: describeFault(fault),
                      body: null,
                    },
                    lines,
                  },
                ],
          ),
        ];
        for (const batch of inBatches(rows)) {
          const written = await tx
            .insert(orders)
            .values(
              batch.map(({ order }) => ({
                ...order,
                seenAt: seen.at,
                seenCycle: seen.cycle,
                seenStep: seen.step,
                seenFile: seen.file,
              })),
            )
            .onConflictDoUpdate({
              target: orders.id,
              set: { ...ORDER_WRITTEN_OVER, toldBy: null },
              setWhere: sql`${orders.route} = 'set_aside' and not ${orders.inDoubt} and ${orders.settledAt} is null and excluded.route <> 'set_aside'`,
            })
            .returning({ id: orders.id });
          const ids = new Set(written.map(({ id }) => id));
          const lines = batch
            .filter(({ order }) => ids.has(order.id))
            .flatMap(({ order, lines }) =>
              lines.map(({ ean, reference, quantity }, position) => ({
                orderId: order.id,
                position,
                ean,
                reference,
                quantity,
              })),
            );
          if (ids.size > 0) await tx.delete(orderLines).where(inArray(orderLines.orderId, [...ids]));
          for (const part of inBatches(lines)) await tx.insert(orderLines).values(part);
        }
        const unnumbered = seen.setAside.filter(({ id }) => id === null);
        for (const part of inBatches(unnumbered)) {
          await tx
            .insert(unnumberedOrders)
            .values(
              part.map(({ line, lines, ...fault }) => ({
                fileSha256: seen.fileSha256,
                line,
                reason: describeFault({ ...fault, line }),
                lines,
                seenAt: seen.at,
                seenCycle: seen.cycle,
                seenStep: seen.step,
              })),
            )
            .onConflictDoNothing();
        }
      }),

    /**
     * What one step of a cycle saw for the first time (or, set aside before, can read now), or saw paid or cancelled. Step 1
     * also gives what a person must see to and no report has told of yet: an earlier cycle may have recorded it and been cut
     * before it could tell.
     */
    async ordersSeen(cycle: string, step: number) {
      type Seen = typeof orders | typeof unnumberedOrders | typeof takeBacks;
      const here = (table: Seen) => and(eq(table.seenCycle, cycle), eq(table.seenStep, step));
      const untold = (table: Seen) =>
        and(
          isNull(table.toldBy),
          isNull(table.settledAt),
          or(ne(table.seenCycle, cycle), ne(table.seenStep, 6)),
        );
      const wanted = (table: Seen, forPeople?: SQL) =>
        step === 1 ? or(here(table), and(forPeople, untold(table))) : here(table);
      const rows = await db
        .select({ id: orders.id, route: orders.route, reason: orders.reason })
        .from(orders)
        .where(wanted(orders, isForPeople))
        // What this cycle saw comes first: lists are cut.
        .orderBy(sql`${orders.seenCycle} <> ${cycle}`, asc(orders.id));
      const unnumbered = await db
        .select({ reason: unnumberedOrders.reason })
        .from(unnumberedOrders)
        .where(wanted(unnumberedOrders))
        .orderBy(asc(unnumberedOrders.seenAt), asc(unnumberedOrders.line));
      const takenBack = await selectTakeBacks(db, wanted(takeBacks)).orderBy(
        sql`${takeBacks.seenCycle} <> ${cycle}`,
        asc(takeBacks.orderId),
        asc(takeBacks.cause),
      );
      const idsOf = (wantedRoute: OrderRoute) =>
        rows.filter(({ route }) => route === wantedRoute).map(({ id }) => id);
      return {
        toSend: idsOf('send'),
        byHand: idsOf('by_hand'),
        waiting: idsOf('waiting'),
        cancelled: idsOf('cancelled'),
        takeBacks: takenBack,
        setAside: [
          ...rows.filter(({ route }) => route === 'set_aside').map(({ id, reason }) => ({ id, reason })),
          ...unnumbered.map(({ reason }) => ({ id: null, reason })),
        ],
      };
    },

    /** Orders to be sent that no delivery holds, oldest first. */
    async ordersToSend(): Promise<readonly Order[]> {
      const rows = await db
        .select({ id: orders.id, body: orders.body })
        .from(orders)
        .where(toSend)
        .orderBy(asc(orders.id));
      return rows.map(({ id, body }) => {
        if (body === null)
          throw new Error(`Expected order ${id} to hold its fields until it is sent, got none`);
        return body;
      });
    },

    /** Sets an order aside that was to be sent and cannot be turned into XML. */
    async setAside(id: number, reason: string): Promise<void> {
      await db
        .update(orders)
        .set({ route: 'set_aside', reason, toldBy: null })
        .where(and(eq(orders.id, id), toSend));
    },

    /** Notes that the report of `cycle` has told of these orders, of the unnumbered ones that its `steps` saw, and of these others. */
    async markTold(
      cycle: string,
      ids: readonly number[],
      steps: readonly number[],
      others: {
        readonly takeBacks?: readonly Pick<TakeBack, 'id' | 'cause'>[];
        /** Ids of incomplete orders: only those that are given up are marked. */
        readonly givenUp?: readonly number[];
      } = {},
    ): Promise<void> {
      for (const part of inBatches(ids)) {
        await db
          .update(orders)
          .set({ toldBy: cycle })
          .where(and(inArray(orders.id, part), isNull(orders.toldBy)));
      }
      for (const step of steps) {
        const isLate = and(eq(unnumberedOrders.seenCycle, cycle), eq(unnumberedOrders.seenStep, 6));
        await db
          .update(unnumberedOrders)
          .set({ toldBy: cycle })
          .where(and(isNull(unnumberedOrders.toldBy), step === 6 ? isLate : sql`not ${isLate}`));
      }
      for (const part of inBatches(others.takeBacks ?? [])) {
        // One value a row: PostgreSQL would compare a list of pairs one after the other.
        const key = sql<string>`${takeBacks.orderId} || ' ' || ${takeBacks.cause}`;
        const keys = part.map(({ id, cause }) => `${id} ${cause}`);
        await db
          .update(takeBacks)
          .set({ toldBy: cycle })
          .where(and(inArray(key, keys), isNull(takeBacks.toldBy)));
      }
      for (const part of inBatches(others.givenUp ?? [])) {
        const isGivenUp = and(inArray(incompleteOrders.id, part), isNotNull(incompleteOrders.givenUpAt));
        await db
          .update(incompleteOrders)
          .set({ toldBy: cycle })
          .where(and(isGivenUp, isNull(incompleteOrders.toldBy)));
      }
    },

    /** Orders that a person must see to, and that nobody has settled yet. */
    async ordersForPeople() {
      const rows = await db
        .select({ id: orders.id, reference: orders.reference, route: orders.route, reason: orders.reason })
        .from(orders)
        .where(and(isForPeople, isNull(orders.settledAt)))
        .orderBy(asc(orders.id));
      const unnumbered = await db
        .select({ tag, reason: unnumberedOrders.reason })
        .from(unnumberedOrders)
        .where(isNull(unnumberedOrders.settledAt))
        .orderBy(asc(unnumberedOrders.seenAt), asc(unnumberedOrders.line));
      return {
        byHand: rows.filter(({ route }) => route === 'by_hand'),
        setAside: rows.filter(({ route }) => route === 'set_aside'),
        unnumbered,
      };
    },

    /**
     * Notes that a person has dealt with an order in Proshop: it counts as outstanding until an export begun later. False
     * when there is nothing to settle: it is settled, in a delivery, or cancelled.
     */
    async settleOrder(id: number, at: Date, why: string): Promise<boolean> {
      const rows = await db
        .update(orders)
        .set({ settledAt: at, settledWhy: why })
        .where(
          and(
            eq(orders.id, id),
            ne(orders.route, 'cancelled'),
            isNull(orders.settledAt),
            isNull(orders.deliveryId),
          ),
        )
        .returning({ id: orders.id });
      return rows.length === 1;
    },

    /** The same for an order without a readable number, by its tag. */
    async settleUnnumbered(wanted: string, at: Date, why: string): Promise<void> {
      await db
        .update(unnumberedOrders)
        .set({ settledAt: at, settledWhy: why })
        .where(and(eq(tag, wanted), isNull(unnumberedOrders.settledAt)));
    },

    /** Why a person has settled it; null when nobody has, or there is no such tag. */
    async unnumberedSettled(wanted: string): Promise<string | null> {
      const [row] = await db
        .select({ why: unnumberedOrders.settledWhy })
        .from(unnumberedOrders)
        .where(eq(tag, wanted));
      return row?.why ?? null;
    },

    /**
     * Begins a delivery that holds exactly these orders.
     * @throws when one of them is no longer free, so that no order is ever in two deliveries.
     */
    startDelivery: (
      delivery: Pick<
        Delivery,
        'id' | 'kind' | 'cycle' | 'temporaryPath' | 'finalPath' | 'size' | 'sha256' | 'createdAt'
      >,
      orderIds: readonly number[],
    ): Promise<void> =>
      db.transaction(async (tx) => {
        await tx.insert(deliveries).values({ ...delivery, state: 'uploading' });
        for (const ids of inBatches(orderIds)) {
          const held = await tx
            .update(orders)
            .set({ deliveryId: delivery.id })
            .where(and(inArray(orders.id, ids), toSend))
            .returning({ id: orders.id });
          if (held.length !== ids.length) {
            throw new Error(
              `Expected ${ids.length} orders to be free for delivery ${delivery.id}, got ${held.length}`,
            );
          }
        }
      }),

    /** Deliveries whose file may or may not stand under its final name. */
    openDeliveries: (kind: Delivery['kind']): Promise<Delivery[]> =>
      db
        .select()
        .from(deliveries)
        .where(and(eq(deliveries.kind, kind), inArray(deliveries.state, ['uploading', 'uploaded'])))
        .orderBy(asc(deliveries.createdAt)),

    /** Published deliveries whose file was not seen gone yet, with the orders each holds. */
    untakenDeliveries: (kind: Delivery['kind']): Promise<(Delivery & { orders: number })[]> =>
      db
        .select({ delivery: deliveries, orders: count(orders.id) })
        .from(deliveries)
        .leftJoin(orders, eq(orders.deliveryId, deliveries.id))
        .where(and(eq(deliveries.kind, kind), eq(deliveries.state, 'published'), isNull(deliveries.takenAt)))
        .groupBy(deliveries.id)
        .orderBy(asc(deliveries.createdAt))
        .then((rows) => rows.map((row) => ({ ...row.delivery, orders: row.orders }))),

    async deliveryOf(cycle: string, kind: Delivery['kind']): Promise<Delivery | null> {
      const [row] = await db
        .select()
        .from(deliveries)
        .where(
          and(
            eq(deliveries.cycle, cycle),
            eq(deliveries.kind, kind),
            notInArray(deliveries.state, ['withdrawing', 'abandoned']),
          ),
        )
        .orderBy(desc(deliveries.createdAt))
        .limit(1);
      return row ?? null;
    },

    async ordersIn(deliveryId: string): Promise<readonly number[]> {
      const rows = await db
        .select({ id: orders.id })
        .from(orders)
        .where(eq(orders.deliveryId, deliveryId))
        .orderBy(asc(orders.id));
      return rows.map(({ id }) => id);
    },

    /** Units that the orders of a delivery sell. */
    async unitsIn(deliveryId: string): Promise<number> {
      const [row] = await db
        .select({ units: sum(orderLines.quantity).mapWith(Number) })
        .from(orderLines)
        .innerJoin(orders, eq(orders.id, orderLines.orderId))
        .where(eq(orders.deliveryId, deliveryId));
      return row?.units ?? 0;
    },

    /** From here on the temporary file may be renamed, by anyone who finds it. False when the delivery was abandoned meanwhile. */
    markUploaded: (id: string): Promise<boolean> => move(id, 'uploading', { state: 'uploaded' }),

    markPublished: (id: string, at: Date): Promise<boolean> =>
      move(id, 'uploaded', { state: 'published', publishedAt: at }),

    async delivery(id: string): Promise<Delivery> {
      const [row] = await db.select().from(deliveries).where(eq(deliveries.id, id));
      if (row === undefined) throw new Error(`Expected the delivery ${id} in the ledger, got none`);
      return row;
    },

    /** The states of those of the deliveries that the ledger has. */
    async deliveryStates(ids: readonly string[]): Promise<ReadonlyMap<string, Delivery['state']>> {
      const states = new Map<string, Delivery['state']>();
      for (const part of inBatches(ids)) {
        const rows = await db
          .select({ id: deliveries.id, state: deliveries.state })
          .from(deliveries)
          .where(inArray(deliveries.id, part));
        for (const { id, state } of rows) states.set(id, state);
      }
      return states;
    },

    /**
     * Gives up a delivery whose file was never renamed, and frees its orders; those cancelled meanwhile were cancelled
     * before they were sent. False when its state is another by now.
     */
    abandonDelivery: (id: string): Promise<boolean> =>
      db.transaction(async (tx) => {
        const rows = await tx
          .update(deliveries)
          .set({ state: 'abandoned' })
          .where(and(eq(deliveries.id, id), eq(deliveries.state, 'uploading')))
          .returning({ id: deliveries.id });
        if (rows.length === 0) return false;
        const freed = await tx
          .update(orders)
          .set({ deliveryId: null })
          .where(eq(orders.deliveryId, id))
          .returning({ id: orders.id });
        await cancelFreed(
          tx,
          freed.map((order) => order.id),
        );
        return true;
      }),

    /** Notes that a published file was seen gone. False when it is being taken back. */
    async markTaken(id: string, at: Date): Promise<boolean> {
      const rows = await db
        .update(deliveries)
        .set({ takenAt: sql`coalesce(${deliveries.takenAt}, ${at.toISOString()}::timestamptz)` })
        .where(and(eq(deliveries.id, id), eq(deliveries.state, 'published')))
        .returning({ id: deliveries.id });
      return rows.length === 1;
    },

    /** Stock updates that the shop has not confirmed, whatever their state. */
    unconfirmedUpdates: (): Promise<Delivery[]> =>
      db
        .select()
        .from(deliveries)
        .where(
          and(eq(deliveries.kind, 'stock'), ne(deliveries.state, 'abandoned'), isNull(deliveries.takenAt)),
        )
        .orderBy(asc(deliveries.createdAt)),

    /** From here on the file of a stock update may be removed, and its being gone proves nothing. False once it is confirmed. */
    async beginWithdrawal(id: string): Promise<boolean> {
      const rows = await db
        .update(deliveries)
        .set({ state: 'withdrawing' })
        .where(and(eq(deliveries.id, id), ne(deliveries.state, 'abandoned'), isNull(deliveries.takenAt)))
        .returning({ id: deliveries.id });
      return rows.length === 1;
    },

    endWithdrawal: (id: string): Promise<boolean> => move(id, 'withdrawing', { state: 'abandoned' }),

    /** Notes, before the shop is called, that it may have been; null when the call is known not to have reached it. False when the update is being taken back. */
    markAsked: (id: string, at: Date | null): Promise<boolean> => move(id, 'published', { askedAt: at }),

    markAccepted: (id: string, at: Date): Promise<boolean> => move(id, 'published', { acceptedAt: at }),

    /** Sales files seen gone since `since`, and the orders in them. */
    async takenSince(since: Date): Promise<{ readonly taken: number; readonly orders: number }> {
      const [row] = await db
        .select({ taken: countDistinct(deliveries.id), orders: count(orders.id) })
        .from(deliveries)
        .leftJoin(orders, eq(orders.deliveryId, deliveries.id))
        .where(and(eq(deliveries.kind, 'sales'), gte(deliveries.takenAt, since)));
      return row ?? { taken: 0, orders: 0 };
    },

    /**
     * Records a collected ExportCSV, and that it counts every order taken (or settled by hand) `margin` ms before
     * Proshop began to write it, and every order seen gone before the export before this one was collected. Counts none
     * when its bytes are those of an earlier export although Proshop has taken orders since. Gives what is recorded for
     * the cycle: a second call changes nothing.
     */
    recordExport: (
      stock: Omit<StockExport, 'appliedAt' | 'position' | 'staleOrders'>,
      margin: number,
    ): Promise<StockExport> =>
      db.transaction(async (tx) => {
        const last = await latestExport(tx);
        const [inserted] = await tx
          .insert(stockExports)
          .values(stock)
          .onConflictDoNothing({ target: stockExports.cycle })
          .returning();
        if (inserted === undefined) {
          const [recorded] = await tx.select().from(stockExports).where(eq(stockExports.cycle, stock.cycle));
          if (recorded === undefined) throw new Error(`Expected an export of cycle ${stock.cycle}, got none`);
          return recorded;
        }
        const until = stock.begunAfter === null ? null : new Date(stock.begunAfter.getTime() - margin);
        const same = await sameBytesBefore(tx, inserted);
        // What a person entered since Proshop wrote these very bytes before cannot be in them.
        const enteredUntil = until === null ? null : earlier(until, same?.begunAfter ?? same?.collectedAt);
        const isEntered = (settledAt: PgColumn) =>
          enteredUntil === null ? sql`false` : lte(settledAt, enteredUntil);
        // Two cycles at once collect the very same file.
        const isAnother =
          last?.sha256 !== stock.sha256 || last.modifiedAt?.getTime() !== stock.modifiedAt?.getTime();
        const taken = tx
          .select({ id: deliveries.id })
          .from(deliveries)
          .where(
            and(
              eq(deliveries.kind, 'sales'),
              eq(deliveries.state, 'published'),
              or(
                until === null ? sql`false` : lte(deliveries.takenAt, until),
                isAnother ? isNotNull(deliveries.takenBefore) : sql`false`,
              ),
            ),
          );
        const isCounted = and(
          isNull(orders.reflectedBy),
          ne(orders.route, 'cancelled'),
          or(inArray(orders.deliveryId, taken), isEntered(orders.settledAt)),
        );
        const staleOrders = same === null ? 0 : await ordersSince(tx, same, isCounted);
        if (staleOrders === 0) {
          await tx.update(orders).set({ reflectedBy: inserted.id }).where(isCounted);
          await tx
            .update(unnumberedOrders)
            .set({ reflectedBy: inserted.id })
            .where(and(isNull(unnumberedOrders.reflectedBy), isEntered(unnumberedOrders.settledAt)));
        } else {
          await tx.update(stockExports).set({ staleOrders }).where(eq(stockExports.id, inserted.id));
        }
        await tx
          .update(deliveries)
          .set({ takenBefore: inserted.id })
          .where(
            and(eq(deliveries.kind, 'sales'), isNotNull(deliveries.takenAt), isNull(deliveries.takenBefore)),
          );
        return { ...inserted, staleOrders };
      }),

    async exportOf(cycle: string): Promise<StockExport | null> {
      const [row] = await db.select().from(stockExports).where(eq(stockExports.cycle, cycle));
      return row ?? null;
    },

    /** How many orders an export was the first to count. */
    async reflectedBy(exportId: string): Promise<number> {
      const [row] = await db.select({ orders: count() }).from(orders).where(eq(orders.reflectedBy, exportId));
      return row?.orders ?? 0;
    },

    /** The one that was collected last. */
    lastExport: (): Promise<StockExport | null> => latestExport(db),

    /** The export that the shop shows, as far as passerelle knows. */
    async lastAppliedExport(): Promise<StockExport | null> {
      const [row] = await db
        .select()
        .from(stockExports)
        .where(isNotNull(stockExports.appliedAt))
        .orderBy(desc(stockExports.position))
        .limit(1);
      return row ?? null;
    },

    /** Units that Proshop's stock does not count yet, summed by variant; those of incomplete orders as far as they are seen. */
    async outstanding(): Promise<{ readonly orders: number; readonly lines: readonly SoldLine[] }> {
      // Read first: an order that becomes complete meanwhile may be counted twice, never not at all.
      const incomplete = await hopedFor();
      const [total] = await db.select({ orders: count() }).from(orders).where(isOutstanding);
      const lines = await db
        .select({
          ean: orderLines.ean,
          reference: orderLines.reference,
          quantity: sql<number>`sum(${orderLines.quantity})::int`,
        })
        .from(orderLines)
        .innerJoin(orders, eq(orders.id, orderLines.orderId))
        .where(isOutstanding)
        .groupBy(orderLines.ean, orderLines.reference);
      const unnumbered = await db
        .select({ lines: unnumberedOrders.lines })
        .from(unnumberedOrders)
        .where(isNull(unnumberedOrders.reflectedBy));
      return {
        orders: (total?.orders ?? 0) + unnumbered.length + incomplete.length,
        lines: [...lines, ...[...unnumbered, ...incomplete].flatMap((row) => row.lines)],
      };
    },

    /** Resolves when the database answers. */
    async check(): Promise<void> {
      await db.execute(sql`select 1`);
    },

    /** How many orders are in each state; together as many as are outstanding. */
    async ordersByState(): Promise<Readonly<Record<OrderState, number>>> {
      const states = { to_send: 0, sent: 0, by_hand: 0, set_aside: 0, waiting: 0, settled: 0, incomplete: 0 };
      states.incomplete = (await hopedFor()).length;
      const state = sql<OrderState>`case when ${orders.settledAt} is not null then 'settled' when ${orders.deliveryId} is not null then 'sent' when ${orders.route} = 'send' then 'to_send' else ${orders.route} end`;
      const rows = await db
        .select({ state, orders: count() })
        .from(orders)
        .where(isOutstanding)
        .groupBy(state);
      for (const row of rows) states[row.state] = row.orders;
      const { settledAt, reflectedBy } = unnumberedOrders;
      states.set_aside += await db.$count(unnumberedOrders, isNull(settledAt));
      states.settled += await db.$count(unnumberedOrders, and(isNotNull(settledAt), isNull(reflectedBy)));
      return states;
    },

    async appliedStock(): Promise<ReadonlyMap<string, VariantStock>> {
      const rows = await db.select().from(appliedStock);
      return new Map(rows.map((row) => [row.ean, row]));
    },

    /** Replaces what the shop is known to show, and forgets what orders did to the stock before. Writes only what differs. */
    applyStock: (exportId: string, variants: readonly VariantStock[], at: Date): Promise<void> =>
      db.transaction(async (tx) => {
        const before = new Map((await tx.select().from(appliedStock)).map((row) => [row.ean, row]));
        const gone = new Set(before.keys());
        const changed = variants.filter((variant) => {
          gone.delete(variant.ean);
          const row = before.get(variant.ean);
          return (
            row?.quantity !== variant.quantity ||
            row.reference !== variant.reference ||
            row.size !== variant.size
          );
        });
        for (const part of inBatches([...gone]))
          await tx.delete(appliedStock).where(inArray(appliedStock.ean, part));
        for (const part of inBatches(changed)) {
          await tx
            .insert(appliedStock)
            .values(part.map(({ ean, reference, size, quantity }) => ({ ean, reference, size, quantity })))
            .onConflictDoUpdate({
              target: appliedStock.ean,
              set: {
                reference: sql`excluded.reference`,
                size: sql`excluded.size`,
                quantity: sql`excluded.quantity`,
              },
            });
        }
        await tx.delete(shopMoves);
        const applied = await tx
          .update(stockExports)
          .set({ appliedAt: at })
          .where(eq(stockExports.id, exportId))
          .returning({ id: stockExports.id });
        if (applied.length === 0) throw new Error(`Expected the export ${exportId} in the ledger, got none`);
      }),

    /** When this job of the shop was called last, if that call has no answer. */
    async openCall(job: string): Promise<Date | null> {
      const [row] = await db.select().from(openCalls).where(eq(openCalls.job, job));
      return row?.calledAt ?? null;
    },

    async beginCall(job: string, at: Date): Promise<void> {
      await db
        .insert(openCalls)
        .values({ job, calledAt: at })
        .onConflictDoUpdate({ target: openCalls.job, set: { calledAt: at } });
    },

    /**
     * Notes that this job of the shop is called now, unless a call of it less than `patience` ms ago has no answer: then
     * false. Of two that ask at once, one gets it.
     */
    async claimCall(job: string, at: Date, patience: number): Promise<boolean> {
      // Either way: a call from the future, before the clock was set back, must not be waited for until then.
      const age = sql`abs(extract(epoch from ${openCalls.calledAt} - ${at.toISOString()}::timestamptz))`;
      const rows = await db
        .insert(openCalls)
        .values({ job, calledAt: at })
        .onConflictDoUpdate({
          target: openCalls.job,
          set: { calledAt: at },
          setWhere: sql`${age} * 1000 >= ${patience}::int`,
        })
        .returning({ job: openCalls.job });
      return rows.length === 1;
    },

    async endCall(job: string): Promise<void> {
      await db.delete(openCalls).where(eq(openCalls.job, job));
    },

    /** Where claimed orders files may lie; see the schema. */
    async stagingFolders(): Promise<readonly string[]> {
      const rows = await db.select().from(stagingFolders).orderBy(asc(stagingFolders.path));
      return rows.map(({ path }) => path);
    },

    async addStagingFolder(path: string): Promise<void> {
      await db.insert(stagingFolders).values({ path }).onConflictDoNothing();
    },

    /** Models whose creation in the shop is known to be over. */
    async confirmedModels(): Promise<ReadonlySet<string>> {
      const rows = await db
        .select({ reference: models.reference })
        .from(models)
        .where(isNotNull(models.confirmedAt));
      return new Set(rows.map(({ reference }) => reference));
    },

    /** How many models the shop was asked for, and are not known to be created. */
    openModels: (): Promise<number> => db.$count(models, isNull(models.confirmedAt)),

    async askModels(references: readonly string[], at: Date): Promise<void> {
      for (const part of inBatches(references)) {
        await db
          .insert(models)
          .values(part.map((reference) => ({ reference, askedAt: at })))
          .onConflictDoUpdate({ target: models.reference, set: { askedAt: at } });
      }
    },

    /** Notes that the models that the shop was asked for between two instants are created. */
    async confirmModels(asked: { readonly from: Date; readonly to: Date }, at: Date): Promise<void> {
      await db
        .update(models)
        .set({ confirmedAt: at })
        .where(
          and(isNull(models.confirmedAt), gte(models.askedAt, asked.from), lte(models.askedAt, asked.to)),
        );
    },

    /**
     * Forgets the customers' fields of orders seen before `before`, but for those still to be sent: nothing else reads
     * them. A person who sees to an order finds them in the shop.
     */
    async forgetCustomers(before: Date): Promise<number> {
      // Only a delivery that is not published can be given up, and its orders be sent again.
      const published = db
        .select({ id: deliveries.id })
        .from(deliveries)
        .where(eq(deliveries.state, 'published'));
      const rows = await db
        .update(orders)
        .set({ body: null })
        .where(
          and(
            isNotNull(orders.body),
            lte(orders.seenAt, before),
            or(
              isNotNull(orders.reflectedBy),
              isNotNull(orders.settledAt),
              ne(orders.route, 'send'),
              inArray(orders.deliveryId, published),
            ),
          ),
        )
        .returning({ id: orders.id });
      return rows.length;
    },
  };

  /** Lines of orders that the shop has not written whole yet, and may still. */
  function hopedFor() {
    return db
      .select({ lines: incompleteOrders.lines })
      .from(incompleteOrders)
      .where(
        and(
          isNull(incompleteOrders.givenUpAt),
          notExists(db.select({ id: orders.id }).from(orders).where(eq(orders.id, incompleteOrders.id))),
        ),
      );
  }

  async function move(id: string, from: Delivery['state'], to: Partial<Delivery>): Promise<boolean> {
    const rows = await db
      .update(deliveries)
      .set(to)
      .where(and(eq(deliveries.id, id), eq(deliveries.state, from)))
      .returning({ id: deliveries.id });
    return rows.length === 1;
  }
}

function earlier(one: Date, other: Date | undefined): Date {
  return other === undefined || one < other ? one : other;
}

async function latestExport(db: Database): Promise<StockExport | null> {
  const [row] = await db.select().from(stockExports).orderBy(desc(stockExports.position)).limit(1);
  return row ?? null;
}

/** The last sound export of before that held the very bytes of this one. */
async function sameBytesBefore(tx: Database, { sha256, position }: StockExport): Promise<StockExport | null> {
  const [same] = await tx
    .select()
    .from(stockExports)
    .where(
      and(
        eq(stockExports.sha256, sha256),
        lt(stockExports.position, position),
        eq(stockExports.staleOrders, 0),
      ),
    )
    .orderBy(desc(stockExports.position))
    .limit(1);
  return same ?? null;
}

/**
 * Orders that Proshop took after it had written these bytes before: with one of them the bytes cannot be the same.
 * `isCounted` = orders that the new export would be the first to count.
 */
async function ordersSince(tx: Database, same: StockExport, isCounted: SQL | undefined): Promise<number> {
  const countedSince = tx
    .select({ id: stockExports.id })
    .from(stockExports)
    .where(gt(stockExports.position, same.position));
  const [since] = await tx
    .select({ orders: count() })
    .from(orders)
    .innerJoin(deliveries, eq(orders.deliveryId, deliveries.id))
    .where(
      and(
        gt(deliveries.takenAt, same.begunAfter ?? same.collectedAt),
        or(inArray(orders.reflectedBy, countedSince), isCounted),
      ),
    );
  return since?.orders ?? 0;
}

/** What people call an order without a readable number: the beginning of its file's digest, and its line. */
const tag = sql<string>`left(${unnumberedOrders.fileSha256}, 8) || '-' || ${unnumberedOrders.line}`;
const isOutstanding = and(isNull(orders.reflectedBy), ne(orders.route, 'cancelled'));
const isForPeople = inArray(orders.route, ['by_hand', 'set_aside']);
const toSend = and(eq(orders.route, 'send'), isNull(orders.deliveryId), isNull(orders.settledAt));
