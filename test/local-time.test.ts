import { describe, expect, it } from 'vitest';
import { clocksSetBack, isDay, isWholeHoursFromUtc, localTime, startOfDay } from '../src/local-time.ts';

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

  it.each([
    ['Europe/Paris', '2026-11-24', '2026-11-23T23:00:00Z'],
    ['Europe/Paris', '2026-07-24', '2026-07-23T22:00:00Z'],
    // The clocks change at 03:00.
    ['Europe/Paris', '2026-10-25', '2026-10-24T22:00:00Z'],
    ['Europe/Paris', '2026-10-26', '2026-10-25T23:00:00Z'],
    ['Europe/Paris', '2026-03-29', '2026-03-28T23:00:00Z'],
    ['Europe/Paris', '2026-03-30', '2026-03-29T22:00:00Z'],
    // There is no midnight: the day begins at 01:00. There are two: with the first.
    ['America/Santiago', '2025-09-07', '2025-09-07T04:00:00Z'],
    ['America/Havana', '2025-11-02', '2025-11-02T04:00:00Z'],
    ['Asia/Kathmandu', '2026-11-24', '2026-11-23T18:15:00Z'],
    ['Pacific/Kiritimati', '2026-11-24', '2026-11-23T10:00:00Z'],
  ])('begin a day in %s, %s', (timeZone, day, expected) => {
    const start = startOfDay(day, timeZone);
    expect(start).toEqual(at(expected));
    expect(localTime(start, timeZone).slice(0, 10)).toBe(day);
    expect(localTime(new Date(start.getTime() - 1_000), timeZone) < day).toBe(true);
  });

  it('know the days that there are', () => {
    expect(['2026-11-24', '2028-02-29'].map(isDay)).toEqual([true, true]);
    const wrong = ['2026-02-29', '2026-13-01', '24/11/2026', '2026-11-24T10:00', '2026-1-2', 'hier', ''];
    expect(wrong.map(isDay)).toEqual(wrong.map(() => false));
  });

  it('have the minutes of UTC in most of the world', () => {
    expect(isWholeHoursFromUtc('Europe/Paris')).toBe(true);
    expect(isWholeHoursFromUtc('Asia/Kathmandu')).toBe(false);
    expect(isWholeHoursFromUtc('Australia/Lord_Howe')).toBe(false);
  });
});
