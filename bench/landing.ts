// How long it takes from a new ExportCSV to a shop that shows it, with the waits that passerelle has by itself.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startSandbox } from '../sandbox/sandbox.ts';
import type { Scenario } from '../sandbox/scenario.ts';
import { followCycle, startCycle } from '../src/run-cycle.ts';
import { eanOf } from './files.ts';
import { startGatewayOn } from './gateway.ts';
import { PACE_OF_A_SHOP } from './pace.ts';

export interface Landing {
  readonly outcome: string;
  /** Milliseconds from the upload's end to the end of the last write of stock, and to the end of the cycle. */
  readonly right: number;
  readonly over: number;
}

const HALF_HOUR = 30 * 60_000;

/** Runs two whole cycles on the simulated Webservice at a real shop's pace: the second one has `changed` figures to write. */
export async function measureLanding(variants: number, changed: number): Promise<Landing> {
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-landing-'));
  const scenario = fullShop(variants);
  const shop = { kind: 'webservice', version: '8.2', serviceTime: PACE_OF_A_SHOP } as const;
  // At the pace of the real clock, which is held: Proshop writes when it is told.
  const sandbox = await startSandbox({ folder, halfHour: HALF_HOUR, scenario, held: true, shop });
  const overrides = { waits: { look: '10s' } };
  const gateway = await startGatewayOn(sandbox, { folder, scenario, overrides });
  const cycle = async () => {
    let landed: Promise<number> | undefined;
    const land = async () => {
      // Anywhere between two looks.
      await sleep(4_000);
      await sandbox.proshop.exportStockAtOnce(sandbox.clock.time());
      return performance.now();
    };
    const report = await followCycle(gateway.client, await startCycle(gateway.client), ({ steps }) => {
      if (steps.some(({ name, state }) => name === 'collectStock' && state === 'running')) landed ??= land();
    });
    return { outcome: report.outcome, landed: (await landed) ?? NaN, over: performance.now() };
  };
  try {
    await cycle();
    for (let index = 0; index < variants; index += variants / changed)
      sandbox.proshop.sellInStore(eanOf(index), 1);
    const { outcome, landed, over } = await cycle();
    const writes = sandbox.webservice?.server.requests.filter(
      ({ method, resource }) => method === 'PUT' && resource === 'stock_availables',
    );
    const wrong = sandbox.truth().variants.filter(({ shop: shown, proshop }) => shown !== proshop);
    if (wrong.length > 0)
      throw new Error(`Expected a shop that is right, got ${wrong.length} wrong variants`);
    return { outcome, right: (writes?.at(-1)?.end ?? NaN) - landed, over: over - landed };
  } finally {
    await gateway.stop();
  }
}

function fullShop(variants: number): Scenario {
  const products = Array.from({ length: variants / 8 }, (_, model) => ({
    supplier: `Fournisseur ${model % 30}`,
    material: 'Cuir',
    color: 'Noir',
    reference: `MOD${model}`,
    price: 5_990,
    inShop: true,
    variants: Array.from({ length: 8 }, (_size, size) => ({
      size: `${36 + size}`,
      ean: eanOf(model * 8 + size),
      stock: 5,
    })),
  }));
  return { start: '2026-11-24T10:54:30', products, vouchers: [], events: [] };
}
