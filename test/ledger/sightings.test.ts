import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LEDGERS, type TestLedger } from '../support/ledgers.ts';
import { anOrder } from '../support/orders.ts';

// What test/activities/shadow.test.ts tells as a story, on every database.

const MINUTE = 60_000;
const NOON = new Date('2026-11-24T12:00:00Z');
const after = (minutes: number) => new Date(NOON.getTime() + minutes * MINUTE);
const WHY = 'nobody can tell';

describe.each(LEDGERS)('the sightings on $name', ({ open }) => {
  let test: TestLedger;
  beforeAll(async () => {
    test = await open();
  });
  afterAll(() => test.close());
  beforeEach(async () => {
    await test.reset();
    await test.ledger.recordOrders({
      cycle: 'a',
      step: 1,
      file: 'commandes',
      fileSha256: 'f',
      at: NOON,
      orders: [
        { order: anOrder(1), route: 'send' },
        { order: anOrder(2), route: 'send' },
        { order: anOrder(3, { date: '2026-11-24 14:00:00' }), route: 'send' },
        { order: anOrder(4, { date: '' }), route: 'by_hand' },
      ],
      setAside: [],
    });
  });

  /** A sales file as a look shows it, and its copy. */
  const seeSales = async (minutes: number, size: number, path = '/import/ventes.xml') => {
    const look = { size, modifiedAt: null };
    const sighting = await test.ledger.see({ kind: 'sales', path, look, at: after(minutes) });
    await test.ledger.copied(sighting, { path: `shadow/${size}`, sha256: `${size}` });
    return sighting;
  };
  const record = async (sighting: Awaited<ReturnType<typeof seeSales>>, orderIds: number[], unknown = 0) =>
    test.ledger.recordOldDelivery(sighting, { cycle: 'a', orderIds, unknown, reason: WHY });
  const toSend = async () => (await test.ledger.ordersToSend()).map(({ id }) => id);
  const states = async () => {
    const { to_send: open_, sent, by_hand: byHand, set_aside: setAside } = await test.ledger.ordersByState();
    return { open: open_, sent, byHand, setAside };
  };
  const sizes = async (cycle = 'a', since = after(0)) =>
    (await test.ledger.salesToRead(cycle, since)).map(({ size }) => size);

  it('are one for a file that stays as it is, and give way to what takes its place', async () => {
    const first = await seeSales(1, 10);
    expect((await seeSales(2, 10)).id).toBe(first.id);
    const second = await seeSales(3, 20);
    expect((await test.ledger.standing()).map(({ id }) => id)).toEqual([second.id]);
    expect([await test.ledger.isReplaced(first), await test.ledger.isReplaced(second)]).toEqual([
      true,
      false,
    ]);
    await test.ledger.gone(second.id, after(4));
    expect(await test.ledger.isReplaced(second)).toBe(false);
    expect(await test.ledger.standing()).toEqual([]);
  });

  it('are one for a file that was renamed', async () => {
    const first = await seeSales(1, 10, '/import/ventes.tmp');
    await record(first, [1]);
    await test.ledger.gone(first.id, after(2));
    await seeSales(2, 10);
    expect(await test.ledger.standing()).toMatchObject([{ id: first.id, path: '/import/ventes.xml' }]);
    await record(first, [1]);
    await test.ledger.gone(first.id, after(3));
    await test.ledger.settleOldDeliveries(WHY);
    expect(await test.ledger.takenSince(after(3))).toEqual({ taken: 1, orders: 1 });
  });

  it('make deliveries, taken when they go, and orders in doubt of those that others take the place of', async () => {
    const first = await seeSales(1, 10);
    await record(first, [1, 2]);
    expect([await toSend(), await states()]).toEqual([[3], { open: 1, sent: 2, byHand: 1, setAside: 0 }]);
    const second = await seeSales(2, 20);
    await test.ledger.settleOldDeliveries(WHY);
    expect(await states()).toEqual({ open: 1, sent: 0, byHand: 1, setAside: 2 });
    await record(second, [2, 4]);
    // Once more, it is still that other one that holds them.
    await record(first, [1, 2]);
    expect(await states()).toEqual({ open: 1, sent: 2, byHand: 0, setAside: 1 });
    expect([await test.ledger.doubtedOrders('a'), await test.ledger.doubtedOrders('b')]).toEqual([[1], []]);
    await test.ledger.gone(second.id, after(3));
    await test.ledger.settleOldDeliveries(WHY);
    expect(await test.ledger.takenSince(after(3))).toEqual({ taken: 1, orders: 2 });
    expect(await test.ledger.missedByOldGateway('a')).toEqual([{ id: 3, isLate: false }]);
    expect(await test.ledger.missedByOldGateway('b')).toEqual([]);
  });

  it('are read again while they hold what nobody knew, for a time', async () => {
    const first = await seeSales(1, 10);
    expect(await sizes()).toEqual([10]);
    await record(first, [], 1);
    expect([await sizes('a'), await sizes('b'), await sizes('b', after(2))]).toEqual([[10], [10], []]);
    await record(first, [1]);
    expect([await sizes('a'), await sizes('b')]).toEqual([[10], []]);
  });

  it('leave in doubt what was seen, or placed, before somebody looked again', async () => {
    expect(await test.ledger.lastLook()).toBeNull();
    await test.ledger.lookedAt(after(60), MINUTE);
    await test.ledger.lookedAt(after(61), MINUTE);
    expect([await test.ledger.lastLook(), await test.ledger.unwatchedUntil()]).toEqual([
      after(61),
      after(60),
    ]);
    const doubt = (minutes: number, local: string) =>
      test.ledger.doubtUnwatched(['send'], { at: after(minutes), local }, WHY);
    await doubt(-1, '2026-11-24 13:00:00');
    expect(await toSend()).toEqual([3]);
    await doubt(0, '2026-11-24 13:00:00');
    expect([await toSend(), await states()]).toEqual([[], { open: 0, sent: 0, byHand: 1, setAside: 3 }]);
    await test.ledger.lookedAt(after(70), MINUTE);
    expect(await test.ledger.unwatchedUntil()).toEqual(after(70));
    await test.ledger.forgetLooks();
    expect(await test.ledger.lastLook()).toBeNull();
  });
});
