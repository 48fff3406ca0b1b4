import { Context } from '@temporalio/activity';
import type { Look } from '../ftp.ts';
import { localTime } from '../local-time.ts';
import { sweepTemporaryFiles } from '../publication.ts';
import type { Deps } from './deps.ts';

/** Older temporary files than this belong to no attempt that could still be alive. */
const SWEEP_AGE = 60 * 60_000;

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
}

/** Makes the ground ready: nothing of an earlier, cut cycle may still act. */
export const openCycle =
  ({ config, ledger, ftp, shop, proshop }: Deps) =>
  async ({ id, startedAt }: OpenCycleInput): Promise<OpenCycleResult> => {
    const signal = Context.current().cancellationSignal;
    const withdrawn = await shop.withdrawUpdates(signal);
    const swept = await ftp.session(async (session) => {
      await session.ensureFolder(config.ftp.staging);
      return sweepTemporaryFiles(session, ledger, config.ftp.staging, new Date(), SWEEP_AGE);
    }, signal);
    const [day = '', time = ''] = localTime(new Date(startedAt), config.timeZone).split(' ');
    return {
      folder: `${day}/${time.slice(0, 5).replace(':', 'h')}-${id.slice(-8)}`,
      standing: await proshop.lookAtExport(signal),
      withdrawn,
      swept,
    };
  };
