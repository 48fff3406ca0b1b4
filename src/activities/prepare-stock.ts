import type { ArchivedFile } from '../archive.ts';
import { readStock } from '../domain/stock-csv.ts';
import { stockUpdate } from '../domain/stock-plan.ts';
import type { CycleRef, Deps } from './deps.ts';
import { INPUTS_FILE, packInputs, stockInputs } from './stock-inputs.ts';
import { weighStock, type WeighedStock } from './weigh-stock.ts';

export interface PrepareStockInput {
  readonly cycle: CycleRef;
  readonly file: ArchivedFile;
}

export interface PrepareStockResult extends WeighedStock {
  readonly update: ArchivedFile;
}

/** Works out the stock update from what is known at this moment, which is archived, so that it can be worked out again. */
export const prepareStock =
  ({ config, archive, ledger }: Deps) =>
  async ({ cycle, file }: PrepareStockInput): Promise<PrepareStockResult> => {
    const stock = readStock(await archive.read(file), config.proshop.exportName, config.stock);
    const inputs = await stockInputs(ledger, await ledger.exportOf(cycle.id));
    await archive.write(cycle.folder, INPUTS_FILE, await packInputs(inputs));
    const { plan, weighed } = weighStock(stock, inputs, config);
    const bytes = Buffer.concat([...stockUpdate(stock, plan)]);
    return { update: await archive.write(cycle.folder, config.stock.updateName, bytes), ...weighed };
  };
