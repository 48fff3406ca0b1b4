import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fieldSpan, readCsvRows, type CsvRow } from '../../src/domain/csv-rows.ts';
import { encodeText, ENCODINGS, type CsvFormat } from '../../src/domain/text-file.ts';
import { csvRow } from './samples.ts';

const FORMAT: CsvFormat = { encoding: 'utf-8', delimiter: ';', quote: '"', decimalMark: '.' };
const rowsOf = (bytes: Uint8Array, format = FORMAT) => {
  const rows: CsvRow[] = [];
  return { end: readCsvRows(bytes, format, (row) => rows.push(row)), rows };
};

const formats = fc.record({
  encoding: fc.constantFrom(...ENCODINGS),
  delimiter: fc.constantFrom(';', ',', '\t', '|', '§'),
  quote: fc.constantFrom('"', "'"),
  decimalMark: fc.constant('.' as const),
});
const cell = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    'a',
    '"',
    "'",
    ';',
    ',',
    '\t',
    '|',
    '§',
    '\n',
    '\r\n',
    'é',
    '""',
    '12" b',
    'a\nb',
    ';;',
  ),
  fc.string({ maxLength: 6 }),
);

describe('Rows', () => {
  test('are given with their lines and offsets', () => {
    const { rows, end } = rowsOf(Buffer.from('\uFEFFa;b\r\n"c\r\nd";e\n\nf;g'));
    expect(rows).toEqual([
      { fields: ['a', 'b'], line: 1, start: 3 },
      { fields: ['c\r\nd', 'e'], line: 2, start: 8 },
      { fields: ['f', 'g'], line: 5, start: 18 },
    ]);
    expect(end).toEqual({ lineBreak: false, unclosed: null, tooLong: null });
  });

  test('keep quotes that stand inside a field', () => {
    expect(rowsOf(Buffer.from('boots 12" high;"x" y;z"\n')).rows[0]?.fields).toEqual([
      'boots 12" high',
      '"x" y',
      'z"',
    ]);
  });

  test('are found when a quoted field is longer than a block', () => {
    const long = 'x\n'.repeat(200_000);
    const { rows } = rowsOf(Buffer.from(`a;b\n"${long}";c\nd;e\n`));
    expect(rows.map(({ line, fields }) => [line, fields[1]])).toEqual([
      [1, 'b'],
      [2, 'c'],
      [200_003, 'e'],
    ]);
  });

  test('of more than 1 MB are not read, nor what follows; those before are', () => {
    const long = 'x'.repeat(1_100_000);
    for (const row of [`${long};b`, `"${'x\n'.repeat(550_000)}";b`, `"${'x\n'.repeat(5_000_000)}`]) {
      const { rows, end } = rowsOf(Buffer.from(`a;b\nc;d\n${row}\ne;f\n`));
      expect(rows.map(({ fields }) => fields.join(';'))).toEqual(['a;b', 'c;d']);
      expect(end).toEqual({ lineBreak: false, unclosed: null, tooLong: 3 });
    }
    expect(rowsOf(Buffer.from(`a;"${'x\n'.repeat(500_000)}"\n`)).rows).toHaveLength(1);
  });

  test('before a quote that is never closed are given, and what follows it apart', () => {
    const { rows, end } = rowsOf(Buffer.from('a;b\nc;"d;\ne'));
    expect(rows.map(({ fields }) => fields)).toEqual([['a', 'b']]);
    expect(end).toEqual({
      lineBreak: false,
      unclosed: { fields: ['c', 'd;\ne'], line: 2, start: 4 },
      tooLong: null,
    });
  });

  test('come back as they were written, whatever the format, and their bytes where they say', () => {
    fc.assert(
      fc.property(
        formats,
        fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { maxLength: 20 }),
        fc.constantFrom('\n', '\r\n'),
        (format, cells, lineBreak) => {
          const texts = cells.map((row) => csvRow(row, format) + lineBreak);
          const bytes = encodeText(texts.join(''), format.encoding);
          const { rows } = rowsOf(bytes, format);
          const representable = (text: string) =>
            rowsOf(encodeText(csvRow([text, ''], format), format.encoding), format).rows[0]?.fields[0];
          expect(rows.map(({ fields }) => fields)).toEqual(cells.map((row) => row.map(representable)));
          expect(rows.map(({ start }) => start)).toEqual(
            texts.map((_, index) => encodeText(texts.slice(0, index).join(''), format.encoding).length),
          );
        },
      ),
    );
  });
});

describe('The span of a field', () => {
  test('is what must be written over to change that field, and no other', () => {
    const piece = fc.oneof(
      fc.constantFrom('"', '""', ';', 'a', 'é', ' ', '";', ';"', '"\r\n'),
      fc.string({ maxLength: 3 }),
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 12 }),
        fc.constantFrom('', '\n', '\r\n'),
        (pieces, lineBreak) => {
          const bytes = Buffer.from(`k;${pieces.join('')}${lineBreak}`);
          const { rows, end } = rowsOf(bytes);
          fc.pre(end.unclosed === null && rows.length === 1);
          const fields = rows[0]?.fields ?? [];
          const row = bytes.toString('latin1');
          for (const index of fields.keys()) {
            const { start = 0, end = 0 } = fieldSpan(row, index, FORMAT) ?? {};
            const changed = Buffer.concat([bytes.subarray(0, start), Buffer.from('7'), bytes.subarray(end)]);
            expect(rowsOf(changed).rows.map((row) => row.fields)).toEqual([fields.with(index, '7')]);
          }
          expect(fieldSpan(row, fields.length, FORMAT)).toBeUndefined();
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
