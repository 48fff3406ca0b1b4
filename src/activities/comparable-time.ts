import type { StockExport } from '../ledger/ledger.ts';
import { clocksSetBack } from '../local-time.ts';

type Collected = Pick<StockExport, 'modifiedAt' | 'begunAfter' | 'collectedAt'>;

/**
 * When Proshop wrote an export, ISO 8601, as the FTP server would show it had the shop's clocks not been set back since it
 * wrote the last one. Null when the server does not tell.
 */
export function comparableTime(
  { modifiedAt, collectedAt }: Pick<Collected, 'modifiedAt' | 'collectedAt'>,
  last: Collected | null,
  timeZone: string,
): string | null {
  if (modifiedAt === null) return null;
  // Written just before the clocks were set back, the last one may have been collected just after.
  const writtenAfter = last === null ? collectedAt : (last.begunAfter ?? anHourBefore(last.collectedAt));
  const setBack = clocksSetBack(writtenAfter, collectedAt, timeZone);
  return new Date(modifiedAt.getTime() + setBack).toISOString();
}

function anHourBefore(time: Date): Date {
  return new Date(time.getTime() - 3_600_000);
}
