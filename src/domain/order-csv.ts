import { joinsRows, readCsvRows, spansLines, type CsvEnd, type CsvRow } from './csv-rows.ts';
import { HEADER_ROW, readHeader, type OrdersFormat, type OrdersHeader } from './order-header.ts';
import { orderRowReader, type Fault, type OrderRow } from './order-row.ts';
import { orderSchema, type Order, type OrderLine, type SetAsideOrder, type SoldLine } from './order.ts';
import { encodingFault, FormatError } from './text-file.ts';

export type { OrdersFormat };

/** What an orders file holds. Every order number in it is either in `orders` or in `setAside`. */
export interface OrdersFile {
  readonly orders: readonly Order[];
  readonly setAside: readonly SetAsideOrder[];
  /** Number of rows below the header. */
  readonly rows: number;
  /** Set when the last row is not whole: the upload may still be going on. */
  readonly cut: Cut | null;
}

export interface Cut {
  readonly line: number;
  readonly expected: string;
  readonly got: string;
}

/** The rows of one order, wherever they stand in the file. */
interface Group {
  /** Null for a row without a readable number, which is a group of its own. */
  readonly id: string | null;
  readonly reference: string;
  readonly head: OrderRow['head'];
  readonly lines: OrderLine[];
  readonly line: number;
  readonly sold: SoldLine[];
  fault: Fault | undefined;
}

const SEPARATE_LINES = '"each product in a separate line" of the module Order Export';
const DATE_FORMAT = '"date format" of the module Order Export';
/** Settings that one bad row in two proves wrong; any other must be seen in more rows than a small file has. */
const TELLTALE = new Set(['orders.file.decimalMark', 'orders.columns.order.id', DATE_FORMAT]);
const FEW_ROWS = 5;
/**
 * A file with more rows that cannot be taken, and more than half of all, is not read on: what is set aside stays in
 * memory and in the ledger.
 */
const MOST_UNREADABLE = 10_000;
const JOINED = /^[\d\s]*(,[\d\s]*)+$/;

/**
 * Reads the orders of one file of the module Order Export.
 *
 * A row that cannot be taken sets its whole order aside, with what could be read of its lines.
 * @throws {FormatError} when the file as a whole is not what the configuration says
 */
export function readOrders(bytes: Uint8Array, file: string, format: OrdersFormat): OrdersFile {
  const encoding = encodingFault(bytes, format.file.encoding);
  if (encoding) throw new FormatError({ ...encoding, file, setting: 'orders.file.encoding' });

  let orders: ReturnType<typeof orderCollector> | undefined;
  let held: CsvRow | undefined;
  // A row is taken once the next one has come: only the last can be cut.
  const takeHeld = () => {
    if (held === undefined) return;
    if (orders) orders.take(held);
    else orders = orderCollector(readHeader(held, file, format), file, format);
  };
  const hold = (row: CsvRow) => {
    takeHeld();
    held = row;
  };
  const end = readCsvRows(bytes, format.file, hold);
  if (end.tooLong !== null) {
    const expected = 'rows of at most 1 MB';
    const fault = { file, line: end.tooLong, setting: 'orders.file.quote', expected, got: 'a longer one' };
    throw new FormatError(fault);
  }
  if (end.unclosed) hold(end.unclosed);
  if (held === undefined) {
    throw new FormatError({
      file,
      line: 1,
      setting: HEADER_ROW,
      expected: 'a header row',
      got: 'an empty file',
    });
  }
  const cut = cutOf(held, end, orders?.width ?? 0, format);
  if (cut) orders?.takeCut(held, cut);
  else takeHeld();
  return { ...(orders?.finish() ?? { orders: [], setAside: [], rows: 0 }), cut };
}

function cutOf(last: CsvRow, end: CsvEnd, width: number, format: OrdersFormat): Cut | null {
  const { line, fields } = last;
  if (end.unclosed) return { line, expected: 'a closing quote', got: 'the end of the file' };
  if (fields.length < width) return { line, expected: `${width} fields`, got: `${fields.length}` };
  if (end.lineBreak || format.finalLineBreak === 'optional') return null;
  return { line, expected: 'a line break after the last row', got: 'the end of the file' };
}

/** Takes rows one by one and makes orders of them. */
function orderCollector(header: OrdersHeader, file: string, format: OrdersFormat) {
  const mark = format.file.decimalMark;
  const read = orderRowReader(header, mark);
  const groups = new Map<string, Group>();
  const misread = new Map<string, { readonly first: Fault; rows: number }>();
  let rows = 0;
  let unreadable = 0;

  return {
    width: header.width,

    take(row: CsvRow): void {
      if (row.fields.length !== header.width && spansLines(row)) throw joined(row.line);
      refuseJoined(row);
      const found = read(row, (id) => !groups.has(id));
      if (found.fault) noteMisread(found.fault);
      add(found, found.fault);
    },

    takeCut(row: CsvRow, cut: Cut): void {
      refuseJoined(row);
      const { line, start, fields } = row;
      // The last field may be half of itself.
      const found = read({ line, start, fields: fields.slice(0, -1) }, () => false);
      const expected = `${cut.expected}, this row being the last (setting orders.finalLineBreak)`;
      add(found, { line, column: null, expected, got: cut.got });
    },

    finish(): Omit<OrdersFile, 'cut'> {
      refuseMisreadFile();
      const orders: Order[] = [];
      const setAside: SetAsideOrder[] = [];
      for (const group of groups.values()) {
        const { order, fault } = orderOf(group);
        if (order) orders.push(order);
        else setAside.push(asideOf(group, fault));
      }
      setAside.sort((a, b) => a.line - b.line);
      return { orders, setAside, rows };
    },
  };

  // The orders of rows that a stray quote has joined would be lost, or mixed.
  function refuseJoined(row: CsvRow): void {
    if (joinsRows(row, header.width, format.file)) throw joined(row.line);
  }

  function joined(line: number): FormatError {
    const expected = 'a quote to be closed in its own row';
    return new FormatError({ file, line, setting: 'orders.file.quote', expected, got: 'rows joined by one' });
  }

  function add({ line, id, reference, head, product, sold }: OrderRow, fault: Fault | undefined): void {
    rows++;
    if (fault) unreadable++;
    if (fault && unreadable > MOST_UNREADABLE && unreadable * 2 > rows) {
      const setting = settingOf(fault) ?? `orders.columns.${fault.column?.group}.${fault.column?.field}`;
      const expected = `at most ${MOST_UNREADABLE} rows that cannot be taken, or half of them`;
      throw new FormatError({ file, line, setting, expected, got: 'more' });
    }
    const key = id ?? `line ${line}`;
    const group = groups.get(key) ?? { id, line, reference, head, lines: [], sold: [], fault: undefined };
    groups.set(key, group);
    group.fault ??= fault;
    if (reference !== group.reference) {
      const expected = `one reference for order ${id}`;
      group.fault ??= { line, column: null, expected, got: 'another than in the row before' };
    }
    if (product) group.lines.push(product);
    if (sold) group.sold.push(sold);
  }

  function orderOf({ line, head, lines, fault }: Group): { order?: Order; fault: Fault | undefined } {
    if (fault || head === undefined) return { fault };
    const order = { ...head, lines };
    const [issue] = orderSchema.safeParse(order).error?.issues ?? [];
    if (issue === undefined) return { order, fault };
    return { fault: { line, column: null, expected: issue.message, got: `\`${issue.path.join('.')}\`` } };
  }

  function noteMisread(fault: Fault): void {
    const setting = settingOf(fault);
    if (setting === null) return;
    if (setting === SEPARATE_LINES) {
      const got = 'several, joined by commas';
      throw new FormatError({ file, line: fault.line, setting, expected: 'one product in a row', got });
    }
    const seen = misread.get(setting) ?? { first: fault, rows: 0 };
    misread.set(setting, { ...seen, rows: seen.rows + 1 });
  }

  function refuseMisreadFile(): void {
    for (const [setting, { first, rows: faulty }] of misread) {
      const isOfOrder = first.column?.group === 'order' && first.column.field !== 'id';
      const tried = isOfOrder ? groups.size : rows;
      if (faulty * 2 <= tried || (faulty < FEW_ROWS && !TELLTALE.has(setting))) continue;
      const got = `${shown(first)}, and so in ${faulty} of ${tried}`;
      throw new FormatError({ file, line: first.line, setting, expected: expectation(first), got });
    }
  }

  function asideOf({ id, line, reference, sold }: Group, fault: Fault | undefined): SetAsideOrder {
    return {
      id: id === null ? null : Number(id),
      reference,
      file,
      line: fault?.line ?? line,
      field: fault?.column?.title ?? '',
      reason: fault ? `Expected ${expectation(fault)}, got ${shown(fault)}` : 'Expected an order, got none',
      lines: sold,
    };
  }
}

/** The setting that explains a fault, if many rows have it; null for what only the row itself can explain. */
function settingOf({ column, got }: Fault): string | null {
  if (column === null) return 'orders.file.quote';
  const { group, field } = column;
  if (group === 'line' && field === 'ean' && JOINED.test(got)) return SEPARATE_LINES;
  if (got.trim() === '' || /^-?\d+$/.test(got.trim())) return null;
  if (field === 'date') return DATE_FORMAT;
  if (field !== 'id' && field !== 'ean' && /^-?\d+[.,]\d+$/.test(got)) return 'orders.file.decimalMark';
  return `orders.columns.${group}.${field}`;
}

function expectation({ column, expected }: Fault): string {
  return column === null ? expected : `\`${column.title}\` to be ${expected}`;
}

// A value under the wrong title may be a customer's: only a number that is too short for a telephone is shown.
function shown({ column, got }: Fault): string {
  if (column === null) return got;
  if (got === '') return 'nothing';
  return /^[+-]?\d{1,7}(?:[.,]\d{1,7})?(?:e\+?\d{1,2})?$/i.test(got)
    ? `\`${got}\``
    : `a text of ${got.length} characters`;
}
