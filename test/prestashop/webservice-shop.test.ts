import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openCheckout } from '../../sandbox/webservice/checkout.ts';
import { listProducts } from '../../sandbox/webservice/catalog.ts';
import { startWebservice, type Webservice, type WebserviceOptions } from '../../sandbox/webservice/server.ts';
import type { Version } from '../../sandbox/webservice/site.ts';
import type { OrdersBatch } from '../../src/prestashop/shop.ts';
import { WANTED_RIGHTS } from '../../src/prestashop/webservice/rights.ts';
import { createWebserviceShop } from '../../src/prestashop/webservice/shop.ts';
import { Secret } from '../../src/secret.ts';
import { openTestPglite, type TestLedger } from '../support/ledgers.ts';
import { seed, SETTINGS, SMALL, smallShop, VERSIONS } from '../support/read-orders.ts';

const KEY = 'K'.repeat(32);
const { signal } = new AbortController();
const WANTED = Object.fromEntries(
  Object.entries(WANTED_RIGHTS).map(([name, verbs]) => [
    name,
    verbs.map((verb) => verb.toUpperCase() as 'GET' | 'POST' | 'PUT'),
  ]),
);

let test: TestLedger;
let webservice: Webservice | undefined;
beforeAll(async () => {
  test = await openTestPglite();
});
afterEach(async () => {
  await webservice?.stop();
  webservice = undefined;
  await test.reset();
});
afterAll(() => test.close());

async function open(version: Version, rights: WebserviceOptions['rights'] = 'all') {
  const database = smallShop();
  const server = await startWebservice(database, { version, key: KEY, rights });
  webservice = server;
  const shop = createWebserviceShop(test, {
    address: { url: server.url, key: new Secret(KEY), timeout: 5_000, concurrency: 4 },
    orders: SETTINGS,
    products: {
      active: false,
      category: 2,
      taxRulesGroup: 1,
      taxRate: 22,
      sizeAttribute: 'Size',
      onlySize: 'TU',
      patience: 10_000,
      concurrency: 4,
    },
    stock: { batch: 50, concurrency: 4, rounds: 20 },
  });
  return { shop, database, server };
}

describe.each(VERSIONS)('A shop of version %s', (version) => {
  it('says which it is, and whether all rights are there', async () => {
    const { shop } = await open(version, WANTED);
    const names = {
      '1.7.8': 'PrestaShop 1.7.8.11, without PATCH',
      '8.2': 'PrestaShop 8.2.1',
      '9.1': 'PrestaShop 9.1.4',
    };
    expect(await shop.check(signal)).toEqual({ shop: names[version], missing: [] });
  });

  it('says which rights are missing, resource by resource and verb by verb', async () => {
    const { orders: _orders, ...others } = WANTED;
    const { shop } = await open(version, { ...others, stock_availables: ['GET'] });
    expect((await shop.check(signal)).missing).toEqual(['GET orders', 'PUT stock_availables']);
  });

  it('is served whole with the rights that are wanted and no other', async () => {
    const { shop, database, server } = await open(version, WANTED);
    await openCheckout(server.site, { slowness: 0 }).placeOrder(seed()).finished;
    const batches: OrdersBatch[] = [];
    const record = async (batch: OrdersBatch) => {
      batches.push(batch);
      return true;
    };
    await shop.exportOrders({ cycle: 'c', step: 1, record }, signal);
    expect(batches).toMatchObject([{ kind: 'seen', rows: 1, orders: [{ standing: 'sold' }], setAside: [] }]);
    const model = {
      reference: 'NEW',
      name: 'Neuf',
      supplier: 'Neuf',
      price: '59.90',
      sizes: [{ size: '36', ean: '3600000000017' }],
    };
    expect(await shop.createProducts([model], signal)).toEqual({
      references: ['NEW'],
      sizesAdded: 0,
      problems: [],
    });
    const variants = [
      { ean: SMALL, reference: 'SNK001', size: '36', quantity: 3 },
      { ean: '3600000000017', reference: 'NEW', size: '36', quantity: 2 },
    ];
    const planned = () => Promise.resolve({ variants, kept: new Set(['SNK002']) });
    const { written } = await shop.updateStock(
      { cycle: 'c', bytes: Buffer.alloc(0), lateOrdersAt: new Date(), planned, record },
      signal,
    );
    expect(written).toMatchObject({ left: [], absent: [] });
    const shown = listProducts(database).flatMap((product) =>
      product.variants.map(({ quantity }) => quantity),
    );
    expect(shown).toEqual([3, 0, 100_000, 2]);
    await shop.finishOrders(record, signal);
    expect(await shop.withdrawUpdates(signal)).toBe(0);
    // Nobody was refused anything.
    expect(server.requests.filter(({ status = 500 }) => status >= 400)).toEqual([]);
  });
});

it('The rights that are wanted are those that the page lists', () => {
  const page = readFileSync(new URL('../../docs/prestashop.md', import.meta.url), 'utf8');
  const listed = [...page.matchAll(/^\| ([a-z_, ]+?) +\| ((?:GET|POST|PUT|, )+) +\|/gm)].flatMap(
    ([, names = '', verbs = '']) => names.split(', ').map((name) => [name, verbs.toLowerCase().split(', ')]),
  );
  expect(Object.fromEntries(listed)).toEqual(WANTED_RIGHTS);
});
