import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Order, SetAsideOrder } from '../../src/domain/order.ts';
import { LEDGERS, type TestLedger } from '../support/ledgers.ts';
import { aLine, anOrder, anUnreadableOrder } from '../support/orders.ts';

const MINUTE = 60_000;
const NOON = new Date('2026-11-24T12:00:00Z');
const after = (minutes: number) => new Date(NOON.getTime() + minutes * MINUTE);

describe.each(LEDGERS)('the ledger on $name', ({ open }) => {
  let test: TestLedger;
  beforeAll(async () => {
    test = await open();
  });
  afterAll(() => test.close());
  beforeEach(() => test.reset());

  const record = (
    orders: readonly Order[],
    change: {
      cycle?: string;
      step?: number;
      byHand?: readonly number[];
      setAside?: readonly SetAsideOrder[];
    } = {},
  ) =>
    test.ledger.recordOrders({
      cycle: change.cycle ?? 'a',
      step: change.step ?? 1,
      file: 'commandes',
      fileSha256: 'f'.repeat(64),
      at: NOON,
      orders: orders.map((order) => ({
        order,
        route: change.byHand?.includes(order.id) ? 'by_hand' : 'send',
      })),
      setAside: change.setAside ?? [],
    });
  const start = async (orderIds: readonly number[], kind: 'sales' | 'stock' = 'sales', cycle = 'a') => {
    const id = randomUUID();
    const [temporaryPath, finalPath] = [`/passerelle/${id}.tmp`, `/import/${id}.xml`];
    await test.ledger.startDelivery(
      { id, kind, cycle, temporaryPath, finalPath, size: 1, sha256: '', createdAt: NOON },
      orderIds,
    );
    return id;
  };
  const publish = async (orderIds: readonly number[]) => {
    const id = await start(orderIds);
    expect(await test.ledger.markUploaded(id)).toBe(true);
    expect(await test.ledger.markPublished(id, NOON)).toBe(true);
    return id;
  };
  const collect = async (cycle: string, begunAfter: Date | null, margin = 2 * MINUTE, sha256 = '') => {
    const { id } = await test.ledger.recordExport(
      {
        id: randomUUID(),
        cycle,
        sha256,
        size: 1,
        modifiedAt: NOON,
        begunAfter,
        collectedAt: after(30),
        rows: 1,
        units: 1,
      },
      margin,
    );
    return { reflected: await test.ledger.reflectedBy(id) };
  };
  const idsToSend = async () => (await test.ledger.ordersToSend()).map(({ id }) => id);
  const unitsOutstanding = async () =>
    (await test.ledger.outstanding()).lines.reduce((sum, line) => sum + line.quantity, 0);

  it('counts what was seen gone before the export before, when the clock was set back since', async () => {
    await record([anOrder(7)]);
    const id = await publish([7]);
    await test.ledger.markTaken(id, after(60));
    // The clock was set back by an hour: all that follows seems to come before.
    expect(await collect('a', after(2), 0, 'first')).toEqual({ reflected: 0 });
    // The very same file, collected by a cycle beside that one, proves nothing.
    expect(await collect('b', after(2), 0, 'first')).toEqual({ reflected: 0 });
    expect(await collect('c', after(32), 0, 'second')).toEqual({ reflected: 1 });
  });

  it('records an order once, whatever a later export says of it', async () => {
    await record([anOrder(7, { total: '10.00' })]);
    await record([anOrder(7, { total: '99.00', lines: [aLine('3000000000017', 5)] })], {
      cycle: 'b',
      step: 6,
    });
    expect(await test.ledger.ordersToSend()).toMatchObject([{ id: 7, total: '10.00' }]);
    expect(await unitsOutstanding()).toBe(1);
    expect(await test.ledger.ordersSeen('a', 1)).toMatchObject({ toSend: [7] });
    expect(await test.ledger.ordersSeen('b', 6)).toMatchObject({ toSend: [] });
  });

  it('keeps an order with every field as it came', async () => {
    const order = anOrder(7, {
      voucherName: 'Ö "quoted"; \\ \u2028 \n line',
      lines: [aLine('3000000000017', 2)],
    });
    await record([order]);
    expect(await test.ledger.ordersToSend()).toEqual([order]);
  });

  it('takes an order that was set aside once an export shows it readable', async () => {
    await record([], { setAside: [anUnreadableOrder(7)] });
    expect(await idsToSend()).toEqual([]);
    await record([anOrder(7)], { cycle: 'b' });
    expect(await idsToSend()).toEqual([7]);
    expect(await test.ledger.ordersForPeople()).toMatchObject({ setAside: [] });
    expect((await test.ledger.outstanding()).lines).toEqual([
      { ean: '3000000000017', reference: 'MOD1', quantity: 1 },
    ]);
  });

  it('never turns an order that waits to be sent into one set aside', async () => {
    await record([anOrder(7)]);
    await record([], { cycle: 'b', setAside: [anUnreadableOrder(7)] });
    expect(await idsToSend()).toEqual([7]);
  });

  it('does not send an order that a person has settled, even when it becomes readable', async () => {
    await record([], { setAside: [anUnreadableOrder(7)] });
    expect(await test.ledger.settleOrder(7, NOON, 'saisie à la main')).toBe(true);
    await record([anOrder(7)], { cycle: 'b' });
    expect(await idsToSend()).toEqual([]);
    expect(await test.ledger.settleOrder(7, NOON, 'encore')).toBe(false);
  });

  it('lists orders for people with where and why', async () => {
    await record([anOrder(1), anOrder(2)], {
      byHand: [2],
      setAside: [anUnreadableOrder(3), anUnreadableOrder(null)],
    });
    await record([], { cycle: 'b', setAside: [anUnreadableOrder(null)] });
    expect(await test.ledger.ordersForPeople()).toEqual({
      byHand: [{ id: 2, reference: 'REF2', route: 'by_hand', reason: null }],
      setAside: [
        {
          id: 3,
          reference: 'REF3',
          route: 'set_aside',
          reason: 'Expected an EAN, got nothing (commandes, line 12, line.ean)',
        },
      ],
      unnumbered: [
        { tag: 'ffffffff-12', reason: 'Expected an EAN, got nothing (commandes, line 12, line.ean)' },
      ],
    });
    expect(await idsToSend()).toEqual([1]);
    expect(await unitsOutstanding()).toBe(1 + 1 + 2 + 2);
  });

  it('holds an order in one delivery at most', async () => {
    await record([anOrder(1), anOrder(2)]);
    await start([1]);
    await expect(start([1, 2])).rejects.toThrow('Expected 2 orders to be free');
    expect(await idsToSend()).toEqual([2]);
  });

  it('frees the orders of a delivery that was cut before its file was whole', async () => {
    await record([anOrder(1)]);
    const id = await start([1]);
    expect(await test.ledger.abandonDelivery(id)).toBe(true);
    expect(await idsToSend()).toEqual([1]);
    expect(await test.ledger.markUploaded(id)).toBe(false);
    expect(await test.ledger.deliveryOf('a', 'sales')).toBeNull();
  });

  it('does not free the orders of a delivery whose file may have been renamed', async () => {
    await record([anOrder(1)]);
    const id = await start([1]);
    await test.ledger.markUploaded(id);
    expect(await test.ledger.abandonDelivery(id)).toBe(false);
    expect(await idsToSend()).toEqual([]);
    expect(await test.ledger.openDeliveries('sales')).toMatchObject([{ id, state: 'uploaded' }]);
  });

  it('counts an order as known to Proshop only when it was taken a margin before the export began', async () => {
    await record([anOrder(1), anOrder(2), anOrder(3)]);
    await test.ledger.markTaken(await publish([1]), after(0));
    await test.ledger.markTaken(await publish([2]), after(9));
    await publish([3]);
    expect(await collect('a', after(10))).toEqual({ reflected: 1 });
    expect(await unitsOutstanding()).toBe(2);
    expect(await collect('b', after(11))).toEqual({ reflected: 1 });
    expect(await unitsOutstanding()).toBe(1);
  });

  it('counts no order as known to Proshop when nobody knows when the export began', async () => {
    await record([anOrder(1)]);
    await test.ledger.markTaken(await publish([1]), after(0));
    expect(await collect('a', null)).toEqual({ reflected: 0 });
    expect(await unitsOutstanding()).toBe(1);
  });

  it('keeps an order entered by hand outstanding until an export begun after it was settled', async () => {
    await record([anOrder(1)], { byHand: [1] });
    await collect('a', after(-5));
    await test.ledger.settleOrder(1, after(0), 'saisie');
    expect(await unitsOutstanding()).toBe(1);
    // The bytes of before cannot hold it, whenever they come again.
    await collect('b', after(2));
    expect(await unitsOutstanding()).toBe(1);
    await collect('c', after(2), 2 * MINUTE, 'another');
    expect(await unitsOutstanding()).toBe(0);
  });

  it('records one export a cycle', async () => {
    await record([anOrder(1)]);
    await test.ledger.markTaken(await publish([1]), after(0));
    await collect('a', after(10));
    const first = await test.ledger.exportOf('a');
    expect(await collect('a', after(50))).toEqual({ reflected: 1 });
    expect(await test.ledger.exportOf('a')).toEqual(first);
  });

  it('sums outstanding units by variant and keeps those without EAN by reference', async () => {
    await record(
      [anOrder(1, { lines: [aLine('A', 2), aLine('B', 1)] }), anOrder(2, { lines: [aLine('A', 3)] })],
      {
        setAside: [anUnreadableOrder(3)],
      },
    );
    const { orders, lines } = await test.ledger.outstanding();
    expect(orders).toBe(3);
    expect(lines.toSorted((a, b) => String(a.ean).localeCompare(String(b.ean)))).toEqual([
      { ean: 'A', reference: 'MOD1', quantity: 5 },
      { ean: 'B', reference: 'MOD1', quantity: 1 },
      { ean: null, reference: 'MOD1', quantity: 2 },
    ]);
  });

  it('replaces the stock last applied, variant by variant', async () => {
    await collect('a', null);
    const id = (await test.ledger.exportOf('a'))?.id ?? '';
    expect(await test.ledger.lastAppliedExport()).toBeNull();
    const variant = (ean: string, quantity: number) => ({ ean, reference: 'MOD1', size: '42', quantity });
    await test.ledger.applyStock(id, [variant('A', 1), variant('B', 2)], after(20));
    await test.ledger.applyStock(id, [variant('B', 3), variant('C', 4)], after(21));
    expect(await test.ledger.appliedStock()).toEqual(
      new Map([
        ['B', variant('B', 3)],
        ['C', variant('C', 4)],
      ]),
    );
    expect(await test.ledger.lastAppliedExport()).toMatchObject({ id, appliedAt: after(21) });
  });

  it('knows a model only once the import that creates it is over', async () => {
    await test.ledger.askModels(['MOD1', 'MOD2'], after(0));
    expect(await test.ledger.confirmedModels()).toEqual(new Set());
    await test.ledger.confirmModels({ from: after(-9), to: after(-1) }, after(2));
    expect(await test.ledger.confirmedModels()).toEqual(new Set());
    await test.ledger.confirmModels({ from: after(1), to: after(9) }, after(2));
    expect(await test.ledger.confirmedModels()).toEqual(new Set());
    await test.ledger.confirmModels({ from: after(-9), to: after(1) }, after(2));
    expect(await test.ledger.confirmedModels()).toEqual(new Set(['MOD1', 'MOD2']));
  });

  it('forgets customers when the retention is over, but never of an order that may still be sent', async () => {
    await record([anOrder(1), anOrder(2)]);
    await test.ledger.markTaken(await publish([1]), after(0));
    await collect('a', after(10));
    expect(await test.ledger.forgetCustomers(after(-1))).toBe(0);
    expect(await test.ledger.forgetCustomers(after(1))).toBe(1);
    expect(await idsToSend()).toEqual([2]);
  });

  it('forgets customers of orders that nobody ever saw to, and of those that Proshop is not known to count', async () => {
    await record([anOrder(1), anOrder(2), anOrder(3), anOrder(4)], { byHand: [1] });
    await test.ledger.setAside(2, 'Expected a placeholder that can be worked out, got none');
    await publish([3]);
    const cut = await start([4]);
    expect(await test.ledger.forgetCustomers(after(1))).toBe(3);
    expect(await test.ledger.forgetCustomers(after(1))).toBe(0);
    expect(await test.ledger.ordersForPeople()).toMatchObject({ byHand: [{ id: 1 }], setAside: [{ id: 2 }] });
    expect(await unitsOutstanding()).toBe(4);
    // Its file was never shown to Proshop: it is sent again, with its customer.
    await test.ledger.abandonDelivery(cut);
    expect(await test.ledger.ordersToSend()).toEqual([anOrder(4)]);
  });

  it('counts orders by what they wait for: together as many as are outstanding', async () => {
    const unreadable = [anUnreadableOrder(8), anUnreadableOrder(null)];
    const readable = [1, 2, 3, 4, 5, 6, 7].map((id) => anOrder(id));
    await record(readable, { byHand: [3, 4], setAside: unreadable });
    await publish([2]);
    await test.ledger.markTaken(await publish([6]), after(0));
    await collect('a', after(10));
    await test.ledger.settleOrder(4, after(20), 'entered');
    expect(await test.ledger.ordersByState()).toEqual({
      to_send: 3,
      sent: 1,
      by_hand: 1,
      set_aside: 2,
      waiting: 0,
      settled: 1,
      incomplete: 0,
    });
    expect(await test.ledger.outstanding()).toMatchObject({ orders: 8 });
  });

  it('counts an order without a number until an export that began after a person had entered it', async () => {
    await record([], { setAside: [anUnreadableOrder(null), anUnreadableOrder(null, { line: 13 })] });
    await test.ledger.settleUnnumbered('ffffffff-13', after(20), 'saisie');
    await test.ledger.settleUnnumbered('ffffffff-13', after(30), 'encore');
    expect(await test.ledger.unnumberedSettled('ffffffff-13')).toBe('saisie');
    expect(await test.ledger.unnumberedSettled('ffffffff-12')).toBeNull();
    expect((await test.ledger.ordersForPeople()).unnumbered).toMatchObject([{ tag: 'ffffffff-12' }]);
    expect(await unitsOutstanding()).toBe(4);
    await collect('a', after(21));
    await collect('b', null);
    expect(await unitsOutstanding()).toBe(4);
    expect(await test.ledger.ordersByState()).toMatchObject({ set_aside: 1, settled: 1 });
    await collect('c', after(22), 2 * MINUTE, 'another');
    expect(await unitsOutstanding()).toBe(2);
    expect(await test.ledger.ordersByState()).toMatchObject({ set_aside: 1, settled: 0 });
    expect(await test.ledger.outstanding()).toMatchObject({ orders: 1 });
  });

  it('holds ten thousand orders of a pause in one delivery', async () => {
    const ids = Array.from({ length: 10_000 }, (_, index) => index + 1);
    await record(ids.map((id) => anOrder(id)));
    expect(await idsToSend()).toEqual(ids);
    await start(ids);
    expect(await idsToSend()).toEqual([]);
  });
});
