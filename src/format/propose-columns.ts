import type { CsvRow } from '../domain/csv-rows.ts';
import { isGencod } from '../domain/gencod.ts';
import { wordKey, wordsOf } from './field-words.ts';

/** What the values of a field look like. */
export type Shape =
  | 'text'
  | 'order id'
  | 'order reference'
  | 'date'
  | 'email'
  | 'postcode'
  | 'ean'
  | 'quantity'
  | 'stock'
  | 'amount'
  | 'amounts'
  | 'size'
  | 'store';

/** A field that wants a column: `order.id`, or `ean` in ExportCSV. */
export interface WantedField {
  readonly name: string;
  /** How it is called, the surest first. */
  readonly phrases: readonly string[];
  readonly shape: Shape;
}

/** A field, and the title of a column. */
export interface FieldTitle {
  readonly field: string;
  readonly title: string;
}

export interface ProposedColumns {
  /** Field -> title of its column. */
  readonly columns: ReadonlyMap<string, string>;
  /** Fields known by their values alone: their title says nothing. */
  readonly byValues: readonly string[];
  /** Columns whose title is a field's, but whose values are not. */
  readonly refused: readonly FieldTitle[];
  /** Titles that stand above several columns, which nothing can be read from. */
  readonly twice: readonly string[];
  /** Fields without a column -> titles of columns whose values would do. */
  readonly hints: ReadonlyMap<string, readonly string[]>;
}

interface Column {
  readonly title: string;
  readonly key: string;
  /** Those that are not empty. */
  readonly values: readonly string[];
}

type Test = (values: readonly string[]) => boolean;

const every =
  (pattern: RegExp): Test =>
  (values) =>
    values.every((value) => pattern.test(value));
/** The module joins by commas what it does not write a row each; readOrders says then what to change. */
const NUMBERS = /^-?\d[\d., -]*$/;

/** What a value must be for the reader to take it. Half of a column's values decide. */
const READABLE: Readonly<Partial<Record<Shape, RegExp>>> = {
  'order id': /^[1-9]\d{0,14}$/,
  date: /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/,
  ean: /^\d{8,14}(?:,\s*\d{8,14})*$/,
  quantity: /^\d[\d., ]*$/,
  stock: /^-?\d{1,7}(?:[.,]0+)?$/,
  amount: NUMBERS,
  amounts: NUMBERS,
  store: /^.{1,40}$/,
};

/** What makes a field known by the values of a column, whatever its title: the most telling first. */
const TELLING: Readonly<Partial<Record<Shape, Test>>> = {
  ean: (values) => values.every(isEan13),
  date: every(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/),
  email: every(/^[^\s@]+@[^\s@]+\.[a-z]{2,}$/i),
  'order reference': every(/^[A-Z]{9}$/),
  store: (values) => every(/^0\d{1,3}$/)(values) && new Set(values).size === 1,
  'order id': (values) => every(/^[1-9]\d{0,8}$/)(values) && grows(values.map(Number)),
  postcode: every(/^\d{5}$/),
  size: (values) => every(/^(?:\d{2}(?:[.,]5)?|\d?X{0,4}[SML]|\d?XL|TU)$/i)(values) && areSizes(values),
  amount: every(/^\d{1,9}[.,]\d{2,6}$/),
  quantity: every(/^[1-9]\d{0,2}$/),
  stock: every(/^-?\d{1,5}$/),
};
const TOLD_BY_VALUES = Object.keys(TELLING) as readonly Shape[];

/**
 * Finds a column for each field: by its title, in French or English, accents and case aside; then by what its values look
 * like. A column is never two fields', and a title whose values contradict it is passed over.
 *
 * @param rows as wide as the titles
 */
export function proposeColumns(
  fields: readonly WantedField[],
  titles: readonly string[],
  rows: readonly CsvRow[],
): ProposedColumns {
  const counts = new Map<string, number>();
  for (const title of titles) counts.set(title, (counts.get(title) ?? 0) + 1);
  const isTwice = (title: string) => (counts.get(title) ?? 0) > 1;
  // `${` would be taken for a reference by whatever reads the section.
  const free = new Set(
    titles.flatMap((title, index): Column[] => {
      if (title === '' || isTwice(title) || title.includes('${')) return [];
      const values = rows.map((row) => (row.fields[index] ?? '').trim()).filter((value) => value !== '');
      return [{ title, key: wordKey(wordsOf(title)), values }];
    }),
  );
  const columns = new Map<string, string>();
  const refused: FieldTitle[] = [];
  const byValues: string[] = [];
  const take = (field: WantedField, column: Column) => {
    columns.set(field.name, column.title);
    free.delete(column);
  };

  const ranks = Math.max(0, ...fields.map(({ phrases }) => phrases.length));
  for (let rank = 0; rank < ranks; rank++) {
    for (const field of fields) {
      const phrase = field.phrases[rank];
      if (phrase === undefined || columns.has(field.name)) continue;
      const wanted = wordKey(phrase.split(' '));
      const named = [...free].filter(({ key }) => key === wanted);
      const readable = named.find((column) => isReadable(field.shape, column));
      if (readable) take(field, readable);
      else refused.push(...named.map(({ title }) => ({ field: field.name, title })));
    }
  }

  const hints = new Map<string, readonly string[]>();
  for (const shape of TOLD_BY_VALUES) {
    for (const field of fields.filter((one) => one.shape === shape && !columns.has(one.name))) {
      const telling = [...free].filter(({ values }) => values.length > 0 && TELLING[shape]?.(values));
      const [only] = telling;
      if (only !== undefined && telling.length === 1) {
        take(field, only);
        byValues.push(field.name);
      } else if (telling.length > 1) {
        hints.set(
          field.name,
          telling.map(({ title }) => title),
        );
      }
    }
  }
  return {
    columns,
    byValues,
    refused: refused.filter(({ field, title }) => !columns.has(field) && !isTaken(title)),
    twice: [...counts.keys()].filter((title) => title !== '' && isTwice(title)),
    hints,
  };

  function isTaken(title: string): boolean {
    return [...columns.values()].includes(title);
  }
}

function isReadable(shape: Shape, { values }: Column): boolean {
  const pattern = READABLE[shape];
  if (pattern === undefined) return true;
  return values.filter((value) => pattern.test(value)).length * 2 >= values.length;
}

/** True for 13 digits of which the last checks the others. */
function isEan13(text: string): boolean {
  if (!isGencod(text) || text.length !== 13) return false;
  const sum = Array.from(text, Number).reduce(
    (total, digit, index) => total + digit * (index % 2 === 0 ? 1 : 3),
    0,
  );
  return sum % 10 === 0;
}

function grows(numbers: readonly number[]): boolean {
  const isSorted = numbers.every((number, index) => index === 0 || number >= (numbers[index - 1] ?? 0));
  return isSorted && new Set(numbers).size > 1;
}

/** Numbers are sizes of shoes from 15 on. */
function areSizes(values: readonly string[]): boolean {
  return (
    new Set(values).size > 1 &&
    values.every((value) => !/^\d/.test(value) || Number.parseInt(value, 10) >= 15)
  );
}
