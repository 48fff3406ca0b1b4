import type { Order, OrderLine } from '../domain/order.ts';
import type { TemplateElement } from '../domain/template-xml.ts';

/** The elements that the template repeats for each order, and what each stands for. */
export interface OrderRepeat {
  readonly parent: TemplateElement;
  readonly name: string;
  readonly orders: ReadonlyMap<TemplateElement, Order>;
}

/** The elements that the template repeats for each line. */
export interface LineRepeat {
  /** Names of the elements from below the order's down to the line's, joined by `/`. */
  readonly path: string;
  readonly lines: ReadonlyMap<TemplateElement, OrderLine>;
}

/** Elements of one name in one parent. */
interface Group {
  readonly parent: TemplateElement;
  readonly name: string;
  readonly elements: readonly TemplateElement[];
  /** From below the element at which the search began. */
  readonly path: string;
}

/** Values by which a thing is known, and how well. */
type Marks = readonly (readonly [value: string, weight: number])[];

interface Match<T> {
  readonly found: ReadonlyMap<TemplateElement, T>;
  readonly weight: number;
}

/** Finds the elements that stand for orders: those that hold the values of the most of them. Null = there are none. */
export function findOrderRepeat(root: TemplateElement, orders: readonly Order[]): OrderRepeat | null {
  const known = indexOf(orders, ({ id, reference, customer, delivery, lines }) => [
    [String(id), 1],
    [reference, 2],
    [customer.email, 2],
    [customer.lastname, 0.5],
    [delivery.address1, 0.5],
    ...lines.map(({ ean }) => [ean, 2] as const),
  ]);
  const matches = groupsIn(root).map((group) => ({ ...group, ...matched(group.elements, known) }));
  const best = theBest(matches);
  return best && { parent: best.parent, name: best.name, orders: best.found };
}

/** Finds the elements that stand for lines inside those of their orders. Null = there are none. */
export function findLineRepeat(orders: ReadonlyMap<TemplateElement, Order>): LineRepeat | null {
  const byPath = new Map<string, { found: Map<TemplateElement, OrderLine>; weight: number }>();
  for (const [element, { lines }] of orders) {
    const known = indexOf(lines, ({ ean, reference, name, size, quantity, unitPrice }) => [
      [ean, 2],
      [reference, 1],
      [name, 1],
      [size, 0.5],
      [String(quantity), 0.1],
      [unitPrice, 0.1],
      [unitPrice.replace('.', ','), 0.1],
    ]);
    for (const { path, elements } of groupsIn(element)) {
      const { found, weight } = matched(elements, known);
      const all = byPath.get(path) ?? { found: new Map<TemplateElement, OrderLine>(), weight: 0 };
      for (const [one, line] of found) all.found.set(one, line);
      byPath.set(path, { found: all.found, weight: all.weight + weight });
    }
  }
  const best = theBest([...byPath].map(([path, match]) => ({ path, ...match })));
  return best && { path: best.path, lines: best.found };
}

/** The one that matches the most things, then by the most of their values, then the deepest. */
function theBest<M extends Match<unknown> & { readonly path: string }>(matches: readonly M[]): M | null {
  const depth = ({ path }: M) => path.split('/').length;
  const [best] = matches
    .filter(({ found }) => found.size > 0)
    .sort((a, b) => b.found.size - a.found.size || b.weight - a.weight || depth(b) - depth(a));
  return best ?? null;
}

function groupsIn(parent: TemplateElement, path = ''): readonly Group[] {
  const names = [...new Set(parent.children.map(({ name }) => name))];
  return [
    ...names.map((name): Group => ({
      parent,
      name,
      path: `${path}${name}`,
      elements: parent.children.filter((child) => child.name === name),
    })),
    ...parent.children.flatMap((child) => groupsIn(child, `${path}${child.name}/`)),
  ];
}

/** Value -> what has it, with its weight. */
type Known<T> = ReadonlyMap<string, ReadonlyMap<T, number>>;

function indexOf<T>(things: readonly T[], marksOf: (thing: T) => Marks): Known<T> {
  const known = new Map<string, Map<T, number>>();
  for (const thing of things) {
    for (const [value, weight] of marksOf(thing)) {
      if (value === '') continue;
      const having = known.get(value) ?? new Map<T, number>();
      known.set(value, having.set(thing, Math.max(weight, having.get(thing) ?? 0)));
    }
  }
  return known;
}

/** Gives each element the thing of which it holds the most, each thing once. */
function matched<T>(elements: readonly TemplateElement[], known: Known<T>): Match<T> {
  const found = new Map<TemplateElement, T>();
  const taken = new Set<T>();
  let weight = 0;
  for (const element of elements) {
    const weights = new Map<T, number>();
    for (const value of new Set(valuesIn(element))) {
      for (const [thing, one] of known.get(value) ?? [])
        if (!taken.has(thing)) weights.set(thing, (weights.get(thing) ?? 0) + one);
    }
    const [best] = [...weights].sort(([, a], [, b]) => b - a);
    if (best === undefined) continue;
    found.set(element, best[0]);
    taken.add(best[0]);
    weight += best[1];
  }
  return { found, weight };
}

function valuesIn(element: TemplateElement): readonly string[] {
  return [
    ...element.attributes.map(({ value }) => value),
    element.text,
    ...element.children.flatMap(valuesIn),
  ];
}
