import type { Order } from '../domain/order.ts';
import type { Place, Scope } from '../domain/placeholders.ts';
import type { TemplateElement } from '../domain/template-xml.ts';
import type { Encoding } from '../domain/text-file.ts';
import { placeholderFinder, type Doubtfulness, type Finding } from './find-placeholder.ts';
import { findLineRepeat, findOrderRepeat, type LineRepeat, type OrderRepeat } from './find-repeats.ts';
import type { Level, Sample } from './placeholder-candidates.ts';
import type { SentSales } from './read-sales-xml.ts';
import { templateText, type DraftElement } from './template-text.ts';

/** Something that the draft is not sure of. */
export interface DraftNote {
  /**
   * `not everywhere`: an element or attribute that some orders or lines have and others have not. `not a line`: elements
   * like those of lines, of which none is one of the order's.
   */
  readonly doubt: Exclude<Doubtfulness, 'sure'> | 'not everywhere' | 'not a line';
  /** Without positions: `/ventes/vente/ligne/@prix`. */
  readonly path: string;
  /** What stands there now, as in the template. */
  readonly chosen: string;
  /** Insides of the placeholders that might stand there instead. */
  readonly others: readonly string[];
}

export interface Draft {
  /** With its declaration, to be written in `encoding`. */
  readonly template: string;
  readonly encoding: Encoding;
  readonly notes: readonly DraftNote[];
  /** Orders that the sales file was found to hold. */
  readonly orders: number;
  /** Numbers of orders that it does not hold. */
  readonly absent: readonly number[];
  /** Elements like those of orders, of which none is one of them. */
  readonly unknown: number;
}

/** Error thrown when a sales file holds nothing that the template could repeat. */
export class DraftError extends Error {
  override readonly name = 'DraftError';
  readonly reason: 'no order' | 'no line';

  constructor(reason: DraftError['reason']) {
    super(`Expected elements that hold the values of one ${reason.slice(3)} each, got none`);
    this.reason = reason;
  }
}

/** An element of the sales file, and what it stands for. All examples of one place stand for the like. */
interface Example {
  readonly element: TemplateElement;
  readonly scope: Scope;
}

/** Where an element stands. */
interface Spot {
  readonly level: Level;
  /** Names from the root's down to the element's own. */
  readonly names: readonly string[];
  /** The same from below the order's element on. */
  readonly inOrder: readonly string[];
}

/**
 * Drafts the template that makes the sales file of the orders: placeholders for the values that fields explain, markers on
 * what is repeated. What no field explains stays as it is.
 *
 * @param columns our field -> title of its column: the template may name those fields alone
 * @throws {DraftError} when no element stands for an order, or none for a line
 */
export function draftTemplate(
  { root, encoding }: SentSales,
  orders: readonly Order[],
  columns: NonNullable<Place['columns']>,
): Draft {
  const orderRepeat = findOrderRepeat(root, orders);
  if (orderRepeat === null) throw new DraftError('no order');
  const lineRepeat = findLineRepeat(orderRepeat.orders);
  if (lineRepeat === null) throw new DraftError('no line');

  const held = [...orderRepeat.orders.values()];
  const elements = orderRepeat.parent.children.filter(({ name }) => name === orderRepeat.name);
  const units = held.flatMap(({ lines }) => lines).reduce((sum, { quantity }) => sum + quantity, 0);
  const file = { createdAt: '', orders: elements.length, units };
  const { draft, notes } = drafting(orderRepeat, lineRepeat, columns);
  const drafted = draft([{ element: root, scope: { file } }], {
    level: 'file',
    names: [root.name],
    inOrder: [],
  });
  return {
    template: templateText(drafted, encoding),
    encoding,
    notes,
    orders: held.length,
    absent: orders.filter((order) => !held.includes(order)).map(({ id }) => id),
    unknown: elements.length - held.length,
  };
}

function drafting(orderRepeat: OrderRepeat, lineRepeat: LineRepeat, columns: NonNullable<Place['columns']>) {
  const find = placeholderFinder(columns);
  const notes: DraftNote[] = [];
  return { draft, notes };

  /** Makes one element of the template of all the elements that stand at its place. */
  function draft(examples: readonly Example[], spot: Spot): DraftElement {
    const base = richest(examples.map(({ element }) => element));
    const isLeaf = examples.every(({ element }) => element.children.length === 0);
    const texts = samplesOf(examples, ({ text }) => text);
    return {
      name: base.name,
      attributes: attributesOf(examples, spot),
      text: isLeaf ? explained(texts, spot) : [],
      children: isLeaf ? [] : childrenOf(base, examples, spot),
    };
  }

  function attributesOf(examples: readonly Example[], spot: Spot): DraftElement['attributes'] {
    const names = new Set(examples.flatMap(({ element }) => element.attributes.map(({ name }) => name)));
    return [...names].map((name) => {
      const here = { ...spot, names: [...spot.names, `@${name}`] };
      const samples = samplesOf(
        examples,
        ({ attributes }) => attributes.find((one) => one.name === name)?.value,
      );
      if (samples.length < examples.length) note('not everywhere', here);
      const isNamespace = /^xmlns(?::|$)/.test(name);
      return { name, value: isNamespace ? [{ text: samples[0]?.text ?? '' }] : explained(samples, here) };
    });
  }

  function childrenOf(base: TemplateElement, examples: readonly Example[], spot: Spot): DraftElement[] {
    const places = mergedPlaces(
      base,
      examples.map(({ element }) => element),
    );
    const children: DraftElement[] = [];
    const repeated = new Set<string>();
    for (const place of places) {
      const [name = '', nth = ''] = place.split(' ');
      const here = {
        ...spot,
        names: [...spot.names, name],
        inOrder: spot.level === 'file' ? [] : [...spot.inOrder, name],
      };
      const repeat = repeatOf(name, base, here);
      if (repeat !== undefined) {
        const own = repeated.has(name) ? [] : repeatedExamples(name, repeat, examples);
        const all = examples.flatMap(({ element }) => element.children.filter((one) => one.name === name));
        if (repeat === 'line' && !repeated.has(name) && own.length < all.length) note('not a line', here);
        if (own.length > 0) {
          const inOrder = repeat === 'order' ? [] : here.inOrder;
          children.push({ ...draft(own, { ...here, level: repeat, inOrder }), repeat });
        }
        repeated.add(name);
        continue;
      }
      const own = examples.flatMap(({ element, scope }): Example[] => {
        const child = element.children.filter((one) => one.name === name)[Number(nth)];
        return child === undefined ? [] : [{ element: child, scope }];
      });
      if (own.length < examples.length) note('not everywhere', here);
      children.push(draft(own, here));
    }
    return children;
  }

  function repeatOf(name: string, parent: TemplateElement, { level, inOrder }: Spot): DraftElement['repeat'] {
    if (level === 'file')
      return parent === orderRepeat.parent && name === orderRepeat.name ? 'order' : undefined;
    return level === 'order' && inOrder.join('/') === lineRepeat.path ? 'line' : undefined;
  }

  /** All elements of the name that stand for an order, or a line. */
  function repeatedExamples(
    name: string,
    repeat: 'order' | 'line',
    examples: readonly Example[],
  ): readonly Example[] {
    return examples.flatMap(({ element, scope }) =>
      element.children
        .filter((one) => one.name === name)
        .flatMap((one): Example[] => {
          const order = orderRepeat.orders.get(one);
          const line = lineRepeat.lines.get(one);
          if (repeat === 'order') return order ? [{ element: one, scope: { ...scope, order } }] : [];
          return line ? [{ element: one, scope: { ...scope, line } }] : [];
        }),
    );
  }

  function explained(samples: readonly Sample[], { names, level }: Spot): Finding['pieces'] {
    const { pieces, doubt, others } = find(samples, names, level);
    if (doubt !== 'sure') {
      const chosen = pieces
        .map((piece) => ('text' in piece ? piece.text : `{{ ${piece.expression} }}`))
        .join('');
      notes.push({ doubt, path: `/${names.join('/')}`, chosen, others });
    }
    return pieces;
  }

  function note(doubt: 'not everywhere' | 'not a line', { names }: Spot): void {
    const path = `/${names.join('/')}`;
    if (notes.some((one) => one.doubt === doubt && one.path === path)) return;
    notes.push({ doubt, path, chosen: '', others: [] });
  }
}

/** The children's places, `name nth`: by them, elements of several orders are held against each other. */
function placesIn({ children }: TemplateElement): readonly string[] {
  const counts = new Map<string, number>();
  return children.map(({ name }) => {
    const nth = counts.get(name) ?? 0;
    counts.set(name, nth + 1);
    return `${name} ${nth}`;
  });
}

/** The places of all elements: what the base does not have comes behind what stands before it elsewhere. */
function mergedPlaces(base: TemplateElement, elements: readonly TemplateElement[]): readonly string[] {
  const places = [...placesIn(base)];
  const known = new Set(places);
  for (const element of elements) {
    placesIn(element).forEach((place, index, own) => {
      if (known.has(place)) return;
      known.add(place);
      places.splice(places.indexOf(own[index - 1] ?? '') + 1, 0, place);
    });
  }
  return places;
}

function samplesOf(
  examples: readonly Example[],
  textIn: (element: TemplateElement) => string | undefined,
): readonly Sample[] {
  return examples.flatMap(({ element, scope }) => {
    const text = textIn(element);
    return text === undefined ? [] : [{ text, scope }];
  });
}

/** The element with the most in it: the others have parts of it. */
function richest(elements: readonly TemplateElement[]): TemplateElement {
  return elements.reduce((best, next) => (sizeOf(next) > sizeOf(best) ? next : best));
}

function sizeOf({ children }: TemplateElement): number {
  return children.reduce((sum, child) => sum + 1 + sizeOf(child), 0);
}
