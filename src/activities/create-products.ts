import { Context } from '@temporalio/activity';
import type { ArchivedFile } from '../archive.ts';
import { modelsOf } from '../domain/product.ts';
import { readStock } from '../domain/stock-csv.ts';
import { EXAMPLES, type Deps } from './deps.ts';

export interface CreateProductsInput {
  readonly file: ArchivedFile;
}

export interface CreateProductsResult {
  readonly models: number;
  /** The first 20. */
  readonly references: readonly string[];
  /** Sizes added to models of before, where the shop tells. */
  readonly sizesAdded?: number;
  /** What could not be created, and why: how many, and the first 20. */
  readonly problems?: number;
  readonly problemList?: readonly string[];
}

/** Has the shop create the models of the stock file, and their sizes, that it does not have yet. */
export const createProducts =
  ({ config, archive, shop }: Deps) =>
  async ({ file }: CreateProductsInput): Promise<CreateProductsResult> => {
    const stock = readStock(await archive.read(file), config.proshop.exportName, config.stock);
    const { references, sizesAdded, problems } = await shop.createProducts(
      modelsOf(stock),
      Context.current().cancellationSignal,
    );
    return {
      models: references.length,
      references: references.slice(0, EXAMPLES),
      ...(sizesAdded === undefined ? {} : { sizesAdded }),
      ...(problems === undefined
        ? {}
        : { problems: problems.length, problemList: problems.slice(0, EXAMPLES) }),
    };
  };
