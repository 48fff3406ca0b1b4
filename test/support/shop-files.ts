import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { parse, stringify } from 'yaml';
import type { ScaledClock } from '../../sandbox/clock.ts';
import { ORDER_COLUMNS, STOCK_COLUMNS } from '../../sandbox/configuration.ts';
import { openModulesShop } from '../../sandbox/modules-shop.ts';
import { ordersCsv } from '../../sandbox/order-export.ts';
import type { Scenario } from '../../sandbox/scenario.ts';
import { loadConfig, type Config } from '../../src/config.ts';
import type { OrdersFormat } from '../../src/domain/order-csv.ts';
import type { VoucherRule } from '../../src/domain/order.ts';
import { readTemplate, salesXml } from '../../src/domain/sales-xml.ts';
import type { StockFormat } from '../../src/domain/stock-csv.ts';
import { readSentOrders } from '../../src/format/check-sales.ts';

// The files that a shop has: what its modules write, and what the old script made of them.

const ROOT = join(import.meta.dirname, '../..');

/** How the sandbox's shop writes its orders. */
export const SHOP_ORDERS: OrdersFormat = {
  file: { encoding: 'utf-8', delimiter: ';', quote: '"', decimalMark: '.' },
  finalLineBreak: 'required',
  columns: ORDER_COLUMNS,
};
export const SHOP_STOCK: StockFormat = {
  file: { encoding: 'windows-1252', delimiter: ';', quote: '"', decimalMark: ',' },
  columns: STOCK_COLUMNS,
  store: '008',
};
export const SHOP_VOUCHER: VoucherRule = { payments: ['*bon cadeau*'], paymentModules: [], codes: ['BC-*'] };

export const SHOP_TEMPLATE = readFileSync(join(ROOT, 'sandbox/sales-template.xml'), 'utf8');

/** The orders of a scenario, as the module Order Export writes them. */
export function ordersFileOf(scenario: Scenario): Buffer {
  const shop = openModulesShop(scenario, {} as ScaledClock);
  for (const event of scenario.events) {
    if ('order' in event) shop.placeOrder(event.order, `${event.at}:00`.slice(0, 19));
  }
  return Buffer.from(ordersCsv(shop.orders, { delimiter: ';', productsInLines: true }));
}

/** What the old script sent for an orders file, had it worked by this template. */
export function sentFor(csv: Uint8Array, template: string, createdAt = '2026-11-24 10:57:03'): Buffer {
  const { orders } = readSentOrders({ name: 'commandes', bytes: csv }, SHOP_ORDERS, SHOP_VOUCHER);
  const units = orders.flatMap(({ lines }) => lines).reduce((sum, { quantity }) => sum + quantity, 0);
  const facts = { createdAt, orders: orders.length, units };
  return Buffer.concat([...salesXml(readTemplate(template, 'old.xml'), orders, facts)]);
}

/** A folder that is gone after the test. */
export async function folderForTest(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-format-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The example's configuration with other settings in some of its sections; written into the folder. */
export async function writeExample(
  folder: string,
  sections: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
): Promise<string> {
  const settings = parse(await readFile(join(ROOT, 'passerelle.example.yaml'), 'utf8')) as Record<
    string,
    Record<string, unknown>
  >;
  for (const [name, values] of Object.entries(sections)) settings[name] = { ...settings[name], ...values };
  const path = join(folder, 'passerelle.yaml');
  await writeFile(path, stringify(settings));
  return path;
}

/** The configuration that a proposed section makes of the example. */
export async function configured(section: string): Promise<Config> {
  const sections = parse(section) as Record<string, Record<string, unknown>>;
  return loadConfig(await writeExample(await folderForTest(), sections), {
    FTP_PASSWORD: 'password',
    SHOP_EXPORT_ORDERS_URL: 'http://shop.example/export',
    SHOP_IMPORT_PRODUCTS_URL: 'http://shop.example/import',
    SHOP_UPDATE_STOCK_URL: 'http://shop.example/update',
  });
}
