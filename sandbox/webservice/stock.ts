import type { Database, Row } from './database.ts';
import { insertRow, rowsOf } from './database.ts';
import { SHOP } from './site.ts';

/** A row of stock of what the shop sells: of a combination, or of the product itself as combination 0. */
export function stockOf(
  database: Database,
  product: number,
  combination: number,
): Row<'stock_availables'> | undefined {
  for (const row of database.stock_availables.rows.values()) {
    if (row.id_product === product && row.id_product_attribute === combination && row.id_shop === SHOP)
      return row;
  }
  return undefined;
}

/** The sum of a product's sizes; what was moved to shop 0 does not count. */
export function sumOfSizes(database: Database, product: number): number {
  return rowsOf(
    database,
    'stock_availables',
    (row) => row.id_product === product && row.id_product_attribute !== 0 && row.id_shop === SHOP,
  ).reduce((sum, row) => sum + row.quantity, 0);
}

/** Writes the product's total row, which is made if it is not there. */
export function writeTotal(database: Database, product: number, quantity: number): void {
  const total = stockOf(database, product, 0) ?? addStock(database, product, 0);
  total.quantity = quantity;
}

/** Makes a row of stock with nothing in it. */
export function addStock(database: Database, product: number, combination: number): Row<'stock_availables'> {
  return insertRow(database, 'stock_availables', {
    id_product: product,
    id_product_attribute: combination,
    id_shop: SHOP,
    out_of_stock: stockOf(database, product, 0)?.out_of_stock ?? 2,
  });
}

/** Adds units to a row of stock, and to the product's total. Nothing happens where the shop has no such row. */
export function addUnits(database: Database, product: number, combination: number, units: number): void {
  const stock = stockOf(database, product, combination);
  if (stock === undefined) return;
  stock.quantity += units;
  if (combination !== 0) writeTotal(database, product, sumOfSizes(database, product));
}

/** Deletes the rows of stock of a combination in the shop, or of a whole product; the total is summed up anew. */
export function removeStock(database: Database, product: number, combination?: number): void {
  for (const row of database.stock_availables.rows.values()) {
    const gone = combination === undefined || row.id_product_attribute === combination;
    if (row.id_product === product && gone && row.id_shop === SHOP)
      database.stock_availables.rows.delete(row.id);
  }
  if (combination !== undefined) writeTotal(database, product, sumOfSizes(database, product));
}
