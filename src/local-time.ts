/** The shop's local time, `2026-11-24 10:25:03`. */
export function localTime(instant: Date, timeZone: string): string {
  // Swedish writes dates as ISO 8601 does.
  return new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' }).format(
    instant,
  );
}

/** True for a day that there is, `2026-11-24`. */
export function isDay(text: string): boolean {
  const instant = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(instant) && new Date(instant).toISOString().slice(0, 10) === text;
}

/** The first instant of a day, `2026-11-24`, in the zone: where the clocks are changed at midnight, that may be 01:00. */
export function startOfDay(day: string, timeZone: string): Date {
  const midnight = Date.parse(`${day}T00:00:00Z`);
  // By the clocks as they are before the day and after it.
  const starts = [-DAY, DAY].map((away) => midnight - aheadOfUtc(new Date(midnight + away), timeZone));
  const [first = midnight] = starts
    .filter((start) => localTime(new Date(start), timeZone) >= day)
    .sort((a, b) => a - b);
  return new Date(first);
}

/** Milliseconds. */
const DAY = 24 * 60 * 60_000;

/** Milliseconds by which the zone's clocks were set back between two instants; 0 when they were not. */
export function clocksSetBack(from: Date, to: Date, timeZone: string): number {
  return Math.max(0, aheadOfUtc(from, timeZone) - aheadOfUtc(to, timeZone));
}

/** True when the zone's minutes are those of UTC, in summer and in winter. */
export function isWholeHoursFromUtc(timeZone: string): boolean {
  return ['2026-01-01', '2026-07-01'].every((day) => aheadOfUtc(new Date(day), timeZone) % 3_600_000 === 0);
}

/** Milliseconds. */
function aheadOfUtc(instant: Date, timeZone: string): number {
  const local = Date.parse(`${localTime(instant, timeZone).replace(' ', 'T')}Z`);
  return local - Math.floor(instant.getTime() / 1_000) * 1_000;
}
