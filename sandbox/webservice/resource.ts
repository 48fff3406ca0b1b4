import type { AnyRow, TableName } from './database.ts';
import type { Lookup } from './lookup.ts';
import type { PhpValue } from './php-value.ts';
import type { Site, Version } from './site.ts';
import type { Format } from './validation.ts';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A row as an object in PrestaShop's memory. What was written stands here as it was sent, until it is read again. */
export interface Entity {
  /** A number when it was read, a text when it was written. */
  id: number | string;
  readonly values: Record<string, PhpValue>;
  /** The row behind it; none before it is made. */
  row: AnyRow | undefined;
}

/** What the Webservice knows of one field. */
export interface FieldRules {
  /** The resource that the field points into. */
  readonly link?: string;
  /** Must stand in every POST and PUT. */
  readonly required?: boolean;
  /** Characters. */
  readonly size?: number | Readonly<Record<Version, number>>;
  readonly format?: Format;
  /** Set when nothing is sent. */
  readonly fallback?: (version: Version) => string | undefined;
  /** Read through a method, never from the table: not to be filtered by. */
  readonly dynamic?: (site: Site, entity: Entity, lookup: Lookup) => PhpValue;
  /** Read from the table, but not as it stands there. */
  readonly loads?: (site: Site, row: AnyRow) => PhpValue;
  /** Written through a method, at once, before anything is checked. */
  readonly set?: (site: Site, entity: Entity, value: string) => void;
  /** False for a stored field that cannot be filtered by either. */
  readonly filterable?: false;
  /** Whoever sends it is refused. */
  readonly readOnly?: boolean;
  /** The versions that have the field; all when left out. */
  readonly only?: readonly Version[];
}

/** One item of an association, under the names of its fields. */
export type AssociationItem = Readonly<Record<string, string | number>>;

/** A list of other rows, or of parts, that hangs on a row. */
export interface Association {
  readonly node: string;
  /** Where the items are to be read; none for parts that have no address of their own. */
  readonly api?: string;
  readonly fields: Readonly<
    Record<string, { readonly link?: string; readonly required?: boolean; readonly readOnly?: boolean }>
  >;
  /** An item's address under `/api/`. */
  readonly path?: (entity: Entity, item: AssociationItem) => string;
  readonly read: (lookup: Lookup, id: number, site: Site) => readonly AssociationItem[];
  /** Replaces the items. An association without it is ignored when it is sent. */
  readonly write?: (site: Site, id: number, items: readonly Readonly<Record<string, string>>[]) => void;
}

/** One resource of the Webservice. */
export interface Resource {
  /** `orders`, as in the address. */
  readonly name: string;
  /** `order`, the element of one. */
  readonly node: string;
  /** PrestaShop's class, which stands in its messages. */
  readonly className: string | ((version: Version) => string);
  /** `orders`, its table and the element of a list; not always the resource's name. */
  readonly table: TableName;
  readonly fields: Readonly<Record<string, FieldRules>>;
  readonly associations?: Readonly<Record<string, Association>>;
  readonly forbidden?: readonly Method[];
  /** The columns by which an unsorted list comes, then by id; in the order in which the rows were made when left out. */
  readonly unsorted?: (version: Version) => readonly string[] | undefined;
  /** False for a row that lists do not show. */
  readonly listed?: (site: Site, row: AnyRow) => boolean;
  /** False for a row that cannot be read by its id. */
  readonly readable?: (site: Site, row: AnyRow) => boolean;
  /** Changes a new object before it is checked. */
  readonly modify?: (entity: Entity) => void;
  /** Changes the object once it is checked, or refuses it. */
  readonly beforeAdd?: (site: Site, entity: Entity) => void;
  readonly beforeUpdate?: (site: Site, entity: Entity) => void;
  readonly afterAdd?: (site: Site, entity: Entity) => void;
  /** May return what follows a little later: the database is not locked between the two. */
  readonly afterUpdate?: (site: Site, entity: Entity) => (() => void) | void;
  /** Deletes a row with all that hangs on it. */
  readonly remove?: (site: Site, row: AnyRow) => void;
}

export function classOf(resource: Resource, version: Version): string {
  return typeof resource.className === 'string' ? resource.className : resource.className(version);
}

/** The resource as this version has it. */
export function inVersion(resource: Resource, version: Version): Resource {
  const fields = Object.entries(resource.fields).filter(
    ([, { only }]) => only === undefined || only.includes(version),
  );
  return { ...resource, fields: Object.fromEntries(fields) };
}
