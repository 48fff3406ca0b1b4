import type { Database, Row, TableName } from './database.ts';

type LinkName =
  | 'categoryProducts'
  | 'combinationValues'
  | 'combinationImages'
  | 'customerGroups'
  | 'detailTaxes';
type Link<Name extends LinkName> = Database[Name][number];

/** Finds rows by what they belong to, without going through a whole table for each. Right until a table changes. */
export interface Lookup {
  rows<Name extends TableName>(
    table: Name,
    column: string & keyof Row<Name>,
    id: number,
  ): readonly Row<Name>[];
  links<Name extends LinkName>(
    list: Name,
    column: string & keyof Link<Name>,
    id: number,
  ): readonly Link<Name>[];
}

/** Makes a lookup, which groups a table when it is first asked for it. */
export function createLookup(database: Database): Lookup {
  const groups = new Map<string, Map<unknown, unknown[]>>();
  const group = (key: string, items: Iterable<object>, column: string): Map<unknown, unknown[]> => {
    const known = groups.get(key);
    if (known !== undefined) return known;
    const made = new Map<unknown, unknown[]>();
    for (const item of items) {
      const id = (item as Record<string, unknown>)[column];
      const found = made.get(id);
      if (found === undefined) made.set(id, [item]);
      else found.push(item);
    }
    groups.set(key, made);
    return made;
  };
  return {
    rows: <Name extends TableName>(table: Name, column: string, id: number) =>
      (group(`${table} ${column}`, database[table].rows.values(), column).get(id) ?? []) as Row<Name>[],
    links: <Name extends LinkName>(list: Name, column: string, id: number) =>
      (group(`${list} ${column}`, database[list], column).get(id) ?? []) as Link<Name>[],
  };
}
