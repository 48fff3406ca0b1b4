import type { SoldLine } from '../domain/order.ts';
import type { StockFile } from '../domain/stock-csv.ts';
import { planStock, type Outstanding, type StockPlan } from '../domain/stock-plan.ts';
import type { VariantStock } from '../domain/stock.ts';
import type { Deps } from './deps.ts';

/** Plans the stock from Proshop's file and what the ledger knows at this moment. */
export async function planNow(
  { config, ledger }: Pick<Deps, 'config' | 'ledger'>,
  stock: StockFile,
): Promise<{
  readonly plan: StockPlan;
  /** What the shop shows, as far as the ledger knows; null = never applied. */
  readonly applied: ReadonlyMap<string, VariantStock> | null;
  /** Number of outstanding orders. */
  readonly outstanding: number;
}> {
  const applied = (await ledger.lastAppliedExport()) === null ? null : await ledger.appliedStock();
  const { orders, lines } = await ledger.outstanding();
  const plan = planStock(stock, {
    outstanding: byVariant(lines),
    applied,
    protectedProducts: config.stock.protected,
    mode: config.stock.outstanding,
  });
  return { plan, applied, outstanding: orders };
}

function byVariant(lines: readonly SoldLine[]): Outstanding {
  const byEan = new Map<string, number>();
  const byReference = new Map<string, number>();
  for (const { ean, reference, quantity } of lines) {
    const [sums, key] = ean === null ? [byReference, reference] : [byEan, ean];
    sums.set(key, (sums.get(key) ?? 0) + quantity);
  }
  return { byEan, byReference };
}
