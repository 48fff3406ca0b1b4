import { instant } from './clock.ts';
import type { CatalogImportRun, FaultKind, StockExport, Truth, TruthOrder, TruthProduct } from './truth.ts';

export interface Expectations {
  /**
   * Orders placed before this sandbox time must have been taken; the shop's first order export when left out. For several
   * cycles: the first order export of the last of them.
   */
  readonly placedBefore?: string;
  /**
   * `exact`: the shop shows Proshop's figures minus what is outstanding. `never more`: it may show less (a degraded
   * cycle). `unchanged`: no stock was to be written.
   */
  readonly stock?: 'exact' | 'never more' | 'unchanged';
  /** How old, in sandbox minutes, the figures may be when the shop's import begins: 30 when left out. */
  readonly stalest?: number;
  /** Figures written before this sandbox time are stale, whatever `stalest` says: the start of the cycle that applied them. */
  readonly writtenSince?: string;
}

export interface Judgement {
  readonly ok: boolean;
  readonly checks: readonly Check[];
}

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** What was counted, or what is wrong. */
  readonly detail: string;
}

const FILE_FAULTS: readonly FaultKind[] = [
  'partial file in import',
  'unreadable file in import',
  'foreign file in import',
  'partial file read by the shop',
];

/** Judges a run from what really happened, knowing nothing of what passerelle says about itself. */
export function judge(truth: Truth, expectations: Expectations = {}): Judgement {
  const stock = expectations.stock ?? 'exact';
  const before = expectations.placedBefore ?? truth.orderExports[0]?.at ?? truth.startedAt;
  const applied = truth.imports.findLast((run) => run.job === 'updateStock' && run.outcome === 'done');
  const checks: Check[] = [
    ...judgeOrders(truth, before),
    ...(stock === 'unchanged'
      ? [
          check(
            'no stock was written',
            applied === undefined ? [] : [`an update ran at ${applied.startedAt}`],
            'none',
          ),
        ]
      : judgeStock(truth, applied, stock, oldestFigures(applied, expectations))),
    check(
      'no file was ever seen partial, unreadable or foreign',
      truth.faults
        .filter((fault) => FILE_FAULTS.includes(fault.kind))
        .map((fault) => `${fault.kind}: ${fault.file} at ${fault.at} (${fault.detail})`),
      'none seen',
    ),
    check(
      'the shop was never zeroed as a whole',
      truth.faults.filter((fault) => fault.kind === 'mass zeroing').map((fault) => fault.detail),
      `${truth.imports.filter((run) => run.job === 'updateStock').length} update(s)`,
    ),
    check(
      'nothing is left behind on the FTP',
      truth.files
        .filter((file) => !/^\/ExportCSV$|^\/export\/commandes$/.test(file))
        .map((file) => `${file} is still there`),
      'clean',
    ),
    check(
      'the sandbox itself is sound',
      truth.faults
        .filter((fault) => fault.kind === 'sandbox error')
        .map((fault) => `${fault.file}: ${fault.detail}`),
      'sound',
    ),
  ];
  return { ok: checks.every((one) => one.ok), checks };
}

function judgeOrders(truth: Truth, before: string): readonly Check[] {
  const transmissible = (order: TruthOrder) => order.readable && !order.paidByVoucher && !order.lostByModule;
  const due = truth.orders.filter((order) => transmissible(order) && order.placedAt < before);
  const late = truth.orders.filter((order) => transmissible(order) && order.placedAt >= before);
  const vouchers = truth.orders.filter((order) => order.paidByVoucher);
  const unreadable = truth.orders.filter((order) => !order.readable);
  return [
    check(
      'every order was taken by Proshop exactly once',
      due.filter((order) => order.taken.length !== 1).map(takenTooOften),
      `${due.length} order(s)`,
    ),
    check(
      'late orders were taken once or wait for the next cycle',
      late.filter((order) => order.taken.length > 1).map(takenTooOften),
      `${late.length} late, ${late.filter((order) => order.taken.length === 0).length} waiting`,
    ),
    check(
      'orders paid with a gift voucher were not sent',
      vouchers.filter((order) => order.taken.length > 0).map(takenTooOften),
      `${vouchers.length} to enter by hand`,
    ),
    check(
      'orders that cannot be read were not sent',
      unreadable.filter((order) => order.taken.length > 0).map(takenTooOften),
      `${unreadable.length} set aside`,
    ),
    check(
      'each sale arrived as it was ordered',
      [
        ...truth.orders.flatMap((order) => differences(order)),
        ...truth.unknownSales.map((id) => `sale ${id} is no order of the shop`),
      ],
      `${truth.orders.filter((order) => order.sale !== null).length} sale(s) compared`,
    ),
  ];
}

function takenTooOften(order: TruthOrder): string {
  return `order ${order.id} was taken ${order.taken.length} time(s)`;
}

function differences(order: TruthOrder): readonly string[] {
  const { sale } = order;
  if (sale === null) return [];
  const ordered = {
    reference: order.reference,
    payment: order.payment,
    total: order.total,
    firstname: order.customer.firstname,
    lastname: order.customer.lastname,
    address: order.address,
    lines: order.lines.map(({ ean, quantity, unitPrice }) => ({ ean, quantity, unitPrice })),
  };
  return (Object.keys(ordered) as (keyof typeof ordered)[])
    .filter((field) => JSON.stringify(ordered[field]) !== JSON.stringify(sale[field]))
    .map(
      (field) =>
        `order ${order.id}: expected ${field} ${JSON.stringify(ordered[field])}, got ${JSON.stringify(sale[field])}`,
    );
}

function judgeStock(
  truth: Truth,
  applied: CatalogImportRun | undefined,
  stock: 'exact' | 'never more',
  oldest: string,
): readonly Check[] {
  const names = {
    fresh: 'the stock applied is fresh',
    equal:
      stock === 'exact'
        ? "the shop shows Proshop's stock minus what is outstanding"
        : "the shop never shows more than Proshop's stock minus what is outstanding",
    models: 'every new model exists once, with its variants',
    soldOut: 'what is sold out in Proshop shows 0',
    vouchers: 'gift vouchers keep their stock',
  };
  const vouchers = check(
    names.vouchers,
    truth.vouchers
      .filter((voucher) => voucher.shop !== voucher.initial)
      .map((voucher) => `${voucher.reference}: expected ${voucher.initial}, got ${voucher.shop}`),
    `${truth.vouchers.length} product(s)`,
  );
  if (applied === undefined && stock === 'never more') {
    return [check(names.equal, [], 'no update ran'), vouchers];
  }
  if (applied === undefined) {
    const none = ["the shop's stock update never ran to its end"];
    return [check(names.equal, none, ''), vouchers];
  }

  // An export may have come between the one that was collected and the update: each fresh one may be the one applied.
  const complete = truth.exports.filter(
    (written) =>
      written.finishedAt !== null && written.finishedAt <= applied.startedAt && hasTrueFigures(written),
  );
  const fresh = complete.filter((written) => (written.finishedAt ?? '') >= oldest);
  const candidates = fresh
    .map((written) => ({ written, wrong: wrongVariants(truth, written, applied, stock) }))
    .sort((a, b) => a.wrong.length - b.wrong.length);
  const best = candidates[0];
  if (best === undefined) {
    const none = [`no sound ExportCSV between ${oldest} and the update at ${applied.startedAt}`];
    return [check(names.fresh, none, ''), vouchers];
  }

  const soldOut = truth.variants.filter((variant) => (best.written.figures[variant.ean] ?? 0) <= 0);
  return [
    check(names.fresh, [], `figures of ${best.written.startedAt}, applied at ${applied.startedAt}`),
    check(names.equal, best.wrong, `${truth.variants.length} variants`),
    check(
      names.models,
      wrongModels(truth, best.written),
      `${truth.models.filter((model) => model.isNew).length} new`,
    ),
    check(
      names.soldOut,
      soldOut
        .filter((variant) => (variant.shop ?? 0) > 0)
        .map((variant) => `${variant.reference} ${variant.size}: expected 0, got ${variant.shop}`),
      `${soldOut.length} variant(s)`,
    ),
    vouchers,
  ];
}

/** Sandbox time before which figures are too old for the update. */
function oldestFigures(
  applied: CatalogImportRun | undefined,
  { stalest = 30, writtenSince }: Expectations,
): string {
  if (writtenSince !== undefined || applied === undefined) return writtenSince ?? '';
  return new Date(instant(applied.startedAt) - stalest * 60_000).toISOString().slice(0, -1);
}

/**
 * Rows that stand twice say nothing wrong, columns that change places take their titles along, and figures of a file that
 * was written again are told as they were then.
 */
function hasTrueFigures({ damage }: StockExport): boolean {
  return damage === null || ['duplicated rows', 'columns swapped', 'old file again'].includes(damage);
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

function check(name: string, wrong: readonly string[], right: string): Check {
  const shown = wrong.slice(0, 5).join('; ');
  const more = wrong.length > 5 ? `; and ${wrong.length - 5} more` : '';
  return { name, ok: wrong.length === 0, detail: wrong.length === 0 ? right : shown + more };
}
