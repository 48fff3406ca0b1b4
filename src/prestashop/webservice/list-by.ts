import type { z } from 'zod';
import type { Resource, Webservice } from './api.ts';

/** Values in one address, at most: with more it would grow too long for some servers. */
const CHUNK = 50;

/** Reads the entities that have one of these values in a field, sorted by id within each request. */
export async function listBy<Row extends z.ZodObject>(
  api: Webservice,
  resource: Resource,
  row: Row,
  field: string,
  values: readonly (number | string)[],
  signal: AbortSignal,
): Promise<readonly z.output<Row>[]> {
  const found = await Promise.all(
    inChunks([...new Set(values)]).map((part) => {
      const query = { filter: { [field]: `[${part.join('|')}]` }, sort: ['id_ASC'] };
      return api.list(resource, row, query, signal);
    }),
  );
  return found.flat();
}

/** The same by id; 0 is nobody's. */
export function listByIds<Row extends z.ZodObject>(
  api: Webservice,
  resource: Resource,
  row: Row,
  ids: readonly number[],
  signal: AbortSignal,
): Promise<readonly z.output<Row>[]> {
  const real = ids.filter((id) => id > 0);
  return listBy(api, resource, row, 'id', real, signal);
}

export function inChunks<T>(items: readonly T[], size = CHUNK): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
