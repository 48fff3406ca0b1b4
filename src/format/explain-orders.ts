import { readOrders, type OrdersFile, type OrdersFormat } from '../domain/order-csv.ts';
import { ORDER_FIELDS, type OrderGroup } from '../domain/order.ts';
import { encodingFault, FormatError, type CsvFormat } from '../domain/text-file.ts';
import { ORDER_PHRASES } from './field-words.ts';
import {
  proposeColumns,
  type FieldTitle,
  type ProposedColumns,
  type Shape,
  type WantedField,
} from './propose-columns.ts';
import { formatOf, lookAt, type Look, type SeenFile } from './see-file.ts';
import { sectionYaml } from './section-yaml.ts';

/** What a file of the shop's or of Proshop's is, and how it is read. */
export interface Explained {
  readonly file: string;
  readonly seen: SeenFile;
  /** Which of them it was read with; null = neither can. */
  readonly readWith: 'configuration' | 'proposal' | null;
  /** Columns of the settings that it was read with, or that are configured. */
  readonly mapped: readonly FieldTitle[];
  /** The same, those that the file does not have. */
  readonly absent: readonly FieldTitle[];
  /** Titles of the columns that nothing is read from. */
  readonly unmapped: readonly string[];
  /** Null when the configuration fits, or nothing can be proposed. */
  readonly proposal: Proposal | null;
}

/** What an orders file is, and what passerelle makes of it. Names no customer. */
export interface OrdersExplained extends Explained {
  /** Why it cannot be read with the configuration, or with the proposal if there is no configuration. */
  readonly fault: string | null;
  readonly content: OrdersContent | null;
}

export interface OrdersContent {
  readonly orders: number;
  /** Of those orders. */
  readonly lines: number;
  /** The lowest and the highest number; null without orders. */
  readonly first: number | null;
  readonly last: number | null;
  readonly rows: number;
  /** True when the last row is not whole. */
  readonly cut: boolean;
  readonly rejects: readonly Reject[];
}

/** A row that cannot be taken. */
export interface Reject {
  readonly line: number;
  /** Title of the column; empty when it is the row as a whole. */
  readonly field: string;
  readonly reason: string;
}

/** A section of passerelle.yaml that fits the file. */
export interface Proposal {
  readonly section: string;
  /** Fields that cannot do without a column, and have none yet. */
  readonly missing: readonly string[];
  /** Fields that were known by their values alone. */
  readonly byValues: readonly string[];
  /** Columns whose title is a field's, but whose values are not. */
  readonly refused: readonly FieldTitle[];
  /** Titles that stand above several columns. */
  readonly twice: readonly string[];
}

const GROUPS = Object.keys(ORDER_FIELDS) as readonly OrderGroup[];
const REQUIRED = [
  'order.id',
  'order.reference',
  'order.payment',
  'line.ean',
  'line.reference',
  'line.quantity',
];
const SHAPES: Readonly<Partial<Record<string, Shape>>> = {
  'order.id': 'order id',
  'order.reference': 'order reference',
  'order.date': 'date',
  'order.voucherAmount': 'amounts',
  'order.total': 'amounts',
  'order.totalWithoutTax': 'amounts',
  'order.shipping': 'amounts',
  'order.discounts': 'amounts',
  'customer.email': 'email',
  'delivery.postcode': 'postcode',
  'line.ean': 'ean',
  'line.quantity': 'quantity',
  'line.unitPrice': 'amount',
  'line.size': 'size',
};
const FIELDS: readonly WantedField[] = GROUPS.flatMap((group) =>
  Object.entries<readonly string[]>(ORDER_PHRASES[group]).map(([field, phrases]) => ({
    name: `${group}.${field}`,
    phrases,
    shape: SHAPES[`${group}.${field}`] ?? 'text',
  })),
);

/**
 * Says what an orders file is: how it is written, which columns are read, and what of it cannot be; if the configuration
 * does not fit, or there is none, also the section that would.
 */
export function explainOrders(
  bytes: Uint8Array,
  file: string,
  configured: OrdersFormat | null,
): OrdersExplained {
  const look = lookAt(bytes);
  const titles = look.seen.header?.titles ?? [];
  const own = configured === null ? null : tryReading(bytes, file, configured);
  const fits = own !== null && isUnderstood(own);
  const proposed = fits ? null : propose(look, bytes, configured);
  const tried = proposed?.format ? tryReading(bytes, file, proposed.format) : null;
  // Where the proposal reads no more than the configuration does, the file is to blame and not the settings.
  const isOwn = fits || (own?.content && rejectsOf(tried) >= rejectsOf(own)) === true;
  const read = look.seen.header === null ? null : isOwn ? own : tried;
  const columns = titlesOf(configured ?? proposed?.format ?? null);
  return {
    file,
    seen: look.seen,
    readWith: !read?.content ? null : isOwn ? 'configuration' : 'proposal',
    fault: (own ?? tried)?.fault ?? null,
    mapped: columns.filter(({ title }) => titles.includes(title)),
    absent: columns.filter(({ title }) => !titles.includes(title)),
    unmapped: titles.filter((title) => !columns.some((column) => column.title === title)),
    content: read?.content ? contentOf(read.content) : null,
    proposal: isOwn ? null : (proposed?.proposal ?? null),
  };
}

type Reading = ReturnType<typeof tryReading>;

/** False when other settings may read the file better. */
function isUnderstood({ content }: Reading): boolean {
  return content !== null && content.setAside.length <= content.orders.length;
}

function rejectsOf(reading: Reading | null): number {
  return reading?.content?.setAside.length ?? Number.POSITIVE_INFINITY;
}

/** The format that the file itself asks for; null when fields that cannot do without a column have none. */
export function ordersFormatOf(bytes: Uint8Array): OrdersFormat | null {
  return propose(lookAt(bytes), bytes, null).format;
}

function propose(
  { seen, rows }: Look,
  bytes: Uint8Array,
  configured: OrdersFormat | null,
): { readonly format: OrdersFormat | null; readonly proposal: Proposal | null } {
  const proposed = proposeColumns(FIELDS, seen.header?.titles ?? [], rows);
  const seenFormat = formatOf(seen);
  const file = { ...seenFormat, encoding: encodingOr(bytes, configured) ?? seenFormat.encoding };
  const groups = GROUPS.map((group): { readonly group: OrderGroup; readonly fields: readonly string[] } => ({
    group,
    fields: ORDER_FIELDS[group],
  }));
  const missing = REQUIRED.filter((field) => !proposed.columns.has(field));
  const columns = Object.fromEntries(
    groups.map(({ group, fields }) => [
      group,
      Object.fromEntries(
        fields.flatMap((field) => {
          const title = proposed.columns.get(`${group}.${field}`);
          return title === undefined ? [] : [[field, title] as const];
        }),
      ),
    ]),
  );
  return {
    format:
      missing.length > 0
        ? null
        : {
            file,
            finalLineBreak: configured?.finalLineBreak ?? 'required',
            columns: columns as unknown as OrdersFormat['columns'],
          },
    proposal: isHopeless(seen, proposed)
      ? null
      : {
          section: sectionYaml('orders', file, groups, proposed),
          missing,
          byValues: proposed.byValues,
          refused: proposed.refused,
          twice: proposed.twice,
        },
  };
}

/** True for a file that no settings can read. */
export function isHopeless({ encoding, badLine, header }: SeenFile, { columns }: ProposedColumns): boolean {
  return encoding === 'utf-16' || badLine !== null || header === null || columns.size === 0;
}

/** The configured encoding where the file may be written in it: what the file shows does not tell all of them apart. */
export function encodingOr(
  bytes: Uint8Array,
  configured: { readonly file: CsvFormat } | null,
): CsvFormat['encoding'] | null {
  if (configured === null) return null;
  return encodingFault(bytes, configured.file.encoding) === null ? configured.file.encoding : null;
}

function tryReading(bytes: Uint8Array, file: string, format: OrdersFormat) {
  try {
    return { content: readOrders(bytes, file, format), fault: null };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return { content: null, fault: error.message };
  }
}

function titlesOf(format: OrdersFormat | null): readonly FieldTitle[] {
  if (format === null) return [];
  return GROUPS.flatMap((group) =>
    Object.entries<string | undefined>(format.columns[group]).flatMap(([field, title]) =>
      title === undefined ? [] : [{ field: `${group}.${field}`, title }],
    ),
  );
}

function contentOf({ orders, setAside, rows, cut }: OrdersFile): OrdersContent {
  const ids = orders.map(({ id }) => id).sort((a, b) => a - b);
  return {
    orders: orders.length,
    lines: orders.reduce((sum, order) => sum + order.lines.length, 0),
    first: ids[0] ?? null,
    last: ids.at(-1) ?? null,
    rows,
    cut: cut !== null,
    rejects: setAside.map(({ line, field, reason }) => ({ line, field, reason })),
  };
}
