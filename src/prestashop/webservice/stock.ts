import { setTimeout as pause } from 'node:timers/promises';
import pLimit from 'p-limit';
import { ShopAnswerError } from '../../failures.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { StockDeviation, StockPlanned, WrittenStock } from '../shop.ts';
import type { Webservice } from './api.ts';
import { readProducts, readStockRows, variantsOf, type ShopVariant } from './catalogue.ts';
import { inChunks, listBy, listByIds } from './list-by.ts';
import { stockRow, type StockRow } from './rows.ts';

export interface StockSettings {
  /** Rows in one request, at most. */
  readonly batch: number;
  /** Batches at once, at most: as many as requests, so that no write waits between the look at its rows and itself. */
  readonly concurrency: number;
  /** Rounds of the closing sweep, at most. */
  readonly rounds: number;
}

/** Milliseconds between two looks at an order of which a part is still to come: it takes the shop a tenth of a second. */
const UNTIL_WHOLE = 150;
/** Looks at most: an order whose making was cut stays as it is for good. */
const LOOKS = 10;
/** What must stand in a row of the shop, and what stood there when it was read last. */
interface Figure {
  readonly variant: ShopVariant;
  readonly row: StockRow | undefined;
  readonly target: number;
}

/**
 * Makes the shop's stock what the plan says, while shoppers buy. The shop knows absolute numbers only, and takes its own
 * sales down by reading one and writing another: whoever writes last wins. So orders are read first; each row is looked at
 * again just before it is written, and what left it meanwhile is taken off; and after writing, rows and orders are read
 * until they agree (the closing sweep).
 */
export function createStockWriter(
  { api, ledger }: { readonly api: Webservice; readonly ledger: Ledger },
  { batch, concurrency, rounds }: StockSettings,
) {
  const limit = pLimit(concurrency);
  return async function writeStock(
    readOrders: () => Promise<unknown>,
    planned: () => Promise<StockPlanned>,
    signal: AbortSignal,
  ): Promise<WrittenStock> {
    const times = [Date.now()];
    const spent = { looking: 0, writing: 0 };
    await readWholeOrders();
    const movesBefore = await ledger.shopMoves();
    const [products, rows] = await Promise.all([readProducts(api, signal), readStockRows(api, signal)]);
    const remembered = await ledger.shopRows();
    const shelf = openShelf(rows, remembered);
    const variants = variantsOf(products);
    times.push(Date.now());

    await readWholeOrders();
    let plan = await planned();
    let matched = match(plan, variants, shelf.rowOf);
    const unexplained = await changedByHand(matched.figures, movesBefore);
    const wrong = matched.figures.filter(isWrong);
    times.push(Date.now());

    const touched = new Set([...wrong.map(({ variant }) => variant.productId), ...wrongTotals()]);
    let written = await write(wrong, wrongTotals());
    const lookingShare = spent.looking / Math.max(1, spent.looking + spent.writing);
    times.push(Date.now());

    let corrected = 0;
    let left: readonly Figure[] = [];
    let round = 0;
    for (let isRight = false; !isRight && round < rounds; round++) {
      await readShelf(touched);
      const before = matched.figures;
      await readWholeOrders();
      plan = await planned();
      matched = match(plan, variants, shelf.rowOf);
      // Orders that came since touch variants that were right before; one that Proshop counts already changes no target.
      const stirred = await stirredSince(movesBefore);
      const moved = matched.figures.filter(
        ({ target, variant }, index) => target !== before[index]?.target || stirred.has(variant.ean),
      );
      const unread = new Set(moved.map(({ variant }) => variant.productId).filter((id) => !touched.has(id)));
      if (unread.size > 0) {
        await readShelf(unread);
        for (const id of unread) touched.add(id);
        matched = match(plan, variants, shelf.rowOf);
      }
      left = matched.figures.filter((figure) => touched.has(figure.variant.productId) && isWrong(figure));
      const totals = wrongTotals();
      isRight = left.length === 0 && totals.length === 0;
      if (isRight) continue;
      const count = await write(left, totals);
      written += count;
      corrected += count;
    }
    await ledger.rememberShopRows(shelf.unknown());
    times.push(Date.now());
    const [reading = 0, planning = 0, both = 0, closing = 0] = times
      .slice(1)
      .map((time, index) => time - (times[index] ?? 0));
    const looking = Math.round(both * lookingShare);
    return {
      variants: plan.variants,
      different: wrong.length,
      rows: written,
      corrected,
      rounds: round,
      left: left.map(({ variant, row, target }) => ({
        ean: variant.ean,
        expected: target,
        got: row?.quantity ?? null,
      })),
      unexplained,
      absent: matched.absent,
      ambiguous: matched.ambiguous,
      withoutBarcode: matched.withoutBarcode,
      milliseconds: { reading, planning, looking, writing: both - looking, closing },
    };

    function wrongTotals(): number[] {
      const planned = new Set(matched.figures.map(({ variant }) => variant.productId));
      return shelf.wrongTotals().filter((productId) => planned.has(productId));
    }

    /** Reads the orders, and again while one of them is not whole: its stock may be gone before its rows are there. */
    async function readWholeOrders(): Promise<void> {
      for (let look = 1; ; look++) {
        await readOrders();
        const incomplete = (await ledger.incompleteOrders()).filter(({ givenUpAt }) => givenUpAt === null);
        if (incomplete.length === 0 || look === LOOKS) return;
        await pause(UNTIL_WHOLE, undefined, { signal });
      }
    }

    async function readShelf(productIds: ReadonlySet<number>): Promise<void> {
      shelf.see(await listBy(api, 'stock_availables', stockRow, 'id_product', [...productIds], signal));
    }

    /** Writes what is wrong; a total is put right by writing any of its sizes. Gives how many rows were written. */
    async function write(figures: readonly Figure[], totals: readonly number[]): Promise<number> {
      const written = new Set(figures.map(({ variant }) => variant.productId));
      const forced = totals.flatMap((productId) => {
        const figure = written.has(productId)
          ? undefined
          : matched.figures.find(({ variant }) => variant.productId === productId);
        return figure ? [figure] : [];
      });
      const counts = await Promise.all(
        lanes([...figures, ...forced], batch).map((lane) =>
          limit(async () => {
            let count = 0;
            for (const part of lane) count += await writeBatch(part, new Set(forced));
            return count;
          }),
        ),
      );
      return counts.reduce((sum, count) => sum + count, 0);
    }

    async function writeBatch(figures: readonly Figure[], forced: ReadonlySet<Figure>): Promise<number> {
      const ids = figures.flatMap(({ row }) => (row === undefined ? [] : [row.id]));
      const startedAt = performance.now();
      const rows = await listByIds(api, 'stock_availables', stockRow, ids, signal);
      const lookedAt = performance.now();
      const fresh = new Map(rows.map((row) => [row.id, row]));
      const changes = figures.flatMap((figure) => {
        const row = fresh.get(figure.row?.id ?? 0) ?? shelf.lostRow(figure.variant);
        if (row === undefined) return [];
        // Sold since it was read last. The plan may know of it by now: then the sweep puts it right.
        const sold = Math.max(0, (figure.row?.quantity ?? row.quantity) - row.quantity);
        const isRight = row.quantity === figure.target && row.id_shop !== 0;
        if (isRight && !forced.has(figure)) return [];
        const quantity = isRight ? row.quantity : Math.max(0, figure.target - sold);
        return [{ ...row, ...shelf.placeOf(row), quantity }];
      });
      try {
        await api.replace('stock_availables', changes, signal);
      } catch (error) {
        // Perhaps written, or a part of it: the sweep reads every row.
        if (!(error instanceof ShopAnswerError && error.mayHaveBegun)) throw error;
      }
      spent.looking += lookedAt - startedAt;
      spent.writing += performance.now() - lookedAt;
      return changes.length;
    }

    /** Barcodes that orders moved in the shop's stock since then, as far as the ledger knows, and those of new refunds. */
    async function stirredSince(before: ReadonlyMap<string, number>): Promise<ReadonlySet<string>> {
      const moves = await ledger.shopMoves();
      const moved = [...before.keys(), ...moves.keys()].filter((ean) => before.get(ean) !== moves.get(ean));
      return new Set([...moved, ...(await refundedSince(new Date(times[0] ?? 0)))]);
    }

    /** A slip does not say whether the units went back into stock. */
    async function refundedSince(time: Date): Promise<readonly string[]> {
      const slips = (await ledger.takeBacksForPeople()).filter(
        ({ cause, seenAt }) => cause !== 'cancelled' && seenAt >= time,
      );
      return slips.flatMap(({ lines }) => lines.flatMap(({ ean }) => ean ?? []));
    }

    async function changedByHand(
      figures: readonly Figure[],
      before: ReadonlyMap<string, number>,
    ): Promise<StockDeviation[]> {
      const last = await ledger.lastAppliedExport();
      if (last === null) return [];
      const applied = await ledger.appliedStock();
      const after = await ledger.shopMoves();
      const incomplete = (await ledger.incompleteOrders()).flatMap(({ lines }) =>
        lines.flatMap(({ ean }) => ean ?? []),
      );
      const unsure = new Set([...incomplete, ...(await refundedSince(last.appliedAt ?? new Date(0)))]);
      // Which size a line without barcode has taken, nobody can say.
      const { lines } = await ledger.outstanding();
      const unsureModels = new Set(lines.flatMap(({ ean, reference }) => (ean === null ? [reference] : [])));
      return figures.flatMap(({ variant: { ean, reference }, row }) => {
        const shown = applied.get(ean);
        if (shown === undefined || row === undefined || unsure.has(ean) || unsureModels.has(reference))
          return [];
        // The rows were read between the two looks at the orders.
        const [one, other] = [before, after].map((moves) => shown.quantity + (moves.get(ean) ?? 0)) as [
          number,
          number,
        ];
        const isKnown = row.quantity >= Math.min(one, other) && row.quantity <= Math.max(one, other);
        return isKnown ? [] : [{ ean, expected: other, got: row.quantity }];
      });
    }
  };
}

interface Matched {
  readonly figures: readonly Figure[];
  readonly absent: readonly string[];
  readonly ambiguous: readonly string[];
  readonly withoutBarcode: readonly string[];
}

/** Says of each variant of the shop what it must show: the plan's figure, nothing when the plan does not name it. */
function match(
  { variants: plan, kept }: StockPlanned,
  variants: readonly ShopVariant[],
  rowOf: (variant: ShopVariant) => StockRow | undefined,
): Matched {
  const byEan = new Map(plan.map((variant) => [variant.ean, variant.quantity]));
  const ofReference = new Map<string, number | null>();
  for (const { reference, quantity } of plan)
    ofReference.set(reference, ofReference.has(reference) ? null : quantity);
  const found = new Set<string>();
  const ambiguous = new Set<string>();
  const withoutBarcode = new Set<string>();
  const targetOf = ({ ean, reference, combinationId }: ShopVariant): number | null => {
    const planned = byEan.get(ean);
    if (planned !== undefined) {
      if (!found.has(ean)) {
        found.add(ean);
        return planned;
      }
      ambiguous.add(ean);
      return 0;
    }
    if (kept.has(reference) || kept.has(ean)) return null;
    if (ean !== '') return 0;
    // A product without sizes and barcode is known by its reference, where that is one variant's alone.
    const single = combinationId === 0 ? ofReference.get(reference) : undefined;
    if (single == null && ofReference.has(reference)) withoutBarcode.add(reference);
    return single ?? 0;
  };
  const figures = variants.flatMap((variant) => {
    const target = targetOf(variant);
    return target === null ? [] : [{ variant, row: rowOf(variant), target }];
  });
  const absent = plan.filter(({ ean, quantity }) => quantity > 0 && !found.has(ean)).map(({ ean }) => ean);
  return { figures, absent, ambiguous: [...ambiguous], withoutBarcode: [...withoutBarcode] };
}

/** A row that is missing is wrong as long as it should show something. */
function isWrong({ row, target }: Figure): boolean {
  return row === undefined ? target > 0 : row.quantity !== target || row.id_shop === 0;
}

/** The stock rows as they were last seen. */
function openShelf(rows: readonly StockRow[], remembered: ReadonlyMap<string, number>) {
  const byVariant = new Map<string, StockRow>();
  const see = (seen: readonly StockRow[]) => {
    for (const row of seen) {
      const key = `${row.id_product}/${row.id_product_attribute}`;
      const known = byVariant.get(key);
      // Of several shops' rows, the first one's. A row that a careless client moved to shop 0 is nobody's.
      if (known === undefined || known.id === row.id || known.id_shop === 0) byVariant.set(key, row);
    }
  };
  see(rows);
  const home = rows.find(({ id_shop }) => id_shop !== 0);
  const place = { id_shop: home?.id_shop ?? 1, id_shop_group: home?.id_shop_group ?? 0 };
  const keyOf = ({ productId, combinationId }: ShopVariant) => `${productId}/${combinationId}`;
  return {
    see,
    /** Rows that are not remembered, as they are kept. */
    unknown: () =>
      [...byVariant]
        .filter(([key, row]) => remembered.get(key) !== row.id)
        .map(([, row]) => ({
          productId: row.id_product,
          combinationId: row.id_product_attribute,
          rowId: row.id,
        })),
    rowOf: (variant: ShopVariant) => byVariant.get(keyOf(variant)),
    placeOf: (row: StockRow) => (row.id_shop === 0 ? place : {}),
    /** In 1.7.8 a row in shop 0 is in no list any more: it is written as it was known before. */
    lostRow(variant: ShopVariant): StockRow | undefined {
      const id = remembered.get(keyOf(variant));
      if (id === undefined) return undefined;
      const { productId, combinationId } = variant;
      return {
        id,
        id_product: productId,
        id_product_attribute: combinationId,
        ...place,
        quantity: 0,
        depends_on_stock: 0,
        out_of_stock: 2,
      };
    },
    /** Products whose total is not the sum of their sizes. */
    wrongTotals(): number[] {
      const sums = new Map<number, number>();
      for (const row of byVariant.values()) {
        if (row.id_product_attribute === 0 || row.id_shop === 0) continue;
        sums.set(row.id_product, (sums.get(row.id_product) ?? 0) + row.quantity);
      }
      return [...sums].flatMap(([id, sum]) => {
        const total = byVariant.get(`${id}/0`);
        return total === undefined || total.quantity === sum ? [] : [id];
      });
    },
  };
}

/**
 * Parts of at most `size` that may be written at the same time, lane beside lane: never two of them on one product, since
 * the shop sums up a product's total from what it reads.
 */
function lanes(figures: readonly Figure[], size: number): Figure[][][] {
  const byProduct = new Map<number, Figure[]>();
  for (const figure of figures) {
    const others = byProduct.get(figure.variant.productId);
    if (others) others.push(figure);
    else byProduct.set(figure.variant.productId, [figure]);
  }
  const all: Figure[][][] = [];
  let open: Figure[] = [];
  for (const group of byProduct.values()) {
    if (group.length > size) {
      all.push(inChunks(group, size));
      continue;
    }
    if (open.length + group.length > size) open = [];
    if (open.length === 0) all.push([open]);
    open.push(...group);
  }
  return all;
}
