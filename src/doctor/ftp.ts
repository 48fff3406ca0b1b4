import { randomUUID } from 'node:crypto';
import { posix } from 'node:path';
import type { Config } from '../config.ts';
import { isFtpReply } from '../failures.ts';
import { createFtp, type Ftp, type FtpSession, type FtpSettings } from '../ftp.ts';
import { stamp } from '../publication.ts';
import { attempt, isRefusal, said, tellCertificate, type Tell } from './finding.ts';

/**
 * Examines the FTP server that shop, Proshop and passerelle share. Each check has a connection of its own. In mode shadow
 * nothing is written there.
 */
export async function examineFtp(
  { mode, ftp: settings, shop, orders, proshop }: Config,
  tell: Tell,
  signal: AbortSignal,
): Promise<void> {
  const ftp = createFtp({ ...settings, readOnly: mode === 'shadow' });
  if (!(await examineLogin(ftp, settings, tell, signal))) return;
  const folders = [
    ['orders.folder', shop.kind === 'modules' ? orders.folder : undefined],
    ['proshop.importFolder', proshop.importFolder],
    ['proshop.exportFolder', proshop.exportFolder],
  ] as const;
  for (const [setting, folder] of folders) {
    if (folder !== undefined) await examineFolder(ftp, setting, folder, tell, signal);
  }
  if (mode === 'shadow') tell('ok', 'unwritten');
  else await examineStaging(ftp, settings.staging, tell, signal);
}

/** Examines the way to the shop's own files; nothing where there is none. */
export async function examineShopFiles(
  { mode, shopFiles }: Config,
  tell: Tell,
  signal: AbortSignal,
): Promise<void> {
  if (shopFiles === undefined) return;
  // Nothing is waited for to stand still there.
  const settings = { ...shopFiles, settle: 0, readOnly: mode === 'shadow' };
  const ftp = createFtp(settings);
  if (await examineLogin(ftp, settings, tell, signal))
    await examineFolder(ftp, 'shopFiles.cache', shopFiles.cache, tell, signal);
}

async function examineLogin(
  ftp: Ftp,
  { host, port }: FtpSettings,
  tell: Tell,
  signal: AbortSignal,
): Promise<boolean> {
  const place = `${host}:${port}`;
  try {
    const encryption = await ftp.session(async (session) => session.encryption(), signal);
    tell('ok', 'login', place);
    if (encryption !== null) tellCertificate(tell, `${place} (${encryption.protocol})`, encryption.validTo);
    return true;
  } catch (error) {
    tell('fault', isRefusal(error) ? 'login' : 'connection', place, said(error));
    return false;
  }
}

async function examineFolder(
  ftp: Ftp,
  setting: string,
  folder: string,
  tell: Tell,
  signal: AbortSignal,
): Promise<void> {
  await attempt(
    tell,
    'folder',
    `${folder} (${setting})`,
    () => ftp.session((session) => session.list(folder), signal),
    (files) => files.length,
  );
}

/**
 * Does with a file of its own what passerelle does in its staging folder, and leaves nothing. Never anywhere else:
 * Proshop takes any file from its folder.
 */
async function examineStaging(ftp: Ftp, staging: string, tell: Tell, signal: AbortSignal): Promise<void> {
  // Named as passerelle's own temporary files are: what a killed doctor leaves, a later cycle sweeps away.
  const name = () => `${staging}/${stamp(new Date())}-${randomUUID()}.tmp`;
  const [first, second] = [name(), name()] as const;
  let made: readonly string[] = [];
  let mayStand: readonly string[] = [];
  try {
    await ftp.session(async (session) => {
      made = await missingFolders(session, staging);
      const isThere = await attempt(
        tell,
        'folder',
        `${staging} (ftp.staging)`,
        async () => {
          await session.ensureFolder(staging);
          return session.list(staging);
        },
        (files) => files.length,
      );
      if (!isThere) return;
      // RFC 3659: MLST stands for both.
      tell((await session.features()).has('MLST') ? 'ok' : 'warning', 'mlsd');
      if (!(await attempt(tell, 'size', '', () => session.look(first)))) return;

      mayStand = [first, second];
      const begun = Date.now();
      if (!(await attempt(tell, 'write', staging, () => session.upload(first, PROBE)))) return;
      const ended = Date.now();
      const modifiedAt = (await session.look(first))?.modifiedAt ?? null;
      tell(modifiedAt === null ? 'warning' : 'ok', 'mdtm');
      if (modifiedAt !== null) tellClock(tell, Date.parse(modifiedAt), begun, ended);

      const isRenamed = await attempt(tell, 'rename', staging, async () => {
        if (!(await session.rename(first, second)))
          throw new Error(`Expected to rename ${first}, the FTP server found no such file`);
      });
      const isRemoved = await attempt(tell, 'remove', staging, async () => {
        const path = isRenamed ? second : first;
        await session.remove(path);
        if ((await session.look(path)) !== null) throw new Error(`Expected ${path} to be gone, got it still`);
      });
      if (isRemoved) mayStand = [];
    }, signal);
  } catch (error) {
    tell('fault', 'connection', staging, said(error));
  }
  if (made.length + mayStand.length > 0) await clearAway(ftp, mayStand, made, tell);
}

const PROBE = Buffer.from('passerelle doctor\n');

/** Folders on the way to `folder`, itself included, that are not there; the innermost first. */
async function missingFolders(session: FtpSession, folder: string): Promise<readonly string[]> {
  const missing: string[] = [];
  for (let path = posix.resolve(folder); path !== '/'; path = posix.dirname(path)) {
    if (await session.hasFolder(path)) break;
    missing.push(path);
  }
  return missing;
}

/** Seconds from which on two clocks differ. */
const LEAST_DIFFERENCE = 60;

/** Tells by how many seconds the server's clock is ahead of ours, by a file that was written between two instants. */
function tellClock(tell: Tell, shown: number, begun: number, ended: number): void {
  const ahead = shown - Math.min(Math.max(shown, begun), ended);
  const seconds = Math.trunc(ahead / 1_000);
  tell(Math.abs(seconds) < LEAST_DIFFERENCE ? 'ok' : 'warning', 'clock', '', seconds);
}

/** Removes what a check that was cut, or refused, may have left; on a connection of its own, and also when time is over. */
async function clearAway(
  ftp: Ftp,
  files: readonly string[],
  folders: readonly string[],
  tell: Tell,
): Promise<void> {
  try {
    await ftp.session(async (session) => {
      for (const path of files) await session.remove(path);
      for (const path of folders) {
        // ftp-srv removes a file of that name too: only a folder, which was not there before, is ours to remove.
        if (!(await session.hasFolder(path))) continue;
        await session.removeFolder(path).catch((error: unknown) => {
          // Somebody uses it by now.
          if (!isFtpReply(error)) throw error;
        });
      }
    });
  } catch (error) {
    tell('warning', 'leftover', [...files, ...folders].join(', '), said(error));
  }
}
