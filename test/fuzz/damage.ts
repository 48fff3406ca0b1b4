import * as fc from 'fast-check';
import { expect } from 'vitest';

/** Cases of each property. fast-check draws a new seed each time and, on a failure, prints the one that repeats it. */
export const RUNS = { numRuns: 10_000 } as const;
/** Milliseconds for one property, on a machine that is busy with others. */
export const PATIENCE = 300_000;

/** Pieces that break one format or another. */
export const NASTY = [
  '"',
  '""',
  ';',
  ',',
  '\t',
  '\n',
  '\r\n',
  '\r',
  '\0',
  '\u0007',
  '\u0085',
  '\u2028',
  '\uFEFF',
  '\uFFFD',
  '\uFFFE',
  ']]>',
  '<!--',
  '&',
  '&#1;',
  '<',
  '{{',
  '}}',
  '{% raw %}',
  '${FTP_PASSWORD}',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  '-3',
  '0',
  '-0',
  '1e9',
  'NaN',
  'Infinity',
  '0x10',
  '1.5',
  '1,5',
  '１２',
  '٣',
  '9'.repeat(40),
  ' 2 ',
  '+1',
  'x'.repeat(3_000),
  '1,'.repeat(500),
  '../../etc/passwd',
] as const;

/** What happens to a file on its way: at which of its bytes, and what. */
export const damage = fc.record({
  kind: fc.constantFrom('cut', 'flip', 'insert', 'nasty', 'remove', 'repeat', 'recode', 'breaks'),
  at: fc.nat(1_000_000),
  length: fc.integer({ min: 1, max: 200 }),
  byte: fc.nat(255),
  piece: fc.constantFrom(...NASTY),
});
export type Damage = typeof damage extends fc.Arbitrary<infer T> ? T : never;

/** Does one damage after the other. */
export function damaged(bytes: Buffer, damages: readonly Damage[]): Buffer {
  return damages.reduce(damagedOnce, bytes);
}

function damagedOnce(bytes: Buffer, { kind, at, length, byte, piece }: Damage): Buffer {
  const start = bytes.length === 0 ? 0 : at % bytes.length;
  const [before, hit, after] = [
    bytes.subarray(0, start),
    bytes.subarray(start, start + length),
    bytes.subarray(start + length),
  ];
  switch (kind) {
    case 'cut':
      return before;
    case 'flip':
      return Buffer.concat([before, Buffer.from([byte]), bytes.subarray(start + 1)]);
    case 'insert':
      return Buffer.concat([before, Buffer.from([byte]), bytes.subarray(start)]);
    case 'nasty':
      return Buffer.concat([before, Buffer.from(piece), bytes.subarray(start)]);
    case 'remove':
      return Buffer.concat([before, after]);
    case 'repeat':
      return Buffer.concat([before, hit, hit, after]);
    case 'recode':
      return Buffer.from(bytes.toString('latin1'), byte % 2 === 0 ? 'utf8' : 'utf16le');
    case 'breaks':
      return Buffer.from(bytes.toString('latin1').replaceAll('\r\n', byte % 2 === 0 ? '\r' : '\n'), 'latin1');
  }
}

/** Bytes that are no file at all, and pieces of one in any order. */
export const rawBytes = (example: Buffer): fc.Arbitrary<Buffer> =>
  fc
    .array(
      fc.oneof(
        fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
        fc.constantFrom(...NASTY).map((piece) => Buffer.from(piece)),
        fc
          .tuple(fc.nat(example.length), fc.nat(120))
          .map(([start, length]) => example.subarray(start, start + length)),
      ),
      { maxLength: 25 },
    )
    .map((pieces) => Buffer.concat(pieces));

/** What a call gives, or the error that it throws. */
export function outcome<T>(call: () => T): { readonly result?: T; readonly error?: unknown } {
  try {
    return { result: call() };
  } catch (error) {
    return { error };
  }
}

export function lineCount(bytes: Uint8Array): number {
  return Buffer.from(bytes).toString('latin1').split('\n').length;
}

const CLEAN = Object.getOwnPropertyNames(Object.prototype).sort();

/** Nothing was written where every object would have it. */
export function expectNoPollution(): void {
  expect(Object.getOwnPropertyNames(Object.prototype).sort()).toEqual(CLEAN);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
}
