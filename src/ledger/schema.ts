import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  serial,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import type { Order, SoldLine } from '../domain/order.ts';
import type { WarningKind } from '../domain/warnings.ts';

const instant = (name: string) => timestamp(name, { withTimezone: true });

/** A file that passerelle puts on the FTP, once: its temporary name is renamed at most once to its final name. */
export const deliveries = pgTable('deliveries', {
  id: uuid().primaryKey(),
  kind: text({ enum: ['sales', 'stock'] }).notNull(),
  cycle: text().notNull(),
  temporaryPath: text('temporary_path').notNull(),
  finalPath: text('final_path').notNull(),
  size: bigint({ mode: 'number' }).notNull(),
  sha256: text().notNull(),
  state: text({ enum: ['uploading', 'uploaded', 'published', 'withdrawing', 'abandoned'] }).notNull(),
  createdAt: instant('created_at').notNull(),
  publishedAt: instant('published_at'),
  /** When it was first seen gone: taken by Proshop, or deleted by the shop's module at the end of its import. */
  takenAt: instant('taken_at'),
  /** The first export collected after it was seen gone: whatever Proshop writes after that counts it, whatever clocks say. */
  takenBefore: uuid('taken_before'),
  /** Stock only: when the shop was called, whether or not it answered, and when it accepted. */
  askedAt: instant('asked_at'),
  acceptedAt: instant('accepted_at'),
});

export const stockExports = pgTable('stock_exports', {
  id: uuid().primaryKey(),
  /** Order in which they were collected: clocks can be set back. */
  position: serial().notNull(),
  cycle: text().notNull().unique(),
  sha256: text().notNull(),
  size: bigint({ mode: 'number' }).notNull(),
  /** The FTP server's own time of the file: compared with the same server's times only. */
  modifiedAt: instant('modified_at'),
  /** Proshop began to write it after this instant; null when nobody looked before. */
  begunAfter: instant('begun_after'),
  collectedAt: instant('collected_at').notNull(),
  rows: integer().notNull(),
  units: integer().notNull(),
  appliedAt: instant('applied_at'),
  /** Not 0 = the bytes of an earlier export, although Proshop has taken so many orders since: it counts none of them. */
  staleOrders: integer('stale_orders').notNull().default(0),
});

export const orders = pgTable(
  'orders',
  {
    /** PrestaShop's id_order. */
    id: bigint({ mode: 'number' }).primaryKey(),
    reference: text().notNull(),
    /** `waiting`: placed, not paid yet: holds stock, is not sent. `cancelled`: before it was sent: neither sent nor outstanding. */
    route: text({ enum: ['send', 'by_hand', 'set_aside', 'waiting', 'cancelled'] }).notNull(),
    /** Why it was set aside: file, line, field. */
    reason: text(),
    /** The order as it goes into the XML; forgotten when the retention is over. */
    body: jsonb().$type<Order>(),
    seenAt: instant('seen_at').notNull(),
    seenCycle: text('seen_cycle').notNull(),
    /** Step of the cycle that saw it: 1, or 6 for a late order. */
    seenStep: integer('seen_step').notNull(),
    seenFile: text('seen_file').notNull(),
    deliveryId: uuid('delivery_id').references(() => deliveries.id),
    settledAt: instant('settled_at'),
    settledWhy: text('settled_why'),
    /** The cycle whose report has told people of it; for those that a person must see to. */
    toldBy: text('told_by'),
    /** Set aside because the old gateway may have sent it: whatever shows it again, nothing but a person may have it sent. */
    inDoubt: boolean('in_doubt').notNull().default(false),
    /** The first export of Proshop's stock that counts this order. */
    reflectedBy: uuid('reflected_by').references(() => stockExports.id),
    /** The last reading of the shop that showed it so: what an earlier one showed is old. 0 = none, but a file. */
    reading: bigint({ mode: 'number' }).notNull().default(0),
  },
  (table) => [
    index('orders_delivery').on(table.deliveryId),
    index('orders_reflected').on(table.reflectedBy),
    index('orders_seen').on(table.seenCycle),
  ],
);

export const orderLines = pgTable(
  'order_lines',
  {
    orderId: bigint('order_id', { mode: 'number' })
      .notNull()
      .references(() => orders.id),
    position: integer().notNull(),
    ean: text(),
    reference: text().notNull(),
    quantity: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.orderId, table.position] })],
);

/** Set-aside orders whose number could not be read: known by the file that showed them. */
export const unnumberedOrders = pgTable(
  'unnumbered_orders',
  {
    fileSha256: text('file_sha256').notNull(),
    line: integer().notNull(),
    reason: text().notNull(),
    lines: jsonb().$type<readonly SoldLine[]>().notNull(),
    seenAt: instant('seen_at').notNull(),
    seenCycle: text('seen_cycle').notNull(),
    seenStep: integer('seen_step').notNull(),
    settledAt: instant('settled_at'),
    settledWhy: text('settled_why'),
    toldBy: text('told_by'),
    /** The first export that counts it, once a person has entered it. */
    reflectedBy: uuid('reflected_by').references(() => stockExports.id),
  },
  (table) => [primaryKey({ columns: [table.fileSha256, table.line] })],
);

/**
 * What was cancelled or refunded after Proshop was sent the order, or a person was told to enter it: a person must take it
 * back in Proshop.
 */
export const takeBacks = pgTable(
  'take_backs',
  {
    orderId: bigint('order_id', { mode: 'number' })
      .notNull()
      .references(() => orders.id),
    /** `cancelled`, or `slip 12`: PrestaShop's id_order_slip. */
    cause: text().notNull(),
    lines: jsonb().$type<readonly SoldLine[]>().notNull(),
    /** The shop put the units back into its stock. */
    stockBack: boolean('stock_back').notNull(),
    seenAt: instant('seen_at').notNull(),
    seenCycle: text('seen_cycle').notNull(),
    seenStep: integer('seen_step').notNull(),
    /** The cycle whose report has told people of it. */
    toldBy: text('told_by'),
    settledAt: instant('settled_at'),
    settledWhy: text('settled_why'),
  },
  (table) => [
    primaryKey({ columns: [table.orderId, table.cause] }),
    index('take_backs_seen').on(table.seenCycle),
  ],
);

/** Orders that the shop was seen writing: not all of their lines were there yet. */
export const incompleteOrders = pgTable('incomplete_orders', {
  id: bigint({ mode: 'number' }).primaryKey(),
  reference: text().notNull(),
  /** Those that could be seen so far. */
  lines: jsonb().$type<readonly SoldLine[]>().notNull(),
  firstSeenAt: instant('first_seen_at').notNull(),
  /** The cycle that saw it first. */
  seenCycle: text('seen_cycle').notNull(),
  /** Null while there is hope that it becomes whole. */
  givenUpAt: instant('given_up_at'),
  /** The cycle whose report has told people that it was given up. */
  toldBy: text('told_by'),
});

/** What known orders did to the shop's stock since stock was last applied. */
export const shopMoves = pgTable('shop_moves', {
  id: serial().primaryKey(),
  orderId: bigint('order_id', { mode: 'number' })
    .notNull()
    .references(() => orders.id),
  ean: text().notNull(),
  /** Negative = taken from the shop's stock, positive = put back. */
  units: integer().notNull(),
  at: instant('at').notNull(),
});

/** How far each job has read the shop. */
export const shopCursors = pgTable('shop_cursors', {
  job: text().primaryKey(),
  /** The shop's local time, `2026-11-24 10:25:03`. */
  at: text().notNull(),
  id: bigint({ mode: 'number' }).notNull(),
});

/** What the shop was last told to show, variant by variant. */
export const appliedStock = pgTable('applied_stock', {
  ean: text().primaryKey(),
  reference: text().notNull(),
  size: text().notNull(),
  quantity: integer().notNull(),
});

/** Calls of the shop's cron URLs that have no answer (yet): the work may be going on. */
export const openCalls = pgTable('open_calls', {
  job: text().primaryKey(),
  calledAt: instant('called_at').notNull(),
});

/** Folders on the FTP server in which claimed orders files may lie: the configured one, and those before it. */
export const stagingFolders = pgTable('staging_folders', { path: text().primaryKey() });

/** Models that the shop was asked to create. */
export const models = pgTable('models', {
  reference: text().primaryKey(),
  askedAt: instant('asked_at').notNull(),
  /** When the import that creates it was known to be over. */
  confirmedAt: instant('confirmed_at'),
});

/** Stock rows of the shop, by which a row is found again that the shop shows in no list any more. */
export const shopRows = pgTable(
  'shop_rows',
  {
    productId: bigint('product_id', { mode: 'number' }).notNull(),
    /** 0 = the product as a whole. */
    combinationId: bigint('combination_id', { mode: 'number' }).notNull(),
    rowId: bigint('row_id', { mode: 'number' }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.productId, table.combinationId] })],
);

/** What people are warned of: a row while it lasts, and until every channel that was told of it was told that it is over. */
export const warnings = pgTable(
  'warnings',
  {
    kind: text().$type<WarningKind>().notNull(),
    /** An order's number, or the file and line of one without; empty where there is one only. */
    subject: text().notNull(),
    /** When a look saw it first. */
    since: instant('since').notNull(),
    /** When a look no longer saw it; null while it lasts. */
    overAt: instant('over_at'),
    /** Channels that were told that it began, and not yet that it is over. */
    told: text()
      .array()
      .notNull()
      .default(sql`'{}'::text[]`),
  },
  (table) => [primaryKey({ columns: [table.kind, table.subject] })],
);

/** The old gateway's files, in shadow mode: a row for each look that differs from the one before. */
export const sightings = pgTable(
  'sightings',
  {
    id: uuid().primaryKey(),
    kind: text({ enum: ['orders', 'sales', 'update'] }).notNull(),
    path: text().notNull(),
    size: bigint({ mode: 'number' }).notNull(),
    /** The FTP server's own time of the file, ISO 8601: never compared with ours. */
    modifiedAt: text('modified_at'),
    seenAt: instant('seen_at').notNull(),
    /** The first look that showed the path without it: taken, removed, or another file in its place. */
    goneAt: instant('gone_at'),
    /** The copy in the archive; null when it changed or went while it was copied. */
    archivedPath: text('archived_path'),
    sha256: text(),
    /** The cycle that has taken note of what is in it. */
    notedBy: text('noted_by'),
    /** Why nobody can read it. */
    fault: text(),
    /** Sales in it of orders that the ledger did not know then, or that were sent before. */
    unknown: integer().notNull().default(0),
  },
  (table) => [
    index('sightings_kind').on(table.kind, table.seenAt),
    // Two looks at once, one of them of an attempt that was given up, see one file.
    uniqueIndex('sightings_standing')
      .on(table.path)
      .where(sql`gone_at is null`),
  ],
);

/** Times at which nobody looked, in shadow mode: what the old gateway did then is not known. One has no end: it began with the last look. */
export const unwatched = pgTable('unwatched', {
  id: serial().primaryKey(),
  from: instant('from_time').notNull(),
  to: instant('to_time'),
});
