import { int } from './columns.ts';
import { defaultOf, keep, markDefault, replaceCombinations, unlinkCombination } from './combinations.ts';
import type { Database, Row } from './database.ts';
import { rowsOf } from './database.ts';
import { of } from './association.ts';
import {
  bool,
  ean13,
  id,
  idOf,
  integer,
  isbn,
  longHtml,
  mpn,
  name,
  price,
  stamps,
  upc,
  wholes,
} from './field-rules.ts';
import { isFalsy, isTexts, load, slug, wholeNumber } from './php-value.ts';
import type { PhpValue } from './php-value.ts';
import type { Entity, FieldRules, Resource } from './resource.ts';
import { SHOP } from './site.ts';
import type { Site } from './site.ts';
import { addStock, removeStock } from './stock.ts';

const reference: FieldRules = { size: 64, format: 'isReference' };
const size: FieldRules = { format: 'isUnsignedFloat' };
const numbers = (entity: Entity, field: string): number => wholeNumber(entity.values[field]);
const given = (value: number, site: Site): PhpValue => load(value, int, site.version);
const nothing = (): readonly never[] => [];

/** What the shop sells. Every field that is absent in a PUT is blanked; the sizes stay. */
export const products: Resource = {
  name: 'products',
  node: 'product',
  className: 'Product',
  table: 'products',
  fields: {
    id_manufacturer: idOf('manufacturers'),
    id_supplier: idOf('suppliers'),
    id_category_default: idOf('categories'),
    new: {},
    cache_default_attribute: {},
    id_default_image: {
      link: 'images/products/*',
      dynamic: (site, entity, lookup) => {
        const cover = lookup
          .rows('images', 'id_product', wholeNumber(entity.id))
          .find((image) => image.cover);
        return cover === undefined ? '' : given(cover.id, site);
      },
      set: () => undefined,
    },
    id_default_combination: {
      link: 'combinations',
      dynamic: (_site, entity, lookup) =>
        defaultOf(lookup.rows('combinations', 'id_product', wholeNumber(entity.id))),
      set: ({ database }, entity, value) => {
        markDefault(database, wholeNumber(entity.id), wholeNumber(value));
        entity.values.cache_default_attribute = value;
      },
    },
    id_tax_rules_group: idOf('tax_rule_groups'),
    position_in_category: {
      dynamic: (site, entity, lookup) => {
        const category = numbers(entity, 'id_category_default');
        const place = lookup
          .links('categoryProducts', 'product', wholeNumber(entity.id))
          .find((link) => link.category === category);
        return place === undefined ? '' : given(place.position, site);
      },
      // A product that is moved within its category does not concern a gateway.
      set: () => undefined,
    },
    manufacturer_name: {
      dynamic: ({ database }, entity) =>
        database.manufacturers.rows.get(numbers(entity, 'id_manufacturer'))?.name ?? '',
      readOnly: true,
    },
    quantity: { readOnly: true, filterable: false },
    type: { dynamic: () => 'simple', set: () => undefined },
    id_shop_default: id,
    reference,
    supplier_reference: reference,
    location: { size: 255, format: 'isString' },
    width: size,
    height: size,
    depth: size,
    weight: size,
    quantity_discount: bool,
    ean13,
    isbn,
    upc,
    mpn,
    cache_is_pack: bool,
    cache_has_attachments: bool,
    is_virtual: bool,
    state: id,
    additional_delivery_times: id,
    delivery_in_stock: name(255),
    delivery_out_stock: name(255),
    product_type: {
      format: 'isGenericName',
      fallback: (version) => (version === '9.1' ? 'standard' : undefined),
    },
    on_sale: bool,
    online_only: bool,
    ecotax: price,
    minimal_quantity: { format: 'isPositiveInt' },
    low_stock_threshold: integer,
    low_stock_alert: bool,
    price: { required: true, format: 'isPrice' },
    wholesale_price: price,
    unity: { format: 'isString' },
    unit_price: { ...price, only: ['8.2', '9.1'] },
    unit_price_ratio: {},
    additional_shipping_cost: price,
    customizable: wholes,
    text_fields: wholes,
    uploadable_files: wholes,
    active: bool,
    redirect_type: { format: 'isString' },
    id_type_redirected: id,
    available_for_order: bool,
    available_date: { format: 'isDateFormat' },
    show_condition: bool,
    condition: { format: 'isGenericName', fallback: () => 'new' },
    show_price: bool,
    indexed: bool,
    visibility: { format: 'isProductVisibility', fallback: () => 'both' },
    advanced_stock_management: bool,
    ...stamps,
    pack_stock_type: wholes,
    meta_description: name(512),
    meta_keywords: { ...name(255), only: ['1.7.8', '8.2'] },
    meta_title: name(255),
    link_rewrite: { size: 128, format: 'isLinkRewrite' },
    name: { size: 128, format: 'isCatalogName' },
    description: longHtml,
    description_short: longHtml,
    available_now: name(255),
    available_later: { size: 255, format: 'IsGenericName' },
  },
  associations: {
    categories: of(
      'category',
      'categories',
      (lookup, product) =>
        lookup
          .links('categoryProducts', 'product', product)
          .map(({ category }) => ({ id: category }))
          .sort((one, other) => one.id - other.id),
      {
        write: ({ database }, product, items) =>
          putIntoCategories(
            database,
            product,
            items.map((item) => wholeNumber(item.id)),
          ),
      },
    ),
    images: of(
      'image',
      'images',
      (lookup, product) => lookup.rows('images', 'id_product', product).map((image) => ({ id: image.id })),
      { fields: { id: {} }, path: (entity, item) => `images/products/${entity.id}/${item.id}` },
    ),
    combinations: of(
      'combination',
      'combinations',
      (lookup, product) => lookup.rows('combinations', 'id_product', product).map((row) => ({ id: row.id })),
      {
        write: ({ database }, product, items) =>
          replaceCombinations(
            database,
            product,
            items.map((item) => wholeNumber(item.id)),
          ),
      },
    ),
    product_option_values: of('product_option_value', 'product_option_values', (lookup, product) => {
      const values = lookup
        .rows('combinations', 'id_product', product)
        .flatMap((row) => lookup.links('combinationValues', 'combination', row.id))
        .map((link) => link.value);
      return [...new Set(values)].map((value) => ({ id: value }));
    }),
    product_features: of('product_feature', 'product_features', nothing, {
      fields: {
        id: { required: true },
        id_feature_value: { link: 'product_feature_values', required: true },
      },
    }),
    tags: of('tag', 'tags', nothing),
    stock_availables: of(
      'stock_available',
      'stock_availables',
      (lookup, product) =>
        lookup
          .rows('stock_availables', 'id_product', product)
          .filter((row) => row.id_shop === SHOP)
          .map((row) => ({ id: row.id, id_product_attribute: row.id_product_attribute }))
          .sort((one, other) => one.id - other.id),
      { fields: { id: { required: true }, id_product_attribute: { required: true } } },
    ),
    attachments: of('attachment', 'attachments', nothing),
    accessories: of('product', 'products', nothing, { fields: { id: { link: 'products', required: true } } }),
    product_bundle: of('product', 'products', nothing, {
      fields: { id: { required: true }, id_product_attribute: {}, quantity: {} },
    }),
  },
  modify: (entity) => {
    const { name: said, link_rewrite: links } = entity.values;
    const made: Record<number, string> = isTexts(links) ? { ...links } : {};
    for (const [language, text] of isTexts(said) ? Object.entries(said) : []) {
      const link = made[Number(language)] ?? '';
      if (!/^[\w-]+$/.test(link)) made[Number(language)] = slug(link === '' ? text : link);
    }
    entity.values.link_rewrite = made;
  },
  beforeAdd: (_site, entity) => {
    if (isFalsy(entity.values.id_shop_default)) entity.values.id_shop_default = String(SHOP);
  },
  beforeUpdate: (_site, entity) => {
    if (isFalsy(entity.values.id_shop_default)) entity.values.id_shop_default = String(SHOP);
    if (entity.values.unit_price_ratio === null) entity.values.unit_price_ratio = 0;
  },
  afterAdd: ({ database }, entity) => {
    const row = entity.row as Row<'products'>;
    addStock(database, row.id, 0);
    indexForSearch(row);
  },
  afterUpdate: (_site, entity) => indexForSearch(entity.row as Row<'products'>),
  remove: ({ database }, { id: product }) => {
    database.products.rows.delete(product);
    for (const combination of rowsOf(database, 'combinations', (row) => row.id_product === product)) {
      database.combinations.rows.delete(combination.id);
      unlinkCombination(database, combination.id);
    }
    removeStock(database, product);
    keep(database.categoryProducts, (link) => link.product !== product);
    for (const table of ['images', 'product_suppliers'] as const) {
      for (const row of database[table].rows.values())
        if (row.id_product === product) database[table].rows.delete(row.id);
    }
  },
};

/** What can be bought and found is put into the search's index. */
function indexForSearch(row: Row<'products'>): void {
  if (row.active && (row.visibility === 'both' || row.visibility === 'search')) row.indexed = true;
}

/** Puts a product into these categories and no others, at the end of those it was not in. */
export function putIntoCategories(database: Database, product: number, categories: readonly number[]): void {
  const before = database.categoryProducts.filter((link) => link.product === product);
  const last = new Map<number, number>();
  for (const link of database.categoryProducts)
    last.set(link.category, Math.max(last.get(link.category) ?? 0, link.position));
  keep(database.categoryProducts, (link) => link.product !== product);
  for (const category of new Set(categories)) {
    const position =
      before.find((link) => link.category === category)?.position ?? (last.get(category) ?? 0) + 1;
    database.categoryProducts.push({ category, product, position });
  }
}
