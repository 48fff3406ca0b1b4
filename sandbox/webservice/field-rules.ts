import type { FieldRules } from './resource.ts';

/* What many fields have in common. */

export const id: FieldRules = { format: 'isUnsignedId' };
export const idOf = (link: string): FieldRules => ({ link, format: 'isUnsignedId' });
export const must = (rules: FieldRules): FieldRules => ({ ...rules, required: true });
export const bool: FieldRules = { format: 'isBool' };
export const wholes: FieldRules = { format: 'isUnsignedInt' };
export const integer: FieldRules = { format: 'isInt' };
export const price: FieldRules = { format: 'isPrice' };
export const float: FieldRules = { format: 'isFloat' };
export const genericName: FieldRules = { format: 'isGenericName' };
export const name = (size: number): FieldRules => ({ size, format: 'isGenericName' });
export const longHtml: FieldRules = { size: 4_194_303, format: 'isCleanHtml' };
export const added = { date_add: { format: 'isDate' } } as const;
export const stamps = { ...added, date_upd: { format: 'isDate' } } as const;
export const metas = { meta_title: name(255), meta_description: name(512), meta_keywords: name(255) };

export const ean13: FieldRules = { size: { '1.7.8': 13, '8.2': 13, '9.1': 14 }, format: 'isEan13' };
export const isbn: FieldRules = { size: 32, format: 'isIsbn' };
export const upc: FieldRules = { size: 12, format: 'isUpc' };
export const mpn: FieldRules = { size: 40, format: 'isMpn' };
