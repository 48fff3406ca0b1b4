import { refused } from '../failures.ts';
import type { Standing } from '../domain/order-life.ts';
import type { Order, SetAsideOrder } from '../domain/order.ts';
import type { Model } from '../domain/product.ts';
import type { VariantStock } from '../domain/stock.ts';

/** Orders that the shop gave at once, and the file that says so. */
export type OrdersBatch = ExportedOrders | SeenOrders;

interface OrdersFile {
  /** Name under which people know the file. */
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly rows: number;
}

/** What the shop's module exported: orders to be sent, whatever became of them. */
export interface ExportedOrders extends OrdersFile {
  readonly kind: 'exported';
  readonly orders: readonly Order[];
  readonly setAside: readonly SetAsideOrder[];
}

/** Orders as they stand in the shop now. */
export interface SeenOrders extends OrdersFile {
  readonly kind: 'seen';
  /** Which reading of the shop it was: what an earlier one shows of the same order is old. */
  readonly reading: number;
  readonly orders: readonly ({ readonly order: Order } & Standing)[];
  readonly setAside: readonly (SetAsideOrder & { readonly id: number } & Standing)[];
}

/** Records a batch; true when the very same was recorded before in this cycle. */
export type RecordOrders = (batch: OrdersBatch) => Promise<boolean>;

/** What the shop must show, as far as it is known now. */
export interface StockPlanned {
  /** Each variant once. What is not listed is 0. */
  readonly variants: readonly VariantStock[];
  /** References and barcodes that keep their stock though they are not listed: protected, or of rows that cannot be read. */
  readonly kept: ReadonlySet<string>;
}

export interface StockUpdate {
  readonly cycle: string;
  /** ExportCSVmod. */
  readonly bytes: Uint8Array;
  /** When the shop's orders were last asked for: what was sold since then is not in it. */
  readonly lateOrdersAt: Date;
  /** Plans anew, with every order that the ledger knows by now. */
  readonly planned: () => Promise<StockPlanned>;
  readonly record: RecordOrders;
}

/** What became of a stock update. */
export interface StockUpdated {
  readonly confirmedAt: Date;
  /** Missing where the shop does not tell. */
  readonly written?: WrittenStock;
}

/** What was written to the shop, row by row, and read back. */
export interface WrittenStock {
  /** What the shop was last told to show. */
  readonly variants: readonly VariantStock[];
  /** Rows that were not as planned, and rows written for them, those of the closing rounds included. */
  readonly different: number;
  readonly rows: number;
  /** Rows that the closing rounds had to write, and how many rounds it took until all was right. */
  readonly corrected: number;
  readonly rounds: number;
  /** Still not as planned. */
  readonly left: readonly StockDeviation[];
  /** Not as it was left, and no order says why: somebody changed it by hand. */
  readonly unexplained: readonly StockDeviation[];
  /** In stock at Proshop, and no variant of the shop has the barcode. */
  readonly absent: readonly string[];
  /** Several variants of the shop have the barcode: the first one shows the stock, the others nothing. */
  readonly ambiguous: readonly string[];
  /** Products of the shop that have sizes without barcode, which show nothing. */
  readonly withoutBarcode: readonly string[];
  readonly milliseconds: {
    readonly reading: number;
    readonly planning: number;
    /** At rows just before they are written: the share of the writing's time that went into it. */
    readonly looking: number;
    readonly writing: number;
    readonly closing: number;
  };
}

export interface StockDeviation {
  readonly ean: string;
  readonly expected: number;
  /** Null = the shop does not show the row. */
  readonly got: number | null;
}

/** A round of looking at the orders: in which cycle, for which step, and what is to be done with what is seen. */
export interface OrdersRound {
  readonly cycle: string;
  readonly step: number;
  readonly record: RecordOrders;
}

export interface ProductsCreated {
  /** Models that the shop was asked to create, or that were created. */
  readonly references: readonly string[];
  /** Sizes that were added to models of before; missing where the shop does not tell. */
  readonly sizesAdded?: number;
  /** What could not be created, and why. */
  readonly problems?: readonly string[];
}

/** The shop's three jobs, whichever way it is reached. Each can be called again after a cut, at any point. */
export interface Shop {
  /**
   * Has the shop export its orders, and hands them to `record`. Those that an earlier, cut attempt left behind come
   * first. `askedAt` = when the shop was asked, by this machine's clock: what is sold from then on may be missing.
   * @throws NotYet while the shop may still be at it.
   */
  exportOrders(round: OrdersRound, signal: AbortSignal): Promise<{ readonly askedAt: Date }>;

  /** Reads the files of this cycle once more, and deletes those that have not changed. */
  finishOrders(record: RecordOrders, signal: AbortSignal): Promise<void>;

  /** Has the shop create those of the models, and of their sizes, that it does not have. */
  createProducts(models: readonly Model[], signal: AbortSignal): Promise<ProductsCreated>;

  /**
   * Has the shop apply the update, and returns once the shop has confirmed it.
   * @throws NotYet while the shop is at it; ShopBusy or PlanTooOld, with nothing left behind, when the stock must be
   * prepared again first.
   */
  updateStock(update: StockUpdate, signal: AbortSignal): Promise<StockUpdated>;

  /** Says what shop it is, and which of the rights that are wanted our key lacks. Asked at start. */
  check(signal: AbortSignal): Promise<{ readonly shop: string; readonly missing: readonly string[] }>;

  /** Takes back every update that the shop has not confirmed, so that no old stock is ever applied. Gives how many. */
  withdrawUpdates(signal: AbortSignal): Promise<number>;
}

/** The shop in mode shadow: the old gateway's alone. Whatever would ask it for something is refused. */
export const untouchedShop: Shop = {
  exportOrders: refuseShadow,
  finishOrders: refuseShadow,
  createProducts: refuseShadow,
  updateStock: refuseShadow,
  withdrawUpdates: refuseShadow,
  check: () => Promise.resolve({ shop: 'left to the old gateway', missing: [] }),
};

function refuseShadow(): Promise<never> {
  return Promise.reject(
    refused('Expected nothing to be asked of the shop in mode shadow, got a step that would'),
  );
}
