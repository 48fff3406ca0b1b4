import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asc, sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, beforeEach, vi } from 'vitest';
import type { OrderSeed } from '../../sandbox/scenario.ts';
import { addProduct } from '../../sandbox/webservice/catalog.ts';
import { openCheckout, type Checkout, type PlaceOptions } from '../../sandbox/webservice/checkout.ts';
import type { Database } from '../../sandbox/webservice/database.ts';
import { installShop } from '../../sandbox/webservice/install-shop.ts';
import { startWebservice, type Webservice } from '../../sandbox/webservice/server.ts';
import type { Version } from '../../sandbox/webservice/site.ts';
import type { Deps } from '../../src/activities/deps.ts';
import { recordOrders, type OrdersStep } from '../../src/activities/export-orders.ts';
import { createArchive, type ArchivedFile } from '../../src/archive.ts';
import { orders } from '../../src/ledger/schema.ts';
import { localTime } from '../../src/local-time.ts';
import type { SeenOrders } from '../../src/prestashop/shop.ts';
import { openWebservice, type Webservice as Api } from '../../src/prestashop/webservice/api.ts';
import { createOrderReader, type OrderSettings } from '../../src/prestashop/webservice/orders.ts';
import { Secret } from '../../src/secret.ts';
import { openTestPglite, type TestLedger } from './ledgers.ts';

export const VERSIONS: readonly Version[] = ['1.7.8', '8.2', '9.1'];
export const [SMALL, LARGE, OTHER] = ['8050000010488', '8050000010495', '8050000020005'] as const;
export const MINUTE = 60_000;
const KEY = 'K'.repeat(32);
const ZONE = 'Europe/Paris';

/** Sets the clock of both ends: `2026-11-24 10:00:00` is the shop's local time in winter. */
export function setClock(winterTime: string): void {
  vi.setSystemTime(new Date(`${winterTime.replace(' ', 'T')}+01:00`));
}

export function passTime(milliseconds: number): void {
  vi.setSystemTime(Date.now() + milliseconds);
}

/** A shop with a shoe in two sizes and another in one. Plenty of each. */
export function smallShop(): Database {
  const database = installShop();
  const quantity = 100_000;
  addProduct(database, {
    reference: 'SNK001',
    name: 'Bottine "Zoé"',
    price: 5_002,
    manufacturer: 'Alfa',
    supplier: 'Fournil',
    variants: [
      { size: '36', ean: SMALL, quantity },
      { size: '37', ean: LARGE, quantity },
    ],
  });
  addProduct(database, {
    reference: 'SNK002',
    name: 'Sneaker 2',
    price: 5_002,
    variants: [{ size: '36', ean: OTHER, quantity }],
  });
  return database;
}

export function seed(
  lines: readonly (readonly [ean: string, quantity: number])[] = [[SMALL, 1]],
  more: Partial<OrderSeed> = {},
): OrderSeed {
  const person = { firstname: 'Zoé', lastname: 'Le Goff' };
  return {
    customer: { ...person, email: 'zoe@example.com' },
    delivery: { ...person, address1: '1 rue', postcode: '29000', city: 'Quimper', country: 'France' },
    payment: 'Bank wire',
    lines: lines.map(([ean, quantity]) => ({ ean, quantity })),
    ...more,
  };
}

export const twoSizes = seed([
  [SMALL, 2],
  [LARGE, 1],
]);

export const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** Settings of a shop in France, as PrestaShop comes. */
export const SETTINGS: OrderSettings = {
  firstOrder: 1,
  soldStates: undefined,
  cancelledStates: [6, 7, 8],
  stockBackStates: [6, 8],
  overlap: 10 * MINUTE,
  patience: 10 * MINUTE,
  timeZone: ZONE,
};

export const VOUCHER = { payments: ['Chèque cadeau*'], paymentModules: ['giftcard'], codes: ['CADEAU*'] };

export interface ShopOptions extends Partial<OrderSettings> {
  readonly version?: Version;
  readonly database?: Database;
  readonly page?: number;
  readonly slowness?: number;
  readonly timeout?: number;
  /** In place of the shop's own. */
  readonly api?: Api;
  /** Looks at each batch before it is recorded. */
  readonly before?: (batch: SeenOrders) => void;
}

/** A shop whose orders are read into a ledger, as the activities do. */
export interface ShopOfOrders {
  readonly database: Database;
  readonly webservice: Webservice;
  readonly checkout: Checkout;
  /** What was read, since the last look. */
  readonly batches: SeenOrders[];
  readonly files: Map<string, ArchivedFile>;
  /** The archived files, as text. */
  archived(): Promise<readonly string[]>;
  /** A shopper buys; waits until the shop is done with it. */
  buy(order?: OrderSeed, options?: PlaceOptions): Promise<number>;
  /** Reads once. */
  read(cycle?: string, step?: OrdersStep): Promise<void>;
  stop(): Promise<void>;
}

export async function openShop(
  { ledger }: Pick<TestLedger, 'ledger'>,
  {
    version = '8.2',
    database = smallShop(),
    page,
    slowness = 0,
    timeout = 5_000,
    api,
    before,
    ...settings
  }: ShopOptions = {},
): Promise<ShopOfOrders> {
  const webservice = await startWebservice(database, {
    version,
    key: KEY,
    localTime: () => localTime(new Date(), ZONE),
  });
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-orders-'));
  const checkout = openCheckout(webservice.site, { slowness });
  const ends = {
    api: api ?? openWebservice({ url: webservice.url, key: new Secret(KEY), timeout, concurrency: 4 }),
    ledger,
  };
  const readOrders = createOrderReader(ends, { ...SETTINGS, ...settings }, page);
  const config = { orders: { voucher: VOUCHER } };
  const deps = { archive: createArchive(folder), ledger, config } as unknown as Deps;
  const batches: SeenOrders[] = [];
  const files = new Map<string, ArchivedFile>();
  return {
    database,
    webservice,
    checkout,
    batches,
    files,
    async buy(order = seed(), options = {}) {
      const { id, finished } = checkout.placeOrder(order, options);
      await finished;
      return id;
    },
    async read(cycle = 'a', step = 1) {
      const keep = recordOrders(deps, { id: cycle, folder: cycle }, step);
      const record = async (batch: Parameters<typeof keep>[0]) => {
        if (batch.kind === 'exported') throw new Error('Expected orders as they are seen');
        before?.(batch);
        batches.push(batch);
        const { file, isNew } = await keep(batch);
        files.set(file.path, file);
        return !isNew;
      };
      await readOrders({ cycle, step, record }, new AbortController().signal);
    },
    archived: () => Promise.all([...files.keys()].map((path) => readFile(join(folder, path), 'utf8'))),
    async stop() {
      await webservice.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Id -> where each order goes, as the ledger knows it. */
export async function routes({ database }: TestLedger): Promise<Readonly<Record<number, string>>> {
  const rows = await database
    .select({ id: orders.id, route: orders.route })
    .from(orders)
    .orderBy(asc(orders.id));
  return Object.fromEntries(rows.map(({ id, route }) => [id, route]));
}

/** Everything that the ledger knows of the shop, but for when it learned it and from which file. */
export async function contents({ database }: TestLedger): Promise<unknown> {
  const tables = {
    orders: sql`select id, route, reference, body, split_part(reason, ' (', 1) as reason from orders order by id`,
    lines: sql`select * from order_lines order by order_id, position`,
    incomplete: sql`select id, reference, lines from incomplete_orders order by id`,
    takeBacks: sql`select order_id, cause, lines, stock_back from take_backs order by order_id, cause`,
    moves: sql`select order_id, ean, units from shop_moves order by order_id, ean, id`,
    cursors: sql`select * from shop_cursors where job <> 'readings' order by job`,
  };
  const found: Record<string, unknown> = {};
  for (const [name, query] of Object.entries(tables))
    found[name] = ((await database.execute(query)) as { readonly rows: unknown }).rows;
  return found;
}

/**
 * A ledger for the tests of a file, on a day that begins anew with each, and shops that are closed after it. To be called
 * where tests are declared.
 */
export function openBench() {
  let test: TestLedger;
  const open: ShopOfOrders[] = [];
  const reset = async () => {
    for (const shop of open.splice(0)) await shop.stop();
    await test.reset();
  };
  beforeAll(async () => {
    test = await openTestPglite();
  });
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'] });
    setClock('2026-11-24 10:00:00');
  });
  afterEach(async () => {
    vi.useRealTimers();
    await reset();
  });
  afterAll(() => test.close());
  return {
    get test() {
      return test;
    },
    async shop(options?: ShopOptions, ledger: Pick<TestLedger, 'ledger'> = test) {
      const shop = await openShop(ledger, options);
      open.push(shop);
      return shop;
    },
    reset,
  };
}
