import { check } from './check.ts';
import type { Check } from './check.ts';
import type { Expectations } from './expectations.ts';
import { equalName, judgeFigures } from './judge-figures.ts';
import type { StockExport, Truth, TruthLine, TruthOrder, TruthRequest, TruthWebservice } from './truth.ts';

/** Judges the stock and the catalogue of a shop that is reached by its Webservice, at a quiet moment. */
export function judgeWebservice(
  truth: Truth,
  webservice: TruthWebservice,
  expectations: Expectations,
): readonly Check[] {
  return [...judgeStock(truth, webservice, expectations), judgeShelves(truth), ...judgeCatalogue(webservice)];
}

/** What the check is called that must hold at any time, whatever a cycle was able to do. */
export const NEVER_ZEROED = 'the shop is not zeroed as a whole';

/** Of the products that Proshop has, the shop may show nothing of half of them: more are not sold out at once. */
function judgeShelves({ variants }: Truth): Check {
  const references = [
    ...new Set(variants.flatMap(({ reference, shop }) => (shop === null ? [] : [reference]))),
  ];
  const unitsOf = (wanted: string, where: 'shop' | 'proshop') =>
    variants
      .filter(({ reference }) => reference === wanted)
      .reduce((units, variant) => units + (variant[where] ?? 0), 0);
  const stocked = references.filter((reference) => unitsOf(reference, 'proshop') > 0);
  const zeroed = stocked.filter((reference) => unitsOf(reference, 'shop') <= 0);
  const wrong = `${zeroed.length} of ${stocked.length} products that Proshop has show nothing`;
  return check(
    NEVER_ZEROED,
    zeroed.length * 2 > stocked.length ? [wrong] : [],
    `${zeroed.length} show nothing`,
  );
}

/** The last time that passerelle looked whether the stock was right. */
interface LastLook {
  /** What happened before that, it has seen. */
  readonly from: string;
  /** What happened after that, it has not. In between, it may have. */
  readonly to: string;
}

/** Bounds, both included. */
interface Range {
  readonly low: number;
  readonly high: number;
}

function judgeStock(
  truth: Truth,
  { requests }: TruthWebservice,
  expectations: Expectations,
): readonly Check[] {
  const { stock = 'exact' } = expectations;
  if (stock === 'unchanged') {
    const writes = requests.filter(
      ({ resource, method }) => resource === 'stock_availables' && method !== 'GET',
    );
    return [
      check(
        'no stock was written',
        writes.map(({ startedAt }) => `stock was written at ${startedAt}`),
        'none',
      ),
    ];
  }
  const look = lastLook(requests);
  const vouchers = judgeVouchers(truth, look);
  if (look === undefined) {
    const none = stock === 'exact' ? ["the shop's stock was never looked at"] : [];
    return [check(equalName(stock), none, 'no update ran'), vouchers];
  }
  const wrongVariants = (written: StockExport) => wrongFigures(truth, written, look, stock);
  return [...judgeFigures(truth, { at: look.from, wrongVariants }, expectations, stock), vouchers];
}

/** The closing sweep ends with a look at the stock, then one at the orders, which agree. */
function lastLook(requests: readonly TruthRequest[]): LastLook | undefined {
  const whole = requests.filter(({ method, status }) => method === 'GET' && status === 200);
  const stock = whole.findLast(({ resource }) => resource === 'stock_availables');
  if (stock === undefined) return undefined;
  const orders = whole.findLast(
    ({ resource, startedAt }) => resource === 'orders' && startedAt >= stock.startedAt,
  );
  return { from: stock.startedAt, to: orders?.endedAt ?? stock.endedAt ?? stock.startedAt };
}

function judgeVouchers(truth: Truth, look: LastLook | undefined): Check {
  const wrong = truth.vouchers.flatMap(({ reference, initial, shop }) => {
    const lines = (order: TruthOrder) => order.lines.filter((line) => line.reference === reference);
    // Each update sets them to what is configured; sales since then have come off.
    const [from, to] = [look?.from ?? '', look?.to ?? ''].map(
      (at) => initial + movesSince(truth, at, lines, () => true),
    ) as [number, number];
    const isRight = shop >= Math.min(from, to) && shop <= Math.max(from, to);
    return isRight ? [] : [`${reference}: expected ${to}, got ${shop}`];
  });
  return check('gift vouchers keep their stock', wrong, `${truth.vouchers.length} product(s)`);
}

/** Variants whose stock in the shop is not Proshop's figure minus the orders that the figure does not include. */
function wrongFigures(
  truth: Truth,
  written: StockExport,
  look: LastLook,
  stock: 'exact' | 'never more',
): readonly string[] {
  return truth.variants.flatMap((variant) => {
    const ranges = [look.from, look.to].map((at) => expectedAt(truth, written, at, look, variant));
    const shown = variant.shop ?? 0;
    const isRight = ranges.some(({ low, high }) => shown <= high && (stock === 'never more' || shown >= low));
    if (isRight) return [];
    const { low, high } = ranges.at(-1) ?? { low: 0, high: 0 };
    const figure = written.figures[variant.ean] ?? 0;
    return [
      `${variant.reference} ${variant.size} (${variant.ean}): expected ${low === high ? low : `${low} to ${high}`} (Proshop ${figure}), got ${shown}`,
    ];
  });
}

/** What a variant shows when passerelle has seen all that happened until then. */
function expectedAt(
  truth: Truth,
  written: StockExport,
  at: string,
  look: LastLook,
  { ean, reference }: { readonly ean: string; readonly reference: string },
): Range {
  const reflected = new Set(written.reflects);
  const outstanding = { sure: 0, possible: 0 };
  for (const order of truth.orders) {
    if (reflected.has(order.id) || order.placedAt > at) continue;
    // A line without gencod counts against every size of its model: which one was sold cannot be known.
    const units = sum(
      order.lines.filter((line) => (line.gencod ? line.ean === ean : line.reference === reference)),
    );
    const counts = isCounted(order, at, look);
    if (counts === 'yes') outstanding.sure += units;
    if (counts !== 'no') outstanding.possible += units;
  }
  const figure = written.figures[ean] ?? 0;
  const since = movesSince(
    truth,
    at,
    (order) => order.lines.filter((line) => line.ean === ean),
    (refunded) => refunded === ean,
  );
  const unfinished = sum(
    truth.orders
      .filter((order) => order.life?.standing === 'incomplete' && order.placedAt > at)
      .flatMap((order) => order.lines.filter((line) => line.ean === ean)),
  );
  return {
    low: Math.max(0, figure - outstanding.possible) + since,
    high: Math.max(0, figure - outstanding.sure) + since + unfinished,
  };
}

/** Whether an order that Proshop's figures do not include was to be taken off them. */
function isCounted({ life, taken }: TruthOrder, at: string, { to }: LastLook): 'yes' | 'no' | 'perhaps' {
  // Not whole by then, though it may be since: its stock is taken or not, and it is given up after a time.
  if (life?.changes.every((change) => change.at > to) === true) return 'perhaps';
  const then = life?.changes.findLast((change) => change.at <= at);
  if (then?.standing !== 'cancelled') return 'yes';
  // Proshop has it, whether its figures say so yet or not.
  return taken.length > 0 ? 'perhaps' : 'no';
}

/** Units that the shop itself put back since then, less those that it sold. */
function movesSince(
  { orders }: Truth,
  at: string,
  linesOf: (order: TruthOrder) => readonly TruthLine[],
  isIt: (ean: string) => boolean,
): number {
  return orders.reduce((moved, order) => {
    const lines = linesOf(order);
    const { life } = order;
    const sold = order.placedAt > at ? sum(lines) : 0;
    const back = (life?.stockBackAt ?? '') > at ? sum(lines) : 0;
    const eans = new Set(lines.map(({ ean }) => ean));
    const refunded = (life?.refunds ?? [])
      .filter((refund) => refund.restock && refund.at > at)
      .flatMap((refund) => refund.lines.filter(({ ean }) => isIt(ean) && eans.has(ean)));
    return moved - sold + back + sum(refunded);
  }, 0);
}

function sum(lines: readonly { readonly quantity: number }[]): number {
  return lines.reduce((units, { quantity }) => units + quantity, 0);
}

function judgeCatalogue({ products, brands, suppliers, attributes }: TruthWebservice): readonly Check[] {
  const sized = products.filter(({ sizes }) => sizes.length > 0);
  const sizes = sized.flatMap((product) => product.sizes);
  return [
    check(
      "each product's total is the sum of its sizes",
      sized.flatMap((product) => {
        const units = sum(product.sizes);
        return units === product.total
          ? []
          : [`${product.reference}: expected ${units}, got ${product.total}`];
      }),
      `${sized.length} product(s)`,
    ),
    check(
      'nothing exists twice',
      [
        ...twice(
          'product',
          products.map(({ reference }) => reference),
        ),
        ...twice(
          'barcode',
          sizes.map(({ ean }) => ean),
        ),
        ...sized.flatMap(({ reference, sizes }) =>
          twice(
            `size of ${reference}`,
            sizes.map(({ values }) => values.join(' ')),
          ),
        ),
        ...twice('brand', brands),
        ...twice('supplier', suppliers),
        ...twice(
          'attribute',
          attributes.map(({ name }) => name),
        ),
        ...attributes.flatMap(({ name, values }) => twice(name, values)),
      ],
      `${products.length} product(s), ${sizes.length} size(s), ${brands.length} brand(s)`,
    ),
    check(
      'every product shows one of its sizes first',
      sized.flatMap((product) => {
        const defaults = product.sizes.filter(({ isDefault }) => isDefault).length;
        return defaults === 1 ? [] : [`${product.reference}: expected one default size, got ${defaults}`];
      }),
      `${sized.length} product(s)`,
    ),
  ];
}

function twice(what: string, names: readonly string[]): readonly string[] {
  // PrestaShop compares names without case.
  const keys = names.map((name) => name.toLowerCase());
  return names
    .filter((name, index) => name !== '' && keys.indexOf(name.toLowerCase()) !== index)
    .map((name) => `${what} ${name}`);
}
