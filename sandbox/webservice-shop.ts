import { randomBytes } from 'node:crypto';
import { Big } from 'big.js';
import { instant } from './clock.ts';
import type { ScaledClock } from './clock.ts';
import { productName } from './scenario.ts';
import type { OrderSeed, Scenario } from './scenario.ts';
import { FIRST_ORDER } from './shop.ts';
import type { Shop, ShopOrder, ShopOrderLine } from './shop.ts';
import type { OrderStanding, TruthLife, TruthRefund, TruthRequest, TruthWebservice } from './truth.ts';
import { addProduct, articleOf, listProducts, withTax } from './webservice/catalog.ts';
import { openCheckout } from './webservice/checkout.ts';
import type { Checkout, PlaceOptions } from './webservice/checkout.ts';
import type { Database } from './webservice/database.ts';
import { rowOf, rowsOf } from './webservice/database.ts';
import type { LanguageSeed } from './webservice/install-shop.ts';
import { installShop } from './webservice/install-shop.ts';
import { createLookup } from './webservice/lookup.ts';
import { CANCELLED, PAYMENT_ERROR, REFUNDED } from './webservice/order-states.ts';
import { taxRate } from './webservice/rendered.ts';
import type { LoggedRequest, Webservice, WebserviceOptions } from './webservice/server.ts';
import { startWebservice } from './webservice/server.ts';
import type { Version } from './webservice/site.ts';
import { DEFAULT_LANGUAGE } from './webservice/site.ts';

export interface WebserviceShopOptions {
  readonly version: Version;
  /** How many times slower than measured an order is made; 0 for as fast as it goes. 1 when left out. */
  readonly slowness?: number;
  /** How long requests take, in real milliseconds; nothing when left out. */
  readonly serviceTime?: WebserviceOptions['serviceTime'];
  /** A free one when left out. */
  readonly port?: number;
}

/** The way in for passerelle, and for tests. */
export interface WebserviceAccess {
  readonly url: string;
  readonly key: string;
  readonly server: Webservice;
  /** What shoppers and the merchant do to orders. Every order, change and refund that goes through it gets into the truth. */
  readonly checkout: Checkout;
}

/** A PrestaShop that passerelle reaches by its Webservice. */
export interface WebserviceShop extends Shop {
  readonly access: WebserviceAccess;
  /** What only its tables and its log tell. */
  truth(): TruthWebservice;
  /** Faults that requests have met. */
  sabotage(): readonly string[];
  stop(): Promise<void>;
}

/** What the scenario's prices include, percent; new products get it too. */
export const TAX = { group: 1, rate: 20 } as const;
/** The attribute that sizes are in this shop. */
export const SIZE_ATTRIBUTE = 'Size';
/** The category that products go into. */
export const CATEGORY = 2;

const LANGUAGES: readonly LanguageSeed[] = [
  {
    name: 'Français (French)',
    iso_code: 'fr',
    locale: 'fr-FR',
    language_code: 'fr-fr',
    date_format_lite: 'd/m/Y',
  },
  {
    name: 'English (English)',
    iso_code: 'en',
    locale: 'en-GB',
    language_code: 'en-gb',
    date_format_lite: 'm/d/Y',
  },
];

/** What the tables do not keep of an order. */
interface Placed {
  readonly seed: OrderSeed;
  readonly placedAt: string;
  readonly lines: readonly ShopOrderLine[];
  readonly changes: { readonly at: string; readonly standing: OrderStanding }[];
  stockBackAt: string | null;
  readonly refunds: TruthRefund[];
}

/** Opens the shop with the scenario's products, and its Webservice on 127.0.0.1. */
export async function startWebserviceShop(
  scenario: Scenario,
  options: WebserviceShopOptions,
  clock: ScaledClock,
): Promise<WebserviceShop> {
  const database = installShop({
    name: 'Boutique',
    languages: LANGUAGES,
    taxes: [{ rate: TAX.rate, tax: 'TVA FR 20%', group: 'FR Taux standard (20%)' }],
    at: shopTime(`${scenario.start}.000`),
  });
  database.orders.next = FIRST_ORDER;
  for (const seed of scenario.products.filter(({ inShop }) => inShop)) {
    addProduct(database, {
      reference: seed.reference,
      name: productName(seed),
      price: seed.price,
      supplier: seed.supplier,
      manufacturer: seed.supplier,
      variants: seed.variants.map(({ size, ean, stock }) => ({ size, ean, quantity: stock })),
    });
  }
  for (const { stock, ...voucher } of scenario.vouchers) {
    addProduct(database, { ...voucher, quantity: stock });
  }

  const key = randomBytes(16).toString('hex');
  const server = await startWebservice(database, {
    version: options.version,
    key,
    localTime: () => shopTime(clock.time()),
    ...(options.port === undefined ? {} : { port: options.port }),
    ...(options.serviceTime === undefined ? {} : { serviceTime: options.serviceTime }),
  });
  const placed = new Map<number, Placed>();
  const going = new Set<Promise<void>>();
  const checkout = openCheckout(server.site, { slowness: options.slowness ?? 1 });
  const standingOf = (order: number) => standing(database, rowOf(database, 'orders', order).current_state);

  const place = (seed: OrderSeed, through: Checkout, time: () => string, placing?: PlaceOptions) => {
    const placedAt = time();
    const order = through.placeOrder(seed, placing);
    const noted: Placed = {
      seed,
      placedAt,
      lines: seed.lines.map((line) => lineOf(database, line)),
      changes: [],
      stockBackAt: null,
      refunds: [],
    };
    placed.set(order.id, noted);
    const finished = order.finished.finally(() => {
      going.delete(finished);
      const standing = standingOf(order.id);
      if (standing !== 'incomplete') noted.changes.push({ at: time(), standing });
    });
    going.add(finished);
    return { ...order, finished };
  };
  /** An order of before the start: made at once, at its own time. */
  const placeEarlier = (seed: OrderSeed, at: string) => {
    const site = { ...server.site, localTime: () => shopTime(at) };
    return place(seed, openCheckout(site, { slowness: 0 }), () => at);
  };

  const noted: Checkout = {
    placeOrder: (seed, placing) => place(seed, checkout, () => clock.time(), placing),
    changeState: (order, state, change) => {
      const { current_state: before } = rowOf(database, 'orders', order);
      checkout.changeState(order, state, change);
      const known = placed.get(order);
      if (known === undefined) return;
      known.changes.push({ at: clock.time(), standing: standingOf(order) });
      // An order that was never made to its end moves without its stock.
      if (before === 0) return;
      if (state === CANCELLED || state === PAYMENT_ERROR) known.stockBackAt ??= clock.time();
      else if (rowOf(database, 'order_states', state).logable) known.stockBackAt = null;
    },
    refund: (order, rows, how = {}) => {
      const slip = checkout.refund(order, rows, how);
      const lines = rows.map(({ row, quantity }) => ({
        ean: codeOf(database, rowOf(database, 'order_details', row).product_attribute_id, row),
        quantity,
      }));
      placed.get(order)?.refunds.push({ at: clock.time(), restock: how.restock ?? false, lines });
      return slip;
    },
  };

  return {
    access: { url: server.url, key, server, checkout: noted },
    get products() {
      return listProducts(database);
    },
    get orders() {
      return [...placed].map(([id, order]) => shownOrder(database, id, order, standingOf(id)));
    },
    carts: new Map(),
    placeOrder: (seed, at) => (at === undefined ? noted.placeOrder(seed) : placeEarlier(seed, at)).id,
    settled: async () => {
      while (going.size > 0) await Promise.all(going);
    },
    truth: () => ({ requests: requestsOf(server.requests, clock), ...catalogueOf(database) }),
    sabotage: () =>
      server.requests.flatMap(({ method, resource, fault }) =>
        fault === undefined ? [] : [`webservice ${method} ${resource}: ${fault}`],
      ),
    stop: async () => {
      await Promise.allSettled(going);
      await server.stop();
    },
  };
}

/** `2026-11-24T10:54:30.000` as PrestaShop writes it: `2026-11-24 10:54:30`. */
function shopTime(time: string): string {
  return new Date(instant(time)).toISOString().slice(0, 19).replace('T', ' ');
}

/** As the shop installs its states: 6 and 8 put the units back, 7 does not. */
function standing(database: Database, state: number): OrderStanding {
  if (state === 0) return 'incomplete';
  if ([CANCELLED, REFUNDED, PAYMENT_ERROR].includes(state)) return 'cancelled';
  return rowOf(database, 'order_states', state).paid ? 'sold' : 'waiting';
}

function lineOf(database: Database, { ean, quantity, gencod }: OrderSeed['lines'][number]): ShopOrderLine {
  const product = articleOf(database, ean)?.product;
  return {
    ean,
    gencod: gencod !== false,
    reference: product?.reference ?? '',
    quantity,
    unitPrice: withTax(product?.price ?? '0', taxRate(database, product?.id_tax_rules_group ?? 0)),
  };
}

/** The code of what a row of an order sold, whether the row bears it or not. */
function codeOf(database: Database, combination: number, row: number): string {
  return (
    database.combinations.rows.get(combination)?.ean13 ?? rowOf(database, 'order_details', row).product_ean13
  );
}

function shownOrder(
  database: Database,
  id: number,
  { seed, placedAt, lines, changes, stockBackAt, refunds }: Placed,
  standing: OrderStanding,
): ShopOrder {
  const row = rowOf(database, 'orders', id);
  const life: TruthLife = { standing, changes, stockBackAt, refunds };
  return {
    id,
    reference: row.reference,
    placedAt,
    customer: seed.customer,
    delivery: seed.delivery,
    payment: seed.payment,
    voucher: seed.voucher,
    total: new Big(row.total_paid_tax_incl).times(100).round(0).toNumber(),
    lines,
    life,
  };
}

function requestsOf(requests: readonly LoggedRequest[], clock: ScaledClock): readonly TruthRequest[] {
  const [now, real] = [clock.now().getTime(), performance.now()];
  const sandboxTime = (at: number) => new Date(now - (real - at) * clock.scale).toISOString().slice(0, -1);
  return requests
    .filter(({ resource }) => resource === 'orders' || resource === 'stock_availables')
    .map(({ method, resource, start, end, status }) => ({
      method,
      resource,
      startedAt: sandboxTime(start),
      endedAt: end === undefined ? null : sandboxTime(end),
      status: status ?? null,
    }));
}

function catalogueOf(database: Database): Omit<TruthWebservice, 'requests'> {
  const lookup = createLookup(database);
  const nameOf = (row: { readonly name: Record<number, string> } | undefined) =>
    row?.name[DEFAULT_LANGUAGE] ?? '';
  return {
    products: listProducts(database).map(({ reference, quantity, variants }) => ({
      reference,
      total: quantity,
      sizes: variants.map((variant) => ({
        ean: variant.ean,
        quantity: variant.quantity,
        values: lookup
          .links('combinationValues', 'combination', variant.id)
          .map(({ value }) => nameOf(database.product_option_values.rows.get(value))),
        isDefault: rowOf(database, 'combinations', variant.id).default_on,
      })),
    })),
    brands: rowsOf(database, 'manufacturers').map(({ name }) => name),
    suppliers: rowsOf(database, 'suppliers').map(({ name }) => name),
    attributes: rowsOf(database, 'product_options').map((option) => ({
      name: nameOf(option),
      values: lookup.rows('product_option_values', 'id_attribute_group', option.id).map(nameOf),
    })),
  };
}
