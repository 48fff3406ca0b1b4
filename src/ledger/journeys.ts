import { and, asc, count, eq, gte, isNull, ne, notExists, or } from 'drizzle-orm';
import type { OrderRoute } from '../domain/order-life.ts';
import type { Database } from './database.ts';
import { deliveries, incompleteOrders, orders, sightings, stockExports, takeBacks } from './schema.ts';

/** Where an order stands between the shop and Proshop's stock. Instants are ISO 8601; nothing in it names a customer. */
export interface OrderJourney {
  readonly id: number;
  readonly reference: string;
  readonly route: OrderRoute;
  /** Why it was set aside. */
  readonly reason: string | null;
  readonly seen: {
    readonly at: string;
    readonly cycle: string;
    readonly step: number;
    readonly file: string;
  };
  /** Its sales file. */
  readonly delivery: {
    readonly cycle: string;
    readonly file: string;
    readonly publishedAt: string | null;
    /** When it was first seen gone. */
    readonly takenAt: string | null;
  } | null;
  /** The first export of Proshop's stock that counts it. */
  readonly reflected: { readonly cycle: string; readonly collectedAt: string } | null;
  readonly settled: { readonly at: string; readonly why: string } | null;
  /** What a person must take back in Proshop, or has. */
  readonly takeBacks: readonly {
    /** `cancelled`, or `slip 12`. */
    readonly cause: string;
    readonly seenAt: string;
    readonly settled: { readonly at: string; readonly why: string } | null;
  }[];
}

/** An order of which the shop has not written all. */
export interface IncompleteJourney {
  readonly id: number;
  readonly reference: string;
  readonly firstSeenAt: string;
  readonly givenUpAt: string | null;
}

/** The part of the ledger that tells people of single orders. */
export function createJourneys(db: Database) {
  const selectJourneys = () =>
    db
      .select({ order: ORDER, delivery: DELIVERY, reflected: REFLECTED })
      .from(orders)
      .leftJoin(deliveries, eq(deliveries.id, orders.deliveryId))
      .leftJoin(stockExports, eq(stockExports.id, orders.reflectedBy))
      .$dynamic();

  return {
    /** Orders that Proshop's stock does not count yet, the oldest first, `most` of them; and how many there are. */
    async outstandingJourneys(most: number) {
      const isOutstanding = and(isNull(orders.reflectedBy), ne(orders.route, 'cancelled'));
      const [total] = await db.select({ orders: count() }).from(orders).where(isOutstanding);
      const rows = await selectJourneys().where(isOutstanding).orderBy(asc(orders.id)).limit(most);
      return { total: total?.orders ?? 0, first: rows.map((row) => journeyOf(row, [])) };
    },

    /** Null when nobody has seen such an order. */
    async orderJourney(id: number): Promise<OrderJourney | IncompleteJourney | null> {
      const [row] = await selectJourneys().where(eq(orders.id, id));
      if (row !== undefined) {
        const rows = await db
          .select()
          .from(takeBacks)
          .where(eq(takeBacks.orderId, id))
          .orderBy(asc(takeBacks.seenAt), asc(takeBacks.cause));
        return journeyOf(row, rows);
      }
      const [incomplete] = await db.select().from(incompleteOrders).where(eq(incompleteOrders.id, id));
      if (incomplete === undefined) return null;
      const { reference, firstSeenAt, givenUpAt } = incomplete;
      return { id, reference, firstSeenAt: firstSeenAt.toISOString(), givenUpAt: iso(givenUpAt) };
    },

    /**
     * Numbers of the orders that passerelle itself has put before Proshop since then, or that a person has settled since
     * then, ascending; not of those in a sales file of the old gateway.
     */
    async ordersSentSince(since: Date): Promise<readonly number[]> {
      const isOfOldGateway = db
        .select({ id: sightings.id })
        .from(sightings)
        .where(eq(sightings.id, deliveries.id));
      const isSent = and(
        eq(deliveries.kind, 'sales'),
        eq(deliveries.state, 'published'),
        gte(deliveries.publishedAt, since),
        notExists(isOfOldGateway),
      );
      const rows = await db
        .select({ id: orders.id })
        .from(orders)
        .leftJoin(deliveries, eq(deliveries.id, orders.deliveryId))
        .where(or(isSent, gte(orders.settledAt, since)))
        .orderBy(asc(orders.id));
      return rows.map(({ id }) => id);
    },
  };
}

// Only what is shown: the customer's fields stay in the database.
const ORDER = {
  id: orders.id,
  reference: orders.reference,
  route: orders.route,
  reason: orders.reason,
  seenAt: orders.seenAt,
  seenCycle: orders.seenCycle,
  seenStep: orders.seenStep,
  seenFile: orders.seenFile,
  settledAt: orders.settledAt,
  settledWhy: orders.settledWhy,
};
const DELIVERY = {
  cycle: deliveries.cycle,
  file: deliveries.finalPath,
  publishedAt: deliveries.publishedAt,
  takenAt: deliveries.takenAt,
};
const REFLECTED = { cycle: stockExports.cycle, collectedAt: stockExports.collectedAt };

interface JourneyRow {
  readonly order: Pick<typeof orders.$inferSelect, keyof typeof ORDER>;
  readonly delivery: {
    readonly cycle: string;
    readonly file: string;
    readonly publishedAt: Date | null;
    readonly takenAt: Date | null;
  } | null;
  readonly reflected: { readonly cycle: string; readonly collectedAt: Date } | null;
}

function journeyOf(
  { order, delivery, reflected }: JourneyRow,
  takenBack: readonly (typeof takeBacks.$inferSelect)[],
): OrderJourney {
  return {
    id: order.id,
    reference: order.reference,
    route: order.route,
    reason: order.reason,
    seen: {
      at: order.seenAt.toISOString(),
      cycle: order.seenCycle,
      step: order.seenStep,
      file: order.seenFile,
    },
    delivery:
      delivery === null
        ? null
        : { ...delivery, publishedAt: iso(delivery.publishedAt), takenAt: iso(delivery.takenAt) },
    reflected: reflected === null ? null : { ...reflected, collectedAt: reflected.collectedAt.toISOString() },
    settled: settledOf(order),
    takeBacks: takenBack.map((row) => ({
      cause: row.cause,
      seenAt: row.seenAt.toISOString(),
      settled: settledOf(row),
    })),
  };
}

function settledOf(row: { readonly settledAt: Date | null; readonly settledWhy: string | null }) {
  return row.settledAt === null ? null : { at: row.settledAt.toISOString(), why: row.settledWhy ?? '' };
}

function iso(instant: Date | null): string | null {
  return instant?.toISOString() ?? null;
}
