import { posix } from 'node:path';
import { FTPError } from 'basic-ftp';
import { matches } from './domain/wildcard.ts';
import { isRefused } from './failures.ts';
import { sameLook, type FtpSession, type Look } from './ftp.ts';
import type { SightingKind } from './ledger/sightings.ts';

/** Where the jobs that passerelle replaces leave their files. */
export interface OldGatewayPlaces {
  /** The shop's orders files. A * in the name stands for a date. */
  readonly orders: { readonly folder: string; readonly name: string };
  /** Proshop's, where any file is a sales file. */
  readonly importFolder: string;
  /** ExportCSVmod. */
  readonly updatePath: string;
}

/** A file as one look showed it. */
export interface StandingFile {
  readonly kind: SightingKind;
  readonly path: string;
  readonly look: Look;
}

/**
 * What stands on the FTP server now. Reads names, sizes and times, and nothing else: no job is disturbed by it.
 * @param known what stood there before: that a listing lacks it proves nothing
 */
export async function lookAround(
  session: FtpSession,
  { orders, importFolder, updatePath }: OldGatewayPlaces,
  known: Iterable<Pick<StandingFile, 'kind' | 'path'>>,
): Promise<readonly StandingFile[]> {
  const names = async (folder: string, isWanted: (name: string) => boolean) =>
    (await session.list(folder)).filter(isWanted).map((name) => posix.join(folder, name));
  const kinds = new Map<string, SightingKind>([[updatePath, 'update']]);
  for (const { kind, path } of known) kinds.set(path, kind);
  for (const path of await names(orders.folder, (name) => matches(orders.name, name)))
    kinds.set(path, 'orders');
  for (const path of await names(importFolder, () => true)) kinds.set(path, 'sales');
  const standing: StandingFile[] = [];
  for (const [path, kind] of kinds) {
    const look = await session.look(path);
    if (look !== null) standing.push({ kind, path, look });
  }
  return standing;
}

/** Copies a file that stays where it is. Null when it changed or went meanwhile, or the server does not give it now. */
export async function copyStanding(
  session: FtpSession,
  { path, look }: Pick<StandingFile, 'path' | 'look'>,
): Promise<Buffer | null> {
  let bytes: Buffer;
  try {
    bytes = await session.download(path);
  } catch (error) {
    // Some servers refuse a file that is being uploaded. One file must not keep the others from being copied.
    if (error instanceof FTPError || isRefused(error)) return null;
    // Taken or overwritten half-way: that is no fault of the connection's.
    if (!sameLook(await session.look(path), look)) return null;
    throw error;
  }
  return sameLook(await session.look(path), look) ? bytes : null;
}
