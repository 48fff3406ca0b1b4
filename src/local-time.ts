/** The shop's local time, `2026-11-24 10:25:03`. */
export function localTime(instant: Date, timeZone: string): string {
  // Swedish writes dates as ISO 8601 does.
  return new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' }).format(
    instant,
  );
}

/** Milliseconds by which the zone's clocks were set back between two instants; 0 when they were not. */
export function clocksSetBack(from: Date, to: Date, timeZone: string): number {
  const ahead = (instant: Date) =>
    Date.parse(`${localTime(instant, timeZone).replace(' ', 'T')}Z`) -
    Math.floor(instant.getTime() / 1_000) * 1_000;
  return Math.max(0, ahead(from) - ahead(to));
}
