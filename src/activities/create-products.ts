import { Context } from '@temporalio/activity';
import type { ArchivedFile } from '../archive.ts';
import { newModels } from '../domain/product.ts';
import { readStock } from '../domain/stock-csv.ts';
import { EXAMPLES, type Deps } from './deps.ts';

export interface CreateProductsInput {
  readonly file: ArchivedFile;
}

export interface CreateProductsResult {
  readonly models: number;
  /** The first 20. */
  readonly references: readonly string[];
}

/** Has the shop create the models of the stock file that it does not have yet. */
export const createProducts =
  ({ config, archive, ledger, shop }: Deps) =>
  async ({ file }: CreateProductsInput): Promise<CreateProductsResult> => {
    const stock = readStock(await archive.read(file), config.proshop.exportName, config.stock);
    const references = newModels(stock, await ledger.confirmedModels());
    if (references.length > 0) await shop.createProducts(references, Context.current().cancellationSignal);
    return { models: references.length, references: references.slice(0, EXAMPLES) };
  };
