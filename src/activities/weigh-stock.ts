import type { Config } from '../config.ts';
import { judge } from '../domain/gate.ts';
import type { SoldLine } from '../domain/order.ts';
import type { Doubt } from '../domain/stock.ts';
import { sizeOf, type StockFile } from '../domain/stock-csv.ts';
import { planStock, type Outstanding, type StockPlan } from '../domain/stock-plan.ts';
import { comparableTime } from './comparable-time.ts';
import { EXAMPLES } from './deps.ts';
import type { ExportSeen, StockInputs } from './stock-inputs.ts';

/** What a stock update changes, and whether the gate lets it through. Lists are cut after 20. */
export interface WeighedStock {
  readonly passed: boolean;
  readonly reasons: readonly { readonly rule: string; readonly message: string }[];
  /** Each rule that said no, once; undefined in the histories of before it was told. */
  readonly rules?: readonly string[];
  readonly rows: number;
  readonly units: number;
  /** Orders that Proshop's stock does not count yet, and the variants corrected for them. */
  readonly outstanding: number;
  readonly corrected: number;
  readonly corrections: readonly { readonly ean: string; readonly proshop: number; readonly shown: number }[];
  /** Units that they take from what Proshop has; undefined in the histories of before it was told. */
  readonly withheld?: number;
  readonly difference: {
    readonly up: number;
    readonly down: number;
    readonly toZero: number;
    readonly created: number;
    readonly unchanged: number;
    readonly largest: readonly {
      readonly ean: string;
      readonly name: string;
      readonly size: string;
      readonly before: number | null;
      readonly after: number;
    }[];
  };
  readonly setAside: number;
  readonly setAsideRows: readonly {
    readonly line: number;
    readonly field: string;
    readonly reason: string;
  }[];
}

/** What the shop must show. */
export function planFrom(
  stock: StockFile,
  { lines, applied }: Pick<StockInputs, 'lines' | 'applied'>,
  { stock: settings }: Config,
): StockPlan {
  return planStock(stock, {
    outstanding: byVariant(lines),
    applied,
    protectedProducts: settings.protected,
    mode: settings.outstanding,
  });
}

/** Works out what the shop must show, how that differs from what it shows, and whether the gate lets it through. */
export function weighStock(
  stock: StockFile,
  inputs: StockInputs,
  config: Config,
): { readonly plan: StockPlan; readonly weighed: WeighedStock } {
  const { applied, last, collected, orders } = inputs;
  const plan = planFrom(stock, inputs, config);
  const verdict = judge(
    {
      doubts: [...stock.doubts, ...plan.doubts, ...staleDoubt(config.proshop.exportName, collected)],
      ...sizeOf(stock),
      applied:
        last === null || applied === null
          ? null
          : {
              rows: last.rows,
              units: last.units,
              inStock: [...applied.values()].filter(({ quantity }) => quantity > 0).length,
              exportedAt: last.id === collected?.id ? null : (last.modifiedAt?.toISOString() ?? null),
            },
      difference: plan.difference,
      exportedAt: collected === null ? null : comparableTime(collected, last, config.timeZone),
    },
    config.gate,
  );
  return {
    plan,
    weighed: {
      passed: verdict.passed,
      reasons: verdict.reasons.slice(0, EXAMPLES),
      rules: [...new Set(verdict.reasons.map(({ rule }) => rule))],
      rows: plan.rows,
      units: plan.units,
      outstanding: orders,
      corrected: plan.corrections.length,
      corrections: plan.corrections
        .slice(0, EXAMPLES)
        .map(({ ean, proshop, shown }) => ({ ean, proshop, shown })),
      withheld: plan.corrections.reduce((sum, { proshop, shown }) => sum + Math.max(0, proshop - shown), 0),
      difference: {
        ...plan.difference,
        largest: plan.difference.largest
          .slice(0, EXAMPLES)
          .map(({ ean, name, size, before, after }) => ({ ean, name, size, before, after })),
      },
      setAside: plan.setAside.length,
      setAsideRows: plan.setAside.slice(0, EXAMPLES),
    },
  };
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

/** Bytes that were seen before say what was true then: Proshop may have failed to write and left, or sent, its old file. */
function staleDoubt(name: string, collected: ExportSeen | null): Doubt[] {
  if (collected === null || collected.staleOrders === 0) return [];
  const message = `Expected another ${name} than one from before, since Proshop has taken ${collected.staleOrders} order(s) since, got the same`;
  return [{ rule: 'stale', message }];
}
