import type { ScaledClock } from './clock.ts';
import { isStopped } from './clock.ts';
import type { CatalogImportRun, Fault, FaultKind, OrderExportRun, StockExport } from './truth.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** What the simulated programs write down while they run. */
export interface Journal {
  readonly orderExports: OrderExportRun[];
  readonly exports: Writable<StockExport>[];
  readonly imports: Writable<CatalogImportRun>[];
  readonly faults: Fault[];
  /** Faults that were ordered, when they came: `shop updateStock: late`. */
  readonly sabotage: string[];
  /** Called whenever the shop has ended an import. */
  importEnded: () => void;
  /** Writes a fault down, once for each kind, file and detail in a row. */
  fault(kind: FaultKind, file: string, detail: string): void;
  /** Writes down why a program's run ended; the end of the sandbox is no fault. */
  trouble(who: string, error: unknown): void;
}

/** Opens an empty journal. */
export function openJournal(clock: ScaledClock): Journal {
  const faults: Fault[] = [];
  const fault = (kind: FaultKind, file: string, detail: string) => {
    const last = faults.at(-1);
    if (last?.kind === kind && last.file === file && last.detail === detail) return;
    faults.push({ at: clock.time(), kind, file, detail });
  };
  return {
    orderExports: [],
    exports: [],
    imports: [],
    faults,
    sabotage: [],
    importEnded: () => undefined,
    fault,
    trouble: (who, error) => {
      if (isStopped(error)) return;
      const own = error instanceof TypeError || error instanceof RangeError;
      fault(
        own ? 'sandbox error' : 'ftp trouble',
        who,
        error instanceof Error ? error.message : String(error),
      );
    },
  };
}
