import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConfigError, loadConfig, type Config } from '../../src/config.ts';
import {
  damage,
  damaged,
  expectNoPollution,
  lineCount,
  NASTY,
  outcome,
  PATIENCE,
  rawBytes,
  RUNS,
} from './damage.ts';

const SECRETS = ['hunter2-hunter2', 'abcdef123456', 'from-a-secrets-file'];
const ENVIRONMENT = {
  FTP_PASSWORD: SECRETS[0],
  SHOP_EXPORT_ORDERS_URL: `https://shop.example.org/export.php?secure_key=${SECRETS[1]}`,
  SHOP_IMPORT_PRODUCTS_URL: `https://shop.example.org/import.php?secure_key=${SECRETS[1]}`,
  SHOP_UPDATE_STOCK_URL: `https://shop.example.org/import.php?settings=2&secure_key=${SECRETS[1]}`,
};
const NAMES = '  salesPrefix: ventes\n  exportName: ExportCSV\n';
/** The example without its comments: ten thousand of them are parsed. */
const EXAMPLE = readFileSync(join(import.meta.dirname, '..', '..', 'passerelle.example.yaml'), 'utf8')
  .split('\n')
  .map((line) => line.replace(/\s*#.*$/, ''))
  .filter((line) => line.trim() !== '')
  .map((line) => (line === 'proshop:' ? `${line}\n${NAMES}` : `${line}\n`));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'passerelle-yaml-'));
  writeFileSync(join(folder, 'secret'), `${SECRETS[2]}\n`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterAll(expectNoPollution);

const load = (bytes: string | Uint8Array) => {
  const path = join(folder, 'passerelle.yaml');
  writeFileSync(path, bytes);
  return outcome(() => loadConfig(path, ENVIRONMENT));
};

const value = fc.oneof(
  fc.constantFrom(
    '${FTP_PASSWORD}',
    '${file:./secret}',
    '${file:../../../../etc/passwd}',
    '${file:.}',
    '"${file:\\0}"',
    '${NONE}',
    '${FTP_PASSWORD}x',
    '${${FTP_PASSWORD}}',
    '${__proto__}',
    '${constructor}',
  ),
  fc.constantFrom(
    '&a [*a]',
    '&a {b: *a}',
    '*a',
    '*none',
    '!!js/function "x"',
    '!!binary aGVsbG8=',
    '!!set {a, b}',
    '!!omap [a: b]',
    '!own x',
    '|\n    x\n',
    '{__proto__: {polluted: 1}}',
    '{"__proto__": {"polluted": 1}, constructor: {prototype: {polluted: 1}}}',
    '<<',
    '{<<: {port: 22}}',
    '[]',
    '{}',
    '~',
    '.nan',
    '.inf',
    '1e999',
    '0x15',
    '-1',
    'true',
    '"\\uD800"',
    '"\\r\\nDELE x"',
    '".."',
    '"../../x"',
    '"a\\\\b"',
    '/a/../b',
    '1s',
    '9999999999999h',
  ),
  fc.constantFrom(...NASTY).map((piece) => JSON.stringify(piece)),
  fc.constantFrom(...NASTY),
);
const extra = fc.constantFrom(
  '__proto__:\n  polluted: 1\n',
  'constructor: {prototype: {polluted: 1}}\n',
  '<<: {data: ./x}\n',
  '? [a, b]\n: c\n',
  '? {a: b}\n: c\n',
  '${FTP_PASSWORD}: 1\n',
  ': x\n',
  '--- x\n',
  '%YAML 1.1\n---\n',
  'x: &x y\n*x : z\n',
  `deep: ${'['.repeat(200)}${']'.repeat(200)}\n`,
  'b0: &b0 [a]\nb1: &b1 [*b0,*b0,*b0,*b0,*b0,*b0]\nb2: &b2 [*b1,*b1,*b1,*b1,*b1,*b1]\nb3: [*b2,*b2,*b2,*b2,*b2]\n',
);
const PATHS = ['name: ', 'folder: ', 'importFolder: ', NAMES];
const ELSEWHERE = [
  '..',
  '.',
  '../x',
  '/a/../..',
  '"\\0"',
  '"/a\\r\\nDELE x"',
  '"/a\\\\..\\\\b"',
  '"a\\nb"',
  'a-*-*',
];
const withPath = (line: string, at: number) =>
  line.replace(/: .*\n/, () => `: ${ELSEWHERE[Math.floor(at / 4) % ELSEWHERE.length]}\n`);
/** The example with some lines given other values, left out, doubled, or put elsewhere. */
const edited = fc
  .array(
    fc.tuple(fc.constantFrom('value', 'path', 'remove', 'repeat', 'extra'), fc.nat(1_000), value, extra),
    {
      maxLength: 4,
    },
  )
  .map((edits) =>
    edits.reduce((lines: readonly string[], [kind, at, value, extra]) => {
      const index = at % lines.length;
      const line = lines[index] ?? '';
      if (kind === 'value')
        return lines.with(
          index,
          line.replace(/:.*\n$/, () => `: ${value}\n`),
        );
      if (kind === 'path')
        return lines.map((line) => (line.includes(PATHS[at % 4] ?? '') ? withPath(line, at) : line));
      if (kind === 'remove') return lines.toSpliced(index, 1);
      return lines.toSpliced(index, 0, kind === 'repeat' ? line : extra);
    }, EXAMPLE),
  )
  .map((lines) => Buffer.from(lines.join('')));

describe('passerelle.yaml', () => {
  test(
    'that is damaged is a configuration, or every fault is told with its line and no secret',
    () => {
      fc.assert(
        fc.property(edited, fc.array(damage, { maxLength: 1 }), (yaml, damages) => {
          const bytes = damaged(yaml, damages);
          const end = load(bytes);
          expect(end.result === undefined).toBe(end.error instanceof ConfigError);
          expectTold(end, bytes);
        }),
        RUNS,
      );
    },
    PATIENCE,
  );

  test(
    'that is none is told likewise',
    () => {
      fc.assert(
        fc.property(rawBytes(Buffer.from(EXAMPLE.join(''))), (bytes) => {
          const end = load(bytes);
          expect(end.result === undefined).toBe(end.error instanceof ConfigError);
          expectTold(end, bytes);
        }),
        RUNS,
      );
    },
    PATIENCE,
  );

  test.each([
    [
      'laughs',
      Array.from(
        { length: 9 },
        (_, level) =>
          `a${level}: &a${level} [${
            level === 0
              ? 'lol'
              : Array(9)
                  .fill(`*a${level - 1}`)
                  .join(', ')
          }]`,
      ).join('\n'),
      'Expected at most 100 aliases, got more',
    ],
    ['bites its tail', 'x: &a [*a]', 'inside one another, got more'],
    ['bites its tail as a section', 'x: &a {b: *a}', 'inside one another, got more'],
    ['is deep', `x: ${'['.repeat(50)}${']'.repeat(50)}`, 'inside one another, got more'],
    ['is too deep to be parsed', `x: ${'['.repeat(20_000)}`, 'Expected valid YAML'],
    ['has aliases only', `x: &k y\nz:\n${'- *k\n'.repeat(9_000)}`, 'Expected at most 100 aliases, got more'],
    [
      'has one key a line',
      Array.from({ length: 3_000 }, (_, key) => `k${key}: 1`).join('\n'),
      'k0: Expected a known setting',
    ],
    ['is large', `x: ${'y'.repeat(200_000)}`, 'Expected a file of at most 100000 bytes, got'],
  ])('that %s is refused soon', (_, text, message) => {
    const started = process.cpuUsage();
    const { error } = load(`${EXAMPLE.join('')}${text}\n`);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).message).toContain(message);
    expect(process.cpuUsage(started).user / 1e6).toBeLessThan(10);
  });
});

function expectTold({ result, error }: ReturnType<typeof load>, bytes: Uint8Array): void {
  if (result) return expectWithin(result);
  const { message, faults } = error as ConfigError;
  for (const secret of [...SECRETS, 'root:x:0']) expect(message).not.toContain(secret);
  expect(faults.length).toBeGreaterThan(0);
  for (const fault of faults) {
    const line = Number(/^line (\d+): /.exec(fault)?.[1]);
    expect(line).toBeGreaterThanOrEqual(1);
    expect(line).toBeLessThanOrEqual(lineCount(bytes));
  }
}

/** No name leads out of its folder, and no setting is more than one line of an FTP command. */
function expectWithin({ ftp, orders, proshop, stock }: Config): void {
  for (const folder of [ftp.staging, orders.folder ?? '/', proshop.importFolder, proshop.exportFolder]) {
    expect(folder).toMatch(/^\/[^\\\p{Cc}]*$/u);
    expect(folder.split('/')).not.toContain('..');
  }
  for (const name of [orders.name ?? 'none', proshop.salesPrefix, proshop.exportName, stock.updateName]) {
    expect(name).toMatch(/^[^/\\\p{Cc}]+$/u);
    expect(['.', '..']).not.toContain(name);
  }
  expect(orders.file.delimiter).not.toBe(orders.file.quote);
}
