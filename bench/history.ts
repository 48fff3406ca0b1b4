// How large a cycle's history is in Temporal, by the number of orders that it carried.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSandbox } from '../sandbox/sandbox.ts';
import { randomScenario, type OrderSeed } from '../sandbox/scenario.ts';
import { followCycle, startCycle } from '../src/run-cycle.ts';
import { startGatewayOn } from './gateway.ts';

export interface HistorySize {
  readonly orders: number;
  readonly outcome: string;
  readonly events: number;
  readonly bytes: number;
  /** Milliseconds of the steps that depend on the orders: 1, 2 and 6. */
  readonly exported: number;
  readonly delivered: number;
}

/** Runs a whole cycle with so many orders, against the sandbox, after one that made the products known. */
export async function measureHistory(orders: number): Promise<HistorySize> {
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-history-'));
  const drawn = randomScenario(1, { products: 50, orders: 0, lateOrders: 0 });
  // Enough of everything that no order is refused.
  const products = drawn.products.map((product) => ({
    ...product,
    inShop: true,
    variants: product.variants.map((variant) => ({ ...variant, stock: 100_000 })),
  }));
  const scenario = { ...drawn, products, events: [] };
  const sandbox = await startSandbox({ folder, halfHour: 12_000, scenario, held: true });
  const gateway = await startGatewayOn(sandbox, {
    folder,
    scenario,
    overrides: {
      shop: { timeout: '60s' },
      waits: { attempt: '60s', exportOrders: '120s', deliverOrders: '120s', ordersTaken: '60s' },
    },
  });
  try {
    sandbox.clock.go();
    await sandbox.clock.until(55);
    await followCycle(gateway.client, await startCycle(gateway.client), () => undefined);
    for (let placed = 0; placed < orders; placed++) sandbox.placeOrder(anOrder(products, placed));
    await sandbox.clock.until(25);
    const run = await startCycle(gateway.client);
    const report = await followCycle(gateway.client, run, () => undefined);
    const { raw } = await gateway.client.workflow.getHandle(run.workflowId, run.runId).describe();
    const took = (number: number) => {
      const { startedAt, endedAt } = report.steps[number - 1] ?? {};
      return Date.parse(endedAt ?? '') - Date.parse(startedAt ?? '');
    };
    return {
      orders,
      outcome: report.outcome,
      events: Number(raw.workflowExecutionInfo?.historyLength),
      bytes: Number(raw.workflowExecutionInfo?.historySizeBytes),
      exported: took(1),
      delivered: took(2),
    };
  } finally {
    await gateway.stop();
  }
}

function anOrder(products: readonly { variants: readonly { ean: string }[] }[], index: number): OrderSeed {
  const product = products[index % products.length];
  const variant = product?.variants[index % product.variants.length];
  const person = { firstname: 'Zoé', lastname: 'Lefèvre' };
  return {
    customer: { ...person, email: 'zoe@example.org' },
    delivery: { ...person, address1: '1 rue du Bac', postcode: '75007', city: 'Paris', country: 'France' },
    payment: 'Carte bancaire',
    shipping: 0,
    lines: [{ ean: variant?.ean ?? '', quantity: 1 }],
  };
}
