import { of } from './association.ts';
import { cacheDefault, deleteCombination, keep } from './combinations.ts';
import type { Row } from './database.ts';
import { rowsOf } from './database.ts';
import { bool, ean13, idOf, integer, isbn, mpn, name, upc } from './field-rules.ts';
import { isFalsy, wholeNumber } from './php-value.ts';
import type { Entity, Resource } from './resource.ts';
import { SHOP } from './site.ts';
import type { Site, Version } from './site.ts';
import { addStock } from './stock.ts';
import { PhpFatalError, WebserviceError } from './webservice-error.ts';

const OLD: readonly Version[] = ['1.7.8'];
const NEW: readonly Version[] = ['8.2', '9.1'];

/** The sizes of products. Nothing about them is unique, but which of a product's is shown first. */
export const combinations: Resource = {
  name: 'combinations',
  node: 'combination',
  className: 'Combination',
  table: 'combinations',
  fields: {
    id_product: { ...idOf('products'), required: true },
    location: { size: 255, format: 'isString', only: OLD },
    ean13,
    isbn,
    upc,
    mpn,
    // Shows the stock; what is written is echoed and forgotten.
    quantity: {
      only: OLD,
      loads: ({ database }, row) => {
        const stock = rowsOf(
          database,
          'stock_availables',
          (candidate) => candidate.id_product_attribute === row.id && candidate.id_shop === SHOP,
        );
        return stock[0]?.quantity ?? 0;
      },
    },
    reference: { size: 64 },
    supplier_reference: { size: 64 },
    wholesale_price: { size: 27, format: 'isNegativePrice' },
    price: { size: 20, format: 'isNegativePrice' },
    ecotax: { size: 20, format: 'isPrice' },
    weight: { format: 'isFloat' },
    unit_price_impact: { size: 20, format: 'isNegativePrice' },
    minimal_quantity: { required: true, format: 'isPositiveInt' },
    low_stock_threshold: integer,
    low_stock_alert: bool,
    default_on: bool,
    available_date: { format: 'isDateFormat' },
    available_now: { ...name(255), only: NEW },
    available_later: { size: 255, format: 'IsGenericName', only: NEW },
  },
  associations: {
    product_option_values: of(
      'product_option_value',
      'product_option_values',
      (lookup, combination, { database }) =>
        lookup
          .links('combinationValues', 'combination', combination)
          .filter((link) => database.product_option_values.rows.has(link.value))
          .map((link) => ({ id: link.value })),
      {
        fields: { id: {} },
        write: ({ database }, combination, items) => {
          keep(database.combinationValues, (link) => link.combination !== combination);
          for (const item of items)
            database.combinationValues.push({ combination, value: wholeNumber(item.id) });
        },
      },
    ),
    images: of(
      'image',
      'images/products',
      (lookup, combination) =>
        lookup.links('combinationImages', 'combination', combination).map((link) => ({ id: link.image })),
      {
        fields: { id: {} },
        path: (entity, item) => `images/products/${wholeNumber(entity.values.id_product)}/${item.id}`,
        write: ({ database }, combination, items) => {
          keep(database.combinationImages, (link) => link.combination !== combination);
          for (const item of items)
            database.combinationImages.push({ combination, image: wholeNumber(item.id) });
        },
      },
    ),
  },
  beforeAdd: oneDefault,
  beforeUpdate: oneDefault,
  afterAdd: ({ database }, entity) => {
    const row = entity.row as Row<'combinations'>;
    addStock(database, row.id_product, row.id);
    cacheDefault(database, row.id_product);
  },
  afterUpdate: ({ database }, entity) =>
    cacheDefault(database, (entity.row as Row<'combinations'>).id_product),
  remove: ({ database }, row) => deleteCombination(database, row.id),
};

/**
 * A second mark of the first one shown breaks a unique key. The id that the row would have had is used up.
 * @throws {WebserviceError} 46, or a dead PHP in 8.2
 */
function oneDefault({ database, version }: Site, entity: Entity): void {
  entity.values.default_on = isFalsy(entity.values.default_on) ? null : '1';
  if (entity.values.default_on === null) return;
  const product = wholeNumber(entity.values.id_product);
  const taken = rowsOf(database, 'combinations', (row) => row.id_product === product && row.default_on).some(
    (row) => row !== entity.row,
  );
  if (!taken) return;
  if (entity.row === undefined) database.combinations.next++;
  if (version === '8.2') throw new PhpFatalError('Duplicate entry for key id_product_default_on');
  throw new WebserviceError(500, 46, 'Unable to save resource');
}
