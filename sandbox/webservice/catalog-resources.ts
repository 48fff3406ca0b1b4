import { of } from './association.ts';
import { int } from './columns.ts';
import { combinations } from './combination-resource.ts';
import { keep } from './combinations.ts';
import { rowsOf } from './database.ts';
import {
  bool,
  id,
  idOf,
  integer,
  longHtml,
  metas,
  must,
  name,
  price,
  stamps,
  wholes,
} from './field-rules.ts';
import type { Lookup } from './lookup.ts';
import { isFalsy, load, slug, wholeNumber, written } from './php-value.ts';
import { products } from './product-resource.ts';
import type { Resource } from './resource.ts';
import { stockAvailables } from './stock-resource.ts';

const productOptions: Resource = {
  name: 'product_options',
  node: 'product_option',
  className: 'AttributeGroup',
  table: 'product_options',
  fields: {
    is_color_group: bool,
    group_type: { required: true },
    position: integer,
    name: must(name(128)),
    public_name: must(name(64)),
  },
  associations: {
    product_option_values: of(
      'product_option_value',
      'product_option_values',
      (lookup, group) =>
        lookup.rows('product_option_values', 'id_attribute_group', group).map((row) => ({ id: row.id })),
      { fields: { id: {} } },
    ),
  },
  beforeAdd: ({ database }, entity) => {
    entity.values.is_color_group = written(entity.values.group_type) === 'color' ? '1' : '';
    if (isFalsy(entity.values.position))
      entity.values.position = nextPosition(rowsOf(database, 'product_options'));
  },
  remove: ({ database }, row) => {
    database.product_options.rows.delete(row.id);
    for (const value of rowsOf(database, 'product_option_values', (one) => one.id_attribute_group === row.id))
      database.product_option_values.rows.delete(value.id);
  },
};

const productOptionValues: Resource = {
  name: 'product_option_values',
  node: 'product_option_value',
  className: (version) => (version === '1.7.8' ? 'Attribute' : 'ProductAttribute'),
  table: 'product_option_values',
  fields: {
    id_attribute_group: must(idOf('product_options')),
    color: { format: 'isColor' },
    position: integer,
    name: must(name(128)),
  },
  beforeAdd: ({ database }, entity) => {
    if (!isFalsy(entity.values.position)) return;
    const group = wholeNumber(entity.values.id_attribute_group);
    entity.values.position = nextPosition(
      rowsOf(database, 'product_option_values', (row) => row.id_attribute_group === group),
    );
  },
};

function nextPosition(rows: readonly { readonly position: number }[]): number {
  return rows.reduce((highest, row) => Math.max(highest, row.position), -1) + 1;
}

const categories: Resource = {
  name: 'categories',
  node: 'category',
  className: 'Category',
  table: 'categories',
  fields: {
    id_parent: idOf('categories'),
    level_depth: wholes,
    nb_products_recursive: {
      dynamic: (site, entity, lookup) =>
        load(productsUnder(lookup, wholeNumber(entity.id)).size, int, site.version),
      readOnly: true,
    },
    active: must(bool),
    id_shop_default: id,
    is_root_category: bool,
    position: {},
    ...stamps,
    name: { size: 128, format: 'isCatalogName', required: true },
    link_rewrite: { size: 128, format: 'isLinkRewrite', required: true },
    description: longHtml,
    additional_description: longHtml,
    ...metas,
  },
  associations: {
    categories: of('category', 'categories', (lookup, parent) =>
      lookup.rows('categories', 'id_parent', parent).map((row) => ({ id: row.id })),
    ),
    products: of('product', 'products', (lookup, category) =>
      lookup.links('categoryProducts', 'category', category).map((link) => ({ id: link.product })),
    ),
  },
  unsorted: () => ['level_depth'],
  remove: ({ database }, row) => {
    database.categories.rows.delete(row.id);
    keep(database.categoryProducts, (link) => link.category !== row.id);
  },
};

function productsUnder(lookup: Lookup, category: number): ReadonlySet<number> {
  const found = new Set(lookup.links('categoryProducts', 'category', category).map((link) => link.product));
  for (const child of lookup.rows('categories', 'id_parent', category)) {
    for (const product of productsUnder(lookup, child.id)) found.add(product);
  }
  return found;
}

const manufacturers: Resource = {
  name: 'manufacturers',
  node: 'manufacturer',
  className: 'Manufacturer',
  table: 'manufacturers',
  fields: {
    active: bool,
    link_rewrite: { dynamic: (_site, entity) => slug(written(entity.values.name)), readOnly: true },
    name: { size: 64, format: 'isCatalogName', required: true },
    ...stamps,
    description: longHtml,
    short_description: longHtml,
    ...metas,
  },
  associations: {
    addresses: of(
      'address',
      'addresses',
      (lookup, manufacturer) =>
        lookup.rows('addresses', 'id_manufacturer', manufacturer).map((row) => ({ id: row.id })),
      { fields: { id: { link: 'addresses', required: true } } },
    ),
  },
};

const suppliers: Resource = {
  name: 'suppliers',
  node: 'supplier',
  className: 'Supplier',
  table: 'suppliers',
  fields: {
    link_rewrite: { loads: (_site, row) => slug(written(row.name)) },
    name: { size: 64, format: 'isCatalogName', required: true },
    active: bool,
    ...stamps,
    description: longHtml,
    ...metas,
  },
};

const productSuppliers: Resource = {
  name: 'product_suppliers',
  node: 'product_supplier',
  className: 'ProductSupplier',
  table: 'product_suppliers',
  fields: {
    id_product: must(idOf('products')),
    id_product_attribute: must(idOf('combinations')),
    id_supplier: must(idOf('suppliers')),
    id_currency: idOf('currencies'),
    product_supplier_reference: { size: 64, format: 'isReference' },
    product_supplier_price_te: price,
  },
  unsorted: () => ['id_product'],
};

/** The resources of what the shop sells. */
export const catalogResources: readonly Resource[] = [
  products,
  combinations,
  stockAvailables,
  productOptions,
  productOptionValues,
  categories,
  manufacturers,
  suppliers,
  productSuppliers,
];
