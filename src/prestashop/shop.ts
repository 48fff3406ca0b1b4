import type { Order, SetAsideOrder } from '../domain/order.ts';

/** Orders that the shop gave, as one file. */
export interface OrdersBatch {
  /** Name under which people know the file. */
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly rows: number;
  readonly orders: readonly Order[];
  readonly setAside: readonly SetAsideOrder[];
}

/** Records a batch; true when the very same was recorded before in this cycle. */
export type RecordOrders = (batch: OrdersBatch) => Promise<boolean>;

export interface StockUpdate {
  readonly cycle: string;
  /** ExportCSVmod. */
  readonly bytes: Uint8Array;
  /** When the shop's orders were last asked for: what was sold since then is not in it. */
  readonly lateOrdersAt: Date;
}

/** The shop's three jobs, whichever way it is reached. Each can be called again after a cut, at any point. */
export interface Shop {
  /**
   * Has the shop export its orders, and hands each file to `record`. Files that an earlier, cut attempt left behind come
   * first. `askedAt` = when the shop was asked, by this machine's clock: what is sold from then on may be in no file.
   * @throws NotYet while the shop may still be at it.
   */
  exportOrders(record: RecordOrders, signal: AbortSignal): Promise<{ readonly askedAt: Date }>;

  /** Reads the files of this cycle once more, and deletes those that have not changed. */
  finishOrders(record: RecordOrders, signal: AbortSignal): Promise<void>;

  /** Asks the shop to create these models from the stock file. */
  createProducts(references: readonly string[], signal: AbortSignal): Promise<void>;

  /**
   * Has the shop apply the update, and returns once the shop has confirmed it.
   * @throws NotYet while the shop is at it; ShopBusy or PlanTooOld, with nothing left behind, when the stock must be
   * prepared again first.
   */
  updateStock(update: StockUpdate, signal: AbortSignal): Promise<{ readonly confirmedAt: Date }>;

  /** Takes back every update that the shop has not confirmed, so that no old stock is ever applied. Gives how many. */
  withdrawUpdates(signal: AbortSignal): Promise<number>;
}
