import type { StockPlan } from './stock-plan.ts';
import type { StockFile } from './stock-csv.ts';

/**
 * Why two gateways that are both right by their own rules show different stock: the old one leaves out the whole product
 * (`removed`) where ours subtracts, and knows only the orders of its last export (`order unknown to it`).
 */
export type StockRule = 'removed' | 'order unknown to it';

/** A variant of which the shop would show another figure. */
export interface StockDisagreement {
  /** Empty for a product as a whole, where a file gives it a row without a readable EAN. */
  readonly ean: string;
  readonly reference: string;
  readonly size: string;
  readonly ours: number;
  readonly theirs: number;
  /** Null when no rule explains it. */
  readonly rule: StockRule | null;
}

export interface StockComparison {
  /** The files are the same to the byte. */
  readonly sameBytes: boolean;
  /** Variants that either file names, and products as a whole. */
  readonly variants: number;
  /** In the order of our file, then those that it does not name. */
  readonly disagreements: readonly StockDisagreement[];
}

/** Compares our ExportCSVmod with the old gateway's, by what the shop would show: what has no row shows 0. */
export function compareStock(ours: StockFile, theirs: StockFile, plan: StockPlan): StockComparison {
  // The old script writes gift vouchers without EAN.
  const asWhole = new Set(
    [ours, theirs].flatMap(({ variants }) =>
      variants.flatMap(({ ean, reference }) => (ean === null ? reference : [])),
    ),
  );
  const mine = figures(ours, asWhole);
  const old = figures(theirs, asWhole);
  const corrected = new Map(plan.corrections.map((correction) => [correction.ean, correction]));
  const touched = new Set(plan.corrections.map(({ reference }) => reference));
  const shownByThem = new Map<string, number>();
  for (const { reference, quantity } of old.values())
    shownByThem.set(reference, (shownByThem.get(reference) ?? 0) + quantity);

  const either = new Map([...mine, ...[...old].filter(([key]) => !mine.has(key))]);
  const disagreements: StockDisagreement[] = [];
  for (const [key, { ean, reference, size }] of either) {
    const shown = mine.get(key)?.quantity ?? 0;
    const theirShown = old.get(key)?.quantity ?? 0;
    if (shown === theirShown) continue;
    const rule = ruleOf(ean, reference, theirShown);
    disagreements.push({ ean, reference, size, ours: shown, theirs: theirShown, rule });
  }
  return {
    sameBytes: Buffer.compare(ours.bytes, theirs.bytes) === 0,
    variants: either.size,
    disagreements,
  };

  function ruleOf(ean: string, reference: string, shown: number): StockRule | null {
    if (touched.has(reference) && (shownByThem.get(reference) ?? 0) === 0) return 'removed';
    return corrected.get(ean)?.proshop === shown ? 'order unknown to it' : null;
  }
}

/** What the shop shows of a variant. */
export interface Figure {
  readonly ean: string;
  readonly reference: string;
  readonly size: string;
  readonly quantity: number;
}

/** Each variant's first row with figures, by EAN; the products of `asWhole` with the sum of theirs. */
export function figures(
  { variants }: Pick<StockFile, 'variants'>,
  asWhole: ReadonlySet<string> = new Set(),
): ReadonlyMap<string, Figure> {
  const rows = new Map<string, Figure>();
  for (const { ean, quantity, reference, size } of variants) {
    if (quantity === null) continue;
    const units = Math.max(0, quantity);
    if (asWhole.has(reference)) {
      const sum = (rows.get(`/${reference}`)?.quantity ?? 0) + units;
      rows.set(`/${reference}`, { ean: '', reference, size: '', quantity: sum });
    } else if (ean !== null && !rows.has(ean)) {
      rows.set(ean, { ean, reference, size, quantity: units });
    }
  }
  return rows;
}
