import Big from 'big.js';
import { z } from 'zod';
import { readCsvRows, type CsvRow } from './csv-rows.ts';
import { isGencod } from './gencod.ts';
import {
  ORDER_FIELDS,
  orderSchema,
  type AddressFields,
  type CustomerFields,
  type Order,
  type OrderFields,
  type OrderGroup,
  type OrderLine,
  type SetAsideOrder,
  type SoldLine,
} from './order.ts';
import { encodingFault, FormatError, type CsvFormat } from './text-file.ts';

type Titles<Field extends string, Required extends Field = never> = Readonly<
  Record<Required, string> & Partial<Record<Field, string>>
>;

/** How the module Order Export writes its file: `orders` in passerelle.yaml. */
export interface OrdersFormat {
  readonly file: CsvFormat;
  readonly finalLineBreak: 'required' | 'optional';
  /** Our field -> title of its column. */
  readonly columns: {
    readonly order: Titles<keyof OrderFields, 'id' | 'reference' | 'payment'>;
    readonly customer: Titles<keyof CustomerFields>;
    readonly delivery: Titles<keyof AddressFields>;
    readonly invoice: Titles<keyof AddressFields>;
    readonly line: Titles<keyof OrderLine, 'ean' | 'reference' | 'quantity'>;
  };
}

/** What an orders file holds. Every order number in it is either in `orders` or in `setAside`. */
export interface OrdersFile {
  readonly orders: readonly Order[];
  readonly setAside: readonly SetAsideOrder[];
  /** Rows below the header. */
  readonly rows: number;
  /** Set when the last row is not whole: the upload may still be going on. */
  readonly cut: Cut | null;
}

export interface Cut {
  readonly line: number;
  readonly expected: string;
  readonly got: string;
}

const GROUPS = ['order', 'customer', 'delivery', 'invoice', 'line'] as const satisfies readonly OrderGroup[];
const SEPARATE_LINES = '"each product in a separate line" of the module Order Export';
const HEADER_ROW = '"header row" of the module Order Export';
const DATE_FORMAT = '"date format" of the module Order Export';

/**
 * Reads the orders of one file of the module Order Export.
 *
 * A row that cannot be read sets its whole order aside, with what could be read of its lines.
 * @throws {FormatError} when the file as a whole is not what the configuration says
 */
export function readOrders(bytes: Uint8Array, file: string, format: OrdersFormat): OrdersFile {
  const encoding = encodingFault(bytes, format.file.encoding);
  if (encoding) throw new FormatError({ ...encoding, file, setting: 'orders.file.encoding' });

  let collector: Collector | undefined;
  let held: CsvRow | undefined;
  // A row is read once the next one has come: only the last can be cut.
  const readHeld = () => {
    if (held === undefined) return;
    if (collector) collector.take(held, null);
    else collector = orderCollector(readHeader(held, file, format), file, format);
  };
  const end = readCsvRows(bytes, format.file, (row) => {
    readHeld();
    held = row;
  });
  if (end.unclosed) {
    readHeld();
    held = end.unclosed;
  }
  if (held === undefined) {
    throw new FormatError({ file, line: 1, setting: HEADER_ROW, expected: 'a header row', got: 'an empty file' });
  }

  const cut = cutOf(held, end, collector?.width ?? 0, format);
  if (cut === null) readHeld();
  else collector?.take(held, cut);
  return { ...(collector?.finish() ?? { orders: [], setAside: [], rows: 0 }), cut };
}

function cutOf(last: CsvRow, end: CsvEnd, width: number, format: OrdersFormat): Cut | null {
  const { line, fields } = last;
  if (end.unclosed) return { line, expected: 'a closing quote', got: 'the end of the file' };
  if (fields.length < width) return { line, expected: `${width} fields`, got: `${fields.length}` };
  if (end.lineBreak || format.finalLineBreak === 'optional') return null;
  return { line, expected: 'a line break after the last row', got: 'the end of the file' };
}

interface Column {
  readonly group: OrderGroup;
  readonly field: string;
  readonly title: string;
  readonly index: number;
}

interface Header {
  /** Number of fields in a row. */
  readonly width: number;
  readonly columns: readonly Column[];
}

function readHeader(row: CsvRow, file: string, format: OrdersFormat): Header {
  const titles = row.fields.map((title) => title.trim());
  const columns = GROUPS.flatMap((group) =>
    Object.entries(format.columns[group]).map(
      ([field, title]): Column => ({ group, field, title, index: titles.indexOf(title) }),
    ),
  );
  const missing = columns.filter(({ index }) => index === -1);
  const fault = (setting: string, expected: string, got: string) =>
    new FormatError({ file, line: row.line, setting, expected, got });
  if (missing[0]) {
    const found = (candidates: readonly string[]) =>
      columns.filter(({ title }) => candidates.includes(title)).length;
    const bare = (title: string) => title.trim().replace(/^(["'])(.*)\1$/, '$2');
    const known = found(titles);
    const { delimiter, quote } = format.file;
    const other = [',', ';', '\t', '|'].find(
      (candidate) => found(row.fields.join(delimiter).split(candidate).map(bare)) > known,
    );
    if (other !== undefined && other !== delimiter) {
      throw fault('orders.file.delimiter', `columns separated by ${named(delimiter)}`, named(other));
    }
    if (found(titles.map(bare)) > known) {
      throw fault('orders.file.quote', `titles quoted with \`${quote}\``, 'another quote');
    }
    // The row may be an order: nothing of it is shown.
    if (known === 0) throw fault(HEADER_ROW, 'a header row', 'a first row with none of the titles');
    throw fault(
      `orders.columns.${missing[0].group}.${missing[0].field}`,
      `columns titled ${missing.map(({ title }) => `\`${title}\``).join(', ')}`,
      `a header of ${titles.length} columns without ${missing.length === 1 ? 'it' : 'them'}`,
    );
  }
  const twice = columns.find(({ title, index }) => titles.includes(title, index + 1));
  if (twice) {
    const setting = `orders.columns.${twice.group}.${twice.field}`;
    throw fault(setting, `one column titled \`${twice.title}\``, 'several');
  }
  return { width: titles.length, columns };
}

function named(delimiter: string): string {
  return delimiter === '\t' ? 'tab' : `\`${delimiter}\``;
}

// Their words: a row's texts under our names. A field without a column is undefined.
type Texts = Readonly<Record<string, Readonly<Record<string, string | undefined>>>>;

const rowSchemas = (mark: CsvFormat['decimalMark']) => {
  const number = `-?\\d+(?:\\${mark}\\d+)?`;
  const text = z.string().default('');
  const amountPattern = new RegExp(`^${number}$`);
  const amount = z.string().regex(amountPattern, `a number with \`${mark}\` as decimal mark`).default('0');
  // The module joins the amounts of several vouchers with commas, and may leave the field empty without one.
  const amounts = z
    .string()
    .regex(new RegExp(`^(?:${number}(?:,${number})*)?$`), `a number with \`${mark}\` as decimal mark`)
    .default('');
  const address = z.object({
    company: text,
    firstname: text,
    lastname: text,
    address1: text,
    address2: text,
    postcode: text,
    city: text,
    country: text,
    phone: text,
  });
  const headRow = z.object({
    order: z.object({
      id: text,
      reference: text,
      state: text,
      status: text,
      date: z
        .string()
        .regex(/^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)?$/, 'a time such as `2026-11-24 10:20:00`')
        .default(''),
      payment: text,
      paymentModule: text,
      transaction: text,
      voucherName: text,
      voucherCode: text,
      voucherAmount: amounts,
      total: amount,
      totalWithoutTax: amount,
      shipping: amounts,
      discounts: amounts,
    }),
    customer: z.object({ firstname: text, lastname: text, email: text }),
    delivery: address,
    invoice: address,
  });
  const lineRow = z.object({
    line: z.object({
      ean: z.string().trim().refine(isGencod, 'a barcode of 8 to 14 digits'),
      reference: text,
      name: text,
      quantity: z.string().regex(new RegExp(`^-?\\d+(?:\\${mark}0+)?$`), 'a whole number'),
      unitPrice: amount,
      size: text,
      supplier: text,
      brand: text,
      productId: text,
      variantId: text,
    }),
  });
  return { headRow, lineRow };
};
type HeadRow = z.output<ReturnType<typeof rowSchemas>['headRow']>;
type LineRow = z.output<ReturnType<typeof rowSchemas>['lineRow']>['line'];

function toOrder(head: HeadRow, lines: readonly LineRow[], mark: CsvFormat['decimalMark']): Order {
  const decimal = (text: string) => text.replace(mark, '.');
  const sum = (texts: string) => {
    const amounts = texts.match(mark === '.' ? /[^,]+/g : /[^,]+(?:,[^,]+)?/g) ?? ['0'];
    const [first = '0', ...others] = amounts.map(decimal);
    return others.length === 0 ? first : others.reduce((total, next) => total.plus(next), new Big(first)).toFixed();
  };
  const { order, customer, delivery, invoice } = head;
  return {
    ...order,
    id: Number(order.id),
    voucherAmount: sum(order.voucherAmount),
    total: decimal(order.total),
    totalWithoutTax: decimal(order.totalWithoutTax),
    shipping: sum(order.shipping),
    discounts: sum(order.discounts),
    customer,
    delivery,
    invoice,
    lines: lines.map((line) => ({
      ...line,
      quantity: Number.parseInt(line.quantity, 10),
      unitPrice: decimal(line.unitPrice),
    })),
  };
}

/** Why a row cannot be taken. */
interface Fault {
  readonly line: number;
  /** Null when it is the row as a whole. */
  readonly column: Column | null;
  readonly expected: string;
  readonly got: string;
}

/** The rows of one order, wherever they stand in the file. */
interface Group {
  readonly reference: string;
  readonly head: HeadRow | undefined;
  readonly lines: { readonly line: number; readonly row: LineRow }[];
  readonly sold: SoldLine[];
  fault: Fault | null;
}

const ID = /^[1-9]\d{0,14}$/;
const JOINED = /^[\d\s]*(,[\d\s]*)+$/;

type Collector = ReturnType<typeof orderCollector>;

/** Takes rows one by one and makes orders of them. */
function orderCollector(header: Header, file: string, format: OrdersFormat) {
  const { headRow, lineRow } = rowSchemas(format.file.decimalMark);
  const { width, columns } = header;
  const columnOf = (group: PropertyKey | undefined, field: PropertyKey | undefined) =>
    columns.find((column) => column.group === group && column.field === field) ?? null;
  const idColumn = columnOf('order', 'id');
  const referenceColumn = columnOf('order', 'reference');
  const headColumns = columns.filter(({ group }) => group !== 'line');
  const lineColumns = columns.filter(({ group }) => group === 'line');

  const groups = new Map<string, Group>();
  const setAside: SetAsideOrder[] = [];
  const misread: Fault[] = [];
  let rows = 0;

  return { width, take, finish };

  function take(row: CsvRow, cut: Cut | null): void {
    rows++;
    // The last field of a cut row may be half of itself.
    const fields = cut ? row.fields.slice(0, -1) : row.fields;
    const line = textsOf(fields, lineColumns);
    const isWhole = cut === null && fields.length === width;
    if (isWhole && JOINED.test(line.line?.ean ?? '')) throw joinedProducts(row.line);

    const id = fields[idColumn?.index ?? -1]?.trim() ?? '';
    const reference = fields[referenceColumn?.index ?? -1] ?? '';
    const sold = soldLine(line);
    const isNew = !groups.has(id);
    const head = isWhole && isNew ? headRow.safeParse(textsOf(fields, headColumns)) : undefined;
    ...
  }
