import { Big } from 'big.js';
import type { Cell, Column, Texts } from './columns.ts';
import type { Version } from './site.ts';

/** What a field of an object in PrestaShop's memory holds: read from a table, or as it came in by XML. */
export type PhpValue = string | number | null | Texts;

/** The value that PrestaShop's database layer makes of a cell: all text up to 8.2, whole numbers as such in 9.1. */
export function load(cell: Cell, column: Column, version: Version): PhpValue {
  if (typeof cell === 'boolean') {
    if (column.kind === 'default flag' && !cell) return '';
    return cell ? '1' : '0';
  }
  if (typeof cell === 'number') return version === '9.1' ? cell : String(cell);
  return typeof cell === 'object' && cell !== null ? { ...cell } : cell;
}

/**
 * The cell that the database makes of a value. A plain text stands for all languages; a language without a text gets
 * `missing`.
 */
export function store(value: PhpValue, column: Column, languages: readonly number[], missing: string): Cell {
  switch (column.kind) {
    case 'texts':
    case 'html texts': {
      const clean = column.kind === 'html texts' ? purified : (said: string) => said;
      return Object.fromEntries(
        languages.map((language) => [
          language,
          clean(isTexts(value) ? (value[language] ?? missing) : written(value)),
        ]),
      );
    }
    case 'int':
      return wholeNumber(value);
    case 'optional int':
      return isEmpty(value) ? null : wholeNumber(value);
    case 'flag':
    case 'default flag':
      return !isFalsy(value);
    case 'decimal':
      return new Big(decimalOf(value)).toFixed(column.scale);
    case 'text':
      return written(value);
    case 'html':
      return purified(written(value));
    case 'date':
    case 'moment':
      return isEmpty(value) ? column.empty() : written(value);
    default:
      throw new Error(`Expected a kind of column, got ${String(column.kind satisfies never)}`);
  }
}

export function isTexts(value: PhpValue | undefined): value is Texts {
  return typeof value === 'object' && value !== null;
}

/** The value as a text; null is none. */
export function written(value: Cell | undefined): string {
  return value === null || value === undefined || typeof value === 'object' ? '' : String(value);
}

export function isEmpty(value: PhpValue | undefined): boolean {
  return value === null || value === undefined || value === '';
}

/** What PHP's `empty()` and `array_filter` hold for nothing: the text `0` too, but not `0.000000`. */
export function isFalsy(value: PhpValue | undefined): boolean {
  return isEmpty(value) || value === 0 || value === '0';
}

/** PHP's `(int)`: the whole number at the beginning of a text, else 0. */
export function wholeNumber(value: PhpValue | undefined): number {
  const found = /^\s*[+-]?\d+/.exec(written(value));
  return found === null ? 0 : Number(found[0]);
}

/** A part of an address as PrestaShop makes it of a name. */
export function slug(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .normalize('NFD')
    .replaceAll(/[^a-z0-9\s':/[\]-]/g, '')
    .replaceAll(/[\s':/[\]-]+/g, '-');
}

function decimalOf(value: PhpValue): string {
  return /^\s*[+-]?\d+(?:\.\d+)?/.exec(written(value))?.[0].trim().replace(/^\+/, '') ?? '0';
}

function purified(markup: string): string {
  return markup.replaceAll(/&(?!#?\w+;)/g, '&amp;');
}
