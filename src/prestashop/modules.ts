import { randomBytes } from 'node:crypto';
import { posix } from 'node:path';
import { log } from '@temporalio/activity';
import type { ModulesConfig, OrdersFileConfig } from '../config.ts';
import { isPlainName } from '../domain/file-name.ts';
import { readOrders } from '../domain/order-csv.ts';
import { FormatError } from '../domain/text-file.ts';
import { badData, isRefused, notYet, overtaken, planTooOld, ShopAnswerError, shopBusy } from '../failures.ts';
import { sameLook, type Ftp, type FtpSession, type Look } from '../ftp.ts';
import type { Delivery, Ledger, StockExport } from '../ledger/ledger.ts';
import { publish, resumePublication, stamp } from '../publication.ts';
import { callCronUrl, type CronUrl } from './cron-url.ts';
import type { RecordOrders, Shop } from './shop.ts';

/** A file that still looks cut after this many settling times is not being written any more. */
export const CUT_PATIENCE = 10;

/** Part of the time between two exports after which the next one may come early. */
const NEARLY = 5 / 6;

export interface ModulesSettings {
  readonly shop: ModulesConfig;
  readonly orders: OrdersFileConfig;
  readonly staging: string;
  /** Where the catalogue module looks for ExportCSVmod. */
  readonly updatePath: string;
  /** Where it looks for ExportCSV. */
  readonly exportPath: string;
  /** Milliseconds after which a plan is too old to be written. */
  readonly planAge: number;
  /** Milliseconds from one ExportCSV to the next. */
  readonly exportEvery: number;
}

/** Reaches the shop through the cron URLs of its two modules, Order Export and Product Catalog Import. */
export function createModulesShop(
  ends: { readonly ftp: Ftp; readonly ledger: Ledger },
  settings: ModulesSettings,
): Shop {
  const { ftp, ledger } = ends;
  const { staging, updatePath, exportPath, shop } = settings;
  const basename = posix.basename(updatePath);
  const common = { timeout: shop.timeout, refusals: shop.refusals };
  const exportUrl: CronUrl = { name: 'the export of its orders', url: shop.exportOrders, ...common };
  const productsUrl: CronUrl = { name: 'the import of new products', url: shop.importProducts, ...common };
  const updateUrl: CronUrl = { name: 'the update of its stock', url: shop.updateStock, ...common };
  /** True while a call of then, which had no answer, may still be at work. */
  const mayGoOn = (calledAt: Date | null) =>
    calledAt !== null && Date.now() - calledAt.getTime() < shop.timeout;
  /** The time of the export's open call; one from the future, before the clock was set back, counts from now. */
  const openExport = async (): Promise<Date | null> => {
    const calledAt = await ledger.openCall('exportOrders');
    const now = new Date();
    if (calledAt === null || calledAt <= now) return calledAt;
    await ledger.beginCall('exportOrders', now);
    return now;
  };

  return {
    async exportOrders({ record }, signal) {
      const collect = () =>
        ftp.session((session) => collectOrders(session, ledger, settings, record), signal);
      // The module overwrites its file: what stands there from before must be safe before it is called. And two calls at
      // once would overwrite each other's.
      await collect();
      if (mayGoOn(await openExport())) {
        throw notYet('The shop has not answered the last call: it may still be at its export');
      }
      const askedAt = new Date();
      await ledger.beginCall('exportOrders', askedAt);
      try {
        await callCronUrl(exportUrl, signal);
      } catch (error) {
        if (error instanceof ShopAnswerError && !error.mayHaveBegun) await ledger.endCall('exportOrders');
        throw error;
      }
      const faults = await collect();
      await ledger.endCall('exportOrders');
      if (faults.length > 0) throw badData(faults.join('; '));
      return { askedAt };
    },

    async finishOrders(record, signal) {
      await ftp.session((session) => readClaims(session, ledger, settings, record), signal);
    },

    async createProducts(models, signal) {
      const known = await ledger.confirmedModels();
      const references = models
        .map(({ reference }) => reference)
        .filter((reference) => !known.has(reference));
      if (references.length === 0) return { references };
      // The module reads ExportCSV itself, and would take a part of the next one for the whole: a look just before, and
      // none at all when the next one may be begun between the look and the reading.
      const collected = await ledger.lastExport();
      const begunAfter = collected?.begunAfter?.getTime();
      if (begunAfter !== undefined && Math.abs(Date.now() - begunAfter) > NEARLY * settings.exportEvery) {
        throw overtaken(
          `Expected ${posix.basename(exportPath)} to be fresh when the shop is asked to read it, got one that may be replaced at any moment`,
        );
      }
      const standing = await ftp.session((session) => session.look(exportPath), signal);
      if (collected === null || !sameLook(standing, lookOf(collected))) {
        throw overtaken(`Expected ${posix.basename(exportPath)} as it was collected, got another one by now`);
      }
      const answer = await callCronUrl(productsUrl, signal);
      if (answer.includes(shop.busy)) throw notYet('The shop is running another import');
      await ledger.askModels(references, new Date());
      return { references };
    },

    async updateStock({ cycle, bytes, lateOrdersAt }, signal) {
      for (const unfinished of await ledger.unconfirmedUpdates()) {
        if (unfinished.state === 'withdrawing' || unfinished.cycle !== cycle)
          await withdraw(unfinished, signal);
      }
      const delivery = await ftp.session((session) => publishUpdate(session, cycle, bytes), signal);
      if (delivery.takenAt !== null) return { confirmedAt: delivery.takenAt };
      const [first, second] = await ftp.session((session) => session.lookTwice(updatePath), signal);
      if (first === null && second === null) {
        if (delivery.askedAt === null) {
          await withdraw(delivery, signal);
          throw new Error(
            `Expected ${basename} until the shop is asked to import it, got nothing: somebody removed it`,
          );
        }
        return { confirmedAt: await confirm(delivery, signal) };
      }
      // Without the file the module would take the whole shop for sold out: it is called only with the file in sight.
      if (second === null || delivery.acceptedAt !== null || mayGoOn(delivery.askedAt)) {
        throw notYet(`${basename} still there (${second?.size ?? 0} bytes): the shop's import goes on`);
      }
      const age = Date.now() - lateOrdersAt.getTime();
      // A clock that was set back knows no age.
      if (delivery.askedAt === null && (age > settings.planAge || age < 0)) {
        await withdraw(delivery, signal);
        throw planTooOld(`The stock was prepared ${Math.round(age / 1000)} s ago`);
      }
      await ask(delivery, signal);
      throw notYet('The shop has begun its import');
    },

    // The modules tell nothing of themselves, and their addresses do what they are for when they are called.
    check: () => Promise.resolve({ shop: 'PrestaShop, by the cron addresses of its modules', missing: [] }),

    async withdrawUpdates(signal) {
      const unconfirmed = await ledger.unconfirmedUpdates();
      for (const delivery of unconfirmed) await withdraw(delivery, signal);
      return unconfirmed.length;
    },
  };

  async function publishUpdate(session: FtpSession, cycle: string, bytes: Uint8Array): Promise<Delivery> {
    const cut = (await ledger.openDeliveries('stock')).filter((delivery) => delivery.cycle === cycle);
    for (const { id } of cut) await resumePublication(session, ledger, id);
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

  /** Calls the module, noting before that it may have been reached: only then does the file's being gone prove anything. */
  async function ask(delivery: Delivery, signal: AbortSignal): Promise<void> {
    if (!(await ledger.markAsked(delivery.id, new Date()))) throw takenBack(delivery);
    let answer: string;
    try {
      answer = await callCronUrl(updateUrl, signal);
    } catch (error) {
      if (error instanceof ShopAnswerError && !error.mayHaveBegun)
        await ledger.markAsked(delivery.id, delivery.askedAt);
      throw error;
    }
    if (answer.includes(shop.busy)) {
      // Asked before, without an answer: the import that is running may be ours.
      if (delivery.askedAt !== null) throw notYet('The shop is at an import, perhaps ours');
      await withdraw(delivery, signal);
      throw shopBusy('The shop is running another import');
    }
    await ledger.markAccepted(delivery.id, new Date());
    await confirmModels(delivery, signal);
  }

  async function confirm(delivery: Delivery, signal: AbortSignal): Promise<Date> {
    const confirmedAt = new Date();
    if (!(await ledger.markTaken(delivery.id, confirmedAt))) throw takenBack(delivery);
    await confirmModels(delivery, signal);
    return confirmedAt;
  }

  /**
   * The module runs one import at a time: one that it has begun or ended proves that the one before, of new products, is
   * over. That it read the whole of ExportCSV is proved by its being the same still; else it is asked again in a later cycle.
   */
  async function confirmModels({ createdAt }: Delivery, signal: AbortSignal): Promise<void> {
    try {
      const collected = await ledger.lastExport();
      if (collected === null || (await ledger.openModels()) === 0) return;
      const standing = await ftp.session((session) => session.look(exportPath), signal);
      if (sameLook(standing, lookOf(collected)))
        await ledger.confirmModels({ from: collected.collectedAt, to: createdAt }, new Date());
    } catch (error) {
      signal.throwIfAborted();
      // No reason to take back an update that the shop has begun.
      log.warn('Could not look whether the shop has read the whole ExportCSV', { error });
    }
  }

  /** The ledger goes first, so that nobody takes the file's being gone for a confirmation. */
  async function withdraw(delivery: Delivery, signal: AbortSignal): Promise<void> {
    if (!(await ledger.beginWithdrawal(delivery.id))) return;
    await ftp.session(async (session) => {
      // The temporary file goes first, so that nothing can be renamed to the final name afterwards.
      await session.remove(delivery.temporaryPath);
      await session.remove(delivery.finalPath);
    }, signal);
    await ledger.endWithdrawal(delivery.id);
  }
}

/** What the look at an export showed when it was collected. */
function lookOf({ size, modifiedAt }: StockExport): Look {
  return { size, modifiedAt: modifiedAt?.toISOString() ?? null };
}

function takenBack(delivery: Delivery): Error {
  return new Error(
    `Expected ${delivery.finalPath} to be offered to the shop, got one that was taken back meanwhile`,
  );
}

/** Claims every orders file that stands on the FTP, once it is whole, and reads it. Gives what is wrong with which file. */
async function collectOrders(
  session: FtpSession,
  ledger: Ledger,
  settings: ModulesSettings,
  record: RecordOrders,
): Promise<readonly string[]> {
  await ledger.addStagingFolder(settings.staging);
  await session.ensureFolder(settings.staging);
  for (let round = 0; round < ROUNDS; round++) {
    const faults = [
      ...(await claimStanding(session, settings)),
      ...(await readClaims(session, ledger, settings, record)),
    ];
    // Reading takes its time, and the module may be called next: what somebody exported by hand meanwhile is claimed too.
    if (!(await isOneStanding(session, settings))) return faults;
  }
  throw notYet(`Orders files still come into ${settings.orders.folder} after ${ROUNDS} looks`);
}

const ROUNDS = 10;

async function isOneStanding(
  session: FtpSession,
  { orders: { folder, name: pattern } }: ModulesSettings,
): Promise<boolean> {
  for (const name of await standingNames(session, folder, pattern)) {
    if (isPlainName(name) && (await session.look(posix.join(folder, name))) !== null) return true;
  }
  return false;
}

async function claimStanding(session: FtpSession, settings: ModulesSettings): Promise<readonly string[]> {
  const { folder, name: pattern } = settings.orders;
  const faults: string[] = [];
  for (const name of await standingNames(session, folder, pattern)) {
    if (!isPlainName(name)) {
      faults.push(
        `Expected names without folder in ${folder}, got ${JSON.stringify(name)}; the file stays where it is`,
      );
      continue;
    }
    const path = posix.join(folder, name);
    const [first, second] = await session.lookTwice(path);
    if (second === null) continue;
    if (!sameLook(first, second)) throw notYet(`${name} is still being written (${second.size} bytes)`);
    await session.rename(path, `${settings.staging}/${claimName(name, new Date())}`);
  }
  return faults;
}

/**
 * Reads the claimed files and has them recorded. An upload goes on into a file that was renamed, so a file is deleted
 * only when it is read for the second time and still the same. One that does not fit the configuration stays until the
 * configuration fits it.
 */
async function readClaims(
  session: FtpSession,
  ledger: Ledger,
  settings: ModulesSettings,
  record: RecordOrders,
): Promise<readonly string[]> {
  const faults = [...(await readClaimsIn(settings.staging, session, settings, record))];
  // A worker that was deployed with another staging folder may have left claims in that one.
  const others = (await ledger.stagingFolders()).filter((folder) => folder !== settings.staging);
  for (const folder of others) {
    try {
      faults.push(...(await readClaimsIn(folder, session, settings, record)));
    } catch (error) {
      // Gone, or out of reach for the account of today: what lies there nobody but a person can fetch.
      if (!isRefused(error)) throw error;
      log.warn(`Orders files may lie in ${folder}, a staging folder of before, which cannot be entered`);
    }
  }
  return faults;
}

async function readClaimsIn(
  staging: string,
  session: FtpSession,
  { orders: settings }: ModulesSettings,
  record: RecordOrders,
): Promise<readonly string[]> {
  const faults: string[] = [];
  const claims = (await session.list(staging)).filter((name) => CLAIM.test(name)).sort();
  for (const name of claims) {
    const path = `${staging}/${name}`;
    const [, claimedAt = '', file = name] = CLAIM.exec(name) ?? [];
    const bytes = await session.download(path);
    let isKnown: boolean;
    try {
      const batch = readOrders(bytes, file, settings);
      const patience = new Date(Date.now() - CUT_PATIENCE * session.settle);
      if (batch.cut !== null && claimedAt >= stamp(patience)) {
        throw notYet(
          `Expected ${batch.cut.expected}, got ${batch.cut.got} (${file}, line ${batch.cut.line}): it may still be uploaded`,
        );
      }
      // Its header is all that there is, and not whole: orders may stand in it unseen.
      if (batch.cut !== null && batch.rows === 0)
        throw new FormatError({ ...batch.cut, file, setting: 'orders.finalLineBreak' });
      isKnown = await record({
        kind: 'exported',
        file,
        bytes,
        rows: batch.rows,
        orders: batch.orders,
        setAside: batch.setAside,
      });
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      faults.push(`${error.message}; the file is kept as ${path}`);
      continue;
    }
    if (isKnown && (await session.look(path))?.size === bytes.length) await session.remove(path);
  }
  return faults;
}

/** Orders files claimed by an attempt: when, which file, and a part that no other attempt has. */
const CLAIM = /^(\d{8}T\d{6}Z)-orders-([^/\\\p{Cc}]+)-[0-9a-f]{8}\.claim$/u;

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
