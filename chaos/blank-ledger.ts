import { existsSync, rmSync } from 'node:fs';
import { cp, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLedger } from '../src/ledger/open.ts';

/** Variable that names the folder of the blank ledger, for this process and all that it starts. */
const SHARED = 'BLANK_LEDGER';

let ready: Promise<string> | undefined;

/** Puts a PGlite with its tables and no row into `folder`: a copy, since it takes PGlite seconds to make one. */
export async function copyBlankLedger(folder: string): Promise<void> {
  await cp(await (ready ??= makeBlankLedger()), folder, { recursive: true });
}

/** Names the folder that this process and all that it starts share. Gives what removes it, when nobody had named one. */
export async function shareBlankLedger(): Promise<() => void> {
  if (process.env[SHARED] !== undefined) return () => undefined;
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-blank-'));
  process.env[SHARED] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}

async function makeBlankLedger(): Promise<string> {
  process.once('exit', await shareBlankLedger());
  const shared = process.env[SHARED]!;
  const blank = join(shared, 'ledger');
  if (existsSync(blank)) return blank;
  const made = await mkdtemp(join(shared, 'made-'));
  const open = await openLedger({ databaseUrl: undefined, folder: made });
  await open.close();
  // Another process may have been as quick.
  await rename(made, blank).catch(() => rm(made, { recursive: true }));
  return blank;
}
