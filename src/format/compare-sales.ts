import { ORDER_FIELDS, type Order } from '../domain/order.ts';
import { salesXml, TemplateError, type SalesTemplate } from '../domain/sales-xml.ts';
import type { TemplateElement } from '../domain/template-xml.ts';
import { compareXml, type Difference } from './compare-xml.ts';
import { readSentSales } from './read-sales-xml.ts';

/** An order that a sales file may hold. */
export interface SalesCandidate {
  readonly id: number;
  readonly reference: string;
  /** Null when it could not be read. */
  readonly body: Order | null;
}

export interface SalesComparison {
  /** The orders that the file holds, in its order. `differences` null = it holds one that passerelle could not have written. */
  readonly orders: readonly { readonly id: number; readonly differences: readonly Difference[] | null }[];
  /** What differs outside of the orders' elements. */
  readonly frame: readonly Difference[];
  /** Elements of orders that none of the candidates is, or that one of them is a second time. */
  readonly unknown: number;
}

type Node = SalesTemplate['root'];

/** Two times without a part in common: what they make differ is a date of the file's. */
const TIMES = ['2001-02-03 04:05:06', '1999-12-31 23:59:58'] as const;

/**
 * Compares a sales file of the old gateway with what the template makes of the same orders, order by order: by values,
 * whatever the order of attributes, the indentation, the line ends and the encoding. Dates of the file itself do not count.
 * @throws {Error} when the template shows neither the number nor the reference of an order, by which they are found
 */
export function compareSales(
  theirs: TemplateElement,
  template: SalesTemplate,
  candidates: readonly SalesCandidate[],
): SalesComparison {
  const names = pathToOrders(template);
  const path = keyPath(template, names);
  if (path === null) throw new Error(`Expected a template with ${KEYS}, got neither`);
  const keyOf = (element: TemplateElement) => valuesOf(element).get(path) ?? '';
  const free = new Map<string, SalesCandidate[]>();
  for (const [candidate, key] of keysOf(template, candidates, { names, path }))
    free.set(key, [...(free.get(key) ?? []), candidate]);
  const elements = elementsAt(theirs, names);
  const found = elements.flatMap((element) => {
    const key = keyOf(element);
    const sharing = free.get(key) ?? [];
    // Two orders may share a reference: the one that is most like it.
    const [best] = sharing
      .map((candidate) => ({ candidate, differences: differences(element, candidate) }))
      .sort((a, b) => unlikeness(a.differences) - unlikeness(b.differences));
    if (best === undefined) return [];
    const { candidate } = best;
    free.set(
      key,
      sharing.filter((other) => other !== candidate),
    );
    return [{ order: candidate, differences: best.differences }];
  });
  const bodies = found.flatMap(({ order, differences: told }) =>
    order.body === null || told === null ? [] : order.body,
  );
  return {
    orders: found.map(({ order: { id }, differences: told }) => ({ id, differences: told })),
    // The totals of orders that we could not write are not ours to compare.
    frame:
      bodies.length < elements.length
        ? []
        : differencesAtAnyTime(frameOf(theirs), (time) => frameOf(ours(template, bodies, time))),
    unknown: elements.length - found.length,
  };

  function differences(element: TemplateElement, { body }: SalesCandidate): Difference[] | null {
    if (body === null) return null;
    try {
      return differencesAtAnyTime(element, (time) => ourElement(template, body, names, time));
    } catch (error) {
      // It would have been set aside.
      if (error instanceof TemplateError) return null;
      throw error;
    }
  }

  function frameOf(root: TemplateElement): TemplateElement {
    const without = (element: TemplateElement, [name, ...below]: readonly string[]): TemplateElement => ({
      ...element,
      children: element.children.flatMap((child) => {
        if (child.name !== name) return child;
        return below.length === 0 ? [] : without(child, below);
      }),
    });
    return without(root, names);
  }
}

function unlikeness(differences: readonly Difference[] | null): number {
  return differences?.length ?? Number.POSITIVE_INFINITY;
}

function differencesAtAnyTime(
  theirs: TemplateElement,
  oursAt: (time: string) => TemplateElement,
): Difference[] {
  const [ours, elsewhen] = [oursAt(TIMES[0]), oursAt(TIMES[1])];
  const dates = new Set(compareXml(ours, elsewhen).map(({ path }) => path));
  return compareXml(ours, theirs).filter(({ got, path }) => got === null || !dates.has(path));
}

/** Names of the elements from below the root down to the one that is repeated for each order. */
function pathToOrders(template: SalesTemplate): readonly string[] {
  const find = (node: Node): readonly string[] | null => {
    for (const child of node.children) {
      if (child === template.order) return [child.name];
      const below = find(child);
      if (below !== null) return [child.name, ...below];
    }
    return null;
  };
  const path = find(template.root);
  if (path === null) throw new Error('Expected the order inside the root of the template, got none');
  return path;
}

function elementsAt(root: TemplateElement, names: readonly string[]): readonly TemplateElement[] {
  return names.reduce<readonly TemplateElement[]>(
    (elements, name) => elements.flatMap(({ children }) => children.filter((child) => child.name === name)),
    [root],
  );
}

function ours(template: SalesTemplate, orders: readonly Order[], createdAt: string): TemplateElement {
  const lines = orders.flatMap((order) => order.lines);
  const units = lines.reduce((sum, { quantity }) => sum + quantity, 0);
  const bytes = Buffer.concat([...salesXml(template, orders, { createdAt, orders: orders.length, units })]);
  // A return that a customer typed is kept by reference: the old gateway lets it go with the line's end.
  const text = bytes.toString('latin1').replaceAll('&#13;\n', '\n');
  return readSentSales(Buffer.from(text, 'latin1'), 'our sales file').root;
}

function ourElement(
  template: SalesTemplate,
  order: Order,
  names: readonly string[],
  createdAt: string = TIMES[0],
): TemplateElement {
  const [element] = elementsAt(ours(template, [order], createdAt), names);
  if (element === undefined) throw new Error(`Expected order ${order.id} in its own file, got nothing`);
  return element;
}

const ones = <T extends string>(fields: readonly T[]) =>
  Object.fromEntries(fields.map((field) => [field, '1'])) as Record<T, string>;

/** An order that any template can write. */
const PROBE: Order = {
  ...ones(ORDER_FIELDS.order),
  id: 1,
  date: '2000-01-01 00:00:00',
  customer: ones(ORDER_FIELDS.customer),
  delivery: ones(ORDER_FIELDS.delivery),
  invoice: ones(ORDER_FIELDS.invoice),
  lines: [{ ...ones(ORDER_FIELDS.line), quantity: 1 }],
};

const KEYS = '{{ order.id }} or {{ order.reference }}';

/**
 * Refuses a template of which no sales file can be compared.
 * @throws {TemplateError} when it shows neither the number nor the reference of an order
 */
export function expectComparable(template: SalesTemplate, file: string): void {
  if (keyPath(template, pathToOrders(template)) !== null) return;
  const { name, line } = template.order;
  throw new TemplateError(
    file,
    line,
    `${KEYS} in <${name}>, by which mode: shadow finds an order in the old gateway's files`,
    'neither',
  );
}

/** Where an order's element shows its number, or else its reference: the value that changes with it. Null = nowhere. */
function keyPath(template: SalesTemplate, names: readonly string[]): string | null {
  const changing = (one: Partial<Order>, other: Partial<Order>) => {
    const [values, others] = [one, other].map((change) =>
      valuesOf(ourElement(template, { ...PROBE, ...change }, names)),
    );
    return [...(values ?? [])].find(([path, value]) => others?.get(path) !== value)?.[0];
  };
  return (
    changing({ id: 1_111_111 }, { id: 2_222_222 }) ??
    changing({ reference: 'AAAAAAAAA' }, { reference: 'BBBBBBBBB' }) ??
    null
  );
}

/** Candidates and their keys. They are thousands while many orders wait: nothing but the key is written, and many in one file. */
function* keysOf(
  template: SalesTemplate,
  candidates: readonly SalesCandidate[],
  { names, path }: { readonly names: readonly string[]; readonly path: string },
): Generator<readonly [SalesCandidate, string]> {
  const keyAlone = { ...template, order: alone(template.order, path) };
  const pathAlone = path.replaceAll(/\[\d+\]\//g, '[1]/');
  for (let start = 0; start < candidates.length; start += BATCH) {
    const batch = candidates.slice(start, start + BATCH);
    const orders = batch.map(({ id, reference }) => ({ ...PROBE, id, reference }));
    const elements = elementsAt(ours(keyAlone, orders, TIMES[0]), names);
    for (const [index, candidate] of batch.entries()) {
      const element = elements[index];
      if (element === undefined) throw new Error(`Expected order ${candidate.id} in our file, got nothing`);
      yield [candidate, valuesOf(element).get(pathAlone) ?? ''];
    }
  }
}

/** Candidates in a file, which stays far from the longest that can be read. */
const BATCH = 1_000;

/** A node with nothing but the value at this path. The probe has one line, so that each node is one element. */
function alone(node: Node, path: string): Node {
  const [, childName, position, below = ''] = /^([^@[]+)\[(\d+)\]\/(.*)$/.exec(path) ?? [];
  const child = node.children.filter(({ name }) => name === childName)[Number(position) - 1];
  return {
    ...node,
    // Prefixes stay declared.
    attributes: node.attributes.filter(({ name }) => `@${name}` === path || name.startsWith('xmlns')),
    children: child === undefined ? [] : [alone(child, below)],
  };
}

/** Path inside an element -> its value. */
function valuesOf(element: TemplateElement): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  const walk = (one: TemplateElement, path: string) => {
    for (const { name, value } of one.attributes) values.set(`${path}@${name}`, value);
    if (one.children.length === 0) values.set(path, one.text);
    const counts = new Map<string, number>();
    for (const child of one.children) {
      const count = (counts.get(child.name) ?? 0) + 1;
      counts.set(child.name, count);
      walk(child, `${path}${child.name}[${count}]/`);
    }
  };
  walk(element, '');
  return values;
}
