import type { Order, SoldLine } from './order.ts';

/**
 * Where an order goes: into a sales file, to a person who enters it by hand, or to one who finds out why it cannot be
 * read; nowhere yet (`waiting`: placed, not paid, holds stock), or nowhere any more (`cancelled` before it was sent).
 */
export type OrderRoute = 'send' | 'by_hand' | 'set_aside' | 'waiting' | 'cancelled';

/** How an order stands in the shop: sold, placed but not paid yet, or cancelled. */
export type OrderStanding = 'sold' | 'waiting' | 'cancelled';

export interface Standing {
  readonly standing: OrderStanding;
  /** The shop put the units of the cancelled order back into its stock. */
  readonly stockBack: boolean;
}

/** What is kept of an order. */
export interface OrderRecord {
  readonly route: OrderRoute;
  readonly reference: string;
  /** Why it cannot be sent. */
  readonly reason: string | null;
  /** Null when it cannot be read, and once its customer is forgotten. */
  readonly body: Order | null;
  readonly lines: readonly SoldLine[];
}

export interface KnownOrder extends OrderRecord {
  /** A delivery holds it or may hold it, a person has settled it, or Proshop's stock counts it. */
  readonly isFinal: boolean;
  /** What a person was asked to take back because it was cancelled. */
  readonly takeBack: { readonly stockBack: boolean; readonly isSettled: boolean } | null;
}

/** An order as the shop shows it. */
export interface ShopOrder extends Omit<OrderRecord, 'route'>, Standing {
  /** Where it goes if it is sold. */
  readonly routeWhenSold: 'send' | 'by_hand' | 'set_aside';
}

/** What an order did to the shop's stock of a variant: negative = units taken, positive = put back. */
export interface ShopMove {
  readonly ean: string;
  readonly units: number;
}

/** What is to be written of an order. */
export interface OrderChange {
  /** Null = as it is known. */
  readonly record: OrderRecord | null;
  /** What a person must take back from now on, or `forget` for what nobody needs to any more; null = as it is known. */
  readonly takeBack: { readonly lines: readonly SoldLine[]; readonly stockBack: boolean } | 'forget' | null;
  readonly moves: readonly ShopMove[];
}

const NOTHING: OrderChange = { record: null, takeBack: null, moves: [] };

/**
 * Tells what to write of an order that the shop shows, from what is known of it (null = nothing). What Proshop or a
 * person has is never sent again and keeps its lines; what is seen again, unchanged, changes nothing.
 */
export function orderLife(known: KnownOrder | null, seen: ShopOrder): OrderChange {
  if (known === null) {
    if (seen.standing === 'cancelled') return recordCancelled(seen);
    return { record: recordOf(seen), takeBack: null, moves: movesBetween([], seen.lines) };
  }
  if (known.isFinal && known.route !== 'cancelled') {
    return seen.standing === 'cancelled' ? cancelFinal(known, seen) : reinstateFinal(known);
  }
  return seen.standing === 'cancelled' ? cancelOpen(known, seen) : updateOpen(known, recordOf(seen));
}

/** Kept, so that an attempt that saw it before it was cancelled, and slept, finds that this is known. */
function recordCancelled({ reference, reason, lines, stockBack }: ShopOrder): OrderChange {
  return {
    record: { route: 'cancelled', reference, reason, body: null, lines },
    takeBack: null,
    // Refunded before it was seen: its units are gone from the shop's stock, and no order says why.
    moves: stockBack ? [] : movesBetween([], lines),
  };
}

function cancelFinal(known: KnownOrder, { stockBack }: ShopOrder): OrderChange {
  if (known.takeBack !== null) return NOTHING;
  const { lines } = known;
  return { record: null, takeBack: { lines, stockBack }, moves: stockBack ? movesBetween(lines, []) : [] };
}

function reinstateFinal({ takeBack, lines }: KnownOrder): OrderChange {
  if (takeBack === null || takeBack.isSettled) return NOTHING;
  return { record: null, takeBack: 'forget', moves: takeBack.stockBack ? movesBetween([], lines) : [] };
}

function cancelOpen(known: KnownOrder, { stockBack }: ShopOrder): OrderChange {
  const { route, reference, reason, lines } = known;
  if (route === 'cancelled') return NOTHING;
  // People were told of it, and may have entered it.
  const isWithPeople = route === 'by_hand' || route === 'set_aside';
  return {
    record: { route: 'cancelled', reference, reason, body: null, lines },
    takeBack: isWithPeople ? { lines, stockBack } : null,
    moves: stockBack ? movesBetween(lines, []) : [],
  };
}

function updateOpen(known: KnownOrder, record: OrderRecord): OrderChange {
  if (isAsKnown(known, record)) return NOTHING;
  return {
    record,
    takeBack: known.takeBack === null || known.takeBack.isSettled ? null : 'forget',
    moves: movesBetween(known.route === 'cancelled' ? [] : known.lines, record.lines),
  };
}

function recordOf({ standing, routeWhenSold, reference, reason, body, lines }: ShopOrder): OrderRecord {
  return { route: standing === 'waiting' ? 'waiting' : routeWhenSold, reference, reason, body, lines };
}

function isAsKnown(known: KnownOrder, record: OrderRecord): boolean {
  // Readable, yet set aside: the template could not be worked out for it, and cannot be for the same order again.
  const isUnrenderable = known.route === 'set_aside' && known.body !== null;
  const { route, reason } = isUnrenderable ? { route: 'send', reason: null } : known;
  // A customer who was forgotten is not to be remembered because the order is seen again.
  const isForgotten = known.body === null && known.route !== 'send';
  return (
    route === record.route &&
    reason === record.reason &&
    known.reference === record.reference &&
    (isForgotten || isSame(known.body, record.body)) &&
    known.lines.length === record.lines.length &&
    known.lines.every((line, position) => isSameLine(line, record.lines[position]))
  );
}

function isSameLine(line: SoldLine, other: SoldLine | undefined): boolean {
  return line.ean === other?.ean && line.reference === other.reference && line.quantity === other.quantity;
}

// A database gives a body back with its keys in another order.
function isSame(one: unknown, other: unknown): boolean {
  if (!isRecord(one) || !isRecord(other)) return one === other;
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => isSame(one[key], other[key]));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function movesBetween(before: readonly SoldLine[], after: readonly SoldLine[]): ShopMove[] {
  const units = new Map<string, number>();
  const add = (ean: string | null, quantity: number) => {
    if (ean !== null) units.set(ean, (units.get(ean) ?? 0) + quantity);
  };
  for (const { ean, quantity } of before) add(ean, quantity);
  for (const { ean, quantity } of after) add(ean, -quantity);
  return [...units].flatMap(([ean, moved]) => (moved === 0 ? [] : [{ ean, units: moved }]));
}
