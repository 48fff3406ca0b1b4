import { readCsvRows, type CsvRow } from './csv-rows.ts';
import { isGencod } from './gencod.ts';
import type { Decimal } from './order.ts';
import { STOCK_FIELDS, type Doubt, type StockFault, type StockField } from './stock.ts';
import { encodingFault, shortened, type CsvFormat } from './text-file.ts';

const REQUIRED = ['reference', 'size', 'ean', 'quantity', 'store'] as const satisfies readonly StockField[];

/** How Proshop writes ExportCSV: `stock` in passerelle.yaml. */
export interface StockFormat {
  readonly file: CsvFormat;
  /** Our field -> title of its column. */
  readonly columns: Readonly<Record<(typeof REQUIRED)[number], string> & Partial<Record<StockField, string>>>;
  /** What the store column says in every row. */
  readonly store: string;
  /** `required` when left out: a last row without line break may be half a row. */
  readonly finalLineBreak?: 'required' | 'optional';
}

/** One row of ExportCSV, as far as it could be read. */
export interface StockRow {
  readonly line: number;
  /** Offset of the row's first byte in the file. */
  readonly start: number;
  readonly reference: string;
  readonly size: string;
  /** Supplier, material and colour: the name that the shop gives to the product. */
  readonly name: string;
  readonly supplier: string;
  /** Tax included. Null when the file has no such column, or an unreadable value in it. */
  readonly price: Decimal | null;
  /** Null when unreadable. */
  readonly ean: string | null;
  /** Proshop's figure, below 0 when a return is late. Null when unreadable. */
  readonly quantity: number | null;
}

/** A row that could not be read whole, with what could. */
export interface UnreadableRow extends StockFault {
  readonly ean: string | null;
  readonly reference: string;
}

/** ExportCSV as Proshop wrote it. */
export interface StockFile {
  readonly bytes: Uint8Array;
  readonly file: string;
  readonly format: StockFormat;
  readonly header: StockHeader;
  /** Number of rows below the header. */
  readonly rows: number;
  /** Every row below the header, in the order of the file. */
  readonly variants: readonly StockRow[];
  readonly unreadable: readonly UnreadableRow[];
  readonly doubts: readonly Doubt[];
}

export interface StockHeader {
  /** Number of columns. */
  readonly width: number;
  /** Our field -> index of its column. */
  readonly columns: Readonly<Partial<Record<StockField, number>>>;
  /** The first field that cannot do without a column and has none: no row is read then. */
  readonly missing: (typeof REQUIRED)[number] | undefined;
  /** The first field whose title stands above several columns. */
  readonly twice: StockField | undefined;
}

/** Rows that are not as expected: how many, and the first. */
interface Odd {
  rows: number;
  first: CsvRow | undefined;
}

const MOST_UNITS = 1_000_000;

/** Reads ExportCSV. Never throws on bad data: what is wrong with the file as a whole becomes doubts. */
export function readStock(bytes: Uint8Array, file: string, format: StockFormat): StockFile {
  const variants: StockRow[] = [];
  const unreadable: UnreadableRow[] = [];
  const otherWidth: Odd = { rows: 0, first: undefined };
  const otherStore: Odd = { rows: 0, first: undefined };
  const read = rowReader(format);
  let header: StockHeader | undefined;
  let last: CsvRow | undefined;

  const end = readCsvRows(bytes, format.file, (row) => {
    last = row;
    if (header === undefined) {
      header = readHeader(row, format);
      return;
    }
    if (header.missing !== undefined) return;
    const { variant, fault } = read(row, header);
    variants.push(variant);
    if (fault) unreadable.push({ ...fault, ean: variant.ean, reference: variant.reference });
    if (!isWhole(row, header, format)) note(otherWidth, row);
    else if (fieldText(row, header, 'store') !== format.store) note(otherStore, row);
  });

  const doubts: Doubt[] = [];
  const doubt = (rule: Doubt['rule'], line: number, expected: string, got: string, setting: string) =>
    doubts.push({
      rule,
      message: `Expected ${expected}, got ${got} (${file}, line ${line}; setting ${setting})`,
    });
  const encoding = encodingFault(bytes, format.file.encoding);
  if (encoding) doubt('encoding', encoding.line, encoding.expected, encoding.got, 'stock.file.encoding');
  if (header === undefined) {
    doubt('empty', 1, 'a header row', 'an empty file', 'proshop.exportName');
  } else if (header.missing !== undefined) {
    doubt(
      'header',
      1,
      `a column titled \`${format.columns[header.missing]}\``,
      `a header of ${header.width} column(s) without it`,
      header.width === 1 ? 'stock.file.delimiter' : `stock.columns.${header.missing}`,
    );
  } else if (header.twice !== undefined) {
    const title = `one column titled \`${format.columns[header.twice]}\``;
    doubt('header', 1, title, 'several', `stock.columns.${header.twice}`);
  } else if (variants.length === 0) {
    doubt('empty', 1, 'rows below the header', 'none', 'proshop.exportName');
  }
  if (otherWidth.first) {
    const { line, fields } = otherWidth.first;
    const got =
      fields.length === header?.width
        ? `${otherWidth.rows} row(s) joined with others by a quote, or of another width`
        : `${otherWidth.rows} row(s) of another width, the first of ${fields.length}`;
    doubt('width', line, `rows of ${header?.width} fields`, got, 'stock.file.quote');
  }
  if (otherStore.first && header) {
    const store = shortened(fieldText(otherStore.first, header, 'store'));
    const got = `${otherStore.rows} row(s) of another, the first of \`${store}\``;
    doubt('store', otherStore.first.line, `rows of store \`${format.store}\``, got, 'stock.store');
  }
  if (end.tooLong !== null) {
    doubt('width', end.tooLong, 'rows of at most 1 MB', 'a longer one', 'stock.file.quote');
  } else if (end.unclosed) {
    doubt('cut', end.unclosed.line, 'a closing quote', 'the end of the file', 'stock.file.quote');
  } else if (last && !end.lineBreak && format.finalLineBreak !== 'optional') {
    doubt('cut', last.line, 'a line break after the last row', 'the end of the file', 'stock.finalLineBreak');
  }

  return {
    bytes,
    file,
    format,
    header: header ?? { width: 0, columns: {}, missing: undefined, twice: undefined },
    rows: variants.length,
    variants,
    unreadable,
    doubts,
  };
}

/** How much a file says, to compare it with others: what it says of a barcode twice is counted once. */
export interface StockSize {
  readonly rows: number;
  /** Sum of Proshop's figures, those below 0 counted as 0. */
  readonly units: number;
}

export function sizeOf({ variants }: Pick<StockFile, 'variants'>): StockSize {
  const seen = new Set<string>();
  let [rows, units] = [0, 0];
  for (const { ean, quantity } of variants) {
    if (ean !== null && seen.has(ean)) continue;
    if (ean !== null) seen.add(ean);
    rows++;
    units += Math.max(0, quantity ?? 0);
  }
  return { rows, units };
}

function note(odd: Odd, row: CsvRow): void {
  odd.rows++;
  odd.first ??= row;
}

function readHeader(row: CsvRow, format: StockFormat): StockHeader {
  const titles = row.fields.map((title) => title.trim());
  const columns: Partial<Record<StockField, number>> = {};
  for (const field of STOCK_FIELDS) {
    const title = format.columns[field];
    const index = title === undefined ? -1 : titles.indexOf(title);
    if (index !== -1) columns[field] = index;
  }
  const missing = REQUIRED.find((field) => columns[field] === undefined);
  const twice = STOCK_FIELDS.find((field) => {
    const index = columns[field];
    return index !== undefined && titles.includes(titles[index] ?? '', index + 1);
  });
  return { width: row.fields.length, columns, missing, twice };
}

function rowReader(format: StockFormat) {
  const whole = new RegExp(`^-?\\d+(?:\\${format.file.decimalMark}0+)?$`);
  const amount = new RegExp(`^\\d{1,9}(?:\\${format.file.decimalMark}\\d{1,6})?$`);
  // A product has many rows: its texts are kept once.
  const texts = new Map<string, string>();
  const shared = (text: string) => {
    const known = texts.get(text);
    if (known === undefined) texts.set(text, text);
    return known ?? text;
  };

  return (row: CsvRow, header: StockHeader): { variant: StockRow; fault: StockFault | undefined } => {
    const text = (field: StockField) => fieldText(row, header, field);
    const fault = (field: (typeof REQUIRED)[number], expected: string, got: string): StockFault => ({
      line: row.line,
      field: format.columns[field],
      reason: `Expected \`${format.columns[field]}\` to be ${expected}, got ${got === '' ? 'nothing' : `\`${shortened(got)}\``}`,
    });
    const aligned = isWhole(row, header, format);
    const ean = aligned && isGencod(text('ean')) ? text('ean') : null;
    const quantity = aligned && whole.test(text('quantity')) ? Number.parseInt(text('quantity'), 10) : null;
    const plausible = quantity !== null && Math.abs(quantity) <= MOST_UNITS;
    const variant: StockRow = {
      line: row.line,
      start: row.start,
      reference: shared(text('reference')),
      size: shared(text('size')),
      name: shared(`${text('supplier')} ${text('material')} ${text('color')}`.trim()),
      supplier: shared(text('supplier')),
      price: amount.test(text('price')) ? shared(text('price').replace(format.file.decimalMark, '.')) : null,
      ean,
      quantity: plausible ? quantity : null,
    };
    if (!aligned) {
      const got = row.fields.length === header.width ? 'rows joined by a quote' : `${row.fields.length}`;
      const reason = `Expected ${header.width} fields, got ${got}`;
      return { variant, fault: { line: row.line, field: '', reason } };
    }
    if (ean === null) return { variant, fault: fault('ean', 'a barcode of 8 to 14 digits', text('ean')) };
    if (!plausible) {
      const expected = `a whole number up to ${MOST_UNITS}`;
      return { variant, fault: fault('quantity', expected, text('quantity')) };
    }
    return { variant, fault: undefined };
  };
}

// In any other row the values may stand under the wrong titles. A till's text may have lines, and a delimiter; both in
// one field mean that a stray quote has joined rows, of which the first may have been cut.
function isWhole({ fields }: CsvRow, header: StockHeader, { file }: StockFormat): boolean {
  const joins = (field: string) => field.includes('\n') && field.includes(file.delimiter);
  return fields.length === header.width && !fields.some(joins);
}

function fieldText(row: CsvRow, header: StockHeader, field: StockField): string {
  const index = header.columns[field];
  return index === undefined ? '' : (row.fields[index] ?? '').trim();
}
