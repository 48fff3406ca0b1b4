import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { sha256 } from '../archive.ts';
import { readStock, sizeOf } from '../domain/stock-csv.ts';
import { notYet, refused } from '../failures.ts';
import { sameLook } from '../ftp.ts';
import type { Deps } from './deps.ts';
import { stockInputs, type ExportSeen } from './stock-inputs.ts';
import { weighStock, type WeighedStock } from './weigh-stock.ts';

export interface DiffResult extends WeighedStock {
  /** The FTP server's time of Proshop's file, ISO 8601; null when it does not tell. */
  readonly exportedAt: string | null;
}

/**
 * Works out what a stock update from the file that Proshop has left would change now, and changes nothing. Orders that
 * the ledger does not know yet, and what this file is the first to count, only a cycle can tell.
 * @throws NotYet while the file is being written; Refused when there is none.
 */
export const diff =
  ({ config, ledger, proshop }: Deps) =>
  async (): Promise<DiffResult> => {
    const name = config.proshop.exportName;
    const signal = Context.current().cancellationSignal;
    const look = await proshop.lookAtExport(signal);
    if (look === null) throw refused(`Expected ${name} in ${config.proshop.exportFolder}, got none`);
    // Proshop writes it over minutes.
    await sleep(config.ftp.settle);
    if (!sameLook(await proshop.lookAtExport(signal), look)) throw notYet(`${name} is being written`);
    const bytes = await proshop.copyExport(look, signal);
    if (bytes === null) throw notYet(`${name} changed while it was copied`);
    const stock = readStock(bytes, name, config.stock);
    if (stock.doubts.some(({ rule }) => rule === 'cut')) throw notYet(`${name} ends in the middle of a row`);

    const known = await ledger.lastExport();
    const seen: ExportSeen =
      known?.sha256 === sha256(bytes)
        ? known
        : {
            id: '',
            ...sizeOf(stock),
            modifiedAt: look.modifiedAt === null ? null : new Date(look.modifiedAt),
            begunAfter: null,
            collectedAt: new Date(),
            staleOrders: 0,
          };
    const { weighed } = weighStock(stock, await stockInputs(ledger, seen), config);
    return { ...weighed, exportedAt: look.modifiedAt };
  };
