import { randomUUID } from 'node:crypto';
import { Context, log } from '@temporalio/activity';
import { sha256, type ArchivedFile } from '../archive.ts';
import { readStock, sizeOf } from '../domain/stock-csv.ts';
import { notYet } from '../failures.ts';
import { sameLook, type Look } from '../ftp.ts';
import { EXAMPLES, type CycleRef, type Deps } from './deps.ts';
import { remember, remembered } from './heartbeat.ts';
import { noteTaken } from './note-taken.ts';

export interface CollectStockInput {
  readonly cycle: CycleRef;
  /** The file to wait past: it stood before the cycle began. */
  readonly standing: Look | null;
}

export interface CollectStockResult {
  readonly exportId: string;
  readonly file: ArchivedFile;
  readonly rows: number;
  readonly units: number;
  /** Orders that this export is the first to count. */
  readonly reflected: number;
  /** What is doubtful about the file as a whole. */
  readonly doubts: readonly string[];
}

/** What one attempt tells the next. */
interface Looks {
  /** The last time that Proshop was seen not to have begun a new file, ISO 8601. */
  readonly notBegunAt: string | null;
  readonly look: Look | null;
}

/**
 * Copies a new and complete ExportCSV: one that did not stand when the cycle began and that did not change between two
 * attempts.
 * @throws NotYet, to be asked again, until it is there.
 */
export const collectStock =
  ({ config, archive, ledger, proshop }: Deps) =>
  async ({ cycle, standing }: CollectStockInput): Promise<CollectStockResult> => {
    const name = config.proshop.exportName;
    const known = await ledger.exportOf(cycle.id);
    if (known !== null) {
      const file = { path: `${cycle.folder}/${name}`, size: known.size, sha256: known.sha256 };
      const stock = readStock(await archive.read(file), name, config.stock);
      return describe(known.id, file, stock, await ledger.reflectedBy(known.id));
    }

    const signal = Context.current().cancellationSignal;
    const before = (remembered() as Looks | undefined) ?? { notBegunAt: null, look: null };
    await noteLateTaken(before.notBegunAt);
    const lookedAt = new Date();
    const look = await proshop.lookAtExport(signal);
    if (look === null || sameLook(look, standing)) {
      remember({ notBegunAt: lookedAt.toISOString(), look: null } satisfies Looks);
      throw notYet(
        look === null ? `No ${name} yet` : `Still the ${name} from before the cycle (${look.size} bytes)`,
      );
    }
    remember({ ...before, look } satisfies Looks);
    if (!sameLook(look, before.look)) throw notYet(`${name} is being written (${look.size} bytes)`);
    const bytes = await proshop.copyExport(look, signal);
    if (bytes === null) throw notYet(`${name} changed while it was copied`);
    const stock = readStock(bytes, name, config.stock);
    if (stock.doubts.some(({ rule }) => rule === 'cut')) throw notYet(`${name} ends in the middle of a row`);

    const file = await archive.write(cycle.folder, name, bytes);
    // Nobody looked in this cycle before it was begun? Then only what was known when the one before was collected counts,
    // and that the ledger knows without a clock.
    const { notBegunAt } = before;
    const recorded = await ledger.recordExport(
      {
        id: randomUUID(),
        cycle: cycle.id,
        sha256: sha256(bytes),
        size: bytes.length,
        modifiedAt: look.modifiedAt === null ? null : new Date(look.modifiedAt),
        begunAfter: notBegunAt === null ? null : new Date(notBegunAt),
        collectedAt: lookedAt,
        ...sizeOf(stock),
      },
      config.proshop.margin,
    );
    if (recorded.sha256 !== file.sha256)
      throw new Error(`Expected to be first to collect ${name}, got another attempt's`);
    return describe(recorded.id, file, stock, await ledger.reflectedBy(recorded.id));

    /** A sales file that went after step 3 had given up is noted before ExportCSV is, which may count what was in it. Not to note it is no harm but a stock that is lower. */
    async function noteLateTaken(notBegunAt: string | null): Promise<void> {
      try {
        await noteTaken(
          { config, ledger, proshop },
          signal,
          notBegunAt === null ? 0 : Date.parse(notBegunAt),
        );
      } catch (error) {
        signal.throwIfAborted();
        log.warn('Could not look whether Proshop has taken the sales files meanwhile', { error });
      }
    }
  };

function describe(
  exportId: string,
  file: ArchivedFile,
  stock: ReturnType<typeof readStock>,
  reflected: number,
): CollectStockResult {
  return {
    exportId,
    file,
    rows: stock.rows,
    units: sizeOf(stock).units,
    reflected,
    doubts: stock.doubts.slice(0, EXAMPLES).map(({ message }) => message),
  };
}
