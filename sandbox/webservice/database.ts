import type { Cell, Column } from './columns.ts';
import { TABLES } from './tables.ts';

export type TableName = keyof typeof TABLES;
/** One row of a table. */
export type Row<Name extends TableName> = { id: number } & {
  -readonly [Key in keyof (typeof TABLES)[Name]]: (typeof TABLES)[Name][Key] extends Column<infer Value>
    ? Value
    : never;
};
/** A row of whatever table, for what is done to all tables alike. */
export type AnyRow = { id: number } & Record<string, Cell>;

/** A table: its rows in the order in which they were made, and the id that the next one gets. */
export interface Table<Name extends TableName> {
  readonly rows: Map<number, Row<Name>>;
  next: number;
}

/** The tables of one PrestaShop, changed in place by whoever works on them. */
export type Database = { readonly [Name in TableName]: Table<Name> } & {
  /** Which products stand in which category, and where. */
  readonly categoryProducts: { readonly category: number; readonly product: number; position: number }[];
  /** The sizes and colours of a combination; a value need not exist. */
  readonly combinationValues: { readonly combination: number; readonly value: number }[];
  readonly combinationImages: { readonly combination: number; readonly image: number }[];
  readonly customerGroups: { readonly customer: number; readonly group: number }[];
  readonly detailTaxes: { readonly detail: number; readonly tax: number }[];
  /** The id that the next cart gets; carts themselves are not kept. */
  nextCart: number;
};

/** Makes empty tables. */
export function emptyDatabase(): Database {
  const tables = Object.fromEntries(
    Object.keys(TABLES).map((name) => [name, { rows: new Map(), next: 1 }]),
  ) as unknown as { readonly [Name in TableName]: Table<Name> };
  return {
    ...tables,
    categoryProducts: [],
    combinationValues: [],
    combinationImages: [],
    customerGroups: [],
    detailTaxes: [],
    nextCart: 1,
  };
}

function tableOf<Name extends TableName>(database: Database, name: Name): Table<Name> {
  return database[name] as unknown as Table<Name>;
}

/** Puts a row into a table, with the next id unless it brings one, and with empty cells where it says nothing. */
export function insertRow<Name extends TableName>(
  database: Database,
  name: Name,
  cells: Partial<Row<Name>>,
): Row<Name> {
  const table = tableOf(database, name);
  const id = cells.id ?? table.next;
  const empty = Object.entries(TABLES[name]).map(([key, column]: [string, Column]) => [key, column.empty()]);
  const row = { ...Object.fromEntries(empty), ...cells, id } as Row<Name>;
  table.rows.set(id, row);
  table.next = Math.max(table.next, id + 1);
  return row;
}

/** The rows of a table for which something holds. */
export function rowsOf<Name extends TableName>(
  database: Database,
  name: Name,
  holds: (row: Row<Name>) => boolean = () => true,
): Row<Name>[] {
  const table = tableOf(database, name);
  const found: Row<Name>[] = [];
  for (const row of table.rows.values()) if (holds(row)) found.push(row);
  return found;
}

/** A row that must be there. */
export function rowOf<Name extends TableName>(database: Database, name: Name, id: number): Row<Name> {
  const table = tableOf(database, name);
  const row = table.rows.get(id);
  if (row === undefined) throw new Error(`Expected a row ${id} in ${name}, got none`);
  return row;
}

/** The same text in each of the shop's languages. */
export function inEachLanguage(database: Database, said: string): Record<number, string> {
  return Object.fromEntries([...database.languages.rows.keys()].map((language) => [language, said]));
}
