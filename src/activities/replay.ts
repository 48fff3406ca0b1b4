import { gunzipSync } from 'node:zlib';
import { readOrders } from '../domain/order-csv.ts';
import type { Order } from '../domain/order.ts';
import { readStock } from '../domain/stock-csv.ts';
import { stockUpdate } from '../domain/stock-plan.ts';
import { refused } from '../failures.ts';
import type { CycleReport } from '../workflows/report.ts';
import { renderSales, SALES_INPUTS_FILE, type SalesInputs } from './deliver-orders.ts';
import { EXAMPLES, type Deps } from './deps.ts';
import type { PrepareStockResult } from './prepare-stock.ts';
import { INPUTS_FILE, unpackInputs } from './stock-inputs.ts';
import { weighStock } from './weigh-stock.ts';

export interface ReplayInput {
  /** The cycle's folder in the archive or its beginning: `2026-11-24/10h25`. */
  readonly cycle: string;
}

/** What is compared, and what differs now. Lists are cut after 20. No customer is named. */
export interface Comparison<T> {
  /** 0 = the archive holds nothing to compare. */
  readonly compared: number;
  readonly different: number;
  readonly first: readonly T[];
}

export interface ReplayResult {
  readonly folder: string;
  /** Orders that were sent, read once more from the shop's files. `fields`: the paths that differ, `lines.0.quantity`; empty = set aside now. */
  readonly orders: Comparison<{ readonly id: number; readonly fields: readonly string[] }>;
  /** Lines of the sales file, rendered once more. The numbers of those that differ. */
  readonly sales: Comparison<number>;
  /** Variants of the stock update, worked out once more. Null = not in it. */
  readonly stock: Comparison<{
    readonly ean: string;
    readonly size: string;
    readonly was: number | null;
    readonly now: number | null;
  }>;
  /** The rules that held the update, then and now; null when there was none, or the report is missing. */
  readonly rules: { readonly was: readonly string[]; readonly now: readonly string[] } | null;
}

/**
 * Computes a past cycle again from its archive, with the present program, configuration and template. Writes nothing.
 * @throws Refused when the archive has no such cycle, or several.
 */
export const replay =
  (deps: Deps) =>
  async ({ cycle }: ReplayInput): Promise<ReplayResult> => {
    const { archive } = deps;
    const folders = await archive.beginningWith(cycle);
    const [folder] = folders;
    if (folder === undefined || folders.length > 1) {
      const got = folder === undefined ? 'none' : folders.slice(0, EXAMPLES).join(', ');
      throw refused(`Expected one cycle in the archive that begins with ${cycle}, got ${got}`);
    }
    const packed = await archive.readIfThere(folder, SALES_INPUTS_FILE);
    const sent = packed === null ? null : (JSON.parse(gunzipSync(packed).toString()) as SalesInputs);
    return {
      folder,
      orders: await compareOrders(deps, folder, sent?.orders ?? []),
      sales: await compareSales(deps, folder, sent),
      ...(await compareStock(deps, folder)),
    };
  };

/** As exportOrders names them; Proshop's file may end so too. */
const ORDERS_FILE = /^(late-|last-)?orders(-\d+)?\.csv$/;

/** Files of a shop that is reached by its Webservice are not read again: they are what it answered, request by request. */
async function compareOrders(
  { archive, config }: Deps,
  folder: string,
  sent: readonly Order[],
): Promise<ReplayResult['orders']> {
  const { columns } = config.orders;
  if (columns === undefined) return comparison(0, []);
  const byId = new Map(sent.map((order) => [order.id, order]));
  const differing: { id: number; fields: readonly string[] }[] = [];
  let compared = 0;
  for (const name of await archive.names(folder)) {
    const bytes = ORDERS_FILE.test(name) ? await archive.readIfThere(folder, name) : null;
    if (bytes === null) continue;
    const { orders, setAside } = readOrders(bytes, name, { ...config.orders, columns });
    for (const order of orders) {
      const was = byId.get(order.id);
      if (was === undefined) continue;
      compared++;
      const fields = differences(was, order);
      if (fields.length > 0) differing.push({ id: order.id, fields: fields.slice(0, EXAMPLES) });
    }
    const lost = setAside.flatMap(({ id }) => (id !== null && byId.has(id) ? id : []));
    compared += lost.length;
    differing.push(...lost.map((id) => ({ id, fields: [] })));
  }
  return comparison(compared, differing);
}

async function compareSales(
  { archive, template }: Deps,
  folder: string,
  sent: SalesInputs | null,
): Promise<ReplayResult['sales']> {
  const filed = await archive.readIfThere(folder, 'orders.xml');
  if (sent === null || filed === null) return comparison(0, []);
  const was = filed.toString('latin1').split('\n');
  const now = renderSales(template, sent.orders, sent.createdAt).bytes.toString('latin1').split('\n');
  const lines = Array.from({ length: Math.max(was.length, now.length) }, (_, index) => index + 1);
  return comparison(
    lines.length,
    lines.filter((line) => was[line - 1] !== now[line - 1]),
  );
}

async function compareStock(
  { archive, config }: Deps,
  folder: string,
): Promise<Pick<ReplayResult, 'stock' | 'rules'>> {
  const bytes = await archive.readIfThere(folder, config.proshop.exportName);
  const packed = await archive.readIfThere(folder, INPUTS_FILE);
  const filed = await archive.readIfThere(folder, config.stock.updateName);
  if (bytes === null || packed === null || filed === null) return { stock: comparison(0, []), rules: null };
  const stock = readStock(bytes, config.proshop.exportName, config.stock);
  const { plan, weighed } = weighStock(stock, unpackInputs(packed), config);
  const read = (update: Buffer) =>
    new Map(
      readStock(update, config.stock.updateName, config.stock).variants.map((row) => [
        row.ean ?? `${row.reference} ${row.size}`,
        row,
      ]),
    );
  const was = read(filed);
  const now = read(Buffer.concat([...stockUpdate(stock, plan)]));
  const all = [...new Set([...was.keys(), ...now.keys()])].map((ean) => ({
    ean,
    size: (now.get(ean) ?? was.get(ean))?.size ?? '',
    was: was.get(ean)?.quantity ?? null,
    now: now.get(ean)?.quantity ?? null,
  }));
  const report = await archive.readIfThere(folder, 'report.json');
  return {
    stock: comparison(
      all.length,
      all.filter((variant) => variant.was !== variant.now),
    ),
    rules:
      report === null ? null : rulesOf(JSON.parse(report.toString()) as CycleReport, weighed.rules ?? []),
  };
}

function rulesOf({ steps }: CycleReport, now: readonly string[]): ReplayResult['rules'] {
  const step = steps.find(({ name, facts }) => name === 'prepareStock' && facts !== undefined);
  const was = (step?.facts as PrepareStockResult | undefined)?.rules;
  return was === undefined ? null : { was, now };
}

/** Paths of what differs: `customer.email`, `lines.0.quantity`. */
function differences(was: unknown, now: unknown, path: readonly string[] = []): readonly string[] {
  if (typeof was !== 'object' || typeof now !== 'object' || was === null || now === null)
    return was === now ? [] : [path.join('.')];
  const keys = new Set([...Object.keys(was), ...Object.keys(now)]);
  return [...keys].flatMap((key) =>
    differences((was as Record<string, unknown>)[key], (now as Record<string, unknown>)[key], [...path, key]),
  );
}

function comparison<T>(compared: number, differing: readonly T[]): Comparison<T> {
  return { compared, different: differing.length, first: differing.slice(0, EXAMPLES) };
}
