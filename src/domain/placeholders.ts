import { Big } from 'big.js';
import { Liquid, Output, Tag, TypeGuards, type Template } from 'liquidjs';
import { ORDER_FIELDS, type Order, type OrderGroup, type OrderLine } from './order.ts';
import { TemplateError } from './template-error.ts';

/** What the placeholders of a sales template stand for. */
export interface Scope {
  readonly file: { readonly createdAt: string; readonly orders: number; readonly units: number };
  /** Undefined outside of the element that is repeated for each order. */
  readonly order?: Order;
  /** Undefined outside of an element that is repeated for each line. */
  readonly line?: OrderLine;
}

/** A text of the template, compiled. */
export type Text = (scope: Scope) => string;

/** Where a text stands: what may be named in it, and by which line its faults are told. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly repeats: readonly ('order' | 'line')[];
  /** Our field -> title of its column; a field without a column cannot be named. */
  readonly columns: Readonly<Record<OrderGroup, Readonly<Record<string, string | undefined>>>> | undefined;
}

const FILE_FIELDS = ['createdAt', 'orders', 'units'] as const;
const FIELDS: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ...Object.entries(ORDER_FIELDS),
  ['file', FILE_FIELDS],
]);
/** What the names of each group are read from. */
const GROUPS: ReadonlyMap<string, (scope: Scope) => object | undefined> = new Map<
  string,
  (scope: Scope) => object | undefined
>([
  ['file', ({ file }) => file],
  ['order', ({ order }) => order],
  ['customer', ({ order }) => order?.customer],
  ['delivery', ({ order }) => order?.delivery],
  ['invoice', ({ order }) => order?.invoice],
  ['line', ({ line }) => line],
]);
const DATE_PARTS = /^(?<Y>\d{4})-(?<m>\d\d)-(?<d>\d\d)(?: (?<H>\d\d):(?<M>\d\d):(?<S>\d\d))?$/;

/** Characters. A chain of filters can multiply a text, and numbers are slow long before. */
const LONGEST_VALUE = 1_000_000;
const LONGEST_NUMBER = 1_000;

// Liquid reads the placeholders; what they give is worked out here, on text: its own arithmetic is on floats, its
// dates know time zones, and it takes several times longer.
type Filter = (value: string, ...args: readonly string[]) => string;
const FILTERS: ReadonlyMap<string, Filter> = new Map<string, Filter>([
  ['upcase', (value) => value.toUpperCase()],
  ['downcase', (value) => value.toLowerCase()],
  ['strip', (value) => value.trim()],
  ['truncate', (value, length = '50') => Array.from(value).slice(0, big(length).toNumber()).join('')],
  ['replace', (value, from = '', to = '') => value.replaceAll(from, () => to)],
  ['default', (value, other = '') => (value === '' ? other : value)],
  ['plus', (value, other) => big(value).plus(big(other)).toFixed()],
  ['minus', (value, other) => big(value).minus(big(other)).toFixed()],
  ['times', (value, other) => big(value).times(big(other)).toFixed()],
  ['divided_by', (value, other) => big(value).div(big(other)).toFixed()],
  ['round', (value, places = '0') => big(value).toFixed(Number(places), Big.roundHalfUp)],
  ['decimal_mark', (value, mark = ',') => value.replace('.', mark)],
  ['date', (value, format = '%d/%m/%Y') => formatDate(value, format)],
]);
const DATE_LETTERS = ['Y', 'm', 'd', 'H', 'M', 'S'];

const liquid = new Liquid();

/**
 * Compiles a text of the template.
 * @throws {TemplateError} when a placeholder names what is not there, or uses what is not allowed
 */
export function compileText(source: string, place: Place): Text {
  if (!/\{[{%]/.test(source)) return () => source;
  let parsed: ReturnType<Liquid['parse']>;
  try {
    parsed = liquid.parse(source);
  } catch (error) {
    throw new TemplateError(
      place.file,
      place.line,
      'a placeholder such as `{{ order.reference }}`',
      why(error),
    );
  }
  const parts = parsed.map((part): Text => {
    if (part instanceof Output) return compileOutput(part, place);
    const line = lineOf(part, place);
    if (part instanceof Tag) throw new TemplateError(place.file, line, 'placeholders only', 'a tag, `{%`');
    const literal = `${liquid.renderSync([part])}`;
    return () => literal;
  });
  const [only] = parts;
  return only && parts.length === 1 ? only : (scope) => parts.map((part) => part(scope)).join('');
}

function compileOutput(output: Output, place: Place): Text {
  const here = { ...place, line: lineOf(output, place) };
  const [token, ...operators] = output.value.initial.postfix;
  if (token === undefined || operators.length > 0) {
    throw new TemplateError(
      here.file,
      here.line,
      'one name, text or number, then filters',
      `\`${output.token.getText()}\``,
    );
  }
  const value = compileValue(token, here);
  if (output.value.filters.length === 0) return value;

  const filters = output.value.filters.map(({ name, args }) => {
    const filter = FILTERS.get(name);
    if (filter === undefined) {
      throw new TemplateError(
        here.file,
        here.line,
        `one of the filters ${[...FILTERS.keys()].join(', ')}`,
        `\`${name}\``,
      );
    }
    return { filter, args: args.map((arg) => compileValue(arg, here)) };
  });
  const text: Text = (scope) => {
    try {
      return filters.reduce(
        (text, { filter, args }) => bounded(filter(text, ...args.map((arg) => arg(scope)))),
        value(scope),
      );
    } catch (error) {
      throw new TemplateError(here.file, here.line, 'a placeholder that can be worked out', why(error));
    }
  };
  // Tells at start, and not on the first order, that a name cannot be reckoned with.
  text(SAMPLE);
  return text;
}

function compileValue(token: unknown, place: Place): Text {
  if (TypeGuards.isQuotedToken(token)) return () => token.content;
  // A number stays as it is written: `1.10`.
  if (TypeGuards.isNumberToken(token)) return () => token.getText();
  if (TypeGuards.isPropertyAccessToken(token)) return compileName(token.getText(), place);
  throw new TemplateError(
    place.file,
    place.line,
    'a name, a text or a number',
    'something else in a placeholder',
  );
}

function compileName(name: string, { file, line, repeats, columns }: Place): Text {
  const [group = '', field = '', ...others] = name.split('.');
  const fields = FIELDS.get(group);
  const read = GROUPS.get(group);
  if (fields === undefined || read === undefined) {
    throw new TemplateError(file, line, `a name in ${[...FIELDS.keys()].join(', ')}`, `\`${name}\``);
  }
  if (others.length > 0 || !fields.includes(field)) {
    throw new TemplateError(file, line, `a field of \`${group}\` (${fields.join(', ')})`, `\`${name}\``);
  }
  const repeat = group === 'line' ? 'line' : 'order';
  if (group !== 'file' && !repeats.includes(repeat)) {
    const expected = `\`${name}\` inside an element with passerelle:repeat="${repeat}"`;
    throw new TemplateError(file, line, expected, 'it outside');
  }
  if (group !== 'file' && columns && columns[group as OrderGroup][field] === undefined) {
    throw new TemplateError(file, line, `a column for \`${name}\` (setting orders.columns.${name})`, 'none');
  }
  return (scope) => `${(read(scope) as Record<string, string | number> | undefined)?.[field] ?? ''}`;
}

function lineOf(part: Template, place: Place): number {
  const [row = 1] = part.token.getPosition();
  return place.line + row - 1;
}

// Liquid appends where in the text it was: our line says it better.
function why(error: unknown): string {
  return error instanceof Error ? error.message.replace(/, (?:file|line):.*$/s, '') : 'an error';
}

function bounded(text: string): string {
  if (text.length > LONGEST_VALUE) throw new Error(`a value of more than ${LONGEST_VALUE} characters`);
  return text;
}

function big(text = ''): Big {
  if (text.length > LONGEST_NUMBER) throw new Error(`a number of more than ${LONGEST_NUMBER} characters`);
  // The value may be a customer's: it is not shown.
  if (!/^-?\d+(\.\d+)?$/.test(text)) throw new Error('a value that is not a number');
  return new Big(text);
}

function formatDate(time: string, format: string): string {
  const parts = DATE_PARTS.exec(time)?.groups;
  if (parts === undefined) return time;
  return format.replace(/%(.?)/g, (directive, letter: string) => {
    const part =
      letter === '%'
        ? '%'
        : letter === 'y'
          ? parts.Y?.slice(2)
          : DATE_LETTERS.includes(letter)
            ? (parts[letter] ?? '00')
            : undefined;
    if (part === undefined) throw new Error(`\`${directive}\`, which is none of %Y %y %m %d %H %M %S`);
    return part;
  });
}

const ADDRESS = {
  company: 'texte',
  firstname: 'texte',
  lastname: 'texte',
  address1: 'texte',
  address2: 'texte',
  postcode: 'texte',
  city: 'texte',
  country: 'texte',
  phone: 'texte',
};
const LINE: OrderLine = {
  ean: '3600000000017',
  reference: 'texte',
  name: 'texte',
  quantity: 1,
  unitPrice: '12.50',
  size: 'texte',
  supplier: 'texte',
  brand: 'texte',
  productId: '1',
  variantId: '1',
};
const SAMPLE: Scope = {
  file: { createdAt: '2026-11-24 10:27:03', orders: 1, units: 1 },
  order: {
    id: 1,
    reference: 'texte',
    state: 'texte',
    status: 'texte',
    date: '2026-11-24 10:20:00',
    payment: 'texte',
    paymentModule: 'texte',
    transaction: 'texte',
    voucherName: 'texte',
    voucherCode: 'texte',
    voucherAmount: '12.50',
    total: '12.50',
    totalWithoutTax: '12.50',
    shipping: '12.50',
    discounts: '12.50',
    customer: { firstname: 'texte', lastname: 'texte', email: 'texte' },
    delivery: ADDRESS,
    invoice: ADDRESS,
    lines: [LINE],
  },
  line: LINE,
};
