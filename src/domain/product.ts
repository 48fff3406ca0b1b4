import type { StockFile } from './stock-csv.ts';

/** Lists the references of the file that the shop does not know yet, each once, in the order of the file. */
export function newModels(stock: StockFile, known: ReadonlySet<string>): string[] {
  const references = new Set(stock.variants.map((variant) => variant.reference));
  return [...references].filter((reference) => reference !== '' && !known.has(reference));
}
