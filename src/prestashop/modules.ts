import { randomBytes } from 'node:crypto';
import { posix } from 'node:path';
import type { Config } from '../config.ts';
import { readOrders } from '../domain/order-csv.ts';
import { FormatError } from '../domain/text-file.ts';
import { badData, notYet, shopBusy } from '../failures.ts';
import { sameLook, type Ftp, type FtpSession } from '../ftp.ts';
import type { Delivery, Ledger } from '../ledger/ledger.ts';
import { publish, resumePublication, stamp } from '../publication.ts';
import { callCronUrl } from './cron-url.ts';
import type { OrdersBatch, Shop } from './shop.ts';

/** A claimed file that still looks cut after this many settling times is not being written any more. */
const CUT_PATIENCE = 10;

export interface ModulesSettings {
  readonly shop: Config['shop'];
  readonly orders: Config['orders'];
  readonly staging: string;
  /** Where the catalogue module looks for ExportCSVmod. */
  readonly updatePath: string;
}

/** Reaches the shop through the cron URLs of its two modules, Order Export and Product Catalog Import. */
export function createModulesShop(
  ends: { readonly ftp: Ftp; readonly ledger: Ledger },
  settings: ModulesSettings,
): Shop {
  const { ftp, ledger } = ends;
  const { staging, updatePath } = settings;

  return {
    async exportOrders(record, signal) {
      const faults: string[] = [];
      const collect = () =>
        ftp.session((session) => collectOrders(session, settings, record, faults), signal);
      // The module overwrites its file: what stands there from before must be safe before it is called.
      await collect();
      await callCronUrl(
        'the export of its orders',
        settings.shop.exportOrders,
        settings.shop.timeout,
        signal,
      );
      faults.length = 0;
      await collect();
      if (faults.length > 0) throw badData(faults.join('; '));
    },

    async createProducts(references, signal) {
      const answer = await callCronUrl(
        'the import of new products',
        settings.shop.importProducts,
        settings.shop.timeout,
        signal,
      );
      if (answer.includes(settings.shop.busy)) throw notYet('The shop is running another import');
      await ledger.askModels(references, new Date());
    },

    async updateStock({ cycle, bytes }, signal) {
      const delivery = await ftp.session((session) => publishUpdate(session, cycle, bytes), signal);
      if (delivery.takenAt !== null) return { confirmedAt: delivery.takenAt };
      const [first, second] = await ftp.session((session) => session.lookTwice(updatePath), signal);
      if (first === null && second === null) {
        const confirmedAt = new Date();
        await ledger.markTaken(delivery.id, confirmedAt);
        // The module runs one import at a time, so the one that creates products is over too.
        await ledger.confirmModels(delivery.createdAt, confirmedAt);
        return { confirmedAt };
      }
      if (delivery.acceptedAt !== null) {
        throw notYet(
          `${posix.basename(updatePath)} still there (${second?.size ?? 0} bytes): the shop's import goes on`,
        );
      }
      const answer = await callCronUrl(
        'the update of its stock',
        settings.shop.updateStock,
        settings.shop.timeout,
        signal,
      );
      if (answer.includes(settings.shop.busy)) {
        await withdraw(delivery, signal);
        throw shopBusy('The shop is running another import');
      }
      await ledger.markAccepted(delivery.id, new Date());
      throw notYet('The shop has begun its import');
    },

    async withdrawUpdates(signal) {
      const unconfirmed = [
        ...(await ledger.openDeliveries('stock')),
        ...(await ledger.untakenDeliveries('stock')),
      ];
      for (const delivery of unconfirmed) await withdraw(delivery, signal);
      return unconfirmed.length;
    },
  };

  async function publishUpdate(session: FtpSession, cycle: string, bytes: Uint8Array): Promise<Delivery> {
    const cut = (await ledger.openDeliveries('stock')).filter((delivery) => delivery.cycle === cycle);
    for (const delivery of cut) await resumePublication(session, ledger, delivery);
    const delivery = await ledger.deliveryOf(cycle, 'stock');
    if (delivery !== null) return delivery;
    return publish(session, ledger, {
      kind: 'stock',
      cycle,
      staging,
      finalPath: updatePath,
      orderIds: [],
      bytes,
    });
  }

  /** The temporary file goes first, so that nothing can be renamed to the final name afterwards. */
  async function withdraw(delivery: Delivery, signal: AbortSignal): Promise<void> {
    await ftp.session(async (session) => {
      await session.remove(delivery.temporaryPath);
      await session.remove(delivery.finalPath);
    }, signal);
    if (delivery.state !== 'abandoned') await ledger.abandonDelivery(delivery.id, delivery.state);
  }
}

/**
 * Takes every orders file that stands on the FTP: claims it, reads it, has it recorded, and only then deletes it. A
 * file that does not fit the configuration stays claimed until the configuration fits it, and is told in `faults`.
 */
async function collectOrders(
  session: FtpSession,
  { orders: settings, staging }: ModulesSettings,
  record: (batch: OrdersBatch) => Promise<void>,
  faults: string[],
): Promise<void> {
  await session.ensureFolder(staging);
  for (const name of await standingNames(session, settings.folder, settings.name)) {
    const path = posix.join(settings.folder, name);
    const [first, second] = await session.lookTwice(path);
    if (second === null) continue;
    if (!sameLook(first, second)) throw notYet(`${name} is still being written (${second.size} bytes)`);
    await session.rename(path, `${staging}/${claimName(name, new Date())}`);
  }
  const claims = (await session.list(staging)).filter((name) => CLAIM.test(name)).sort();
  for (const name of claims) {
    const path = `${staging}/${name}`;
    const [, claimedAt = '', file = name] = CLAIM.exec(name) ?? [];
    const bytes = await session.download(path);
    try {
      const batch = readOrders(bytes, file, settings);
      const patience = new Date(Date.now() - CUT_PATIENCE * session.settle);
      if (batch.cut !== null && claimedAt >= stamp(patience)) {
        throw notYet(
          `Expected ${batch.cut.expected}, got ${batch.cut.got} (${file}, line ${batch.cut.line}): it may still be uploaded`,
        );
      }
      await record({ file, bytes, rows: batch.rows, orders: batch.orders, setAside: batch.setAside });
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      faults.push(`${error.message}; the file is kept as ${path}`);
      continue;
    }
    const after = await session.look(path);
    if (after?.size !== bytes.length)
      throw notYet(`${file} grew while it was read: it is still being uploaded`);
    await session.remove(path);
  }
}

/** Orders files claimed by an attempt: when, which file, and a part that no other attempt has. */
const CLAIM = /^(\d{8}T\d{6}Z)-orders-(.+)-[0-9a-f]{8}\.claim$/;

function claimName(file: string, now: Date): string {
  return `${stamp(now)}-orders-${file}-${randomBytes(4).toString('hex')}.claim`;
}

async function standingNames(
  session: FtpSession,
  folder: string,
  pattern: string,
): Promise<readonly string[]> {
  if (!pattern.includes('*')) return [pattern];
  const [start = '', end = ''] = pattern.split('*');
  const names = await session.list(folder);
  return names.filter(
    (name) => name.startsWith(start) && name.endsWith(end) && name.length >= start.length + end.length,
  );
}
