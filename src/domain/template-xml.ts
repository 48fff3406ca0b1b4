import { TemplateError } from './template-error.ts';

/** An element of the template, with the lines by which its faults are told. */
export interface TemplateElement {
  readonly name: string;
  readonly line: number;
  readonly attributes: readonly { readonly name: string; readonly value: string }[];
  readonly children: readonly TemplateElement[];
  /** What stands directly inside, CDATA sections included. A template's is empty when it is only white space. */
  readonly text: string;
  readonly textLine: number;
}

/** The template as XML, without comments and processing instructions: those are for whoever edits it. */
export interface TemplateXml {
  /** As it stands in the template; empty when there is none. */
  readonly declaration: string;
  readonly root: TemplateElement;
}

interface OpenElement extends TemplateElement {
  readonly children: TemplateElement[];
  text: string;
  /** The same as it stands in the file. */
  raw: string;
  textLine: number;
  /** Namespace prefixes that may be used inside. */
  readonly prefixes: readonly string[];
}

/** Characters, and elements inside one another. Beyond them the libraries take minutes, or the stack. */
const LONGEST = { template: 100_000, sent: 20_000_000 } as const;
const DEEPEST = 100;

const NAME = String.raw`[\p{L}_:][\p{L}\p{N}\p{M}_:.·-]*`;
const ATTRIBUTE = String.raw`(${NAME})\s*=\s*("[^<"]*"|'[^<']*')`;
const TOKEN = new RegExp(
  [
    String.raw`<!--(?<comment>[^]*?)-->`,
    String.raw`<\?(?!xml\s)[^]*?\?>`,
    String.raw`<!\[CDATA\[(?<cdata>[^]*?)\]\]>`,
    String.raw`</(?<closing>${NAME})\s*>`,
    String.raw`<(?<opening>${NAME})(?<attributes>(?:\s+${ATTRIBUTE})*)\s*(?<empty>/?)>`,
    String.raw`(?<text>[^<]+)`,
  ].join('|'),
  'uy',
);
/** Letters that the parsers of both editions of XML 1.0 take in a name, and one prefix at most. */
const PART = String.raw`[A-Za-z_À-ÖØ-öø-ıĴ-ľŁ-ňŊ-ž][A-Za-z0-9_.·À-ÖØ-öø-ıĴ-ľŁ-ňŊ-ž-]*`;
const SAFE_NAME = new RegExp(`^(?:${PART}:)?${PART}$`, 'u');
const DECLARATION = /^\uFEFF?(<\?xml\s[^]*?\?>)?/u;
const BLANK = String.raw`[ \t\r\n]+`;
const EQUALS = String.raw`[ \t\r\n]*=[ \t\r\n]*`;
const SOUND_DECLARATION = new RegExp(
  [
    String.raw`^<\?xml${BLANK}version${EQUALS}(?:"1\.0"|'1\.0')`,
    String.raw`(?:${BLANK}encoding${EQUALS}(?:"[\w.-]+"|'[\w.-]+'))?`,
    String.raw`(?:${BLANK}standalone${EQUALS}(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\r\n]*\?>$`,
  ].join(''),
);
/** What XML 1.0 lets nobody write. */
export const FORBIDDEN = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;
const ENTITY = /&(?:#x(?<hexadecimal>[\da-f]{1,6});|#(?<decimal>\d{1,7});|(?<name>\w+);)?/giu;
const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);

/**
 * Reads the template, or a file that was sent. xmlbuilder2's own reader takes `<a><b></a>` and tells no lines, so this one
 * is strict.
 * @throws {TemplateError} when it is not well-formed XML
 */
export function readTemplateXml(
  source: string,
  file: string,
  kind: 'template' | 'sent' = 'template',
): TemplateXml {
  const longest = LONGEST[kind];
  if (source.length > longest) throw refused(1, `at most ${longest} characters`, `${source.length}`);
  const forbidden = source.search(FORBIDDEN);
  if (forbidden !== -1) {
    const code = (source.codePointAt(forbidden) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    throw refused(countLines(source.slice(0, forbidden)) + 1, 'characters that XML allows', `U+${code}`);
  }
  const [start, declaration = ''] = DECLARATION.exec(source) ?? [''];
  if (declaration !== '' && !SOUND_DECLARATION.test(declaration)) {
    const expected = 'a declaration such as `<?xml version="1.0" encoding="utf-8"?>`';
    throw refused(1, expected, `\`${/^.{0,80}/u.exec(declaration)?.[0]}\``);
  }
  const document = opened('', 1, [], ['xml', 'xmlns', 'passerelle']);
  const open = [document];
  let offset = start.length;
  let line = countLines(start) + 1;

  while (offset < source.length) {
    TOKEN.lastIndex = offset;
    const token = TOKEN.exec(source);
    const parent = open.at(-1) ?? document;
    const { comment = '', cdata, closing, opening, attributes = '', empty, text } = token?.groups ?? {};
    if (token === null || /--|-$/.test(comment))
      throw refused(line, 'well-formed XML', `\`${/^.{0,30}/u.exec(source.slice(offset))?.[0]}\``);
    if (opening !== undefined) {
      if (parent === document && document.children.length > 0)
        throw refused(line, 'one root element', `<${opening}> too`);
      if (open.length > DEEPEST)
        throw refused(line, `at most ${DEEPEST} elements inside one another`, 'more');
      const element = openElement(opening, attributes, parent);
      parent.children.push(element);
      if (empty === '') open.push(element);
    } else if (closing !== undefined) {
      if (closing !== parent.name)
        throw refused(line, parent === document ? 'no closing tag' : `</${parent.name}>`, `</${closing}>`);
      if (kind === 'sent' && parent.children.length === 0) parent.text = withoutIndent(parent);
      else if (parent.text.trim() === '') parent.text = '';
      else if (parent.children.length > 0)
        throw refused(parent.textLine, `text or elements in <${parent.name}>`, 'both');
      open.pop();
    } else if (cdata !== undefined) {
      addText(parent, cdata, token[0]);
    } else if (text !== undefined) {
      addText(parent, decoded(text), text);
    }
    offset += token[0].length;
    line += countLines(token[0]);
  }

  const [root] = document.children;
  const unclosed = open.at(-1);
  if (unclosed && unclosed !== document)
    throw refused(unclosed.line, `</${unclosed.name}> after it`, 'the end of the file');
  if (root === undefined) throw refused(1, 'a root element', 'none');
  return { declaration, root };

  function refused(line: number, expected: string, got: string) {
    return new TemplateError(file, line, expected, got);
  }

  function openElement(name: string, source: string, parent: OpenElement): OpenElement {
    const attributes = [...source.matchAll(new RegExp(ATTRIBUTE, 'gu'))].map(([, name = '', value = '']) => ({
      name,
      value: decoded(value.slice(1, -1)),
    }));
    const names = attributes.map(({ name }) => name);
    const seen = new Set<string>();
    const twice = names.find((name) => seen.size === seen.add(name).size);
    if (twice !== undefined) throw refused(line, `\`${twice}\` once in <${name}>`, 'it twice');
    for (const used of [name, ...names]) {
      if (!SAFE_NAME.test(used)) {
        throw refused(
          line,
          'names that every XML parser takes (Latin letters, digits, `_`, `-`, `.`)',
          `\`${used}\``,
        );
      }
    }
    // A parser that knows namespaces keeps these for itself.
    const kept = /^xmlns(?::|$)/.test(name) ? name : names.find((used) => /^xmlns:(?:xml|xmlns)$/.test(used));
    if (kept !== undefined) throw refused(line, 'names that XML does not keep for itself', `\`${kept}\``);
    const unnamed = attributes.find(({ name, value }) => name.startsWith('xmlns:') && !/^[^{]+$/.test(value));
    if (unnamed !== undefined)
      throw refused(line, `a fixed address in \`${unnamed.name}\``, `"${unnamed.value}"`);
    const declared = names
      .filter((name) => name.startsWith('xmlns:'))
      .map((name) => name.slice('xmlns:'.length));
    const element = opened(name, line, attributes, [...parent.prefixes, ...declared]);
    for (const used of [name, ...names]) {
      const prefix = used.slice(0, Math.max(0, used.indexOf(':')));
      if (prefix !== '' && !element.prefixes.includes(prefix)) {
        throw refused(line, `\`xmlns:${prefix}\` on <${name}> or around it`, `\`${used}\` without it`);
      }
    }
    return element;
  }

  function addText(parent: OpenElement, text: string, raw: string): void {
    if (parent === document && text.trim() !== '')
      throw refused(line, 'nothing but one root element', 'text outside of it');
    if (parent.text === '') parent.textLine = line;
    parent.text += text;
    parent.raw += raw;
  }

  function decoded(text: string): string {
    return text.replace(ENTITY, (entity: string, ...found: unknown[]) => {
      const [offset, , groups] = found.slice(-3) as [number, string, Record<string, string | undefined>];
      const { hexadecimal, decimal, name } = groups;
      const code = hexadecimal === undefined ? Number(decimal) : Number.parseInt(hexadecimal, 16);
      const character = code <= 0x10ffff ? String.fromCodePoint(code) : ENTITIES.get(name ?? '');
      if (character !== undefined && character.search(FORBIDDEN) === -1) return character;
      const at = line + countLines(text.slice(0, offset));
      throw refused(at, 'an entity that XML knows, such as `&amp;`', `\`${entity}\``);
    });
  }
}

function opened(
  name: string,
  line: number,
  attributes: TemplateElement['attributes'],
  prefixes: readonly string[],
): OpenElement {
  return { name, line, attributes, children: [], text: '', raw: '', textLine: line, prefixes };
}

/** Old scripts put a text on a line of its own. What they wrote as references or CDATA is no indentation. */
function withoutIndent({ text, raw }: OpenElement): string {
  const isBlank = (at: number) => /[ \t\r\n]/.test(raw.charAt(at));
  let start = 0;
  let end = raw.length;
  while (isBlank(start)) start++;
  while (end > start && isBlank(end - 1)) end--;
  if (!raw.slice(0, start).includes('\n')) start = 0;
  const after = raw.slice(end);
  return text.slice(start, text.length - (after.includes('\n') ? after.length : 0));
}

function countLines(text: string): number {
  return text.split('\n').length - 1;
}
