import { randomUUID } from 'node:crypto';
import { sha256 } from './archive.ts';
import { refused } from './failures.ts';
import type { FtpSession } from './ftp.ts';
import type { Delivery, Ledger } from './ledger/ledger.ts';

export interface NewPublication {
  readonly kind: Delivery['kind'];
  readonly cycle: string;
  /** Our own folder on the FTP server: Proshop takes any file it sees in its own. */
  readonly staging: string;
  readonly finalPath: string;
  readonly orderIds: readonly number[];
  readonly bytes: Uint8Array;
}

/**
 * Puts a file under its final name, whole, at most once whatever is cut when. The ledger goes first at each step:
 *
 *     uploading   the temporary file may be partial; nobody may rename it. Cut here: abandoned, a new one is made
 *     uploaded    the temporary file is whole and may be renamed. Cut here: finishPublication looks and goes on
 *     published   renamed, and perhaps already taken
 *
 * Each publication has a temporary name of its own, renamed at most once because a rename takes the name away; so two
 * attempts at work at the same time, one of them believed dead, still publish it once.
 */
export async function publish(session: FtpSession, ledger: Ledger, file: NewPublication): Promise<Delivery> {
  const id = randomUUID();
  const delivery = {
    id,
    kind: file.kind,
    cycle: file.cycle,
    temporaryPath: `${file.staging}/${temporaryName(id, new Date())}`,
    finalPath: file.finalPath,
    size: file.bytes.length,
    sha256: sha256(file.bytes),
    createdAt: new Date(),
  };
  await session.ensureFolder(file.staging);
  await ledger.startDelivery(delivery, file.orderIds);
  await session.upload(delivery.temporaryPath, file.bytes);
  if (!(await ledger.markUploaded(id))) {
    throw new Error(`Expected the delivery ${id} to be this attempt's, got one that a later attempt gave up`);
  }
  return finishPublication(session, ledger, await ledger.delivery(id));
}

/** Takes a delivery of which the last attempt was cut to its end: published, or abandoned with its orders free again. */
export async function resumePublication(session: FtpSession, ledger: Ledger, id: string): Promise<void> {
  // Read anew: another attempt may have taken it further since it was listed.
  const delivery = await ledger.delivery(id);
  switch (delivery.state) {
    case 'uploading':
      if (await ledger.abandonDelivery(id)) await session.remove(delivery.temporaryPath);
      else await resumePublication(session, ledger, id);
      return;
    case 'uploaded':
      await finishPublication(session, ledger, delivery);
      return;
    case 'published':
    case 'withdrawing':
    case 'abandoned':
      return;
  }
}

async function finishPublication(session: FtpSession, ledger: Ledger, delivery: Delivery): Promise<Delivery> {
  // Temporary name gone = renamed, though the reply may have been lost: never rename or upload again, just note it.
  if ((await session.look(delivery.temporaryPath)) !== null) {
    if ((await session.look(delivery.finalPath)) !== null) {
      throw refused(`Expected ${delivery.finalPath} to be free, got a file that nobody took yet`);
    }
    await session.rename(delivery.temporaryPath, delivery.finalPath);
  }
  await ledger.markPublished(delivery.id, new Date());
  const published = await ledger.delivery(delivery.id);
  if (published.state !== 'published') {
    throw new Error(`Expected the delivery ${delivery.id} to be published, got one that was taken back`);
  }
  return published;
}

/** Names of our own temporary files say when they were made, by our clock: `20261124T102503Z-<id>.tmp`. */
function temporaryName(id: string, now: Date): string {
  return `${stamp(now)}-${id}.tmp`;
}

/** `20261124T102503Z` */
export function stamp(now: Date): string {
  return now.toISOString().replace(/[-:]|\.\d+/g, '');
}

const TEMPORARY = /^\d{8}T\d{6}Z-(?<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.tmp$/;

/**
 * Removes our own temporary files that nobody will rename any more: those of deliveries that were given up, and those
 * of deliveries that the ledger does not hold open once they are older than `age` ms. Gives how many.
 */
export async function sweepTemporaryFiles(
  session: FtpSession,
  ledger: Ledger,
  staging: string,
  now: Date,
  age: number,
): Promise<number> {
  const oldest = stamp(new Date(now.getTime() - age));
  const idOf = (name: string) => TEMPORARY.exec(name)?.groups?.id;
  const names = await session.list(staging);
  const states = await ledger.deliveryStates(names.flatMap((name) => idOf(name) ?? []));
  let swept = 0;
  for (const name of names) {
    const id = idOf(name);
    if (id === undefined) continue;
    const state = states.get(id);
    const isOpen = state === 'uploading' || state === 'uploaded';
    if (state !== 'abandoned' && (isOpen || name >= oldest)) continue;
    await session.remove(`${staging}/${name}`);
    swept++;
  }
  return swept;
}
