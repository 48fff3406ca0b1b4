import type { z } from 'zod';
import type { Resource, Webservice } from './api.ts';
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
  readonly combinations: readonly {
    readonly id: number;
    readonly ean: string;
    readonly values: readonly number[];
    readonly isDefault: boolean;
  }[];
}

/** Reads every product and every size of the shop. */
export async function readProducts(
  api: Webservice,
  signal: AbortSignal,
): Promise<readonly (ShopProduct & { readonly ean: string })[]> {
  const [products, combinations] = await Promise.all([
    readAll(api, 'products', productRow, signal),
    readAll(api, 'combinations', combinationRow, signal),
  ]);
  const byProduct = new Map<number, ShopProduct['combinations'][number][]>();
  for (const { id, id_product, ean13, default_on, associations } of combinations) {
    const known = byProduct.get(id_product);
    const combination = {
      id,
      ean: ean13.trim(),
      values: associations.product_option_values,
      isDefault: default_on,
    };
    if (known) known.push(combination);
    else byProduct.set(id_product, [combination]);
  }
  return products.map(({ id, reference, ean13 }) => ({
    id,
    reference: reference.trim(),
    ean: ean13.trim(),
    combinations: byProduct.get(id) ?? [],
  }));
}

/** Everything that has a stock of its own. */
export function variantsOf(products: Awaited<ReturnType<typeof readProducts>>): ShopVariant[] {
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
  return readAll(api, 'stock_availables', stockRow, signal);
}

/** Page by page, each from the last id on: what is made or deleted meanwhile moves no page. */
async function readAll<Row extends z.ZodObject>(
  api: Webservice,
  resource: Resource,
  row: Row,
  signal: AbortSignal,
): Promise<readonly z.output<Row>[]> {
  const all: z.output<Row>[] = [];
  for (let last = 0; ;) {
    const query = { filter: { id: `>[${last}]` }, sort: ['id_ASC'], limit: [0, PAGE] as const };
    const page = await api.list(resource, row, query, signal);
    for (const found of page) all.push(found);
    if (page.length < PAGE) return all;
    last = Number(page.at(-1)?.id);
  }
}
