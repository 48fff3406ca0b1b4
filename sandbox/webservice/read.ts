import type { AnyRow, Database } from './database.ts';
import { filtered, sorted } from './filter.ts';
import type { Query } from './query.ts';
import { checkFilters, limitOf, sortOf } from './query.ts';
import type { Resource } from './resource.ts';
import { classOf } from './resource.ts';
import type { Site } from './site.ts';
import { NoSuchRow, WebserviceError } from './webservice-error.ts';

/**
 * The rows that a list asks for. Without `sort` they come as the database finds them.
 * @throws {WebserviceError} for a filter, a sort or a limit that cannot be
 */
export function rowsAskedFor(site: Site, resource: Resource, query: Query): AnyRow[] {
  checkFilters(query, resource);
  const keys = sortOf(query, resource);
  const { offset, count } = limitOf(query);
  const { listed, unsorted } = resource;
  const rows = filtered(allRows(site.database, resource), query, resource).filter(
    (row) => listed === undefined || listed(site, row),
  );
  const columns = unsorted?.(site.version);
  const found = columns === undefined ? [] : [...columns, 'id'];
  const order = [...keys, ...found.map((field) => ({ field, descending: false }))];
  return sorted(rows, order, resource).slice(offset, offset + count);
}

/**
 * The one row with this id.
 * @throws {NoSuchRow} when there is none
 * @throws {WebserviceError} 131 for one that is not the shop's
 */
export function rowAskedFor(site: Site, resource: Resource, id: number): AnyRow {
  const row = tableOf(site.database, resource).get(id);
  if (row === undefined) throw new NoSuchRow(`${resource.name} ${id}`);
  if (resource.readable?.(site, row) === false) {
    const name = classOf(resource, site.version);
    throw new WebserviceError(404, 131, `This ${name} (${id}) does not exists on this shop`);
  }
  return row;
}

/** A resource's table, its rows of no particular kind. */
export function tableOf(database: Database, resource: Resource): Map<number, AnyRow> {
  return database[resource.table].rows;
}

function allRows(database: Database, resource: Resource): AnyRow[] {
  return [...tableOf(database, resource).values()];
}
