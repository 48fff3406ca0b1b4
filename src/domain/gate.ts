import { Big } from 'big.js';
import type { Doubt } from './stock.ts';

/** How far a stock update may go without a person; percentages of what was applied last. */
export interface GateLimits {
  readonly firstRun: 'hold' | 'apply';
  readonly rowsDown: number;
  readonly unitsDown: number;
  readonly toZero: number;
}

/** What the gate looks at. */
export interface GateInputs {
  /** The file's and the plan's. */
  readonly doubts: readonly Doubt[];
  readonly rows: number;
  readonly units: number;
  readonly difference: { readonly toZero: number };
  /** When Proshop wrote the file, ISO 8601 in UTC, as the FTP server says; null = unknown. */
  readonly exportedAt: string | null;
  /** The last stock applied to the shop; null = never. */
  readonly applied: {
    readonly rows: number;
    readonly units: number;
    /** Variants with stock. */
    readonly inStock: number;
    readonly exportedAt: string | null;
  } | null;
}

export interface Verdict {
  readonly passed: boolean;
  readonly reasons: readonly Reason[];
}

export interface Reason {
  readonly rule: Doubt['rule'] | 'firstRun' | 'older' | 'rowsDown' | 'unitsDown' | 'toZero';
  readonly message: string;
}

/** Judges a stock update as a whole, before it is applied. Every reason to hold it is given. */
export function judge(inputs: GateInputs, limits: GateLimits): Verdict {
  const reasons = [
    ...inputs.doubts,
    ...(inputs.applied ? against(inputs, inputs.applied, limits) : firstRun(limits)),
  ];
  return { passed: reasons.length === 0, reasons };
}

function firstRun(limits: GateLimits): Reason[] {
  if (limits.firstRun === 'apply') return [];
  const message = 'Expected a stock applied before to compare with, got a first run (setting gate.firstRun)';
  return [{ rule: 'firstRun', message }];
}

function against(
  inputs: GateInputs,
  applied: NonNullable<GateInputs['applied']>,
  limits: GateLimits,
): Reason[] {
  const reasons: Reason[] = [];
  if (inputs.exportedAt !== null && applied.exportedAt !== null && inputs.exportedAt < applied.exportedAt) {
    const message = `Expected a file not older than the one applied last (${applied.exportedAt}), got ${inputs.exportedAt}`;
    reasons.push({ rule: 'older', message });
  }
  const rowsDown = applied.rows - inputs.rows;
  if (exceeds(rowsDown, applied.rows, limits.rowsDown)) {
    const message = `Expected rows to go down by ${limits.rowsDown} % at most, got ${inputs.rows} after ${applied.rows} (setting gate.rowsDown)`;
    reasons.push({ rule: 'rowsDown', message });
  }
  const unitsDown = applied.units - inputs.units;
  if (exceeds(unitsDown, applied.units, limits.unitsDown)) {
    const message = `Expected units to go down by ${limits.unitsDown} % at most, got ${inputs.units} after ${applied.units} (setting gate.unitsDown)`;
    reasons.push({ rule: 'unitsDown', message });
  }
  const { toZero } = inputs.difference;
  if (exceeds(toZero, applied.inStock, limits.toZero)) {
    const message = `Expected ${limits.toZero} % of the variants in stock to go to 0 at most, got ${toZero} of ${applied.inStock} (setting gate.toZero)`;
    reasons.push({ rule: 'toZero', message });
  }
  return reasons;
}

// A limit may have decimals, so the comparison is Big's: exactly 33.3 % passes a limit of 33.3.
function exceeds(part: number, whole: number, percent: number): boolean {
  return new Big(part).times(100).gt(new Big(percent).times(whole));
}
