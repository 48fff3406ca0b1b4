import { Big } from 'big.js';
import { putIntoCategories } from './product-resource.ts';
import { cacheDefault, replaceCombinations } from './combinations.ts';
import type { Database, Row } from './database.ts';
import { inEachLanguage, insertRow, rowOf, rowsOf } from './database.ts';
import { createLookup } from './lookup.ts';
import { slug } from './php-value.ts';
import { taxRate } from './rendered.ts';
import { DEFAULT_LANGUAGE, SHOP } from './site.ts';
import { addStock, stockOf, sumOfSizes, writeTotal } from './stock.ts';

/** A product that the merchant makes in the back office. */
export interface NewProduct {
  readonly reference: string;
  readonly name: string;
  /** Cents, tax included. */
  readonly price: number;
  readonly supplier?: string;
  readonly manufacturer?: string;
  /** For a product without sizes. */
  readonly ean?: string;
  readonly quantity?: number;
  readonly variants?: readonly NewVariant[];
  /** The tax rules group; the first one when left out. */
  readonly taxGroup?: number;
  /** The shop's time; that of the first category when left out. */
  readonly at?: string;
}

export interface NewVariant {
  readonly size: string;
  readonly ean: string;
  readonly quantity: number;
  /** The product's reference, a dash and the size when left out. */
  readonly reference?: string;
}

/** A product as the shop shows it. */
export interface CatalogProduct {
  readonly id: number;
  readonly reference: string;
  readonly name: string;
  /** Cents, tax included. */
  readonly price: number;
  readonly ean: string;
  /** The total row, right or wrong. */
  readonly quantity: number;
  readonly variants: readonly CatalogVariant[];
}

export interface CatalogVariant {
  /** The id of the combination. */
  readonly id: number;
  readonly reference: string;
  readonly size: string;
  readonly ean: string;
  /** What the shop shows: 0 for a row of stock that was lost to shop 0. */
  readonly quantity: number;
}

/** Something that can be bought, or was found by its code. */
export interface Article {
  readonly product: Row<'products'>;
  /** Undefined for a product without sizes. */
  readonly combination: Row<'combinations'> | undefined;
  readonly stock: Row<'stock_availables'> | undefined;
}

/** Puts a product into the shop as the back office would, with its sizes and its stock. Returns its id. */
export function addProduct(database: Database, product: NewProduct): number {
  const at = product.at ?? rowsOf(database, 'categories')[0]?.date_add ?? '';
  const same = (said: string) => inEachLanguage(database, said);
  const group = product.taxGroup ?? rowsOf(database, 'tax_rule_groups')[0]?.id ?? 0;
  const variants = product.variants ?? [];
  const row = insertRow(database, 'products', {
    id_manufacturer: product.manufacturer === undefined ? 0 : makerOf(database, product.manufacturer, at),
    id_supplier: product.supplier === undefined ? 0 : supplierOf(database, product.supplier, at),
    id_category_default: 2,
    id_tax_rules_group: group,
    id_shop_default: SHOP,
    reference: product.reference,
    ean13: product.ean ?? '',
    state: 1,
    additional_delivery_times: 1,
    product_type: variants.length > 0 ? 'combinations' : 'standard',
    minimal_quantity: 1,
    price: withoutTax(product.price, taxRate(database, group)),
    active: true,
    redirect_type: 'default',
    available_for_order: true,
    condition: 'new',
    show_price: true,
    indexed: true,
    visibility: 'both',
    pack_stock_type: 3,
    date_add: at,
    date_upd: at,
    name: same(product.name),
    link_rewrite: same(slug(product.name)),
    ...Object.fromEntries(EMPTY_TEXTS.map((field) => [field, same('')])),
  });
  putIntoCategories(database, row.id, [2]);
  addStock(database, row.id, 0).quantity = product.quantity ?? 0;
  addVariants(database, row, variants);
  return row.id;
}

/** Deletes a product's sizes and makes these instead, as a merchant may: they get new ids. */
export function replaceVariants(database: Database, product: number, variants: readonly NewVariant[]): void {
  replaceCombinations(database, product, []);
  addVariants(database, rowOf(database, 'products', product), variants);
}

function addVariants(database: Database, product: Row<'products'>, variants: readonly NewVariant[]): void {
  const nothing = inEachLanguage(database, '');
  for (const [index, variant] of variants.entries()) {
    const combination = insertRow(database, 'combinations', {
      id_product: product.id,
      ean13: variant.ean,
      reference: variant.reference ?? `${product.reference}-${variant.size}`,
      minimal_quantity: 1,
      default_on: index === 0,
      available_now: nothing,
      available_later: nothing,
    });
    database.combinationValues.push({ combination: combination.id, value: sizeOf(database, variant.size) });
    addStock(database, product.id, combination.id).quantity = variant.quantity;
  }
  if (variants.length === 0) return;
  cacheDefault(database, product.id);
  writeTotal(database, product.id, sumOfSizes(database, product.id));
}

const EMPTY_TEXTS = [
  'delivery_in_stock',
  'delivery_out_stock',
  'meta_description',
  'meta_keywords',
  'meta_title',
  'description',
  'description_short',
  'available_now',
  'available_later',
] as const;

/** All products of the shop with their sizes. */
export function listProducts(database: Database): CatalogProduct[] {
  const lookup = createLookup(database);
  const shown = (product: number, combination: number) =>
    lookup
      .rows('stock_availables', 'id_product', product)
      .find((stock) => stock.id_product_attribute === combination && stock.id_shop === SHOP)?.quantity ?? 0;
  return rowsOf(database, 'products').map((product) => ({
    id: product.id,
    reference: product.reference,
    name: product.name[DEFAULT_LANGUAGE] ?? '',
    price: withTax(product.price, taxRate(database, product.id_tax_rules_group)),
    ean: product.ean13,
    quantity: shown(product.id, 0),
    variants: lookup.rows('combinations', 'id_product', product.id).map((combination) => ({
      id: combination.id,
      reference: combination.reference,
      size: lookup
        .links('combinationValues', 'combination', combination.id)
        .map(({ value }) => database.product_option_values.rows.get(value)?.name[DEFAULT_LANGUAGE] ?? '')
        .join(' '),
      ean: combination.ean13,
      quantity: shown(product.id, combination.id),
    })),
  }));
}

/** The article with this code: a size, or a product without sizes. Of several the first one, as codes are not unique. */
export function articleOf(database: Database, ean: string): Article | undefined {
  const combination = rowsOf(database, 'combinations', (row) => row.ean13 === ean)[0];
  const product =
    combination === undefined
      ? rowsOf(database, 'products', (row) => row.ean13 === ean)[0]
      : database.products.rows.get(combination.id_product);
  if (product === undefined) return undefined;
  return { product, combination, stock: stockOf(database, product.id, combination?.id ?? 0) };
}

/** How many units of an article the shop shows; undefined where it has no such article. */
export function shownQuantity(database: Database, ean: string): number | undefined {
  const article = articleOf(database, ean);
  return article === undefined ? undefined : (article.stock?.quantity ?? 0);
}

/** Cents with tax to PrestaShop's price without. */
export function withoutTax(cents: number, rate: string | number): string {
  return new Big(cents)
    .div(100)
    .div(new Big(1).plus(new Big(rate).div(100)))
    .toFixed(6);
}

/** PrestaShop's price without tax to cents with. */
export function withTax(price: string, rate: string | number): number {
  return new Big(price)
    .times(new Big(1).plus(new Big(rate).div(100)))
    .times(100)
    .round(0)
    .toNumber();
}

function makerOf(database: Database, name: string, at: string): number {
  const known = rowsOf(database, 'manufacturers', (row) => row.name === name)[0];
  const texts = ['description', 'short_description', 'meta_title', 'meta_description', 'meta_keywords'];
  return (
    known ??
    insertRow(database, 'manufacturers', {
      name,
      active: true,
      date_add: at,
      date_upd: at,
      ...emptyTexts(database, texts),
    })
  ).id;
}

function supplierOf(database: Database, name: string, at: string): number {
  const known = rowsOf(database, 'suppliers', (row) => row.name === name)[0];
  const texts = ['description', 'meta_title', 'meta_description', 'meta_keywords'];
  return (
    known ??
    insertRow(database, 'suppliers', {
      name,
      active: true,
      date_add: at,
      date_upd: at,
      ...emptyTexts(database, texts),
    })
  ).id;
}

function emptyTexts(database: Database, fields: readonly string[]): Record<string, Record<number, string>> {
  return Object.fromEntries(fields.map((field) => [field, inEachLanguage(database, '')]));
}

/** The value of a size, in the one option of the shop for sizes. */
function sizeOf(database: Database, size: string): number {
  const option =
    rowsOf(database, 'product_options', (row) => row.name[DEFAULT_LANGUAGE] === 'Size')[0] ??
    insertRow(database, 'product_options', {
      group_type: 'select',
      position: database.product_options.rows.size,
      name: inEachLanguage(database, 'Size'),
      public_name: inEachLanguage(database, 'Size'),
    });
  const values = rowsOf(database, 'product_option_values', (row) => row.id_attribute_group === option.id);
  return (
    values.find((row) => row.name[DEFAULT_LANGUAGE] === size) ??
    insertRow(database, 'product_option_values', {
      id_attribute_group: option.id,
      position: values.length,
      name: inEachLanguage(database, size),
    })
  ).id;
}
