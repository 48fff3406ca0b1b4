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
