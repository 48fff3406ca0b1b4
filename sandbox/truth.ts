/**
 * What really happened in the sandbox, as plain JSON: the only thing that the judge reads.
 * Times are sandbox time, `2026-11-24T10:54:30.000`; money is in cents.
 */
export interface Truth {
  readonly startedAt: string;
  readonly now: string;
  readonly orders: readonly TruthOrder[];
  readonly variants: readonly TruthVariant[];
  /** The shop's products as they stand. Two with one reference are a fault. */
  readonly products: readonly TruthProduct[];
  /** Products that Proshop knows. */
  readonly models: readonly TruthModel[];
  /** Gift vouchers: sold by the shop, unknown to Proshop. */
  readonly vouchers: readonly {
    readonly reference: string;
    readonly initial: number;
    readonly shop: number;
  }[];
  /** Runs of the shop's Order Export module. */
  readonly orderExports: readonly OrderExportRun[];
  /** `ExportCSV` files that Proshop wrote. */
  readonly exports: readonly StockExport[];
  /** Runs of the shop's Product Catalog Import module. */
  readonly imports: readonly CatalogImportRun[];
  /** Shoppers' carts: lines whose variant was deleted are gone. */
  readonly carts: readonly { readonly id: number; readonly lines: readonly CartLine[] }[];
  /** Ids of sales that Proshop took and the shop never had. */
  readonly unknownSales: readonly number[];
  readonly faults: readonly Fault[];
  /** What somebody ordered to go wrong, when it came: `shop updateStock: late`, `ExportCSV truncated`. */
  readonly sabotage: readonly string[];
  /** Every file on the FTP, as absolute FTP paths, sorted. */
  readonly files: readonly string[];
  /** What only a shop that is reached by its Webservice tells; missing for the modules. */
  readonly webservice?: TruthWebservice;
}

export interface TruthOrder {
  readonly id: number;
  readonly reference: string;
  readonly placedAt: string;
  readonly payment: string;
  readonly paidByVoucher: boolean;
  /** False when a line has no gencod: such an order cannot become a sale. */
  readonly readable: boolean;
  /** Paid, shipping included, in cents. */
  readonly total: number;
  readonly customer: { readonly firstname: string; readonly lastname: string };
  readonly address: string;
  readonly lines: readonly TruthLine[];
  /** When Proshop took it from a file: once is right. */
  readonly taken: readonly string[];
  /** The sale as Proshop read it the first time. */
  readonly sale: Sale | null;
  readonly enteredByHandAt: string | null;
  /** True when the module marked it as exported and no file holds it (any more): see OrderExportRun. */
  readonly lostByModule: boolean;
  /** Missing for the modules: there an order is sold from its first moment on, and stays so. */
  readonly life?: TruthLife;
}

/** What became of an order in the shop since it was placed. */
export interface TruthLife {
  /** `incomplete` = its making has not come to its end (yet). */
  readonly standing: OrderStanding;
  /** Ways that it has stood, the last one being `standing`; the first one counts from when it was whole. */
  readonly changes: readonly { readonly at: string; readonly standing: OrderStanding }[];
  /** When its units came back into the shop's stock, and are not sold again; null = they are not back. */
  readonly stockBackAt: string | null;
  readonly refunds: readonly TruthRefund[];
}

export type OrderStanding = 'incomplete' | 'waiting' | 'sold' | 'cancelled';

/** A credit slip. */
export interface TruthRefund {
  readonly at: string;
  /** True when the units came back into the shop's stock. */
  readonly restock: boolean;
  readonly lines: readonly { readonly ean: string; readonly quantity: number }[];
}

export interface TruthWebservice {
  /** Requests for orders and for rows of stock, the oldest first. */
  readonly requests: readonly TruthRequest[];
  readonly products: readonly {
    readonly reference: string;
    /** What the product's own row of stock shows. */
    readonly total: number;
    readonly sizes: readonly {
      readonly ean: string;
      readonly values: readonly string[];
      readonly quantity: number;
      readonly isDefault: boolean;
    }[];
  }[];
  readonly brands: readonly string[];
  readonly suppliers: readonly string[];
  readonly attributes: readonly { readonly name: string; readonly values: readonly string[] }[];
}

export interface TruthRequest {
  readonly method: string;
  readonly resource: string;
  readonly startedAt: string;
  /** Null while it is worked on. */
  readonly endedAt: string | null;
  /** Null when the connection broke instead, and while it is worked on. */
  readonly status: number | null;
}

export interface TruthLine {
  /** What was really sold. */
  readonly ean: string;
  readonly reference: string;
  readonly quantity: number;
  readonly unitPrice: number;
  /** False when the shop's export shows no gencod for it. */
  readonly gencod: boolean;
}

/** A web order as it stands in a sales file. */
export interface Sale {
  readonly order: number;
  readonly reference: string;
  readonly payment: string;
  readonly total: number;
  readonly firstname: string;
  readonly lastname: string;
  readonly address: string;
  readonly lines: readonly { readonly ean: string; readonly quantity: number; readonly unitPrice: number }[];
}

export interface TruthVariant {
  readonly ean: string;
  readonly reference: string;
  readonly size: string;
  /** Null when the shop has no such variant. */
  readonly shop: number | null;
  /** Null when Proshop has no such variant. */
  readonly proshop: number | null;
}

export interface TruthProduct {
  readonly id: number;
  readonly reference: string;
  readonly name: string;
  readonly price: number;
  readonly variants: readonly {
    readonly id: number;
    readonly size: string;
    readonly ean: string;
    readonly quantity: number;
  }[];
}

export interface TruthModel {
  readonly reference: string;
  readonly name: string;
  readonly price: number;
  readonly eans: readonly string[];
  /** True when the shop did not have it at the start. */
  readonly isNew: boolean;
}

export interface OrderExportRun {
  readonly at: string;
  readonly endedAt: string;
  /** Somebody ran it in the back office. */
  readonly byHand: boolean;
  /** Ids written to the file; empty when nothing was written. */
  readonly written: readonly number[];
  /** Ids marked as exported that no file holds, or only one that was overwritten because somebody exported by hand. */
  readonly lost: readonly number[];
}

export interface StockExport {
  /** When the figures were read and the writing began. */
  readonly startedAt: string;
  /** When the FTP server began to take the file; null before. */
  readonly openedAt: string | null;
  /** Null while it is being written, or when it was cut. */
  readonly finishedAt: string | null;
  readonly rows: number;
  /** What was made wrong on purpose. */
  readonly damage: string | null;
  /** Units of every variant that Proshop knows, by EAN, when the writing began. */
  readonly figures: Readonly<Record<string, number>>;
  /** Ids of the web orders that the figures include. */
  readonly reflects: readonly number[];
}

export type ImportJob = 'importProducts' | 'updateStock';

export interface CatalogImportRun {
  readonly job: ImportJob;
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly outcome: 'running' | 'done' | 'no file' | 'failed' | 'stuck';
  readonly rows: number;
  /** Products made. */
  readonly created: number;
  /** Products whose quantities were set. */
  readonly updated: number;
  /** Products in stock that were set to 0 because the file does not hold them. */
  readonly zeroed: number;
}

export interface CartLine {
  readonly variantId: number;
  readonly quantity: number;
}

export type FaultKind =
  /** A file in `import/` was seen before it was whole, by Proshop or by whoever watches the folder. */
  | 'partial file in import'
  /** A file in `import/` that Proshop's importer cannot read: it stays where it is. */
  | 'unreadable file in import'
  /** A file in `import/` whose name is not that of a sales file. */
  | 'foreign file in import'
  /** One of the shop's importers read a file that was not whole. */
  | 'partial file read by the shop'
  /** One import set more than half of the products in stock to 0. */
  | 'mass zeroing'
  /** One of the simulated programs could not reach the FTP, or was refused. */
  | 'ftp trouble'
  /** The scenario's order found too little stock. No fault of anybody's. */
  | 'refused order'
  /** The sandbox itself is wrong: never expected. */
  | 'sandbox error';

export interface Fault {
  readonly at: string;
  readonly kind: FaultKind;
  readonly file: string;
  readonly detail: string;
}
