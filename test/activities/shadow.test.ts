import { cp, rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FTPError } from 'basic-ftp';
import { sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { oldSalesXml } from '../../sandbox/old-gateway/old-sales-xml.ts';
import { readOldOrders } from '../../sandbox/old-gateway/orders-csv.ts';
import { noteAround } from '../../src/activities/follow-old-gateway.ts';
import { noteOldSales } from '../../src/activities/shadow-sales.ts';
import { createArchive } from '../../src/archive.ts';
import { ordersFileConfig } from '../../src/config.ts';
import { FAILURE } from '../../src/failures.ts';
import { localTime } from '../../src/local-time.ts';
import { CYCLE, ordersCsv, orderRow as rowOf, stockCsv } from '../support/files.ts';
import { openTestPglite, type TestLedger } from '../support/ledgers.ts';
import { anOrder } from '../support/orders.ts';
import { startWorld, type World } from '../support/world.ts';

// The steps of a cycle in mode shadow, with a real FTP server and files as the old gateway leaves them.

let test: TestLedger;
let world: World;
beforeAll(async () => {
  test = await openTestPglite();
});
afterAll(() => test.close());
beforeEach(async () => {
  await test.reset();
  world = await startWorld(test.ledger, (settings) => {
    settings.mode = 'shadow';
    settings.shadow = { look: '20ms' };
  });
});
afterEach(() => world.stop());

const PAST = new Date(0).toISOString();
/** Placed after whatever nobody watched. */
const LATER = '2126-11-24 10:20:00';
const orderRow = (id: number, change: Parameters<typeof rowOf>[1] = {}) =>
  rowOf(id, { date: LATER, ...change });
const NEXT = { ...CYCLE, id: '4f2a91c0-0000-4000-8000-000000000000' };
const soon = () => new Date(Date.now() + 60_000).toISOString();
const notYet = expect.objectContaining({ type: FAILURE.notYet }) as Error;
const lookOnce = () => world.attempt((activities) => activities.followOldGateway({ until: PAST }));
const look = async () => {
  await lookOnce();
  await lookOnce();
};
const exportOrders = (step: 1 | 6 = 1, until = PAST, cycle = CYCLE) =>
  world.attempt((activities) => activities.shadowOrders({ cycle, step, since: PAST, until }));
const compareSales = (until = PAST, cycle = CYCLE, since = PAST) =>
  world.attempt((activities) => activities.shadowSales({ cycle, since, until }));
const take = async (path: string) => {
  await rm(join(world.ftpRoot, path));
  await look();
};
/** Nobody looked for the last minutes. */
const pass = async (minutes: number) => {
  await test.database.execute(
    sql`update unwatched set from_time = from_time - ${`${minutes} minutes`}::interval where to_time is null`,
  );
};
const taken = () => world.attempt((activities) => activities.shadowTaken({ cycleStartedAt: PAST }));
const doubted = async () => (await test.ledger.ordersForPeople()).setAside.map(({ id }) => id);
const toSend = async () => (await test.ledger.ordersToSend()).map(({ id }) => id);
const oldXml = (csv: string, only: (id: number) => boolean = () => true) =>
  oldSalesXml(
    readOldOrders(Buffer.from(csv)).filter(({ id }) => only(id)),
    '2026-11-24 10:27:04',
    'utf-8',
  );
/** Somebody looked before the shop wrote its file: nothing of it is old. */
const shopExports = async (csv: string) => {
  await look();
  await world.put('export/commandes', csv);
  await look();
};

/** And the cycle has taken note of it. */
const shopExportsAndNotes = async (csv: string) => {
  await shopExports(csv);
  await exportOrders();
};
const oldGatewayPuts = async (xml: string | Buffer) => {
  await world.put('import/ventes.xml', xml);
  await look();
};

describe('the look at the old gateway', () => {
  it('copies what stands for a moment only, and changes nothing', async () => {
    await look();
    await world.put('export/commandes', ordersCsv(orderRow(1)));
    await world.put('import/ventes.xml', '<Ventes/>');
    await world.put('ExportCSVmod', stockCsv(['3000000000017', 1]));
    const before = await world.files();
    await look();
    await rm(join(world.ftpRoot, 'import/ventes.xml'));
    await look();
    const [orders, sales, update] = await Promise.all([
      test.ledger.unnoted('orders'),
      test.ledger.unnoted('sales'),
      test.ledger.unnoted('update'),
    ]);
    expect([orders, sales, update].map((found) => found.map(({ path }) => path))).toEqual([
      ['/export/commandes'],
      ['/import/ventes.xml'],
      ['/ExportCSVmod'],
    ]);
    expect(sales[0]?.goneAt).not.toBeNull();
    expect(orders[0]?.goneAt).toBeNull();
    expect(Object.values(await world.archived())).toEqual(
      expect.arrayContaining(['<Ventes/>', before['export/commandes']]),
    );
    const { 'import/ventes.xml': _taken, ...others } = before;
    expect(await world.files()).toEqual(others);
  });

  it('at its usual pace sees each file that stands for ten seconds', async () => {
    const usual = await startWorld(test.ledger, (settings) => {
      settings.mode = 'shadow';
    });
    try {
      const until = new Date(Date.now() + 25_000).toISOString();
      const following = usual.attempt((activities) => activities.followOldGateway({ until }));
      for (const content of ['<Ventes>1</Ventes>', '<Ventes>22</Ventes>']) {
        await sleep(1_000);
        await usual.put('import/ventes.xml', content);
        await sleep(10_000);
        await rm(join(usual.ftpRoot, 'import/ventes.xml'));
      }
      const { looks } = await following;
      expect(looks).toBeLessThan(15);
      expect((await test.ledger.unnoted('sales')).map(({ size }) => size)).toEqual([18, 19]);
    } finally {
      await usual.stop();
    }
  });

  it('is forgotten with the copies, but for what stands', async () => {
    await world.put('export/commandes', ordersCsv(orderRow(1)));
    await world.put('import/ventes.xml', '<Ventes/>');
    await look();
    await take('import/ventes.xml');
    await test.ledger.forgetSightings(new Date(0));
    expect(await test.ledger.unnoted('sales')).toHaveLength(1);
    await test.ledger.forgetSightings(new Date());
    expect(await test.ledger.unnoted('sales')).toEqual([]);
    expect((await test.ledger.standing()).map(({ path }) => path)).toEqual(['/export/commandes']);
    expect(await test.ledger.unwatchedUntil()).toBeNull();
    expect(await test.ledger.lastLook()).not.toBeNull();
  });

  it('takes a file that was replaced under the same name for another one', async () => {
    await world.put('import/ventes.xml', '<Ventes>1</Ventes>');
    await look();
    await world.put('import/.new', '<Ventes>2 2</Ventes>');
    await rename(join(world.ftpRoot, 'import/.new'), join(world.ftpRoot, 'import/ventes.xml'));
    await look();
    const sales = await test.ledger.unnoted('sales');
    expect(sales.map(({ size, goneAt }) => [size, goneAt !== null])).toEqual([
      [18, true],
      [20, false],
    ]);
  });

  it('is refused outside of mode shadow', async () => {
    const live = await startWorld(test.ledger);
    try {
      await expect(
        live.attempt((activities) => activities.followOldGateway({ until: soon() })),
      ).rejects.toThrow('Expected mode shadow, got live');
    } finally {
      await live.stop();
    }
  });
});

describe('mode shadow', () => {
  it('refuses whatever would ask the shop for something, or change the FTP server', async () => {
    await world.put('import/ventes.xml', '<Ventes/>');
    await expect(
      world.attempt((activities) => activities.exportOrders({ cycle: CYCLE, step: 1 })),
    ).rejects.toThrow('Expected nothing to be asked of the shop in mode shadow');
    await world.ftp.session(async (session) => {
      const path = '/import/ventes.xml';
      for (const change of [
        () => session.upload('/import/a', Buffer.from('a')),
        () => session.rename(path, '/import/a'),
        () => session.renameFolder('/import', '/elsewhere'),
        () => session.remove(path),
        () => session.removeFolder('/import'),
        () => session.ensureFolder('/passerelle'),
      ])
        await expect(change()).rejects.toThrow(
          'Expected nothing to be changed on the FTP server in mode shadow',
        );
    });
    const opened = await world.attempt((activities) =>
      activities.openCycle({ id: CYCLE.id, startedAt: PAST }),
    );
    expect(opened).toMatchObject({ withdrawn: 0, swept: 0 });
    expect(await world.files()).toEqual({ 'import/ventes.xml': '<Ventes/>' });
    expect(world.shop.calls).toEqual([]);
  });
});

describe('the orders', () => {
  it('come from the copies, and the file stays', async () => {
    await shopExports(
      ordersCsv(orderRow(1), orderRow(2, { payment: 'Bon cadeau' }), orderRow(3, { ean: '' })),
    );
    expect(await exportOrders()).toMatchObject({ rows: 3, toSend: 1, byHandIds: [2], setAside: 1 });
    expect(Object.keys(await world.files())).toEqual(['export/commandes']);
    // The same again: nothing is new.
    expect(await exportOrders()).toMatchObject({ toSend: 1, files: [] });
  });

  it('are waited for until the shop must have exported them', async () => {
    await look();
    await expect(exportOrders(1, soon())).rejects.toThrow(notYet);
    expect(await exportOrders(1, PAST)).toMatchObject({ rows: 0, toSend: 0 });
  });

  it('of a file that looks cut are read when it is whole, or when it has stood for long', async () => {
    const cut = ordersCsv(orderRow(1), orderRow(2)).slice(0, -20);
    const whole = ordersCsv(orderRow(1), orderRow(2));
    const slow = await startWorld(test.ledger, (settings) => {
      settings.mode = 'shadow';
      settings.shadow = { look: '20ms' };
      settings.ftp.settle = '1s';
    });
    try {
      const settled = async () => {
        for (const wait of [1_100, 0]) {
          await slow.attempt((activities) => activities.followOldGateway({ until: PAST }));
          await sleep(wait);
        }
      };
      const read = () =>
        slow.attempt((activities) =>
          activities.shadowOrders({ cycle: CYCLE, step: 1, since: PAST, until: PAST }),
        );
      await settled();
      await slow.put('export/commandes', cut);
      await settled();
      await expect(read()).rejects.toThrow(notYet);
      await test.database.execute(sql`update sightings set seen_at = seen_at - interval '10 seconds'`);
      expect(await read()).toMatchObject({ toSend: 1, setAside: 1 });
      await slow.put('export/commandes', whole);
      await settled();
      expect(await read()).toMatchObject({ toSend: 2, setAside: 0 });
    } finally {
      await slow.stop();
    }
  });

  it('of a file that only one look has seen so far are not read: it may be written on', async () => {
    await look();
    await world.put('export/commandes', ordersCsv(orderRow(1)));
    await lookOnce();
    await expect(exportOrders()).rejects.toThrow(notYet);
    await world.put('export/commandes', ordersCsv(orderRow(1), orderRow(2)));
    await look();
    expect(await exportOrders()).toMatchObject({ toSend: 2 });
  });

  it('of the late export are read when the old gateway has written its update', async () => {
    await shopExports(ordersCsv(orderRow(1)));
    await expect(exportOrders(6)).rejects.toThrow(notYet);
    await world.put('ExportCSVmod', stockCsv(['3000000000017', 1]));
    await look();
    expect(await exportOrders(6)).toMatchObject({ toSend: 1 });
  });
});

describe('the sales file', () => {
  const csv = ordersCsv(orderRow(1), orderRow(2));

  it('is identical whatever its indentation, and its orders are never sent again', async () => {
    await shopExportsAndNotes(csv);
    await expect(compareSales(soon())).rejects.toThrow(notYet);
    await oldGatewayPuts(oldXml(csv));
    expect(await compareSales(soon())).toMatchObject({
      file: '/import/ventes.xml',
      orders: 2,
      orderIds: [1, 2],
      comparison: { identical: 2, different: 0, unknown: 0, missed: [], late: [], doubted: 0 },
    });
    expect(await test.ledger.ordersToSend()).toEqual([]);
    expect(await test.ledger.ordersByState()).toMatchObject({ sent: 2, to_send: 0 });
    // An attempt that was cut afterwards tells the same.
    expect(await compareSales(soon())).toMatchObject({
      orders: 2,
      comparison: { identical: 2, different: 0 },
    });
  });

  it('is known by its orders also when the shop exported them late', async () => {
    await look();
    // The cycle did not wait for them.
    expect(await exportOrders()).toMatchObject({ toSend: 0 });
    await world.put('export/commandes', csv);
    await oldGatewayPuts(oldXml(csv));
    expect(await compareSales()).toMatchObject({ orders: 2, comparison: { identical: 2, unknown: 0 } });
    expect(await test.ledger.ordersToSend()).toEqual([]);
  });

  it('that says something else is told by order and path, without what stands there', async () => {
    await shopExportsAndNotes(csv);
    await world.put('import/ventes.xml', oldXml(csv).replace('<Ville>Paris</Ville>', '<Ville>Lyon</Ville>'));
    await look();
    const { comparison } = await compareSales();
    expect(comparison).toMatchObject({
      identical: 1,
      different: 1,
      orders: [{ id: 1, paths: ['/Vente/Client/Ville'] }],
    });
    expect(JSON.stringify(comparison)).not.toMatch(/Lyon|Paris/);
  });

  it('that lacks an order leaves it to be sent, and says so once', async () => {
    await shopExportsAndNotes(csv);
    await oldGatewayPuts(oldXml(csv, (id) => id === 1));
    expect(await compareSales()).toMatchObject({ comparison: { identical: 1, different: 1, missed: [2] } });
    expect((await test.ledger.ordersToSend()).map(({ id }) => id)).toEqual([2]);
    expect(await compareSales(PAST, NEXT)).toMatchObject({ comparison: { different: 0, missed: [] } });
  });

  it('with an order that passerelle would have had entered by hand counts it as sent', async () => {
    const voucher = ordersCsv(orderRow(1, { payment: 'Bon cadeau' }));
    await shopExportsAndNotes(voucher);
    await oldGatewayPuts(oldXml(voucher));
    expect(await compareSales()).toMatchObject({ orders: 1 });
    expect(await test.ledger.ordersByState()).toMatchObject({ sent: 1, by_hand: 0 });
  });

  it('of which half was seen is read when it is whole', async () => {
    await shopExportsAndNotes(csv);
    await world.put('import/ventes.xml', oldXml(csv).slice(0, 400));
    await look();
    await expect(compareSales(soon())).rejects.toThrow(notYet);
    await oldGatewayPuts(oldXml(csv));
    expect(await compareSales(soon())).toMatchObject({ orders: 2, files: ['/import/ventes.xml'] });
  });

  it('that may have come and gone before anybody looked leaves its orders to a person', async () => {
    // The file stands at the first look ever.
    await world.put('export/commandes', csv);
    await look();
    await exportOrders();
    expect(await compareSales()).toMatchObject({ orders: 0, comparison: { missed: [], doubted: 2 } });
    expect(await test.ledger.ordersToSend()).toEqual([]);
    const { setAside } = await test.ledger.ordersForPeople();
    expect(setAside.map(({ id }) => id)).toEqual([1, 2]);
  });

  it('that was there too short to be copied leaves its orders to a person', async () => {
    await shopExportsAndNotes(csv);
    // Seen by a look that was cut before it could copy it.
    await test.ledger.see({
      kind: 'sales',
      path: '/import/ventes.xml',
      look: { size: 9, modifiedAt: null },
      at: new Date(),
    });
    await look();
    expect(await compareSales()).toMatchObject({
      setAsideIds: [1, 2],
      comparison: { missed: [], doubted: 2 },
    });
  });

  it('of which only half was ever seen leaves its orders to a person', async () => {
    await shopExportsAndNotes(csv);
    await world.put('import/ventes.xml', oldXml(csv).slice(0, 400));
    await look();
    await rm(join(world.ftpRoot, 'import/ventes.xml'));
    await look();
    expect(await compareSales()).toMatchObject({ files: [], comparison: { missed: [], doubted: 2 } });
  });

  it('that another took the place of before Proshop came leaves its orders to a person', async () => {
    await shopExportsAndNotes(csv);
    await oldGatewayPuts(oldXml(csv, (id) => id === 1));
    expect(await compareSales()).toMatchObject({ orders: 1, comparison: { doubted: 0 } });
    await oldGatewayPuts(oldXml(csv, (id) => id === 2));
    expect(await compareSales(PAST, NEXT)).toMatchObject({
      orderIds: [2],
      setAsideIds: [1],
      comparison: { doubted: 1 },
    });
  });

  it('with an order that passerelle cannot read counts it as sent', async () => {
    const unreadable = ordersCsv(orderRow(1, { ean: '' }));
    await shopExportsAndNotes(unreadable);
    await oldGatewayPuts(oldXml(unreadable));
    expect(await compareSales()).toMatchObject({
      orders: 1,
      comparison: { different: 1, unreadable: [1], unknown: 0 },
    });
    // Not even when it can be read.
    await world.put('export/commandes', ordersCsv(orderRow(1)));
    await look();
    await exportOrders();
    expect(await test.ledger.ordersToSend()).toEqual([]);
  });
});

describe('what nobody can tell', () => {
  const csv = ordersCsv(orderRow(1), orderRow(2));
  const only = (wanted: number) => oldXml(csv, (id) => id === wanted);

  it('of a file that another took the place of before a cycle had noted either is left to a person', async () => {
    await shopExportsAndNotes(csv);
    await oldGatewayPuts(only(1));
    await oldGatewayPuts(only(2));
    await take('import/ventes.xml');
    expect(await compareSales()).toMatchObject({
      setAsideIds: [1],
      comparison: { different: 0, doubted: 1 },
    });
    expect(await taken()).toMatchObject({ taken: 1, orders: 1 });
    // Nor does an attempt that comes after it, or the next cycle, make anything of it.
    expect(await compareSales()).toMatchObject({
      setAsideIds: [1],
      comparison: { different: 0, doubted: 1 },
    });
    expect(await compareSales(PAST, NEXT)).toMatchObject({ comparison: { different: 0, doubted: 0 } });
    expect([await doubted(), await toSend()]).toEqual([[1], []]);
  });

  it('of a file that was noted, and that another took the place of since, is left to a person', async () => {
    await shopExportsAndNotes(csv);
    await oldGatewayPuts(only(1));
    await compareSales();
    await oldGatewayPuts(only(2));
    await take('import/ventes.xml');
    expect(await taken()).toMatchObject({ taken: 0 });
    expect(await doubted()).toEqual([1]);
    expect(await compareSales(PAST, NEXT)).toMatchObject({ setAsideIds: [1], comparison: { doubted: 1 } });
  });

  it('is none of it when the file that took the place holds it too', async () => {
    await shopExportsAndNotes(csv);
    await oldGatewayPuts(only(1));
    await compareSales();
    await oldGatewayPuts(oldXml(csv));
    expect(await compareSales(PAST, NEXT)).toMatchObject({
      setAsideIds: [],
      comparison: { identical: 2, different: 0, doubted: 0 },
    });
    await expect(taken()).rejects.toThrow(notYet);
    await take('import/ventes.xml');
    expect(await taken()).toMatchObject({ taken: 1, orders: 2 });
  });

  it.each([
    ['no orders file', undefined],
    ['half of one', csv.slice(0, -20)],
  ])('of orders placed before the first look, which saw %s, is left to a person', async (_what, standing) => {
    const old = ordersCsv(rowOf(1), rowOf(2, { payment: 'Bon cadeau' }), orderRow(3), orderRow(4));
    if (standing !== undefined) await world.put('export/commandes', standing);
    await look();
    await world.put('export/commandes', old);
    await look();
    expect(await exportOrders()).toMatchObject({ byHandIds: [] });
    await oldGatewayPuts(oldXml(old, (id) => id === 3));
    expect(await compareSales()).toMatchObject({
      setAsideIds: [1, 2],
      comparison: { identical: 1, missed: [4], doubted: 2 },
    });
    expect(await toSend()).toEqual([4]);
  });

  it('of orders that were placed and sent while nobody looked is left to a person', async () => {
    await look();
    await pass(50);
    const placed = localTime(new Date(Date.now() - 60_000), world.config.timeZone);
    await look();
    const shown = ordersCsv(rowOf(1, { date: placed }), orderRow(2));
    await world.put('export/commandes', shown);
    await look();
    await exportOrders();
    await oldGatewayPuts(oldXml(shown, (id) => id === 2));
    expect(await compareSales()).toMatchObject({ setAsideIds: [1], comparison: { missed: [], doubted: 1 } });
  });

  it('is told as such when nobody looked while the old gateway did its part', async () => {
    await look();
    const since = new Date(Date.now() - 30 * 60_000).toISOString();
    expect(await compareSales(PAST, CYCLE, PAST)).toMatchObject({ comparison: { unwatched: true } });
    expect(await compareSales(PAST, CYCLE, new Date(Date.now() + 1).toISOString())).toMatchObject({
      comparison: { unwatched: false },
    });
    await pass(20);
    await expect(compareSales(PAST, CYCLE, since)).rejects.toThrow(notYet);
    await look();
    expect(await compareSales(PAST, CYCLE, since)).toMatchObject({
      comparison: { different: 0, unwatched: true },
    });
  });

  it('does not trouble anybody where the archive holds the proof', async () => {
    await shopExportsAndNotes(ordersCsv(orderRow(9)));
    await world.put('import/v1.xml', oldXml(csv));
    await look();
    expect(await compareSales()).toMatchObject({ comparison: { unknown: 2 } });
    await take('import/v1.xml');
    await world.put('export/commandes', csv);
    await look();
    await exportOrders();
    await pass(1);
    await look();
    // The first look at them was before the pause.
    expect(await compareSales(PAST, NEXT)).toMatchObject({ setAsideIds: [9], comparison: { unknown: 0 } });
    expect(await test.ledger.ordersByState()).toMatchObject({ sent: 2, set_aside: 1 });
  });
});

describe('a sales file', () => {
  const csv = ordersCsv(orderRow(1));

  it('from before the cycle does not end the wait for its own', async () => {
    await shopExportsAndNotes(csv);
    await world.put('import/v1.xml', oldXml(csv));
    await look();
    await take('import/v1.xml');
    const since = new Date().toISOString();
    await world.put('export/commandes', ordersCsv(orderRow(2)));
    await look();
    await exportOrders(1, PAST);
    await expect(compareSales(soon(), CYCLE, since)).rejects.toThrow(notYet);
    await world.put('import/v2.xml', oldXml(ordersCsv(orderRow(2))));
    await look();
    expect(await compareSales(soon(), CYCLE, since)).toMatchObject({
      files: ['/import/v1.xml', '/import/v2.xml'],
      comparison: { identical: 2, different: 0, missed: [] },
    });
  });

  it('that was touched, or renamed, is the same one', async () => {
    await shopExportsAndNotes(csv);
    await world.put('import/ventes.tmp', oldXml(csv));
    await look();
    await compareSales();
    await rename(join(world.ftpRoot, 'import/ventes.tmp'), join(world.ftpRoot, 'import/ventes.xml'));
    await look();
    await utimes(join(world.ftpRoot, 'import/ventes.xml'), 1, 1);
    await look();
    expect(await compareSales()).toMatchObject({
      files: ['/import/ventes.xml'],
      comparison: { identical: 1, different: 0, unknown: 0, doubted: 0 },
    });
    await expect(taken()).rejects.toThrow(notYet);
    await take('import/ventes.xml');
    expect(await taken()).toMatchObject({ taken: 1, orders: 1 });
  });

  it('that two looks see at once is one', async () => {
    await shopExportsAndNotes(csv);
    await world.put('import/ventes.xml', oldXml(csv));
    await Promise.allSettled([lookOnce(), lookOnce()]);
    await look();
    expect(await compareSales()).toMatchObject({ comparison: { identical: 1, different: 0 } });
    expect(await compareSales(PAST, NEXT)).toMatchObject({ comparison: { different: 0, doubted: 0 } });
  });

  it('that is no XML is told as such', async () => {
    await shopExportsAndNotes(csv);
    await world.put('import/ventes.xml', oldXml(csv).replace('Derby', 'Derby & Co'));
    await look();
    const told = { unreadableFiles: ['/import/ventes.xml'], different: 1, missed: [], doubted: 1 };
    expect(await compareSales()).toMatchObject({ files: [], comparison: told });
    expect(await compareSales()).toMatchObject({ files: [], comparison: told });
    await take('import/ventes.xml');
    expect(await compareSales(PAST, NEXT)).toMatchObject({ comparison: { different: 0, doubted: 0 } });
  });

  it('with an order that passerelle leaves to a person differs', async () => {
    const voucher = ordersCsv(orderRow(1, { payment: 'Bon cadeau' }), orderRow(2));
    await shopExportsAndNotes(voucher);
    await oldGatewayPuts(oldXml(voucher));
    const told = { comparison: { identical: 1, different: 1, byHand: [1] } };
    expect(await compareSales()).toMatchObject(told);
    expect(await compareSales()).toMatchObject(told);
  });
});

describe('an orders file', () => {
  it('that is cut, and that the next one takes the place of, gives its whole rows', async () => {
    await look();
    await world.put('export/commandes', ordersCsv(orderRow(1), orderRow(2)).slice(0, -20));
    await look();
    await world.put('export/commandes', ordersCsv(orderRow(3)));
    await look();
    expect(await exportOrders()).toMatchObject({ toSend: 2, setAside: 1 });
    expect(await toSend()).toEqual([1, 3]);
  });

  it('that nobody can read is told, in every attempt of the cycle', async () => {
    await look();
    await world.put('export/commandes', 'foo;bar\n1;2\n');
    await look();
    const told = { unreadableFiles: [expect.stringContaining('commandes, line 1')], toSend: 0 };
    expect(await exportOrders()).toMatchObject(told);
    expect(await exportOrders()).toMatchObject(told);
    await world.put('export/commandes', ordersCsv(orderRow(3)));
    await look();
    expect(await exportOrders(1, PAST, NEXT)).toMatchObject({ unreadableFiles: [], toSend: 1 });
  });
});

describe('a file that the server does not give', () => {
  it('does not keep the others from being copied', async () => {
    await look();
    await world.put('import/aaa.lock', 'x');
    await world.put('import/ventes.xml', '<Ventes/>');
    const { config, ledger } = world;
    const archive = createArchive(config.archive.folder);
    const places = {
      orders: ordersFileConfig(config),
      importFolder: '/import',
      updatePath: '/ExportCSVmod',
    };
    await world.ftp.session(async (session) => {
      const download = async (path: string) => {
        if (path.endsWith('.lock')) throw new FTPError({ code: 550, message: '550 Being uploaded' });
        return session.download(path);
      };
      await noteAround({ archive, config, ledger }, { ...session, download }, places, new Date());
    });
    expect((await test.ledger.unnoted('sales')).map(({ path }) => path)).toEqual(['/import/ventes.xml']);
  });
});

describe('the stock update', () => {
  const proshop = stockCsv(['3000000000017', 5], ['3000000000024', 2, 'MOD2']);
  /** As the old script writes it. */
  const VOUCHER = ';;;BON-CADEAU-50;;;;1000;\r\n';
  const collect = async (cycle = CYCLE) => {
    const notes = { details: undefined };
    const attempt = () =>
      world.attempt((activities) => activities.collectStock({ cycle, standing: null }), notes);
    await world.put('ExportCSV', proshop);
    await expect(attempt()).rejects.toThrow(notYet);
    return attempt();
  };
  const compareStock = (file: Awaited<ReturnType<typeof collect>>['file'], since = PAST, cycle = CYCLE) =>
    world.attempt((activities) => activities.shadowStock({ cycle, file, since }));

  it('is compared by what the shop would show, and counts as applied when the module has taken it', async () => {
    await shopExportsAndNotes(ordersCsv(orderRow(1)));
    const { file, exportId } = await collect();
    await expect(compareStock(file)).rejects.toThrow(notYet);
    // The old script leaves out the whole product of an order that it has not sent.
    const update = stockCsv(['3000000000024', 2, 'MOD2']) + VOUCHER;
    await world.put('ExportCSVmod', update);
    await look();
    expect(await compareStock(file)).toMatchObject({
      corrected: 1,
      comparison: {
        sameBytes: false,
        variants: 3,
        explained: 1,
        unexplained: 0,
        disagreements: [{ ean: '3000000000017', ours: 4, theirs: 0, rule: 'removed' }],
      },
    });
    const applied = () => world.attempt((activities) => activities.shadowApplied({ cycle: CYCLE, exportId }));
    await expect(applied()).rejects.toThrow(notYet);
    await rm(join(world.ftpRoot, 'ExportCSVmod'));
    await look();
    expect(await applied()).toMatchObject({ variants: 1 });
    expect([...(await test.ledger.appliedStock()).keys()]).toEqual(['3000000000024']);
    expect(await world.files()).toMatchObject({ ExportCSV: proshop });
  });

  it('is not the one that a cycle before was cut over', async () => {
    await look();
    await world.put('ExportCSVmod', stockCsv(['3000000000017', 1]));
    await look();
    await rm(join(world.ftpRoot, 'ExportCSVmod'));
    await look();
    const since = new Date().toISOString();
    const { file } = await collect();
    await expect(compareStock(file, since)).rejects.toThrow(notYet);
    await world.put('ExportCSVmod', proshop + VOUCHER);
    await look();
    expect(await compareStock(file, since)).toMatchObject({ comparison: { explained: 0, unexplained: 0 } });
  });
});

describe('the first live cycle', () => {
  const LIVE = { ...CYCLE, id: '5f2a91c0-0000-4000-8000-000000000000' };
  let live: World | undefined;
  afterEach(() => live?.stop());
  /** Passerelle is started again, on the FTP server as it stands. */
  const open = async () => {
    live = await startWorld(test.ledger, (settings) => {
      settings.archive = { folder: world.config.archive.folder };
    });
    await cp(world.ftpRoot, live.ftpRoot, { recursive: true });
    return live.attempt((activities) => activities.openCycle({ id: LIVE.id, startedAt: PAST }));
  };
  const ids = async (orders = test.ledger.ordersToSend()) => (await orders).map(({ id }) => id);
  const csv = ordersCsv(orderRow(1), orderRow(2));

  it('sends what the old gateway missed, and nothing that it sent, also since a cycle looked last', async () => {
    await shopExportsAndNotes(csv);
    await compareSales();
    // Later than a cycle waits for it.
    await world.put(
      'import/ventes.xml',
      oldXml(csv, (id) => id === 1),
    );
    await open();
    expect(await ids()).toEqual([2]);
    expect(await test.ledger.lastLook()).toBeNull();
    // The cycle after it has nothing more to take over.
    await live?.attempt((activities) => activities.openCycle({ id: CYCLE.id, startedAt: PAST }));
    expect(await ids()).toEqual([2]);
  });

  it('finds in an earlier sales file what no orders file had shown when it was noted', async () => {
    await shopExportsAndNotes(ordersCsv(orderRow(1)));
    await oldGatewayPuts(oldXml(csv));
    expect(await compareSales()).toMatchObject({ orders: 1, comparison: { unknown: 1 } });
    await take('import/ventes.xml');
    await world.put('export/commandes', csv);
    await look();
    await open();
    expect(await ids()).toEqual([]);
  });

  it('leaves to a person what a file held that another took the place of, also when it was noted long ago', async () => {
    await shopExportsAndNotes(ordersCsv(orderRow(1), orderRow(2), orderRow(3)));
    await oldGatewayPuts(oldXml(csv, (id) => id === 2));
    expect(await compareSales()).toMatchObject({ comparison: { missed: [1, 3] } });
    await oldGatewayPuts(oldXml(csv, (id) => id === 1));
    await take('import/ventes.xml');
    await open();
    expect([await ids(), await doubted()]).toEqual([[3], [2]]);
    expect(await test.ledger.ordersByState()).toMatchObject({ sent: 1, set_aside: 1, to_send: 1 });
  });

  it('leaves to a person what half of a sales file holds that stands', async () => {
    await shopExportsAndNotes(csv);
    // Also of what was seen then for the first time.
    await world.put('export/commandes', ordersCsv(orderRow(1), orderRow(2), orderRow(3)));
    await world.put('import/ventes.xml', oldXml(csv).slice(0, 400));
    await open();
    expect([await ids(), await doubted()]).toEqual([[], [1, 2, 3]]);
  });

  it('leaves to a person what a sales file may hold that the server does not give', async () => {
    await shopExportsAndNotes(csv);
    const seen = { kind: 'sales', path: '/import/ventes.xml', look: { size: 9, modifiedAt: null } } as const;
    const sighting = await test.ledger.see({ ...seen, at: new Date() });
    const { config, ledger, template } = world;
    const ends = { archive: createArchive(config.archive.folder), config, ledger, template };
    const read = (isOver: boolean) => noteOldSales(ends, LIVE, { since: new Date(0), isOver });
    expect(await read(false)).toEqual([]);
    expect(await read(true)).toEqual([{ sighting, comparison: null, byHand: [] }]);
    expect((await ledger.unwatchedUntil())?.getTime()).toBeGreaterThan(0);
    // It does so now.
    const file = await ends.archive.write('2026-11-24/shadow', 'ventes.xml', Buffer.from(oldXml(csv)));
    await ledger.copied(sighting, file);
    expect(await read(true)).toMatchObject([{ comparison: { unknown: 0, orders: [{ id: 1 }, { id: 2 }] } }]);
    expect(await ids()).toEqual([]);
  });

  it('takes what is whole of an orders file that is cut', async () => {
    await look();
    await world.put('export/commandes', csv.slice(0, -20));
    await look();
    await open();
    expect([await ids(), await doubted()]).toEqual([[1], [2]]);
  });

  it('begins although the copies of what the old gateway sent are past their time', async () => {
    await shopExportsAndNotes(csv);
    await oldGatewayPuts(oldXml(csv, (id) => id === 1));
    await compareSales();
    await world.put('import/other.xml', oldXml(ordersCsv(orderRow(7))));
    await look();
    await rm(join(world.config.archive.folder, '..', 'archive'), { recursive: true });
    await open();
    expect([await ids(), await doubted()]).toEqual([[], [2]]);
  });

  it('knows the orders that the shop showed the old gateway alone, also those of no cycle', async () => {
    await shopExports(csv);
    await rm(join(world.ftpRoot, 'export/commandes'));
    await look();
    await open();
    expect(await ids()).toEqual([1, 2]);
  });

  it('leaves to a person what may have been sent while nobody watched, whatever shows it again', async () => {
    await shopExportsAndNotes(csv);
    await test.ledger.forgetLooks();
    await test.ledger.lookedAt(new Date(Date.now() - 10 * 60_000), 0);
    await open();
    expect(await ids()).toEqual([]);
    const { setAside } = await test.ledger.ordersForPeople();
    expect(setAside.map(({ id }) => id)).toEqual([1, 2]);
    await test.ledger.recordOrders({
      cycle: LIVE.id,
      step: 1,
      file: 'commandes',
      fileSha256: 'f',
      at: new Date(),
      orders: [{ order: anOrder(1), route: 'send' }],
      setAside: [],
    });
    await test.ledger.recordShopOrders({
      cycle: LIVE.id,
      step: 1,
      file: 'orders',
      at: new Date(),
      reading: 1,
      orders: [{ order: anOrder(2), standing: 'sold', byHand: false, stockBack: false }],
      setAside: [],
    });
    expect(await ids()).toEqual([]);
  });
});
