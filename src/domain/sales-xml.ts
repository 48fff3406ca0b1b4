import { create } from 'xmlbuilder2';
import type { Order } from './order.ts';
import { compileText, type Place, type Scope, type Text } from './placeholders.ts';
import { TemplateError } from './template-error.ts';
import { FORBIDDEN, readTemplateXml, type TemplateElement } from './template-xml.ts';
import { decodeText, ENCODINGS, encodeText, encodingFault, inBlocks, type Encoding } from './text-file.ts';

export { TemplateError };

/** The shop's sales file with placeholders, checked and compiled. */
export interface SalesTemplate {
  readonly declaration: string;
  readonly encoding: Encoding;
  readonly indent: string;
  readonly lineBreak: string;
  readonly root: Element;
  /** The element that is repeated for each order, and how deep it stands. */
  readonly order: Element;
  readonly depth: number;
}

/** Facts about a sales file as a whole: `file.` in the template. */
export interface SalesFile {
  /** Shop's local time, `2026-11-24 10:27:03`. */
  readonly createdAt: string;
  readonly orders: number;
  readonly units: number;
}

interface Element {
  readonly name: string;
  readonly line: number;
  readonly attributes: readonly { readonly name: string; readonly value: Text }[];
  readonly children: readonly Element[];
  readonly text: Text;
  readonly repeat: Repeat | undefined;
}

type Repeat = 'order' | 'line';
type XmlNode = ReturnType<typeof create>['node'];
type XmlDocument = NonNullable<XmlNode['ownerDocument']>;

const MARKER = 'passerelle:repeat';
/** Editors of XML like to see it declared; the output does without. */
const MARKER_NAMESPACE = 'xmlns:passerelle';
/** Texts that need nothing done to them. */
const PLAIN = /^[ -%'-~]*$/;
const PLAIN_UNICODE = /^[ -%'-~\u00A0-\uD7FF]*$/;
/** Stands for the orders in the document around them. */
const ORDERS = 'passerelle-orders';
const ORDERS_LINE = new RegExp(`[ \\t]*<${ORDERS}/>\\r?\\n`);

/**
 * Reads the sales template: the sales file itself, with placeholders, and a marker on what is repeated.
 *
 * @param source bytes are decoded as their declaration says
 * @param columns the mapped columns of the orders file: a placeholder for a field without one is a fault
 * @throws {TemplateError} with the line
 */
export function readTemplate(
  source: string | Uint8Array,
  file: string,
  columns?: NonNullable<Place['columns']>,
): SalesTemplate {
  const encoding = declaredEncoding(source, file);
  const fault = typeof source === 'string' ? null : encodingFault(source, encoding);
  if (fault) throw new TemplateError(file, fault.line, fault.expected, fault.got);
  const text = typeof source === 'string' ? source : decodeText(source, encoding);
  const xml = readTemplateXml(text, file);
  const orders: { element: Element; depth: number }[] = [];
  const lines: Element[] = [];
  const root = compile(xml.root, [], 0);

  const [order] = orders;
  if (order === undefined) {
    throw refused(xml.root, `an element with ${MARKER}="order" inside the root`, 'none');
  }
  if (lines.length === 0) {
    throw refused(xml.root, `an element with ${MARKER}="line" inside an order`, 'none');
  }
  return {
    declaration: xml.declaration,
    encoding,
    indent: /\n([ \t]+)</.exec(text)?.[1] ?? '  ',
    lineBreak: text.includes('\r\n') ? '\r\n' : '\n',
    root,
    order: order.element,
    depth: order.depth,
  };

  function refused(element: TemplateElement, expected: string, got: string): TemplateError {
    return new TemplateError(file, element.line, expected, got);
  }

  function compile(element: TemplateElement, outer: readonly Repeat[], depth: number): Element {
    const repeat = repeatOf(element, outer, depth);
    const repeats = repeat ? [...outer, repeat] : outer;
    const attributes = element.attributes.filter(({ name }) => name !== MARKER && name !== MARKER_NAMESPACE);
    for (const { name } of [element, ...attributes]) {
      if (name.startsWith('passerelle:'))
        throw refused(element, `no name in passerelle: but ${MARKER}`, `\`${name}\``);
      if (!isEncodable(name, encoding))
        throw refused(element, `names that ${encoding} can write`, `\`${name}\``);
    }
    const place = { file, repeats, columns };
    const compiled: Element = {
      name: element.name,
      line: element.line,
      attributes: attributes.map(({ name, value }) => ({
        name,
        value: compileText(value, { ...place, line: element.line }),
      })),
      text: compileText(element.text, { ...place, line: element.textLine }),
      children: element.children.map((child) => compile(child, repeats, depth + 1)),
      repeat,
    };
    if (repeat === 'order') orders.push({ element: compiled, depth });
    if (repeat === 'line') lines.push(compiled);
    return compiled;
  }

  function repeatOf(element: TemplateElement, outer: readonly Repeat[], depth: number): Repeat | undefined {
    const value = element.attributes.find(({ name }) => name === MARKER)?.value;
    if (value === undefined) return undefined;
    if (value !== 'order' && value !== 'line')
      throw refused(element, `${MARKER}="order" or "line"`, `"${value}"`);
    if (outer.includes(value))
      throw refused(element, `no ${MARKER}="${value}" inside another`, `<${element.name}>`);
    if (value === 'line' && !outer.includes('order')) {
      throw refused(element, `${MARKER}="line" inside an element repeated for each order`, 'it outside');
    }
    if (value === 'order' && depth === 0)
      throw refused(element, `${MARKER}="order" inside the root`, 'it on the root');
    if (value === 'order' && orders.length > 0)
      throw refused(element, `one element with ${MARKER}="order"`, 'two');
    return value;
  }
}

/**
 * Writes the sales file, order by order, in the template's encoding.
 * @throws {TemplateError} when a placeholder cannot be worked out for an order, such as a division by 0
 */
export function salesXml(
  template: SalesTemplate,
  orders: Iterable<Order>,
  facts: SalesFile,
): Generator<Uint8Array> {
  return inBlocks(salesPieces(template, orders, facts));
}

function* salesPieces(
  template: SalesTemplate,
  orders: Iterable<Order>,
  file: SalesFile,
): Generator<Uint8Array> {
  const { declaration, encoding, lineBreak, root, order: element, depth } = template;
  const [before = '', after = ''] = printer(template, root, 0)({ file }).split(ORDERS_LINE);
  if (declaration !== '') yield encodeText(declaration + lineBreak, encoding);
  yield encodeText(before, encoding);
  const print = printer(template, element, depth);
  for (const order of orders) yield encodeText(print({ file, order }), encoding);
  yield encodeText(after, encoding);
}

/** Gives nodes the values of one order, or of the file. */
type Write = (scope: Scope) => void;

// An element's nodes are made once and filled in again for each order: making them takes longer than all the rest.
function printer(template: SalesTemplate, element: Element, offset: number): (scope: Scope) => string {
  const { encoding, indent, lineBreak: newline } = template;
  const builder = create();
  const document = builder.node as XmlDocument;
  const { node, write } = nodesOf(document, element, encoding);
  document.appendChild(node);
  return (scope) => {
    write(scope);
    return builder.toString({ headless: true, prettyPrint: true, indent, newline, offset }) + newline;
  };
}

// Names are set as they stand in the template, prefixes and all: an order alone does not declare its namespaces.
function nodesOf(
  document: XmlDocument,
  element: Element,
  encoding: Encoding,
): { node: XmlNode; write: Write } {
  const node = document.createElement(element.name);
  const text = document.createTextNode('');
  node.appendChild(text);
  const writes = element.children.map((child): Write => {
    if (child.repeat === 'line') return repeatedNodes(document, node, child, encoding);
    if (child.repeat === 'order') {
      node.appendChild(document.createElement(ORDERS));
      return () => undefined;
    }
    const inner = nodesOf(document, child, encoding);
    node.appendChild(inner.node);
    return inner.write;
  });
  const write = (scope: Scope) => {
    for (const { name, value } of element.attributes) {
      node.setAttribute(name, escaped(value(scope), encoding).replace(/[\t\n]/g, asReference));
    }
    text.data = escaped(element.text(scope), encoding);
    for (const writeChild of writes) writeChild(scope);
  };
  return { node, write };
}

function repeatedNodes(document: XmlDocument, parent: XmlNode, element: Element, encoding: Encoding): Write {
  const made: { readonly node: XmlNode; readonly write: Write }[] = [];
  // Nothing is printed for an empty text: it holds the place of the lines.
  const place = document.createTextNode('');
  parent.appendChild(place);
  let shown = 0;
  return (scope) => {
    const lines = scope.order?.lines ?? [];
    for (const [index, line] of lines.entries()) {
      const nodes = (made[index] ??= nodesOf(document, element, encoding));
      if (index >= shown) parent.insertBefore(nodes.node, place);
      nodes.write({ ...scope, line });
    }
    for (const { node } of made.slice(lines.length, shown)) parent.removeChild(node);
    shown = lines.length;
  };
}

/**
 * Prepares a text for xmlbuilder2, which escapes `<`, `>` and `"` but takes any `&word;` or `&#1;` for a reference
 * and lets it through. What XML 1.0 forbids is dropped, what the encoding lacks becomes a reference.
 */
function escaped(text: string, encoding: Encoding): string {
  const isUnicode = encoding === 'utf-8';
  if ((isUnicode ? PLAIN_UNICODE : PLAIN).test(text)) return text;
  const allowed = text.replace(FORBIDDEN, '').replaceAll('&', '&amp;').replaceAll('\r', asReference);
  if (isUnicode) return allowed;
  return allowed.replace(/[^\0-\x7f]/gu, (character) =>
    isEncodable(character, encoding) ? character : asReference(character),
  );
}

function asReference(character: string): string {
  return `&#${character.codePointAt(0)};`;
}

function isEncodable(text: string, encoding: Encoding): boolean {
  // iconv writes U+FFFD as a byte that the encoding does not have.
  return (
    encoding === 'utf-8' ||
    (!text.includes('\uFFFD') && decodeText(encodeText(text, encoding), encoding) === text)
  );
}

function declaredEncoding(source: string | Uint8Array, file: string): Encoding {
  // A declaration is ASCII in every encoding that can be declared here.
  const start = typeof source === 'string' ? source : decodeText(source, 'iso-8859-1');
  const declared =
    /^(?:\uFEFF|ï»¿)?<\?xml\s[^>]*?encoding\s*=\s*["']([^"']*)["']/.exec(start)?.[1]?.toLowerCase() ??
    'utf-8';
  const encoding = ENCODINGS.find((known) => known === declared);
  if (encoding === undefined)
    throw new TemplateError(file, 1, `an encoding among ${ENCODINGS.join(', ')}`, `\`${declared}\``);
  return encoding;
}
