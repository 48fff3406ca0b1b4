import { decodeText, encodeText, type Encoding } from '../domain/text-file.ts';
import type { Piece } from './find-placeholder.ts';

/** An element of a drafted template. */
export interface DraftElement {
  readonly name: string;
  readonly attributes: readonly { readonly name: string; readonly value: readonly Piece[] }[];
  readonly text: readonly Piece[];
  readonly children: readonly DraftElement[];
  readonly repeat?: 'order' | 'line' | undefined;
}

/** Writes a template with its declaration, for the encoding: what that lacks is written as a reference. */
export function templateText(root: DraftElement, encoding: Encoding): string {
  const lines = [`<?xml version="1.0" encoding="${encoding}"?>`, ...elementLines(root, '')];
  const text = `${lines.join('\n')}\n`;
  if (encoding === 'utf-8') return text;
  return text.replace(/[^\0-\x7f]/gu, (character) =>
    decodeText(encodeText(character, encoding), encoding) === character ? character : asReference(character),
  );
}

function elementLines(element: DraftElement, indent: string): readonly string[] {
  const { name, repeat, children } = element;
  const attributes = [
    ...(repeat === undefined ? [] : [` passerelle:repeat="${repeat}"`]),
    ...element.attributes.map(({ name, value }) => ` ${name}="${attributeText(value)}"`),
  ].join('');
  const text = source(element.text, '"').replace(/[&<>\r]/g, asReference);
  if (children.length > 0) {
    return [
      `${indent}<${name}${attributes}>`,
      ...children.flatMap((child) => elementLines(child, `${indent}  `)),
      `${indent}</${name}>`,
    ];
  }
  return [`${indent}<${name}${attributes}${text === '' ? '/>' : `>${text}</${name}>`}`];
}

function attributeText(pieces: readonly Piece[]): string {
  return source(pieces, "'").replace(/[&<>"\t\n\r]/g, asReference);
}

/** The pieces as the template has them, with texts in placeholders quoted like this. */
function source(pieces: readonly Piece[], quote: '"' | "'"): string {
  const texts = pieces.map((piece) =>
    'text' in piece
      ? { isText: true, text: piece.text }
      : { isText: false, text: `{{ ${piece.expression.replaceAll('"', quote)} }}` },
  );
  const joined: { readonly isText: boolean; readonly text: string }[] = [];
  for (const next of texts) {
    const last = joined.at(-1);
    if (last?.isText && next.isText) joined.splice(-1, 1, { isText: true, text: last.text + next.text });
    else joined.push(next);
  }
  return joined
    .map(({ isText, text }) =>
      // A brace that would begin a placeholder is what a placeholder gives.
      isText ? text.replace(/\{(?=[{%])|\{$/g, `{{ ${quote}{${quote} }}`) : text,
    )
    .join('');
}

const NAMED: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function asReference(character: string): string {
  return NAMED[character] ?? `&#${character.codePointAt(0)};`;
}
