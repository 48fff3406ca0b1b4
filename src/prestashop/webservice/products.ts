import { Big } from 'big.js';
import pLimit from 'p-limit';
import type { Model } from '../../domain/product.ts';
import { notYet, ShopAnswerError } from '../../failures.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { ProductsCreated } from '../shop.ts';
import type { Fields, Webservice } from './api.ts';
import {
  hasProduct,
  readCombinations,
  readProducts,
  type ShopCombination,
  type ShopProduct,
} from './catalogue.ts';
import { startDeadline } from '../deadline.ts';
import { idRow, namedRow, namesRow, productSupplierRow } from './rows.ts';

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
  /** Milliseconds after which a request that had no answer is not at work any more; it is given up after half of them. */
  readonly patience: number;
  readonly concurrency: number;
}

/**
 * Creates the products and sizes that the shop does not have. Nothing is unique in PrestaShop: so whatever is to be made
 * is claimed in the ledger first, then looked for, and made when it is not there.
 */
export function createProductMaker(
  { api, ledger }: { readonly api: Webservice; readonly ledger: Ledger },
  settings: ProductSettings,
) {
  return async function createMissing(
    models: readonly Model[],
    signal: AbortSignal,
  ): Promise<ProductsCreated> {
    const { work, problems } = findMissing(models, await readProducts(api, signal));
    if (work.length === 0) return { references: [], sizesAdded: 0, problems: [...problems] };

    const shared = await prepare();
    const made = new Set<Model>();
    let sizesAdded = 0;
    const limit = pLimit(settings.concurrency);
    const results = await Promise.allSettled(work.map((one) => limit(() => make(one))));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    const references = models.filter((model) => made.has(model)).map(({ reference }) => reference);
    return { references, sizesAdded, problems: [...problems] };

    async function make({ model, product, sizes }: Work): Promise<void> {
      const productId = product?.id ?? (await makeProduct(model));
      if (productId === null) return;
      const supplierId = product?.supplierId ?? shared.supplierOf(model);
      // Before the sizes: once there is one, the product has what it was to have, or staff have taken it away.
      if (product === undefined || product.combinations.length === 0)
        await linkSupplier(productId, supplierId);
      const added = await makeSizes(model, productId, sizes);
      if (product === undefined) made.add(model);
      else sizesAdded += added;
    }

    /** Gives the product's id; null when the shop refuses it, which is told. */
    async function makeProduct(model: Model): Promise<number | null> {
      try {
        return await claimed(`product ${model.reference}`, async (inTime) => {
          if (await hasProduct(api, model.reference, inTime)) {
            throw notYet(`Expected no product ${model.reference} in the shop, got one made meanwhile`);
          }
          return api.create('products', productFields(model), inTime);
        });
      } catch (error) {
        if (!isBadRequest(error)) throw error;
        problems.add(`${error.message} (${model.reference})`);
        return null;
      }
    }

    function productFields(model: Model): Fields {
      const name = named(model.name, LONGEST.product) || named(model.reference, LONGEST.product);
      return {
        id_manufacturer: shared.brandOf(model),
        id_supplier: shared.supplierOf(model),
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
        product_type: WITH_SIZES,
        name: shared.inAll(name),
        link_rewrite: shared.inAll(slug(name)),
        associations: { categories: { category: { id: settings.category } } },
      };
    }

    /** Back office and supplier's page go by this link, not by the product's own field. */
    async function linkSupplier(productId: number, supplierId: number): Promise<void> {
      if (supplierId === 0) return;
      await claimed(`supplier of product ${productId}`, async (inTime) => {
        const filter = { id_product: `[${productId}]` };
        const links = await api.list('product_suppliers', productSupplierRow, { filter }, inTime);
        if (links.some((link) => link.id_supplier === supplierId)) return;
        const link = {
          id_product: productId,
          id_product_attribute: 0,
          id_supplier: supplierId,
          id_currency: shared.currency,
        };
        await api.create('product_suppliers', link, inTime);
      });
    }

    /** Gives how many were made; tells the others. */
    async function makeSizes(model: Model, productId: number, sizes: Model['sizes']): Promise<number> {
      try {
        return await claimed(`sizes of product ${productId}`, async (inTime) => {
          const there = await readCombinations(api, productId, inTime);
          const free = findFree(model, sizes, there);
          const hasDefault = there.some(({ isDefault }) => isDefault);
          const combinations = free.map(({ ean, value }, index) => ({
            id_product: productId,
            ean13: ean,
            reference: model.reference,
            price: 0,
            minimal_quantity: 1,
            ...(index === 0 && !hasDefault ? { default_on: 1 } : {}),
            associations: { product_option_values: { product_option_value: { id: value } } },
          }));
          await api.createSeveral('combinations', combinations, inTime);
          return free.length;
        });
      } catch (error) {
        if (!isBadRequest(error)) throw error;
        // Which one it was is not said: each by itself, those that were made before it are found.
        const [only, ...others] = sizes;
        if (only !== undefined && others.length === 0) {
          problems.add(`${error.message} (${model.reference}, size ${only.size}, ${only.ean})`);
          return 0;
        }
        let made = 0;
        for (const size of sizes) made += await makeSizes(model, productId, [size]);
        return made;
      }
    }

    /** Sizes that can be put beside these combinations: in a shop, a product has one of each size. */
    function findFree(
      model: Model,
      sizes: Model['sizes'],
      there: readonly ShopCombination[],
    ): { readonly ean: string; readonly value: number }[] {
      const { reference } = model;
      const missing = sizes.filter(({ ean }) => !there.some((combination) => combination.ean === ean));
      // A combination by two options has two values.
      const isSize = ({ values }: ShopCombination) =>
        values.length === 1 && values.every((value) => shared.sizeOf.has(value));
      if (missing.length > 0 && !there.every(isSize)) {
        problems.add(
          `Expected ${reference} to have combinations by \`${settings.sizeAttribute}\` alone, got others in the shop: its new sizes are not made`,
        );
        return [];
      }
      const eans = new Map(there.map(({ ean, values: [value = 0] }) => [shared.sizeOf.get(value), ean]));
      return missing.flatMap(({ ean, size }) => {
        const value = shared.valueOf(size);
        const other = eans.get(value);
        if (other === undefined) {
          eans.set(value, ean);
          return [{ ean, value }];
        }
        problems.add(
          `Expected one barcode for size ${sizeName(size)} of ${reference}, got ${ean} beside ${other || 'none in the shop'}`,
        );
        return [];
      });
    }

    /** What many products share is found or made before the first of them. */
    async function prepare() {
      const languages = await api.list('languages', idRow, { sort: BY_ID }, signal);
      const inAll = (text: string) => ({ language: languages.map(({ id }) => ({ '@id': id, '#': text })) });
      const supplierName = ({ supplier }: Model) => named(supplier, LONGEST.supplier);
      const suppliers = work
        .flatMap(({ model, product }) => (product === undefined ? [supplierName(model)] : []))
        .filter((name) => name !== '');
      const brands = await findOrMake('manufacturers', suppliers, listNamed('manufacturers'), activeNamed);
      const shopSuppliers = await findOrMake('suppliers', suppliers, listNamed('suppliers'), activeNamed);
      const attribute = named(settings.sizeAttribute, LONGEST.option);
      const attributes = await findOrMake(
        'product_options',
        [attribute],
        (inTime) => api.list('product_options', namesRow, { sort: BY_ID }, inTime),
        (name) => ({ is_color_group: 0, group_type: 'select', name: inAll(name), public_name: inAll(name) }),
      );
      const attributeId = attributes.idOf(attribute);
      const filter = { id_attribute_group: `[${attributeId}]` };
      const values = await findOrMake(
        'product_option_values',
        work.flatMap(({ sizes }) => sizes.map(({ size }) => sizeName(size))),
        (inTime) => api.list('product_option_values', namesRow, { filter, sort: BY_ID }, inTime),
        (name) => ({ id_attribute_group: attributeId, name: inAll(name) }),
      );
      const currencies = { filter: { active: '[1]', deleted: '[0]' }, sort: BY_ID, limit: [0, 1] } as const;
      const [currency] = await api.list('currencies', idRow, currencies, signal);
      return {
        /** A text in each of the shop's languages, whether they are shown or not yet. */
        inAll,
        brandOf: (model: Model) => brands.idOf(supplierName(model)),
        supplierOf: (model: Model) => shopSuppliers.idOf(supplierName(model)),
        valueOf: (size: string) => values.idOf(sizeName(size)),
        sizeOf: values.firstOf,
        currency: currency?.id ?? 0,
      };
    }

    function listNamed(resource: 'manufacturers' | 'suppliers') {
      return async (inTime: AbortSignal) => {
        const rows = await api.list(resource, namedRow, { sort: BY_ID }, inTime);
        return rows.map(({ id, name }) => ({ id, name: [name] }));
      };
    }

    async function findOrMake(
      resource: 'manufacturers' | 'suppliers' | 'product_options' | 'product_option_values',
      names: readonly string[],
      list: (inTime: AbortSignal) => Promise<readonly NamedThing[]>,
      fieldsOf: (name: string) => Fields,
    ): Promise<Found> {
      // Of several spellings, the first one that comes is made.
      const wanted = new Map<string, string>();
      for (const name of names) if (!wanted.has(sameName(name))) wanted.set(sameName(name), name);
      const find = async (inTime: AbortSignal) => {
        const found = foundIn(await list(inTime));
        return { found, missing: [...wanted.values()].filter((name) => found.idOf(name) === 0) };
      };
      if (names.length === 0) return foundIn([]);
      const before = await find(signal);
      if (before.missing.length === 0) return before.found;
      return claimed(resource, async (inTime) => {
        const { missing } = await find(inTime);
        await api.createSeveral(resource, missing.map(fieldsOf), inTime);
        const after = await find(inTime);
        if (after.missing.length === 0) return after.found;
        const what = after.missing.map((name) => `\`${name}\``).join(', ');
        throw new ShopAnswerError(
          `Expected ${what} among ${resource} of the shop once made, got none`,
          200,
          false,
        );
      });
    }

    /**
     * Does a look and one writing request while nobody else does the same: another run may be at it, or a request that
     * had no answer. Then it is not done before that is over.
     */
    async function claimed<Done>(job: string, act: (inTime: AbortSignal) => Promise<Done>): Promise<Done> {
      signal.throwIfAborted();
      if (!(await ledger.claimCall(job, new Date(), settings.patience))) {
        throw notYet(`Expected the shop to have made ${job}, got no answer yet: it may still be at it`);
      }
      const deadline = startDeadline(settings.patience / 2, signal);
      try {
        const done = await act(deadline.signal);
        await ledger.endCall(job);
        return done;
      } catch (error) {
        if (!(error instanceof ShopAnswerError && error.mayHaveBegun)) await ledger.endCall(job);
        throw error;
      } finally {
        deadline.end();
      }
    }
  };

  function sizeName(size: string): string {
    return named(size, LONGEST.value) || named(settings.onlySize, LONGEST.value);
  }
}

interface Work {
  readonly model: Model;
  /** Undefined when it is to be made. */
  readonly product: ShopProduct | undefined;
  /** At least one. */
  readonly sizes: Model['sizes'];
}

interface NamedThing {
  readonly id: number;
  readonly name: readonly string[];
}

interface Found {
  /** 0 where there is none of the name. */
  readonly idOf: (name: string) => number;
  /** Of those of one name, the first. */
  readonly firstOf: ReadonlyMap<number, number>;
}

/** In the order of their ids. */
function foundIn(things: readonly NamedThing[]): Found {
  const ids = new Map<string, number>();
  const firstOf = new Map<number, number>();
  for (const { id, name } of things) {
    const same = name.map(sameName);
    firstOf.set(id, same.map((one) => ids.get(one)).find((first) => first !== undefined) ?? id);
    for (const one of same) if (!ids.has(one)) ids.set(one, id);
  }
  return { idOf: (name) => ids.get(sameName(name)) ?? 0, firstOf };
}

/** What the shop lacks and can be given; and what it lacks and cannot. */
function findMissing(
  models: readonly Model[],
  products: readonly ShopProduct[],
): { readonly work: readonly Work[]; readonly problems: Set<string> } {
  const byReference = new Map<string, ShopProduct[]>();
  const owners = new Map<string, string>();
  for (const product of products) {
    const { reference } = product;
    byReference.set(reference, [...(byReference.get(reference) ?? []), product]);
    for (const ean of eansOf(product)) owners.set(ean, reference || 'a product without reference');
  }
  const problems = new Set<string>();

  const work = models.flatMap((model): Work[] => {
    const { reference } = model;
    const own = byReference.get(reference) ?? [];
    const [product, ...twins] = own;
    const known = new Set(own.flatMap(eansOf));
    const missing = model.sizes.filter(({ ean }) => !known.has(ean));
    if (product !== undefined && missing.length === 0) return [];
    const fault = product === undefined ? faultOf(model) : faultOfProduct(product);
    if (fault !== undefined) {
      problems.add(fault);
      return [];
    }
    const sizes = missing.filter(({ ean, size }) => {
      const owner = owners.get(ean);
      const where = `(${reference}, size ${size})`;
      if (owner !== undefined)
        problems.add(`Expected barcode ${ean} to be free, got it on ${owner} ${where}`);
      else if (ean.length > LONGEST.ean)
        problems.add(`Expected a barcode of at most ${LONGEST.ean} digits, got ${ean} ${where}`);
      else return true;
      return false;
    });
    if (sizes.length === 0) return [];
    for (const { ean } of sizes) owners.set(ean, reference);
    if (product !== undefined && twins.length > 0) {
      const ids = twins.map(({ id }) => id).join(', ');
      problems.add(
        `Expected one product ${reference} in the shop, got ${product.id} and ${ids}: new sizes go to ${product.id}`,
      );
    }
    return [{ model, product, sizes }];
  });
  return { work, problems };
}

function eansOf({ ean, combinations }: ShopProduct): string[] {
  return [ean, ...combinations.map((combination) => combination.ean)].filter((code) => code !== '');
}

/** Why no product can be made of a model. */
function faultOf({ reference, price, sizes }: Model): string | undefined {
  if (!REFERENCE.test(reference))
    return `Expected a reference of at most 64 characters without \`<>;={}\`, got \`${reference}\``;
  if (sizes.length === 0) return `Expected a size of ${reference} with a readable barcode, got none`;
  // It would be sold for nothing as soon as it is shown.
  if (price === null || new Big(price).lte(0))
    return `Expected a price of ${reference}, got ${price ?? 'none'}`;
  return undefined;
}

/** Why a product of the shop can be given no sizes. */
function faultOfProduct({ reference, type, combinations }: ShopProduct): string | undefined {
  // Its stock is its own, and sizes would hide it.
  if (combinations.length === 0 && type !== WITH_SIZES)
    return `Expected ${reference} to be a product with combinations, got one without in the shop`;
  return undefined;
}

function isBadRequest(error: unknown): error is ShopAnswerError {
  return error instanceof ShopAnswerError && error.status === 400;
}

const BY_ID = ['id_ASC'];
const WITH_SIZES = 'combinations';
/** What all versions take, in characters. */
const LONGEST = { product: 128, supplier: 64, option: 64, value: 128, ean: 13 };
const REFERENCE = /^[^<>;={}\p{Cc}\p{Cs}\uFFFE\uFFFF]{1,64}$/u;

function activeNamed(name: string): Fields {
  return { active: 1, name };
}

/** Takes out what PrestaShop refuses in a name, in any version, and what XML cannot hold. */
function named(text: string, longest: number): string {
  const clean = text
    .replace(/[<>;=#{}]/g, ' ')
    .replace(/[\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  // The cut may go through a character of two units.
  return clean
    .slice(0, longest)
    .replace(/\p{Cs}/u, '')
    .trim();
}

/** PrestaShop compares names without case and accents, and would show both. */
function sameName(name: string): string {
  return named(name, Infinity).normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}

/** Six decimals, as PrestaShop stores it. */
function withoutTax(price: string, taxRate: number): string {
  return new Big(price).times(100).div(new Big(100).plus(taxRate)).toFixed(6);
}

function slug(name: string): string {
  const plain = name.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
  return plain.replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '') || 'produit';
}
