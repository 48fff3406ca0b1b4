import type { CsvRow } from './csv-rows.ts';
import type { AddressFields, CustomerFields, OrderFields, OrderGroup, OrderLine } from './order.ts';
import { FormatError, type CsvFormat } from './text-file.ts';

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

const GROUPS = ['order', 'customer', 'delivery', 'invoice', 'line'] as const satisfies readonly OrderGroup[];
/** The module's option, as it stands in the shop's back office. */
export const HEADER_ROW = '"header row" of the module Order Export';

/** A column of the orders file that is mapped to a field of ours. */
export interface Column {
  readonly group: OrderGroup;
  readonly field: string;
  readonly title: string;
  readonly index: number;
}

export interface OrdersHeader {
  /** Number of fields in a row. */
  readonly width: number;
  readonly columns: readonly Column[];
}

/**
 * Finds the mapped columns in the header row.
 * @throws {FormatError} when one of them is not there exactly once
 */
export function readHeader(row: CsvRow, file: string, format: OrdersFormat): OrdersHeader {
  const titles = row.fields.map((title) => title.trim());
  const columns = GROUPS.flatMap((group) =>
    Object.entries(format.columns[group]).map(([field, title]): Column => ({
      group,
      field,
      title,
      index: titles.indexOf(title),
    })),
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
