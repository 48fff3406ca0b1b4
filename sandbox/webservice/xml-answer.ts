import type { PhpValue } from './php-value.ts';
import { isTexts, written } from './php-value.ts';
import type { RenderedAssociation, RenderedEntity, RenderedField } from './rendered.ts';
import type { FieldRules, Resource } from './resource.ts';
import { SPECIAL } from './resource-names.ts';
import type { Version } from './site.ts';
import { columnKind, sizeOf } from './validation.ts';

/** What every XML answer needs to know: where `/api/` is, and which languages it shows. */
export interface XmlFrame {
  /** `http://127.0.0.1:18080/api/`. */
  readonly api: string;
  readonly languages: readonly number[];
}

/** Wraps an answer into the root element. */
export function xmlDocument(content: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<prestashop xmlns:xlink="http://www.w3.org/1999/xlink">\n${content}</prestashop>\n`;
}

export function xmlErrors(errors: readonly { readonly code: number; readonly message: string }[]): string {
  const each = errors.map(
    ({ code, message }) =>
      `<error>\n<code>${cdata(String(code))}</code>\n<message>${cdata(message)}</message>\n</error>\n`,
  );
  return xmlDocument(`<errors>\n${each.join('')}</errors>\n`);
}

/** A list of rows with nothing but their ids. */
export function xmlIds(resource: Resource, ids: readonly (number | string)[], frame: XmlFrame): string {
  const each = ids.map(
    (id) => `<${resource.node} id="${id}" xlink:href="${frame.api}${resource.table}/${id}"/>\n`,
  );
  return xmlDocument(`<${resource.table}>\n${each.join('')}</${resource.table}>\n`);
}

/** A list of rows. */
export function xmlList(resource: Resource, entities: readonly RenderedEntity[], frame: XmlFrame): string {
  const each = entities.map((entity) => xmlEntity(resource, entity, frame));
  return xmlDocument(`<${resource.table}>\n${each.join('')}</${resource.table}>\n`);
}

/** Rows without a list around them: the one that was asked for, or those that were written. */
export function xmlEntities(
  resource: Resource,
  entities: readonly RenderedEntity[],
  frame: XmlFrame,
): string {
  return xmlDocument(entities.map((entity) => xmlEntity(resource, entity, frame)).join(''));
}

function xmlEntity(resource: Resource, entity: RenderedEntity, frame: XmlFrame): string {
  const fields = entity.fields.map((field) => xmlField(field, frame)).join('');
  const associations =
    entity.associations === undefined
      ? ''
      : `<associations>\n${entity.associations.map((one) => xmlAssociation(one, frame)).join('')}</associations>\n`;
  return `<${resource.node}>\n${fields}${associations}</${resource.node}>\n`;
}

function xmlField(field: RenderedField, frame: XmlFrame): string {
  const path = field.path === undefined ? '' : ` xlink:href="${frame.api}${field.path}"`;
  const attributes = `${path}${field.filterable ? '' : ' notFilterable="true"'}`;
  const content = field.translated ? xmlTexts(field.value, frame) : cdata(written(field.value));
  return `\t<${field.name}${attributes}>${content}</${field.name}>\n`;
}

/** A plain text where an array should stand gives its letters: PHP counts them. */
function xmlTexts(value: PhpValue, { api, languages }: XmlFrame): string {
  return languages
    .map((language) => {
      const link = isTexts(value) ? ` xlink:href="${api}languages/${language}"` : '';
      const text = isTexts(value) ? value[language] : written(value)[language];
      return `<language id="${language}"${link}>${cdata(text ?? '')}</language>`;
    })
    .join('');
}

function xmlAssociation({ name, node, api, items }: RenderedAssociation, frame: XmlFrame): string {
  const head = `${name} nodeType="${node}" ${api === undefined ? 'virtualEntity="true"' : `api="${api}"`}`;
  if (items.length === 0) return `<${head}/>\n`;
  const each = items.map(({ path, fields }) => {
    const link = path === undefined ? '' : ` xlink:href="${frame.api}${path}"`;
    const parts = fields.map((part) => xmlPart(part, frame)).join('');
    return `\t<${node}${link}>\n${parts}\t</${node}>\n`;
  });
  return `<${head}>\n${each.join('')}</${name}>\n`;
}

function xmlPart(part: Pick<RenderedField, 'name' | 'value' | 'path'>, frame: XmlFrame): string {
  const link = part.path === undefined ? '' : ` xlink:href="${frame.api}${part.path}"`;
  return `\t<${part.name}${link}>${cdata(written(part.value))}</${part.name}>\n`;
}

/** The schema of a resource: `blank` to be filled in, `synopsis` with what is asked of each field. */
export function xmlSchema(
  resource: Resource,
  kind: 'blank' | 'synopsis',
  version: Version,
  frame: XmlFrame,
): string {
  const synopsis = kind === 'synopsis';
  const fields = Object.entries({ id: {}, ...resource.fields })
    .filter(([name, rules]) => (synopsis ? name !== 'id' : (rules as FieldRules).readOnly !== true))
    .map(([name, rules]) => {
      const translated = ['texts', 'html texts'].includes(columnKind(resource, name) ?? '');
      const details = synopsis ? detailsOf(rules, version) : '';
      return `\t<${name}${details}>${translated ? emptyTexts(frame, synopsis) : cdata('')}</${name}>\n`;
    });
  const associations = Object.entries(resource.associations ?? {}).map(([name, association]) => {
    const api = association.api === undefined ? 'virtualEntity="true"' : `api="${association.api}"`;
    const parts = Object.entries(association.fields).map(([part, rules]) => {
      const link = synopsis && rules.link !== undefined ? ` xlink:href="${frame.api}${rules.link}/"` : '';
      return `\t<${part}${link}${synopsis ? detailsOf(rules, version) : ''}>${cdata('')}</${part}>\n`;
    });
    return `<${name}${synopsis ? ` nodeType="${association.node}" ${api}` : ''}>\n\t<${association.node}>\n${parts.join('')}\t</${association.node}>\n</${name}>\n`;
  });
  const wrapped =
    associations.length === 0 ? '' : `<associations>\n${associations.join('')}</associations>\n`;
  return xmlDocument(`<${resource.node}>\n${fields.join('')}${wrapped}</${resource.node}>\n`);
}

function detailsOf(rules: FieldRules, version: Version): string {
  const size = sizeOf(rules, version);
  return [
    rules.dynamic === undefined && rules.filterable !== false ? '' : ' notFilterable="true"',
    rules.readOnly === true ? ' read_only="true"' : '',
    rules.required === true ? ' required="true"' : '',
    size === undefined ? '' : ` maxSize="${size}"`,
    rules.format === undefined ? '' : ` format="${rules.format}"`,
    rules.readOnly === true ? ' readOnly="true"' : '',
  ].join('');
}

function emptyTexts({ api, languages }: XmlFrame, synopsis: boolean): string {
  return languages
    .map((language) => {
      const details = synopsis ? ` xlink:href="${api}languages/${language}" format="isUnsignedId" ` : '';
      return `<language id="${language}"${details}>${cdata('')}</language>`;
    })
    .join('');
}

/** The list of resources, with the verbs that the key may use on each. */
export function xmlIndex(
  shopName: string,
  resources: readonly {
    readonly name: string;
    readonly description: string;
    readonly allowed: readonly string[];
  }[],
  verbs: readonly string[],
  frame: XmlFrame,
): string {
  const each = resources.map(({ name, description, allowed }) => {
    const flags = verbs.map((verb) => `${verb.toLowerCase()}="${allowed.includes(verb)}"`).join(' ');
    const head = `xlink:href="${frame.api}${name}" ${flags}`;
    const schemas = SPECIAL.includes(name)
      ? ''
      : ['blank', 'synopsis']
          .map((type) => `<schema xlink:href="${frame.api}${name}?schema=${type}" type="${type}"/>\n`)
          .join('');
    return `<${name} ${head}>\n<description ${head}>\n${description}</description>\n${schemas}</${name}>\n`;
  });
  return xmlDocument(`<api shopName="${shopName}">\n${each.join('')}</api>\n`);
}

function cdata(said: string): string {
  return `<![CDATA[${said}]]>`;
}
