import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startClock } from '../../sandbox/clock.ts';
import { writeConfiguration } from '../../sandbox/configuration.ts';
import { withFtp } from '../../sandbox/ftp-access.ts';
import { startFtpServer } from '../../sandbox/ftp-server.ts';
import { startSandbox } from '../../sandbox/sandbox.ts';
import { demoScenario, randomScenario } from '../../sandbox/scenario.ts';
import { loadConfig, type ModulesConfig } from '../../src/config.ts';
import { alpha38, open, orderOf, smallScenario, temporaryFolder } from './small-shop.ts';

describe('the clock', () => {
  it('stands still until it is let go, then runs at its scale', async () => {
    const clock = startClock({ halfHour: 600_000, start: '2026-11-24T10:59:59', held: true });
    expect([clock.scale, clock.time()]).toEqual([3, '2026-11-24T10:59:59.000']);
    const reached = clock.until(0);
    clock.go();
    await reached;
    expect(clock.time()).toMatch(/^2026-11-24T11:0[0-3]/);
  });

  it.each([
    [true, 0, 500],
    [false, 990, Infinity],
  ])('stands still while its process does, if it is told so: %s', async (skipsStalls, least, most) => {
    const clock = startClock({ halfHour: 1_800_000, start: '2026-11-24T10:54:30', skipsStalls });
    onTestFinished(() => clock.stop());
    const before = clock.now().getTime();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000);
    const passed = clock.now().getTime() - before;
    expect(passed).toBeGreaterThanOrEqual(least);
    expect(passed).toBeLessThan(most);
    // It goes on.
    await clock.pass(100);
    expect(clock.now().getTime() - before - passed).toBeGreaterThanOrEqual(100);
  });

  it('ends every wait when it is stopped', async () => {
    const clock = startClock({ halfHour: 1_000_000, start: '2026-11-24T10:54:30' });
    const waits = [clock.until(0), clock.pass(3_600_000), clock.reach('2027-01-01T00:00')];
    clock.stop();
    for (const wait of await Promise.allSettled(waits)) {
      expect(wait).toMatchObject({ status: 'rejected', reason: { name: 'AbortError' } });
    }
    await expect(clock.pass(0)).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('the sandbox', () => {
  it('lets only its own user into the FTP', async () => {
    const sandbox = await open();
    const enter = (password: string) => withFtp({ ...sandbox.ftp, password }, (client) => client.list('/'));
    await expect(enter('wrong')).rejects.toMatchObject({ code: 530 });
    expect((await enter(sandbox.ftp.password)).map((file) => file.name)).toEqual(['export', 'import']);
  });

  it('leaves the signals of the process alone', async () => {
    const before = process.listenerCount('SIGTERM');
    await open();
    expect(process.listenerCount('SIGTERM')).toBe(before);
  });

  it('uses an FTP server that runs already', async () => {
    const first = await open({ held: true });
    const second = await open({ ftp: first.ftp });
    second.placeOrder(orderOf({ ean: alpha38, quantity: 1 }));
    await fetch(second.urls.exportOrders);
    expect(first.truth().files).toEqual(['/export/commandes']);
  });

  it('outlives an FTP server that goes away and comes back', async () => {
    const root = join(await temporaryFolder(), 'ftp');
    const server = { root, user: 'boutique', password: 'x' };
    const first = await startFtpServer(server);
    const sandbox = await open({ ftp: first });
    await first.stop();
    await sandbox.proshop.importSales();
    await sandbox.proshop.exportStock();
    sandbox.placeOrder(orderOf({ ean: alpha38, quantity: 1 }));
    expect(await (await fetch(sandbox.urls.exportOrders)).text()).toContain('not uploaded');
    expect(sandbox.truth().faults.map((fault) => fault.kind)).toEqual(Array(3).fill('ftp trouble'));
    expect(sandbox.truth().exports[0]).toMatchObject({ finishedAt: null, damage: 'cut' });

    const second = await startFtpServer({ ...server, port: first.port });
    onTestFinished(() => second.stop());
    await sandbox.proshop.exportStock();
    await fetch(sandbox.urls.exportOrders);
    expect(sandbox.truth().files).toEqual(['/ExportCSV', '/export/commandes']);
    await sandbox.stop();
  });

  it('stops at once in the middle of everything, and leaves the truth as a file', async () => {
    const folder = await temporaryFolder();
    // What is stopped would last for minutes.
    const sandbox = await startSandbox({ folder, halfHour: 6_000_000, scenario: smallScenario });
    sandbox.placeOrder(orderOf({ ean: alpha38, quantity: 1 }));
    const running = [
      sandbox.proshop.exportStock(),
      fetch(sandbox.urls.importProducts).catch(() => undefined),
      fetch(sandbox.urls.exportOrders).catch(() => undefined),
    ];
    const start = performance.now();
    await sandbox.stop();
    await Promise.allSettled(running);
    expect(performance.now() - start).toBeLessThan(30_000);
    expect(JSON.parse(await readFile(join(folder, 'truth.json'), 'utf8'))).toMatchObject({
      orders: [{ id: 4101 }],
    });
  });

  it('has sold and exported before the start what the scenario says', async () => {
    const sandbox = await open({ scenario: demoScenario, held: true });
    const truth = sandbox.truth();
    expect(truth.orders.map((order) => order.id)).toEqual([4101, 4102, 4103, 4104, 4105, 4106]);
    expect(truth.exports).toEqual([expect.objectContaining({ finishedAt: '2026-11-24T10:40:00.000' })]);
    expect(truth.files).toEqual(['/ExportCSV']);
  });
});

describe('the configuration', () => {
  it('is one that passerelle accepts, its waits scaled by the clock', async () => {
    const sandbox = await open({ scenario: demoScenario, halfHour: 90_000, held: true });
    const { path, environment } = await writeConfiguration(sandbox, {
      folder: await temporaryFolder(),
      scenario: demoScenario,
      overrides: { temporal: { port: 7399 }, gate: { firstRun: 'hold' } },
    });
    const config = loadConfig(path, environment);
    expect(config.ftp.password.reveal()).toBe(sandbox.ftp.password);
    const { updateStock } = config.shop as ModulesConfig;
    expect(updateStock.reveal()).toBe(sandbox.urls.updateStock);
    expect(config.waits).toMatchObject({ look: 750, stockExport: 60_000 });
    expect(config.gate).toEqual({ firstRun: 'hold', rowsDown: 30, unitsDown: 30, toZero: 20 });
    expect(config.temporal.port).toBe(7_399);
    expect(await readFile(path, 'utf8')).not.toContain(sandbox.ftp.password);
  });
});

describe('a scenario', () => {
  it('is the same for the same seed', () => {
    expect(randomScenario(7)).toEqual(randomScenario(7));
    expect(randomScenario(7)).not.toEqual(randomScenario(8));
  });

  it.each([
    ['the demo', demoScenario],
    ['a random one', randomScenario(1, { products: 200, orders: 300, lateOrders: 20 })],
  ])('has gencods with right check digits, each once: %s', (_name, scenario) => {
    const eans = [
      ...scenario.products.flatMap((product) => product.variants.map((variant) => variant.ean)),
      ...scenario.vouchers.map((voucher) => voucher.ean),
    ];
    expect(new Set(eans).size).toBe(eans.length);
    for (const ean of eans) {
      const sum = Array.from(ean, Number).reduce(
        (total, digit, index) => total + digit * (index % 2 ? 3 : 1),
        0,
      );
      expect([ean.length, sum % 10]).toEqual([13, 0]);
    }
  });

  it('draws only orders that the shop can serve', async () => {
    const sandbox = await open({ scenario: randomScenario(3, { products: 60, orders: 40 }), held: true });
    expect(sandbox.truth().orders.length).toBeGreaterThan(30);
  });
});
