import type { Resource } from './resource.ts';
import type { Version } from './site.ts';
import { columnKind } from './validation.ts';
import { didYouMean, PhpFatalError, WebserviceError } from './webservice-error.ts';

/** The parameters of an address, as PHP takes them apart: `filter[id]=1` is `filter` → `id` → 1. */
export interface Query {
  readonly plain: ReadonlyMap<string, string>;
  readonly filter: ReadonlyMap<string, string>;
  /** `price[final][use_tax]=1`. */
  readonly price: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

/** What an answer shows of each row: its id, everything, or these fields and these parts of associations. */
export type Display = 'minimum' | 'full' | ReadonlyMap<string, readonly string[] | undefined>;

export interface Limit {
  readonly offset: number;
  readonly count: number;
}

export interface SortKey {
  readonly field: string;
  readonly descending: boolean;
}

/** Takes the part of an address after the question mark apart. */
export function parseQuery(search: string): Query {
  const plain = new Map<string, string>();
  const filter = new Map<string, string>();
  const price = new Map<string, Map<string, string>>();
  for (const part of search.split('&')) {
    if (part === '') continue;
    const at = part.indexOf('=');
    const name = decoded(at === -1 ? part : part.slice(0, at));
    const value = at === -1 ? '' : decoded(part.slice(at + 1));
    const [, key = name, rest = ''] = /^([^[]*)((?:\[[^\]]*\])*)$/.exec(name) ?? [];
    const [first, second] = [...rest.matchAll(/\[([^\]]*)\]/g)].map((match) => match[1] ?? '');
    if (key === 'filter' && first !== undefined) filter.set(first, value);
    else if (key === 'price' && first !== undefined) {
      const parameters = price.get(first) ?? new Map<string, string>();
      if (second !== undefined) parameters.set(second, value);
      price.set(first, parameters);
    } else plain.set(key, value);
  }
  return { plain, filter, price };
}

function decoded(said: string): string {
  try {
    return decodeURIComponent(said.replaceAll('+', ' '));
  } catch {
    return said;
  }
}

/**
 * Reads `display`.
 * @throws {WebserviceError} 35 for a field that there is not, 36 for anything but `full` and a list
 * @throws {PhpFatalError} for parts of an association that there is not, where PHP 8 runs
 */
export function displayOf(query: Query, resource: Resource, version: Version): Display | undefined {
  const said = query.plain.get('display');
  if (said === undefined || said === 'full' || said === 'minimum') return said;
  const fields = ['id', ...Object.keys(resource.fields)];
  const list = /^\[(.*)\]$/.exec(said)?.[1];
  if (list === undefined) {
    throw new WebserviceError(
      400,
      36,
      `The 'display' syntax is wrong. You can set 'full' or '[field_1,field_2,field_3,...]'. These are available: ${fields.join(', ')}`,
    );
  }
  const display = new Map<string, readonly string[] | undefined>();
  for (const part of apart(list)) {
    const [, name = '', inner] = /^\s*([^[]*?)\s*(?:\[(.*)\])?$/.exec(part) ?? [];
    const parts = inner === undefined ? undefined : [...(display.get(name) ?? []), ...inner.split(',')];
    if (parts !== undefined && resource.associations?.[name] === undefined && version !== '1.7.8')
      throw new PhpFatalError(`No association ${name}`);
    const known =
      parts === undefined
        ? fields.includes(name) || query.price.has(name)
        : parts.every((one) => one === 'id' || resource.associations?.[name]?.fields[one] !== undefined);
    if (!known) {
      throw new WebserviceError(
        400,
        35,
        `Unable to display this field "${name}${exported(parts)}". However, these are available: ${fields.join(', ')}`,
      );
    }
    display.set(name, parts);
  }
  return display;
}

/** An array as PHP's `var_export` shows it. */
function exported(parts: readonly string[] | undefined): string {
  if (parts === undefined) return '';
  return ` (details : array (\n${parts.map((part, index) => `  ${index} => '${part}',\n`).join('')}))`;
}

/** Splits at the commas that stand in no brackets. */
function apart(list: string): string[] {
  const parts: string[] = [];
  let [depth, start] = [0, 0];
  for (const [at, letter] of Array.from(list).entries()) {
    if (letter === '[') depth++;
    else if (letter === ']') depth--;
    else if (letter === ',' && depth === 0) {
      parts.push(list.slice(start, at));
      start = at + 1;
    }
  }
  return list.length > start ? [...parts, list.slice(start)] : parts;
}

/** The fields that lists can be filtered and sorted by: dates only with `date=1`, and those with texts apart. */
export function filterable(
  resource: Resource,
  withDates: boolean,
): { readonly plain: readonly string[]; readonly texts: readonly string[] } {
  const names = ['id', ...Object.keys(resource.fields)];
  const texts = names.filter((name) => ['texts', 'html texts'].includes(columnKind(resource, name) ?? ''));
  const dates = ['date_add', 'date_upd'];
  const plain = names.filter((name) => !texts.includes(name) && (withDates || !dates.includes(name)));
  return { plain: withDates ? [...new Set([...plain, ...dates])] : plain, texts };
}

/**
 * Checks the names of the filters.
 * @throws {WebserviceError} 32 for a field that cannot be filtered by, 33 for an empty filter, 34 for a dynamic field
 */
export function checkFilters(query: Query, resource: Resource): void {
  const { plain, texts } = filterable(resource, withDates(query));
  for (const [field, value] of query.filter) {
    if (!plain.includes(field)) {
      if (value !== '' && texts.includes(field)) continue;
      throw didYouMean(32, 'This filter does not exist', field, plain);
    }
    if (value === '') throw new WebserviceError(400, 33, `The filter "${field}" is malformed.`);
    const rules = resource.fields[field];
    if (rules?.dynamic !== undefined || rules?.filterable === false) {
      throw new WebserviceError(
        400,
        34,
        `The field "${field}" is dynamic. It is not possible to filter GET query with this field.`,
      );
    }
  }
}

export function withDates(query: Query): boolean {
  return ![undefined, '', '0'].includes(query.plain.get('date'));
}

/**
 * Reads `sort`.
 * @throws {WebserviceError} 37 for a wrong form, 38 for a field that cannot be sorted by
 */
export function sortOf(query: Query, resource: Resource): readonly SortKey[] {
  const said = query.plain.get('sort');
  if (said === undefined) return [];
  const { plain, texts } = filterable(resource, withDates(query));
  return (/^\[(.*)\]$/.exec(said)?.[1] ?? said).split(',').map((key) => {
    const [, field = '', direction = ''] = /^(.*)_(asc|desc)$/i.exec(key) ?? [];
    if (direction === '') {
      throw new WebserviceError(
        400,
        37,
        `The "sort" value has to be formed as this example: "field_ASC" or '[field_1_DESC,field_2_ASC,field_3_ASC,...]' ("field" has to be an available field)`,
      );
    }
    if (!plain.includes(field) && !texts.includes(field)) {
      throw new WebserviceError(
        400,
        38,
        `Unable to filter by this field. However, these are available: ${plain.join(', ')}, for i18n fields:${texts.join(', ')}`,
      );
    }
    return { field, descending: direction.toUpperCase() === 'DESC' };
  });
}

/**
 * Reads `limit`: `n`, or `offset,n`. What is no number is 0, so that nothing is shown.
 * @throws {WebserviceError} 39 for more than two numbers
 */
export function limitOf(query: Query): Limit {
  const said = query.plain.get('limit');
  if (said === undefined) return { offset: 0, count: Number.POSITIVE_INFINITY };
  const numbers = said.split(',').map((part) => Number.parseInt(part, 10) || 0);
  const [first = 0, second] = numbers;
  if (numbers.length > 2) {
    throw new WebserviceError(400, 39, 'The "limit" value has to be formed as this example: "5,25" or "10"');
  }
  return second === undefined ? { offset: 0, count: first } : { offset: first, count: second };
}

/**
 * Reads `language`: one, `[1|2]` or `[1,2]`; all when it is not said.
 * @throws {WebserviceError} 79 for a wrong form, 81 where none is left
 */
export function languagesOf(query: Query, all: readonly number[]): readonly number[] {
  const said = query.plain.get('language');
  if (said === undefined) return all;
  const list = /^\[(.*)\]$/.exec(said)?.[1];
  if (list === undefined && !/^\d+$/.test(said))
    throw new WebserviceError(400, 79, 'language value is wrong');
  const asked = (list ?? said).split(/[|,]/).map(Number);
  const [from = 0, to = from] = asked;
  const chosen =
    list?.includes(',') === true
      ? all.filter((language) => language >= from && language <= to)
      : all.filter((language) => asked.includes(language));
  if (chosen.length === 0) throw new WebserviceError(400, 81, 'language is not available');
  return chosen;
}
