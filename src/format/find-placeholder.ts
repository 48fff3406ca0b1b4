import type { Place } from '../domain/placeholders.ts';
import { resemblance, wordsOf } from './field-words.ts';
import {
  candidatesAt,
  createEvaluator,
  DATE_FORMATS,
  expressionsOf,
  type Candidate,
  type Level,
  type Sample,
} from './placeholder-candidates.ts';

/** A piece of a template's text: as it stands, or a placeholder's inside. */
export type Piece = { readonly text: string } | { readonly expression: string };

/** How sure a finding is: what the person has to look at, and why. `sure` = nothing. */
export type Doubtfulness =
  | 'sure'
  /** Several fields explain the value; the likeliest was taken. */
  | 'several'
  /** Every value is empty: the field was taken for the name of its element. */
  | 'by name'
  /** The field does not explain every value. */
  | 'partly'
  /** A date that no field has: that of the rendering. */
  | 'date'
  /** No field explains the value, or only a chance would: it stays as it is. */
  | 'kept'
  /** No field explains the values, which are not the same everywhere: the first stays as it is. */
  | 'varies';

export interface Finding {
  readonly pieces: readonly Piece[];
  readonly doubt: Doubtfulness;
  /** What else it might be. */
  readonly others: readonly string[];
}

interface Found {
  readonly candidate: Candidate;
  readonly expression: string;
  readonly likeness: number;
}

/** Longest search for a value that is made of several fields, in steps. */
const MOST_STEPS = 20_000;
const MOST_FIELDS = 4;
const LONGEST_SEARCHED = 500;
/** Samples that a search begins with; what it finds is tried on all. */
const FEW = 20;

/**
 * Makes the finder of placeholders that explain values.
 *
 * @param columns our field -> title of its column: a template may name those fields alone
 */
export function placeholderFinder(columns: NonNullable<Place['columns']>) {
  const evaluate = createEvaluator();
  const explains = (expression: string, samples: readonly Sample[]) =>
    samples.every(({ text, scope }) => evaluate(expression, scope) === text);

  /**
   * Finds what stands for these values of one place.
   *
   * @param samples one at least
   * @param names of the elements around, the value's own last
   */
  return (samples: readonly Sample[], names: readonly string[], level: Level): Finding => {
    const texts = samples.map(({ text }) => text);
    const [first = ''] = texts;
    const varies = texts.some((text) => text !== first);
    const candidates = candidatesAt(level, columns);
    const likenessOf = ({ phrases }: Candidate) =>
      resemblance(wordsOf(names.at(-1) ?? ''), names.slice(0, -1).flatMap(wordsOf), phrases);
    const likeliest = (found: readonly Found[]) => [...found].sort((a, b) => b.likeness - a.likeness);

    const found = likeliest(
      candidates.flatMap((candidate): Found[] => {
        const expression = expressionsOf(candidate, texts).find((one) => explains(one, samples));
        return expression === undefined ? [] : [{ candidate, expression, likeness: likenessOf(candidate) }];
      }),
    );
    const [best, ...others] = found;
    if (!varies && first === '') return byName(found.filter(({ likeness }) => likeness > 0));
    if (best && (varies || best.likeness > 0 || isDistinctive(first))) {
      const rendering =
        !varies && best.candidate.kind === 'date'
          ? [best.expression.replace('order.date', 'file.createdAt')]
          : [];
      return taken(
        [{ expression: best.expression }],
        [...others.map(({ expression }) => expression), ...rendering],
      );
    }
    return (
      combined(samples, candidates, likenessOf, varies) ??
      dated(texts, names) ??
      partly(samples, candidates, likenessOf) ?? {
        pieces: [{ text: first }],
        doubt: varies ? 'varies' : 'kept',
        others: found.map(({ expression }) => expression),
      }
    );
  };

  function combined(
    samples: readonly Sample[],
    candidates: readonly Candidate[],
    likenessOf: (candidate: Candidate) => number,
    varies: boolean,
  ): Finding | null {
    const few = samples.slice(0, FEW);
    const texts = few.map(({ text }) => text);
    if (texts.some((text) => text.length > LONGEST_SEARCHED)) return null;
    const shortest = varies ? 2 : 3;
    const parts = candidates
      .flatMap((candidate) =>
        expressionsOf(candidate, texts).map((expression) => ({
          expression,
          name: candidate.name,
          likeness: likenessOf(candidate),
          values: few.map(({ scope }) => evaluate(expression, scope)),
        })),
      )
      .filter(({ values }) => values.every((value) => value === '' || (value?.length ?? 0) >= shortest))
      .filter(({ values }) => values.every((value, at) => texts[at]?.includes(value ?? '') === true))
      .filter(({ values }) => values.some((value) => value !== ''))
      .sort((a, b) => b.likeness - a.likeness);
    type Part = (typeof parts)[number];
    const keyOf = ({ values }: Part) => values.join('\0');
    const searched = parts.filter(
      (part, index) => parts.findIndex((other) => keyOf(other) === keyOf(part)) === index,
    );
    let steps = 0;

    const search = (
      at: readonly number[],
      made: readonly (Part | string)[],
    ): readonly (Part | string)[] | null => {
      if (++steps > MOST_STEPS) return null;
      const fields = made.filter((piece) => typeof piece !== 'string').length;
      if (texts.every((text, index) => at[index] === text.length)) return fields > 0 ? made : null;
      for (const part of fields < MOST_FIELDS ? searched : []) {
        if (!texts.every((text, index) => text.startsWith(part.values[index] ?? '\0', at[index]))) continue;
        const rest = search(
          at.map((offset, index) => offset + (part.values[index]?.length ?? 0)),
          [...made, part],
        );
        if (rest !== null) return rest;
      }
      const next = texts.map((text, index) => text.charAt(at[index] ?? 0));
      const [letter = ''] = next;
      // A letter that stands everywhere is told from a field's only where the fields change.
      const isBetween = letter !== '' && (varies || !/[\p{L}\p{N}]/u.test(letter));
      if (!isBetween || next.some((other) => other !== letter)) return null;
      return search(
        at.map((offset) => offset + 1),
        [...made, letter],
      );
    };

    const made = search(
      texts.map(() => 0),
      [],
    );
    const taking = made?.flatMap((piece) => (typeof piece === 'string' ? [] : [piece])) ?? [];
    const own = taking.reduce((sum, { values }) => sum + (values[0]?.length ?? 0), 0);
    if (made === null || (!varies && own * 2 < (texts[0]?.length ?? 0))) return null;
    const pieces = made.map((piece): Piece =>
      typeof piece === 'string' ? { text: piece } : { expression: piece.expression },
    );
    if (!samples.every(({ text, scope }) => written(pieces, (one) => evaluate(one, scope)) === text))
      return null;
    const twins = parts.filter((part) =>
      taking.some((one) => one.name !== part.name && keyOf(one) === keyOf(part)),
    );
    return taken(
      pieces,
      twins.map(({ expression }) => expression),
    );
  }

  function partly(
    samples: readonly Sample[],
    candidates: readonly Candidate[],
    likenessOf: (candidate: Candidate) => number,
  ): Finding | null {
    const texts = samples.map(({ text }) => text);
    const few = samples.slice(0, FEW);
    let best: { readonly expression: string; readonly weight: number } | undefined;
    for (const candidate of candidates) {
      const likeness = likenessOf(candidate);
      for (const expression of expressionsOf(candidate, texts)) {
        const hits = few.filter(({ text, scope }) => evaluate(expression, scope) === text);
        const different = new Set(hits.map(({ text }) => text)).size;
        if (hits.length * 2 < few.length || (different < 2 && likeness === 0)) continue;
        const weight = hits.length + likeness / 100;
        if (best === undefined || weight > best.weight) best = { expression, weight };
      }
    }
    if (best === undefined) return null;
    return { pieces: [{ expression: best.expression }], doubt: 'partly', others: [] };
  }
}

function taken(pieces: readonly Piece[], others: readonly string[]): Finding {
  return { pieces, doubt: others.length === 0 ? 'sure' : 'several', others: [...new Set(others)] };
}

function byName([best, ...others]: readonly Found[]): Finding {
  return best === undefined
    ? { pieces: [], doubt: 'kept', others: [] }
    : {
        pieces: [{ expression: best.expression }],
        doubt: 'by name',
        others: others.map(({ expression }) => expression),
      };
}

/** The date of the rendering: the same everywhere, and written as one. */
function dated(texts: readonly string[], names: readonly string[]): Finding | null {
  const [text = ''] = texts;
  if (texts.some((other) => other !== text)) return null;
  // Digits alone may be any number, but for their name.
  const isNamed = names
    .slice(-2)
    .flatMap(wordsOf)
    .some((word) => ['date', 'hour', 'creation'].includes(word));
  if (/^\d+$/.test(text) && !isNamed) return null;
  const [format, ...others] = DATE_FORMATS.filter((one) => datePattern(one).test(text));
  if (format === undefined) return null;
  const expressionOf = (one: string) => `file.createdAt | date: "${one}"`;
  return {
    pieces: [{ expression: expressionOf(format) }],
    doubt: 'date',
    others: others.map(expressionOf),
  };
}

/** What stands for each letter of a date's format. */
export const DATE_PARTS: Readonly<Record<string, string>> = {
  Y: String.raw`20\d\d`,
  y: String.raw`\d\d`,
  m: '(?:0[1-9]|1[0-2])',
  d: String.raw`(?:0[1-9]|[12]\d|3[01])`,
  H: String.raw`(?:[01]\d|2[0-3])`,
  M: String.raw`[0-5]\d`,
  S: String.raw`[0-5]\d`,
};

function datePattern(format: string): RegExp {
  const escaped = format.replaceAll('.', String.raw`\.`);
  return new RegExp(`^${escaped.replace(/%(\w)/g, (_, part: string) => DATE_PARTS[part] ?? part)}$`);
}

/** True for a value that is hardly there by chance: long, or a word. */
function isDistinctive(text: string): boolean {
  return text.length >= 8 || (text.length >= 4 && /\p{L}/u.test(text));
}

function written(pieces: readonly Piece[], evaluate: (expression: string) => string | null): string | null {
  const texts = pieces.map((piece) => ('text' in piece ? piece.text : evaluate(piece.expression)));
  return texts.includes(null) ? null : texts.join('');
}
