import { randomUUID } from 'node:crypto';
import type { OrderSeed } from '../../sandbox/scenario.ts';
import { addProduct, shownQuantity } from '../../sandbox/webservice/catalog.ts';
import { openCheckout, type Checkout, type PlaceOptions } from '../../sandbox/webservice/checkout.ts';
import type { Database } from '../../sandbox/webservice/database.ts';
import { installShop } from '../../sandbox/webservice/install-shop.ts';
import { startWebservice, type Webservice, type WebserviceOptions } from '../../sandbox/webservice/server.ts';
import type { Version } from '../../sandbox/webservice/site.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import type { OrdersRound, StockPlanned, WrittenStock } from '../../src/prestashop/shop.ts';
import { openWebservice } from '../../src/prestashop/webservice/api.ts';
import { createOrderReader } from '../../src/prestashop/webservice/orders.ts';
import { createStockWriter } from '../../src/prestashop/webservice/stock.ts';
import { Secret } from '../../src/secret.ts';
import { seed, SETTINGS } from './read-orders.ts';

const KEY = 'K'.repeat(32);

export interface Size {
  readonly ean: string;
  readonly reference: string;
  readonly size: string;
  readonly quantity: number;
}

export interface ShopAndTillOptions {
  readonly version?: Version;
  readonly sizes: readonly Size[];
  readonly serviceTime?: WebserviceOptions['serviceTime'];
  /** Rounds of the closing sweep. */
  readonly rounds?: number;
  readonly batch?: number;
  /** How many times slower than measured the shop makes an order. */
  readonly slowness?: number;
  readonly timeout?: number;
}

/** A shop on the simulated Webservice, and a till that says what there is: without files, FTP and Temporal between them. */
export interface ShopAndTill {
  readonly database: Database;
  readonly webservice: Webservice;
  readonly checkout: Checkout;
  /** What Proshop has, by EAN. */
  readonly stock: Map<string, number>;
  /** Throws when the shop shows too few. */
  buy(
    ean: string,
    quantity?: number,
    options?: PlaceOptions,
  ): { readonly id: number; readonly finished: Promise<void> };
  shown(ean: string): number | undefined;
  /** Ids of the orders that Proshop has, of which its stock is reduced. */
  readonly taken: ReadonlySet<number>;
  /** Proshop takes every order that the ledger would send, and writes what it has then. */
  tillTakesOrders(): Promise<void>;
  /** Makes the shop's stock what Proshop has, less what it does not know; what is written counts as applied. */
  writeStock(kept?: readonly string[]): Promise<WrittenStock>;
  readOrders(): Promise<unknown>;
  stop(): Promise<void>;
}

/** An order of one line. */
export const orderOf = (ean: string, quantity = 1): OrderSeed => seed([[ean, quantity]]);

export async function openShopAndTill(ledger: Ledger, options: ShopAndTillOptions): Promise<ShopAndTill> {
  const { version = '8.2', sizes, rounds = 20, batch = 50, slowness = 1, timeout = 5_000 } = options;
  const database = installShop();
  for (const reference of new Set(sizes.map((size) => size.reference))) {
    const variants = sizes.filter((size) => size.reference === reference);
    addProduct(database, { reference, name: reference, price: 5_000, variants });
  }
  const webservice = await startWebservice(database, {
    version,
    key: KEY,
    localTime: () => new Date().toISOString().slice(0, 19).replace('T', ' '),
    ...(options.serviceTime === undefined ? {} : { serviceTime: options.serviceTime }),
  });
  const checkout = openCheckout(webservice.site, { slowness });
  const api = openWebservice({ url: webservice.url, key: new Secret(KEY), timeout, concurrency: 4 });
  const reader = createOrderReader({ api, ledger }, { ...SETTINGS, overlap: 2_000, timeZone: 'UTC' });
  const writer = createStockWriter({ api, ledger }, { batch, concurrency: 4, rounds });
  const stock = new Map(sizes.map(({ ean, quantity }) => [ean, quantity]));
  let exported = new Map(stock);
  const taken = new Set<number>();
  const { signal } = new AbortController();
  const round: OrdersRound = {
    cycle: 'c',
    step: 8,
    record: async (orders) => {
      if (orders.kind === 'exported') throw new Error('Expected orders as they are seen');
      const seen = orders.orders.map((order) => ({ ...order, byHand: false }));
      await ledger.recordShopOrders({ ...orders, cycle: 'c', step: 8, at: new Date(), orders: seen });
      return true;
    },
  };
  const readOrders = () => reader(round, signal);
  let exportId = await writeExport();

  async function writeExport(): Promise<string> {
    exported = new Map(stock);
    const id = randomUUID();
    const now = new Date();
    const file = {
      cycle: id,
      sha256: id,
      size: 1,
      modifiedAt: now,
      takenBefore: null,
      rows: 1,
      units: 1,
      appliedAt: null,
    };
    await ledger.recordExport({ id, ...file, begunAfter: now, collectedAt: now }, 0);
    return id;
  }

  async function planned(kept: readonly string[]): Promise<StockPlanned> {
    const { lines } = await ledger.outstanding();
    const variants = sizes.map(({ ean, reference, size }) => {
      const sold = lines.filter((line) => line.ean === ean).reduce((sum, { quantity }) => sum + quantity, 0);
      return { ean, reference, size, quantity: Math.max(0, (exported.get(ean) ?? 0) - sold) };
    });
    return { variants: variants.filter(({ ean }) => exported.has(ean)), kept: new Set(kept) };
  }

  return {
    database,
    webservice,
    checkout,
    stock,
    taken,
    buy: (ean, quantity = 1, place = {}) => checkout.placeOrder(orderOf(ean, quantity), place),
    shown: (ean) => shownQuantity(database, ean),
    readOrders,

    async tillTakesOrders() {
      const orders = await ledger.ordersToSend();
      const at = new Date();
      const id = randomUUID();
      if (orders.length > 0) {
        const delivery = { id, kind: 'sales' as const, cycle: id, size: 1, sha256: '', createdAt: at };
        await ledger.startDelivery(
          { ...delivery, temporaryPath: id, finalPath: id },
          orders.map((order) => order.id),
        );
        await ledger.markUploaded(id);
        await ledger.markPublished(id, at);
        await ledger.markTaken(id, at);
      }
      for (const order of orders) {
        if (taken.has(order.id)) throw new Error(`Expected order ${order.id} once, got it again`);
        taken.add(order.id);
        for (const { ean, quantity } of order.lines) stock.set(ean, (stock.get(ean) ?? 0) - quantity);
      }
      // An instant later, so that the export was begun after the orders were taken.
      await new Promise((resolve) => setTimeout(resolve, 2));
      exportId = await writeExport();
    },

    async writeStock(kept = []) {
      const written = await writer(readOrders, () => planned(kept), signal);
      await ledger.applyStock(exportId, written.variants, new Date());
      return written;
    },

    stop: () => webservice.stop(),
  };
}
