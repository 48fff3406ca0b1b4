import { Context } from '@temporalio/activity';
import type { ArchivedFile } from '../archive.ts';
import { readStock } from '../domain/stock-csv.ts';
import type { CycleRef, Deps } from './deps.ts';

export interface UpdateStockInput {
  readonly cycle: CycleRef;
  readonly exportId: string;
  readonly update: ArchivedFile;
  /** When the late orders were asked for, ISO 8601. */
  readonly lateOrdersAt: string;
}

export interface UpdateStockResult {
  readonly variants: number;
  /** ISO 8601. */
  readonly confirmedAt: string;
}

/**
 * Has the shop apply the prepared stock.
 * @throws NotYet while the shop is at it; ShopBusy when it imports something else, and PlanTooOld, so that the stock is
 * prepared anew.
 */
export const updateStock =
  ({ config, archive, ledger, shop }: Deps) =>
  async ({ cycle, exportId, update, lateOrdersAt }: UpdateStockInput): Promise<UpdateStockResult> => {
    const bytes = await archive.read(update);
    const { confirmedAt } = await shop.updateStock(
      { cycle: cycle.id, bytes, lateOrdersAt: new Date(lateOrdersAt) },
      Context.current().cancellationSignal,
    );
    // Read back from what the shop was given, so that the ledger cannot know anything else.
    const variants = readStock(bytes, config.stock.updateName, config.stock).variants.flatMap(
      ({ ean, reference, size, quantity }) =>
        ean === null || quantity === null ? [] : [{ ean, reference, size, quantity }],
    );
    await ledger.applyStock(exportId, variants, confirmedAt);
    return { variants: variants.length, confirmedAt: confirmedAt.toISOString() };
  };

/** Takes back a stock update that the shop has not confirmed in time, so that no old stock is ever applied. */
export const withdrawStock =
  ({ shop }: Deps) =>
  async (): Promise<{ readonly withdrawn: number }> => ({
    withdrawn: await shop.withdrawUpdates(Context.current().cancellationSignal),
  });
