import { Context, log } from '@temporalio/activity';
import type { Cycles } from '../cycles.ts';
import type { Look } from '../ftp.ts';
import { localTime } from '../local-time.ts';
import { sweepTemporaryFiles } from '../publication.ts';
import type { Deps } from './deps.ts';
import { takeOver } from './take-over.ts';

/** Older temporary files than this belong to no attempt that could still be alive. */
const SWEEP_AGE = 60 * 60_000;

/** Milliseconds: far less than a step may take. */
const SCHEDULE_PATIENCE = 2_000;

export interface OpenCycleInput {
  readonly id: string;
  /** ISO 8601. */
  readonly startedAt: string;
}

export interface OpenCycleResult {
  readonly folder: string;
  /** The ExportCSV that stands already: of the half hour before, so not the one to wait for. */
  readonly standing: Look | null;
  /** Stock updates of earlier cycles that nobody confirmed, taken back. */
  readonly withdrawn: number;
  readonly swept: number;
  /** When the schedule starts the next cycle, ISO 8601; null when it is paused, or unknown. */
  readonly nextCycleAt?: string | null;
  readonly timeZone?: string;
}

/** Makes the ground ready: nothing of an earlier, cut cycle may still act. */
export const openCycle =
  (deps: Deps) =>
  async ({ id, startedAt }: OpenCycleInput): Promise<OpenCycleResult> => {
    const { config, ledger, ftp, shop, proshop, cycles } = deps;
    const signal = Context.current().cancellationSignal;
    // Asked meanwhile: an answer that does not come takes no time from the rest.
    const next = nextCycleAt(cycles);
    const folder = cycleFolder({ id, startedAt: new Date(startedAt) }, config.timeZone);
    // A shadow leaves nothing that it could clear.
    const cleared = config.mode === 'shadow' ? { withdrawn: 0, swept: 0 } : await clear();
    return {
      folder,
      standing: await proshop.lookAtExport(signal),
      ...cleared,
      nextCycleAt: await next,
      timeZone: config.timeZone,
    };

    async function clear() {
      await takeOver(deps, { id, folder }, signal);
      const withdrawn = await shop.withdrawUpdates(signal);
      const swept = await ftp.session(async (session) => {
        await session.ensureFolder(config.ftp.staging);
        return sweepTemporaryFiles(session, ledger, config.ftp.staging, new Date(), SWEEP_AGE);
      }, signal);
      return { withdrawn, swept };
    }
  };

/** A cycle's folder in the archive, `2026-11-24/10h25-3f2a91c0`. */
export function cycleFolder(
  { id, startedAt }: { readonly id: string; readonly startedAt: Date },
  timeZone: string,
): string {
  const [day = '', time = ''] = localTime(startedAt, timeZone).split(' ');
  return `${day}/${time.slice(0, 5).replace(':', 'h')}-${id.slice(-8)}`;
}

/** Only bounds how long a held update waits for a person: no cycle fails for want of it. */
async function nextCycleAt(cycles: Cycles): Promise<string | null> {
  try {
    const schedule = await cycles.schedule(SCHEDULE_PATIENCE);
    return schedule === null || schedule.paused ? null : schedule.nextAt;
  } catch (error) {
    log.warn('Could not ask Temporal for the next cycle', { error });
    return null;
  }
}
