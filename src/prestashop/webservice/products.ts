import { Big } from 'big.js';
import pLimit from 'p-limit';
import type { Model } from '../../domain/product.ts';
import { notYet, ShopAnswerError } from '../../failures.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { ProductsCreated } from '../shop.ts';
import type { Fields, Resource, Webservice } from './api.ts';
import { readProducts, type ShopProduct } from './catalogue.ts';
import { languageRow, namedRow, optionValueRow } from './rows.ts';

export interface ProductSettings {
  /** Whether shoppers see a new product at once; staff add pictures first otherwise. */
  readonly active: boolean;
  /** Id of the category that new products go into. */
  readonly category: number;
  /** Id of the tax group, and the percentage that Proshop's prices include. */
  readonly taxRulesGroup: number;
  readonly taxRate: number;
  /** Name of the attribute that sizes are. */
  readonly sizeAttribute: string;
  /** What the only size of a product is called that Proshop gives none. */
  readonly onlySize: string;
  /** Milliseconds after which a request that had no answer is not at work any more. */
  readonly patience: number;
  readonly concurrency: number;
}

/**
 * Creates the products and sizes that the shop does not have. Nothing is unique in PrestaShop, so everything is looked
 * for before it is made, and what was asked for without an answer is waited for before it is asked for again.
 */
export function createProductMaker(
  { api, ledger }: { readonly api: Webservice; readonly ledger: Ledger },
  settings: ProductSettings,
) {
  return async function createMissing(
    models: readonly Model[],
    signal: AbortSignal,
  ): Promise<ProductsCreated> {
    const products = await readProducts(api, signal);
    const byReference = new Map<string, (typeof products)[number]>();
    // Two products of one model: the first one is it.
    for (const product of products.toReversed()) byReference.set(product.reference, product);
    const eans = new Set(
      products.flatMap(({ ean, combinations }) => [
        ean,
        ...combinations.map((combination) => combination.ean),
      ]),
    );
    const problems: string[] = [];

    const work = models.flatMap((model) => {
      const product = byReference.get(model.reference);
      const known = new Set(product ? [product.ean, ...product.combinations.map(({ ean }) => ean)] : []);
      const missing = model.sizes.filter(({ ean }) => !known.has(ean));
      if (missing.length === 0 && product !== undefined) return [];
      const elsewhere = missing.filter(({ ean }) => eans.has(ean));
      for (const { ean, size } of elsewhere)
        problems.push(
          `Expected barcode ${ean} (${model.reference}, ${size}) to be free, got it on another product of the shop`,
        );
      if (product === undefined && model.price === null) {
        problems.push(`Expected a price of ${model.reference}, got none`);
        return [];
      }
      // A product that was made without sizes has a stock of its own, which sizes would hide.
      if (
        product !== undefined &&
        product.combinations.length === 0 &&
        known.has(product.ean) &&
        product.ean !== ''
      ) {
        problems.push(`Expected ${model.reference} to have sizes, got a product without`);
        return [];
      }
      const sizes = missing.filter((size) => !elsewhere.includes(size));
      return sizes.length === 0 ? [] : [{ model, product, sizes }];
    });
    if (work.length === 0) return { references: [], sizesAdded: 0, problems };

    const shop = await prepare(work);
    const limit = pLimit(settings.concurrency);
    const results = await Promise.allSettled(work.map((one) => limit(() => make(one, shop))));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    return {
      references: work.filter(({ product }) => product === undefined).map(({ model }) => model.reference),
      sizesAdded: work.reduce(
        (sum, { product, sizes }) => sum + (product === undefined ? 0 : sizes.length),
        0,
      ),
      problems,
    };

    /** What many products share is found or made first, one after the other, so that nothing is made twice. */
    async function prepare(work: readonly Work[]): Promise<Shared> {
      const active = (await api.list('languages', languageRow, {}, signal)).filter(
        (language) => language.active,
      );
      const languages = active.map(({ id }) => id);
      const inAll = (text: string) => ({ language: languages.map((id) => ({ '@id': id, '#': text })) });
      const newModels = work.filter(({ product }) => product === undefined).map(({ model }) => model);
      const suppliers = [...new Set(newModels.map(({ supplier }) => clean(supplier)))].filter(
        (name) => name !== '',
      );
      const brandIds = await findOrMake('manufacturers', suppliers, (name) => ({ active: 1, name }));
      const supplierIds = await findOrMake('suppliers', suppliers, (name) => ({ active: 1, name }));
      const [attribute = 0] = (
        await findOrMake('product_options', [settings.sizeAttribute], (name) => ({
          is_color_group: 0,
          group_type: 'select',
          name: inAll(name),
          public_name: inAll(name),
        }))
      ).values();
      const sizes = [...new Set(work.flatMap((one) => one.sizes.map(({ size }) => sizeName(size))))];
      const sizeIds = await findOrMake(
        'product_option_values',
        sizes,
        (name) => ({ id_attribute_group: attribute, name: inAll(name) }),
        (row) => row.id_attribute_group === attribute,
      );
      return { inAll, brandIds, supplierIds, sizeIds };
    }

    function sizeName(size: string): string {
      return clean(size) || settings.onlySize;
    }

    async function findOrMake(
      resource: 'manufacturers' | 'suppliers' | 'product_options' | 'product_option_values',
      names: readonly string[],
      fieldsOf: (name: string) => Fields,
      belongs: (row: { readonly id_attribute_group: number }) => boolean = () => true,
    ): Promise<ReadonlyMap<string, number>> {
      const ids = new Map<string, number>();
      const look = async () => {
        const rows =
          resource === 'product_option_values'
            ? (await api.list(resource, optionValueRow, {}, signal)).filter(belongs)
            : await api.list(resource, namedRow, {}, signal);
        for (const { id, name } of rows.toReversed()) ids.set(sameName(name), id);
      };
      await look();
      for (const name of names) {
        if (ids.has(sameName(name))) continue;
        ids.set(sameName(name), await makeOnce(`${resource} ${name}`, resource, fieldsOf(name)));
      }
      return new Map(names.map((name) => [name, ids.get(sameName(name)) ?? 0]));
    }

    async function make({ model, product, sizes }: Work, shop: Shared): Promise<void> {
      const productId = product?.id ?? (await makeProduct(model, shop));
      const hasDefault = product?.combinations.some(({ isDefault }) => isDefault) ?? false;
      for (const [index, { size, ean }] of sizes.entries()) {
        await makeOnce(`combinations ${ean}`, 'combinations', {
          id_product: productId,
          ean13: ean,
          reference: model.reference,
          price: 0,
          minimal_quantity: 1,
          ...(index === 0 && !hasDefault ? { default_on: 1 } : {}),
          associations: {
            product_option_values: { product_option_value: { id: shop.sizeIds.get(sizeName(size)) } },
          },
        });
      }
    }

    function makeProduct(model: Model, { inAll, brandIds, supplierIds }: Shared): Promise<number> {
      const name = clean(model.name || model.reference).slice(0, LONGEST_NAME);
      const supplier = clean(model.supplier);
      return makeOnce(`products ${model.reference}`, 'products', {
        id_manufacturer: brandIds.get(supplier) ?? 0,
        id_supplier: supplierIds.get(supplier) ?? 0,
        id_category_default: settings.category,
        id_tax_rules_group: settings.taxRulesGroup,
        reference: model.reference,
        price: withoutTax(model.price ?? '0', settings.taxRate),
        state: 1,
        active: settings.active ? 1 : 0,
        available_for_order: 1,
        show_price: 1,
        minimal_quantity: 1,
        visibility: 'both',
        product_type: 'combinations',
        name: inAll(name),
        link_rewrite: inAll(slug(name)),
        associations: { categories: { category: { id: settings.category } } },
      });
    }

    /**
     * Makes one entity. A request that had no answer may be at work still: it is not made again before that is over, and
     * then only when it is not there.
     */
    async function makeOnce(job: string, resource: Resource, fields: Fields): Promise<number> {
      const calledAt = await ledger.openCall(job);
      if (calledAt !== null && Math.abs(Date.now() - calledAt.getTime()) < settings.patience) {
        throw notYet(`The shop has not answered when it was asked to make ${job}: it may still be at it`);
      }
      await ledger.beginCall(job, new Date());
      try {
        const id = await api.create(resource, fields, signal);
        await ledger.endCall(job);
        return id;
      } catch (error) {
        if (error instanceof ShopAnswerError && !error.mayHaveBegun) await ledger.endCall(job);
        throw error;
      }
    }
  };
}

interface Work {
  readonly model: Model;
  /** Undefined when it is to be made. */
  readonly product: ShopProduct | undefined;
  readonly sizes: Model['sizes'];
}

interface Shared {
  /** A text in each of the shop's languages. */
  readonly inAll: (text: string) => Fields;
  readonly brandIds: ReadonlyMap<string, number>;
  readonly supplierIds: ReadonlyMap<string, number>;
  readonly sizeIds: ReadonlyMap<string, number>;
}

const LONGEST_NAME = 128;

/** Takes out what PrestaShop refuses in a name, in any version, and what XML cannot hold. */
function clean(name: string): string {
  return name
    .replace(/[<>;=#{}]/g, ' ')
    .replace(/[\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

/** PrestaShop compares names without case and accents, and would show both. */
function sameName(name: string): string {
  return clean(name).toLowerCase();
}

/** Six decimals, as PrestaShop stores it. */
function withoutTax(price: string, taxRate: number): string {
  return new Big(price).div(new Big(100).plus(taxRate)).times(100).toFixed(6);
}

function slug(name: string): string {
  const plain = name.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
  return plain.replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '') || 'produit';
}
