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

export interface StockUpdate {
  readonly cycle: string;
  /** ExportCSVmod. */
  readonly bytes: Uint8Array;
}

/** The shop's three jobs, whichever way it is reached. Each can be called again after a cut, at any point. */
export interface Shop {
  /**
   * Has the shop export its orders, and hands each file to `record`; a file is deleted only once `record` has returned.
   * Files that an earlier, cut attempt left behind come first.
   */
  exportOrders(record: (batch: OrdersBatch) => Promise<void>, signal: AbortSignal): Promise<void>;

  /** Asks the shop to create these models from the stock file. */
  createProducts(references: readonly string[], signal: AbortSignal): Promise<void>;

  /**
   * Has the shop apply the update, and returns once the shop has confirmed it.
   * @throws NotYet while the shop is at it; ShopBusy, with nothing left behind, while it imports something else.
   */
  updateStock(update: StockUpdate, signal: AbortSignal): Promise<{ readonly confirmedAt: Date }>;

  /** Takes back every update that the shop has not confirmed, so that no old stock is ever applied. Gives how many. */
  withdrawUpdates(signal: AbortSignal): Promise<number>;
}
