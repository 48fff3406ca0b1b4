import { posix } from 'node:path';
import type { ArchivedFile } from '../archive.ts';
import { ordersFileConfig } from '../config.ts';
import { readOrders } from '../domain/order-csv.ts';
import { FormatError } from '../domain/text-file.ts';
import { notYet } from '../failures.ts';
import type { Sighting } from '../ledger/sightings.ts';
import { localTime } from '../local-time.ts';
import { CUT_PATIENCE } from '../prestashop/modules.ts';
import { SHADOW_DOUBT } from '../workflows/labels.ts';
import { EXAMPLES, type CycleRef, type Deps } from './deps.ts';
import { recordOrders, seenOrders, type ExportOrdersResult } from './export-orders.ts';
import { updateSince } from './shadow-stock.ts';
import { isSettled, readCopy } from './sighted.ts';

export interface ShadowOrdersInput {
  readonly cycle: CycleRef;
  readonly step: 1 | 6;
  /** When the cycle began, ISO 8601. */
  readonly since: string;
  /** In step 1, when there is nothing more to wait for, ISO 8601: a shop without new orders writes no file. */
  readonly until: string;
}

export interface ShadowOrdersResult extends ExportOrdersResult {
  /** Orders files that nobody can read any more: what was expected, what came, and where. The first 20. */
  readonly unreadableFiles: readonly string[];
}

/**
 * Brings the orders of the files that the shop wrote for the old gateway into the ledger: the copies that were made of them.
 * @throws NotYet until a new one was seen, or `until` has come; in step 6 until the old gateway has written its update
 */
export const shadowOrders =
  (deps: Deps) =>
  async ({ cycle, step, since, until }: ShadowOrdersInput): Promise<ShadowOrdersResult> => {
    const { ledger } = deps;
    // The late orders are those that the old gateway could know when it wrote its update.
    if (step === 6) await updateSince(deps, cycle, since);
    const { files, rows } = await noteOldOrders(deps, cycle, step);
    const noted = await ledger.notedBy('orders', cycle.id);
    if (step === 1 && noted.length === 0 && Date.now() < Date.parse(until))
      throw notYet('No new orders file yet');
    // No sales file will tell whether a person has entered them long ago.
    await doubtUnwatched(deps, ['by_hand']);
    return {
      ...seenOrders(await ledger.ordersSeen(cycle.id, step)),
      files,
      rows,
      askedAt: new Date().toISOString(),
      unreadableFiles: noted.flatMap(({ fault }) => fault ?? []).slice(0, EXAMPLES),
    };
  };

/** How long an orders file whose last row is cut may still be written on: as many settling times as for one that is claimed. */
const isPatient =
  (deps: Deps) =>
  ({ seenAt }: Sighting, lastLook: Date) =>
    lastLook.getTime() - seenAt.getTime() < CUT_PATIENCE * deps.config.ftp.settle;

/** Nobody writes any more: what stands now is all that comes. */
export const AS_IT_STANDS = () => false;

/**
 * Records the orders of every copy of an orders file of which no cycle has taken note, and why nobody can read one.
 * @param mayGrow whether a file that stands, and was seen once or looks cut, may still be written on
 * @throws NotYet when one may
 */
export async function noteOldOrders(
  deps: Deps,
  cycle: CycleRef,
  step: 1 | 6,
  mayGrow = isPatient(deps),
): Promise<{ readonly files: readonly ArchivedFile[]; readonly rows: number }> {
  const { archive, config, ledger } = deps;
  const format = ordersFileConfig(config);
  const lastLook = (await ledger.lastLook()) ?? new Date(0);
  const files = new Map<string, ArchivedFile>();
  let rows = 0;
  for (const sighting of await ledger.unnoted('orders')) {
    const name = posix.basename(sighting.path);
    const growing = () => notYet(`${name} is being written`);
    const isStanding = sighting.goneAt === null && mayGrow(sighting, lastLook);
    if (!isSettled(sighting, lastLook, config.ftp.settle)) {
      if (isStanding) throw growing();
      if (await ledger.isReplaced(sighting)) {
        // Seen while it was written: the whole file is a sighting of its own.
        await ledger.noted(sighting.id, cycle.id);
        continue;
      }
    }
    let fault: string | null = null;
    try {
      const bytes = await readCopy(archive, sighting);
      if (bytes === null)
        throw new FormatError({
          file: name,
          line: 0,
          setting: 'archive.retentionDays',
          expected: 'the copy in the archive',
          got: 'none',
        });
      const read = readOrders(bytes, name, format);
      if (read.cut !== null) {
        if (isStanding) throw growing();
        // Its header is all that there is, and not whole: orders may stand in it unseen.
        if (read.rows === 0)
          throw new FormatError({ ...read.cut, file: name, setting: 'orders.finalLineBreak' });
      }
      const { file } = await recordOrders(
        deps,
        cycle,
        step,
        sighting.seenAt,
      )({ kind: 'exported', file: name, bytes, ...read });
      // The shop writes the same again.
      if (!files.has(file.path)) rows += read.rows;
      files.set(file.path, file);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      fault = error.message;
    }
    await ledger.noted(sighting.id, cycle.id, fault);
  }
  return { files: [...files.values()], rows };
}

/** Sets aside orders that the old gateway, or a person, may have brought into Proshop while nobody looked. */
export async function doubtUnwatched(
  { config, ledger }: Pick<Deps, 'config' | 'ledger'>,
  routes: Parameters<Deps['ledger']['doubtUnwatched']>[0],
): Promise<void> {
  const at = await ledger.unwatchedUntil();
  if (at === null) return;
  await ledger.doubtUnwatched(routes, { at, local: localTime(at, config.timeZone) }, SHADOW_DOUBT);
}
