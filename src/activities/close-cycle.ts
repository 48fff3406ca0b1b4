import { log } from '@temporalio/activity';
import type { ArchivedFile } from '../archive.ts';
import { localTime } from '../local-time.ts';
import type { CycleReport } from '../workflows/report.ts';
import type { Deps } from './deps.ts';

export interface CloseCycleInput {
  readonly folder: string;
  readonly report: CycleReport;
}

export interface CloseCycleResult {
  readonly report: ArchivedFile;
  readonly purgedDays: number;
  readonly forgottenOrders: number;
}

/** Files the cycle's report, raises its alarms in the log, and forgets what is past the retention. */
export const closeCycle =
  ({ config, archive, ledger }: Deps) =>
  async ({ folder, report }: CloseCycleInput): Promise<CloseCycleResult> => {
    for (const alarm of report.alarms) log.warn(alarm.message, { alarm: alarm.kind, step: alarm.step });
    const file = await archive.write(
      folder,
      'report.json',
      Buffer.from(`${JSON.stringify(report, null, 2)}\n`),
    );
    const oldest = new Date(Date.now() - config.archive.retentionDays * 24 * 60 * 60_000);
    const purged = await archive.purge(localTime(oldest, config.timeZone).slice(0, 10));
    return {
      report: file,
      purgedDays: purged.length,
      forgottenOrders: await ledger.forgetCustomers(oldest),
    };
  };
