import type { Query } from './query.ts';
import { tableOf } from './read.ts';
import type { Resource } from './resource.ts';
import type { Site } from './site.ts';
import { WebserviceError } from './webservice-error.ts';

/**
 * Deletes the row of an address, or those of `id=[1,2]`. Where one of them is not there, none is deleted.
 * @throws {WebserviceError} 87 for ids that are not there
 */
export function remove(site: Site, resource: Resource, segment: string, query: Query): number {
  const table = tableOf(site.database, resource);
  const asked = query.plain.get('id');
  const list = asked === undefined ? segment : (/^\[(.*)\]$/.exec(asked)?.[1] ?? '');
  const ids = list === '' && asked !== undefined ? [] : list.split(',');
  const unknown = ids.filter((id) => !table.has(Number.parseInt(id, 10)));
  if (ids.length === 0 || unknown.length > 0) {
    const told = asked === undefined ? unknown.map((id) => Number.parseInt(id, 10) || 0) : unknown;
    throw new WebserviceError(404, 87, `Id(s) not exists: ${told.join(', ')}`);
  }
  for (const id of ids.map(Number)) {
    const row = table.get(id);
    if (row === undefined) continue;
    if (resource.remove === undefined) table.delete(id);
    else resource.remove(site, row);
  }
  return ids.length;
}
