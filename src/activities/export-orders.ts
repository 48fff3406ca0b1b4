import { Context } from '@temporalio/activity';
import { sha256, type ArchivedFile } from '../archive.ts';
import { isPaidWithVoucher, type Order } from '../domain/order.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { OrdersBatch, RecordOrders } from '../prestashop/shop.ts';
import { EXAMPLES, type CycleRef, type Deps } from './deps.ts';

export interface ExportOrdersInput {
  readonly cycle: CycleRef;
  /** 1, or 6 for the late orders. */
  readonly step: 1 | 6;
}

export interface ExportOrdersResult {
  readonly files: readonly ArchivedFile[];
  readonly rows: number;
  /** When the shop was last asked, by this worker's clock, ISO 8601. Missing in histories of the first version. */
  readonly askedAt?: string;
  /** Orders that this step saw first. */
  readonly toSend: number;
  /** Those too; in step 1 also earlier ones of which no report has told yet. */
  readonly byHand: number;
  readonly setAside: number;
  /** The first 20 of each. */
  readonly byHandIds: readonly number[];
  /** `id` null = its number could not be read. */
  readonly setAsideOrders: readonly { readonly id: number | null; readonly reason: string }[];
  /** What only a shop tells that is asked by its Webservice. */
  readonly life?: OrdersLife;
}

/** How many of each, and the first 20. */
export interface OrdersLife {
  /** Not paid yet: they hold stock, and are not sent. */
  readonly waiting: number;
  /** Cancelled before they were sent. */
  readonly cancelled: number;
  readonly cancelledIds: readonly number[];
  /** Cancelled or refunded after they were sent: a person takes them back in Proshop. */
  readonly takeBacks: number;
  readonly takeBackList: readonly { readonly id: number; readonly cause: string }[];
  /** Never made to their end by the shop: their stock is taken, and no order will come. */
  readonly incomplete: number;
  readonly incompleteIds: readonly number[];
}

/** Files a batch of orders and records it in the ledger, as seen now unless told; the same batch again changes nothing. */
export const recordOrders =
  ({ archive, config, ledger }: Deps, cycle: CycleRef, step: OrdersStep, seenAt?: Date) =>
  async (batch: OrdersBatch): Promise<{ readonly file: ArchivedFile; readonly isNew: boolean }> => {
    const seen = { cycle: cycle.id, step, file: batch.file, at: seenAt ?? new Date() };
    const byHand = (order: Order) => isPaidWithVoucher(order, config.orders.voucher);
    switch (batch.kind) {
      case 'exported':
        await ledger.recordOrders({
          ...seen,
          fileSha256: sha256(batch.bytes),
          orders: batch.orders.map((order) => ({ order, route: byHand(order) ? 'by_hand' : 'send' })),
          setAside: batch.setAside,
        });
        break;
      case 'seen':
        await ledger.recordShopOrders({
          ...seen,
          reading: batch.reading,
          orders: batch.orders.map((one) => ({ ...one, byHand: byHand(one.order) })),
          setAside: batch.setAside,
        });
        break;
    }
    return archive.add(cycle.folder, archivedAs(batch, step), batch.bytes);
  };

/** A step in which orders are read: 8 = the closing sweep of the stock update. */
export type OrdersStep = 1 | 6 | 8;

/** Brings the shop's new orders into the ledger. */
export const exportOrders =
  (deps: Deps) =>
  async ({ cycle, step }: ExportOrdersInput): Promise<ExportOrdersResult> => {
    const files = new Map<string, ArchivedFile>();
    let rows = 0;
    const record = recordOrders(deps, cycle, step);
    const keep: RecordOrders = async (batch) => {
      const { file, isNew } = await record(batch);
      // A file of step 1 that is read once more is told by step 1.
      if (file.path.startsWith(`${cycle.folder}/${archiveName(step)}`) && !files.has(file.path)) {
        files.set(file.path, file);
        rows += batch.rows;
      }
      return !isNew;
    };
    const { askedAt } = await deps.shop.exportOrders(
      { cycle: cycle.id, step, record: keep },
      Context.current().cancellationSignal,
    );
    // Asked of the ledger, not counted above: an attempt that was cut may have recorded some already.
    const seen = await deps.ledger.ordersSeen(cycle.id, step);
    return {
      files: [...files.values()],
      rows,
      askedAt: askedAt.toISOString(),
      ...seenOrders(seen),
      ...(deps.config.shop.kind === 'webservice' ? { life: lifeOf(seen, await givenUp(deps, step)) } : {}),
    };
  };

/** How many of each, and the first of them. */
export function seenOrders({ toSend, byHand, setAside }: Awaited<ReturnType<Ledger['ordersSeen']>>) {
  return {
    toSend: toSend.length,
    byHand: byHand.length,
    setAside: setAside.length,
    byHandIds: byHand.slice(0, EXAMPLES),
    setAsideOrders: setAside.slice(0, EXAMPLES).map(({ id, reason }) => ({ id, reason: reason ?? '' })),
  };
}

/** Ids of the orders that will never be whole, and of which no report has told yet: step 1 does. */
async function givenUp({ ledger }: Deps, step: OrdersStep): Promise<readonly number[]> {
  if (step !== 1) return [];
  const incomplete = await ledger.incompleteOrders();
  return incomplete.flatMap(({ id, givenUpAt, toldBy }) => (givenUpAt !== null && toldBy === null ? id : []));
}

function lifeOf(
  { waiting, cancelled, takeBacks }: Awaited<ReturnType<Ledger['ordersSeen']>>,
  incomplete: readonly number[],
): OrdersLife {
  return {
    waiting: waiting.length,
    cancelled: cancelled.length,
    cancelledIds: cancelled.slice(0, EXAMPLES),
    takeBacks: takeBacks.length,
    takeBackList: takeBacks.slice(0, EXAMPLES).map(({ id, cause }) => ({ id, cause })),
    incomplete: incomplete.length,
    incompleteIds: incomplete.slice(0, EXAMPLES),
  };
}

const ARCHIVE_NAMES = { 1: 'orders', 6: 'late-orders', 8: 'last-orders' } as const;

function archiveName(step: OrdersStep): string {
  return ARCHIVE_NAMES[step];
}

/** `orders.csv`; `late-orders-12-to-61.jsonl`, so that a person finds the file that is named `orders 12 to 61`. */
function archivedAs({ kind, file }: OrdersBatch, step: OrdersStep): string {
  switch (kind) {
    case 'exported':
      return `${archiveName(step)}.csv`;
    case 'seen':
      return `${archiveName(step)}${file.replace(/^orders?/, '').replaceAll(' ', '-')}.jsonl`;
  }
}
