import { readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createActivities } from '../../src/activities/index.ts';
import { createArchive, type ArchivedFile } from '../../src/archive.ts';
import { FAILURE } from '../../src/failures.ts';
import type { Ftp, FtpSession } from '../../src/ftp.ts';
import { createDeps } from '../../src/worker.ts';
import { CYCLE, orderRow, ordersCsv, stockCsv } from '../support/files.ts';
import { openTestPglite, type TestLedger } from '../support/ledgers.ts';
import {
  NO_CYCLES,
  NO_METRICS,
  startWorld,
  type AttemptNotes,
  type Settings,
  type World,
} from '../support/world.ts';

let test: TestLedger;
let world: World;
beforeAll(async () => {
  test = await openTestPglite();
});
afterAll(() => test.close());
beforeEach(() => test.reset());
afterEach(() => world.stop());

const DIVIDING_TEMPLATE = join(import.meta.dirname, '..', 'fixtures', 'dividing-template.xml');
const testStartedAt = new Date().toISOString();
const startedAt = '2026-11-24T09:25:00.000Z';

const open = async (change?: (settings: Settings) => void) => {
  world = await startWorld(test.ledger, change);
  return world;
};
/** From here on it is the same time of day, until `passTime`. */
const stopTime = () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
};
const passTime = (milliseconds: number) => vi.setSystemTime(Date.now() + milliseconds);
const failureType = (type: string) => expect.objectContaining({ type }) as Error;
/** The shop exports `content` at the next call, once, straight to the final name. */
const willExport = (content: string, name = 'commandes') => {
  world.shop.exportOrders = async () => {
    world.shop.exportOrders = async () => 'Exported';
    await world.put(`export/${name}`, content);
    return 'Exported';
  };
};
const exportOrders = (step: 1 | 6 = 1) =>
  world.attempt((activities) => activities.exportOrders({ cycle: CYCLE, step }));
const deliverOrders = () => world.attempt((activities) => activities.deliverOrders({ cycle: CYCLE }));
const awaitOrdersTaken = () =>
  world.attempt((activities) => activities.awaitOrdersTaken({ cycleStartedAt: testStartedAt }));
/** Closes a cycle; `seen` is what its first step gave. */
const closeCycle = (id = CYCLE.id, seen?: unknown) => {
  const cycle = { ...CYCLE, id };
  const step = {
    number: 1,
    name: 'exportOrders',
    state: 'done',
    startedAt: '',
    endedAt: '',
    why: null,
  } as const;
  const steps = seen === undefined ? [] : [{ ...step, facts: seen }];
  return world.attempt((activities) =>
    activities.closeCycle({
      cycle,
      report: { outcome: 'complete', cycle, startedAt: '', endedAt: '', steps, alarms: [] },
    }),
  );
};
const CLAIM = 'passerelle/<when>-orders-commandes-<id>.claim';
const importFolder = async () =>
  Object.keys(await world.files()).filter((path) => path.startsWith('import/'));
/** Attempts again until the evidence is there, each knowing what the one before left in its heartbeat. */
const collectStock = async (attempts = 3, notes: AttemptNotes = { details: undefined }) => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await world.attempt(
        (activities) => activities.collectStock({ cycle: CYCLE, standing: null }),
        notes,
      );
    } catch (error) {
      if (attempt === attempts || (error as { type?: string }).type !== FAILURE.notYet) throw error;
    }
  }
};
/** Collects an ExportCSV that was seen not to have been begun `ago` ms before. */
const collectFresh = (bytes: Buffer | string, ago = 1_000) =>
  world
    .put('ExportCSV', bytes)
    .then(() =>
      collectStock(3, { details: { notBegunAt: new Date(Date.now() - ago).toISOString(), look: null } }),
    );
const prepareStock = async () => {
  const { exportId, file } = await collectStock();
  const plan = await world.attempt((activities) => activities.prepareStock({ cycle: CYCLE, file }));
  return { exportId, file, plan };
};
const updateStock = (exportId: string, update: ArchivedFile) =>
  world.attempt((activities) =>
    activities.updateStock({ cycle: CYCLE, exportId, update, lateOrdersAt: new Date().toISOString() }),
  );

describe('1 and 6, the export of orders', () => {
  it('brings the shop’s orders into the ledger and the archive, and takes the file away', async () => {
    await open();
    willExport(
      ordersCsv(
        orderRow(1),
        orderRow(2, { payment: 'Bon cadeau' }),
        orderRow(3, { ean: '' }),
        orderRow(4, { code: 'BC-77' }),
      ),
    );
    expect(await exportOrders()).toMatchObject({
      files: [{ path: `${CYCLE.folder}/orders.csv` }],
      rows: 4,
      toSend: 1,
      byHand: 2,
      byHandIds: [2, 4],
      setAside: 1,
      setAsideOrders: [{ id: 3 }],
    });
    expect((await test.ledger.ordersToSend()).map(({ id }) => id)).toEqual([1]);
    expect(Object.keys(await world.archived())).toEqual([`${CYCLE.folder}/orders.csv`]);
    expect(Object.keys(await world.files())).toEqual([CLAIM]);
    await closeCycle();
    expect(await world.files()).toEqual({});
  });

  it('claims what somebody exported by hand while older files were read, before the module overwrites it', async () => {
    await open();
    await world.put('export/commandes', ordersCsv(orderRow(1)));
    const byHand = ordersCsv(orderRow(2));
    let lists = 0;
    const ftp: Ftp = {
      session: (work, signal) =>
        world.ftp.session((session) => work({ ...session, list: listWith(session) }), signal),
    };
    const listWith = (session: FtpSession) => async (folder: string) => {
      if (++lists === 1) await world.put('export/commandes', byHand);
      return session.list(folder);
    };
    const { config, template } = world;
    const activities = createActivities(
      createDeps(config, template, {
        ftp,
        ledger: test.ledger,
        archive: createArchive(config.archive.folder),
        cycles: NO_CYCLES,
        metrics: NO_METRICS,
      }),
    );
    willExport(ordersCsv(orderRow(3)));
    await world.run(() => activities.exportOrders({ cycle: CYCLE, step: 1 }));
    expect((await test.ledger.ordersToSend()).map(({ id }) => id)).toEqual([1, 2, 3]);
  });

  it('loses nothing of an upload that stalled where a row ends, was taken for whole, and then went on', async () => {
    await open();
    const whole = ordersCsv(orderRow(1), orderRow(2));
    willExport(ordersCsv(orderRow(1)));
    expect(await exportOrders()).toMatchObject({ toSend: 1 });
    const [claim = ''] = await readdir(join(world.ftpRoot, 'passerelle'));
    await world.put(`passerelle/${claim}`, whole);
    await closeCycle();
    expect((await test.ledger.ordersToSend()).map(({ id }) => id)).toEqual([1, 2]);
    expect(Object.keys(await world.files())).toEqual([CLAIM]);
    await closeCycle();
    expect(await world.files()).toEqual({});
  });

  it('does not call the module again while a call without an answer may still be at work', async () => {
    await open();
    stopTime();
    world.shop.exportOrders = async () => 504;
    await expect(exportOrders()).rejects.toThrow(/HTTP 504/);
    await expect(exportOrders()).rejects.toThrow(/has not answered the last call/);
    await world.put('export/commandes', ordersCsv(orderRow(1)));
    await expect(exportOrders()).rejects.toThrow(failureType(FAILURE.notYet));
    expect((await test.ledger.ordersToSend()).map(({ id }) => id)).toEqual([1]);
    expect(world.shop.calls).toEqual(['exportOrders']);
    passTime(29_999);
    await expect(exportOrders()).rejects.toThrow(/has not answered the last call/);
    passTime(1);
    await expect(exportOrders()).rejects.toThrow(/HTTP 504/);
  });

  it('tells people of an order in the next cycle when the one that recorded it was cut before it could tell', async () => {
    await open();
    willExport(ordersCsv(orderRow(1, { payment: 'Bon cadeau' }), orderRow(2, { ean: '' }), orderRow(3)));
    await exportOrders();
    await closeCycle();
    const exportIn = (id: string) =>
      world.attempt((activities) => activities.exportOrders({ cycle: { ...CYCLE, id }, step: 1 }));
    const told = await exportIn('b');
    expect(told).toMatchObject({ toSend: 0, byHandIds: [1], setAsideOrders: [{ id: 2 }] });
    expect(await exportIn('b')).toMatchObject({ byHandIds: [1], setAsideOrders: [{ id: 2 }] });
    await closeCycle('b', told);
    expect(await exportIn('c')).toMatchObject({ byHandIds: [], setAsideOrders: [] });
  });

  it('tells of an order without a readable number in the next cycle, and once only', async () => {
    await open();
    willExport(ordersCsv(orderRow(1), orderRow(2).replace(/^2;/, '4O12;')));
    expect(await exportOrders(6)).toMatchObject({ toSend: 1, setAside: 1 });
    await closeCycle();
    const next = (id: string) =>
      world.attempt((activities) => activities.exportOrders({ cycle: { ...CYCLE, id }, step: 1 }));
    const told = await next('b');
    expect(told).toMatchObject({ setAside: 1 });
    await closeCycle('b', told);
    expect(await next('c')).toMatchObject({ setAside: 0 });
  });

  it('reads what was claimed before the staging folder was changed', async () => {
    await open();
    willExport(ordersCsv(orderRow(1)));
    world.scissors.arm(7);
    await expect(exportOrders()).rejects.toThrow('cut after rename');
    expect(Object.keys(await world.files())).toEqual([CLAIM]);
    const { config, template, ftp } = world;
    const moved = createActivities(
      createDeps({ ...config, ftp: { ...config.ftp, staging: '/elsewhere' } }, template, {
        ftp,
        ledger: test.ledger,
        archive: createArchive(config.archive.folder),
        cycles: NO_CYCLES,
        metrics: NO_METRICS,
      }),
    );
    // The call that was cut may still be at work: whether it may is no matter here.
    await world.run(() => moved.exportOrders({ cycle: CYCLE, step: 1 })).catch(() => null);
    expect((await test.ledger.ordersToSend()).map(({ id }) => id)).toEqual([1]);
  });

  it('does not take a text that says no for an export', async () => {
    await open();
    world.shop.exportOrders = async () => 'Access denied!';
    await expect(exportOrders()).rejects.toThrow(/shop\.refusals/);
  });

  it('tells an order whose number cannot be read, and counts its units', async () => {
    await open();
    willExport(ordersCsv(orderRow(1), orderRow(2).replace(/^2;/, '4O12;')));
    expect(await exportOrders()).toMatchObject({ toSend: 1, setAside: 1 });
    expect((await test.ledger.outstanding()).orders).toBe(2);
  });

  it('is not stopped by a character that no database takes', async () => {
    await open();
    willExport(ordersCsv(orderRow(1).replace('Escalier', 'Esc\0alier')));
    expect(await exportOrders()).toMatchObject({ toSend: 1 });
    expect(await deliverOrders()).toMatchObject({ orders: 1 });
  });

  it('finds nothing when the shop had no order and wrote no file', async () => {
    await open();
    expect(await exportOrders()).toMatchObject({ files: [], toSend: 0 });
    expect(world.shop.calls).toEqual(['exportOrders']);
  });

  it('saves a file of before, which the module would overwrite, before it calls the module', async () => {
    await open();
    await world.put('export/commandes', ordersCsv(orderRow(1)));
    willExport(ordersCsv(orderRow(2)));
    expect(await exportOrders()).toMatchObject({
      toSend: 2,
      files: [{}, { path: `${CYCLE.folder}/orders-2.csv` }],
    });
  });

  it('knows the late orders from the first ones', async () => {
    await open();
    willExport(ordersCsv(orderRow(1)));
    await exportOrders(1);
    willExport(ordersCsv(orderRow(1), orderRow(2)));
    expect(await exportOrders(6)).toMatchObject({
      toSend: 1,
      files: [{ path: `${CYCLE.folder}/late-orders.csv` }],
    });
  });

  it('takes every file that fits a name with a date in it', async () => {
    await open((settings) => {
      settings.orders.name = 'commandes-*.csv';
    });
    await world.put('export/commandes-1.csv', ordersCsv(orderRow(1)));
    await world.put('export/autre.csv', 'not ours');
    willExport(ordersCsv(orderRow(2)), 'commandes-2.csv');
    expect(await exportOrders()).toMatchObject({ toSend: 2 });
    await closeCycle();
    expect(Object.keys(await world.files())).toEqual(['export/autre.csv']);
  });

  it('waits for a file that is still growing', async () => {
    await open();
    await world.put('export/commandes', ordersCsv(orderRow(1)));
    const growing = setInterval(
      () => void writeFile(join(world.ftpRoot, 'export/commandes'), ' ', { flag: 'a' }),
      5,
    );
    await expect(exportOrders()).rejects.toThrow(failureType(FAILURE.notYet));
    clearInterval(growing);
    expect(world.shop.calls).toEqual([]);
  });

  it('waits for the rest of a file whose last row is cut, then sets the cut order aside and takes the others', async () => {
    await open();
    stopTime();
    const whole = ordersCsv(orderRow(1), orderRow(2));
    await world.put('export/commandes', whole.slice(0, -30));
    await expect(exportOrders()).rejects.toThrow(failureType(FAILURE.notYet));
    passTime(1_300);
    expect(await exportOrders()).toMatchObject({ toSend: 1, setAside: 1, setAsideOrders: [{ id: 2 }] });
    willExport(whole);
    expect(await exportOrders(6)).toMatchObject({ toSend: 1, setAside: 0 });
    expect((await test.ledger.ordersToSend()).map(({ id }) => id)).toEqual([1, 2]);
  });

  it.each([
    ['the wrong delimiter', ordersCsv(orderRow(1)).replaceAll(';', ','), /orders\.file\.delimiter/],
    [
      'a missing column',
      ordersCsv(orderRow(1)).replace('product_ean13', 'gencod'),
      /orders\.columns\.line\.ean/,
    ],
    ['another encoding', Buffer.from(ordersCsv(orderRow(1)).slice(1), 'latin1'), /orders\.file\.encoding/],
  ])(
    'keeps a file with %s, names the setting to change, and loses nothing',
    async (_name, content, setting) => {
      await open();
      await world.put('export/commandes', content);
      await expect(exportOrders()).rejects.toThrow(setting);
      await expect(exportOrders()).rejects.toThrow(failureType(FAILURE.badData));
      const kept = Object.entries(await world.files());
      expect(kept).toHaveLength(1);
      expect(kept[0]?.[0]).toBe('passerelle/<when>-orders-commandes-<id>.claim');
      willExport(ordersCsv(orderRow(2)));
      await expect(exportOrders()).rejects.toThrow(setting);
      expect((await test.ledger.ordersToSend()).map(({ id }) => id)).toEqual([2]);
    },
  );

  it.each([
    [500, FAILURE.transient],
    [503, FAILURE.transient],
    [403, FAILURE.refused],
    [302, FAILURE.refused],
  ])('does not take HTTP %i for success', async (status, type) => {
    await open();
    world.shop.exportOrders = async () => status;
    const error = await exportOrders().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ type });
    expect((error as Error).message).not.toContain('k3y');
  });
});

describe('2, the delivery of orders', () => {
  it('puts every waiting order into one whole file where Proshop takes it', async () => {
    await open();
    willExport(ordersCsv(orderRow(1), orderRow(1, { ean: '3000000000024', quantity: '2' }), orderRow(2)));
    await exportOrders();
    const result = await deliverOrders();
    expect(result).toMatchObject({
      orders: 2,
      orderIds: [1, 2],
      units: 4,
      archived: { path: `${CYCLE.folder}/orders.xml` },
    });
    await closeCycle();
    const files = await world.files();
    expect(Object.keys(files)).toEqual(['import/ventes-<when>-<id>.xml']);
    const xml = files['import/ventes-<when>-<id>.xml'];
    expect(xml).toContain('<Nom>Le "Fèvre"; dite</Nom>');
    expect(xml).toContain('1 rue du Bac\nEscalier B');
    expect((await world.archived())[`${CYCLE.folder}/orders.xml`]).toBe(xml);
    expect(await test.ledger.ordersToSend()).toEqual([]);
  });

  it('does nothing when nothing waits', async () => {
    await open();
    expect(await deliverOrders()).toEqual({
      file: null,
      archived: null,
      orders: 0,
      units: 0,
      orderIds: [],
      setAsideIds: [],
    });
    expect(await world.files()).toEqual({});
  });

  it('sends a late order with the next cycle', async () => {
    await open();
    willExport(ordersCsv(orderRow(1)));
    await exportOrders();
    await deliverOrders();
    willExport(ordersCsv(orderRow(2)));
    await exportOrders(6);
    const next = { ...CYCLE, id: 'b0000000-0000-4000-8000-000000000000' };
    expect(await world.attempt((activities) => activities.deliverOrders({ cycle: next }))).toMatchObject({
      orderIds: [2],
    });
    expect(await importFolder()).toHaveLength(1);
  });

  it('sets an order aside for which the template cannot be worked out, and sends the others', async () => {
    await open((settings) => {
      settings.proshop = { ...(settings.proshop as object), template: DIVIDING_TEMPLATE };
    });
    willExport(ordersCsv(orderRow(1), orderRow(2).replace('89.90;74.92', '0;0')));
    await exportOrders();
    expect(await deliverOrders()).toMatchObject({ orders: 1, orderIds: [1], setAsideIds: [2] });
    expect(await test.ledger.ordersForPeople()).toMatchObject({ setAside: [{ id: 2 }] });
    expect((await test.ledger.outstanding()).orders).toBe(2);
  });

  it('gives no file to Proshop before it is whole', async () => {
    await open();
    willExport(ordersCsv(orderRow(1)));
    await exportOrders();
    const seen = new Set<string>();
    world.scissors.watch(async () => {
      for (const [path, content] of Object.entries(await world.files())) {
        if (path.startsWith('import/'))
          seen.add(content.trimEnd().endsWith('</Ventes>') ? 'whole' : 'partial');
      }
    });
    await deliverOrders();
    expect([...seen]).toEqual(['whole']);
  });
});

describe('3, Proshop’s import', () => {
  it('is over when the file is gone', async () => {
    await open();
    willExport(ordersCsv(orderRow(1)));
    await exportOrders();
    const { file } = await deliverOrders();
    await expect(awaitOrdersTaken()).rejects.toThrow(/still there \(\d+ bytes\)/);
    await unlink(join(world.ftpRoot, file ?? ''));
    expect(await awaitOrdersTaken()).toEqual({ taken: 1, orders: 1 });
    expect(await awaitOrdersTaken()).toEqual({ taken: 1, orders: 1 });
  });

  it('is not over because the folder cannot be entered', async () => {
    await open();
    willExport(ordersCsv(orderRow(1)));
    await exportOrders();
    await deliverOrders();
    await rename(join(world.ftpRoot, 'import'), join(world.ftpRoot, 'gone'));
    await expect(awaitOrdersTaken()).rejects.toThrow(/folder \/import/);
    expect(await test.ledger.untakenDeliveries('sales')).toHaveLength(1);
  });
});

describe('4, Proshop’s export', () => {
  it('is collected when two looks agree, and stays for the shop’s module', async () => {
    await open();
    const content = stockCsv(['3000000000017', 3], ['3000000000024', 0]);
    await world.put('ExportCSV', content);
    await expect(collectStock(1)).rejects.toThrow(/being written/);
    expect(await collectStock()).toMatchObject({ rows: 2, units: 3, doubts: [] });
    expect((await world.files()).ExportCSV).toBe(content);
    expect((await world.archived())[`${CYCLE.folder}/ExportCSV`]).toBe(content);
  });

  it('is not the file that stood when the cycle began', async () => {
    await open();
    await world.put('ExportCSV', stockCsv(['3000000000017', 3]));
    const { standing } = await world.attempt((activities) =>
      activities.openCycle({ id: CYCLE.id, startedAt }),
    );
    const collect = () => world.attempt((activities) => activities.collectStock({ cycle: CYCLE, standing }));
    await expect(collect()).rejects.toThrow(/Still the ExportCSV from before/);
    await world.put('ExportCSV', stockCsv(['3000000000017', 33]));
    await expect(collect()).rejects.toThrow(/being written/);
  });

  it('is not taken while its last row is cut', async () => {
    await open();
    await world.put('ExportCSV', stockCsv(['3000000000017', 3]).slice(0, -6));
    await expect(collectStock()).rejects.toThrow(/middle of a row/);
  });

  it('does not count an order that was taken after the file before, although a clock set back says the contrary', async () => {
    await open();
    await world.put('ExportCSV', stockCsv(['3000000000017', 3]));
    await collectStock();
    willExport(ordersCsv(orderRow(1)));
    await exportOrders();
    await deliverOrders();
    const [delivery] = await test.ledger.untakenDeliveries('sales');
    await test.ledger.markTaken(delivery?.id ?? '', new Date(Date.now() - 3_600_000));
    const collectIn = async (id: string, units: number) => {
      await world.put('ExportCSV', stockCsv(['3000000000017', units]));
      const notes: AttemptNotes = { details: undefined };
      const collect = () =>
        world.attempt((a) => a.collectStock({ cycle: { ...CYCLE, id }, standing: null }), notes);
      await expect(collect()).rejects.toThrow(/being written/);
      return collect();
    };
    expect(await collectIn('b', 4)).toMatchObject({ reflected: 0 });
    expect(await collectIn('c', 5)).toMatchObject({ reflected: 1 });
  });

  it('counts the orders of a file that Proshop took after step 3 had given up', async () => {
    await open();
    willExport(ordersCsv(orderRow(1)));
    await exportOrders();
    const { file } = await deliverOrders();
    await expect(awaitOrdersTaken()).rejects.toThrow(/still there/);
    const notes: AttemptNotes = { details: undefined };
    const collect = () =>
      world.attempt((activities) => activities.collectStock({ cycle: CYCLE, standing: null }), notes);
    await unlink(join(world.ftpRoot, file ?? ''));
    await expect(collect()).rejects.toThrow(/No ExportCSV yet/);
    await world.put('ExportCSV', stockCsv(['3000000000017', 3]));
    await expect(collect()).rejects.toThrow(/being written/);
    expect(await collect()).toMatchObject({ reflected: 1 });
  });

  it('is collected although nobody can look whether Proshop has taken the sales file', async () => {
    await open();
    willExport(ordersCsv(orderRow(1)));
    await exportOrders();
    await deliverOrders();
    await rename(join(world.ftpRoot, 'import'), join(world.ftpRoot, 'gone'));
    await world.put('ExportCSV', stockCsv(['3000000000017', 3]));
    expect(await collectStock()).toMatchObject({ rows: 1, reflected: 0 });
  });

  it('does not count an order that Proshop took while it wrote, whatever a clock set back says', async () => {
    await open();
    willExport(ordersCsv(orderRow(1)));
    await exportOrders();
    const { file } = await deliverOrders();
    await unlink(join(world.ftpRoot, file ?? ''));
    await world.put('ExportCSV', stockCsv(['3000000000017', 3]));
    // Not begun an hour from now: the clock was set back since.
    const notBegunAt = new Date(Date.now() + 3_600_000).toISOString();
    expect(await collectStock(3, { details: { notBegunAt, look: null } })).toMatchObject({ reflected: 0 });
  });

  it('is told again as it was by an attempt that comes after the first one died', async () => {
    await open();
    await world.put('ExportCSV', stockCsv(['3000000000017', 3]));
    const first = await collectStock();
    await world.put('ExportCSV', stockCsv(['3000000000017', 99]));
    expect(await collectStock()).toEqual(first);
  });
});

describe('5, new products', () => {
  it('are asked of the shop until the import that makes them is known to be over', async () => {
    await open();
    const { file } = await collectFresh(stockCsv(['3000000000017', 3], ['3000000000024', 1, 'MOD2']));
    const create = () => world.attempt((activities) => activities.createProducts({ file }));
    expect(await create()).toEqual({ models: 2, references: ['MOD1', 'MOD2'] });
    expect(await create()).toMatchObject({ models: 2 });
    await test.ledger.confirmModels({ from: new Date(0), to: new Date() }, new Date());
    expect(await create()).toEqual({ models: 0, references: [] });
    expect(world.shop.calls).toEqual(['importProducts', 'importProducts']);
  });

  it('are not asked for once Proshop has begun another file: the module would read a part of it', async () => {
    await open();
    const { file } = await collectFresh(stockCsv(['3000000000017', 3]));
    await world.put('ExportCSV', 'Fournisseur;Mat');
    await expect(world.attempt((activities) => activities.createProducts({ file }))).rejects.toThrow(
      failureType(FAILURE.overtaken),
    );
    expect(world.shop.calls).toEqual([]);
  });

  it.each([
    ['the next one is due', 26 * 60_000],
    ['a clock was set back', -26 * 60_000],
  ])('are not asked for where Proshop may begin another file at any moment: %s', async (_why, ago) => {
    await open();
    const { file } = await collectFresh(stockCsv(['3000000000017', 3]), ago);
    await expect(world.attempt((activities) => activities.createProducts({ file }))).rejects.toThrow(
      failureType(FAILURE.overtaken),
    );
    expect(world.shop.calls).toEqual([]);
  });

  it('wait while the shop is at another import', async () => {
    await open();
    const { file } = await collectFresh(stockCsv(['3000000000017', 3]));
    world.shop.importProducts = async () => 'Other import is running now';
    await expect(world.attempt((activities) => activities.createProducts({ file }))).rejects.toThrow(
      failureType(FAILURE.notYet),
    );
  });
});

describe('7, the preparation of the stock', () => {
  it('takes outstanding units off and keeps the rest byte for byte', async () => {
    await open();
    willExport(ordersCsv(orderRow(1, { quantity: '2' })));
    await exportOrders(6);
    await world.put('ExportCSV', stockCsv(['3000000000017', 3], ['3000000000024', 5]));
    const { plan } = await prepareStock();
    expect(plan).toMatchObject({ passed: true, outstanding: 1, corrected: 1, reasons: [] });
    expect(plan.corrections).toEqual([{ ean: '3000000000017', proshop: 3, shown: 1 }]);
    const update = (await world.archived())[`${CYCLE.folder}/ExportCSVmod`];
    expect(update).toContain(';3000000000017;89,90;1;008\r\n');
    expect(update).toContain('Martin;Cuir;Noir;MOD1;42;3000000000024;89,90;5;008\r\n');
  });

  it('is held, with its reasons, when the file is doubtful or too different from the last one applied', async () => {
    await open();
    await world.put('ExportCSV', stockCsv(['3000000000017', 3]).replace(';008', ';009'));
    const { plan } = await prepareStock();
    expect(plan.passed).toBe(false);
    expect(plan.reasons).toMatchObject([{ rule: 'store' }]);
  });

  it('is held when Proshop’s file is the one of before, although it has taken orders since', async () => {
    await open();
    await world.put('ExportCSV', stockCsv(['3000000000017', 3]));
    await collectStock();
    const second = { ...CYCLE, id: 'b' };
    const { standing } = await world.attempt((activities) =>
      activities.openCycle({ id: second.id, startedAt }),
    );
    willExport(ordersCsv(orderRow(1)));
    await exportOrders();
    const { file } = await deliverOrders();
    await unlink(join(world.ftpRoot, file ?? ''));
    await awaitOrdersTaken();
    const notes: AttemptNotes = { details: undefined };
    const collect = () =>
      world.attempt((activities) => activities.collectStock({ cycle: second, standing }), notes);
    await expect(collect()).rejects.toThrow(/Still the ExportCSV from before/);
    await sleep(20);
    await world.put('ExportCSV', stockCsv(['3000000000017', 3]));
    await expect(collect()).rejects.toThrow(/being written/);
    const { file: stock, reflected } = await collect();
    // The order stays outstanding: a file that cannot be true counts nothing.
    expect(reflected).toBe(0);
    const prepare = () =>
      world.attempt((activities) => activities.prepareStock({ cycle: second, file: stock }));
    expect(await prepare()).toMatchObject({
      outstanding: 1,
      passed: false,
      reasons: [{ rule: 'stale', message: expect.stringMatching(/taken 1 order\(s\) since, got the same/) }],
    });
  });

  it('is held as long as Proshop’s file is that of before', async () => {
    await open();
    const content = stockCsv(['3000000000017', 3]);
    const collectIn = async (id: string) => {
      const cycle = { ...CYCLE, id };
      const { standing } = await world.attempt((activities) => activities.openCycle({ id, startedAt }));
      const notes: AttemptNotes = { details: undefined };
      const collect = () => world.attempt((a) => a.collectStock({ cycle, standing }), notes);
      await expect(collect()).rejects.toThrow(failureType(FAILURE.notYet));
      await sleep(20);
      await world.put('ExportCSV', content);
      await expect(collect()).rejects.toThrow(/being written/);
      const { file } = await collect();
      return world.attempt((a) => a.prepareStock({ cycle, file }));
    };
    expect(await collectIn('a')).toMatchObject({ passed: true });
    willExport(ordersCsv(orderRow(1)));
    await exportOrders();
    const { file } = await deliverOrders();
    // Proshop is late: the file still stands when its stock is collected for the first time.
    await unlink(join(world.ftpRoot, file ?? ''));
    await awaitOrdersTaken();
    for (const id of ['b', 'c', 'd']) {
      expect(await collectIn(id)).toMatchObject({
        passed: false,
        outstanding: 1,
        reasons: [{ rule: 'stale' }],
      });
    }
  });

  it('is not held when nothing was sold and the file is the same', async () => {
    await open();
    await world.put('ExportCSV', stockCsv(['3000000000017', 3]));
    await prepareStock();
    const again = { ...CYCLE, id: 'b' };
    const notes: AttemptNotes = { details: undefined };
    const collect = () =>
      world.attempt((activities) => activities.collectStock({ cycle: again, standing: null }), notes);
    await expect(collect()).rejects.toThrow(/being written/);
    const { file } = await collect();
    expect(
      await world.attempt((activities) => activities.prepareStock({ cycle: again, file })),
    ).toMatchObject({ passed: true });
  });

  it.each([
    ['passes when the one before said everything twice', 2, [1, 2, 3, 4], true],
    ['is held when half is missing and the rest is said twice', 1, [1, 2, 1, 2], false],
  ])('%s', async (_what, times, second, passed) => {
    await open((settings) => {
      settings.gate = { firstRun: 'apply', toZero: 100 };
    });
    const rows = (models: readonly number[]) =>
      stockCsv(...models.map((model) => [`300000000000${model}`, 10] as [string, number]));
    await world.put('ExportCSV', rows(Array.from({ length: times }, () => [1, 2, 3, 4]).flat()));
    const { exportId, plan } = await prepareStock();
    await expect(updateStock(exportId, plan.update)).rejects.toThrow(/begun its import/);
    await unlink(join(world.ftpRoot, 'ExportCSVmod'));
    await updateStock(exportId, plan.update);
    await world.put('ExportCSV', rows(second));
    const again = { ...CYCLE, id: 'b' };
    const notes: AttemptNotes = { details: undefined };
    const collect = () =>
      world.attempt((activities) => activities.collectStock({ cycle: again, standing: null }), notes);
    await expect(collect()).rejects.toThrow(/being written/);
    const collected = await collect();
    const { file } = collected;
    expect(await world.attempt((a) => a.prepareStock({ cycle: again, file }))).toMatchObject({
      passed,
    });
  });

  it('is held the first time unless the configuration says otherwise', async () => {
    await open((settings) => {
      settings.gate = { firstRun: 'hold' };
    });
    await world.put('ExportCSV', stockCsv(['3000000000017', 3]));
    const { plan } = await prepareStock();
    expect(plan).toMatchObject({ passed: false, reasons: [{ rule: 'firstRun' }] });
  });
});

describe('8, the update of the stock', () => {
  const prepared = async () => {
    await open();
    await world.put('ExportCSV', stockCsv(['3000000000017', 3]));
    const { exportId, plan } = await prepareStock();
    return { exportId, update: plan.update };
  };

  it('is confirmed by the shop’s deleting the file, and then known to the ledger', async () => {
    const { exportId, update } = await prepared();
    await expect(updateStock(exportId, update)).rejects.toThrow(/begun its import/);
    await expect(updateStock(exportId, update)).rejects.toThrow(/still there/);
    expect(world.shop.calls).toEqual(['updateStock']);
    expect(await readFile(join(world.ftpRoot, 'ExportCSVmod'))).toHaveLength(update.size);
    await unlink(join(world.ftpRoot, 'ExportCSVmod'));
    expect(await updateStock(exportId, update)).toMatchObject({ variants: 2 });
    expect((await test.ledger.appliedStock()).get('3000000000017')).toMatchObject({ quantity: 3 });
    expect(await updateStock(exportId, update)).toMatchObject({ variants: 2 });
    expect(world.shop.calls).toEqual(['updateStock']);
  });

  it.each([
    ['counts the new products as created', null, 0],
    [
      'has them asked for again when Proshop has written meanwhile: the shop may have read a part of its file',
      'Fournis',
      1,
    ],
  ])('that the shop begins %s', async (_what, written, stillOpen) => {
    await open();
    const { exportId, file } = await collectFresh(stockCsv(['3000000000017', 3]));
    await world.attempt((activities) => activities.createProducts({ file }));
    const { update } = await world.attempt((a) => a.prepareStock({ cycle: CYCLE, file }));
    if (written !== null) await world.put('ExportCSV', written);
    await expect(updateStock(exportId, update)).rejects.toThrow(/begun its import/);
    expect(await test.ledger.openModels()).toBe(stillOpen);
    await unlink(join(world.ftpRoot, 'ExportCSVmod'));
    await updateStock(exportId, update);
    expect(await test.ledger.openModels()).toBe(stillOpen);
  });

  it('leaves nothing behind when the shop is busy with another import', async () => {
    const { exportId, update } = await prepared();
    world.shop.updateStock = async () => 'Other import is running now';
    await expect(updateStock(exportId, update)).rejects.toThrow(failureType(FAILURE.shopBusy));
    expect(Object.keys(await world.files())).toEqual(['ExportCSV']);
    world.shop.updateStock = async () => 'Import started';
    await expect(updateStock(exportId, update)).rejects.toThrow(/begun its import/);
  });

  it('of a shop that stays busy is never taken for confirmed, whatever it is cut after', async () => {
    for (let cutAfter = 1; ; cutAfter++) {
      await world?.stop();
      await test.reset();
      const { exportId, update } = await prepared();
      world.shop.updateStock = async () => 'Other import is running now';
      world.scissors.arm(cutAfter);
      const attempts = [1, 2, 3];
      for (const _ of attempts) await expect(updateStock(exportId, update)).rejects.toThrow(/./);
      expect(await test.ledger.appliedStock()).toEqual(new Map());
      if (world.scissors.cut === null) break;
    }
  });

  it.each([
    ['too long ago', 121_000],
    ['in the future, because the clock was set back', -3_600_000],
  ])('is made again when it was prepared %s', async (_when, age) => {
    const { exportId, update } = await prepared();
    const old = new Date(Date.now() - age).toISOString();
    const late = world.attempt((activities) =>
      activities.updateStock({ cycle: CYCLE, exportId, update, lateOrdersAt: old }),
    );
    await expect(late).rejects.toThrow(failureType(FAILURE.planTooOld));
    expect(world.shop.calls).toEqual([]);
    expect(Object.keys(await world.files())).toEqual(['ExportCSV']);
  });

  it('is not taken back when the busy import may be its own: the call had no answer', async () => {
    const { exportId, update } = await prepared();
    stopTime();
    world.shop.updateStock = async () => 504;
    await expect(updateStock(exportId, update)).rejects.toThrow(/HTTP 504/);
    world.shop.updateStock = async () => 'Other import is running now';
    await expect(updateStock(exportId, update)).rejects.toThrow(/import goes on/);
    passTime(30_000);
    await expect(updateStock(exportId, update)).rejects.toThrow(/perhaps ours/);
    expect(Object.keys(await world.files())).toEqual(['ExportCSV', 'ExportCSVmod']);
    await unlink(join(world.ftpRoot, 'ExportCSVmod'));
    expect(await updateStock(exportId, update)).toMatchObject({ variants: 2 });
  });

  it('is not confirmed by a file that somebody removed before the shop was asked', async () => {
    const { exportId, update } = await prepared();
    world.shop.updateStock = async () => 503;
    await expect(updateStock(exportId, update)).rejects.toThrow(/HTTP 503/);
    await unlink(join(world.ftpRoot, 'ExportCSVmod'));
    await expect(updateStock(exportId, update)).rejects.toThrow(/somebody removed it/);
    expect(await test.ledger.appliedStock()).toEqual(new Map());
  });

  it('is taken back by the withdrawal, so that no old stock is ever applied', async () => {
    const { exportId, update } = await prepared();
    await expect(updateStock(exportId, update)).rejects.toThrow(/begun its import/);
    expect(await world.attempt((activities) => activities.withdrawStock())).toEqual({ withdrawn: 1 });
    expect(Object.keys(await world.files())).toEqual(['ExportCSV']);
    expect(await world.attempt((activities) => activities.withdrawStock())).toEqual({ withdrawn: 0 });
  });

  it('of an earlier cycle is taken back before the next one begins', async () => {
    const { exportId, update } = await prepared();
    await expect(updateStock(exportId, update)).rejects.toThrow(/begun its import/);
    const next = await world.attempt((activities) => activities.openCycle({ id: 'b', startedAt }));
    expect(next).toMatchObject({ withdrawn: 1, folder: '2026-11-24/10h25-b' });
    expect(Object.keys(await world.files())).toEqual(['ExportCSV']);
  });
});
