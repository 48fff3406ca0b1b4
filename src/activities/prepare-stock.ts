import type { ArchivedFile } from '../archive.ts';
import { judge } from '../domain/gate.ts';
import type { Doubt } from '../domain/stock.ts';
import { readStock, sizeOf } from '../domain/stock-csv.ts';
import { stockUpdate } from '../domain/stock-plan.ts';
import type { StockExport } from '../ledger/ledger.ts';
import { comparableTime } from './comparable-time.ts';
import { EXAMPLES, type CycleRef, type Deps } from './deps.ts';
import { planNow } from './plan-now.ts';

export interface PrepareStockInput {
  readonly cycle: CycleRef;
  readonly exportId: string;
  readonly file: ArchivedFile;
}

export interface PrepareStockResult {
  readonly update: ArchivedFile;
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

/** Works out what the shop must show, how that differs from what it shows, and whether the gate lets it through. */
export const prepareStock =
  ({ config, archive, ledger }: Deps) =>
  async ({ cycle, exportId, file }: PrepareStockInput): Promise<PrepareStockResult> => {
    const name = config.proshop.exportName;
    const stock = readStock(await archive.read(file), name, config.stock);
    const collected = await ledger.exportOf(cycle.id);
    const last = await ledger.lastAppliedExport();
    const { plan, applied, outstanding } = await planNow({ config, ledger }, stock);
    const update = await archive.write(
      cycle.folder,
      config.stock.updateName,
      Buffer.concat([...stockUpdate(stock, plan)]),
    );
    const verdict = judge(
      {
        doubts: [...stock.doubts, ...plan.doubts, ...staleDoubt(name, collected)],
        ...sizeOf(stock),
        applied:
          last === null || applied === null
            ? null
            : {
                rows: last.rows,
                units: last.units,
                inStock: [...applied.values()].filter(({ quantity }) => quantity > 0).length,
                exportedAt: last.id === exportId ? null : (last.modifiedAt?.toISOString() ?? null),
              },
        difference: plan.difference,
        exportedAt: collected === null ? null : comparableTime(collected, last, config.timeZone),
      },
      config.gate,
    );
    return {
      update,
      passed: verdict.passed,
      reasons: verdict.reasons.slice(0, EXAMPLES),
      rules: [...new Set(verdict.reasons.map(({ rule }) => rule))],
      rows: plan.rows,
      units: plan.units,
      outstanding,
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
    };
  };

/** Bytes that were seen before say what was true then: Proshop may have failed to write and left, or sent, its old file. */
function staleDoubt(name: string, collected: StockExport | null): Doubt[] {
  if (collected === null || collected.staleOrders === 0) return [];
  const message = `Expected another ${name} than one from before, since Proshop has taken ${collected.staleOrders} order(s) since, got the same`;
  return [{ rule: 'stale', message }];
}
