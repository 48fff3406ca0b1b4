import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { insertRow, rowOf, rowsOf, type Row } from '../../sandbox/webservice/database.ts';
import { AWAITING_BANK_WIRE, CANCELLED, PAID } from '../../sandbox/webservice/order-states.ts';
import {
  contents,
  LARGE,
  MINUTE,
  numbers,
  openBench,
  passTime,
  routes,
  seed,
  twoSizes,
  SMALL,
  VERSIONS,
  type ShopOfOrders,
} from '../support/read-orders.ts';

const bench = openBench();

const ledger = () => bench.test.ledger;
const ways = () => routes(bench.test);
const known = async () => Object.keys(await ways()).map(Number);
const setAside = async () => (await ledger().ordersForPeople()).setAside;
const incomplete = async () =>
  (await ledger().incompleteOrders()).map(({ id, lines, givenUpAt }) => ({
    id,
    units: lines.reduce((sum, { quantity }) => sum + quantity, 0),
    isGivenUp: givenUpAt !== null,
  }));
const outstanding = async () =>
  (await ledger().outstanding()).lines.reduce((sum, { quantity }) => sum + quantity, 0);
const asked = ({ webservice }: ShopOfOrders, resource: string) =>
  webservice.requests.filter((request) => request.resource === resource);

/** Puts copies of a finished order into the shop, as many as it takes to have ids up to `last`. */
function copyOrders(
  { database }: ShopOfOrders,
  last: number,
  change: (id: number) => Partial<Row<'orders'>> = () => ({}),
) {
  const order = rowOf(database, 'orders', 1);
  const details = rowsOf(database, 'order_details', ({ id_order }) => id_order === 1);
  for (let id = database.orders.next; id <= last; id++) {
    insertRow(database, 'orders', { ...order, reference: `COPY${id}`, ...change(id), id });
    for (const { id: _id, ...detail } of details)
      insertRow(database, 'order_details', { ...detail, id_order: id });
  }
}

describe.each(VERSIONS)('An order that is read while the shop makes it, in %s', (version) => {
  it('is not recorded before it is whole, is outstanding as far as it shows, and is recorded then', async () => {
    const shop = await bench.shop({ version, slowness: 12 });
    await shop.read('before');
    const { id, finished } = shop.checkout.placeOrder(twoSizes, { rewritesTaxes: false });
    const state = { isMade: false };
    const made = (async () => {
      await finished;
      state.isMade = true;
    })();
    const seen: { readonly isKnown: boolean; readonly units: number }[] = [];
    for (let round = 0; !state.isMade; round++) {
      await shop.read(`r${round}`);
      seen.push({ isKnown: (await known()).length > 0, units: await outstanding() });
    }
    await made;
    await shop.read('last');
    // The row of one size, of both, or none yet; recorded with both only.
    for (const one of seen)
      expect([
        ...[0, 2, 3].map((units) => ({ isKnown: false, units })),
        { isKnown: true, units: 3 },
      ]).toContainEqual(one);
    expect(seen.map(({ isKnown }) => isKnown)).toContain(false);
    expect(await ways()).toEqual({ [id]: 'send' });
    expect((await ledger().ordersToSend())[0]?.lines.map(({ ean }) => ean)).toEqual([SMALL, LARGE]);
    expect(await incomplete()).toEqual([]);
    expect(await outstanding()).toBe(3);
  });
});

describe('An order whose making has died', () => {
  it('is waited for, then given up and told, wherever it died', async () => {
    const shop = await bench.shop();
    const deaths = [
      ['order made', 0],
      ['stock taken', 0],
      ['first row made', 2],
      ['rows made', 3],
      ['paid', 3],
    ] as const;
    for (const [diesAt] of deaths) await shop.buy(twoSizes, { diesAt });
    const expected = (isGivenUp: boolean) =>
      deaths.map(([, units], index) => ({ id: index + 1, units, isGivenUp }));
    await shop.read('a');
    passTime(9 * MINUTE);
    await shop.read('b');
    expect(await incomplete()).toEqual(expected(false));
    expect(await outstanding()).toBe(8);
    passTime(MINUTE);
    await shop.read('c');
    passTime(60 * MINUTE);
    await shop.read('d');
    expect(await incomplete()).toEqual(expected(true));
    expect(await outstanding()).toBe(0);
    expect(await known()).toEqual([]);
  });

  it('is recorded when somebody brings it to its end after all', async () => {
    const shop = await bench.shop();
    const id = await shop.buy(twoSizes, { diesAt: 'rows made' });
    await shop.read('a');
    passTime(60 * MINUTE);
    await shop.read('b');
    expect(await incomplete()).toMatchObject([{ isGivenUp: true }]);
    passTime(60 * MINUTE);
    shop.checkout.changeState(id, PAID);
    await shop.read('c');
    expect(await ways()).toEqual({ [id]: 'send' });
    expect(await incomplete()).toEqual([]);
  });

  it('is forgotten when it is cancelled, or deleted', async () => {
    const shop = await bench.shop();
    const cancelled = await shop.buy(twoSizes, { diesAt: 'first row made' });
    const deleted = await shop.buy(twoSizes, { diesAt: 'first row made' });
    await shop.read('a');
    expect(await incomplete()).toHaveLength(2);
    passTime(MINUTE);
    shop.checkout.changeState(cancelled, CANCELLED);
    shop.database.orders.rows.delete(deleted);
    await shop.read('b');
    expect(await incomplete()).toEqual([]);
    expect(await ways()).toEqual({ [cancelled]: 'cancelled' });
  });
});

describe('An order whose rows never add up', () => {
  const lacking = async (options: { readonly state?: number } = {}) => {
    const shop = await bench.shop();
    const id = await shop.buy(twoSizes, options);
    rowOf(shop.database, 'orders', id).total_products_wt = '200.080000';
    return { shop, id };
  };
  const reason = (id: number) =>
    `Expected its rows to add up to 200.08, got 150.06 (order ${id}, line 1, total_products_wt)`;

  it('is set aside after the patience, with both sums', async () => {
    const { shop, id } = await lacking();
    await shop.read('a');
    passTime(9 * MINUTE);
    await shop.read('b');
    expect(await incomplete()).toEqual([{ id, units: 3, isGivenUp: false }]);
    passTime(MINUTE);
    await shop.read('c');
    expect(await incomplete()).toEqual([]);
    expect(await setAside()).toMatchObject([{ id, reason: reason(id) }]);
    expect(await outstanding()).toBe(3);
    const before = await contents(bench.test);
    await shop.read('d');
    expect(await contents(bench.test)).toEqual(before);
  });

  it('is told as soon as it is paid, when it was waited for before', async () => {
    const { shop, id } = await lacking({ state: AWAITING_BANK_WIRE });
    await shop.read('a');
    passTime(10 * MINUTE);
    await shop.read('b');
    expect(await ways()).toEqual({ [id]: 'waiting' });
    passTime(60 * MINUTE);
    shop.checkout.changeState(id, PAID);
    await shop.read('c');
    expect(await setAside()).toMatchObject([{ id, reason: reason(id) }]);
  });

  it('is sent once they do', async () => {
    const { shop, id } = await lacking();
    await shop.read('a');
    passTime(10 * MINUTE);
    await shop.read('b');
    passTime(60 * MINUTE);
    Object.assign(rowOf(shop.database, 'orders', id), {
      total_products_wt: '150.060000',
      date_upd: '2026-11-24 11:10:00',
    });
    await shop.read('c');
    expect(await ways()).toEqual({ [id]: 'send' });
  });
});

describe('An order that cannot be sent', () => {
  const UNITS = 1_000_001;

  it('is set aside with the field, and with where it stands in the archived file', async () => {
    const shop = await bench.shop();
    const withoutCode = { lines: [{ ean: LARGE, quantity: 2, gencod: false }] };
    await shop.buy();
    await shop.buy(seed([], withoutCode));
    await shop.buy(seed([], { ...withoutCode, reference: 'WAITSPAID' }), { state: AWAITING_BANK_WIRE });
    await shop.buy();
    await shop.buy();
    const [row] = rowsOf(shop.database, 'order_details', ({ id_order }) => id_order === 5);
    Object.assign(row!, { product_quantity: UNITS, unit_price_tax_incl: '1.000000' });
    rowOf(shop.database, 'orders', 5).total_products_wt = `${UNITS}.000000`;
    await shop.read('a', 6);

    expect(await ways()).toEqual({ 1: 'send', 2: 'set_aside', 3: 'waiting', 4: 'send', 5: 'set_aside' });
    expect(await setAside()).toMatchObject([
      {
        id: 2,
        reason: 'Expected a barcode of 8 to 14 digits, got nothing (orders 1 to 5, line 2, lines.0.ean)',
      },
      {
        id: 5,
        reason: `Expected a whole number up to 1000000, got \`${UNITS}\` (orders 1 to 5, line 5, lines.0.quantity)`,
      },
    ]);
    const [path] = shop.files.keys();
    expect(path).toBe('a/late-orders-1-to-5.jsonl');
    const lines = ((await shop.archived())[0] ?? '').split('\n');
    expect(lines).toHaveLength(6);
    expect(lines.slice(0, 5).map((line) => (JSON.parse(line) as { order: { id: number } }).order.id)).toEqual(
      [1, 2, 3, 4, 5],
    );
    // Nobody knows which size: the units count against all of the model.
    expect((await ledger().outstanding()).lines).toContainEqual({
      ean: null,
      reference: 'SNK001',
      quantity: 4,
    });

    passTime(60 * MINUTE);
    shop.checkout.changeState(3, PAID);
    await shop.read('b');
    expect(await setAside()).toMatchObject([
      { id: 2 },
      {
        id: 3,
        reason: 'Expected a barcode of 8 to 14 digits, got nothing (orders 1 to 5, line 3, lines.0.ean)',
      },
      { id: 5 },
    ]);
    expect([...shop.files.keys()]).toContain('b/orders-1-to-5.jsonl');
  });

  it('is sent once the shop shows it right', async () => {
    const shop = await bench.shop();
    const id = await shop.buy(seed([], { lines: [{ ean: LARGE, quantity: 2, gencod: false }] }));
    await shop.read();
    rowsOf(shop.database, 'order_details')[0]!.product_ean13 = ` ${LARGE}`;
    await shop.read('b');
    expect(await ways()).toEqual({ [id]: 'send' });
    expect((await ledger().outstanding()).lines).toMatchObject([{ ean: LARGE, quantity: 2 }]);
  });
});

describe('Nothing is missed', () => {
  it.each([7, 1_000])(
    'of 60 orders of one second, by pages of %i, nor when they change in one second',
    async (page) => {
      const shop = await bench.shop({ page });
      await shop.buy();
      copyOrders(shop, 60);
      await shop.read('a');
      expect(await known()).toEqual(numbers(1, 60));
      passTime(60 * MINUTE);
      for (const id of numbers(1, 60)) shop.checkout.changeState(id, CANCELLED);
      await shop.read('b');
      expect(new Set(Object.values(await ways()))).toEqual(new Set(['cancelled']));
    },
  );

  it('when an order changes between two pages', async () => {
    let changes = 0;
    const shop = await bench.shop({
      page: 5,
      before: ({ file }) => {
        if (file !== 'orders 1 to 5' || changes++ > 0) return;
        passTime(1_000);
        // One that the second page would have begun with, and one that was read already.
        shop.checkout.changeState(6, CANCELLED);
        shop.checkout.changeState(1, CANCELLED);
      },
    });
    await shop.buy();
    copyOrders(shop, 12, (id) => ({ date_upd: `2026-11-24 09:50:${String(id).padStart(2, '0')}` }));
    await shop.read('a');
    expect(changes).toBeGreaterThan(0);
    expect(await ways()).toMatchObject({ 5: 'send', 6: 'cancelled', 7: 'send' });
    expect(await known()).toEqual(numbers(1, 12));
    await shop.read('b');
    expect(await ways()).toMatchObject({ 1: 'cancelled', 2: 'send' });

    changes = 0;
    passTime(60 * MINUTE);
    for (const id of numbers(2, 12)) {
      if (id !== 6) shop.checkout.changeState(id, 3);
      passTime(1_000);
    }
    const states = async () => (await ledger().ordersToSend()).map(({ state }) => state);
    await shop.read('c');
    expect(new Set(await states())).toEqual(new Set(['3']));
  });

  it('of ids that become visible out of their order, however old they say that they are', async () => {
    const shop = await bench.shop();
    await shop.buy();
    copyOrders(shop, 30);
    const hidden = [12, 25].map((id) => rowOf(shop.database, 'orders', id));
    for (const order of hidden) order.date_upd = '2026-11-20 10:00:00';
    for (const { id } of hidden) shop.database.orders.rows.delete(id);
    await shop.read('a');
    expect(await known()).not.toContain(25);
    passTime(60 * MINUTE);
    for (const order of hidden) shop.database.orders.rows.set(order.id, order);
    await shop.read('b');
    expect(await known()).toEqual(numbers(1, 30));
  });

  it('in the hour that comes twice in autumn', async () => {
    const shop = await bench.shop();
    // 02:50 in summer.
    vi.setSystemTime(new Date('2026-10-25T00:50:00Z'));
    const id = await shop.buy();
    await shop.buy();
    await shop.read('a');
    expect(await ways()).toEqual({ 1: 'send', 2: 'send' });
    // 02:05 in winter, a quarter of an hour later.
    vi.setSystemTime(new Date('2026-10-25T01:05:00Z'));
    shop.checkout.changeState(id, CANCELLED);
    expect(rowOf(shop.database, 'orders', id).date_upd).toBe('2026-10-25 02:05:00');
    vi.setSystemTime(new Date('2026-10-25T01:07:00Z'));
    await shop.read('b');
    expect(await ways()).toEqual({ 1: 'cancelled', 2: 'send' });
    // And long after, when a cycle was missed.
    vi.setSystemTime(new Date('2026-10-25T01:20:00Z'));
    shop.checkout.changeState(2, CANCELLED);
    vi.setSystemTime(new Date('2026-11-04T08:00:00Z'));
    await shop.read('c');
    expect(await ways()).toEqual({ 1: 'cancelled', 2: 'cancelled' });
  });

  it('after an order that is dated in the future', async () => {
    const shop = await bench.shop();
    for (let count = 0; count < 3; count++) await shop.buy();
    rowOf(shop.database, 'orders', 1).date_upd = '2031-01-01 00:00:00';
    await shop.read('a');
    rowOf(shop.database, 'orders', 2).date_upd = '2032-01-01 00:00:00';
    passTime(60 * MINUTE);
    await shop.read('b');
    passTime(60 * MINUTE);
    shop.checkout.changeState(3, CANCELLED);
    await shop.read('c');
    expect(await ways()).toMatchObject({ 3: 'cancelled' });
  });

  it('of a shop that sells its first order while it is read, nor when the reading is cut then', async () => {
    const shop = await bench.shop({ timeout: 30_000 });
    shop.webservice.failNext({ resource: 'orders', skip: 1 }, 'slow', { milliseconds: 5_000 });
    shop.webservice.failNext({ resource: 'orders', skip: 3 }, 'status 500');
    const reading = shop.read('a');
    while (asked(shop, 'orders').length < 2) await sleep(1);
    const id = await shop.buy();
    await expect(reading).rejects.toThrow('HTTP 500');
    copyOrders(shop, 40);
    await shop.read('b');
    expect(await known()).toEqual(numbers(1, 40));
    passTime(60 * MINUTE);
    shop.checkout.changeState(id, CANCELLED);
    await shop.read('c');
    expect(await ways()).toMatchObject({ [id]: 'cancelled', 40: 'send' });
  });
});
