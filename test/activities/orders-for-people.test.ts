import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Deps } from '../../src/activities/deps.ts';
import {
  listOrders,
  orderJourney,
  ordersSent,
  settleOrders,
} from '../../src/activities/orders-for-people.ts';
import type { OrderStanding } from '../../src/domain/order-life.ts';
import { journeyLines, ordersLines } from '../../src/workflows/labels.ts';
import { LEDGERS, type TestLedger } from '../support/ledgers.ts';
import { anOrder, anUnreadableOrder, recordUnreadable } from '../support/orders.ts';

const NOON = new Date('2026-11-24T12:00:00Z');
const after = (minutes: number) => new Date(NOON.getTime() + minutes * 60_000);

describe.each(LEDGERS)('what people ask of orders, on $name', ({ open }) => {
  let test: TestLedger;
  let deps: Deps;
  beforeAll(async () => {
    test = await open();
    deps = { ledger: test.ledger, config: { timeZone: 'Europe/Paris' } } as Deps;
  });
  afterAll(() => test.close());
  beforeEach(() => test.reset());

  const see = (
    id: number,
    { standing = 'sold', byHand = false }: { standing?: OrderStanding; byHand?: boolean } = {},
  ) =>
    test.ledger.recordShopOrders({
      cycle: 'a',
      step: 1,
      file: `order ${id}`,
      at: NOON,
      reading: 1,
      orders: [{ order: anOrder(id), standing, byHand, stockBack: standing === 'cancelled' }],
      setAside: [],
    });
  const deliver = async (id: number, at: Date | null = after(1)) => {
    const delivery = randomUUID();
    await test.ledger.startDelivery(
      {
        id: delivery,
        kind: 'sales',
        cycle: 'a',
        temporaryPath: `/passerelle/${delivery}`,
        finalPath: `/import/ventes-${id}.xml`,
        size: 1,
        sha256: '',
        createdAt: NOON,
      },
      [id],
    );
    await test.ledger.markUploaded(delivery);
    if (at !== null) await test.ledger.markPublished(delivery, at);
    return delivery;
  };

  it('follows one order from the shop into Proshop’s stock', async () => {
    const journey = async () => {
      const found = await orderJourney(deps)(7);
      return found === null ? [] : journeyLines(found);
    };
    expect(await journey()).toEqual([]);
    await see(7);
    expect(await journey()).toEqual([
      'Commande 7 (REF7) : à envoyer au prochain cycle',
      expect.stringMatching(/^ {2}vue le 24\/11 à \d\d:00 \(étape 1, order 7\)$/),
    ]);
    const delivery = await deliver(7);
    expect((await journey())[0]).toBe(
      'Commande 7 (REF7) : déposée dans /import/ventes-7.xml, pas encore prise par Proshop',
    );
    await test.ledger.markTaken(delivery, after(4));
    expect((await journey())[0]).toBe('Commande 7 (REF7) : prise par Proshop, attend son prochain stock');
    await test.ledger.recordExport(
      {
        id: randomUUID(),
        cycle: 'a',
        sha256: '',
        size: 1,
        modifiedAt: NOON,
        begunAfter: after(10),
        collectedAt: after(30),
        rows: 1,
        units: 1,
      },
      0,
    );
    expect(await journey()).toEqual([
      'Commande 7 (REF7) : comptée dans le stock de Proshop',
      expect.stringContaining('vue'),
      '  mise dans /import/ventes-7.xml',
      expect.stringMatching(/déposée le 24\/11 à \d\d:01$/),
      expect.stringMatching(/prise par Proshop le 24\/11 à \d\d:04$/),
      expect.stringMatching(/comptée dans le stock de Proshop lu le 24\/11 à \d\d:30$/),
    ]);
  });

  it('lists what is outstanding and what a person must see to, and no customer', async () => {
    await see(1);
    await see(2, { byHand: true });
    await see(3, { standing: 'waiting' });
    await see(4, { standing: 'cancelled' });
    await recordUnreadable(test.ledger, NOON, [anUnreadableOrder(8), { ...anUnreadableOrder(9), id: null }]);
    await see(5);
    await deliver(5);
    await see(5, { standing: 'cancelled' });
    await test.ledger.recordIncomplete({
      cycle: 'a',
      at: NOON,
      orders: [{ id: 6, reference: 'REF6', lines: [] }],
    });
    const all = await listOrders(deps)();
    expect(all).toMatchObject({
      outstanding: { total: 5 },
      byHand: { total: 1, first: [{ id: 2 }] },
      setAside: {
        total: 2,
        first: [{ id: 8 }, { id: 'ffffffff-12' }],
      },
      takeBacks: { total: 1, first: [{ id: 5, cause: 'cancelled' }] },
      incomplete: { total: 1, first: [{ id: 6, givenUp: false }] },
    });
    expect(all.outstanding.first.map(({ id }) => id)).toEqual([1, 2, 3, 5, 8]);
    expect(JSON.stringify(all)).not.toMatch(/Lefèvre|Zoé|rue du Bac/);
    const lines = ordersLines(all).join('\n');
    for (const said of [
      'À saisir à la main (1)',
      'Mises de côté (2)',
      '5 annulée',
      'Inachevées dans la boutique (1)',
    ])
      expect(lines).toContain(said);
  });

  it('lists no more than travels through Temporal, and says how many there are', async () => {
    await test.ledger.recordShopOrders({
      cycle: 'a',
      step: 1,
      file: 'orders',
      at: NOON,
      reading: 1,
      orders: Array.from({ length: 450 }, (_, index) => ({
        order: anOrder(index + 1),
        standing: 'sold' as const,
        byHand: true,
        stockBack: false,
      })),
      setAside: [],
    });
    const all = await listOrders(deps)();
    expect([all.byHand.total, all.byHand.first.length]).toEqual([450, 200]);
    expect([all.outstanding.total, all.outstanding.first.length]).toEqual([450, 200]);
    expect(JSON.stringify(all).length).toBeLessThan(500_000);
    expect(ordersLines(all)).toContain('  … et 250 de plus');
  });

  it('lists what was sent or entered since a day of the shop, and nothing that the old gateway sent', async () => {
    const [before, midnight] = [new Date('2026-11-23T22:59:59Z'), new Date('2026-11-23T23:00:00Z')];
    for (const id of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) await see(id);
    await deliver(10, midnight);
    await deliver(1, before);
    // Nobody knows yet whether it stands before Proshop, and what was given up never did.
    await deliver(2, null);
    await test.ledger.abandonDelivery(await deliver(3, null));
    await deliver(9);
    await see(9, { standing: 'cancelled' });
    await test.ledger.settleOrder(4, midnight, 'saisie');
    await test.ledger.settleOrder(5, before, 'saisie');
    await test.ledger.settleTakeBacks(9, after(9), 'reprise');
    const sighting = await test.ledger.see({
      kind: 'sales',
      path: '/import/ventes.xml',
      look: { size: 9, modifiedAt: null },
      at: after(3),
    });
    await test.ledger.recordOldDelivery(sighting, {
      cycle: 'a',
      orderIds: [6, 7],
      unknown: 0,
      reason: '',
    });
    expect(await ordersSent(deps)('2026-11-24')).toEqual({ since: '2026-11-24', orders: [4, 9, 10] });
    expect((await ordersSent(deps)('2026-11-23')).orders).toEqual([1, 4, 5, 9, 10]);
    expect((await ordersSent(deps)('2026-11-25')).orders).toEqual([]);
    await expect(ordersSent(deps)('24/11/2026')).rejects.toThrow(
      'Expected a day such as 2026-11-24, got 24/11/2026',
    );
  });

  it('settles what people have seen to, and says of what there was nothing to settle', async () => {
    await see(1, { byHand: true });
    await see(2);
    await deliver(2);
    await see(3);
    await deliver(3);
    await see(3, { standing: 'cancelled' });
    const why = 'saisie à la main';
    await see(5);
    await see(6, { standing: 'waiting' });
    const settled = { settled: [1, 3, 5, 6], neverSent: [5, 6], nothingToSettle: [2, 4] };
    expect(await settleOrders(deps)({ ids: [1, 2, 3, 4, 5, 6], why })).toEqual(settled);
    // An attempt that had no time to answer is followed by another.
    expect(await settleOrders(deps)({ ids: [1, 2, 3, 4, 5, 6], why })).toEqual(settled);
    expect(await settleOrders(deps)({ ids: [1], why: 'encore' })).toEqual({
      settled: [],
      neverSent: [],
      nothingToSettle: [1],
    });
    await recordUnreadable(test.ledger, NOON, [
      anUnreadableOrder(null),
      anUnreadableOrder(null, { line: 13 }),
    ]);
    const ids = ['ffffffff-13', 'ffffffff-1'];
    const marked = { settled: ['ffffffff-13'], neverSent: [], nothingToSettle: ['ffffffff-1'] };
    expect(await settleOrders(deps)({ ids, why })).toEqual(marked);
    expect(await settleOrders(deps)({ ids, why })).toEqual(marked);
    expect((await listOrders(deps)()).setAside.first.map(({ id }) => id)).toEqual(['ffffffff-12']);
    expect(await orderJourney(deps)(1)).toMatchObject({ settled: { why } });
    expect(await listOrders(deps)()).toMatchObject({ byHand: { total: 0 }, takeBacks: { total: 0 } });
  });
});
