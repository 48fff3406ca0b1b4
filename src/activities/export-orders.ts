import { Context } from '@temporalio/activity';
import { sha256, type ArchivedFile } from '../archive.ts';
import { isPaidWithVoucher } from '../domain/order.ts';
import type { OrdersBatch } from '../prestashop/shop.ts';
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
}

/** Files a batch of orders and records it in the ledger; the same batch again changes nothing. */
export const recordOrders =
  ({ archive, config, ledger }: Deps, cycle: CycleRef, step: 1 | 6) =>
  async (batch: OrdersBatch): Promise<{ readonly file: ArchivedFile; readonly isNew: boolean }> => {
    await ledger.recordOrders({
      cycle: cycle.id,
      step,
      file: batch.file,
      fileSha256: sha256(batch.bytes),
      at: new Date(),
      orders: batch.orders.map((order) => ({
        order,
        route: isPaidWithVoucher(order, config.orders.voucher) ? 'by_hand' : 'send',
      })),
      setAside: batch.setAside,
    });
    return archive.add(cycle.folder, `${archiveName(step)}.csv`, batch.bytes);
  };

/** Brings the shop's new orders into the ledger. */
export const exportOrders =
  (deps: Deps) =>
  async ({ cycle, step }: ExportOrdersInput): Promise<ExportOrdersResult> => {
    const files = new Map<string, ArchivedFile>();
    let rows = 0;
    const record = recordOrders(deps, cycle, step);
    const { askedAt } = await deps.shop.exportOrders(async (batch) => {
      const { file, isNew } = await record(batch);
      // A file of step 1 that is read once more is told by step 1.
      if (file.path.startsWith(`${cycle.folder}/${archiveName(step)}`) && !files.has(file.path)) {
        files.set(file.path, file);
        rows += batch.rows;
      }
      return !isNew;
    }, Context.current().cancellationSignal);
    // Asked of the ledger, not counted above: an attempt that was cut may have recorded some already.
    const seen = await deps.ledger.ordersSeen(cycle.id, step);
    return {
      files: [...files.values()],
      rows,
      askedAt: askedAt.toISOString(),
      toSend: seen.toSend.length,
      byHand: seen.byHand.length,
      setAside: seen.setAside.length,
      byHandIds: seen.byHand.slice(0, EXAMPLES),
      setAsideOrders: seen.setAside
        .slice(0, EXAMPLES)
        .map(({ id, reason }) => ({ id, reason: reason ?? '' })),
    };
  };

function archiveName(step: 1 | 6): string {
  return step === 1 ? 'orders' : 'late-orders';
}
