import { describe, expect, it } from 'vitest';
import { comparableTime } from '../../src/activities/comparable-time.ts';

// In Paris the clocks go from 3 back to 2 at 01:00 UTC. The FTP server shows local times.

const at = (time: string) => new Date(`2026-10-25T${time}Z`);
const collected = (modified: string, real: string) => ({ modifiedAt: at(modified), collectedAt: at(real) });
const compared = (
  begunAfter: string | null,
  last: ReturnType<typeof collected>,
  now: ReturnType<typeof collected>,
) =>
  comparableTime(now, { ...last, begunAfter: begunAfter === null ? null : at(begunAfter) }, 'Europe/Paris');

describe('the time of an export, compared with the last one’s', () => {
  it.each([
    [
      'on a day like any other',
      '03:40:00',
      collected('04:42:00', '03:42:10'),
      collected('05:12:00', '04:12:10'),
      '05:12',
    ],
    [
      'across the change',
      '00:40:00',
      collected('02:42:00', '00:42:10'),
      collected('02:12:00', '01:12:10'),
      '03:12',
    ],
    [
      'after one that was collected across it',
      '00:58:00',
      collected('02:59:58', '01:00:08'),
      collected('02:29:58', '01:30:08'),
      '03:29',
    ],
    [
      'with an old file after it',
      '01:10:00',
      collected('02:12:00', '01:12:10'),
      collected('01:42:00', '01:42:10'),
      '01:42',
    ],
  ])('is as the server shows it, but for an hour set back: %s', (_when, begunAfter, last, now, expected) => {
    expect(compared(begunAfter, last, now)?.slice(11, 16)).toBe(expected);
  });

  it('takes an hour for its writing where nobody saw when the last one was begun', () => {
    expect(compared(null, collected('02:59:58', '01:00:08'), collected('02:29:58', '01:30:08'))).toMatch(
      /T03:29/,
    );
    expect(compared(null, collected('02:42:00', '00:42:10'), collected('02:12:00', '01:12:10'))).toMatch(
      /T03:12/,
    );
  });

  it('is unknown where the server does not tell, and stands alone where there was none before', () => {
    const one = collected('02:42:00', '00:42:10');
    expect(comparableTime({ ...one, modifiedAt: null }, null, 'Europe/Paris')).toBeNull();
    expect(comparableTime(one, null, 'Europe/Paris')).toMatch(/T02:42/);
  });
});
