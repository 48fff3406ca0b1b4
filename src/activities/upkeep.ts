import { Context, log } from '@temporalio/activity';
import { localTime } from '../local-time.ts';
import type { Deps } from './deps.ts';
import { remember, remembered } from './heartbeat.ts';
import { cycleFolder } from './open-cycle.ts';

/** What the upkeep did, all of its attempts together. */
export interface UpkeepResult {
  /** Histories of closed cycles that were put into the archive, and their bytes. */
  readonly histories: number;
  readonly bytes: number;
  /** Cycles whose history Temporal had forgotten before it could be put there. */
  readonly lost: number;
  /** Days of the archive that were deleted. */
  readonly purgedDays: number;
  /** Orders that lost their customer. */
  readonly forgottenOrders: number;
}

export const HISTORY = 'history.json';
const DAY = 24 * 60 * 60_000;
const NOTHING: UpkeepResult = { histories: 0, bytes: 0, lost: 0, purgedDays: 0, forgottenOrders: 0 };

/**
 * Deletes what is past the retention, then puts the history of every closed cycle into its folder of the archive, as
 * JSON that replay reads. An attempt goes on where the one before was cut: what is there is not fetched again.
 */
export const upkeep =
  ({ config, archive, cycles, ledger }: Deps) =>
  async (): Promise<UpkeepResult> => {
    const signal = Context.current().cancellationSignal;
    let done = (remembered() as UpkeepResult | undefined) ?? NOTHING;
    const add = (more: Partial<UpkeepResult>) => {
      const sum = (key: keyof UpkeepResult) => done[key] + (more[key] ?? 0);
      done = {
        histories: sum('histories'),
        bytes: sum('bytes'),
        lost: sum('lost'),
        purgedDays: sum('purgedDays'),
        forgottenOrders: sum('forgottenOrders'),
      };
      remember(done);
    };

    // First: neither a full disk nor a Temporal that does not answer keeps what must go.
    const oldest = new Date(Date.now() - config.archive.retentionDays * DAY);
    const firstDay = dayOf(oldest);
    add({ purgedDays: (await archive.purge(firstDay)).length });
    add({ forgottenOrders: await ledger.forgetCustomers(oldest) });
    await ledger.forgetSightings(new Date(`${firstDay}T00:00:00Z`));

    for (const run of await cycles.closed(oldest)) {
      signal.throwIfAborted();
      const startedAt = new Date(run.startedAt);
      // Its folder may be named by another time zone, which was configured then.
      const days = [-DAY, 0, DAY].map((shift) => dayOf(new Date(startedAt.getTime() + shift)));
      const folder =
        (await archive.find(days, `-${run.runId.slice(-8)}`)) ??
        cycleFolder({ id: run.runId, startedAt }, config.timeZone);
      if (folder < firstDay || (await archive.has(folder, HISTORY))) continue;
      const history = await cycles.history(run);
      if (history === null) {
        log.warn('The history of a cycle was gone before it could be archived', { cycle: run.runId });
        add({ lost: 1 });
      } else {
        const { size } = await archive.write(folder, HISTORY, Buffer.from(history));
        add({ histories: 1, bytes: size });
      }
    }
    return done;

    function dayOf(instant: Date): string {
      return localTime(instant, config.timeZone).slice(0, 10);
    }
  };
