/** Every column of ExportCSV that passerelle reads. */
export const STOCK_FIELDS = [
  'supplier',
  'material',
  'color',
  'reference',
  'size',
  'ean',
  'price',
  'quantity',
  'store',
] as const;
export type StockField = (typeof STOCK_FIELDS)[number];

/** A product that the shop keeps whatever Proshop says: gift vouchers. Written to ExportCSVmod as a row of its own. */
export interface ProtectedProduct {
  readonly reference: string;
  readonly ean: string;
  readonly quantity: number;
}

/** What the shop shows of one variant. */
export interface VariantStock {
  readonly ean: string;
  readonly reference: string;
  readonly size: string;
  readonly quantity: number;
}

/** A reason not to trust a stock file as a whole: the gate turns it into a refusal. */
export interface Doubt {
  readonly rule:
    | 'encoding'
    | 'header'
    | 'empty'
    | 'width'
    | 'cut'
    | 'store'
    | 'unreadable'
    | 'duplicates'
    | 'stale';
  readonly message: string;
}

/** A row of a stock file that could not be taken as it stands, and why. */
export interface StockFault {
  /** 1 = the header's line. */
  readonly line: number;
  /** Title of the column. */
  readonly field: string;
  readonly reason: string;
}
