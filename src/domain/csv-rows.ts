import { CsvError, parse } from 'csv-parse/sync';
import { asBuffer, decodeText, markLength, type CsvFormat } from './text-file.ts';

/** One row of a delimited file, and where its bytes stand in it. */
export interface CsvRow {
  readonly fields: readonly string[];
  /** Line of its first character, 1 = the header's. */
  readonly line: number;
  /** Offset of its first byte. */
  readonly start: number;
}

/** How a delimited file ends. */
export interface CsvEnd {
  readonly lineBreak: boolean;
  /** What stands after the last whole row, when a quoted field is never closed. */
  readonly unclosed: CsvRow | null;
  /** Line of a row of more than LONGEST_ROW bytes, where there is one: nothing is read from there on. */
  readonly tooLong: number | null;
}

/** Bytes. A longer row is no row: a quote that is never closed, or another kind of file. */
const LONGEST_ROW = 1_048_576;

const LINE_FEED = 0x0a;
const BLOCK = 65_536;

/**
 * Hands every row to `onRow`, in the order of the file, blank lines left out.
 *
 * Rows end with CRLF or LF. A quote inside a field that is not quoted is plain text (`boots 12" high`).
 */
export function readCsvRows(bytes: Uint8Array, format: CsvFormat, onRow: (row: CsvRow) => void): CsvEnd {
  const buffer = asBuffer(bytes);
  const decode = decoderOf(format);
  let start = markLength(bytes);
  let line = 1;
  const hand = (fields: readonly string[]) => {
    if (fields.length > 1 || fields[0] !== '') onRow({ fields: fields.map(decode), line, start });
    // A row has as many lines as its last line break and those inside its quoted fields make.
    for (let left = 1 + countLineFeeds(fields); left > 0; left--) {
      start = buffer.indexOf(LINE_FEED, start) + 1;
      line++;
    }
  };

  // csv-parse is given blocks, and not the file: its rows would take several times the file's memory.
  let size = BLOCK;
  for (let from = start; from < buffer.length;) {
    const end = blockEnd(buffer, from, size);
    if (end - from > LONGEST_ROW) return { lineBreak: false, unclosed: null, tooLong: line };
    const { rows, isClosed } = parseBlock(buffer.subarray(from, end), format);
    const open = isClosed ? undefined : rows.pop();
    rows.forEach(hand);
    if (open && end === buffer.length) {
      return { lineBreak: false, unclosed: { fields: open.map(decode), line, start }, tooLong: null };
    }
    // The block ends inside a quoted field: the row is read again, in a longer block if it was alone in this one.
    size = open && rows.length === 0 ? size * 2 : BLOCK;
    from = open ? start : end;
  }
  return { lineBreak: bytes.at(-1) === LINE_FEED, unclosed: null, tooLong: null };
}

/** Where the last line ends that fits into `size` bytes; if not even one does, where the first one ends. */
function blockEnd(buffer: Buffer, from: number, size: number): number {
  if (buffer.length - from <= size) return buffer.length;
  const last = buffer.lastIndexOf(LINE_FEED, from + size - 1);
  const lineFeed = last >= from ? last : buffer.indexOf(LINE_FEED, from + size);
  return lineFeed === -1 ? buffer.length : lineFeed + 1;
}

/** True when a row goes on after a line break, as only a quoted field may. */
export function spansLines({ fields }: CsvRow): boolean {
  return fields.some((field) => field.includes('\n'));
}

/** True when as many delimiters as a row has stand inside quoted fields: a stray quote has joined rows. */
export function joinsRows(row: CsvRow, width: number, { delimiter }: CsvFormat): boolean {
  if (!spansLines(row)) return false;
  return row.fields.reduce((sum, field) => sum + field.split(delimiter).length - 1, 0) >= width - 1;
}

function parseBlock(block: Buffer, format: CsvFormat): { rows: string[][]; isClosed: boolean } {
  const options = {
    delimiter: format.delimiter,
    quote: format.quote,
    escape: format.quote,
    encoding: nodeEncoding(format),
    record_delimiter: ['\r\n', '\n'],
    relax_column_count: true,
    relax_quotes: true,
  };
  try {
    return { rows: parse(block, options), isClosed: true };
  } catch (error) {
    if (!(error instanceof CsvError) || error.code !== 'CSV_QUOTE_NOT_CLOSED') throw error;
    const closed = Buffer.concat([block, Buffer.from(format.quote, nodeEncoding(format))]);
    return { rows: parse(closed, options), isClosed: false };
  }
}

function countLineFeeds(fields: readonly string[]): number {
  let count = 0;
  for (const field of fields) {
    for (let at = field.indexOf('\n'); at !== -1; at = field.indexOf('\n', at + 1)) count++;
  }
  return count;
}

/**
 * Finds the bytes of one field's value in a row, without the quotes around it. Reads quotes as csv-parse does.
 *
 * @param row the row's bytes as `latin1` text, so that an index is an offset
 */
export function fieldSpan(
  row: string,
  index: number,
  format: CsvFormat,
): { readonly start: number; readonly end: number } | undefined {
  const delimiter = rawText(format.delimiter, format);
  const quote = rawText(format.quote, format);
  const boundary = new RegExp(`${delimiter.replace(/./gs, hexadecimal)}|\\r?\\n`, 'g');
  const plainEnd = (from: number) => {
    boundary.lastIndex = from;
    return boundary.exec(row)?.index ?? row.length;
  };
  const fieldEnd = (from: number) => {
    if (!row.startsWith(quote, from)) return plainEnd(from);
    let at = row.indexOf(quote, from + quote.length);
    while (at !== -1 && row.startsWith(quote, at + quote.length))
      at = row.indexOf(quote, at + 2 * quote.length);
    return at === -1 ? row.length : plainEnd(at + quote.length);
  };

  let start = 0;
  for (let field = 0; start <= row.length; field++) {
    const end = fieldEnd(start);
    if (field === index) {
      const value = row.slice(start, end);
      const isQuoted = value.length > quote.length && value.startsWith(quote) && value.endsWith(quote);
      return isQuoted ? { start: start + quote.length, end: end - quote.length } : { start, end };
    }
    if (!row.startsWith(delimiter, end)) return undefined;
    start = end + delimiter.length;
  }
  return undefined;
}

// Bytes of the one-byte encodings pass through csv-parse as latin1, and fields are decoded one by one.
function nodeEncoding(format: CsvFormat): 'utf8' | 'latin1' {
  return format.encoding === 'utf-8' ? 'utf8' : 'latin1';
}

function rawText(text: string, format: CsvFormat): string {
  return Buffer.from(text, nodeEncoding(format)).toString('latin1');
}

function hexadecimal(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

function decoderOf({ encoding }: CsvFormat): (field: string) => string {
  if (encoding === 'utf-8') return (field) => field;
  return (field) => (/[\x80-\xff]/.test(field) ? decodeText(Buffer.from(field, 'latin1'), encoding) : field);
}
