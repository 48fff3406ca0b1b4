import { describe, expect, test } from 'vitest';
import { judge, type GateInputs, type GateLimits } from '../../src/domain/gate.ts';

const LIMITS: GateLimits = { firstRun: 'hold', rowsDown: 30, unitsDown: 30, toZero: 20 };
const APPLIED = { rows: 1_000, units: 5_000, inStock: 800, exportedAt: '2026-11-24T09:10:00.000Z' };
const INPUTS: GateInputs = {
  doubts: [],
  rows: 1_000,
  units: 5_000,
  difference: { toZero: 0 },
  exportedAt: '2026-11-24T09:40:00.000Z',
  applied: APPLIED,
};

test('An update like the last one passes', () => {
  expect(judge(INPUTS, LIMITS)).toEqual({ passed: true, reasons: [] });
});

describe('A limit itself passes, and one more does not', () => {
  test.each([
    [
      'rowsDown',
      { rows: 700 },
      { rows: 699 },
      'Expected rows to go down by 30 % at most, got 699 after 1000 (setting gate.rowsDown)',
    ],
    [
      'unitsDown',
      { units: 3_500 },
      { units: 3_499 },
      'Expected units to go down by 30 % at most, got 3499 after 5000 (setting gate.unitsDown)',
    ],
    [
      'toZero',
      { difference: { toZero: 160 } },
      { difference: { toZero: 161 } },
      'Expected 20 % of the variants in stock to go to 0 at most, got 161 of 800 (setting gate.toZero)',
    ],
    [
      'older',
      { exportedAt: APPLIED.exportedAt },
      { exportedAt: '2026-11-24T09:09:59.999Z' },
      'Expected a file not older than the one applied last (2026-11-24T09:10:00.000Z), got 2026-11-24T09:09:59.999Z',
    ],
  ] as const)('%s', (rule, passing, failing, message) => {
    expect(judge({ ...INPUTS, ...passing }, LIMITS).passed).toBe(true);
    expect(judge({ ...INPUTS, ...failing }, LIMITS)).toEqual({ passed: false, reasons: [{ rule, message }] });
  });

  test('with decimals, which floats would miss', () => {
    const applied = { ...APPLIED, rows: 1_000_000 };
    const limits = { ...LIMITS, rowsDown: 0.1 };
    expect(judge({ ...INPUTS, applied, rows: 999_000 }, limits).passed).toBe(true);
    expect(judge({ ...INPUTS, applied, rows: 998_999 }, limits).passed).toBe(false);
    expect(
      judge({ ...INPUTS, applied: { ...APPLIED, rows: 3 }, rows: 2 }, { ...LIMITS, rowsDown: 33.3 }).passed,
    ).toBe(false);
  });

  test.each([
    ['nothing may go down', 0, 999, false],
    ['anything may go down', 100, 0, true],
  ])('%s at %i %%', (_, rowsDown, rows, passed) => {
    expect(judge({ ...INPUTS, rows }, { ...LIMITS, rowsDown }).passed).toBe(passed);
  });
});

test('More than before is never held', () => {
  expect(
    judge({ ...INPUTS, rows: 9_000, units: 90_000 }, { ...LIMITS, rowsDown: 0, unitsDown: 0 }).passed,
  ).toBe(true);
});

test('An empty shop has nothing that could go down', () => {
  const applied = { rows: 0, units: 0, inStock: 0, exportedAt: null };
  expect(judge({ ...INPUTS, rows: 0, units: 0, applied }, LIMITS).passed).toBe(true);
});

test('A time that the server does not tell is not compared', () => {
  expect(judge({ ...INPUTS, exportedAt: null }, LIMITS).passed).toBe(true);
  expect(judge({ ...INPUTS, applied: { ...APPLIED, exportedAt: null } }, LIMITS).passed).toBe(true);
});

test('A first run is held unless the configuration lets it through', () => {
  expect(judge({ ...INPUTS, applied: null }, LIMITS)).toEqual({
    passed: false,
    reasons: [
      {
        rule: 'firstRun',
        message: 'Expected a stock applied before to compare with, got a first run (setting gate.firstRun)',
      },
    ],
  });
  expect(judge({ ...INPUTS, applied: null }, { ...LIMITS, firstRun: 'apply' }).passed).toBe(true);
});

test('Every reason is given, the doubts first', () => {
  const doubts = [
    { rule: 'cut', message: 'Expected a line break after the last row, got the end of the file' },
  ] as const;
  const { passed, reasons } = judge(
    { ...INPUTS, doubts, rows: 1, units: 1, difference: { toZero: 799 } },
    LIMITS,
  );
  expect(passed).toBe(false);
  expect(reasons.map(({ rule }) => rule)).toEqual(['cut', 'rowsDown', 'unitsDown', 'toZero']);
});
