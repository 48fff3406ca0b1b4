import Big from 'big.js';
import { Liquid, Output, Tag } from 'liquidjs';
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
  readonly columns?: Readonly<Record<OrderGroup, Readonly<Record<string, string | undefined>>>>;
}

const FILE_FIELDS = ['createdAt', 'orders', 'units'] as const;
const FIELDS: Readonly<Record<string, readonly string[]>> = { ...ORDER_FIELDS, file: FILE_FIELDS };
const DATE_PARTS = /^(?<Y>\d{4})-(?<m>\d\d)-(?<d>\d\d)(?: (?<H>\d\d):(?<M>\d\d):(?<S>\d\d))?$/;

// Liquid's own arithmetic is on floats, and its dates know time zones: these do neither.
const FILTERS: Readonly<Record<string, (value: unknown, argument?: unknown) => string>> = {
  plus: (value, other) => big(value).plus(big(other)).toFixed(),
  minus: (value, other) => big(value).minus(big(other)).toFixed(),
  times: (value, other) => big(value).times(big(other)).toFixed(),
  divided_by: (value, other) => big(value).div(big(other)).toFixed(),
  round: (value, places = 0) => big(value).toFixed(Number(places), Big.roundHalfUp),
  decimal_mark: (value, mark = ',') => `${value}`.replace('.', `${mark}`),
  date: (value, format = '%d/%m/%Y') => formatDate(`${value}`, `${format}`),
};
const LIQUID_FILTERS = ['upcase', 'downcase', 'strip', 'truncate', 'replace', 'default'];
const ALLOWED = [...LIQUID_FILTERS, ...Object.keys(FILTERS)];

const liquid = new Liquid({ strictFilters: true, strictVariables: true, ownPropertyOnly: true });
for (const [name, filter] of Object.entries(FILTERS)) liquid.registerFilter(name, filter);

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
    throw new TemplateError(place.file, place.line, 'a placeholder such as `{{ order.reference }}`', why(error));
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
  const line = lineOf(output, place);
  for (const { name } of output.value.filters) {
    if (!ALLOWED.includes(name)) throw new TemplateError(place.file, line, `one of the filters ${ALLOWED.join(', ')}`, `\`${name}\``);
  }
  const names = liquid.globalVariableSegmentsSync([output]);
  for (const name of names) checkName(name.map(String), { ...place, line });
  const [[group, field] = []] = names;
  const isPlain = output.value.filters.length === 0 && output.value.initial.postfix.length === 1;
  if (isPlain && group !== undefined) return accessor(String(group), String(field));

  const render: Text = (scope) => {
    try {
      return `${liquid.renderSync([output], { ...scope.order, ...scope })}`;
    } catch (error) {
      throw new TemplateError(place.file, line, 'a placeholder that can be worked out', why(error));
    }
  };
  // Tells at start, and not on the first order, that a name cannot be reckoned with.
  render(SAMPLE);
  return render;
}

function accessor(group: string, field: string): Text {
  ...
}
