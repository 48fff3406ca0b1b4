import { readStock, sizeOf, type StockFile, type StockFormat } from '../domain/stock-csv.ts';
import { STOCK_FIELDS, type Doubt, type StockField } from '../domain/stock.ts';
import { encodingOr, isHopeless, type Explained, type Proposal, type Reject } from './explain-orders.ts';
import { STOCK_PHRASES } from './field-words.ts';
import { proposeColumns, type FieldTitle, type Shape, type WantedField } from './propose-columns.ts';
import { formatOf, lookAt, type Look } from './see-file.ts';
import { sectionYaml } from './section-yaml.ts';

/** What a stock file is, and what passerelle makes of it. */
export interface StockExplained extends Explained {
  /** What makes the file doubtful as it is configured; as it is proposed if there is no configuration. */
  readonly doubts: readonly string[];
  readonly content: StockContent | null;
}

export interface StockContent {
  readonly rows: number;
  /** Different barcodes. */
  readonly variants: number;
  /** Different references. */
  readonly models: number;
  /** Sum of the figures, those below 0 counted as 0. */
  readonly units: number;
  readonly rejects: readonly Reject[];
}

const REQUIRED = ['reference', 'size', 'ean', 'quantity', 'store'] as const satisfies readonly StockField[];
const SHAPES: Readonly<Partial<Record<StockField, Shape>>> = {
  size: 'size',
  ean: 'ean',
  price: 'amount',
  quantity: 'stock',
  store: 'store',
};
const FIELDS: readonly WantedField[] = STOCK_FIELDS.map((name) => ({
  name,
  phrases: STOCK_PHRASES[name],
  shape: SHAPES[name] ?? 'text',
}));
/** Doubts that other settings may put an end to. */
const OF_SETTINGS: readonly Doubt['rule'][] = ['encoding', 'header', 'width', 'store'];

/**
 * Says what a stock file is: how it is written, which columns are read, and what of it cannot be; if the configuration does
 * not fit, or there is none, also the section that would.
 */
export function explainStock(
  bytes: Uint8Array,
  file: string,
  configured: StockFormat | null,
): StockExplained {
  const look = lookAt(bytes);
  const titles = look.seen.header?.titles ?? [];
  const own = configured && readStock(bytes, file, configured);
  const fits = own !== null && isUnderstood(own);
  const proposed = fits ? null : propose(look, bytes, configured);
  const tried = proposed?.format ? readStock(bytes, file, proposed.format) : null;
  // Where the proposal reads no more than the configuration does, the file is to blame and not the settings.
  const read = fits || tried === null || !isUnderstood(tried) ? (own ?? tried) : tried;
  const columns = titlesOf(configured ?? proposed?.format ?? null);
  const isRead =
    read !== null &&
    read.header.missing === undefined &&
    read.header.twice === undefined &&
    look.seen.header !== null;
  const isFilesFault = isRead && read === own;
  return {
    file,
    seen: look.seen,
    readWith: !isRead ? null : read === own ? 'configuration' : 'proposal',
    doubts: (own ?? tried)?.doubts.map(({ message }) => message) ?? [],
    mapped: columns.filter(({ title }) => titles.includes(title)),
    absent: columns.filter(({ title }) => !titles.includes(title)),
    unmapped: titles.filter((title) => !columns.some((column) => column.title === title)),
    content: isRead ? contentOf(read) : null,
    proposal: isFilesFault ? null : (proposed?.proposal ?? null),
  };
}

/** False when other settings may read the file better. */
function isUnderstood({ doubts, unreadable, rows }: StockFile): boolean {
  return !doubts.some(({ rule }) => OF_SETTINGS.includes(rule)) && unreadable.length * 10 <= rows;
}

function propose(
  { seen, rows }: Look,
  bytes: Uint8Array,
  configured: StockFormat | null,
): { readonly format: StockFormat | null; readonly proposal: Proposal | null } {
  const titles = seen.header?.titles ?? [];
  const proposed = proposeColumns(FIELDS, titles, rows);
  const seenFormat = formatOf(seen);
  const file = { ...seenFormat, encoding: encodingOr(bytes, configured) ?? seenFormat.encoding };
  const storeColumn = titles.indexOf(proposed.columns.get('store') ?? '');
  const stores = new Set(rows.map(({ fields }) => (fields[storeColumn] ?? '').trim()));
  // Rows of other stores are the file's fault: the setting is right.
  const [only] = stores.size === 1 ? stores : [];
  const store = configured !== null && stores.has(configured.store) ? configured.store : only;
  const isKnown = store !== undefined && store !== '';
  const missing = [
    ...REQUIRED.filter((field) => !proposed.columns.has(field)),
    ...(isKnown ? [] : ['stock.store']),
  ];
  const columns = Object.fromEntries(proposed.columns) as StockFormat['columns'];
  const finalLineBreak = configured?.finalLineBreak ?? 'required';
  return {
    format: missing.length > 0 || !isKnown ? null : { file, columns, store, finalLineBreak },
    proposal: isHopeless(seen, proposed)
      ? null
      : {
          section: sectionYaml('stock', file, [{ group: null, fields: STOCK_FIELDS }], proposed, {
            store: isKnown ? store : null,
          }),
          missing,
          byValues: proposed.byValues,
          refused: proposed.refused,
          twice: proposed.twice,
        },
  };
}

function titlesOf(format: StockFormat | null): readonly FieldTitle[] {
  if (format === null) return [];
  return STOCK_FIELDS.flatMap((field) => {
    const title = format.columns[field];
    return title === undefined ? [] : [{ field, title }];
  });
}

function contentOf(stock: StockFile): StockContent {
  const { rows, variants, unreadable } = stock;
  return {
    rows,
    variants: new Set(variants.flatMap(({ ean }) => ean ?? [])).size,
    models: new Set(variants.map(({ reference }) => reference)).size,
    units: sizeOf(stock).units,
    rejects: unreadable.map(({ line, field, reason }) => ({ line, field, reason })),
  };
}
