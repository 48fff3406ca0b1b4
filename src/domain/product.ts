import type { Decimal } from './order.ts';
import type { StockFile } from './stock-csv.ts';

/** A product as Proshop knows it. */
export interface Model {
  readonly reference: string;
  /** Supplier, material and colour. */
  readonly name: string;
  readonly supplier: string;
  /** Tax included; null when the file does not say it, or not in a way that can be read. */
  readonly price: Decimal | null;
  readonly sizes: readonly { readonly size: string; readonly ean: string }[];
}

/**
 * Lists the models of the file, each once, in the order of the file. The first of their rows says name and price; rows
 * without readable barcode are no sizes.
 */
export function modelsOf(stock: StockFile): Model[] {
  const models = new Map<string, Model & { readonly sizes: { size: string; ean: string }[] }>();
  for (const { reference, name, supplier, price, size, ean } of stock.variants) {
    if (reference === '') continue;
    const model = models.get(reference) ?? { reference, name, supplier, price, sizes: [] };
    models.set(reference, model);
    if (ean !== null && !model.sizes.some((known) => known.ean === ean)) model.sizes.push({ size, ean });
  }
  return [...models.values()];
}
