import type { Database, Row } from './database.ts';
import { insertRow, rowsOf } from './database.ts';
import { removeStock } from './stock.ts';

/** The one of a product's combinations that is shown first: the one marked, else the first one; 0 where there is none. */
export function defaultOf(combinations: readonly Row<'combinations'>[]): number {
  return (combinations.find((row) => row.default_on) ?? combinations[0])?.id ?? 0;
}

/** Writes into the product which combination it shows first. */
export function cacheDefault(database: Database, product: number): void {
  const row = database.products.rows.get(product);
  const combinations = rowsOf(database, 'combinations', (candidate) => candidate.id_product === product);
  if (row !== undefined) row.cache_default_attribute = defaultOf(combinations);
}

/** Moves the mark of the first one shown to this combination. */
export function markDefault(database: Database, product: number, combination: number): void {
  for (const row of database.combinations.rows.values()) {
    if (row.id_product === product) row.default_on = row.id === combination;
  }
  const row = database.products.rows.get(product);
  if (row !== undefined) row.cache_default_attribute = combination;
}

/** Deletes a combination with its stock and its links. Orders keep what they have noted of it. */
export function deleteCombination(database: Database, id: number): void {
  const row = database.combinations.rows.get(id);
  if (row === undefined) return;
  database.combinations.rows.delete(id);
  removeStock(database, row.id_product, id);
  unlinkCombination(database, id);
  cacheDefault(database, row.id_product);
}

/** Forgets the values, the images and the suppliers of a combination. */
export function unlinkCombination(database: Database, id: number): void {
  keep(database.combinationValues, (link) => link.combination !== id);
  keep(database.combinationImages, (link) => link.combination !== id);
  for (const row of database.product_suppliers.rows.values()) {
    if (row.id_product_attribute === id) database.product_suppliers.rows.delete(row.id);
  }
}

/**
 * Makes these the product's combinations: the ones not named are deleted, those of other products come over, and those that
 * never were are made, without a size.
 */
export function replaceCombinations(database: Database, product: number, ids: readonly number[]): void {
  for (const row of rowsOf(database, 'combinations', (candidate) => candidate.id_product === product)) {
    if (!ids.includes(row.id)) deleteCombination(database, row.id);
  }
  for (const id of ids) {
    const row = database.combinations.rows.get(id) ?? insertRow(database, 'combinations', { id });
    row.id_product = product;
  }
}

/** Leaves in a list what the test holds of. */
export function keep<Item>(items: Item[], holds: (item: Item) => boolean): void {
  items.splice(0, items.length, ...items.filter(holds));
}
