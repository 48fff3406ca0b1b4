import type { Association } from './resource.ts';

/** An association of rows that have an address of their own. */
export const of = (
  node: string,
  api: string,
  read: Association['read'],
  more: Partial<Association> = {},
): Association => ({
  node,
  api,
  fields: { id: { required: true } },
  path: (_entity, item) => `${api}/${item.id}`,
  read,
  ...more,
});
