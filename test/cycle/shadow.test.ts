import { once } from 'node:events';
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, type TestContext } from 'vitest';
import { copyBlankLedger } from '../../chaos/blank-ledger.ts';
import { writeConfiguration } from '../../sandbox/configuration.ts';
import { freePort } from '../../sandbox/free-port.ts';
import { startFtpProxy } from '../../sandbox/ftp-proxy.ts';
import { judgeOrders } from '../../sandbox/judge-orders.ts';
import { startOldGateway } from '../../sandbox/old-gateway.ts';
import type { OldGaps } from '../../sandbox/old-gateway/gaps.ts';
import { startSandbox, type SandboxOptions } from '../../sandbox/sandbox.ts';
import { demoScenario, type OrderSeed, type Scenario } from '../../sandbox/scenario.ts';
import type { ShadowSalesResult } from '../../src/activities/shadow-sales.ts';
import type { ShadowStockResult } from '../../src/activities/shadow-stock.ts';
import { createOperator } from '../../src/operator.ts';
import { followCycle, startCycle } from '../../src/run-cycle.ts';
import type { CycleReport, StepName } from '../../src/workflows/report.ts';
import {
  connectTo,
  startGatewayProcess,
  UNHURRIED,
  type GatewayProcess,
} from '../support/gateway-process.ts';

// Passerelle beside the old gateway, on one shop, one Proshop and one FTP server; then in its place; then away again.

const WRITES = ['STOR', 'APPE', 'STOU', 'RNFR', 'RNTO', 'DELE', 'MKD', 'RMD', 'SITE', 'MFMT'];

const [, , TACKLAND] = demoScenario.products;
/** A hundred years later: its orders are placed after passerelle's first look, as an order that is missed must be. */
const LATER = JSON.parse(JSON.stringify(demoScenario).replaceAll('"2026-', '"2126-')) as Scenario;
const scenario: Scenario = {
  ...LATER,
  // Between the second export of the first cycle and the first of the next.
  events: [...LATER.events, { at: '2126-11-24T11:22', order: newOrder() }],
};

async function open(
  { onTestFailed, onTestFinished }: TestContext,
  gaps: Partial<OldGaps>,
  settings: SandboxOptions['settings'] = {},
  waits: Readonly<Record<string, string>> = UNHURRIED,
) {
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-shadow-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const sandbox = await startSandbox({
    folder,
    halfHour: 24_000,
    scenario,
    held: true,
    settings,
  });
  onTestFinished(() => sandbox.stop());
  const old = startOldGateway(sandbox, { folder: join(folder, 'passerellepy'), gaps });
  onTestFinished(() => old.stop());
  const proxy = await startFtpProxy(sandbox.ftp);
  onTestFinished(() => proxy.stop());
  const calls: string[] = [];
  const shop = createServer(({ url = '' }, response) => {
    calls.push(url);
    response.end();
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void shop.close());
  await once(shop, 'listening');
  const shopUrl = `http://127.0.0.1:${(shop.address() as AddressInfo).port}/`;
  const port = await freePort();
  const uiPort = await freePort();
  let gateway: GatewayProcess | undefined;
  onTestFinished(async () => void (await gateway?.end('SIGTERM')));
  onTestFailed(() => console.error(gateway?.output()));

  let temporal: Awaited<ReturnType<typeof connectTo>> | undefined;
  onTestFinished(() => temporal?.close());
  const client = () => {
    if (temporal === undefined) throw new Error('Expected passerelle to be deployed, got nothing');
    return temporal.client;
  };
  return {
    sandbox,
    old,
    operator: () => createOperator(client()),
    /** What passerelle's connections have asked of the FTP server that changes something there. */
    writes: () => proxy.commands.filter((verb) => WRITES.includes(verb)),
    /** Cron URLs that a shadow called. */
    calls,
    deploy: async (mode: 'shadow' | 'live') => {
      await gateway?.end('SIGTERM');
      const { path, environment } = await writeConfiguration(sandbox, {
        folder,
        scenario,
        overrides: {
          mode,
          // Bounds: where there are orders, nothing waits for so long.
          shadow: { look: '30ms', orders: '6s', sales: '12s' },
          schedule: { cron: '0 0 1 1 *' },
          temporal: { port, uiPort },
          ftp: { port: proxy.port },
          waits,
        },
      });
      if (gateway === undefined) await copyBlankLedger(join(folder, 'data', 'ledger'));
      const urls = Object.keys(environment).filter((name) => name.endsWith('_URL'));
      gateway = startGatewayProcess(path, {
        ...environment,
        ...(mode === 'shadow' ? Object.fromEntries(urls.map((name) => [name, shopUrl])) : {}),
      });
      await gateway.ready();
      await temporal?.close();
      temporal = await connectTo(port);
      // What stands at the first look may be old.
      const looks = () => proxy.commands.filter((verb) => verb === 'SIZE').length;
      const wanted = mode === 'shadow' ? looks() + 2 : 0;
      while (looks() < wanted) await sleep(20);
    },
    cycle: async (minute: number): Promise<CycleReport> => {
      await sandbox.clock.until(minute);
      return followCycle(client(), await startCycle(client()), () => undefined);
    },
    /** Adds the orders that passerelle itself has sent since the switch to the old script's list of what is sent. */
    tellOldGateway: async () => {
      // All that it ever sent: none before the switch.
      const { orders } = await createOperator(client()).ordersSent('2000-01-01');
      await appendFile(
        join(folder, 'passerellepy', 'commandes_envoyees.txt'),
        orders.map((number) => `${number}\r\n`).join(''),
      );
      return orders;
    },
  };
}

const factsOf = (report: CycleReport, wanted: StepName) =>
  report.steps.find(({ name }) => name === wanted)?.facts;
const salesOf = (report: CycleReport) => (factsOf(report, 'deliverOrders') as ShadowSalesResult).comparison;
const stockOf = (report: CycleReport) => (factsOf(report, 'prepareStock') as ShadowStockResult).comparison;
const wrong = (checks: ReturnType<typeof judgeOrders>) => checks.filter(({ ok }) => !ok);

// They wait for the clock most of the time.
describe.concurrent('beside the old gateway, passerelle', { timeout: 900_000 }, () => {
  it('compares without touching anything, takes over without an order too many or too few, and goes away again', async (context) => {
    const { sandbox, old, operator, writes, calls, deploy, cycle, tellOldGateway } = await open(
      context,
      {},
      { notExported: false },
    );
    await deploy('shadow');
    sandbox.clock.go();

    const first = await cycle(55);
    const second = await cycle(25);
    for (const report of [first, second]) {
      expect(report.alarms.filter(({ kind }) => kind === 'shadow-differs')).toEqual([]);
      expect(salesOf(report)).toMatchObject({ different: 0, doubted: 0 });
      expect(stockOf(report)).toMatchObject({ unexplained: 0 });
      expect(report.outcome).toBe('complete');
    }
    expect(salesOf(first).identical).toBeGreaterThan(2);
    expect(salesOf(second).identical).toBeGreaterThan(0);
    // The late orders' products: left out whole by the old script, subtracted by passerelle.
    expect(stockOf(first).disagreements.map(({ rule }) => rule)).toContain('removed');
    expect([writes(), calls]).toEqual([[], []]);
    expect(old.runs.filter(({ died }) => died !== null)).toEqual([]);
    expect(await operator().status()).toMatchObject({ schedule: { mode: 'shadow' } });

    // The day of the switch.
    await old.pause();
    await deploy('live');
    const third = await cycle(55);
    expect(third.outcome).toBe('complete');
    expect(wrong(judgeOrders(sandbox.truth(), undefined))).toEqual([]);
    expect(await operator().status()).toMatchObject({ schedule: { mode: 'live' } });

    const placed = sandbox.placeOrder(newOrder());
    const fourth = await cycle(25);
    expect(fourth.outcome).toBe('complete');
    expect(factsOf(fourth, 'deliverOrders')).toMatchObject({ orderIds: [placed] });

    // Back to the old gateway.
    await operator().pause('retour à l’ancienne passerelle');
    expect(await tellOldGateway()).toEqual([placed]);
    const after = sandbox.placeOrder(newOrder());
    old.resume();
    await old.next('exportOrders');
    await old.next('test9_xml');
    await sandbox.clock.until(2);
    const truth = sandbox.truth();
    expect(wrong(judgeOrders(truth, undefined))).toEqual([]);
    expect(truth.orders.find(({ id }) => id === after)?.taken).toHaveLength(1);
  });

  it('tells what the old gateway missed or lost, and sends it after the switch', async (context) => {
    const missed = 4102;
    // The module writes each order once: those of the second export are lost when the next overwrites them.
    const { sandbox, old, writes, deploy, cycle } = await open(context, {
      misses: (order) => order === missed,
    });
    await deploy('shadow');
    sandbox.clock.go();

    const first = await cycle(55);
    expect(salesOf(first)).toMatchObject({ different: 1, missed: [missed], late: [] });
    expect(first.outcome).toBe('degraded');
    const second = await cycle(25);
    const lost = salesOf(second).late;
    expect(lost.length).toBeGreaterThan(0);
    expect(salesOf(second)).toMatchObject({ different: 0, missed: [] });
    expect(stockOf(second)).toMatchObject({ unexplained: 0 });
    expect(writes()).toEqual([]);

    await old.pause();
    await deploy('live');
    const third = await cycle(55);
    expect(third.outcome).toBe('complete');
    expect(factsOf(third, 'deliverOrders')).toMatchObject({ orderIds: [missed, ...lost] });
    expect(wrong(judgeOrders(sandbox.truth(), undefined))).toEqual([]);
  });

  it('leaves to a person what the old gateway may have lost: Proshop passed by, and the next file took its place', async (context) => {
    const { sandbox, old, operator, writes, deploy, cycle } = await open(
      context,
      { overwrites: true },
      { notExported: false },
      // Proshop will not come.
      { ...UNHURRIED, ordersTaken: '10s' },
    );
    await deploy('shadow');
    sandbox.proshop.skipImports(1);
    sandbox.clock.go();

    const first = await cycle(55);
    expect(salesOf(first)).toMatchObject({ different: 0, doubted: 0 });
    const passedBy = salesOf(first).identical;
    expect(passedBy).toBeGreaterThan(2);
    expect(first.steps.find(({ name }) => name === 'awaitOrdersTaken')).toMatchObject({ state: 'failed' });
    const second = await cycle(25);
    expect(salesOf(second)).toMatchObject({ different: 0, doubted: passedBy });
    expect(writes()).toEqual([]);

    await old.pause();
    await deploy('live');
    const third = await cycle(55);
    expect(factsOf(third, 'deliverOrders')).toMatchObject({ orders: 0 });
    const lost = sandbox
      .truth()
      .orders.filter(
        ({ taken, enteredByHandAt, readable, paidByVoucher }) =>
          taken.length === 0 && enteredByHandAt === null && readable && !paidByVoucher,
      );
    const { setAside } = await operator().orders();
    expect(setAside.first.map(({ id }) => id)).toEqual(expect.arrayContaining(lost.map(({ id }) => id)));
    expect(lost).toHaveLength(passedBy);
  });
});

/** An order of a pair of which the shop has several. */
function newOrder(): OrderSeed {
  const [event] = demoScenario.events.filter((one) => 'order' in one);
  const ean = TACKLAND?.variants[2]?.ean;
  if (event === undefined || ean === undefined) throw new Error('Expected an order in the demo, got none');
  return { ...event.order, lines: [{ ean, quantity: 1 }] };
}
