import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFailed, onTestFinished } from 'vitest';
import { copyBlankLedger } from '../../chaos/blank-ledger.ts';
import { writeConfiguration } from '../../sandbox/configuration.ts';
import { freePort } from '../../sandbox/free-port.ts';
import { judge } from '../../sandbox/judge.ts';
import { startSandbox } from '../../sandbox/sandbox.ts';
import { demoScenario, type OrderSeed } from '../../sandbox/scenario.ts';
import { AWAITING_BANK_WIRE, CANCELLED } from '../../sandbox/webservice/order-states.ts';
import type { Version } from '../../sandbox/webservice/site.ts';
import { followCycle, startCycle } from '../../src/run-cycle.ts';
import type { CycleReport } from '../../src/workflows/report.ts';
import { connectTo, startGatewayProcess, UNHURRIED } from '../support/gateway-process.ts';

// The gateway as `npm start` runs it, on a shop that it reaches by the simulated Webservice.

const open = async (version: Version) => {
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-webservice-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const scenario = demoScenario;
  const shop = { kind: 'webservice', version } as const;
  const sandbox = await startSandbox({ folder, halfHour: 15_000, scenario, held: true, shop });
  onTestFinished(() => sandbox.stop());
  const port = await freePort();
  const { path, environment } = await writeConfiguration(sandbox, {
    folder,
    scenario,
    overrides: {
      schedule: { cron: '0 0 1 1 *' },
      temporal: { port, uiPort: await freePort() },
      waits: UNHURRIED,
    },
  });
  await copyBlankLedger(join(folder, 'data', 'ledger'));
  const gateway = startGatewayProcess(path, environment);
  onTestFinished(async () => void (await gateway.end('SIGTERM')));
  let latest: CycleReport | undefined;
  // What a person would ask for first.
  onTestFailed(() => console.error(gateway.output(), JSON.stringify(latest)));
  await gateway.ready();
  const temporal = await connectTo(port);
  onTestFinished(() => temporal.close());
  const { webservice } = sandbox;
  if (webservice === undefined) throw new Error('Expected a Webservice, got none');

  return {
    sandbox,
    webservice,
    output: () => gateway.output(),
    archived: (report: CycleReport) => readdir(join(folder, 'data', 'archive', report.cycle.folder ?? '')),
    /** Runs the cycle of that minute. */
    cycle: async (minute: number, watch: (now: CycleReport) => void = () => undefined) => {
      sandbox.clock.go();
      await sandbox.clock.until(minute);
      const startedAt = sandbox.clock.time();
      const report = await followCycle(temporal.client, await startCycle(temporal.client), (now) => {
        latest = now;
        watch(now);
      });
      return { startedAt, report };
    },
    wrong: async (placedBefore: string) => {
      await sandbox.shop.settled();
      return judge(sandbox.truth(), { placedBefore }).checks.filter(({ ok }) => !ok);
    },
  };
};

const eanOf = (reference: string, size: string) =>
  demoScenario.products
    .find((product) => product.reference === reference)
    ?.variants.find((variant) => variant.size === size)?.ean ?? '';
const buy = (reference: string, size: string): OrderSeed => {
  const person = { firstname: 'Maëlys', lastname: 'Kerguelen' };
  return {
    customer: { ...person, email: 'maelys@example.com' },
    delivery: { ...person, address1: '2 quai', postcode: '29200', city: 'Brest', country: 'France' },
    payment: 'Carte bancaire',
    lines: [{ ean: eanOf(reference, size), quantity: 1 }],
  };
};

describe('the whole cycle on a shop that is reached by its Webservice', { timeout: 240_000 }, () => {
  it('carries the life of orders, and a stock that shoppers change while it is written', async () => {
    const { sandbox, webservice, output, archived, cycle, wrong } = await open('8.2');
    const { checkout } = webservice;
    const waiting = checkout.placeOrder(buy('TENNIS-ETE', '38'), { state: AWAITING_BANK_WIRE });
    const cancelled = checkout.placeOrder(buy('TENNIS-ETE', '38'));
    await sandbox.shop.settled();
    checkout.changeState(cancelled.id, CANCELLED);

    const first = await cycle(55);
    expect(first.report.outcome).toBe('complete');
    expect(await archived(first.report)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^orders-4101-.*\.jsonl$/), 'orders.xml', 'ExportCSV']),
    );
    expect(await wrong(first.startedAt)).toEqual([]);
    const taken = (id: number) => sandbox.truth().orders.find((order) => order.id === id)?.taken.length;
    expect([4101, waiting.id, cancelled.id].map(taken)).toEqual([1, 0, 0]);

    // The bank wire has come; another order is cancelled after Proshop has it.
    checkout.changeState(waiting.id, 2);
    checkout.changeState(4101, CANCELLED);
    let bought = 0;
    const second = await cycle(25, (now) => {
      const isWriting = now.steps.some(({ name, state }) => name === 'updateStock' && state === 'running');
      if (!isWriting || bought > 0) return;
      for (const size of ['36', '37', '40']) {
        checkout.placeOrder(buy('PAMPA-CREME', size));
        bought++;
      }
    });
    expect(second.report.outcome).toBe('complete');
    expect(second.report.alarms.map(({ kind }) => kind)).toContain('orders-to-take-back');
    expect(await wrong(second.startedAt)).toEqual([]);
    expect(bought).toBe(3);
    expect(taken(waiting.id)).toBe(1);
    const told = output() + JSON.stringify([first.report, second.report]);
    expect(told).not.toContain(webservice.key);
    expect(told).not.toMatch(/Kerguelen|Maëlys|maelys|2 quai/);
  });

  it('carries orders, products and stock with PrestaShop 1.7.8 and 9.1', async () => {
    for (const version of ['1.7.8', '9.1'] as const) {
      const { cycle, wrong } = await open(version);
      const { report, startedAt } = await cycle(55);
      const notDone = report.steps.filter(({ state }) => state !== 'done');
      expect({ version, notDone, wrong: await wrong(startedAt) }).toEqual({
        version,
        notDone: [],
        wrong: [],
      });
      expect(report.outcome).toBe('complete');
    }
  });
});
