import { fieldSpan } from './csv-rows.ts';
import type { Doubt, ProtectedProduct, StockFault, StockField, VariantStock } from './stock.ts';
import type { StockFile, StockRow } from './stock-csv.ts';
import { asBuffer, encodeText, inBlocks, shortened, type CsvFormat } from './text-file.ts';

/** Units sold that Proshop's stock does not know yet. */
export interface Outstanding {
  readonly byEan: ReadonlyMap<string, number>;
  /** Units of lines without a readable EAN, by reference: counted against every variant of it. */
  readonly byReference: ReadonlyMap<string, number>;
}

/** A variant whose figure is not Proshop's, and why. */
export interface Correction {
  readonly ean: string;
  readonly reference: string;
  readonly size: string;
  /** Proshop's figure. */
  readonly proshop: number;
  readonly outstanding: number;
  /** What the shop must show. */
  readonly shown: number;
}

/** What a stock update changes in the shop. Every variant is counted once. */
export interface StockDifference {
  readonly up: number;
  /** Less than before, but more than 0. */
  readonly down: number;
  /** From some stock to 0, because the file says so or says nothing. */
  readonly toZero: number;
  /** Not in the last stock applied. */
  readonly created: number;
  readonly unchanged: number;
  /** The 20 largest changes, the largest first. */
  readonly largest: readonly VariantChange[];
}

export interface VariantChange {
  readonly ean: string;
  readonly reference: string;
  readonly size: string;
  /** Empty for a variant that the file does not name. */
  readonly name: string;
  /** Null when the shop does not have it yet. */
  readonly before: number | null;
  readonly after: number;
}

/** What the shop must show, and how ExportCSVmod says so. */
export interface StockPlan {
  /**
   * Each variant once, in the order of the file, then the protected products. What is not listed is 0. An entry
   * that is as Proshop says is the file's row itself: a million rows are not kept twice.
   */
  readonly variants: readonly VariantStock[];
  readonly corrections: readonly Correction[];
  readonly difference: StockDifference;
  /** Rows that were not taken as they stand. */
  readonly setAside: readonly StockFault[];
  /** Rows of ExportCSV that are left out of ExportCSVmod. */
  readonly removedRows: number;
  /** Rows of ExportCSV. */
  readonly rows: number;
  /** Units that the shop must show. */
  readonly units: number;
  /** Doubts of the plan's own, beside the file's. */
  readonly doubts: readonly Doubt[];
  /** Index of a row of ExportCSV -> its new quantity, or null to leave the row out. In the order of the file. */
  readonly edits: ReadonlyMap<number, number | null>;
  /** Products to which ExportCSVmod gives a row of their own. */
  readonly added: readonly ProtectedProduct[];
}

/** What a stock update is planned from, beside Proshop's file. */
export interface StockPlanInputs {
  readonly outstanding: Outstanding;
  /** The last stock applied to the shop, by EAN; null = never. */
  readonly applied: ReadonlyMap<string, VariantStock> | null;
  readonly protectedProducts: readonly ProtectedProduct[];
  /** `remove` leaves out a whole product that has an outstanding variant: the module then shows it at 0. */
  readonly mode: 'subtract' | 'remove';
}

const LARGEST = 20;
/** More odd rows than one in so many, and it is the file that is odd. */
const ODD_SHARE = 10;

/** Plans a stock update: Proshop's figure less the outstanding units, per variant, never below 0. */
export function planStock(stock: StockFile, inputs: StockPlanInputs): StockPlan {
  const { outstanding, applied, protectedProducts, mode } = inputs;
  const edits = new Map<number, number | null>();
  const leaveOut = (index: number) => edits.set(index, null);
  const isLeftOut = (index: number) => edits.get(index) === null;

  const variantRows = withEans(stock, applied);
  const protectedKeys = new Set(protectedProducts.flatMap(({ reference, ean }) => [reference, ean]));
  for (const [index, row] of variantRows.entries()) {
    if (protectedKeys.has(row.reference) || protectedKeys.has(row.ean ?? '')) leaveOut(index);
  }
  const repeated = findRepeated(stock, variantRows, isLeftOut);
  const { firstRow, smallest } = repeated;
  for (const index of repeated.same) leaveOut(index);

  const figureOf = (row: StockRow): number | null => {
    if (row.ean === null) return row.quantity;
    return smallest.get(row.ean) ?? row.quantity ?? applied?.get(row.ean)?.quantity ?? null;
  };
  // A quantity that cannot be read is the one last applied, less all that is outstanding: some of it may be subtracted
  // already, but the shop must never get back a unit that it sold since.
  const soldOf = (row: StockRow): number => {
    if (row.ean === null) return 0;
    const unread = row.reference === '' ? 0 : (outstanding.byReference.get(row.reference) ?? 0);
    return (outstanding.byEan.get(row.ean) ?? 0) + unread;
  };
  const shownOf = (row: StockRow): number | null => {
    const figure = figureOf(row);
    return figure === null ? null : Math.max(0, figure - soldOf(row));
  };

  const unitsLeft = new Map<string, number>();
  for (const row of variantRows) if (row.reference !== '' && soldOf(row) > 0) unitsLeft.set(row.reference, 0);
  for (const row of variantRows) {
    const left = unitsLeft.get(row.reference);
    // A row whose stock is unknown counts as stock.
    if (left !== undefined) unitsLeft.set(row.reference, left + (shownOf(row) ?? 1));
  }
  // The module zeroes a product that is absent, and says nothing of one whose rows are all 0.
  const isLeftOutWhole = (reference: string) =>
    mode === 'remove' ? unitsLeft.has(reference) : unitsLeft.get(reference) === 0;

  const variants: VariantStock[] = [];
  const corrections: Correction[] = [];
  const unknown: StockRow[] = [];
  for (const [index, row] of variantRows.entries()) {
    if (isLeftOut(index)) continue;
    const whole = isLeftOutWhole(row.reference);
    if (whole) leaveOut(index);
    const proshop = figureOf(row);
    const shown = whole ? 0 : shownOf(row);
    if (shown === null) unknown.push(row);
    if (row.ean === null || proshop === null || shown === null) continue;
    if (!whole && shown !== row.quantity) edits.set(index, shown);
    if (firstRow.get(row.ean) !== index) continue;
    const { ean, reference, size } = row;
    variants.push(isVariant(row) && row.quantity === shown ? row : { ean, reference, size, quantity: shown });
    const sold = soldOf(row);
    if (sold > 0 || shown !== proshop)
      corrections.push({ ean, reference, size, proshop, outstanding: sold, shown });
  }
  const others = protectedProducts.map(({ ean, reference, quantity }) => ({
    ean,
    reference,
    quantity,
    size: '',
  }));
  for (const variant of others) variants.push(variant);
  const otherEans = new Set(others.map(({ ean }) => ean));
  const isPlanned = (ean: string) => firstRow.has(ean) || otherEans.has(ean);
  const nameOf = (ean: string) => variantRows[firstRow.get(ean) ?? -1]?.name ?? '';

  return {
    variants,
    corrections,
    difference: difference(variants, applied, isPlanned, nameOf),
    setAside: [
      ...stock.unreadable.map(({ line, field, reason }) => ({ line, field, reason })),
      ...repeated.faults,
    ],
    removedRows: [...edits.values()].filter((quantity) => quantity === null).length,
    rows: stock.rows,
    units: variants.reduce((sum, variant) => sum + variant.quantity, 0),
    doubts: planDoubts(stock, unknown, repeated.faults.length - repeated.same.length),
    edits: new Map([...edits].sort(([a], [b]) => a - b)),
    added: protectedProducts,
  };
}

/** Writes ExportCSVmod: ExportCSV byte for byte, but for the plan's changed quantities, removed and added rows. */
export function stockUpdate(stock: StockFile, plan: StockPlan): Generator<Uint8Array> {
  return inBlocks(updatePieces(stock, plan));
}

function* updatePieces(stock: StockFile, plan: StockPlan): Generator<Uint8Array> {
  const bytes = asBuffer(stock.bytes);
  let written = 0;
  for (const [index, quantity] of plan.edits) {
    const start = stock.variants[index]?.start ?? bytes.length;
    const end = stock.variants[index + 1]?.start ?? bytes.length;
    if (quantity === null) {
      yield bytes.subarray(written, start);
      written = end;
      continue;
    }
    const row = bytes.toString('latin1', start, end);
    const span = fieldSpan(row, stock.header.columns.quantity ?? -1, stock.format.file);
    if (span === undefined) throw new Error(`Expected a quantity in row ${index} of ${stock.file}, got none`);
    yield bytes.subarray(written, start + span.start);
    yield Buffer.from(`${quantity}`);
    written = start + span.end;
  }
  yield bytes.subarray(written);
  // When the last rows are left out, the row before them has closed its line.
  const isLineOpen = written < bytes.length && bytes.at(-1) !== 0x0a;
  if (plan.added.length > 0) yield addedRows(stock, plan.added, isLineOpen);
}

// The added rows end as the file ends: with a line break, or without.
function addedRows(stock: StockFile, added: readonly ProtectedProduct[], isLineOpen: boolean): Buffer {
  const { bytes, format, header } = stock;
  const lineFeed = bytes.indexOf(0x0a);
  const lineBreak = bytes[lineFeed - 1] === 0x0d ? '\r\n' : '\n';
  const rows = added.map((product) => {
    const fields = Array.from({ length: header.width }, () => '');
    const values = { ...product, quantity: `${product.quantity}`, store: format.store };
    for (const [field, value] of Object.entries(values)) {
      const index = header.columns[field as StockField];
      if (index !== undefined) fields[index] = quoted(value, format.file);
    }
    return fields.join(format.file.delimiter);
  });
  const text =
    (isLineOpen ? lineBreak : '') + rows.join(lineBreak) + (bytes.at(-1) === 0x0a ? lineBreak : '');
  return encodeText(text, format.file.encoding);
}

function quoted(value: string, { delimiter, quote }: CsvFormat): string {
  const isPlain = ![delimiter, quote, '\r', '\n'].some((special) => value.includes(special));
  return isPlain ? value : `${quote}${value.replaceAll(quote, quote + quote)}${quote}`;
}

function isVariant(row: StockRow): row is StockRow & VariantStock {
  return row.ean !== null && row.quantity !== null;
}

interface Repeated {
  /** EAN -> index of the first row that bears it. */
  readonly firstRow: ReadonlyMap<string, number>;
  /** EAN of rows that contradict each other -> the smallest of their quantities. */
  readonly smallest: ReadonlyMap<string, number>;
  /** Indexes of rows that say again what an earlier one says. */
  readonly same: readonly number[];
  readonly faults: readonly StockFault[];
}

function findRepeated(
  stock: StockFile,
  variantRows: readonly StockRow[],
  isLeftOut: (index: number) => boolean,
): Repeated {
  const firstRow = new Map<string, number>();
  const smallest = new Map<string, number>();
  const same: number[] = [];
  const faults: StockFault[] = [];
  for (const [index, row] of variantRows.entries()) {
    if (row.ean === null || isLeftOut(index)) continue;
    const first = variantRows[firstRow.get(row.ean) ?? -1];
    if (first === undefined) {
      firstRow.set(row.ean, index);
      continue;
    }
    const isSame =
      first.quantity === row.quantity && first.reference === row.reference && first.size === row.size;
    if (isSame) same.push(index);
    const quantities = [first.quantity, row.quantity, smallest.get(row.ean)].filter((known) => known != null);
    if (!isSame && quantities.length > 0) smallest.set(row.ean, Math.min(...quantities));
    faults.push({
      line: row.line,
      field: stock.format.columns.ean,
      reason:
        `Expected \`${stock.format.columns.ean}\` to stand once, got \`${row.ean}\` again (first on line ${first.line}): ` +
        (isSame ? 'the same row, left out' : 'rows that differ, the smallest quantity is taken'),
    });
  }
  return { firstRow, smallest, same, faults };
}

// A row whose barcode cannot be read speaks of the variant of its reference and size, where the shop has one.
function withEans(stock: StockFile, applied: StockPlanInputs['applied']): readonly StockRow[] {
  if (applied === null || stock.variants.every(({ ean }) => ean !== null)) return stock.variants;
  const named = ({ reference, size }: Pick<VariantStock, 'reference' | 'size'>) =>
    JSON.stringify([reference, size]);
  // A row of another width may have anything under these titles.
  const shifted = new Set(stock.unreadable.filter(({ field }) => field === '').map(({ line }) => line));
  const borne = new Set(stock.variants.map(({ ean }) => ean));
  const missing = new Map(
    [...applied.values()]
      .filter(({ ean }) => !borne.has(ean))
      .map((variant) => [named(variant), variant.ean]),
  );
  return stock.variants.map((row) =>
    row.ean === null && !shifted.has(row.line) ? { ...row, ean: missing.get(named(row)) ?? null } : row,
  );
}

function difference(
  variants: readonly VariantStock[],
  applied: StockPlanInputs['applied'],
  isPlanned: (ean: string) => boolean,
  nameOf: (ean: string) => string,
): StockDifference {
  const counts = { up: 0, down: 0, toZero: 0, created: 0, unchanged: 0 };
  const largest: VariantChange[] = [];
  const compare = ({ ean, reference, size }: VariantStock, before: number | null, after: number) => {
    const step = after - (before ?? 0);
    if (before === null) counts.created++;
    else if (step === 0) counts.unchanged++;
    else if (after === 0) counts.toZero++;
    else if (step < 0) counts.down++;
    else counts.up++;
    if (step !== 0) keepLargest(largest, { ean, reference, size, name: '', before, after });
  };
  for (const variant of variants) {
    compare(variant, applied?.get(variant.ean)?.quantity ?? null, variant.quantity);
  }
  for (const variant of applied?.values() ?? []) {
    if (!isPlanned(variant.ean) && variant.quantity > 0) compare(variant, variant.quantity, 0);
  }
  return {
    ...counts,
    largest: largest.map((change) => ({
      ...change,
      size: shortened(change.size),
      name: shortened(nameOf(change.ean)),
    })),
  };
}

function keepLargest(largest: VariantChange[], change: VariantChange): void {
  const size = ({ before, after }: VariantChange) => Math.abs(after - (before ?? 0));
  const smaller = largest.findIndex((other) => size(other) < size(change));
  if (smaller === -1) largest.push(change);
  else largest.splice(smaller, 0, change);
  if (largest.length > LARGEST) largest.pop();
}

function planDoubts(stock: StockFile, unknown: readonly StockRow[], contradictions: number): Doubt[] {
  const doubts: Doubt[] = [];
  const where = (line: number | undefined) => `(${stock.file}, line ${line ?? 1})`;
  if (unknown.length > 0) {
    const message = `Expected a readable quantity or one applied before, got neither in ${unknown.length} row(s) ${where(unknown[0]?.line)}`;
    doubts.push({ rule: 'unreadable', message });
  }
  if (stock.unreadable.length * ODD_SHARE > stock.rows) {
    const message = `Expected at most one unreadable row in ${ODD_SHARE}, got ${stock.unreadable.length} of ${stock.rows} ${where(stock.unreadable[0]?.line)}`;
    doubts.push({ rule: 'unreadable', message });
  }
  if (contradictions * ODD_SHARE > stock.rows) {
    const message = `Expected at most one row in ${ODD_SHARE} to contradict another, got ${contradictions} of ${stock.rows} (${stock.file})`;
    doubts.push({ rule: 'duplicates', message });
  }
  return doubts;
}
