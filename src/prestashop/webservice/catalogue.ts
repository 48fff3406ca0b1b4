import type { z } from 'zod';
import type { Query, Resource, Webservice } from './api.ts';
import { combinationRow, productRow, stockRow, type StockRow } from './rows.ts';

const PAGE = 2_000;

/** One thing that a shopper can put into the cart: a size of a product, or a product without sizes. */
export interface ShopVariant {
  readonly productId: number;
  /** 0 = the product has no sizes. */
  readonly combinationId: number;
  /** Of the product: the model. */
  readonly reference: string;
  /** Empty when the shop has none. */
  readonly ean: string;
}

export interface ShopProduct {
  readonly id: number;
  readonly reference: string;
  /** Of a product without sizes; empty when the shop has none. */
  readonly ean: string;
  /** `combinations` for one that is to have sizes. */
  readonly type: string;
  /** 0 = none. */
  readonly supplierId: number;
  readonly combinations: readonly ShopCombination[];
}

export interface ShopCombination {
  readonly id: number;
  readonly ean: string;
  /** Ids of the values of options, such as a size, that it stands for. */
  readonly values: readonly number[];
  /** Whether it is the one that is shown first: one of a product at most. */
  readonly isDefault: boolean;
}

/** Reads every product and every size of the shop. */
export async function readProducts(api: Webservice, signal: AbortSignal): Promise<readonly ShopProduct[]> {
  const [products, combinations] = await Promise.all([
    readAll(api, 'products', productRow, {}, signal),
    readAll(api, 'combinations', combinationRow, {}, signal),
  ]);
  const byProduct = new Map<number, ShopCombination[]>();
  for (const row of combinations) {
    const known = byProduct.get(row.id_product);
    if (known) known.push(toCombination(row));
    else byProduct.set(row.id_product, [toCombination(row)]);
  }
  return products.map(({ id, reference, ean13, product_type, id_supplier }) => ({
    id,
    reference: reference.trim(),
    ean: ean13.trim(),
    type: product_type,
    supplierId: id_supplier,
    combinations: byProduct.get(id) ?? [],
  }));
}

/** Whether the shop has a product of this reference now. */
export async function hasProduct(api: Webservice, reference: string, signal: AbortSignal): Promise<boolean> {
  // These mean something in a filter, and cannot be escaped.
  const filter: Query['filter'] = /[[\]|,]/.test(reference) ? {} : { reference: `[${reference}]` };
  const found = await readAll(api, 'products', productRow, filter, signal);
  return found.some((product) => product.reference.trim() === reference);
}

/** Reads the sizes that a product has now. */
export async function readCombinations(
  api: Webservice,
  productId: number,
  signal: AbortSignal,
): Promise<readonly ShopCombination[]> {
  const filter = { id_product: `[${productId}]` };
  return (await readAll(api, 'combinations', combinationRow, filter, signal)).map(toCombination);
}

function toCombination({
  id,
  ean13,
  default_on,
  associations,
}: z.output<typeof combinationRow>): ShopCombination {
  return { id, ean: ean13.trim(), values: associations.product_option_values, isDefault: default_on };
}

/** Everything that has a stock of its own. */
export function variantsOf(products: readonly ShopProduct[]): ShopVariant[] {
  return products.flatMap(({ id, reference, ean, combinations }) =>
    combinations.length === 0
      ? [{ productId: id, combinationId: 0, reference, ean }]
      : combinations.map((combination) => ({
          productId: id,
          combinationId: combination.id,
          reference,
          ean: combination.ean,
        })),
  );
}

/** Reads every stock row, those of products as a whole too. */
export function readStockRows(api: Webservice, signal: AbortSignal): Promise<readonly StockRow[]> {
  return readAll(api, 'stock_availables', stockRow, {}, signal);
}

/** Page by page, each from the last id on: what is made or deleted meanwhile moves no page. */
async function readAll<Row extends z.ZodObject>(
  api: Webservice,
  resource: Resource,
  row: Row,
  filter: Query['filter'],
  signal: AbortSignal,
): Promise<readonly z.output<Row>[]> {
  const all: z.output<Row>[] = [];
  for (let last = 0; ;) {
    const query = {
      filter: { ...filter, id: `>[${last}]` },
      sort: ['id_ASC'],
      limit: [0, PAGE] as const,
    };
    const page = await api.list(resource, row, query, signal);
    for (const found of page) all.push(found);
    if (page.length < PAGE) return all;
    last = Number(page.at(-1)?.id);
  }
}
