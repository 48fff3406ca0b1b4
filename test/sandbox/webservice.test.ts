import { readFileSync } from 'node:fs';
import { setImmediate as breathe } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { OrderSeed } from '../../sandbox/scenario.ts';
import {
  addProduct,
  listProducts,
  replaceVariants,
  shownQuantity,
} from '../../sandbox/webservice/catalog.ts';
import { openCheckout } from '../../sandbox/webservice/checkout.ts';
import type { CheckoutOptions, DeathPoint } from '../../sandbox/webservice/checkout.ts';
import type { Database, Row } from '../../sandbox/webservice/database.ts';
import { insertRow, rowOf, rowsOf } from '../../sandbox/webservice/database.ts';
import type { Fault } from '../../sandbox/webservice/faults.ts';
import { installShop } from '../../sandbox/webservice/install-shop.ts';
import { resourcesOf } from '../../sandbox/webservice/resources.ts';
import type { Webservice, WebserviceOptions } from '../../sandbox/webservice/server.ts';
import { startWebservice } from '../../sandbox/webservice/server.ts';
import type { Site, Version } from '../../sandbox/webservice/site.ts';
import { TABLES } from '../../sandbox/webservice/tables.ts';
import { stockOf, sumOfSizes } from '../../sandbox/webservice/stock.ts';

const KEY = 'K'.repeat(32);
const VERSIONS: readonly Version[] = ['1.7.8', '8.2', '9.1'];
const [SMALL, LARGE, OTHER] = ['8050000010488', '8050000010495', '8050000020005'] as const;

/** A shop with a shoe in two sizes and another in one. Ten of each. */
function smallShop(): Database {
  const database = installShop();
  addProduct(database, {
    reference: 'SNK001',
    name: 'Sneaker "1"',
    price: 5_002,
    manufacturer: 'Alfa',
    variants: [
      { size: '36', ean: SMALL, quantity: 10 },
      { size: '37', ean: LARGE, quantity: 10 },
    ],
  });
  addProduct(database, {
    reference: 'SNK002',
    name: 'Sneaker 2',
    price: 5_002,
    variants: [{ size: '36', ean: OTHER, quantity: 10 }],
  });
  return database;
}

function siteOf(database: Database): Site {
  return { version: '8.2', database, localTime: () => '2026-11-24 10:00:00' };
}

function seed(...lines: readonly (readonly [ean: string, quantity: number])[]): OrderSeed {
  const person = { firstname: 'Zoé', lastname: 'Le Goff' };
  return {
    customer: { ...person, email: 'zoe@example.com' },
    delivery: { ...person, address1: '1 rue', postcode: '29000', city: 'Quimper', country: 'France' },
    payment: 'Bank wire',
    lines: lines.map(([ean, quantity]) => ({ ean, quantity })),
  };
}

function open(options: CheckoutOptions = { slowness: 0 }) {
  const database = smallShop();
  return { database, checkout: openCheckout(siteOf(database), options) };
}

const stock = (database: Database, ean: string) => shownQuantity(database, ean);
const total = (database: Database) => stockOf(database, 1, 0)?.quantity;

const running: Webservice[] = [];
afterEach(async () => {
  for (const webservice of running.splice(0)) await webservice.stop();
});

async function start(options: Partial<WebserviceOptions> = {}, database = smallShop()) {
  const webservice = await startWebservice(database, { version: '8.2', key: KEY, ...options });
  running.push(webservice);
  return { database, webservice };
}

async function ask(webservice: Webservice, method: string, path: string, body?: string, patience = 5_000) {
  const response = await fetch(`${webservice.url}/api/${path}`, {
    method,
    redirect: 'manual',
    headers: { authorization: `Basic ${Buffer.from(`${KEY}:`).toString('base64')}` },
    signal: AbortSignal.timeout(patience),
    ...(body === undefined ? {} : { body: `<prestashop>${body}</prestashop>` }),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** Does something again and again until a promise is settled, and once more. */
async function meanwhile(finished: Promise<void>, act: () => void): Promise<void> {
  const state = { settled: false };
  const watched = (async () => {
    await finished;
    state.settled = true;
  })();
  while (!state.settled) {
    act();
    await breathe();
  }
  await watched;
  act();
}

/** The form of writing that all versions take. */
function stockXml(
  row: Row<'stock_availables'>,
  quantity: number,
  shop: string = '<id_shop>1</id_shop>',
): string {
  return `<stock_available><id>${row.id}</id><id_product>${row.id_product}</id_product><id_product_attribute>${row.id_product_attribute}</id_product_attribute>${shop}<id_shop_group>0</id_shop_group><quantity>${quantity}</quantity><depends_on_stock>0</depends_on_stock><out_of_stock>2</out_of_stock></stock_available>`;
}

function rowFor(database: Database, variant: number): Row<'stock_availables'> {
  const row = rowsOf(database, 'stock_availables', (one) => one.id_product_attribute === variant)[0];
  if (row === undefined) throw new Error(`Expected stock of variant ${variant}, got none`);
  return row;
}

describe('the catalogue', () => {
  it('lists the products with their sizes, prices and quantities', () => {
    const [shoe] = listProducts(smallShop());
    expect(shoe).toEqual({
      id: 1,
      reference: 'SNK001',
      name: 'Sneaker "1"',
      price: 5_002,
      ean: '',
      quantity: 20,
      variants: [
        { id: 1, reference: 'SNK001-36', size: '36', ean: SMALL, quantity: 10 },
        { id: 2, reference: 'SNK001-37', size: '37', ean: LARGE, quantity: 10 },
      ],
    });
  });

  it('shows the quantity of a code, and nothing for a code that it has not', () => {
    const database = smallShop();
    addProduct(database, { reference: 'BON', name: 'Bon', price: 5_000, ean: '8050000030004', quantity: 3 });
    expect([SMALL, '8050000030004', '1'].map((ean) => shownQuantity(database, ean))).toEqual([
      10,
      3,
      undefined,
    ]);
  });

  it('gives new ids to sizes that are made again', () => {
    const database = smallShop();
    replaceVariants(database, 1, [{ size: '36', ean: SMALL, quantity: 4 }]);
    expect(listProducts(database)[0]).toMatchObject({ quantity: 4, variants: [{ id: 4, ean: SMALL }] });
    expect(rowsOf(database, 'stock_availables', (row) => row.id_product === 1)).toHaveLength(2);
  });

  it.each(VERSIONS)('has a column for each field that is read from a table in %s', (version) => {
    const missing = [...resourcesOf(version).values()].flatMap(({ name, table, fields }) =>
      Object.entries(fields)
        .filter(
          ([field, { dynamic, loads }]) =>
            dynamic === undefined && loads === undefined && !(field in TABLES[table]),
        )
        .map(([field]) => `${name}.${field}`),
    );
    expect(missing).toEqual(['products.new']);
  });
});

describe('a checkout', () => {
  it('shows the order at once, at state 0, with its totals and without rows', async () => {
    const { database, checkout } = open();
    const { id, reference, finished } = checkout.placeOrder(seed([SMALL, 2], [OTHER, 1]));
    expect(rowOf(database, 'orders', id)).toMatchObject({
      current_state: 0,
      valid: false,
      total_paid: '150.060000',
      total_products_wt: '150.060000',
      total_paid_real: '0.000000',
      reference,
    });
    expect(reference).toMatch(/^[A-Z]{9}$/);
    expect(database.order_details.rows.size).toBe(0);
    await finished;
    expect(rowOf(database, 'orders', id)).toMatchObject({
      current_state: 2,
      valid: true,
      total_paid_real: '150.060000',
      invoice_number: 1,
    });
    expect([stock(database, SMALL), total(database), stock(database, OTHER)]).toEqual([8, 18, 9]);
  });

  it('reckons shipping and a voucher into the totals', async () => {
    const { database, checkout } = open();
    const { id, finished } = checkout.placeOrder({
      ...seed([SMALL, 1]),
      shipping: 854,
      voucher: { name: 'FIVEOFF', code: 'FIVEOFF', amount: 500 },
    });
    await finished;
    expect(rowOf(database, 'orders', id)).toMatchObject({
      total_paid: '53.560000',
      total_shipping_tax_excl: '7.000000',
      total_discounts_tax_incl: '5.000000',
      total_discounts_tax_excl: '4.100000',
    });
    expect(rowsOf(database, 'order_cart_rules')).toMatchObject([
      { id_order: id, name: 'FIVEOFF', value: '5.000000' },
    ]);
  });

  it.each([
    ['8.2.1/32', 'paid', 2],
    ['8.2.1/32', 'awaiting bank wire', 10],
    ['1.7.8.11/26', 'paid', 2],
    ['9.1.4/26', 'paid', 2],
  ])('makes an order in the steps that were measured (%s, %s)', async (file, name, state) => {
    const { database, checkout } = open({ slowness: 1 });
    // As it was watched: a row for each of three sizes, two of one product.
    const watched = () => {
      const [order] = rowsOf(database, 'orders');
      const counts = [
        database.order_details,
        database.order_payments,
        database.order_carriers,
        database.order_invoices,
        database.order_histories,
      ].map(({ rows }) => rows.size);
      const quantities = [SMALL, LARGE, OTHER].map((ean) => 10 - (stock(database, ean) ?? 0));
      const totals = [20 - (total(database) ?? 0), 10 - (stockOf(database, 2, 0)?.quantity ?? 0)];
      return JSON.stringify([
        order?.current_state ?? 0,
        order?.invoice_number === 0 ? 0 : 1,
        Number(order?.total_paid_real ?? 0) > 0 ? 1 : 0,
        ...counts,
        database.detailTaxes.length,
        ...quantities,
        ...totals,
      ]);
    };
    const { finished } = checkout.placeOrder(seed([SMALL, 1], [LARGE, 2], [OTHER, 1]), { state });
    const seen = [watched()];
    await meanwhile(finished, () => {
      const now = watched();
      if (now !== seen.at(-1)) seen.push(now);
    });
    expect(seen).toEqual(timeline(`${file}_order_timeline_tables`, name));
  });

  it('writes what it read, minus its own: what another wrote in between is lost', async () => {
    const { database, checkout } = open({ slowness: 20, random: () => 0.9 });
    const { finished } = checkout.placeOrder(seed([SMALL, 1]), { diesAt: 'rows made' });
    const row = rowFor(database, 1);
    // A gateway that writes on and on; one of its numbers is overwritten by one that the shop has reckoned long before.
    let written = 1_000;
    const overwritten: number[] = [];
    await meanwhile(finished, () => {
      if (written > 1_000 && row.quantity !== written) overwritten.push(written - row.quantity);
      row.quantity = ++written;
    });
    expect(overwritten).toHaveLength(1);
    expect(overwritten[0]).toBeGreaterThan(1);
  });

  it('loses a decrement when two shoppers buy at the same moment', async () => {
    // Each takes 100 ms between its look at the stock and its write, whatever the machine does in between.
    const { database, checkout } = open({ slowness: 300, random: () => 0.5 });
    const place = () => checkout.placeOrder(seed([SMALL, 1]), { diesAt: 'rows made' });
    const orders = [place(), place()];
    await Promise.all(orders.map(({ finished }) => finished));
    expect(stock(database, SMALL)).toBe(9);
    expect(new Set(orders.map(({ reference }) => reference)).size).toBe(2);
  });

  it('refuses what the shop shows too few of, unless it sells what it has not', () => {
    const { database, checkout } = open();
    expect(() => checkout.placeOrder(seed([SMALL, 6], [SMALL, 5]))).toThrow(
      `Expected 11 unit(s) of ${SMALL} in the shop, got 10`,
    );
    expect(() => checkout.placeOrder(seed(['1', 1]))).toThrow(
      'Expected an article of the shop, got gencod 1',
    );
    expect(database.orders.rows.size).toBe(0);
    rowFor(database, 1).out_of_stock = 1;
    expect(() => checkout.placeOrder(seed([SMALL, 11]))).not.toThrow();
  });

  it.each<readonly [DeathPoint, number, number, number, number]>([
    ['order made', 0, 10, 20, 0],
    ['stock taken', 0, 8, 20, 0],
    ['first row made', 1, 8, 18, 0],
    ['rows made', 2, 8, 18, 0],
    ['paid', 2, 8, 18, 1],
  ])(
    'leaves an order at state 0 for good when it dies (%s)',
    async (diesAt, rows, quantity, sum, payments) => {
      const { database, checkout } = open();
      const { id, finished } = checkout.placeOrder(seed([SMALL, 2], [OTHER, 1]), { diesAt });
      await finished;
      expect(rowOf(database, 'orders', id)).toMatchObject({ current_state: 0, valid: false });
      expect(database.order_histories.rows.size).toBe(0);
      expect([
        database.order_details.rows.size,
        stock(database, SMALL),
        total(database),
        database.order_payments.rows.size,
      ]).toEqual([rows, quantity, sum, payments]);
    },
  );

  it('makes a credit slip without touching the order', async () => {
    const { database, checkout } = open();
    const { id, finished } = checkout.placeOrder(seed([SMALL, 2]));
    await finished;
    const before = { ...rowOf(database, 'orders', id) };
    checkout.refund(id, [{ row: 1, quantity: 1 }]);
    expect(rowOf(database, 'orders', id)).toEqual(before);
    expect(rowsOf(database, 'order_slips')).toMatchObject([{ id_order: id, amount: '50.020000' }]);
    expect(stock(database, SMALL)).toBe(8);
    checkout.refund(id, [{ row: 1, quantity: 1 }], { restock: true });
    expect([stock(database, SMALL), total(database)]).toEqual([9, 19]);
    expect(() => checkout.refund(id, [{ row: 1, quantity: 1 }])).toThrow('to be refunded, got fewer');
  });
});

const STATES: Readonly<Record<string, number>> = {
  'payment error': 8,
  'await wire': 10,
  paid: 2,
  cancelled: 6,
  refunded: 7,
  processing: 3,
  shipped: 4,
  delivered: 5,
};

describe.each([
  ['1.7.8', '1.7.8.11/28'],
  ['8.2', '8.2.1/34'],
  ['9.1', '9.1.4/28'],
] as const)('the stock of an order that moves through states in %s', (version, file) => {
  const measured = fixture(`${file}_order_state_and_stock`)
    .split('\n')
    .filter((line) => line.includes('net'));

  it.each(measured)('%s', async (line) => {
    const { database, webservice } = await start({ version });
    const checkout = openCheckout(webservice.site, { slowness: 0 });
    const seen: string[] = [];
    for (const [, name = '', answered] of line.matchAll(/([a-z ]+?)(?:\((\d+)\))?:[+-]\d/g)) {
      const before = stock(database, SMALL) ?? 0;
      const state = STATES[name.trim()] ?? 0;
      let status = '';
      if (answered === undefined) await checkout.placeOrder(seed([SMALL, 1]), { state }).finished;
      else {
        const body = `<order_history><id_order>1</id_order><id_order_state>${state}</id_order_state></order_history>`;
        status = `(${(await ask(webservice, 'POST', 'order_histories', body)).status})`;
      }
      const change = (stock(database, SMALL) ?? 0) - before;
      seen.push(`${name.trim()}${status}:${change < 0 ? '' : '+'}${change}`);
    }
    expect(seen.length).toBeGreaterThan(1);
    const net = (stock(database, SMALL) ?? 0) - 10;
    expect(`${seen.join(' -> ')} net ${net}`).toBe(line);
  });
});

describe('a stock row', () => {
  it.each(VERSIONS)('is lost by a PUT without id_shop, and healed by one with it (%s)', async (version) => {
    const { database, webservice } = await start({ version });
    const row = rowFor(database, 1);
    expect((await ask(webservice, 'PUT', 'stock_availables', stockXml(row, 7, ''))).status).toBe(200);
    expect(row).toMatchObject({ id_shop: 0, quantity: 7 });
    expect([total(database), shownQuantity(database, SMALL)]).toEqual([10, 0]);
    expect((await ask(webservice, 'GET', `stock_availables/${row.id}`)).text).toContain(
      '<code><![CDATA[131]]>',
    );
    const list = await ask(webservice, 'GET', 'stock_availables?filter[id_product]=1&output_format=JSON');
    expect((JSON.parse(list.text) as { stock_availables: unknown[] }).stock_availables).toHaveLength(
      version === '1.7.8' ? 2 : 3,
    );
    await ask(webservice, 'PUT', 'stock_availables', stockXml(row, 6));
    expect([total(database), shownQuantity(database, SMALL)]).toEqual([16, 6]);
  });

  it('keeps a total that was written until the next size is written', async () => {
    const { database, webservice } = await start();
    const sum = rowFor(database, 0);
    await ask(webservice, 'PATCH', 'stock_availables', `<s><id>${sum.id}</id><quantity>500</quantity></s>`);
    expect(total(database)).toBe(500);
    await ask(
      webservice,
      'PATCH',
      'stock_availables',
      `<s><id>${rowFor(database, 1).id}</id><quantity>3</quantity></s>`,
    );
    expect(total(database)).toBe(13);
  });

  it.each(VERSIONS)(
    'before a bad id in a batch stays written, the ones after it do not (%s)',
    async (version) => {
      const { database, webservice } = await start({ version });
      const [one, other] = [rowFor(database, 1), rowFor(database, 2)];
      const body = stockXml(one, 1) + stockXml({ ...one, id: 999 }, 2) + stockXml(other, 3);
      const { status, text } = await ask(webservice, 'PUT', 'stock_availables', body);
      expect([status, text.includes('Invalid ID')]).toEqual([404, true]);
      expect([one.quantity, other.quantity, total(database)]).toEqual([1, 10, 11]);
    },
  );

  it('gets a wrong total when two sizes of a product are written at the same time', async () => {
    const { database, webservice } = await start({ serviceTime: { row: 40 } });
    const write = (variant: number) =>
      ask(webservice, 'PUT', 'stock_availables', stockXml(rowFor(database, variant), 0));
    const first = write(1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await Promise.all([first, write(2)]);
    // Each has summed up before the other's row was there, or after; the rows are right in any case.
    expect(sumOfSizes(database, 1)).toBe(0);
    expect([0, 10]).toContain(total(database));
  });
});

describe('names', () => {
  it.each([
    ['1.7.8', 400],
    ['8.2', 400],
    ['9.1', 201],
  ] as const)('with ; = # are answered in %s with %i', async (version, status) => {
    const { webservice } = await start({ version });
    const body = '<product><price>1</price><name><language id="1">a;b=#</language></name></product>';
    expect((await ask(webservice, 'POST', 'products', body)).status).toBe(status);
  });
});

describe('a resource that is not simulated', () => {
  it('is said to be so, with a status that no shop gives', async () => {
    const { webservice } = await start();
    expect((await ask(webservice, 'GET', 'carts')).status).toBe(501);
  });
});

describe('a fault', () => {
  const put = (webservice: Webservice, database: Database, quantity = 4) =>
    ask(
      webservice,
      'PUT',
      'stock_availables',
      stockXml(rowFor(database, 1), quantity) + stockXml(rowFor(database, 2), quantity),
    );
  const quantities = (database: Database) => [rowFor(database, 1).quantity, rowFor(database, 2).quantity];

  it.each<readonly [Fault, number]>([
    ['status 500', 500],
    ['status 503', 503],
    ['status 429', 429],
    ['redirect', 302],
    ['error text', 200],
  ])('%s answers %i and does nothing', async (fault, status) => {
    const { database, webservice } = await start();
    webservice.failNext({ method: 'PUT' }, fault);
    const answer = await put(webservice, database);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('retry-after')).toBe(fault === 'status 429' ? '1' : null);
    expect(answer.text.includes('Fatal error')).toBe(fault === 'error text');
    expect(answer.headers.get('location')).toBe(
      fault === 'redirect' ? 'http://shop.invalid/maintenance' : null,
    );
    expect(quantities(database)).toEqual([10, 10]);
    expect((await put(webservice, database)).status).toBe(200);
    expect(webservice.requests.map((request) => request.fault)).toEqual([fault, undefined]);
  });

  it.each<readonly [Fault, readonly number[]]>([
    ['reset', [10, 10]],
    ['answer lost', [4, 4]],
  ])('%s breaks the connection', async (fault, written) => {
    const { database, webservice } = await start();
    webservice.failNext({}, fault);
    await expect(put(webservice, database)).rejects.toThrow('fetch failed');
    expect(quantities(database)).toEqual(written);
    expect(webservice.requests[0]).toMatchObject({ status: undefined, fault });
  });

  it('hang gives no answer', async () => {
    const { webservice } = await start();
    webservice.failNext({}, 'hang');
    await expect(ask(webservice, 'GET', 'orders', undefined, 3_000)).rejects.toThrow('timeout');
    expect(webservice.requests[0]).toMatchObject({ status: undefined, end: undefined });
  });

  it.each<readonly [Fault, readonly number[]]>([
    ['done, status 500', [4, 4]],
    ['batch breaks', [4, 10]],
  ])('%s answers 500 with nothing in it', async (fault, written) => {
    const { database, webservice } = await start();
    webservice.failNext({ resource: 'stock_availables' }, fault);
    expect(await put(webservice, database)).toMatchObject({ status: 500, text: '' });
    expect(quantities(database)).toEqual(written);
  });

  it('slow waits before it is done', async () => {
    const { database, webservice } = await start();
    webservice.failNext({}, 'slow', { milliseconds: 2_000 });
    const answer = put(webservice, database);
    await vi.waitUntil(() => webservice.requests.length > 0, { interval: 1, timeout: 60_000 });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(quantities(database)).toEqual([10, 10]);
    expect((await answer).status).toBe(200);
    const [{ start: begun, end = 0 } = { start: 0 }] = webservice.requests;
    expect(end - begun).toBeGreaterThanOrEqual(2_000);
  });

  it('product total leaves the total wrong until the next size is written', async () => {
    const { database, webservice } = await start();
    webservice.failNext({}, 'product total');
    expect((await put(webservice, database)).status).toBe(200);
    expect(total(database)).not.toBe(sumOfSizes(database, 1));
    await put(webservice, database, 3);
    expect(total(database)).toBe(6);
  });

  it('meets the request that fits, after those it lets pass', async () => {
    const { webservice } = await start();
    webservice.failNext({ method: 'GET', resource: 'orders', skip: 1 }, 'status 503');
    const asked = ['products', 'orders', 'orders', 'orders'];
    const statuses: number[] = [];
    for (const resource of asked) statuses.push((await ask(webservice, 'GET', resource)).status);
    expect(statuses).toEqual([200, 200, 503, 200]);
  });

  it('is forgotten once the shop has recovered', async () => {
    const { webservice } = await start();
    webservice.failNext({}, 'status 500');
    webservice.recover();
    expect((await ask(webservice, 'GET', 'orders')).status).toBe(200);
  });
});

describe('the web server', () => {
  it('notes each request without the key', async () => {
    const { webservice } = await start();
    await fetch(`${webservice.url}/api/orders?limit=1&ws_key=${KEY}&date=1`);
    await fetch(`${webservice.url}/api/orders?ws_key=${KEY}`);
    expect(webservice.requests).toMatchObject([
      { method: 'GET', url: '/api/orders?limit=1&date=1', resource: 'orders', status: 200 },
      { url: '/api/orders' },
    ]);
    webservice.forgetRequests();
    expect(webservice.requests).toEqual([]);
  });

  it('works on as many requests at once as it has processes', async () => {
    const { webservice } = await start({ workers: 2, serviceTime: { request: () => 40 } });
    const begun = performance.now();
    await Promise.all(
      ['orders', 'products', 'customers', 'shops'].map((name) => ask(webservice, 'GET', name)),
    );
    expect(performance.now() - begun).toBeGreaterThanOrEqual(80);
  });

  it('takes longer for more rows', async () => {
    const { database, webservice } = await start({ serviceTime: { request: 1, row: 20 } });
    const took = async (body: string) => {
      const begun = performance.now();
      await ask(webservice, 'PUT', 'stock_availables', body);
      return performance.now() - begun;
    };
    const [one, other] = [stockXml(rowFor(database, 1), 1), stockXml(rowFor(database, 2), 1)];
    expect(await took(one + other)).toBeGreaterThanOrEqual(40);
  });
});

describe('a large catalogue', () => {
  it('is listed in a moment', async () => {
    const database = installShop();
    for (let model = 0; model < 1_000; model++) {
      const row = insertRow(database, 'products', { price: '1.000000', name: { 1: 'a', 2: 'b' } });
      for (let size = 0; size < 8; size++) {
        const { id } = insertRow(database, 'combinations', { id_product: row.id });
        insertRow(database, 'stock_availables', { id_product: row.id, id_product_attribute: id, id_shop: 1 });
      }
    }
    const { webservice } = await start({}, database);
    const begun = performance.now();
    const { text } = await ask(webservice, 'GET', 'products?display=full&output_format=JSON');
    expect(text.length).toBeGreaterThan(1_000_000);
    expect(performance.now() - begun).toBeLessThan(10_000);
  });
});

function fixture(name: string): string {
  const path = new URL(`../fixtures/prestashop-webservice/${name}.txt`, import.meta.url);
  return readFileSync(path, 'utf8');
}

/** The states that a recorded timeline went through, from the moment when the order was visible: what had changed by then. */
function timeline(file: string, name: string): string[] {
  const [, section = ''] = fixture(file).split(new RegExp(`^--- ${name}.*$`, 'm'));
  const lines = (section.split(/^---/m)[0] ?? '').split('\n').filter((line) => /order state/.test(line));
  const numbersOf = (line: string) => {
    const [state, , paid, invoice, ...rest] =
      /state (\d+) +valid (\d) paid ([\d.]+) inv (\d+).*rows (\d+) payments (\d+) carriers (\d+) invoices (\d+) histories (\d+) row taxes (\d+) +stock (\d+) (\d+) (\d+) \| (\d+) (\d+)/
        .exec(line)
        ?.slice(1)
        .map(Number) ?? [];
    return {
      seen: [state, invoice === 0 ? 0 : 1, (paid ?? 0) > 0 ? 1 : 0, ...rest.slice(0, 6)],
      stock: rest.slice(6),
    };
  };
  const all = lines.map(numbersOf);
  const first = all[0]?.stock ?? [];
  return all.map(({ seen, stock: now }) =>
    JSON.stringify([...seen, ...now.map((quantity, index) => (first[index] ?? 0) - quantity)]),
  );
}
