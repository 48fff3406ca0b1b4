import { Context } from '@temporalio/activity';
import { sha256, type ArchivedFile } from '../archive.ts';
import { isPaidWithVoucher } from '../domain/order.ts';
import { EXAMPLES, type CycleRef, type Deps } from './deps.ts';

export interface ExportOrdersInput {
  readonly cycle: CycleRef;
  /** 1, or 6 for the late orders. */
  readonly step: 1 | 6;
}

export interface ExportOrdersResult {
  readonly files: readonly ArchivedFile[];
  readonly rows: number;
  /** Orders that this step saw first. */
  readonly toSend: number;
  readonly byHand: number;
  readonly setAside: number;
  /** The first 20 of each. */
  readonly byHandIds: readonly number[];
  readonly setAsideOrders: readonly { readonly id: number; readonly reason: string }[];
}

/** Brings the shop's new orders into the ledger. */
export const exportOrders =
  ({ config, archive, ledger, shop }: Deps) =>
  async ({ cycle, step }: ExportOrdersInput): Promise<ExportOrdersResult> => {
    const files: ArchivedFile[] = [];
    let rows = 0;
    await shop.exportOrders(async (batch) => {
      files.push(await archive.add(cycle.folder, step === 1 ? 'orders.csv' : 'orders-late.csv', batch.bytes));
      rows += batch.rows;
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
    }, Context.current().cancellationSignal);
    // Asked of the ledger, not counted above: an attempt that was cut may have recorded some already.
    const seen = await ledger.ordersSeen(cycle.id, step);
    return {
      files,
      rows,
      toSend: seen.toSend.length,
      byHand: seen.byHand.length,
      setAside: seen.setAside.length,
      byHandIds: seen.byHand.slice(0, EXAMPLES),
      setAsideOrders: seen.setAside
        .slice(0, EXAMPLES)
        .map(({ id, reason }) => ({ id, reason: reason ?? '' })),
    };
  };
