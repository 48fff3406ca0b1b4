import type { Client } from 'basic-ftp';
import type { ScaledClock } from '../clock.ts';
import type { FtpAccess } from '../ftp-access.ts';
import { download } from '../ftp-access.ts';
import { LAYOUT } from '../sandbox.ts';
import type { OldGaps } from './gaps.ts';
import type { Passerellepy } from './passerellepy.ts';

/** What a run of either script works with. */
export interface ScriptWorld {
  readonly folder: Passerellepy;
  readonly ftp: FtpAccess;
  readonly clock: ScaledClock;
  readonly gaps: OldGaps;
  readonly salesPrefix: string;
  /** The gift vouchers that the shop sells, and the units that each is to show. Written into the script. */
  readonly vouchers: readonly { readonly reference: string; readonly units: number }[];
}

export const ORDERS = `${LAYOUT.orders.folder}/${LAYOUT.orders.name}`;
/** Sandbox milliseconds that the .exe takes to unpack itself and to start. With what follows, a run lasts under 10 seconds. */
export const STARTING = 5_000;

/** The file's bytes, whatever state it is in; undefined when there is none. */
export async function downloadIfThere(client: Client, path: string): Promise<Buffer | undefined> {
  const { code } = await client.sendIgnoringError(`SIZE ${path}`);
  return code < 400 ? download(client, path) : undefined;
}

/** `2026-11-24 10:57:04` */
export function clockTime(clock: ScaledClock): string {
  return clock.time().slice(0, 19).replace('T', ' ');
}
