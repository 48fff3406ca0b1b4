import { sql } from 'drizzle-orm';

/** What takes the place of what was there, of an order that is inserted and known already. */
export const ORDER_WRITTEN_OVER = {
  route: sql`excluded.route`,
  reference: sql`excluded.reference`,
  reason: sql`excluded.reason`,
  body: sql`excluded.body`,
  seenAt: sql`excluded.seen_at`,
  seenCycle: sql`excluded.seen_cycle`,
  seenStep: sql`excluded.seen_step`,
  seenFile: sql`excluded.seen_file`,
};
