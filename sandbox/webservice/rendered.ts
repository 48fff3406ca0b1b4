import { Big } from 'big.js';
import type { AnyRow } from './database.ts';
import { TABLES } from './tables.ts';
import type { Column } from './columns.ts';
import { createLookup } from './lookup.ts';
import type { Lookup } from './lookup.ts';
import { isFalsy, load, wholeNumber, written } from './php-value.ts';
import type { PhpValue } from './php-value.ts';
import type { Display, Query } from './query.ts';
import type { Association, Entity, Resource } from './resource.ts';
import type { Site } from './site.ts';
import { columnKind } from './validation.ts';

/** One field as an answer shows it. */
export interface RenderedField {
  readonly name: string;
  readonly value: PhpValue;
  /** True for a field with a text in each language. */
  readonly translated: boolean;
  /** Where the field points, under `/api/`. */
  readonly path: string | undefined;
  readonly filterable: boolean;
}

export interface RenderedAssociation {
  readonly name: string;
  readonly node: string;
  readonly api: string | undefined;
  readonly items: readonly {
    readonly path: string | undefined;
    readonly fields: readonly Pick<RenderedField, 'name' | 'value' | 'path'>[];
  }[];
}

/** One row as an answer shows it. */
export interface RenderedEntity {
  readonly id: number | string;
  readonly fields: readonly RenderedField[];
  /** Undefined where none is shown; in XML that is another thing than an empty list. */
  readonly associations: readonly RenderedAssociation[] | undefined;
}

/** What a list or a row is shown with. */
export interface View {
  readonly display: Exclude<Display, 'minimum'>;
  readonly languages: readonly number[];
  readonly query: Query;
}

/** Reads a row as an object. */
export function entityOf(site: Site, resource: Resource, row: AnyRow): Entity {
  const columns = TABLES[resource.table] as Readonly<Record<string, Column>>;
  const values: Record<string, PhpValue> = {};
  for (const [name, { loads }] of Object.entries(resource.fields)) {
    const column = columns[name];
    if (loads !== undefined) values[name] = loads(site, row);
    else if (column !== undefined) values[name] = load(row[name] ?? null, column, site.version);
  }
  return { id: row.id, values, row };
}

/** Makes what an answer shows of these objects. Reads the tables as they are now. */
export function rendered(
  site: Site,
  resource: Resource,
  entities: readonly Entity[],
  view: View,
): RenderedEntity[] {
  const lookup = createLookup(site.database);
  return entities.map((entity) => ({
    id: entity.id,
    fields: [...fieldsOf(site, resource, entity, view, lookup), ...pricesOf(site, resource, entity, view)],
    associations: associationsOf(site, resource, entity, view, lookup),
  }));
}

function fieldsOf(
  site: Site,
  resource: Resource,
  entity: Entity,
  { display }: View,
  lookup: Lookup,
): RenderedField[] {
  const shows = (name: string) => display === 'full' || display.has(name);
  const fields = Object.entries(resource.fields)
    .filter(([name]) => shows(name))
    .map(([name, rules]): RenderedField => {
      const value = rules.dynamic?.(site, entity, lookup) ?? entity.values[name] ?? null;
      const none = name.startsWith('id_') && isFalsy(value);
      return {
        name,
        // An id that is not set is never null.
        value: none && value === null ? '' : value,
        translated: ['texts', 'html texts'].includes(columnKind(resource, name) ?? ''),
        path:
          rules.link === undefined || none
            ? undefined
            : pathOf(rules.link, written(value), String(entity.id)),
        filterable: rules.dynamic === undefined && rules.filterable !== false,
      };
    });
  const id = { name: 'id', value: entity.id, translated: false, path: undefined, filterable: true };
  return shows('id') ? [id, ...fields] : fields;
}

function pathOf(link: string, value: string, owner: string): string {
  return link.endsWith('*') ? `${link.slice(0, -1)}${owner}/${value}` : `${link}/${value}`;
}

function associationsOf(
  site: Site,
  resource: Resource,
  entity: Entity,
  { display }: View,
  lookup: Lookup,
): RenderedAssociation[] | undefined {
  if (resource.associations === undefined) return undefined;
  if (display !== 'full' && ![...display.values()].some((parts) => parts !== undefined)) return undefined;
  const id = wholeNumber(entity.id);
  return Object.entries(resource.associations)
    .filter(([name]) => display === 'full' || display.has(name))
    .map(([name, association]) => ({
      name,
      node: association.node,
      api: association.api,
      items: association.read(lookup, id, site).map((item) => ({
        path: association.path?.(entity, item),
        fields: partsOf(name, association, display).map((part) => {
          const value = loaded(item[part] ?? null, site);
          const link = association.fields[part]?.link;
          return { name: part, value, path: link === undefined ? undefined : `${link}/${written(value)}` };
        }),
      })),
    }));
}

function partsOf(name: string, association: Association, display: View['display']): readonly string[] {
  const parts = Object.keys(association.fields);
  const shown = display === 'full' ? undefined : display.get(name);
  return shown === undefined ? parts : parts.filter((part) => shown.includes(part));
}

function loaded(cell: AnyRow[string], { version }: Site): PhpValue {
  return typeof cell === 'number' && version !== '9.1' ? String(cell) : (cell as PhpValue);
}

/** The prices that `price[final][use_tax]=1` asks for. */
function pricesOf(site: Site, resource: Resource, entity: Entity, { display, query }: View): RenderedField[] {
  if (resource.name !== 'products' && resource.name !== 'combinations') return [];
  return [...query.price]
    .filter(([name]) => display === 'full' || display.has(name))
    .map(([name, parameters]) => ({
      name: name.toLowerCase(),
      value: priceOf(site, resource, entity, !['0', ''].includes(parameters.get('use_tax') ?? '1')),
      translated: false,
      path: undefined,
      filterable: true,
    }));
}

function priceOf({ database }: Site, resource: Resource, entity: Entity, withTax: boolean): string {
  const id = wholeNumber(entity.id);
  const combination = resource.name === 'combinations' ? database.combinations.rows.get(id) : undefined;
  const product = database.products.rows.get(combination?.id_product ?? id);
  const net = new Big(product?.price ?? 0).plus(combination?.price ?? 0);
  const rate = withTax ? taxRate(database, product?.id_tax_rules_group ?? 0) : 0;
  return net
    .times(new Big(1).plus(new Big(rate).div(100)))
    .round(2)
    .toFixed(6);
}

/** The rate in percent that a tax rules group comes to in the shop's country; 0 for no group. */
export function taxRate(database: Site['database'], group: number): string | number {
  for (const rule of database.tax_rules.rows.values()) {
    if (rule.id_tax_rules_group === group) return database.taxes.rows.get(rule.id_tax)?.rate ?? 0;
  }
  return 0;
}
