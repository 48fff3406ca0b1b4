import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createActivities, type Deps } from '../../src/activities/index.ts';
import { createArchive } from '../../src/archive.ts';
import { createDeps } from '../../src/worker.ts';
import { CYCLE, orderRow, ordersCsv } from '../support/files.ts';
import { LEDGERS, type TestLedger } from '../support/ledgers.ts';
import { startWorld, type World } from '../support/world.ts';

// An attempt whose worker was taken for dead may wake up while another one is at work. However they interleave, Proshop
// gets each order once.

const [database] = LEDGERS;
let test: TestLedger;
let world: World;
beforeAll(async () => {
  if (database === undefined) throw new Error('no ledger to test on');
  test = await database.open();
});
afterAll(() => test.close());
beforeEach(async () => {
  await test.reset();
  world = await startWorld(test.ledger);
  await world.put('export/commandes', ordersCsv(orderRow(1), orderRow(2)));
  await world.attempt((activities) => activities.exportOrders({ cycle: CYCLE, step: 1 }));
});
afterEach(() => world.stop());

/** Starts a delivery that falls asleep where `method` of the ledger would be called; gives what wakes it. */
function sleepwalk(method: 'startDelivery' | 'markUploaded' | 'markPublished' | 'abandonDelivery') {
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
  });
  const end = world
    .run(() => createActivities(deps).deliverOrders({ cycle: CYCLE }))
    .then(
      () => 'delivered',
      (error: Error) => error.message,
    );
  return { asleep, wake, end };
}

it('two attempts that find the same cut upload publish its orders once', async () => {
  taken.clear();
  const deliver = () => world.attempt((activities) => activities.deliverOrders({ cycle: CYCLE }));
  // Cut after the upload: its file is whole, and nobody may know.
  world.scissors.arm(4);
  await expect(deliver()).rejects.toThrow('cut after upload');
  const zombie = sleepwalk('abandonDelivery');
  await zombie.asleep;
  expect(await deliver()).toMatchObject({ orders: 2 });
  await takeSales();
  zombie.wake();
  await zombie.end;
  await deliver();
  await takeSales();
  expect(taken.size).toBe(1);
  expect(Object.keys(await world.files()).filter((path) => path.endsWith('.tmp'))).toEqual([]);
});

const taken = new Set<string>();
const takeSales = async () => {
  const folder = join(world.ftpRoot, 'import');
  for (const name of await readdir(folder)) {
    taken.add(name);
    await unlink(join(folder, name));
  }
};

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
