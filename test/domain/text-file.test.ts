import { describe, expect, test } from 'vitest';
import { encodingFault, inBlocks } from '../../src/domain/text-file.ts';

describe('Bytes of another encoding are told, with their line', () => {
  const bytes = (text: string, encoding: BufferEncoding = 'utf8') => Buffer.from(text, encoding);

  test.each([
    ['windows-1252', bytes('\uFEFFa'), 1, 'utf-8 (its byte order mark)'],
    [
      'windows-1252',
      Buffer.concat([bytes('\uFEFF'), bytes('é', 'latin1')]),
      1,
      'utf-8 (its byte order mark)',
    ],
    ['iso-8859-1', bytes('a\r\nb\né'), 3, 'utf-8 (its accented letters)'],
    ['utf-8', bytes('a\né\n', 'latin1'), 2, 'bytes that are not UTF-8'],
    ['utf-8', bytes('é\né\n', 'latin1'), 1, 'bytes that are not UTF-8'],
    ['utf-8', bytes('\uFEFFa', 'utf16le'), 1, 'UTF-16 (its byte order mark)'],
  ] as const)('%s', (encoding, text, line, got) => {
    expect(encodingFault(text, encoding)).toEqual({ line, expected: `${encoding} text`, got });
  });

  test.each([
    ['utf-8', bytes('\uFEFFé')],
    ['utf-8', bytes('é').subarray(0, 1)],
    ['windows-1252', bytes('é', 'latin1')],
    ['iso-8859-15', bytes('a')],
  ] as const)('and not what is well in %s', (encoding, text) => {
    expect(encodingFault(text, encoding)).toBeNull();
  });

  test('across the blocks in which a large file is looked through', () => {
    const text = `${'x'.repeat(65_535)}é\n`;
    expect(encodingFault(bytes(text), 'utf-8')).toBeNull();
    expect(
      encodingFault(Buffer.concat([bytes(text), bytes('é', 'latin1'), bytes('\n')]), 'utf-8')?.line,
    ).toBe(2);
  });
});

test('Small pieces are joined in blocks, large ones pass as they are', () => {
  const large = new Uint8Array(100_000);
  const blocks = [...inBlocks([Buffer.from('a'), Buffer.from('b'), large, large, Buffer.from('c')])];
  expect(blocks.map(({ length }) => length)).toEqual([100_002, 100_000, 1]);
  expect(blocks[1]).toBe(large);
});
