import { catalogResources } from './catalog-resources.ts';
import { orderResources } from './order-resources.ts';
import type { Resource } from './resource.ts';
import { inVersion } from './resource.ts';
import { shopResources } from './shop-resources.ts';
import type { Version } from './site.ts';

const ALL = [...catalogResources, ...orderResources, ...shopResources];
const asOf = (version: Version): ReadonlyMap<string, Resource> =>
  new Map(ALL.map((resource) => [resource.name, inVersion(resource, version)]));
const BY_VERSION = { '1.7.8': asOf('1.7.8'), '8.2': asOf('8.2'), '9.1': asOf('9.1') };

/** The resources that are simulated, as a version has them. A real shop has more, see `resourceNames`. */
export function resourcesOf(version: Version): ReadonlyMap<string, Resource> {
  return BY_VERSION[version];
}
