import { Context } from '@temporalio/activity';
import type { ArchivedFile } from '../archive.ts';
import { readStock, type StockFile } from '../domain/stock-csv.ts';
import type { StockDeviation, StockPlanned, WrittenStock } from '../prestashop/shop.ts';
import { EXAMPLES, type CycleRef, type Deps } from './deps.ts';
import { recordOrders } from './export-orders.ts';
import { stockInputs } from './stock-inputs.ts';
import { planFrom } from './weigh-stock.ts';

export interface UpdateStockInput {
  readonly cycle: CycleRef;
  readonly exportId: string;
  readonly update: ArchivedFile;
  /** ExportCSV, of which `update` was made. Missing in histories of the first versions. */
  readonly file?: ArchivedFile;
  /** When the late orders were asked for, ISO 8601. */
  readonly lateOrdersAt: string;
}

export interface UpdateStockResult {
  readonly variants: number;
  /** ISO 8601. */
  readonly confirmedAt: string;
  /** What only a shop tells that is asked by its Webservice; lists are cut after 20. */
  readonly written?: {
    readonly different: number;
    readonly rows: number;
    readonly corrected: number;
    readonly rounds: number;
    readonly left: number;
    readonly leftList: readonly StockDeviation[];
    readonly unexplained: number;
    readonly unexplainedList: readonly StockDeviation[];
    readonly absent: number;
    readonly absentList: readonly string[];
    readonly ambiguous: number;
    readonly ambiguousList: readonly string[];
    readonly withoutBarcode: number;
    readonly withoutBarcodeList: readonly string[];
    readonly milliseconds: WrittenStock['milliseconds'];
  };
}

/**
 * Has the shop apply the prepared stock.
 * @throws NotYet while the shop is at it; ShopBusy when it imports something else, and PlanTooOld, so that the stock is
 * prepared anew.
 */
export const updateStock =
  (deps: Deps) =>
  async ({ cycle, exportId, update, file, lateOrdersAt }: UpdateStockInput): Promise<UpdateStockResult> => {
    const { config, archive, ledger, shop } = deps;
    const bytes = await archive.read(update);
    let stock: StockFile | undefined;
    const planned = async (): Promise<StockPlanned> => {
      if (file === undefined)
        throw new Error('Expected the stock file that the update was made of, got none');
      stock ??= readStock(await archive.read(file), config.proshop.exportName, config.stock);
      const plan = planFrom(stock, await stockInputs(ledger, null), config);
      const unreadable = stock.unreadable.flatMap(({ ean, reference }) => [ean ?? '', reference]);
      const kept = [...unreadable, ...config.stock.protected.map(({ reference }) => reference)];
      return { variants: plan.variants, kept: new Set(kept.filter((key) => key !== '')) };
    };
    const record = recordOrders(deps, cycle, 8);
    const { confirmedAt, written } = await shop.updateStock(
      {
        cycle: cycle.id,
        bytes,
        lateOrdersAt: new Date(lateOrdersAt),
        planned,
        record: async (batch) => !(await record(batch)).isNew,
      },
      Context.current().cancellationSignal,
    );
    // Of a shop that does not tell, read back from what it was given, so that the ledger cannot know anything else.
    const variants =
      written?.variants ??
      readStock(bytes, config.stock.updateName, config.stock).variants.flatMap(
        ({ ean, reference, size, quantity }) =>
          ean === null || quantity === null ? [] : [{ ean, reference, size, quantity }],
      );
    await ledger.applyStock(exportId, variants, confirmedAt);
    return {
      variants: variants.length,
      confirmedAt: confirmedAt.toISOString(),
      ...(written === undefined ? {} : { written: factsOf(written) }),
    };
  };

function factsOf(written: WrittenStock): NonNullable<UpdateStockResult['written']> {
  const { different, rows, corrected, rounds, milliseconds } = written;
  const { left, unexplained, absent, ambiguous, withoutBarcode } = written;
  return {
    different,
    rows,
    corrected,
    rounds,
    left: left.length,
    leftList: left.slice(0, EXAMPLES),
    unexplained: unexplained.length,
    unexplainedList: unexplained.slice(0, EXAMPLES),
    absent: absent.length,
    absentList: absent.slice(0, EXAMPLES),
    ambiguous: ambiguous.length,
    ambiguousList: ambiguous.slice(0, EXAMPLES),
    withoutBarcode: withoutBarcode.length,
    withoutBarcodeList: withoutBarcode.slice(0, EXAMPLES),
    milliseconds,
  };
}

/** Takes back a stock update that the shop has not confirmed in time, so that no old stock is ever applied. */
export const withdrawStock =
  ({ shop }: Deps) =>
  async (): Promise<{ readonly withdrawn: number }> => ({
    withdrawn: await shop.withdrawUpdates(Context.current().cancellationSignal),
  });
