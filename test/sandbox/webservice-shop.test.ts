import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeConfiguration } from '../../sandbox/configuration.ts';
import { upload, withFtp } from '../../sandbox/ftp-access.ts';
import { judge, type Expectations } from '../../sandbox/judge.ts';
import { startSandbox, type Sandbox } from '../../sandbox/sandbox.ts';
import { demoScenario, productName } from '../../sandbox/scenario.ts';
import type { Truth } from '../../sandbox/truth.ts';
import { addProduct, articleOf } from '../../sandbox/webservice/catalog.ts';
import { AWAITING_BANK_WIRE, CANCELLED, PAID } from '../../sandbox/webservice/order-states.ts';
import { sumOfSizes, writeTotal } from '../../sandbox/webservice/stock.ts';
import { loadConfig, type WebserviceConfig } from '../../src/config.ts';
import { saleRows, salesXml, type Mutable } from './cycle-by-hand.ts';
import {
  alpha38,
  alpha39,
  alpha40,
  beta38,
  beta39,
  gamma38,
  open,
  orderOf,
  smallScenario,
  temporaryFolder,
} from './small-shop.ts';

const WEBSERVICE = { kind: 'webservice', version: '8.2', slowness: 0 } as const;
const start = (more: Partial<Parameters<typeof open>[0]> = {}) =>
  open({ shop: WEBSERVICE, halfHour: 60_000, ...more });
const webserviceOf = (sandbox: Sandbox) => sandbox.webservice ?? expect.fail('there is no Webservice');
const read = async (sandbox: Sandbox, resource: 'orders' | 'stock_availables') => {
  const { url, key } = webserviceOf(sandbox);
  const authorization = `Basic ${Buffer.from(`${key}:`).toString('base64')}`;
  const answer = await fetch(`${url}/api/${resource}?display=full&output_format=JSON`, {
    headers: { authorization },
  });
  expect(answer.status).toBe(200);
  return (await answer.json()) as Record<string, readonly Record<string, unknown>[]>;
};

describe('the shop on the simulated Webservice', () => {
  it('has the scenario’s products, vouchers, prices and earlier orders, at the shop’s local time', async () => {
    const sandbox = await start({ scenario: demoScenario, held: true });
    const truth = sandbox.truth();
    expect(truth.orders.map((order) => order.id)).toEqual([4101, 4102, 4103, 4104, 4105, 4106]);
    expect(truth.orders[0]).toMatchObject({
      placedAt: '2026-11-24T10:31:00.000',
      total: 18_390,
      life: {
        standing: 'sold',
        changes: [{ at: '2026-11-24T10:31:00.000', standing: 'sold' }],
        stockBackAt: null,
        refunds: [],
      },
    });
    expect(truth.vouchers.map(({ shop }) => shop)).toEqual([100, 100]);
    expect(truth.products.find(({ reference }) => reference === 'HELENE-CAFE')).toMatchObject({
      price: 17_900,
      name: 'Méphisto Nubuck Café',
    });
    const orders = (await read(sandbox, 'orders')).orders ?? [];
    expect(orders[0]).toMatchObject({ id: 4101, date_add: '2026-11-24 10:31:00', current_state: '2' });
    expect(sandbox.truth().webservice?.requests).toEqual([
      expect.objectContaining({ method: 'GET', resource: 'orders', status: 200 }),
    ]);
  });

  it('tells the life of its orders', async () => {
    const sandbox = await start();
    const { checkout } = webserviceOf(sandbox);
    const { id, finished } = checkout.placeOrder(orderOf({ ean: alpha38, quantity: 2 }), {
      state: AWAITING_BANK_WIRE,
    });
    const dead = checkout.placeOrder(orderOf({ ean: alpha40, quantity: 1 }), { diesAt: 'stock taken' });
    await finished;
    checkout.changeState(id, PAID);
    const { server } = webserviceOf(sandbox);
    const [row] = [...server.site.database.order_details.rows.keys()];
    checkout.refund(id, [{ row: row ?? 0, quantity: 1 }], { restock: true });
    checkout.changeState(id, CANCELLED);
    await sandbox.shop.settled();
    const lives = sandbox.truth().orders.map(({ life }) => life);
    expect(lives[0]?.changes.map(({ standing }) => standing)).toEqual(['waiting', 'sold', 'cancelled']);
    expect(lives[0]).toMatchObject({
      standing: 'cancelled',
      stockBackAt: expect.any(String) as string,
      refunds: [{ restock: true, lines: [{ ean: alpha38, quantity: 1 }] }],
    });
    expect(lives[1]).toMatchObject({ standing: 'incomplete', changes: [] });
    expect(dead.id).toBe(id + 1);
  });

  it('waits for orders that are being made when it stops', async () => {
    const sandbox = await startSandbox({
      folder: await temporaryFolder(),
      halfHour: 60_000,
      scenario: smallScenario,
      shop: { kind: 'webservice', version: '9.1' },
    });
    sandbox.placeOrder(orderOf({ ean: alpha38, quantity: 1 }));
    expect(sandbox.truth().orders[0]?.life?.standing).toBe('incomplete');
    await sandbox.stop();
    expect(sandbox.truth().orders[0]?.life?.standing).toBe('sold');
  });

  it('has no modules', async () => {
    const sandbox = await start();
    expect(() => sandbox.urls).toThrow('Expected a shop with its two modules');
    expect(() => sandbox.failNext('updateStock', 'hang')).toThrow('Expected a shop with its two modules');
  });

  it('is configured with a key that stands nowhere in the file', async () => {
    const sandbox = await start({ held: true, halfHour: 90_000 });
    const { path, environment } = await writeConfiguration(sandbox, {
      folder: await temporaryFolder(),
      scenario: smallScenario,
    });
    const config = loadConfig(path, environment);
    const shop = config.shop as WebserviceConfig;
    expect(shop.key.reveal()).toBe(webserviceOf(sandbox).key);
    expect(shop).toMatchObject({ firstOrder: 4101, overlap: 600_000, incompleteAfter: 30_000 });
    expect(config.orders.folder).toBeUndefined();
    expect(config.orders.voucher.codes).toEqual(['BC-*']);
  });
});

describe('the judge of a shop on the Webservice', () => {
  type Doctored = Mutable<Truth>;
  let truth: Truth;

  beforeAll(async () => {
    truth = await truthOfExactCycle();
  });

  const failed = (doctor: (doctored: Doctored) => unknown, expectations: Expectations = {}) => {
    const doctored = structuredClone(truth) as Doctored;
    doctor(doctored);
    return judge(doctored, expectations)
      .checks.filter(({ ok }) => !ok)
      .map(({ name }) => name);
  };
  const orderAt = (doctored: Doctored, index: number) =>
    doctored.orders[index] ?? expect.fail('no such order');
  const shown = (doctored: Doctored, ean: string) =>
    doctored.variants.find((variant) => variant.ean === ean) ?? expect.fail('no such variant');
  const catalogue = (doctored: Doctored) => doctored.webservice ?? expect.fail('no Webservice');
  const size = (doctored: Doctored) =>
    catalogue(doctored).products[0]?.sizes[0] ?? expect.fail('no such size');
  const EQUAL = "the shop shows Proshop's stock minus what is outstanding";

  it('finds nothing wrong in a cycle that was carried exactly', () => {
    expect(judge(truth).checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(truth.orders.map(({ life }) => life?.standing)).toEqual([
      'sold',
      'sold',
      'waiting',
      'cancelled',
      'sold',
      'sold',
    ]);
  });

  it.each<[string, string, (doctored: Doctored) => unknown]>([
    [
      'an order that was lost',
      'every order was taken by Proshop exactly once',
      (doctored) => (orderAt(doctored, 0).taken = []),
    ],
    [
      'an order that was sent before it was paid',
      'orders that are not sold, or were seen cancelled, were not sent',
      (doctored) => (orderAt(doctored, 2).taken = [doctored.now]),
    ],
    [
      'an order that was sent though it was seen cancelled',
      'orders that are not sold, or were seen cancelled, were not sent',
      (doctored) => (orderAt(doctored, 3).taken = [doctored.now]),
    ],
    ['a unit too many', EQUAL, (doctored) => (shown(doctored, alpha38).shop! += 1)],
    ['a unit too few', EQUAL, (doctored) => (shown(doctored, alpha40).shop! -= 1)],
    [
      'a cancelled order that was taken off all the same',
      EQUAL,
      (doctored) => {
        const order = orderAt(doctored, 3);
        order.life!.standing = 'sold';
        order.life!.changes.pop();
        order.readable = false;
      },
    ],
    ['a sale that was written over', EQUAL, (doctored) => (shown(doctored, beta39).shop! += 1)],
    [
      'a voucher that is not right',
      'gift vouchers keep their stock',
      (doctored) => doctored.vouchers[0]!.shop--,
    ],
    [
      'a total that is wrong',
      "each product's total is the sum of its sizes",
      (doctored) => catalogue(doctored).products[0]!.total++,
    ],
    [
      'a size that exists twice',
      'nothing exists twice',
      (doctored) =>
        catalogue(doctored).products[0]!.sizes.push({ ...size(doctored), isDefault: false, quantity: 0 }),
    ],
    [
      'a brand that exists twice',
      'nothing exists twice',
      (doctored) => catalogue(doctored).brands.push('AIGLE'),
    ],
    [
      'a size value that exists twice',
      'nothing exists twice',
      (doctored) => catalogue(doctored).attributes[0]!.values.push('38'),
    ],
    [
      'a product that shows no size first',
      'every product shows one of its sizes first',
      (doctored) => (size(doctored).isDefault = false),
    ],
  ])('sees %s', (_what, check, doctor) => {
    expect(failed(doctor)).toEqual([check]);
  });

  it('sees stock of what is sold out', () => {
    expect(failed((doctored) => (shown(doctored, alpha39).shop! += 1))).toEqual([
      EQUAL,
      'what is sold out in Proshop shows 0',
    ]);
  });

  it('lets nothing be written when no stock was to be written', () => {
    const write = (doctored: Doctored) =>
      catalogue(doctored).requests.push({
        ...catalogue(doctored).requests[0]!,
        method: 'PUT',
        resource: 'stock_availables',
      });
    expect(failed(() => undefined, { stock: 'unchanged' })).toEqual([]);
    expect(failed(write, { stock: 'unchanged' })).toEqual(['no stock was written']);
  });

  it('counts what the shop itself did since it was looked at', () => {
    const since = (doctored: Doctored) => {
      const order = orderAt(doctored, 0);
      order.life!.refunds.push({ at: doctored.now, restock: true, lines: [{ ean: alpha38, quantity: 1 }] });
      shown(doctored, alpha38).shop! += 1;
    };
    expect(failed(since)).toEqual([]);
  });
});

/** One cycle as an exact person would carry it: orders, products and stock, then two late sales. */
async function truthOfExactCycle(): Promise<Truth> {
  const folder = await mkdtemp(join(tmpdir(), 'exact-cycle-'));
  const sandbox = await startSandbox({
    folder,
    halfHour: 60_000,
    scenario: smallScenario,
    shop: WEBSERVICE,
    settings: { durations: { writing: 0 } },
  });
  try {
    await carryCycleByHand(sandbox);
    return sandbox.truth();
  } finally {
    await sandbox.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function carryCycleByHand(sandbox: Sandbox): Promise<void> {
  const { checkout, server } = webserviceOf(sandbox);
  const { database } = server.site;
  checkout.placeOrder(orderOf({ ean: alpha38, quantity: 1 }));
  checkout.placeOrder(orderOf({ ean: beta38, quantity: 1, gencod: false }));
  checkout.placeOrder(orderOf({ ean: alpha40, quantity: 1 }), { state: AWAITING_BANK_WIRE });
  const cancelled = checkout.placeOrder(orderOf({ ean: alpha40, quantity: 2 }));
  await sandbox.shop.settled();
  checkout.changeState(cancelled.id, CANCELLED);

  await read(sandbox, 'orders');
  await withFtp(sandbox.ftp, async (client) => {
    await client.ensureDir('/passerelle');
    await upload(client, '/passerelle/new', Buffer.from(salesXml([saleRows(sandbox.truth().orders[0]!)])));
    await client.rename('/passerelle/new', '/import/ventes-1.xml');
  });
  await sandbox.proshop.importSales();
  await sandbox.proshop.exportStock();
  const gamma = smallScenario.products[2]!;
  const variants = gamma.variants.map(({ size, ean }) => ({ size, ean, quantity: 0 }));
  addProduct(database, { ...gamma, name: productName(gamma), manufacturer: gamma.supplier, variants });
  const written = { [alpha38]: 2, [alpha39]: 0, [alpha40]: 4, [beta38]: 1, [beta39]: 1, [gamma38]: 1 };
  for (const [ean, quantity] of Object.entries(written)) {
    const article = articleOf(database, ean) ?? expect.fail(`no ${ean}`);
    article.stock!.quantity = quantity;
    writeTotal(database, article.product.id, sumOfSizes(database, article.product.id));
  }
  await read(sandbox, 'stock_availables');
  await read(sandbox, 'orders');
  checkout.placeOrder(orderOf({ ean: beta39, quantity: 1 }));
  checkout.placeOrder(orderOf({ ean: smallScenario.vouchers[0]!.ean, quantity: 2 }));
  await sandbox.shop.settled();
}
