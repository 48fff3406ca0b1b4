import iconv from 'iconv-lite';

/** Encodings in which every ASCII character is one byte, so that a file can be changed in place. */
export const ENCODINGS = ['utf-8', 'windows-1252', 'iso-8859-1', 'iso-8859-15'] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** How a delimited file is written. */
export interface CsvFormat {
  readonly encoding: Encoding;
  readonly delimiter: string;
  readonly quote: string;
  readonly decimalMark: '.' | ',';
}

/** Error thrown when a file as a whole is not what the configuration says. Names the setting to change. */
export class FormatError extends Error {
  override readonly name = 'FormatError';
  readonly file: string;
  readonly line: number;
  /** Path in passerelle.yaml, `orders.file.delimiter`, or an option of the shop's module. */
  readonly setting: string;

  constructor(fault: { file: string; line: number; setting: string; expected: string; got: string }) {
    super(
      `Expected ${fault.expected}, got ${fault.got} (${fault.file}, line ${fault.line}; setting ${fault.setting})`,
    );
    this.file = fault.file;
    this.line = fault.line;
    this.setting = fault.setting;
  }
}

const UTF8_MARK = [0xef, 0xbb, 0xbf];
const LINE_FEED = 0x0a;
const BLOCK = 65_536;

/** A text as people are told it: cut after 100 characters. What is told goes through Temporal's history. */
export function shortened(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

/** Views the same bytes as a Buffer, without copying them. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Decodes text, without its byte order mark. */
export function decodeText(bytes: Uint8Array, encoding: Encoding): string {
  return iconv.decode(asBuffer(bytes), encoding);
}

/** Encodes text, without a byte order mark. */
export function encodeText(text: string, encoding: Encoding): Buffer {
  return encoding === 'utf-8' ? Buffer.from(text) : iconv.encode(text, encoding);
}

/** Length of the UTF-8 byte order mark, 0 when there is none. */
export function markLength(bytes: Uint8Array): number {
  return UTF8_MARK.every((byte, index) => bytes[index] === byte) ? UTF8_MARK.length : 0;
}

/**
 * Tells why the bytes cannot be text of the encoding, or null.
 *
 * A character cut by the end of the file is no fault: the upload may still be going on.
 */
export function encodingFault(
  bytes: Uint8Array,
  encoding: Encoding,
): { readonly line: number; readonly expected: string; readonly got: string } | null {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    return { line: 1, expected: `${encoding} text`, got: 'UTF-16 (its byte order mark)' };
  }
  if (encoding === 'utf-8') {
    if (isUtf8(bytes, 'may be cut')) return null;
    return { line: invalidLine(bytes), expected: 'utf-8 text', got: 'bytes that are not UTF-8' };
  }
  if (markLength(bytes) > 0) {
    return { line: 1, expected: `${encoding} text`, got: 'utf-8 (its byte order mark)' };
  }
  // Accented text of a one-byte encoding is never valid UTF-8 as a whole, short of being UTF-8.
  const accented = bytes.findIndex((byte) => byte > 0x7f);
  if (accented === -1 || !isUtf8(bytes, 'whole')) return null;
  return {
    line: lineAt(bytes, accented),
    expected: `${encoding} text`,
    got: 'utf-8 (its accented letters)',
  };
}

/** Joins small pieces, so that whoever writes them makes few calls. */
export function* inBlocks(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  let pending: Uint8Array[] = [];
  let size = 0;
  for (const piece of pieces) {
    pending.push(piece);
    size += piece.length;
    if (size < BLOCK) continue;
    yield* pending.length === 1 ? pending : [Buffer.concat(pending)];
    pending = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(pending);
}

function isUtf8(bytes: Uint8Array, end: 'whole' | 'may be cut'): boolean {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for (let start = 0; start < bytes.length; start += BLOCK) {
      decoder.decode(bytes.subarray(start, start + BLOCK), { stream: true });
    }
    if (end === 'whole') decoder.decode();
    return true;
  } catch {
    return false;
  }
}

function invalidLine(bytes: Uint8Array): number {
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const lineFeed = bytes.indexOf(LINE_FEED, start);
    const end = lineFeed === -1 ? bytes.length : lineFeed + 1;
    if (!isUtf8(bytes.subarray(start, end), 'may be cut')) return line;
    start = end;
  }
  return line;
}

function lineAt(bytes: Uint8Array, offset: number): number {
  let line = 1;
  for (let at = bytes.indexOf(LINE_FEED); at !== -1 && at < offset; at = bytes.indexOf(LINE_FEED, at + 1)) {
    line++;
  }
  return line;
}
