import type { ArchivedFile } from '../archive.ts';
import { compareStock, figures, type StockDisagreement } from '../domain/compare-stock.ts';
import { readStock } from '../domain/stock-csv.ts';
import { notYet } from '../failures.ts';
import type { Sighting } from '../ledger/sightings.ts';
import { EXAMPLES, type CycleRef, type Deps } from './deps.ts';
import { prepareStock, type PrepareStockResult } from './prepare-stock.ts';
import { copyOf, isSettled } from './sighted.ts';
import type { UpdateStockResult } from './update-stock.ts';
import { planFrom } from './weigh-stock.ts';
import { INPUTS_FILE, unpackInputs } from './stock-inputs.ts';

export interface ShadowStockInput {
  readonly cycle: CycleRef;
  /** ExportCSV. */
  readonly file: ArchivedFile;
  /** When the cycle began, ISO 8601. */
  readonly since: string;
}

export interface ShadowStockResult extends PrepareStockResult {
  readonly comparison: {
    /** The old gateway's ExportCSVmod. */
    readonly theirs: ArchivedFile;
    readonly sameBytes: boolean;
    readonly variants: number;
    /** Variants that a rule explains, and those that none does. */
    readonly explained: number;
    readonly unexplained: number;
    /** The first 20, those without a rule first. */
    readonly disagreements: readonly StockDisagreement[];
  };
}

/**
 * The update that the old gateway has written since the cycle began, whole. One from before belongs to a cycle that was cut.
 * @throws NotYet until it is there
 */
export async function updateSince(
  { config, ledger }: Pick<Deps, 'config' | 'ledger'>,
  { id }: CycleRef,
  since: string,
): Promise<Sighting> {
  const name = config.stock.updateName;
  const all = [...(await ledger.notedBy('update', id)), ...(await ledger.unnoted('update'))];
  const last = all.findLast(({ seenAt }) => seenAt.getTime() >= Date.parse(since));
  if (last === undefined) throw notYet(`The old gateway has not written ${name} yet`);
  const lastLook = (await ledger.lastLook()) ?? new Date(0);
  const isWritten = last.goneAt === null && !isSettled(last, lastLook, config.ftp.settle);
  if (isWritten || (await ledger.isReplaced(last))) throw notYet(`${name} is being written`);
  return last;
}

/** Prepares the stock update as if it were to be written, and compares it with the one that the old gateway wrote. */
export const shadowStock =
  (deps: Deps) =>
  async ({ cycle, file, since }: ShadowStockInput): Promise<ShadowStockResult> => {
    const { archive, config, ledger } = deps;
    const seen = await updateSince(deps, cycle, since);
    const prepared = await prepareStock(deps)({ cycle, file });
    const read = async (copy: ArchivedFile) =>
      readStock(await archive.read(copy), config.stock.updateName, config.stock);
    const theirs = copyOf(seen);
    const stock = readStock(await archive.read(file), config.proshop.exportName, config.stock);
    const inputs = await archive.readIfThere(cycle.folder, INPUTS_FILE);
    if (inputs === null) throw new Error(`Expected ${INPUTS_FILE} in ${cycle.folder}, got none`);
    const { sameBytes, variants, disagreements } = compareStock(
      await read(prepared.update),
      await read(theirs),
      planFrom(stock, unpackInputs(inputs), config),
    );
    await ledger.noted(seen.id, cycle.id);
    const unexplained = disagreements.filter(({ rule }) => rule === null);
    const explained = disagreements.filter(({ rule }) => rule !== null);
    return {
      ...prepared,
      comparison: {
        theirs,
        sameBytes,
        variants,
        explained: explained.length,
        unexplained: unexplained.length,
        disagreements: [...unexplained, ...explained].slice(0, EXAMPLES),
      },
    };
  };

export interface ShadowAppliedInput {
  readonly cycle: CycleRef;
  readonly exportId: string;
}

/**
 * Sees that the shop's module has taken the old gateway's update, which is what the shop shows from now on.
 * @throws NotYet while it stands
 */
export const shadowApplied =
  ({ archive, config, ledger }: Deps) =>
  async ({ cycle, exportId }: ShadowAppliedInput): Promise<UpdateStockResult> => {
    const update = (await ledger.notedBy('update', cycle.id)).at(-1);
    if (update === undefined) throw new Error('Expected an update that was compared, got none');
    if (update.goneAt === null) throw notYet(`${update.path} still there (${update.size} bytes)`);
    const bytes = await archive.read(copyOf(update));
    // The old gateway may write a variant twice.
    const variants = [...figures(readStock(bytes, config.stock.updateName, config.stock)).values()];
    await ledger.applyStock(exportId, variants, update.goneAt);
    return { variants: variants.length, confirmedAt: update.goneAt.toISOString() };
  };
