import { posix } from 'node:path';
import { isPaidWithVoucher } from '../domain/order.ts';
import { TemplateError } from '../domain/sales-xml.ts';
import type { TemplateElement } from '../domain/template-xml.ts';
import { notYet } from '../failures.ts';
import { compareSales, type SalesComparison } from '../format/compare-sales.ts';
import type { Difference } from '../format/compare-xml.ts';
import { readSentSales } from '../format/read-sales-xml.ts';
import type { Sighting } from '../ledger/sightings.ts';
import { SHADOW_DOUBT } from '../workflows/labels.ts';
import type { DeliverOrdersResult } from './deliver-orders.ts';
import { EXAMPLES, type CycleRef, type Deps } from './deps.ts';
import { SHORTEST_LIFE } from './follow-old-gateway.ts';
import { doubtUnwatched, noteOldOrders } from './shadow-orders.ts';
import { copyOf, readCopy } from './sighted.ts';

export interface ShadowSalesInput {
  readonly cycle: CycleRef;
  /** When the cycle began, ISO 8601. */
  readonly since: string;
  /** When the old gateway has written its file, if it had orders, ISO 8601. */
  readonly until: string;
}

/** `setAsideIds`: orders that the old gateway may have sent, and nobody can tell. */
export interface ShadowSalesResult extends DeliverOrdersResult {
  /** The old gateway's files that could be read, most often one. */
  readonly files: readonly string[];
  readonly comparison: {
    /** Orders that are as passerelle would have written them. */
    readonly identical: number;
    /** Everything that no rule explains: the sum of what follows, but for `late` and `doubted`. */
    readonly different: number;
    /** Orders with other values; the first 20 of them with their first 20 paths: never what stands there. */
    readonly other: number;
    readonly orders: readonly { readonly id: number; readonly paths: readonly string[] }[];
    /** Orders that passerelle could not have written, and would have set aside. The first 20. */
    readonly unreadable: readonly number[];
    /** Orders that passerelle would have had entered by hand, and that the old gateway sent. The first 20. */
    readonly byHand: readonly number[];
    /** Sales files that nobody could read: no XML, or cut. The first 20 paths. */
    readonly unreadableFiles: readonly string[];
    /** Paths outside of the orders. The first 20. */
    readonly frame: readonly string[];
    /** Elements of orders that passerelle has not seen, or that were sent before. */
    readonly unknown: number;
    /** Orders that it should have sent by now, and has not. Told once. The first 20. */
    readonly missed: readonly number[];
    /** The same, of the late export, whose file its next export may overwrite: a gap that it is known for. The first 20. */
    readonly late: readonly number[];
    /** Orders set aside because nobody can tell whether they were sent. */
    readonly doubted: number;
    /** Nobody looked for a part of the time that is compared: what was not seen may differ. */
    readonly unwatched: boolean;
  };
}

/** A sales file of the old gateway and how it compares; null = nobody could read it. */
interface SeenSales {
  readonly sighting: Sighting;
  readonly comparison: SalesComparison | null;
  /** Orders in it that passerelle would have had entered by hand. */
  readonly byHand: readonly number[];
}

/** Milliseconds after which a file with orders that nobody knew is read again only when passerelle takes over. */
const REREAD = 24 * 60 * 60_000;

/**
 * Compares the sales files that the old gateway has put before Proshop with what passerelle would have made, and notes
 * their orders as delivered by it: they are never sent again.
 * @throws NotYet until one was seen since `since`, or `until` has come; also while nobody looks
 */
export const shadowSales =
  (deps: Deps) =>
  async ({ cycle, since, until }: ShadowSalesInput): Promise<ShadowSalesResult> => {
    const { config, ledger } = deps;
    const now = Date.now();
    const lastLook = await ledger.lastLook();
    const isWatched = lastLook !== null && now - lastLook.getTime() <= SHORTEST_LIFE + config.shadow.look;
    const isDue = now >= Date.parse(until);
    // Those of an export that came late: a sales file is known by its orders.
    await noteOldOrders(deps, cycle, 1);
    const files = await noteOldSales(deps, cycle, { since: new Date(now - REREAD), isOver: isDue });
    // One from before the cycle was late: its own is still to come.
    const isThere = files.some(({ sighting }) => sighting.seenAt.getTime() >= Date.parse(since));
    if (!isWatched) throw notYet('Nobody looks at the files of the old gateway');
    if (!isThere && !isDue) throw notYet('The old gateway has put no sales file before Proshop yet');
    await doubtUnwatched(deps, ['send', 'by_hand']);
    const unwatchedUntil = await ledger.unwatchedUntil();
    return resultOf(files, {
      missed: await ledger.missedByOldGateway(cycle.id),
      doubted: await ledger.doubtedOrders(cycle.id),
      unwatched: unwatchedUntil !== null && unwatchedUntil.getTime() > Date.parse(since),
    });
  };

/**
 * Notes the orders of the old gateway's sales files as delivered by it. The same files again change nothing.
 * @param isOver nobody writes any more: half of a file that stands is all that comes of it
 * @returns those that no other cycle has told of
 */
export async function noteOldSales(
  { archive, config, ledger, template }: Pick<Deps, 'archive' | 'config' | 'ledger' | 'template'>,
  cycle: Pick<CycleRef, 'id'>,
  { since, isOver }: { readonly since: Date; readonly isOver: boolean },
): Promise<readonly SeenSales[]> {
  await ledger.settleOldDeliveries(SHADOW_DOUBT);
  const files: SeenSales[] = [];
  for (const sighting of await ledger.salesToRead(cycle.id, since)) {
    const isNew = sighting.notedBy === null || sighting.notedBy === cycle.id;
    const xml = await readIfWhole(archive, sighting);
    if (xml === null) {
      // Half of a file that stands is written on.
      if (sighting.goneAt === null && !isOver) continue;
      // What another took the place of so soon was seen while it was written.
      const until = sighting.goneAt ?? new Date();
      const stood = until.getTime() - sighting.seenAt.getTime();
      const isHalf = stood < SHORTEST_LIFE && (await ledger.isReplaced(sighting));
      if (sighting.notedBy === null && !isHalf) await ledger.missedBetween(sighting.seenAt, until);
      await ledger.noted(sighting.id, cycle.id, isHalf ? null : `Expected a whole XML in ${sighting.path}`);
      if (!isHalf && isNew) files.push({ sighting, comparison: null, byHand: [] });
      continue;
    }
    const candidates = await ledger.ordersItMayHold(sighting.id);
    const comparison = compareSales(xml, template, candidates);
    const orderIds = comparison.orders.map(({ id }) => id);
    await ledger.recordOldDelivery(sighting, {
      cycle: sighting.notedBy ?? cycle.id,
      orderIds,
      unknown: comparison.unknown,
      reason: SHADOW_DOUBT,
    });
    if (!isNew) continue;
    const isByHand = new Set(
      candidates.flatMap(({ id, body }) =>
        body !== null && isPaidWithVoucher(body, config.orders.voucher) ? id : [],
      ),
    );
    files.push({ sighting, comparison, byHand: orderIds.filter((id) => isByHand.has(id)) });
  }
  return files;
}

/** Null when it is not whole, no XML, or was never copied. */
async function readIfWhole(archive: Deps['archive'], sighting: Sighting): Promise<TemplateElement | null> {
  const bytes = await readCopy(archive, sighting);
  try {
    return bytes && readSentSales(bytes, posix.basename(sighting.path)).root;
  } catch (error) {
    if (error instanceof TemplateError) return null;
    throw error;
  }
}

function resultOf(
  files: readonly SeenSales[],
  others: {
    readonly missed: readonly { readonly id: number; readonly isLate: boolean }[];
    readonly doubted: readonly number[];
    readonly unwatched: boolean;
  },
): ShadowSalesResult {
  const compared = files.flatMap(({ comparison }) => comparison ?? []);
  // A file that took the place of another may hold its orders too.
  const orders = [
    ...new Map(compared.flatMap((one) => one.orders.map((order) => [order.id, order]))).values(),
  ];
  const other = orders.flatMap(({ id, differences }) =>
    differences === null || differences.length === 0 ? [] : [{ id, paths: pathsOf(differences) }],
  );
  const unreadable = orders.flatMap(({ id, differences }) => (differences === null ? id : []));
  const byHand = [...new Set(files.flatMap((file) => file.byHand))];
  const unreadableFiles = files.flatMap(({ sighting, comparison }) =>
    comparison === null ? sighting.path : [],
  );
  const frame = compared.flatMap((comparison) => pathsOf(comparison.frame));
  const unknown = compared.reduce((sum, comparison) => sum + comparison.unknown, 0);
  const idsOf = (isLate: boolean) => others.missed.flatMap((one) => (one.isLate === isLate ? one.id : []));
  const odd = new Set([...other.map(({ id }) => id), ...unreadable, ...byHand]);
  const last = files.findLast(({ comparison }) => comparison !== null)?.sighting;
  return {
    file: last?.path ?? null,
    archived: last === undefined ? null : copyOf(last),
    orders: orders.length,
    orderIds: orders.slice(0, EXAMPLES).map(({ id }) => id),
    setAsideIds: others.doubted.slice(0, EXAMPLES),
    files: files.flatMap(({ sighting, comparison }) => (comparison === null ? [] : sighting.path)),
    comparison: {
      identical: orders.length - odd.size,
      different: odd.size + unreadableFiles.length + frame.length + unknown + idsOf(false).length,
      other: other.length,
      orders: other.slice(0, EXAMPLES),
      unreadable: unreadable.slice(0, EXAMPLES),
      byHand: byHand.slice(0, EXAMPLES),
      unreadableFiles: unreadableFiles.slice(0, EXAMPLES),
      frame: frame.slice(0, EXAMPLES),
      unknown,
      missed: idsOf(false).slice(0, EXAMPLES),
      late: idsOf(true).slice(0, EXAMPLES),
      doubted: others.doubted.length,
      unwatched: others.unwatched,
    },
  };
}

function pathsOf(differences: readonly Difference[]): readonly string[] {
  return differences.slice(0, EXAMPLES).map(({ path }) => path);
}
