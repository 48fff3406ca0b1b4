import { check } from './check.ts';
import type { Check } from './check.ts';
import type { Expectations } from './expectations.ts';
import { equalName, judgeFigures } from './judge-figures.ts';
import type { CatalogImportRun, StockExport, Truth } from './truth.ts';

/** Judges the stock of a shop that is reached by its modules. */
export function judgeModulesStock(truth: Truth, expectations: Expectations): readonly Check[] {
  const updates = truth.imports.filter((run) => run.job === 'updateStock');
  return [
    ...judgeUpdate(
      truth,
      updates.findLast((run) => run.outcome === 'done'),
      expectations,
    ),
    check(
      'the shop was never zeroed as a whole',
      truth.faults.filter((fault) => fault.kind === 'mass zeroing').map((fault) => fault.detail),
      `${updates.length} update(s)`,
    ),
  ];
}

function judgeUpdate(
  truth: Truth,
  applied: CatalogImportRun | undefined,
  expectations: Expectations,
): readonly Check[] {
  const { stock = 'exact' } = expectations;
  if (stock === 'unchanged') {
    const ran = applied === undefined ? [] : [`an update ran at ${applied.startedAt}`];
    return [check('no stock was written', ran, 'none')];
  }
  const vouchers = check(
    'gift vouchers keep their stock',
    truth.vouchers
      .filter((voucher) => voucher.shop !== voucher.initial)
      .map((voucher) => `${voucher.reference}: expected ${voucher.initial}, got ${voucher.shop}`),
    `${truth.vouchers.length} product(s)`,
  );
  if (applied === undefined) {
    const none = stock === 'exact' ? ["the shop's stock update never ran to its end"] : [];
    return [check(equalName(stock), none, 'no update ran'), vouchers];
  }
  const wrong = (written: StockExport) => wrongVariants(truth, written, applied, stock);
  return [
    ...judgeFigures(truth, { at: applied.startedAt, wrongVariants: wrong }, expectations, stock),
    vouchers,
  ];
}

/** Variants whose stock in the shop is not Proshop's figure minus the orders that the figure does not include. */
function wrongVariants(
  truth: Truth,
  written: StockExport,
  applied: CatalogImportRun,
  stock: 'exact' | 'never more',
): readonly string[] {
  const reflected = new Set(written.reflects);
  const outstanding = new Map<string, number>();
  const lastExport = truth.orderExports.findLast((run) => run.at <= applied.startedAt)?.at ?? truth.startedAt;
  const unseen = new Set<string>();
  for (const order of truth.orders) {
    // Ordered after the last look at the orders and before the update was over: nobody can know of it in time.
    const isUnseen =
      order.lostByModule ||
      (order.placedAt >= lastExport && order.placedAt <= (applied.finishedAt ?? truth.now));
    for (const line of order.lines) {
      // A line without gencod counts against every size of its model: which one was sold cannot be known.
      const eans = line.gencod
        ? [line.ean]
        : truth.variants
            .filter((variant) => variant.reference === line.reference)
            .map((variant) => variant.ean);
      for (const ean of eans) {
        if (isUnseen) unseen.add(ean);
        if (!reflected.has(order.id)) outstanding.set(ean, (outstanding.get(ean) ?? 0) + line.quantity);
      }
    }
  }
  return truth.variants.flatMap((variant) => {
    const figure = written.figures[variant.ean] ?? 0;
    const expected = Math.max(0, figure - (outstanding.get(variant.ean) ?? 0));
    const shown = variant.shop ?? 0;
    const right = stock === 'exact' ? shown === expected : shown <= expected;
    return right || unseen.has(variant.ean)
      ? []
      : [
          `${variant.reference} ${variant.size} (${variant.ean}): expected ${expected} (Proshop ${figure}, outstanding ${outstanding.get(variant.ean) ?? 0}), got ${shown}`,
        ];
  });
}
