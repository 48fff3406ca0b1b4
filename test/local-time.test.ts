import { describe, expect, it } from 'vitest';
import { clocksSetBack, isWholeHoursFromUtc, localTime } from '../src/local-time.ts';

const HOUR = 3_600_000;
const at = (time: string) => new Date(time);

describe('the shop’s clocks', () => {
  it('are told in its own time', () => {
    expect(localTime(at('2026-07-24T08:25:03Z'), 'Europe/Paris')).toBe('2026-07-24 10:25:03');
  });

  it.each([
    ['autumn', '2026-10-25T00:42:00Z', '2026-10-25T01:12:00Z', HOUR],
    ['spring', '2026-03-29T00:42:00Z', '2026-03-29T01:12:00Z', 0],
    ['an ordinary half hour', '2026-11-24T09:42:00Z', '2026-11-24T10:12:00Z', 0],
    ['a second half hour after autumn’s change', '2026-10-25T01:12:00Z', '2026-10-25T01:42:00Z', 0],
  ])('are set back by what they are: %s', (_when, from, to, expected) => {
    expect(clocksSetBack(at(from), at(to), 'Europe/Paris')).toBe(expected);
  });

  it('have the minutes of UTC in most of the world', () => {
    expect(isWholeHoursFromUtc('Europe/Paris')).toBe(true);
    expect(isWholeHoursFromUtc('Asia/Kathmandu')).toBe(false);
    expect(isWholeHoursFromUtc('Australia/Lord_Howe')).toBe(false);
  });
});
