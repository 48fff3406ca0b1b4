import { posix } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config.ts';
import { sameLook, type Ftp, type Look } from '../ftp.ts';
import type { Delivery, Ledger } from '../ledger/ledger.ts';
import { publish, resumePublication } from '../publication.ts';

export type Proshop = ReturnType<typeof createProshop>;

export interface ProshopSettings {
  readonly proshop: Config['proshop'];
  readonly staging: string;
}

export interface SalesFile {
  readonly cycle: string;
  /** Unique for ever: `ventes-20261124-102703-3f2a91.xml`. */
  readonly name: string;
  readonly orderIds: readonly number[];
  readonly bytes: Uint8Array;
}

/** Proshop as it shows itself: a folder from which it takes files, and a file that it leaves. */
export function createProshop(
  ends: { readonly ftp: Ftp; readonly ledger: Ledger },
  { proshop: settings, staging }: ProshopSettings,
) {
  const { ftp, ledger } = ends;
  const exportPath = posix.join(settings.exportFolder, settings.exportName);

  return {
    /** Takes deliveries of which an attempt was cut to their end. */
    async resumeDeliveries(signal: AbortSignal): Promise<void> {
      const open = await ledger.openDeliveries('sales');
      if (open.length === 0) return;
      await ftp.session(async (session) => {
        for (const delivery of open) await resumePublication(session, ledger, delivery.id);
      }, signal);
    },

    /** Puts a sales file into the folder that Proshop empties. */
    deliver: (file: SalesFile, signal: AbortSignal): Promise<Delivery> =>
      ftp.session(
        (session) =>
          publish(session, ledger, {
            kind: 'sales',
            cycle: file.cycle,
            staging,
            finalPath: posix.join(settings.importFolder, file.name),
            orderIds: file.orderIds,
            bytes: file.bytes,
          }),
        signal,
      ),

    /** Sees which of the sales files are gone, by two looks at all of them, a few seconds apart, that agree. */
    async lookForTaken(
      deliveries: readonly Delivery[],
      signal: AbortSignal,
    ): Promise<{
      readonly taken: readonly Delivery[];
      readonly standing: readonly { path: string; size: number }[];
    }> {
      return ftp.session(async (session) => {
        const look = () => inTurn(deliveries, ({ finalPath }) => session.look(finalPath));
        const first = await look();
        await sleep(session.settle);
        const second = await look();
        const isTaken = (index: number) => first[index] === null && second[index] === null;
        return {
          taken: deliveries.filter((_delivery, index) => isTaken(index)),
          standing: deliveries
            .map(({ finalPath }, index) => ({ path: finalPath, size: second[index]?.size ?? 0 }))
            .filter((_file, index) => !isTaken(index)),
        };
      }, signal);
    },

    /** Looks at ExportCSV, which Proshop writes over minutes under its final name. */
    lookAtExport: (signal: AbortSignal): Promise<Look | null> =>
      ftp.session((session) => session.look(exportPath), signal),

    /**
     * Copies ExportCSV, which stays where it is: the shop's module reads it there too. Null when it is not (any more)
     * the file that `look` saw.
     */
    copyExport: (look: Look, signal: AbortSignal): Promise<Buffer | null> =>
      ftp.session(async (session) => {
        if (!sameLook(await session.look(exportPath), look)) return null;
        const bytes = await session.download(exportPath);
        return sameLook(await session.look(exportPath), look) ? bytes : null;
      }, signal),
  };
}

// One connection does one thing at a time.
async function inTurn<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}
