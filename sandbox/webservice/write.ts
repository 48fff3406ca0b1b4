import type { XmlElement } from '../xml.ts';
import { parseXml, XmlError } from '../xml.ts';
import type { Column } from './columns.ts';
import { insertRow } from './database.ts';
import { TABLES } from './tables.ts';
import type { AnyRow, Row } from './database.ts';
import { isEmpty, isTexts, store, wholeNumber, written } from './php-value.ts';
import type { PhpValue } from './php-value.ts';
import { tableOf } from './read.ts';
import { entityOf } from './rendered.ts';
import type { Entity, FieldRules, Resource } from './resource.ts';
import { DEFAULT_LANGUAGE } from './site.ts';
import type { Site } from './site.ts';
import { columnKind, validate } from './validation.ts';
import { WebserviceError } from './webservice-error.ts';

/** What a writing request waits for, so that others come in between. */
export interface Pace {
  /** Once, when it is known how many rows are sent. */
  begin(rows: number): void;
  /** Before each row. */
  row(): Promise<void>;
  /** Between a row and what follows from it. */
  gap(): Promise<void>;
}

/**
 * Writes the rows of an XML body, one after the other. The first fault ends it; what was written before stays written.
 * @throws {WebserviceError} for what PrestaShop refuses
 * @throws {PhpFatalError} for what it dies of
 */
export async function write(
  site: Site,
  resource: Resource,
  method: 'POST' | 'PUT' | 'PATCH',
  body: string,
  pace: Pace,
): Promise<Entity[]> {
  const elements = bodyOf(body).children;
  checkIds(elements, method);
  pace.begin(elements.length);
  const entities: Entity[] = [];
  for (const element of elements) {
    await pace.row();
    const entity = method === 'POST' ? blank(resource) : known(site, resource, element);
    entities.push(entity);
    const sent = takeOver(site, resource, entity, element, method);
    if (method === 'POST') resource.modify?.(entity);
    validate(resource, entity, site.version);
    if (method === 'POST') add(site, resource, entity);
    else {
      const later = update(site, resource, entity, method === 'PATCH' ? sent : undefined);
      if (later !== undefined) {
        await pace.gap();
        later();
      }
    }
    writeAssociations(site, resource, entity, element);
  }
  return entities;
}

/** @throws {WebserviceError} 127 for what is no XML, with status 500 */
function bodyOf(body: string): XmlElement {
  try {
    if (/^\s+<\?xml/.test(body)) throw new XmlError('Expected the declaration at the beginning');
    return parseXml(body);
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    throw new WebserviceError(
      500,
      127,
      `XML error : String could not be parsed as XML\nXML length : ${Buffer.byteLength(body)}\nOriginal XML : ${body}`,
    );
  }
}

function checkIds(elements: readonly XmlElement[], method: string): void {
  const ids = elements.map(idOf).filter((id) => id !== '');
  if (method === 'POST') {
    if (ids.length > 0) throw new WebserviceError(400, 91, 'id is forbidden when adding a new resource');
    return;
  }
  if (new Set(ids.map(wholeNumber)).size !== ids.length)
    throw new WebserviceError(400, 89, 'id is duplicate in request');
  if (ids.length !== elements.length)
    throw new WebserviceError(400, 90, 'id is required when modifying a resource');
}

function idOf(element: XmlElement): string {
  return childOf(element, 'id')?.text ?? '';
}

function childOf(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((child) => child.name === name);
}

function blank(resource: Resource): Entity {
  const stored = Object.entries(resource.fields).filter(([, rules]) => rules.dynamic === undefined);
  return { id: '', values: Object.fromEntries(stored.map(([name]) => [name, null])), row: undefined };
}

function known(site: Site, resource: Resource, element: XmlElement): Entity {
  const row = tableOf(site.database, resource).get(wholeNumber(idOf(element)));
  if (row === undefined) throw new WebserviceError(404, 92, 'Invalid ID');
  return { ...entityOf(site, resource, row), id: idOf(element) };
}

/** Takes the fields of an element over into the object: what is not sent is blanked, unless it is a PATCH. */
function takeOver(
  site: Site,
  resource: Resource,
  entity: Entity,
  element: XmlElement,
  method: string,
): ReadonlySet<string> {
  const sent = new Set<string>();
  for (const [name, rules] of Object.entries(resource.fields)) {
    const child = childOf(element, name);
    if (child === undefined && method === 'PATCH') continue;
    if (child !== undefined) sent.add(name);
    if (['texts', 'html texts'].includes(columnKind(resource, name) ?? ''))
      entity.values[name] = textsOf(child, entity.values[name] ?? null);
    else if (child === undefined) leaveOut(entity, name, rules);
    else if (rules.readOnly === true) {
      throw new WebserviceError(
        400,
        93,
        `parameter "${name}" not writable. Please remove this attribute of this XML`,
      );
    } else if (rules.set !== undefined) rules.set(site, entity, child.text);
    else if (rules.dynamic === undefined) entity.values[name] = child.text;
  }
  return sent;
}

function leaveOut(entity: Entity, name: string, rules: FieldRules): void {
  if (rules.required === true) throw new WebserviceError(400, 41, `parameter "${name}" required`);
  if (rules.dynamic === undefined) entity.values[name] = null;
}

/** A text in each language, beside those that the object has already; or a plain text, which stands for all of them. */
function textsOf(child: XmlElement | undefined, before: PhpValue): PhpValue {
  const languages = child?.children.filter((one) => one.name === 'language') ?? [];
  if (languages.length === 0) return child?.text ?? '';
  const said = languages.map((one) => [wholeNumber(one.attributes.id ?? ''), one.text] as const);
  return { ...(isTexts(before) ? before : {}), ...Object.fromEntries(said) };
}

function add(site: Site, resource: Resource, entity: Entity): void {
  resource.beforeAdd?.(site, entity);
  for (const field of ['date_add', 'date_upd'] as const) {
    if (resource.fields[field] !== undefined) entity.values[field] = site.localTime();
  }
  const cells = cellsOf(site, resource, entity) as Partial<Row<typeof resource.table>>;
  entity.row = insertRow(site.database, resource.table, cells) as unknown as AnyRow;
  entity.id = String(entity.row.id);
  resource.afterAdd?.(site, entity);
}

/** Stores the fields that were sent, or all. What it gives back is still to be done. */
function update(
  site: Site,
  resource: Resource,
  entity: Entity,
  sent: ReadonlySet<string> | undefined,
): (() => void) | undefined {
  resource.beforeUpdate?.(site, entity);
  const dated = new Set<string>();
  if (resource.fields.date_add !== undefined && isEmpty(entity.values.date_add)) {
    entity.values.date_add = site.localTime();
    dated.add('date_add');
  }
  if (resource.fields.date_upd !== undefined) {
    entity.values.date_upd = site.localTime();
    dated.add('date_upd');
  }
  const cells = Object.entries(cellsOf(site, resource, entity)).filter(
    ([name]) => sent === undefined || sent.has(name) || dated.has(name),
  );
  Object.assign(entity.row ?? {}, Object.fromEntries(cells));
  return resource.afterUpdate?.(site, entity) ?? undefined;
}

function cellsOf(site: Site, resource: Resource, entity: Entity): Record<string, AnyRow[string]> {
  const columns = TABLES[resource.table] as Readonly<Record<string, Column>>;
  const languages = [...site.database.languages.rows.keys()];
  const cells: Record<string, AnyRow[string]> = {};
  for (const [name, value] of Object.entries(entity.values)) {
    const column = columns[name];
    if (column === undefined) continue;
    // A text that must be there is taken from the first language where another one has none.
    const first = isTexts(value) ? value[DEFAULT_LANGUAGE] : undefined;
    const missing = resource.fields[name]?.required === true ? (first ?? '') : '';
    cells[name] = store(value, column, languages, missing);
  }
  return cells;
}

function writeAssociations(site: Site, resource: Resource, entity: Entity, element: XmlElement): void {
  for (const association of childOf(element, 'associations')?.children ?? []) {
    const known = resource.associations?.[association.name];
    if (known === undefined) {
      if (association.name === 'i18n') continue;
      // The row is there by now, and stays.
      throw new WebserviceError(400, 86, `The association "${association.name}" does not exists`);
    }
    const items = association.children.map((item) =>
      Object.fromEntries(item.children.map((part) => [part.name, written(part.text)])),
    );
    known.write?.(site, wholeNumber(entity.id), items);
  }
}
