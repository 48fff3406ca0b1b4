import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { SandboxOptions, Sandbox } from '../../sandbox/sandbox.ts';
import { startSandbox } from '../../sandbox/sandbox.ts';
import type { OrderSeed, Scenario } from '../../sandbox/scenario.ts';
import { ean13 } from '../../sandbox/scenario.ts';

const sizes = (prefix: string, stock: readonly number[]) =>
  stock.map((units, index) => ({ size: String(38 + index), ean: ean13(`${prefix}${index}`), stock: units }));

/** Two products in the shop, one model that only Proshop has, one gift voucher; after the :10 export, so that Proshop rests. */
export const smallScenario: Scenario = {
  start: '2026-11-24T11:12:30',
  products: [
    {
      supplier: 'Méphisto',
      material: 'Cuir',
      color: 'Café',
      reference: 'ALPHA',
      price: 8_990,
      inShop: true,
      variants: sizes('37000000001', [3, 0, 5]),
    },
    {
      supplier: 'Aigle',
      material: 'Toile',
      color: 'Écru',
      reference: 'BETA',
      price: 5_000,
      inShop: true,
      variants: sizes('37000000002', [2, 2]),
    },
    {
      supplier: 'Aigle',
      material: 'Laine',
      color: 'Noir',
      reference: 'GAMMA',
      price: 12_050,
      inShop: false,
      variants: sizes('37000000003', [1, 0]),
    },
  ],
  vouchers: [
    { reference: 'BON-50', name: 'Bon cadeau', ean: ean13('299000000050'), price: 5_000, stock: 100 },
  ],
  events: [],
};

export const [alpha38, alpha39, alpha40] = smallScenario.products[0]!.variants.map(
  (variant) => variant.ean,
) as [string, string, string];
export const [beta38, beta39] = smallScenario.products[1]!.variants.map((variant) => variant.ean) as [
  string,
  string,
];
export const [gamma38] = smallScenario.products[2]!.variants.map((variant) => variant.ean) as [string];

export const orderOf = (...lines: OrderSeed['lines']): OrderSeed => ({
  customer: { firstname: 'Zoé', lastname: "L'Hôte", email: 'zoe@example.com' },
  delivery: {
    firstname: 'Zoé',
    lastname: "L'Hôte",
    address1: 'Bât. "C"; escalier 2\n3e étage',
    postcode: '29000',
    city: 'Quimper',
    country: 'France',
  },
  payment: 'Carte bancaire',
  shipping: 490,
  lines,
});

/** Sandbox milliseconds. */
const MOMENTS = { exportOrders: 300, importProducts: 2_000, updateStock: 2_000, writing: 4_000 };

/** A new folder that goes when the test ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sandbox-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * Starts a sandbox that stops when the test ends. Its half hour lasts a real minute, and its clock stands still with the
 * process, so that Proshop, which rests for the first 17 of its minutes, does not meddle with the test on however slow a
 * machine; what it does is over in a moment.
 */
export async function open({ settings, ...options }: Partial<SandboxOptions> = {}): Promise<Sandbox> {
  const folder = await temporaryFolder();
  const sandbox = await startSandbox({
    folder,
    halfHour: 60_000,
    skipsStalls: true,
    scenario: smallScenario,
    settings: { ...settings, durations: { ...MOMENTS, ...settings?.durations } },
    ...options,
  });
  onTestFinished(() => sandbox.stop());
  return sandbox;
}

/** Looks every few milliseconds until it is so. */
export async function eventually(isSo: () => boolean): Promise<void> {
  for (let look = 0; !isSo(); look++) {
    if (look > 1_000) throw new Error('Expected it to be so within ten seconds');
    await sleep(10);
  }
}
