/** An element: its attributes, the elements in it, and its own text. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

/** Error thrown when a text is not well-formed XML. */
export class XmlError extends Error {
  override readonly name = 'XmlError';
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const NAME = /[A-Za-z_:À-ÿ][-\w.:À-ÿ]*/y;
// What XML 1.0 lets stand in a document; a lone surrogate is not among it.
const FORBIDDEN = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;

/**
 * Reads XML strictly: what is cut, unbalanced or unescaped is refused. (xmlbuilder2's own reader accepts a document that
 * ends too early.) No document type, no namespaces.
 * @throws {XmlError} with the offset
 */
export function parseXml(source: string): XmlElement {
  let at = 0;
  const fail = (expected: string): never => {
    throw new XmlError(`Expected ${expected} at character ${at}, got \`${source.slice(at, at + 20)}\``);
  };
  const expect = (token: string) => {
    if (!source.startsWith(token, at)) fail(`\`${token}\``);
    at += token.length;
  };
  const upTo = (token: string): string => {
    const end = source.indexOf(token, at);
    if (end === -1) fail(`\`${token}\``);
    const found = source.slice(at, end);
    at = end + token.length;
    return found;
  };
  const blank = () => {
    while (at < source.length && /\s/.test(source.charAt(at))) at++;
  };
  const name = (): string => {
    NAME.lastIndex = at;
    const found = NAME.exec(source)?.[0] ?? fail('a name');
    at += found.length;
    return found;
  };
  const skipMisc = () => {
    for (;;) {
      blank();
      if (source.startsWith('<!--', at)) {
        at += 4;
        upTo('-->');
      } else if (source.startsWith('<?', at)) {
        at += 2;
        upTo('?>');
      } else return;
    }
  };
  const unescape = (text: string): string =>
    text.replaceAll(
      /&(?:#(\d+);|#x([\dA-Fa-f]+);|(\w+);)?/g,
      (whole, decimal?: string, hex?: string, word?: string) => {
        if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
        if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
        return ENTITIES[word ?? ''] ?? fail(`a known entity before, not \`${whole}\`,`);
      },
    );
  const attributes = (): Record<string, string> => {
    const found: Record<string, string> = {};
    for (;;) {
      const before = at;
      blank();
      if (source.startsWith('>', at) || source.startsWith('/>', at) || source.startsWith('?>', at))
        return found;
      if (before === at) fail('a blank before an attribute');
      const key = name();
      blank();
      expect('=');
      blank();
      const quote = source.charAt(at);
      if (quote !== '"' && quote !== "'") fail('a quote');
      at++;
      const value = upTo(quote);
      if (value.includes('<') || key in found) fail(`a well-formed attribute ${key} before,`);
      found[key] = unescape(value);
    }
  };
  const element = (): XmlElement => {
    expect('<');
    const tag = name();
    const found = attributes();
    const children: XmlElement[] = [];
    let text = '';
    if (source.startsWith('/>', at)) {
      at += 2;
      return { name: tag, attributes: found, children, text };
    }
    expect('>');
    for (;;) {
      const end = source.indexOf('<', at);
      if (end === -1) fail(`\`</${tag}>\``);
      const own = source.slice(at, end);
      if (own.includes(']]>')) fail('no `]]>` in what follows,');
      text += unescape(own.replaceAll(/\r\n?/g, '\n'));
      at = end;
      if (source.startsWith('</', at)) {
        at += 2;
        expect(tag);
        blank();
        expect('>');
        return { name: tag, attributes: found, children, text };
      } else if (source.startsWith('<![CDATA[', at)) {
        at += 9;
        text += upTo(']]>');
      } else if (source.startsWith('<!--', at)) {
        at += 4;
        upTo('-->');
      } else if (source.startsWith('<?', at)) {
        at += 2;
        upTo('?>');
      } else children.push(element());
    }
  };

  const forbidden = FORBIDDEN.exec(source);
  if (forbidden !== null) {
    at = forbidden.index;
    fail('a character that XML allows');
  }
  skipMisc();
  const root = element();
  skipMisc();
  if (at !== source.length) fail('the end');
  return root;
}
