import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createActivities, type Activities, type Deps } from '../../src/activities/index.ts';
import { createArchive } from '../../src/archive.ts';
import { createDeps } from '../../src/worker.ts';
import { CYCLE, orderRow, ordersCsv, stockCsv } from '../support/files.ts';
import { onEach, REAL_SERVERS, SANDBOX_SERVER, standsAround } from '../support/ftp-servers.ts';
import { openTestPglite, type TestLedger } from '../support/ledgers.ts';
import { NO_CYCLES, NO_METRICS, startWorld, type AttemptNotes, type World } from '../support/world.ts';

// An attempt whose worker was taken for dead may wake up while another one is at work. However they interleave, Proshop
// gets each order once.

let test: TestLedger;
let world: World;
beforeAll(async () => {
  test = await openTestPglite();
});
afterAll(() => test.close());

/** Starts an attempt that falls asleep where `method` of the ledger would be called; gives what wakes it. */
function sleepwalk(
  method: keyof TestLedger['ledger'],
  run: (activities: Activities) => Promise<unknown> = (activities) =>
    activities.deliverOrders({ cycle: CYCLE }),
) {
  let wake = (): void => undefined;
  const awake = new Promise<void>((resolve) => {
    wake = resolve;
  });
  let fallAsleep = (): void => undefined;
  const asleep = new Promise<void>((resolve) => {
    fallAsleep = resolve;
  });
  const ledger = new Proxy(test.ledger, {
    get(target, key) {
      const original = Reflect.get(target, key) as (...parameters: unknown[]) => unknown;
      if (key !== method) return original;
      return async (...parameters: unknown[]) => {
        fallAsleep();
        await awake;
        return original(...parameters);
      };
    },
  });
  const { config, ftp, template } = world;
  const deps: Deps = createDeps(config, template, {
    ftp,
    ledger,
    archive: createArchive(config.archive.folder),
    cycles: NO_CYCLES,
    metrics: NO_METRICS,
  });
  const end = world
    .run(() => run(createActivities(deps)))
    .then(
      () => 'done',
      (error: Error) => error.message,
    );
  return { asleep, wake, end };
}

const taken = new Set<string>();
const takeSales = async () => {
  const folder = join(world.ftpRoot, 'import');
  for (const name of await readdir(folder)) {
    taken.add(name);
    await unlink(join(folder, name));
  }
};

onEach([SANDBOX_SERVER, ...REAL_SERVERS], (tested) => {
  const server = standsAround(tested);
  beforeEach(async () => {
    await test.reset();
    world = await startWorld(test.ledger, undefined, server());
    await world.put('export/commandes', ordersCsv(orderRow(1), orderRow(2)));
    await world.attempt((activities) => activities.exportOrders({ cycle: CYCLE, step: 1 }));
  });
  afterEach(() => world.stop());

  it('two attempts that find the same cut upload publish its orders once', async () => {
    taken.clear();
    const deliver = () => world.attempt((activities) => activities.deliverOrders({ cycle: CYCLE }));
    // Cut after the upload: the file is whole, but nobody may know.
    world.scissors.arm(5);
    await expect(deliver()).rejects.toThrow('cut after upload');
    const zombie = sleepwalk('abandonDelivery');
    await zombie.asleep;
    // Another attempt gives the delivery up, and is cut before it has removed the file.
    world.scissors.arm(1);
    await expect(deliver()).rejects.toThrow('cut after abandonDelivery');
    zombie.wake();
    await zombie.end;
    await takeSales();
    await deliver();
    await takeSales();
    expect(taken.size).toBe(1);
  });

  it('a stock update is not confirmed by an attempt that slept while it was taken back', async () => {
    await world.put('ExportCSV', stockCsv(['3000000000017', 3]));
    const notes: AttemptNotes = { details: undefined };
    const collect = () => world.attempt((a) => a.collectStock({ cycle: CYCLE, standing: null }), notes);
    await expect(collect()).rejects.toThrow(/being written/);
    const { exportId, file } = await collect();
    const { update } = await world.attempt((a) => a.prepareStock({ cycle: CYCLE, file }));
    const input = { cycle: CYCLE, exportId, update, lateOrdersAt: new Date().toISOString() };
    await expect(world.attempt((a) => a.updateStock(input))).rejects.toThrow(/begun its import/);
    await unlink(join(world.ftpRoot, 'ExportCSVmod'));
    const zombie = sleepwalk('markTaken', (a) => a.updateStock(input));
    await zombie.asleep;
    expect(await world.attempt((a) => a.withdrawStock())).toEqual({ withdrawn: 1 });
    zombie.wake();
    expect(await zombie.end).toMatch(/taken back meanwhile/);
    expect(await test.ledger.appliedStock()).toEqual(new Map());
  });

  it.each(['startDelivery', 'markUploaded', 'markPublished'] as const)(
    'a delivery that slept before %s does not send its orders a second time',
    async (method) => {
      taken.clear();
      const zombie = sleepwalk(method);
      await zombie.asleep;
      expect(await world.attempt((activities) => activities.deliverOrders({ cycle: CYCLE }))).toMatchObject({
        orders: 2,
      });
      await takeSales();
      zombie.wake();
      await zombie.end;
      await takeSales();
      expect(taken.size).toBe(1);
      await world.attempt((activities) => activities.deliverOrders({ cycle: CYCLE }));
      await takeSales();
      expect(taken.size).toBe(1);
      expect(Object.keys(await world.files()).filter((path) => path.startsWith('import/'))).toEqual([]);
    },
  );
});
