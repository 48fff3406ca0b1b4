import type { OrderGroup } from '../domain/order.ts';
import { compileText, type Place, type Scope, type Text } from '../domain/placeholders.ts';
import { TemplateError } from '../domain/template-error.ts';
import { ORDER_PHRASES } from './field-words.ts';

/** Where in the template a value stands: what may be named there. */
export type Level = 'file' | 'order' | 'line';

/** A value of the sales file, and the order and line that it stands for. */
export interface Sample {
  readonly text: string;
  readonly scope: Scope;
}

/** A field that a placeholder may name, or a value that is worked out from fields. */
export interface Candidate {
  readonly name: string;
  readonly kind: 'text' | 'whole' | 'amount' | 'date';
  readonly phrases: readonly string[];
}

const AMOUNTS = ['voucherAmount', 'total', 'totalWithoutTax', 'shipping', 'discounts', 'unitPrice'];
const WHOLE = ['order.id', 'line.quantity'];
const LEVELS: Readonly<Record<Level, readonly OrderGroup[]>> = {
  file: [],
  order: ['order', 'customer', 'delivery', 'invoice'],
  line: ['line', 'order', 'customer', 'delivery', 'invoice'],
};
const FILE: readonly Candidate[] = [
  { name: 'file.orders', kind: 'whole', phrases: ['order count', 'count', 'order number'] },
  { name: 'file.units', kind: 'whole', phrases: ['product count', 'unit count', 'quantity', 'unit'] },
];
const LINE_AMOUNT: Candidate = {
  name: 'line.unitPrice | times: line.quantity',
  kind: 'amount',
  phrases: ['product amount', 'amount', 'total', 'amount incl', 'total incl', 'product total', 'price total'],
};

/** What a placeholder may name at the level, of the fields that have a column. */
export function candidatesAt(level: Level, columns: NonNullable<Place['columns']>): readonly Candidate[] {
  const fields = LEVELS[level].flatMap((group) =>
    Object.entries<readonly string[]>(ORDER_PHRASES[group]).flatMap(([field, phrases]): Candidate[] => {
      const name = `${group}.${field}`;
      return columns[group][field] === undefined ? [] : [{ name, kind: kindOf(name, field), phrases }];
    }),
  );
  const isPriced = level === 'line' && columns.line.unitPrice !== undefined;
  return [...fields, ...(isPriced ? [LINE_AMOUNT] : []), ...FILE];
}

function kindOf(name: string, field: string): Candidate['kind'] {
  if (name === 'order.date') return 'date';
  if (WHOLE.includes(name)) return 'whole';
  return AMOUNTS.includes(field) ? 'amount' : 'text';
}

const DATES = [
  '%d/%m/%Y',
  '%Y-%m-%d',
  '%d-%m-%Y',
  '%d.%m.%Y',
  '%Y/%m/%d',
  '%Y%m%d',
  '%d%m%Y',
  '%d/%m/%y',
  '%d-%m-%y',
  '%d.%m.%y',
  '%d%m%y',
  '%y%m%d',
  '%m/%d/%Y',
];
const TIMES = ['%H:%M:%S', '%H:%M', '%Hh%M', '%H%M%S', '%H%M'];
const BETWEEN = [' ', 'T', '', '-', '_', ' à '];
/** Formats of dates and times, the likeliest first. */
export const DATE_FORMATS: readonly string[] = [
  ...DATES,
  ...DATES.flatMap((date) => BETWEEN.flatMap((between) => TIMES.map((time) => `${date}${between}${time}`))),
  ...TIMES,
];

/** Characters. Shorter texts begin others by chance. */
const SHORTEST_CUT = 5;

/** The placeholders' insides that may give such texts from a field, the plainest first. */
export function expressionsOf({ name, kind }: Candidate, texts: readonly string[]): readonly string[] {
  const longest = Math.max(0, ...texts.map((text) => Array.from(text).length));
  const decimals = Math.max(0, ...texts.map((text) => /[.,](\d+)$/.exec(text)?.[1]?.length ?? 0));
  const filters = {
    text: [
      '',
      ' | upcase',
      ' | downcase',
      ' | strip',
      // The module's file may have CRLF inside a field; in XML it was a line feed, unless somebody wrote a reference.
      String.raw` | replace: "\r\n", "\n"`,
      String.raw` | replace: "\n", " "`,
      String.raw` | replace: "\r\n", " "`,
      ...(longest < SHORTEST_CUT ? [] : [` | truncate: ${longest}`, ` | upcase | truncate: ${longest}`]),
    ],
    whole: ['', ` | round: ${decimals}`, ` | round: ${decimals} | decimal_mark: ","`],
    amount: [
      '',
      ' | decimal_mark: ","',
      ` | round: ${decimals}`,
      ` | round: ${decimals} | decimal_mark: ","`,
      ' | times: 100 | round: 0',
    ],
    date: ['', ...DATE_FORMATS.map((format) => ` | date: "${format}"`)],
  }[kind];
  return filters.map((filter) => name + filter);
}

/** Works out placeholders as the rendering does. Null: it cannot be worked out. */
export function createEvaluator(): (expression: string, scope: Scope) => string | null {
  const compiled = new Map<string, Text>();
  // What may be named where is the candidates' affair.
  const place: Place = { file: 'draft', line: 1, repeats: ['order', 'line'], columns: undefined };
  return (expression, scope) => {
    try {
      const text = compiled.get(expression) ?? compileText(`{{ ${expression} }}`, place);
      compiled.set(expression, text);
      return text(scope);
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      return null;
    }
  };
}
