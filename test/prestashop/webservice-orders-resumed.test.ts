import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../../sandbox/webservice/faults.ts';
import { AWAITING_BANK_WIRE } from '../../sandbox/webservice/order-states.ts';
import { toFailure } from '../../src/failures.ts';
import type { Query, Resource, Webservice } from '../../src/prestashop/webservice/api.ts';
import type { OrderParts } from '../../src/prestashop/webservice/order-mapping.ts';
import type { OrderRow } from '../../src/prestashop/webservice/rows.ts';
import {
  contents,
  LARGE,
  numbers,
  openBench,
  OTHER,
  routes,
  seed,
  twoSizes,
} from '../support/read-orders.ts';

const bench = openBench();

const known = async () => Object.keys(await routes(bench.test)).map(Number);

describe('Ten thousand orders', () => {
  it('are read in batches, and after a cut from where it stood', async () => {
    const count = 10_000;
    const few = await bench.shop();
    await few.buy(twoSizes);
    await few.read('few');
    const { order } = JSON.parse(Buffer.from(few.batches[0]!.bytes).toString()) as OrderParts;
    await bench.test.reset();

    const { api, requests, idsRead } = longShop(count, order);
    let toCut = 5_000 / 50;
    const shop = await bench.shop({
      api,
      before: ({ rows, bytes }) => {
        expect(rows).toBeLessThanOrEqual(50);
        expect(bytes.length).toBeLessThan(200_000);
        shop.batches.length = 0;
        if (toCut-- === 0) throw new Error('Cut');
      },
    });
    await expect(shop.read('a')).rejects.toThrow('Cut');
    expect(await known()).toEqual(numbers(1, 5_000));
    const firstRequests = requests.length;
    await shop.read('b');
    expect(await known()).toEqual(numbers(1, count));
    // The batch that was cut, and no other: what the sweep sees again it knows.
    expect(idsRead.length).toBe(count + 50);
    expect(requests.length - firstRequests).toBeLessThan(firstRequests + 30);

    requests.length = 0;
    await shop.read('c');
    expect(requests.length).toBeLessThan(30);
  });
});

/** More orders than the simulated shop gives in a reasonable time: these come from a list. Each was changed ten seconds after the one before. */
function longShop(count: number, order: OrderRow) {
  const at = (id: number) =>
    new Date(Date.UTC(2026, 10, 1) + id * 10_000).toISOString().slice(0, 19).replace('T', ' ');
  const row = (id: number) => ({ ...order, id, reference: `COPY${id}`, date_upd: at(id) });
  const requests: string[] = [];
  const idsRead: number[] = [];
  const ordersFor = ({ filter = {}, limit = [0, count] }: Query): number[] => {
    const { id = '', date_upd } = filter;
    const [, after] = /^>\[(\d+)\]$/.exec(id) ?? [];
    if (after !== undefined) return numbers(Number(after) + 1, Math.min(count, Number(after) + limit[1]));
    if (id !== '') {
      const ids = id.slice(1, -1).split('|').map(Number);
      idsRead.push(...ids);
      return ids;
    }
    if (date_upd === undefined) return [count];
    const [from = ''] = date_upd.slice(1, -1).split(',');
    return numbers(1, count)
      .filter((one) => at(one) >= from)
      .slice(0, limit[1]);
  };
  const rows = (resource: Resource, query: Query): unknown[] => {
    if (resource === 'order_states') return [{ id: 2, paid: true, name: 'Paid' }];
    return resource === 'orders' ? ordersFor(query).map(row) : [];
  };
  const api = {
    list: (resource: Resource, _row: unknown, query: Query) => {
      requests.push(resource);
      return Promise.resolve(rows(resource, query));
    },
  } as unknown as Webservice;
  return { api, requests, idsRead };
}

/** The request for it after so many. */
type Asked = readonly [resource: Resource, skip: number];

describe('A request that goes wrong', () => {
  /** In the order in which they are made. */
  const REQUESTS: readonly Asked[] = [
    ['order_states', 0],
    ...[0, 1, 2].map((skip) => ['orders', skip] as const),
    ['customers', 0],
    ['addresses', 0],
    ['order_cart_rules', 0],
    ['order_payments', 0],
    ['combinations', 0],
    ['products', 0],
    ['cart_rules', 0],
    ['countries', 0],
    ['product_option_values', 0],
    ['suppliers', 0],
    ['manufacturers', 0],
    ['order_slip', 0],
    ['order_slip', 1],
  ];
  /** A shop with something for each request, and what the ledger knows after one reading without a fault. */
  const shopToRead = async () => {
    const shop = await bench.shop({ timeout: 3_000 });
    await shop.buy({ ...twoSizes, voucher: { name: 'Bon', code: 'CINQ', amount: 500 } });
    await shop.buy(seed([[OTHER, 1]]), { state: AWAITING_BANK_WIRE });
    await shop.buy(twoSizes, { diesAt: 'first row made' });
    await shop.buy(seed([], { lines: [{ ean: LARGE, quantity: 1, gencod: false }] }));
    shop.checkout.refund(1, [{ row: 1, quantity: 1 }]);
    await shop.read('a');
    const expected = await contents(bench.test);
    expect(await known()).toEqual([1, 2, 4]);
    await bench.test.reset();
    shop.webservice.forgetRequests();
    return { shop, expected };
  };

  it.each<readonly [Fault, string, readonly Asked[]]>([
    ['status 500', 'Transient', REQUESTS],
    ['error text', 'Transient', REQUESTS],
    ['redirect', 'Refused', REQUESTS],
    ['slow', 'Transient', [['orders', 2]]],
  ])('(%s) ends the reading; the next one ends with the very same', async (fault, type, requests) => {
    const { shop, expected } = await shopToRead();
    for (const [resource, skip] of requests) {
      shop.webservice.failNext({ resource, skip }, fault, { milliseconds: 4_000 });
      const error = await shop.read('a').then(
        () => new Error('Expected the reading to end'),
        (caught: unknown) => caught,
      );
      expect(toFailure(error, (text) => text)).toMatchObject({ type });
      expect((error as Error).message).toMatch(new RegExp(`GET /api/${resource}\\b`));
      // Those that were made at the same time still come, and may have others made after them.
      const { requests: made } = shop.webservice;
      const areOver = () => made.every((request) => request.end !== undefined || request.fault !== undefined);
      for (let before = -1; before !== made.length || !areOver(); await sleep(250)) before = made.length;
    }
    await shop.read('a');
    expect(await contents(bench.test)).toEqual(expected);
  });

  it.each<readonly [Fault, readonly Asked[]]>([
    ['reset', REQUESTS.filter(([resource, skip]) => skip === (resource === 'orders' ? 2 : 0))],
    ['status 503', [['orders', 2]]],
    ['status 429', [['orders', 2]]],
  ])('(%s) is made again, and the reading goes on', async (fault, requests) => {
    const { shop, expected } = await shopToRead();
    for (const [resource, skip] of requests) shop.webservice.failNext({ resource, skip }, fault);
    await shop.read('a');
    expect(shop.webservice.requests.filter((request) => request.fault === fault)).toHaveLength(
      requests.length,
    );
    expect(await contents(bench.test)).toEqual(expected);
  });
});
