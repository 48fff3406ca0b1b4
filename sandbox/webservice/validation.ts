import type { ColumnKind } from './columns.ts';
import { TABLES } from './tables.ts';
import { isEmpty, isFalsy, isTexts, wholeNumber, written } from './php-value.ts';
import type { PhpValue } from './php-value.ts';
import type { Entity, FieldRules, Resource } from './resource.ts';
import { classOf } from './resource.ts';
import { DEFAULT_LANGUAGE } from './site.ts';
import type { Version } from './site.ts';
import { WebserviceError } from './webservice-error.ts';

/** PrestaShop's names of its checks, as its schemas show them. */
export type Format =
  | 'isUnsignedId'
  | 'isUnsignedInt'
  | 'isPositiveInt'
  | 'isInt'
  | 'isBool'
  | 'isFloat'
  | 'isUnsignedFloat'
  | 'isPercentage'
  | 'isPrice'
  | 'isNegativePrice'
  | 'isEan13'
  | 'isIsbn'
  | 'isUpc'
  | 'isMpn'
  | 'isReference'
  | 'isGenericName'
  | 'IsGenericName'
  | 'isCatalogName'
  | 'isLinkRewrite'
  | 'isModuleName'
  | 'isCleanHtml'
  | 'isString'
  | 'isColor'
  | 'isMd5'
  | 'isDate'
  | 'isDateFormat'
  | 'isProductVisibility';

const DATE = /^\d{4}-(?:0?\d|1[0-2])-(?:0?\d|[12]\d|3[01])(?: \d{2}:\d{2}:\d{2})?$/;
const WHOLE = /^(?:0|-?[1-9]\d*)$/;

const CHECKS: Readonly<
  Record<Exclude<Format, 'IsGenericName'>, (said: string, version: Version) => boolean>
> = {
  isUnsignedId: (said) => WHOLE.test(said) && Number(said) >= 0 && Number(said) < 4_294_967_296,
  isUnsignedInt: (said) => WHOLE.test(said) && Number(said) >= 0 && Number(said) < 4_294_967_296,
  isPositiveInt: (said) => WHOLE.test(said) && Number(said) > 0,
  isInt: (said) => WHOLE.test(said),
  isBool: (said) => /^[01]$/.test(said),
  isFloat: (said) => /^-?\d+(?:\.\d+)?$/.test(said),
  isUnsignedFloat: (said) => /^\d+(?:\.\d+)?$/.test(said),
  isPercentage: (said) => /^\d+(?:\.\d+)?$/.test(said) && Number(said) <= 100,
  isPrice: (said) => /^\d{1,10}(?:\.\d{1,6})?$/.test(said),
  isNegativePrice: (said) => /^-?\d{1,10}(?:\.\d{1,6})?$/.test(said),
  // The check digit is nobody's business.
  isEan13: (said, version) => (version === '9.1' ? /^\d{1,14}$/ : /^\d{1,13}$/).test(said),
  isIsbn: (said) => /^[\d-]{1,32}$/.test(said),
  isUpc: (said) => /^\d{1,12}$/.test(said),
  isMpn: (said) => said.length <= 40,
  isReference: (said) => !/[<>;={}]/.test(said),
  isGenericName: (said) => !/[<>={}]/.test(said),
  isCatalogName: (said, version) => !(version === '9.1' ? /[<>{}]/ : /[<>;=#{}]/).test(said),
  isLinkRewrite: (said) => /^[\w-]+$/.test(said),
  isModuleName: (said) => /^[\w-]+$/.test(said),
  isCleanHtml: (said) => !/<\s*script|javascript\s*:|\son\w+\s*=/i.test(said),
  isString: () => true,
  isColor: (said) => /^(?:#[\dA-Fa-f]{6}|[\dA-Za-z-]*)$/.test(said),
  isMd5: (said) => /^[\da-f]{32}$/i.test(said),
  isDate: (said) => DATE.test(said),
  isDateFormat: (said) => DATE.test(said),
  isProductVisibility: (said) => /^(?:both|catalog|search|none)$/i.test(said),
};

/**
 * Checks an object before it is stored: the texts in the languages first, then the rest; the first fault ends it.
 * @throws {WebserviceError} 84 for the texts, 85 for the rest
 */
export function validate(resource: Resource, entity: Entity, version: Version): void {
  const fields = Object.entries(resource.fields).filter(([name]) => columnKind(resource, name) !== undefined);
  const kinds = fields.map(([name, rules]) => ({ name, rules, kind: columnKind(resource, name) }));
  for (const { name, rules, kind } of kinds) {
    if (kind !== 'texts' && kind !== 'html texts') continue;
    const value = entity.values[name];
    const said = isTexts(value) ? Object.entries(value) : [[String(DEFAULT_LANGUAGE), written(value)]];
    for (const [language, text] of said) {
      const required = rules.required === true && Number(language) === DEFAULT_LANGUAGE;
      refuse(84, fault(resource, name, { ...rules, required }, text ?? '', version), version);
    }
    if (rules.required === true && !said.some(([language]) => Number(language) === DEFAULT_LANGUAGE))
      refuse(84, `Property ${classOf(resource, version)}->${name} is empty.`, version);
  }
  for (const { name, rules, kind } of kinds) {
    if (kind === 'texts' || kind === 'html texts' || kind === undefined) continue;
    const fallback = rules.fallback?.(version);
    if (fallback !== undefined && isFalsy(entity.values[name])) entity.values[name] = fallback;
    refuse(85, fault(resource, name, rules, entity.values[name] ?? null, version), version);
  }
}

export function columnKind(resource: Resource, field: string): ColumnKind | undefined {
  const columns = TABLES[resource.table] as Readonly<Record<string, { readonly kind: ColumnKind }>>;
  return columns[field]?.kind;
}

export function sizeOf(rules: FieldRules, version: Version): number | undefined {
  return typeof rules.size === 'object' ? rules.size[version] : rules.size;
}

function refuse(code: number, message: string | undefined, version: Version): void {
  if (message === undefined) return;
  const told = version === '8.2' ? message.replaceAll('>', '&gt;').replaceAll('<', '&lt;') : message;
  throw new WebserviceError(400, code, `Validation error: "${told}"`);
}

function fault(
  resource: Resource,
  name: string,
  rules: FieldRules,
  value: PhpValue,
  version: Version,
): string | undefined {
  const property = `${classOf(resource, version)}->${name}`;
  const said = written(value);
  if (rules.required === true && isEmpty(value)) return `Property ${property} is empty.`;
  const size = sizeOf(rules, version);
  if (size !== undefined && said.length > size)
    return `The length of property ${property} is currently ${said.length} chars. It must be between 0 and ${size} chars.`;
  if (name === 'quantity' && resource.table === 'stock_availables') {
    const number = wholeNumber(value);
    // 1.7.8 counts the characters of the number, later ones its size.
    if (version === '1.7.8' && said.length > 10)
      return `The length of property ${property} is currently ${said.length} chars. It must be between 0 and 10 chars.`;
    if (version !== '1.7.8' && (Number.isNaN(Number(said)) || Math.abs(number) > 2_147_483_647))
      return `The range of property ${property} is currently ${number}. It must be between -2147483648 and 2147483647.`;
  }
  if (rules.format === undefined || isFalsy(value)) return undefined;
  const check = CHECKS[rules.format === 'IsGenericName' ? 'isGenericName' : rules.format];
  return check(said, version) ? undefined : `Property ${property} is not valid`;
}
