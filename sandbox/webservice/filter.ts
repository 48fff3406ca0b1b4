import { TABLES } from './tables.ts';
import type { AnyRow } from './database.ts';
import { written } from './php-value.ts';
import type { Cell, ColumnKind } from './columns.ts';
import type { Query, SortKey } from './query.ts';
import type { Resource } from './resource.ts';
import { WebserviceError } from './webservice-error.ts';

/** Tells whether a cell is one that a filter lets through. */
type Test = (cell: Cell) => boolean;

/** The rows that all filters let through, compared as the database does: text without regard to case and accents. */
export function filtered(rows: readonly AnyRow[], query: Query, resource: Resource): AnyRow[] {
  const tests = [...query.filter].map(([field, value]) => ({
    field,
    test: testOf(value, kindOf(resource, field)),
  }));
  return rows.filter((row) => tests.every(({ field, test }) => cellsOf(row[field]).some(test)));
}

/** The rows in the order asked for; those that are alike stay as they came. */
export function sorted(rows: readonly AnyRow[], keys: readonly SortKey[], resource: Resource): AnyRow[] {
  const compared = keys.map(({ field, descending }) => ({
    field,
    sign: descending ? -1 : 1,
    kind: kindOf(resource, field),
  }));
  return [...rows].sort((one, other) => {
    for (const { field, sign, kind } of compared) {
      const [left = null] = cellsOf(one[field]);
      const [right = null] = cellsOf(other[field]);
      const order = compare(comparable(left, kind), comparable(right, kind));
      if (order !== 0) return order * sign;
    }
    return 0;
  });
}

/** A text stands in one cell for each language; any of them will do. */
function cellsOf(cell: Cell | undefined): Cell[] {
  if (cell === undefined) return [null];
  return typeof cell === 'object' && cell !== null ? Object.values(cell) : [cell];
}

function kindOf(resource: Resource, field: string): ColumnKind {
  if (field === 'id') return 'int';
  const columns = TABLES[resource.table] as Readonly<Record<string, { readonly kind: ColumnKind }>>;
  const kind = columns[field]?.kind;
  if (kind === undefined)
    throw new WebserviceError(500, 97, `[SQL Error] Unknown column 'main.${field}' in 'where clause'`);
  return kind;
}

function testOf(said: string, kind: ColumnKind): Test {
  const value = (text: string) => comparable(text, kind);
  const to = (cell: Cell, text: string) => compare(comparable(cell, kind), value(text));
  const equal =
    (text: string): Test =>
    (cell) =>
      cell !== null && to(cell, text) === 0;
  const [whole, before = '', inner = '', after = ''] = /^(.*)\[(.*)\](.*)$/.exec(said) ?? [];
  if (whole === undefined) return equal(said);
  if (before === '%' || after === '%') {
    const pattern = like(before + inner + after);
    return (cell) => pattern.test(folded(written(cell)));
  }
  if (before === '>') return (cell) => cell !== null && to(cell, inner) > 0;
  if (before === '<') return (cell) => cell !== null && to(cell, inner) < 0;
  if (before === '!')
    return (cell) => cell !== null && inner.split('|').every((text) => to(cell, text) !== 0);
  if (before !== '' || after !== '') return () => true;
  if (inner.indexOf('|') > 0) {
    const tests = inner.split('|').map(equal);
    return (cell) => tests.some((test) => test(cell));
  }
  const interval = /^([\d.:\-\s]+),([\d.:\-\s]+)$/.exec(inner);
  if (interval === null) return equal(inner);
  const [low = '', high = ''] = [interval[1] ?? '', interval[2] ?? ''].sort((one, other) =>
    compare(value(one), value(other)),
  );
  return (cell) => cell !== null && to(cell, low) >= 0 && to(cell, high) <= 0;
}

type Comparable = string | number;

/** A value as the database compares it: a text beside a number is the number that it begins with. */
function comparable(cell: Cell, kind: ColumnKind): Comparable {
  const said = typeof cell === 'boolean' ? String(Number(cell)) : written(cell);
  switch (kind) {
    case 'int':
    case 'optional int':
    case 'flag':
    case 'default flag':
    case 'decimal':
      return Number(/^\s*[+-]?\d+(?:\.\d+)?/.exec(said)?.[0] ?? 0);
    case 'moment':
      return /^\d{4}-\d{2}-\d{2}$/.test(said) ? `${said} 00:00:00` : said;
    case 'date':
      return said.slice(0, 10);
    case 'text':
    case 'html':
    case 'texts':
    case 'html texts':
      return folded(said);
    default:
      throw new Error(`Expected a kind of column, got ${String(kind satisfies never)}`);
  }
}

function compare(one: Comparable, other: Comparable): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function folded(said: string): string {
  return said.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase().trimEnd();
}

function like(pattern: string): RegExp {
  const escaped = folded(pattern).replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${escaped.replaceAll('%', '.*').replaceAll('_', '.')}$`, 's');
}
