/** What people are warned of. */
export const WARNING_KINDS = [
  'batch-held',
  'orders-not-taken',
  'orders-set-aside',
  'orders-by-hand',
  'no-fresh-stock',
  'cycle-failed',
  'schedule-paused',
] as const;
export type WarningKind = (typeof WARNING_KINDS)[number];

export interface WarningKey {
  readonly kind: WarningKind;
  /** Tells it from others of its kind: an order's number, or the file and line of one without. Empty where there is one only. */
  readonly subject: string;
}

/** Something that lasts, and that people must know of. Instants are milliseconds since 1970. */
export interface Warning extends WarningKey {
  /** False while it has not lasted long enough to be told. */
  readonly isDue: boolean;
  readonly since: number;
  /** Numbers of the orders that it is about. */
  readonly orders: readonly number[];
  readonly reasons: readonly string[];
  /** Until when a person can decide of a held batch; null otherwise. */
  readonly until: number | null;
}

/** A warning as earlier looks left it. */
export interface KnownWarning extends WarningKey {
  readonly since: number;
  /** It did not last at the last look; some channel has still to be told so. */
  readonly isOver: boolean;
  /** Channels that were told that it began, and not yet that it is over. */
  readonly told: readonly string[];
}

/** What one cycle shows; null where it does not show it, or not yet. */
export interface CycleFacts {
  readonly startedAt: number;
  /** The gate holds its stock update, and nobody has decided. */
  readonly isHeld: boolean | null;
  readonly heldFor: readonly string[];
  readonly heldUntil: number | null;
  readonly hasFreshStock: boolean | null;
  /** When it last looked whether Proshop has taken the sales files. */
  readonly lookedForTakenAt: number | null;
  /** What did not do its work; empty when all did. */
  readonly failures: readonly string[] | null;
}

export interface OrderFacts {
  readonly subject: string;
  readonly id: number | null;
  readonly reason: string | null;
}

/** What one look at the gateway sees. */
export interface WatchFacts {
  readonly now: number;
  readonly isPaused: boolean;
  /** The newest first. */
  readonly cycles: readonly CycleFacts[];
  /** Sales files that were published and not seen gone, the oldest first. */
  readonly untaken: readonly { readonly publishedAt: number; readonly orders: readonly number[] }[];
  readonly byHand: readonly OrderFacts[];
  readonly setAside: readonly OrderFacts[];
}

/** Milliseconds that something may last before people are told. */
export interface Patience {
  readonly ordersNotTaken: number;
  readonly paused: number;
}

/** The warnings that last now. Where the facts do not show whether one does, it does as it did before. */
export function lastingWarnings(
  facts: WatchFacts,
  known: readonly KnownWarning[],
  patience: Patience,
): readonly Warning[] {
  const before = new Map(
    known.filter(({ subject, isOver }) => subject === '' && !isOver).map((one) => [one.kind, one]),
  );
  const asBefore = (kind: WarningKind): Warning[] => {
    const one = before.get(kind);
    return one === undefined ? [] : [warning(kind, one.since)];
  };
  return [
    ...heldBatch(facts, asBefore),
    ...ordersNotTaken(facts, patience.ordersNotTaken, asBefore),
    ...facts.setAside.map((order) => orderWarning('orders-set-aside', order, facts.now)),
    ...facts.byHand.map((order) => orderWarning('orders-by-hand', order, facts.now)),
    ...noFreshStock(facts, asBefore),
    ...failedCycle(facts, asBefore),
    ...pausedSchedule(facts, patience.paused, before.get('schedule-paused')?.since ?? facts.now),
  ];
}

type AsBefore = (kind: WarningKind) => readonly Warning[];

function heldBatch({ cycles }: WatchFacts, asBefore: AsBefore): readonly Warning[] {
  // A cycle that has not come to the gate yet says nothing of the batch before.
  const cycle = cycles.find(({ isHeld }) => isHeld !== null);
  if (cycle === undefined) return asBefore('batch-held');
  const { isHeld, startedAt, heldFor, heldUntil } = cycle;
  return isHeld ? [{ ...warning('batch-held', startedAt), reasons: heldFor, until: heldUntil }] : [];
}

function ordersNotTaken(
  { now, untaken, cycles }: WatchFacts,
  patience: number,
  asBefore: AsBefore,
): readonly Warning[] {
  const late = untaken.filter(({ publishedAt }) => now - publishedAt >= patience);
  const [oldest] = late;
  if (oldest === undefined) return [];
  // Only cycles see files go. After a night without any, what stood in the evening may be gone since.
  const lookedAt = Math.max(...cycles.map(({ lookedForTakenAt }) => lookedForTakenAt ?? -Infinity));
  if (now - lookedAt > patience / 2) return asBefore('orders-not-taken');
  const orders = late.flatMap((file) => file.orders);
  return [{ ...warning('orders-not-taken', oldest.publishedAt), orders }];
}

function orderWarning(
  kind: 'orders-set-aside' | 'orders-by-hand',
  { subject, id, reason }: OrderFacts,
  now: number,
): Warning {
  return {
    ...warning(kind, now),
    subject,
    orders: id === null ? [] : [id],
    reasons: reason === null ? [] : [reason],
  };
}

function noFreshStock({ cycles }: WatchFacts, asBefore: AsBefore): readonly Warning[] {
  const [last, previous] = cycles.filter(({ hasFreshStock }) => hasFreshStock !== null);
  if (last?.hasFreshStock === true || previous?.hasFreshStock === true) return [];
  if (last === undefined || previous === undefined) return asBefore('no-fresh-stock');
  return [warning('no-fresh-stock', previous.startedAt)];
}

function failedCycle({ cycles }: WatchFacts, asBefore: AsBefore): readonly Warning[] {
  const cycle = cycles.find(({ failures }) => failures !== null);
  if (cycle === undefined) return asBefore('cycle-failed');
  const reasons = cycle.failures ?? [];
  return reasons.length === 0 ? [] : [{ ...warning('cycle-failed', cycle.startedAt), reasons }];
}

function pausedSchedule({ now, isPaused }: WatchFacts, patience: number, since: number): readonly Warning[] {
  return isPaused ? [{ ...warning('schedule-paused', since), isDue: now - since >= patience }] : [];
}

function warning(kind: WarningKind, since: number): Warning {
  return { kind, subject: '', isDue: true, since, orders: [], reasons: [], until: null };
}

/** One message: of one kind, what began since the last one, or what is over. */
export type News =
  | { readonly change: 'began'; readonly kind: WarningKind; readonly warnings: readonly Warning[] }
  | { readonly change: 'over'; readonly kind: WarningKind; readonly warnings: readonly WarningKey[] };

/**
 * What a channel has to be told: each warning once when it begins and once when it is over. One that began and ended
 * while the channel was down is not told at all.
 */
export function newsFor(
  channel: string,
  lasting: readonly Warning[],
  known: readonly KnownWarning[],
): readonly News[] {
  const told = known.filter((one) => one.told.includes(channel));
  const began = lasting.filter((one) => one.isDue && !has(told, one));
  const over = told.filter((one) => !has(lasting, one));
  return WARNING_KINDS.flatMap((kind) => {
    const news: readonly News[] = [
      { change: 'began', kind, warnings: began.filter((one) => one.kind === kind) },
      { change: 'over', kind, warnings: over.filter((one) => one.kind === kind) },
    ];
    return news.filter(({ warnings }) => warnings.length > 0);
  });
}

/** True when one of the warnings is about the same thing. */
export function has(warnings: readonly WarningKey[], { kind, subject }: WarningKey): boolean {
  return warnings.some((one) => one.kind === kind && one.subject === subject);
}
