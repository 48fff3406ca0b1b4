import { posix } from 'node:path';
import { Context } from '@temporalio/activity';
import { refused } from '../failures.ts';
import type { Deps } from './deps.ts';
import { remember, remembered } from './heartbeat.ts';

export interface ResetShopCacheResult {
  /** `prodold4` */
  readonly renamedTo: string;
}

/** The folder that PrestaShop makes again when it is gone. */
const CACHE = 'prod';
const OLD = /^prodold(\d*)$/;

/**
 * Puts the shop's cache aside, the note's remedy for a back office that no longer answers: `prod` becomes `prodold<n+1>`.
 * @throws Refused when there is no `prod`, or no access to the shop's files in the configuration.
 */
export const resetShopCache =
  ({ config, shopFiles }: Deps) =>
  async (): Promise<ResetShopCacheResult> => {
    if (shopFiles === null || config.shopFiles === undefined)
      throw refused("Expected access to the shop's files (section shopFiles), got none");
    const { cache } = config.shopFiles;
    return shopFiles.session(async (session) => {
      const folders = await session.folders(cache);
      // The attempt before this one renamed it, and had no answer: the `prod` that stands now is a new one.
      const before = remembered() as ResetShopCacheResult | undefined;
      if (before !== undefined && folders.includes(before.renamedTo)) return before;
      if (!folders.includes(CACHE)) throw refused(`Expected ${CACHE} in ${cache}, got ${told(folders)}`);
      const numbers = folders.flatMap((name) => OLD.exec(name)?.[1] ?? []).map(Number);
      const result = { renamedTo: `prodold${Math.max(0, ...numbers) + 1}` };
      remember(result);
      await session.renameFolder(posix.join(cache, CACHE), posix.join(cache, result.renamedTo));
      return result;
    }, Context.current().cancellationSignal);
  };

function told(names: readonly string[]): string {
  return names.length === 0 ? 'no folder' : names.slice(0, 10).join(', ');
}
