/** A text in each language, by id_lang. (A plain text has numbered letters too, hence `object`.) */
export type Texts = Record<number, string> & object;
/** What one cell of a table holds. Decimals and dates are texts, as the database gives them. */
export type Cell = string | number | boolean | null | Texts;

/** How a text that comes in through the Webservice becomes a cell. */
export type ColumnKind =
  | 'int'
  | 'optional int'
  | 'flag'
  | 'default flag'
  | 'decimal'
  | 'text'
  | 'html'
  | 'date'
  | 'moment'
  | 'texts'
  | 'html texts';

/** One column of a table, and what a row holds there before anybody wrote it. */
export interface Column<Value extends Cell = Cell> {
  readonly kind: ColumnKind;
  /** Digits after the dot of a decimal. */
  readonly scale: number;
  readonly empty: () => Value;
}

export type Columns = Readonly<Record<string, Column>>;

const column = <Value extends Cell>(kind: ColumnKind, empty: () => Value, scale = 0): Column<Value> => ({
  kind,
  scale,
  empty,
});

export const int = column<number>('int', () => 0);
export const optionalInt = column<number | null>('optional int', () => null);
export const flag = column<boolean>('flag', () => false);
/** A flag that is NULL where it is not set, so that one row of a product at most can have it. */
export const defaultFlag = column<boolean>('default flag', () => false);
export const text = column<string>('text', () => '');
/** A text that PrestaShop cleans as HTML before it is stored. */
export const html = column<string>('html', () => '');
/** `2026-11-24`. */
export const date = column<string>('date', () => '0000-00-00');
/** `2026-11-24 01:56:27`, the shop's local time. */
export const moment = column<string>('moment', () => '0000-00-00 00:00:00');
export const texts = column<Texts>('texts', () => ({}));
export const htmlTexts = column<Texts>('html texts', () => ({}));

/** A number with so many digits after the dot, kept as a text: `41.000000`. */
export function decimal(scale: number): Column<string> {
  return column<string>('decimal', () => (0).toFixed(scale), scale);
}
