import type { TemplateElement } from '../domain/template-xml.ts';
import { shortened } from '../domain/text-file.ts';

/** Where two sales files differ. Holds values of customers: for the terminal of whoever has the files. */
export interface Difference {
  readonly kind: 'text' | 'attribute' | 'missing' | 'surplus' | 'order';
  /** `/ventes/vente[2]/ligne[1]/prix`, `/ventes/vente[2]/@numero`; positions where a name is there several times. */
  readonly path: string;
  /** Null = there is none. For `order`, the place among the elements beside it. */
  readonly expected: string | null;
  readonly got: string | null;
}

/** Two elements that stand for each other; null where one has none. */
type Pair = readonly [expected: TemplateElement | null, got: TemplateElement | null];

/** Pairs of elements that are weighed against each other. More are taken as they come. */
const MOST_WEIGHED = 250_000;

/**
 * Compares two sales files element by element: names, attributes, texts, what is missing, what is there too much, and the
 * order of elements. The order of attributes and white space between elements do not count.
 */
export function compareXml(expected: TemplateElement, got: TemplateElement): Difference[] {
  const differences: Difference[] = [];
  if (expected.name === got.name) compareElements(`/${expected.name}`, expected, got, differences);
  else {
    differences.push(
      { kind: 'missing', path: `/${expected.name}`, expected: outline(expected), got: null },
      { kind: 'surplus', path: `/${got.name}`, expected: null, got: outline(got) },
    );
  }
  return differences;
}

function compareElements(
  path: string,
  expected: TemplateElement,
  got: TemplateElement,
  differences: Difference[],
): void {
  const names = new Set([...expected.attributes, ...got.attributes].map(({ name }) => name));
  for (const name of names) {
    const [wanted, found] = [expected, got].map(
      ({ attributes }) => attributes.find((attribute) => attribute.name === name)?.value ?? null,
    );
    if (wanted === found) continue;
    differences.push({
      kind: 'attribute',
      path: `${path}/@${name}`,
      expected: wanted ?? null,
      got: found ?? null,
    });
  }
  if (expected.text !== got.text) {
    differences.push({ kind: 'text', path, expected: expected.text, got: got.text });
  }
  const stepTo = stepsIn(expected, got);
  const pathTo = (element: TemplateElement) => `${path}/${stepTo(element)}`;
  const pairs = aligned(expected.children, got.children);
  const surplus = pairs.flatMap(([wanted, found]) => (wanted === null && found !== null ? [found] : []));
  for (const [wanted, found] of pairs) {
    if (wanted === null) continue;
    const moved = found === null ? takeMoved(wanted, surplus) : null;
    if (moved !== null) {
      differences.push({
        kind: 'order',
        path: pathTo(wanted),
        expected: `${expected.children.indexOf(wanted) + 1}`,
        got: `${got.children.indexOf(moved) + 1}`,
      });
    }
    const other = found ?? moved;
    if (other === null) {
      differences.push({ kind: 'missing', path: pathTo(wanted), expected: outline(wanted), got: null });
    } else {
      compareElements(pathTo(wanted), wanted, other, differences);
    }
  }
  for (const element of surplus) {
    differences.push({ kind: 'surplus', path: pathTo(element), expected: null, got: outline(element) });
  }
}

/** Takes out of the surplus the element that stands elsewhere: the same, or the only one of its name. */
function takeMoved(wanted: TemplateElement, surplus: TemplateElement[]): TemplateElement | null {
  const named = surplus.filter(({ name }) => name === wanted.name);
  const moved =
    named.find((one) => signature(one) === signature(wanted)) ?? (named.length === 1 ? named[0] : null);
  if (moved === null || moved === undefined) return null;
  surplus.splice(surplus.indexOf(moved), 1);
  return moved;
}

/** `ligne[2]`, or `total` where it is the only one. */
function stepsIn(...parents: readonly TemplateElement[]): (element: TemplateElement) => string {
  const places = new Map<TemplateElement, number>();
  const several = new Set<string>();
  for (const { children } of parents) {
    const counts = new Map<string, number>();
    for (const child of children) {
      const place = (counts.get(child.name) ?? 0) + 1;
      counts.set(child.name, place);
      places.set(child, place);
      if (place > 1) several.add(child.name);
    }
  }
  return (element) => (several.has(element.name) ? `${element.name}[${places.get(element)}]` : element.name);
}

/**
 * Pairs elements so that one that is missing in the middle does not make all that follow it differ: the pairs that have the
 * most values in common, in the order of both.
 */
function aligned(expected: readonly TemplateElement[], got: readonly TemplateElement[]): readonly Pair[] {
  const isSame = (a: TemplateElement | undefined, b: TemplateElement | undefined) =>
    a !== undefined && b !== undefined && signature(a) === signature(b);
  const shorter = Math.min(expected.length, got.length);
  let start = 0;
  while (start < shorter && isSame(expected[start], got[start])) start++;
  let end = 0;
  while (end < shorter - start && isSame(expected.at(-1 - end), got.at(-1 - end))) end++;
  const middle = (elements: readonly TemplateElement[]) => elements.slice(start, elements.length - end);
  const pairAt = (index: number): Pair => [expected.at(index) ?? null, got.at(index) ?? null];
  return [
    ...Array.from({ length: start }, (_, index) => pairAt(index)),
    ...weighed(middle(expected), middle(got)),
    ...Array.from({ length: end }, (_, index) => pairAt(index - end)),
  ];
}

/** The cheapest way from one list to the other: leaving an element alone costs 1, pairing two up to 2. */
function weighed(expected: readonly TemplateElement[], got: readonly TemplateElement[]): Pair[] {
  if (expected.length * got.length > MOST_WEIGHED) return inTurn(expected, got);
  const width = got.length + 1;
  const costs = new Float64Array((expected.length + 1) * width);
  const cost = (row: number, column: number) => costs[row * width + column] ?? 0;
  for (let row = expected.length; row >= 0; row--) {
    for (let column = got.length; column >= 0; column--) {
      const [wanted, found] = [expected[row], got[column]];
      const options = [
        ...(wanted ? [1 + cost(row + 1, column)] : []),
        ...(found ? [1 + cost(row, column + 1)] : []),
        ...(wanted && found ? [unlikeness(wanted, found) + cost(row + 1, column + 1)] : []),
      ];
      costs[row * width + column] = options.length === 0 ? 0 : Math.min(...options);
    }
  }
  const pairs: Pair[] = [];
  let [row, column] = [0, 0];
  while (row < expected.length || column < got.length) {
    const [wanted, found] = [expected[row] ?? null, got[column] ?? null];
    const isPair =
      wanted && found && cost(row, column) === unlikeness(wanted, found) + cost(row + 1, column + 1);
    const isMissing = !isPair && wanted && cost(row, column) === 1 + cost(row + 1, column);
    pairs.push([isPair || isMissing ? wanted : null, isMissing ? null : found]);
    if (isPair || isMissing) row++;
    if (!isMissing) column++;
  }
  return pairs;
}

function inTurn(expected: readonly TemplateElement[], got: readonly TemplateElement[]): Pair[] {
  return Array.from({ length: Math.max(expected.length, got.length) }, (_, index) => {
    const [wanted, found] = [expected[index] ?? null, got[index] ?? null];
    return wanted && found && wanted.name !== found.name
      ? [[wanted, null] as const, [null, found] as const]
      : [[wanted, found] as const];
  }).flat();
}

/** 0 = the same; below 2 for elements of one name, so that they are paired rather than left alone. */
function unlikeness(a: TemplateElement, b: TemplateElement): number {
  if (a.name !== b.name) return Number.POSITIVE_INFINITY;
  if (signature(a) === signature(b)) return 0;
  const [ours, theirs] = [valuesOf(a), valuesOf(b)];
  const shared = [...ours].filter((value) => theirs.has(value)).length;
  return 1.9 * (1 - shared / Math.max(ours.size, theirs.size, 1));
}

const signatures = new WeakMap<TemplateElement, string>();
/** Equal for elements without any difference. */
function signature(element: TemplateElement): string {
  const known = signatures.get(element);
  if (known !== undefined) return known;
  // Characters that XML cannot hold keep the parts apart.
  const attributes = element.attributes.map(({ name, value }) => `${name}\u0001${value}`).sort();
  const parts = [element.name, ...attributes, '\u0002', element.text, ...element.children.map(signature)];
  const made = `${parts.join('\u0003')}\u0004`;
  signatures.set(element, made);
  return made;
}

const values = new WeakMap<TemplateElement, ReadonlySet<string>>();
/** What stands in the element, with the name that it stands under. */
function valuesOf(element: TemplateElement): ReadonlySet<string> {
  const known = values.get(element);
  if (known !== undefined) return known;
  const made = new Set([
    ...element.attributes.map(({ name, value }) => `@${name}=${value}`),
    ...(element.children.length === 0 ? [`${element.name}=${element.text}`] : []),
    ...element.children.flatMap((child) => [...valuesOf(child)]),
  ]);
  values.set(element, made);
  return made;
}

/** An element as people are shown it, cut when it is long. */
function outline(element: TemplateElement): string {
  const attributes = element.attributes.map(({ name, value }) => ` ${name}="${value}"`).join('');
  const inside = element.children.length === 0 ? element.text : element.children.map(outline).join('');
  return shortened(
    inside === ''
      ? `<${element.name}${attributes}/>`
      : `<${element.name}${attributes}>${inside}</${element.name}>`,
  );
}
