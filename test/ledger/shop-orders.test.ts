import { randomUUID } from 'node:crypto';
import { asc, eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { OrderStanding } from '../../src/domain/order-life.ts';
import type { Order, SetAsideOrder, SoldLine } from '../../src/domain/order.ts';
import type { ShopOrdersSeen } from '../../src/ledger/ledger.ts';
import { orderLines, orders, shopMoves, takeBacks } from '../../src/ledger/schema.ts';
import { LEDGERS, type TestLedger } from '../support/ledgers.ts';
import { aLine, anOrder, anUnreadableOrder } from '../support/orders.ts';

const MINUTE = 60_000;
const NOON = new Date('2026-11-24T12:00:00Z');
const after = (minutes: number) => new Date(NOON.getTime() + minutes * MINUTE);
const SHOE = '3000000000017';
const A_SHOE: SoldLine = { ean: SHOE, reference: 'MOD1', quantity: 1 };

describe.each(LEDGERS)('the ledger on $name', ({ open }) => {
  let test: TestLedger;
  beforeAll(async () => {
    test = await open();
  });
  afterAll(() => test.close());
  beforeEach(async () => {
    await test.reset();
    await test.database.execute(sql`truncate incomplete_orders, shop_cursors`);
  });

  interface Change {
    readonly cycle?: string;
    readonly step?: number;
    readonly byHand?: boolean;
    readonly stockBack?: boolean;
    readonly at?: Date;
    readonly reading?: number;
  }
  const seen = (
    standing: OrderStanding,
    shown: readonly (Order | (SetAsideOrder & { readonly id: number }))[],
    {
      cycle = 'a',
      step = 1,
      byHand = false,
      stockBack = standing === 'cancelled',
      at = NOON,
      reading = 1,
    }: Change = {},
  ): ShopOrdersSeen => ({
    cycle,
    step,
    file: `orders of ${cycle}`,
    at,
    reading,
    orders: shown.flatMap((order) => ('customer' in order ? [{ order, standing, byHand, stockBack }] : [])),
    setAside: shown.flatMap((order) => ('customer' in order ? [] : [{ ...order, standing, stockBack }])),
  });
  const see = (...parameters: Parameters<typeof seen>) => test.ledger.recordShopOrders(seen(...parameters));
  const unreadable = (id: number) => ({ ...anUnreadableOrder(id), id });
  const refund = (orderId: number, slip: number, lines = [A_SHOE], cycle = 'a', step = 1) =>
    test.ledger.recordRefunds({ cycle, step, at: NOON, refunds: [{ orderId, slip, lines }] });
  const incomplete = (id: number, lines: readonly SoldLine[], at = NOON, cycle = 'a') =>
    test.ledger.recordIncomplete({ cycle, at, orders: [{ id, reference: `REF${id}`, lines }] });

  const start = async (orderIds: readonly number[]) => {
    const id = randomUUID();
    const [temporaryPath, finalPath] = [`/passerelle/${id}.tmp`, `/import/${id}.xml`];
    await test.ledger.startDelivery(
      { id, kind: 'sales', cycle: 'a', temporaryPath, finalPath, size: 1, sha256: '', createdAt: NOON },
      orderIds,
    );
    return id;
  };
  const publish = async (orderIds: readonly number[]) => {
    const id = await start(orderIds);
    await test.ledger.markUploaded(id);
    await test.ledger.markPublished(id, NOON);
    return id;
  };
  const collect = async (cycle: string, begunAfter: Date) => {
    const { id } = await test.ledger.recordExport(
      {
        id: randomUUID(),
        cycle,
        sha256: '',
        size: 1,
        modifiedAt: NOON,
        begunAfter,
        collectedAt: after(30),
        rows: 1,
        units: 1,
      },
      0,
    );
    return id;
  };
  const idsToSend = async () => (await test.ledger.ordersToSend()).map(({ id }) => id);
  const rowOf = async (id: number) => {
    const [row] = await test.database.select().from(orders).where(eq(orders.id, id));
    return row;
  };
  const routeOf = async (id: number) => (await rowOf(id))?.route;
  const linesOf = (id: number) =>
    test.database
      .select({ ean: orderLines.ean, reference: orderLines.reference, quantity: orderLines.quantity })
      .from(orderLines)
      .where(eq(orderLines.orderId, id))
      .orderBy(asc(orderLines.position));
  const unitsOutstanding = async () =>
    (await test.ledger.outstanding()).lines.reduce((sum, line) => sum + line.quantity, 0);
  const moves = async () => Object.fromEntries(await test.ledger.shopMoves());
  const toTakeBack = async () =>
    (await test.ledger.takeBacksForPeople()).map(({ id, cause }) => `${id} ${cause}`);
  /** Everything that the shop's orders left in the ledger. */
  const everything = async () => ({
    orders: await test.database.select().from(orders).orderBy(asc(orders.id)),
    lines: await test.database
      .select()
      .from(orderLines)
      .orderBy(asc(orderLines.orderId), asc(orderLines.position)),
    moves: await test.database.select().from(shopMoves).orderBy(asc(shopMoves.id)),
    takeBacks: await test.database
      .select()
      .from(takeBacks)
      .orderBy(asc(takeBacks.orderId), asc(takeBacks.cause)),
    incomplete: await test.ledger.incompleteOrders(),
  });

  describe('recording what the shop shows', () => {
    it('keeps an order with every field as it came, and what it took from the stock', async () => {
      const order = anOrder(7, {
        voucherName: 'Ö "quoted"; \\ \u2028 \n line',
        lines: [aLine('A', 2), aLine('B'), aLine('A')],
      });
      await see('sold', [order]);
      expect(await test.ledger.ordersToSend()).toEqual([order]);
      expect(await moves()).toEqual({ A: -3, B: -1 });
      expect(await unitsOutstanding()).toBe(4);
    });

    it('sends what is sold, and leaves the others to people', async () => {
      await see('sold', [anOrder(1), unreadable(3)]);
      await see('sold', [anOrder(2)], { byHand: true });
      expect(await idsToSend()).toEqual([1]);
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
        unnumbered: [],
      });
      expect(await moves()).toEqual({ [SHOE]: -2 });
    });

    it('holds the stock of an order that is not paid, and does not send it', async () => {
      await see('waiting', [anOrder(7), unreadable(8)], { byHand: true });
      expect(await idsToSend()).toEqual([]);
      await expect(start([7])).rejects.toThrow('Expected 1 orders to be free');
      expect(await test.ledger.ordersForPeople()).toEqual({ byHand: [], setAside: [], unnumbered: [] });
      expect(await test.ledger.outstanding()).toMatchObject({ orders: 2 });
      expect(await unitsOutstanding()).toBe(3);
    });

    it('sends an order once it is paid, and tells it in the step that saw the payment', async () => {
      await see('waiting', [anOrder(7, { state: '10' })], { cycle: 'a' });
      await see('sold', [anOrder(7, { state: '2' })], { cycle: 'b', step: 6, at: after(5) });
      expect(await test.ledger.ordersToSend()).toMatchObject([{ id: 7, state: '2' }]);
      expect(await test.ledger.ordersSeen('a', 1)).toMatchObject({ toSend: [], waiting: [] });
      expect(await test.ledger.ordersSeen('b', 6)).toMatchObject({ toSend: [7], waiting: [] });
      expect(await rowOf(7)).toMatchObject({ seenAt: after(5), seenFile: 'orders of b' });
      expect(await moves()).toEqual({ [SHOE]: -1 });
    });

    it('tells a person again of an order that goes to a person only now', async () => {
      await see('sold', [unreadable(7)]);
      await test.ledger.markTold('a', [7], []);
      await see('sold', [anOrder(7)], { cycle: 'b', byHand: true });
      expect(await rowOf(7)).toMatchObject({ toldBy: null, seenCycle: 'b' });
      expect(await test.ledger.ordersSeen('b', 1)).toMatchObject({ byHand: [7] });
    });

    it('changes nothing when an order is only seen again', async () => {
      await see('waiting', [anOrder(1)]);
      await see('sold', [anOrder(2), unreadable(3)]);
      await see('sold', [anOrder(4)], { byHand: true });
      await test.ledger.markTold('a', [3, 4], [1]);
      const before = await everything();
      await see('waiting', [anOrder(1)], { cycle: 'b', step: 6, at: after(5) });
      await see('sold', [anOrder(2), unreadable(3)], { cycle: 'b', step: 6, at: after(5) });
      await see('sold', [anOrder(4)], { cycle: 'b', byHand: true, at: after(5) });
      expect(await everything()).toEqual(before);
    });

    it('does not remember a customer that the retention made it forget', async () => {
      await see('sold', [anOrder(1)], { byHand: true });
      await see('waiting', [anOrder(2)]);
      expect(await test.ledger.forgetCustomers(after(1))).toBe(2);
      const before = await everything();
      await see('sold', [anOrder(1)], { byHand: true, cycle: 'b' });
      await see('waiting', [anOrder(2)], { cycle: 'b' });
      expect(await everything()).toEqual(before);
      await see('sold', [anOrder(2)], { cycle: 'b' });
      expect(await test.ledger.ordersToSend()).toEqual([anOrder(2)]);
    });

    it('does not try again, unchanged, an order for which no template can be worked out', async () => {
      await see('sold', [anOrder(7)]);
      await test.ledger.setAside(7, 'Expected no division by 0, got one');
      const before = await everything();
      await see('sold', [anOrder(7)], { cycle: 'b' });
      expect(await everything()).toEqual(before);
      await see('sold', [anOrder(7, { total: '10.00' })], { cycle: 'b' });
      expect(await idsToSend()).toEqual([7]);
    });

    it('takes the new lines of an order that is still to be sent, and moves the difference', async () => {
      await see('sold', [anOrder(7, { lines: [aLine('A', 3), aLine('B')] })]);
      const later = anOrder(7, { reference: 'NEW', lines: [aLine('A'), aLine('C', 2)] });
      await see('sold', [later], { cycle: 'b' });
      expect(await test.ledger.ordersToSend()).toEqual([later]);
      expect(await linesOf(7)).toEqual([
        { ean: 'A', reference: 'MOD1', quantity: 1 },
        { ean: 'C', reference: 'MOD1', quantity: 2 },
      ]);
      expect(await moves()).toEqual({ A: -1, C: -2 });
      expect(await rowOf(7)).toMatchObject({ reference: 'NEW', seenCycle: 'a', seenFile: 'orders of a' });
    });

    it('keeps the last of two that are one order', async () => {
      const twice = seen('waiting', [anOrder(7), anOrder(8)]);
      const last = seen('sold', [anOrder(7, { total: '1.00' })]);
      await test.ledger.recordShopOrders({ ...twice, orders: [...twice.orders, ...last.orders] });
      expect(await test.ledger.ordersToSend()).toMatchObject([{ id: 7, total: '1.00' }]);
      expect(await moves()).toEqual({ [SHOE]: -2 });
    });

    it('records nothing when it fails on one of them', async () => {
      const broken = anOrder(8, { lines: [{ ...aLine('A'), quantity: 2 ** 40 }] });
      await expect(see('sold', [anOrder(7), broken])).rejects.toThrow(/order_lines/);
      expect(await everything()).toEqual({ orders: [], lines: [], moves: [], takeBacks: [], incomplete: [] });
    });

    it('knows which orders it knows', async () => {
      await see('sold', [anOrder(1), anOrder(2)]);
      await see('cancelled', [anOrder(2), anOrder(3)]);
      expect(await test.ledger.knownOrderIds([4, 3, 2, 1])).toEqual(new Set([1, 2, 3]));
      expect(await test.ledger.knownOrderIds([])).toEqual(new Set());
    });

    it('leaves an order of the CSV alone as that path does, and sees its life all the same', async () => {
      await see('waiting', [anOrder(7)]);
      await test.ledger.recordOrders({
        cycle: 'b',
        step: 1,
        file: 'commandes',
        fileSha256: 'f'.repeat(64),
        at: NOON,
        orders: [
          { order: anOrder(7), route: 'send' },
          { order: anOrder(8), route: 'send' },
        ],
        setAside: [],
      });
      expect(await idsToSend()).toEqual([8]);
      await see('cancelled', [anOrder(8)], { cycle: 'c' });
      expect(await idsToSend()).toEqual([]);
    });
  });

  describe('an order that is cancelled', () => {
    it('is kept without its customer when nobody knew it, and is nothing to anybody', async () => {
      await see('cancelled', [anOrder(7), unreadable(8)]);
      expect(await everything()).toMatchObject({
        orders: [7, 8].map((id) => ({ id, route: 'cancelled', body: null })),
        moves: [],
        takeBacks: [],
        incomplete: [],
      });
      expect(await idsToSend()).toEqual([]);
      expect(await unitsOutstanding()).toBe(0);
    });

    it('is neither sent nor outstanding, and its customer is forgotten', async () => {
      await see('sold', [anOrder(7)]);
      await see('waiting', [unreadable(8)]);
      await see('cancelled', [anOrder(7), unreadable(8)], { cycle: 'b', step: 6, at: after(5) });
      expect(await idsToSend()).toEqual([]);
      expect(await test.ledger.outstanding()).toEqual({ orders: 0, lines: [] });
      expect(await rowOf(7)).toMatchObject({ route: 'cancelled', body: null, seenAt: after(5) });
      expect(await moves()).toEqual({});
      expect(await toTakeBack()).toEqual([]);
      expect(await test.ledger.ordersSeen('b', 6)).toMatchObject({ cancelled: [7, 8], takeBacks: [] });
      expect(await test.ledger.ordersSeen('c', 1)).toMatchObject({ cancelled: [], takeBacks: [] });
    });

    it('leaves the stock as it is when the shop keeps its units', async () => {
      await see('sold', [anOrder(7)]);
      await see('cancelled', [anOrder(7)], { stockBack: false });
      expect(await moves()).toEqual({ [SHOE]: -1 });
    });

    it('must be taken back by the people who were told of it', async () => {
      await see('sold', [anOrder(7)], { byHand: true });
      await see('sold', [unreadable(8)]);
      await see('cancelled', [anOrder(7), anOrder(8)], { cycle: 'b', at: after(5) });
      expect(await test.ledger.ordersForPeople()).toEqual({ byHand: [], setAside: [], unnumbered: [] });
      expect(await test.ledger.takeBacksForPeople()).toEqual([
        {
          id: 7,
          reference: 'REF7',
          cause: 'cancelled',
          lines: [A_SHOE],
          stockBack: true,
          seenAt: after(5),
          toldBy: null,
        },
        {
          id: 8,
          reference: 'REF8',
          cause: 'cancelled',
          lines: [{ ean: null, reference: 'MOD1', quantity: 2 }],
          stockBack: true,
          seenAt: after(5),
          toldBy: null,
        },
      ]);
      expect(await test.ledger.outstanding()).toEqual({ orders: 0, lines: [] });
    });

    it('cannot be settled as one that was entered', async () => {
      await see('sold', [anOrder(7)], { byHand: true });
      await see('cancelled', [anOrder(7)]);
      expect(await test.ledger.settleOrder(7, NOON, 'saisie')).toBe(false);
    });

    it('is as it was when it is reinstated, and told again', async () => {
      await see('sold', [anOrder(7)], { byHand: true });
      await test.ledger.markTold('a', [7], []);
      await see('cancelled', [anOrder(7)], { cycle: 'b' });
      await see('sold', [anOrder(7)], { cycle: 'c', byHand: true });
      expect(await toTakeBack()).toEqual([]);
      expect(await test.ledger.ordersSeen('c', 1)).toMatchObject({ byHand: [7], takeBacks: [] });
      expect(await moves()).toEqual({ [SHOE]: -1 });
      expect(await unitsOutstanding()).toBe(1);
      expect(await rowOf(7)).toMatchObject({ body: anOrder(7), toldBy: null });
    });

    it('must be taken back once more when it is cancelled once more', async () => {
      await see('sold', [anOrder(7)], { byHand: true });
      await see('cancelled', [anOrder(7)], { cycle: 'b' });
      await test.ledger.markTold('b', [], [], { takeBacks: [{ id: 7, cause: 'cancelled' }] });
      expect(await test.ledger.settleTakeBacks(7, NOON, 'reprise')).toBe(1);
      await see('sold', [anOrder(7)], { cycle: 'c', byHand: true });
      await see('cancelled', [anOrder(7)], { cycle: 'd' });
      expect(await test.ledger.takeBacksForPeople()).toMatchObject([{ id: 7, toldBy: null }]);
    });

    it('is not delivered when it is cancelled after it was read', async () => {
      await see('sold', [anOrder(1), anOrder(2)]);
      expect(await idsToSend()).toEqual([1, 2]);
      await see('cancelled', [anOrder(2)]);
      await expect(start([1, 2])).rejects.toThrow('Expected 2 orders to be free');
      expect(await idsToSend()).toEqual([1]);
    });

    it('is not set aside by a template', async () => {
      await see('sold', [anOrder(7)]);
      await see('cancelled', [anOrder(7)]);
      await test.ledger.setAside(7, 'Expected no division by 0, got one');
      expect(await routeOf(7)).toBe('cancelled');
    });

    it('is never counted by an export', async () => {
      await see('sold', [anOrder(7)]);
      await see('cancelled', [anOrder(7)]);
      // As an older version could have left it.
      await test.database
        .update(orders)
        .set({ settledAt: after(0) })
        .where(eq(orders.id, 7));
      const exportId = await collect('a', after(10));
      expect(await test.ledger.reflectedBy(exportId)).toBe(0);
    });
  });

  describe('an order that Proshop or a person has', () => {
    it('is never sent again and keeps its lines', async () => {
      await see('sold', [anOrder(1)]);
      await see('sold', [anOrder(2)], { byHand: true });
      await see('sold', [anOrder(3)]);
      await publish([1]);
      await test.ledger.settleOrder(2, NOON, 'saisie');
      await test.ledger.markTaken(await publish([3]), after(0));
      await collect('a', after(10));
      const before = await everything();
      for (const standing of ['sold', 'waiting'] as const) {
        const others = [1, 2, 3].map((id) => anOrder(id, { reference: 'NEW', lines: [aLine('C', 9)] }));
        await see(standing, others, { cycle: 'b', at: after(20) });
        await see(standing, [1, 2, 3].map(unreadable), { cycle: 'b', at: after(20) });
      }
      expect(await everything()).toEqual(before);
      expect(await idsToSend()).toEqual([]);
    });

    it('must be taken back when it is cancelled, and stays outstanding until an export counts it', async () => {
      await see('sold', [anOrder(7)]);
      const id = await publish([7]);
      await see('cancelled', [anOrder(7, { lines: [aLine('C', 9)] })], { cycle: 'b', step: 6 });
      await see('cancelled', [anOrder(7)], { cycle: 'c' });
      expect(await test.ledger.takeBacksForPeople()).toMatchObject([
        { id: 7, cause: 'cancelled', lines: [A_SHOE], stockBack: true },
      ]);
      expect(await routeOf(7)).toBe('send');
      expect(await moves()).toEqual({});
      expect(await unitsOutstanding()).toBe(1);
      expect(await test.ledger.ordersSeen('b', 6)).toMatchObject({
        cancelled: [],
        takeBacks: [{ id: 7, cause: 'cancelled', toldBy: null }],
      });
      await test.ledger.markTaken(id, after(0));
      await collect('a', after(10));
      expect(await unitsOutstanding()).toBe(0);
      expect(await toTakeBack()).toEqual(['7 cancelled']);
    });

    it('must be taken back when a person had settled it', async () => {
      await see('sold', [unreadable(7)]);
      await test.ledger.settleOrder(7, NOON, 'saisie');
      await see('cancelled', [anOrder(7)], { stockBack: false });
      expect(await routeOf(7)).toBe('set_aside');
      expect(await test.ledger.takeBacksForPeople()).toMatchObject([{ id: 7, stockBack: false }]);
    });

    it('needs not be taken back when it is reinstated', async () => {
      await see('sold', [anOrder(7)]);
      await publish([7]);
      await see('cancelled', [anOrder(7)]);
      await see('sold', [anOrder(7)]);
      expect(await toTakeBack()).toEqual([]);
      expect(await moves()).toEqual({ [SHOE]: -1 });
      expect(await idsToSend()).toEqual([]);
    });

    it('stays taken back once a person has done it', async () => {
      await see('sold', [anOrder(7)]);
      await publish([7]);
      await see('cancelled', [anOrder(7)]);
      expect(await test.ledger.settleTakeBacks(7, after(1), 'reprise')).toBe(1);
      expect(await test.ledger.settleTakeBacks(7, after(2), 'encore')).toBe(0);
      const before = await everything();
      expect(before.takeBacks).toMatchObject([{ settledAt: after(1), settledWhy: 'reprise' }]);
      await see('sold', [anOrder(7)]);
      await see('cancelled', [anOrder(7)]);
      expect(await everything()).toEqual(before);
      expect(await toTakeBack()).toEqual([]);
    });

    it('is not sent when it is cancelled while a delivery holds it that is given up', async () => {
      await see('sold', [anOrder(1), anOrder(2), anOrder(3)]);
      const id = await start([1, 2, 3]);
      await see('cancelled', [anOrder(1), anOrder(2)]);
      await test.ledger.settleTakeBacks(2, NOON, 'reprise');
      expect(await test.ledger.abandonDelivery(id)).toBe(true);
      expect(await idsToSend()).toEqual([3]);
      expect(await rowOf(1)).toMatchObject({ route: 'cancelled', body: null });
      expect(await toTakeBack()).toEqual([]);
      await see('sold', [anOrder(1), anOrder(2)]);
      expect(await idsToSend()).toEqual([1, 2, 3]);
    });
  });

  describe('a refund', () => {
    it('must be taken back, once, for an order that the ledger knows', async () => {
      await see('sold', [anOrder(7), anOrder(8)]);
      await publish([7]);
      await see('cancelled', [anOrder(8)]);
      await refund(7, 12);
      await refund(8, 13);
      await refund(9, 14);
      const before = await everything();
      await refund(7, 12, [{ ...A_SHOE, quantity: 5 }], 'b', 6);
      expect(await everything()).toEqual(before);
      await refund(7, 15, [], 'b', 6);
      expect(await test.ledger.takeBacksForPeople()).toEqual([
        {
          id: 7,
          reference: 'REF7',
          cause: 'slip 12',
          lines: [A_SHOE],
          stockBack: false,
          seenAt: NOON,
          toldBy: null,
        },
        {
          id: 7,
          reference: 'REF7',
          cause: 'slip 15',
          lines: [],
          stockBack: false,
          seenAt: NOON,
          toldBy: null,
        },
      ]);
      expect(await moves()).toEqual({ [SHOE]: -1 });
    });

    it('is told once, by the step that saw it or by the next step 1', async () => {
      await see('sold', [anOrder(7)]);
      await publish([7]);
      await refund(7, 12, [A_SHOE], 'a', 6);
      expect(await test.ledger.ordersSeen('a', 1)).toMatchObject({ takeBacks: [] });
      expect(await test.ledger.ordersSeen('a', 6)).toMatchObject({
        takeBacks: [{ id: 7, cause: 'slip 12' }],
      });
      expect(await test.ledger.ordersSeen('b', 6)).toMatchObject({ takeBacks: [] });
      await refund(7, 11, [A_SHOE], 'b', 1);
      expect(await test.ledger.ordersSeen('b', 1)).toMatchObject({
        takeBacks: [{ cause: 'slip 11' }, { cause: 'slip 12' }],
      });
      await test.ledger.markTold('b', [], [], { takeBacks: [{ id: 7, cause: 'slip 12' }] });
      await test.ledger.markTold('c', [], [], { takeBacks: [{ id: 7, cause: 'slip 12' }] });
      expect(await test.ledger.ordersSeen('c', 1)).toMatchObject({ takeBacks: [{ cause: 'slip 11' }] });
      await test.ledger.settleTakeBacks(7, NOON, 'reprise');
      expect(await test.ledger.ordersSeen('c', 1)).toMatchObject({ takeBacks: [] });
      const rows = await test.database.select().from(takeBacks).orderBy(asc(takeBacks.cause));
      expect(rows.map(({ toldBy }) => toldBy)).toEqual([null, 'b']);
    });

    it('says nothing more once its order is cancelled before it was sent', async () => {
      await see('sold', [anOrder(7)]);
      await refund(7, 12);
      await see('cancelled', [anOrder(7)]);
      expect(await toTakeBack()).toEqual([]);
      expect(await test.ledger.ordersSeen('a', 1)).toMatchObject({ takeBacks: [] });
      await see('sold', [anOrder(7)]);
      expect(await toTakeBack()).toEqual(['7 slip 12']);
    });
  });

  describe('an order that the shop has not written whole', () => {
    it('is outstanding with the lines that show so far, until it is given up', async () => {
      await incomplete(7, [A_SHOE]);
      await incomplete(7, [A_SHOE, { ...A_SHOE, ean: null, quantity: 2 }], after(5), 'b');
      expect(await test.ledger.incompleteOrders()).toEqual([
        {
          id: 7,
          reference: 'REF7',
          lines: [A_SHOE, { ...A_SHOE, ean: null, quantity: 2 }],
          firstSeenAt: NOON,
          seenCycle: 'a',
          givenUpAt: null,
          toldBy: null,
        },
      ]);
      expect(await test.ledger.outstanding()).toMatchObject({ orders: 1 });
      expect(await unitsOutstanding()).toBe(3);
      await test.ledger.markTold('b', [], [], { givenUp: [7] });
      await test.ledger.giveUpIncomplete([7], after(10));
      await test.ledger.giveUpIncomplete([7], after(20));
      await incomplete(7, [A_SHOE], after(30), 'c');
      expect(await test.ledger.outstanding()).toEqual({ orders: 0, lines: [] });
      expect(await test.ledger.incompleteOrders()).toMatchObject([{ givenUpAt: after(10), toldBy: null }]);
      await test.ledger.markTold('b', [], [], { givenUp: [7] });
      await test.ledger.markTold('c', [], [], { givenUp: [7] });
      expect(await test.ledger.incompleteOrders()).toMatchObject([{ lines: [A_SHOE], toldBy: 'b' }]);
    });

    it('is counted beside those that wait to be paid', async () => {
      await see('waiting', [anOrder(1), anOrder(2)]);
      await see('cancelled', [anOrder(3)]);
      await incomplete(7, [A_SHOE]);
      await incomplete(8, [A_SHOE]);
      await test.ledger.giveUpIncomplete([8], after(10));
      const none = { to_send: 0, sent: 0, by_hand: 0, set_aside: 0, settled: 0 };
      expect(await test.ledger.ordersByState()).toEqual({ ...none, waiting: 2, incomplete: 1 });
      expect(await test.ledger.outstanding()).toMatchObject({ orders: 3 });
    });

    it('is an order like any other once it is whole', async () => {
      await incomplete(7, [A_SHOE]);
      await incomplete(8, [A_SHOE]);
      await incomplete(9, [A_SHOE]);
      await see('sold', [anOrder(7)]);
      await see('cancelled', [anOrder(8)]);
      expect(await test.ledger.incompleteOrders()).toMatchObject([{ id: 9 }]);
      // An attempt that had seen it before comes late.
      await incomplete(7, [A_SHOE]);
      expect(await test.ledger.incompleteOrders()).toMatchObject([{ id: 9 }]);
      expect(await test.ledger.outstanding()).toMatchObject({ orders: 2 });
      await test.ledger.forgetIncomplete([9, 10]);
      expect(await test.ledger.incompleteOrders()).toEqual([]);
      expect(await unitsOutstanding()).toBe(1);
    });

    it('is not outstanding twice when another way brings it whole', async () => {
      await incomplete(7, [A_SHOE]);
      await test.ledger.recordOrders({
        cycle: 'a',
        step: 1,
        file: 'commandes',
        fileSha256: 'f'.repeat(64),
        at: NOON,
        orders: [{ order: anOrder(7), route: 'send' }],
        setAside: [],
      });
      expect(await test.ledger.outstanding()).toMatchObject({ orders: 1 });
      expect(await unitsOutstanding()).toBe(1);
    });
  });

  it('forgets what orders did to the stock once stock is applied, and what they did before', async () => {
    await see('sold', [anOrder(7, { lines: [aLine('A', 2), aLine('B')] })]);
    const exportId = await collect('a', after(10));
    await expect(test.ledger.applyStock(randomUUID(), [], NOON)).rejects.toThrow('Expected the export');
    expect(await moves()).toEqual({ A: -2, B: -1 });
    await test.ledger.applyStock(exportId, [], NOON);
    expect(await moves()).toEqual({});
    await see('cancelled', [anOrder(7)]);
    expect(await moves()).toEqual({ A: 2, B: 1 });
  });

  it('never moves a cursor backwards', async () => {
    expect(await test.ledger.cursor('orders')).toBeNull();
    await test.ledger.moveCursor('orders', { at: '2026-11-24 10:25:03', id: 7 });
    await test.ledger.moveCursor('slips', { at: '2026-11-24 09:00:00', id: 1 });
    await test.ledger.moveCursor('orders', { at: '2026-11-24 10:25:02', id: 8 });
    expect(await test.ledger.cursor('orders')).toEqual({ at: '2026-11-24 10:25:03', id: 8 });
    await test.ledger.moveCursor('orders', { at: '2026-11-25 00:00:00', id: 0 });
    await test.ledger.moveCursor('orders', { at: '', id: 0 });
    expect(await test.ledger.cursor('orders')).toEqual({ at: '2026-11-25 00:00:00', id: 8 });
    expect(await test.ledger.cursor('slips')).toEqual({ at: '2026-11-24 09:00:00', id: 1 });
  });

  it('does not take what an attempt that slept has seen for news', async () => {
    const [sleeper, later] = [await test.ledger.beginReading(), await test.ledger.beginReading()];
    expect(later).toBe(sleeper + 1);
    await see('sold', [anOrder(1)], { reading: later });
    await see('cancelled', [anOrder(2)], { reading: later, stockBack: false });
    await see('cancelled', [anOrder(1)], { reading: later });
    await see('sold', [anOrder(1), anOrder(2), anOrder(3)], { reading: sleeper });
    expect(await Promise.all([1, 2, 3].map(routeOf))).toEqual(['cancelled', 'cancelled', 'send']);
    expect(await unitsOutstanding()).toBe(1);
    await see('sold', [anOrder(1)], { reading: await test.ledger.beginReading() });
    expect(await routeOf(1)).toBe('send');
  });

  it('knows that an order was cancelled before anybody recorded it, though its stock is back', async () => {
    const [sleeper, later] = [await test.ledger.beginReading(), await test.ledger.beginReading()];
    await see('cancelled', [anOrder(1), anOrder(2)], { reading: later });
    await see('sold', [anOrder(1)], { reading: sleeper });
    await test.ledger.recordIncomplete({
      cycle: 'a',
      at: NOON,
      orders: [{ id: 2, reference: 'REF2', lines: [A_SHOE] }],
    });
    expect(await idsToSend()).toEqual([]);
    expect(await unitsOutstanding()).toBe(0);
    expect(await moves()).toEqual({});
    await see('sold', [anOrder(1)], { reading: await test.ledger.beginReading() });
    expect(await idsToSend()).toEqual([1]);
    expect(await moves()).toEqual({ [SHOE]: -1 });
  });

  it('numbers on when nothing changed, so that an older look at the same order stays the older one', async () => {
    await see('sold', [anOrder(1)], { reading: 3 });
    await see('sold', [anOrder(1)], { reading: 5 });
    await see('cancelled', [anOrder(1)], { reading: 4 });
    expect(await routeOf(1)).toBe('send');
  });

  describe('two attempts at once', () => {
    const ids = Array.from({ length: 40 }, (_, index) => index + 1);
    const shown = (change: Partial<Order> = {}) => ids.map((id) => anOrder(id, change));
    const twice = async (call: ShopOrdersSeen) => {
      // Each in an order of its own.
      const reversed = { ...call, orders: call.orders.toReversed(), setAside: call.setAside.toReversed() };
      await Promise.all([call, reversed, call, reversed].map((one) => test.ledger.recordShopOrders(one)));
    };

    it('record new orders once', async () => {
      await twice(seen('sold', shown()));
      expect(await idsToSend()).toEqual(ids);
      expect(await moves()).toEqual({ [SHOE]: -40 });
      expect(await unitsOutstanding()).toBe(40);
    });

    it('change, cancel and reinstate orders once', async () => {
      await see('sold', shown());
      await twice(seen('sold', shown({ lines: [aLine(SHOE, 3)] })));
      expect(await moves()).toEqual({ [SHOE]: -120 });
      await twice(seen('cancelled', shown()));
      expect(await moves()).toEqual({});
      await twice(seen('waiting', shown({ lines: [aLine(SHOE, 2)] })));
      expect(await moves()).toEqual({ [SHOE]: -80 });
      expect(await unitsOutstanding()).toBe(80);
    });

    it('take back and reinstate once what was sent', async () => {
      await see('sold', shown());
      await publish(ids);
      await twice(seen('cancelled', shown()));
      expect(await moves()).toEqual({});
      expect(await toTakeBack()).toHaveLength(40);
      await twice(seen('sold', shown()));
      expect(await moves()).toEqual({ [SHOE]: -40 });
      expect(await toTakeBack()).toEqual([]);
    });

    it('record refunds, incomplete orders and cursors once', async () => {
      await see('sold', shown());
      const refunds = ids.map((id) => ({ orderId: id, slip: id, lines: [A_SHOE] }));
      const others = ids.map((id) => ({ id: id + 100, reference: `REF${id}`, lines: [A_SHOE] }));
      await Promise.all(
        [0, 1, 2].flatMap((count) => [
          test.ledger.recordRefunds({ cycle: 'a', step: 1, at: NOON, refunds }),
          test.ledger.recordIncomplete({ cycle: 'a', at: NOON, orders: others.toReversed() }),
          test.ledger.moveCursor('orders', { at: `2026-11-24 10:00:0${count}`, id: 9 - count }),
        ]),
      );
      expect(await toTakeBack()).toHaveLength(40);
      expect(await test.ledger.incompleteOrders()).toHaveLength(40);
      expect(await test.ledger.cursor('orders')).toEqual({ at: '2026-11-24 10:00:02', id: 9 });
    });

    it('either cancel an order or deliver it', async () => {
      await see('sold', shown());
      const delivered = await Promise.allSettled(
        ids.flatMap((id) => [start([id]), see('cancelled', [anOrder(id)])]),
      );
      const starts = delivered.filter((_, index) => index % 2 === 0);
      const toBeTakenBack = await toTakeBack();
      // Held by a delivery and to be taken back, or in no delivery and cancelled: nothing between.
      for (const [index, { status }] of starts.entries()) {
        const id = ids[index] ?? 0;
        const row = await rowOf(id);
        expect([row?.route, row?.deliveryId !== null, toBeTakenBack.includes(`${id} cancelled`)]).toEqual(
          status === 'fulfilled' ? ['send', true, true] : ['cancelled', false, false],
        );
      }
      expect(await moves()).toEqual({});
    });

    it('either reinstate an order or leave it taken back', async () => {
      await see('sold', shown());
      await publish(ids);
      await see('cancelled', shown());
      const settled = await Promise.all(
        ids.map(async (id) => {
          const [count] = await Promise.all([
            test.ledger.settleTakeBacks(id, NOON, 'reprise'),
            see('sold', [anOrder(id)]),
          ]);
          return count;
        }),
      );
      const reinstated = settled.filter((count) => count === 0).length;
      expect(await moves()).toEqual(reinstated === 0 ? {} : { [SHOE]: -reinstated });
      expect(await test.database.select().from(takeBacks)).toHaveLength(40 - reinstated);
    });

    it('cancel an order whose delivery is given up', async () => {
      await see('sold', shown());
      const deliveries = await Promise.all(ids.map((id) => start([id])));
      await Promise.all(
        deliveries.flatMap((delivery, index) => [
          test.ledger.abandonDelivery(delivery),
          see('cancelled', [anOrder(ids[index] ?? 0)]),
        ]),
      );
      expect(await idsToSend()).toEqual([]);
      expect(await unitsOutstanding()).toBe(0);
      expect(await toTakeBack()).toEqual([]);
      expect(await moves()).toEqual({});
    });
  });

  it('records ten thousand orders in a few batches, and their whole life', async () => {
    const shown = Array.from({ length: 10_000 }, (_, index) => anOrder(index + 1));
    const batches = [shown.slice(0, 2_500), shown.slice(2_500, 2_501), shown.slice(2_501)];
    for (const batch of batches) await see('waiting', batch);
    for (const batch of batches) await see('sold', batch, { cycle: 'b' });
    await see('sold', shown, { cycle: 'c' });
    expect(await idsToSend()).toHaveLength(10_000);
    expect(await test.ledger.ordersSeen('b', 1)).toMatchObject({ toSend: { length: 10_000 } });
    await publish(shown.map(({ id }) => id));
    await see('cancelled', shown, { cycle: 'd' });
    expect(await moves()).toEqual({});
    const told = await test.ledger.takeBacksForPeople();
    expect(told).toHaveLength(10_000);
    await test.ledger.markTold('d', [], [], { takeBacks: told });
    expect(await test.ledger.ordersSeen('e', 1)).toMatchObject({ takeBacks: [] });
  });
});
