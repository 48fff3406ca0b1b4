import { readCsvRows, type CsvRow } from '../domain/csv-rows.ts';
import { decodeText, encodingFault, markLength, type CsvFormat, type Encoding } from '../domain/text-file.ts';

/** How a delimited file is written, as far as its first rows show it. */
export interface SeenFile {
  readonly encoding: Encoding | 'utf-16';
  /** Of the first byte that cannot be text of the encoding; null when all can. */
  readonly badLine: number | null;
  readonly byteOrderMark: boolean;
  /** Null when the first row has one column only. */
  readonly delimiter: string | null;
  readonly quote: string;
  /** Null when no row shows an amount. */
  readonly decimalMark: '.' | ',' | null;
  readonly lineBreak: 'CRLF' | 'LF' | null;
  readonly endsWithLineBreak: boolean;
  readonly header: { readonly line: number; readonly titles: readonly string[] } | null;
  /** Why there is no header. */
  readonly problem: 'empty' | 'no header' | 'long row' | null;
}

/** A look at a file: what is seen, and the rows below the header that were looked at. */
export interface Look {
  readonly seen: SeenFile;
  readonly rows: readonly CsvRow[];
}

/** Bytes. Enough rows to know a file by. */
const LOOKED_AT = 262_144;
const DELIMITERS = [';', ',', '\t', '|'];
const QUOTES = ['"', "'"];
const LINE_FEED = 0x0a;
/** What stands in a row and never in a header: numbers of several digits, amounts, dates, addresses of e-mail. */
const VALUE = /^(?:\d{4,}|-?\d+[.,]\d+|\d{1,4}[-/]\d\d[-/]\d{1,4}.*|\S+@\S+\.\S+)$/;
const AMOUNT = /^-?\d+([.,])\d{2,6}$/;

/** Finds out how a file is written, from its bytes alone. */
export function lookAt(bytes: Uint8Array): Look {
  const encoding = encodingOf(bytes);
  const head = wholeLines(bytes);
  const tries = QUOTES.flatMap((quote) =>
    DELIMITERS.map((delimiter) =>
      readAs(head, {
        encoding: encoding === 'utf-16' ? 'utf-8' : encoding,
        delimiter,
        quote,
        decimalMark: '.',
      }),
    ),
  );
  const best = tries.reduce((best, next) => (next.score > best.score ? next : best));
  const [first, ...others] = best.rows;
  const titles = first?.fields.map((title) => title.trim()) ?? [];
  const isHeader = titles.some((title) => title !== '') && !titles.some(isValue);
  const rows = isHeader ? others : best.rows;
  const isLong = bytes.length > 0 && head.length === 0;
  return {
    seen: {
      encoding,
      badLine: encoding === 'utf-8' ? (encodingFault(bytes, encoding)?.line ?? null) : null,
      byteOrderMark: markLength(bytes) > 0,
      delimiter: titles.length > 1 ? best.format.delimiter : null,
      quote: best.format.quote,
      decimalMark: decimalMarkOf(rows),
      lineBreak: lineBreakOf(head),
      endsWithLineBreak: bytes.at(-1) === LINE_FEED,
      header: isHeader && first !== undefined ? { line: first.line, titles } : null,
      problem: isLong ? 'long row' : first === undefined ? 'empty' : isHeader ? null : 'no header',
    },
    rows: rows.filter(({ fields }) => fields.length === titles.length),
  };
}

/** What the file would be read with; what it does not show is as passerelle has it without settings. */
export function formatOf({ encoding, delimiter, quote, decimalMark }: SeenFile): CsvFormat {
  return {
    encoding: encoding === 'utf-16' ? 'utf-8' : encoding,
    delimiter: delimiter ?? ';',
    quote,
    decimalMark: decimalMark ?? '.',
  };
}

function readAs(head: Uint8Array, format: CsvFormat) {
  const rows: CsvRow[] = [];
  readCsvRows(head, format, (row) => rows.push(row));
  const width = rows[0]?.fields.length ?? 0;
  const regular = rows.filter(({ fields }) => fields.length === width).length;
  const cells = rows.flatMap(({ fields }) => fields);
  const bare = cells.filter((cell) => !/^(["'])[^]*\1$/.test(cell)).length;
  // The more columns in the more rows the better; then, the fewer quotes that are left around values.
  const score = rows.length === 0 ? 0 : (width * regular) / rows.length + bare / (cells.length + 1);
  return { format, rows, score };
}

function encodingOf(bytes: Uint8Array): SeenFile['encoding'] {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return 'utf-16';
  if (encodingFault(bytes, 'utf-8') === null || isMostlyUtf8(bytes)) return 'utf-8';
  const text = decodeText(bytes.subarray(0, LOOKED_AT), 'iso-8859-1');
  if (/[\x80-\x9f]/.test(text)) return 'windows-1252';
  // The euro and the œ of ISO 8859-15; a currency sign and a half elsewhere, which nobody writes inside a word.
  return /\xa4|[A-Za-z]\xbd|\xbd[a-z]/.test(text) ? 'iso-8859-15' : 'windows-1252';
}

/** True for a damaged file: accented text of another encoding is hardly ever valid UTF-8. */
function isMostlyUtf8(bytes: Uint8Array): boolean {
  const text = decodeText(bytes, 'utf-8');
  const countOf = (pattern: RegExp) => text.match(pattern)?.length ?? 0;
  return countOf(/[^\0-\x7f\ufffd]/gu) > countOf(/\ufffd/gu);
}

/** The beginning of the file, without a row that is cut; nothing when not even the first row ends there. */
function wholeLines(bytes: Uint8Array): Uint8Array {
  if (bytes.length <= LOOKED_AT) return bytes;
  const head = bytes.subarray(0, LOOKED_AT);
  return head.subarray(0, head.lastIndexOf(LINE_FEED) + 1);
}

function lineBreakOf(head: Uint8Array): SeenFile['lineBreak'] {
  const at = head.indexOf(LINE_FEED);
  if (at === -1) return null;
  return head[at - 1] === 0x0d ? 'CRLF' : 'LF';
}

function decimalMarkOf(rows: readonly CsvRow[]): SeenFile['decimalMark'] {
  const marks = rows.flatMap(({ fields }) => fields.flatMap((field) => AMOUNT.exec(field.trim())?.[1] ?? []));
  if (marks.length === 0) return null;
  return marks.filter((mark) => mark === ',').length * 2 > marks.length ? ',' : '.';
}

// A longer text is no title, and no value that tells anything.
function isValue(text: string): boolean {
  return text.length < 200 && VALUE.test(text);
}
