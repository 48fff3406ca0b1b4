import { check } from './check.ts';
import type { Check } from './check.ts';
import { instant } from './clock.ts';
import type { Expectations } from './expectations.ts';
import type { StockExport, Truth, TruthProduct } from './truth.ts';

/** A stock update that was applied to the shop. */
export interface AppliedUpdate {
  /** When the shop began to apply it: figures that were written later cannot be in it. */
  readonly at: string;
  /** Variants that do not show what these figures make of them. */
  readonly wrongVariants: (written: StockExport) => readonly string[];
}

/** What the check of the shop's figures is called. */
export function equalName(stock: 'exact' | 'never more'): string {
  return stock === 'exact'
    ? "the shop shows Proshop's stock minus what is outstanding"
    : "the shop never shows more than Proshop's stock minus what is outstanding";
}

/**
 * Judges what the shop shows by the figures that were applied. An export may have come between the one that was collected
 * and the update: each fresh one may be the one applied.
 */
export function judgeFigures(
  truth: Truth,
  { at, wrongVariants }: AppliedUpdate,
  expectations: Expectations,
  stock: 'exact' | 'never more',
): readonly Check[] {
  const fresh = 'the stock applied is fresh';
  const oldest = oldestFigures(at, expectations);
  const [best] = truth.exports
    .filter((written) => written.finishedAt !== null && written.finishedAt <= at && hasTrueFigures(written))
    .filter((written) => (written.finishedAt ?? '') >= oldest)
    .map((written) => ({ written, wrong: wrongVariants(written) }))
    .sort((a, b) => a.wrong.length - b.wrong.length);
  if (best === undefined) {
    return [check(fresh, [`no sound ExportCSV between ${oldest} and the update at ${at}`], '')];
  }
  const soldOut = truth.variants.filter((variant) => (best.written.figures[variant.ean] ?? 0) <= 0);
  return [
    check(fresh, [], `figures of ${best.written.startedAt}, applied at ${at}`),
    check(equalName(stock), best.wrong, `${truth.variants.length} variants`),
    check(
      'every new model exists once, with its variants',
      wrongModels(truth, best.written),
      `${truth.models.filter((model) => model.isNew).length} new`,
    ),
    check(
      'what is sold out in Proshop shows 0',
      soldOut
        .filter((variant) => (variant.shop ?? 0) > 0)
        .map((variant) => `${variant.reference} ${variant.size}: expected 0, got ${variant.shop}`),
      `${soldOut.length} variant(s)`,
    ),
  ];
}

/** Sandbox time before which figures are too old for the update. */
function oldestFigures(at: string, { stalest = 30, writtenSince }: Expectations): string {
  return writtenSince ?? new Date(instant(at) - stalest * 60_000).toISOString().slice(0, -1);
}

/**
 * Rows that stand twice say nothing wrong, columns that change places take their titles along, and figures of a file that
 * was written again are told as they were then.
 */
function hasTrueFigures({ damage }: StockExport): boolean {
  return damage === null || ['duplicated rows', 'columns swapped', 'old file again'].includes(damage);
}

function wrongModels(truth: Truth, written: StockExport): readonly string[] {
  const byReference = new Map<string, TruthProduct[]>();
  for (const product of truth.products) {
    byReference.set(product.reference, [...(byReference.get(product.reference) ?? []), product]);
  }
  return truth.models.flatMap((model) => {
    const products = byReference.get(model.reference) ?? [];
    const inStock = model.eans.filter((ean) => (written.figures[ean] ?? 0) > 0);
    const [product, second] = products;
    if (second !== undefined) return [`${model.reference} exists ${products.length} times`];
    if (product === undefined) return inStock.length > 0 ? [`${model.reference} does not exist`] : [];
    if (!model.isNew) return [];
    const eans = product.variants.map((variant) => variant.ean);
    const wrong = [
      ...(product.name === model.name ? [] : [`expected the name ${model.name}, got ${product.name}`]),
      ...(product.price === model.price ? [] : [`expected the price ${model.price}, got ${product.price}`]),
      ...eans.filter((ean) => !model.eans.includes(ean)).map((ean) => `${ean} is no variant of it`),
      ...eans.filter((ean, index) => eans.indexOf(ean) !== index).map((ean) => `${ean} exists twice`),
      ...inStock.filter((ean) => !eans.includes(ean)).map((ean) => `${ean} is missing`),
    ];
    return wrong.map((what) => `${model.reference}: ${what}`);
  });
}
