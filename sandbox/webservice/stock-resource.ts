import type { Row } from './database.ts';
import { bool, idOf, integer, must } from './field-rules.ts';
import type { Resource } from './resource.ts';
import { SHOP } from './site.ts';
import { sumOfSizes, writeTotal } from './stock.ts';

/** The quantities: rows that are there as soon as a product or a size is, and that are only ever changed. */
export const stockAvailables: Resource = {
  name: 'stock_availables',
  node: 'stock_available',
  className: 'StockAvailable',
  table: 'stock_availables',
  forbidden: ['POST', 'DELETE'],
  fields: {
    id_product: must(idOf('products')),
    id_product_attribute: must(idOf('combinations')),
    id_shop: idOf('shops'),
    id_shop_group: idOf('shop_groups'),
    quantity: must(integer),
    depends_on_stock: must(bool),
    out_of_stock: must(integer),
    location: { size: 255, format: 'isString' },
  },
  unsorted: (version) => (version === '1.7.8' ? ['id_product', 'id_product_attribute'] : undefined),
  listed: ({ version }, row) => version !== '1.7.8' || row.id_shop === SHOP,
  readable: (_site, row) => row.id_shop === SHOP,
  afterUpdate: ({ database }, entity) => {
    const row = entity.row as Row<'stock_availables'>;
    if (row.id_product_attribute === 0) return undefined;
    const sum = sumOfSizes(database, row.id_product);
    return () => writeTotal(database, row.id_product, sum);
  },
};
