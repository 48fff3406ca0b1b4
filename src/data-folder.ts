import { chmod, mkdir, readdir, stat } from 'node:fs/promises';

/** Error thrown when the folder of `data` cannot be made this user's alone. */
export class DataFolderError extends Error {
  override readonly name = 'DataFolderError';
}

/** What passerelle keeps in it or in the archive (a folder a day), and what a disk of its own holds from the start. */
const OURS = /^(?:ledger|ledger\.lock|archive|temporal\..+|lost\+found|\d{4}-\d{2}-\d{2})$/;

/**
 * Makes the folder of `data`, or of the archive, when it is missing, readable by this user alone. One that is open to others, as
 * containers and service managers make them, is narrowed. Gives true when it was narrowed.
 * @throws {DataFolderError}
 */
export async function makePrivate(folder: string): Promise<boolean> {
  const refuse = ({ code }: NodeJS.ErrnoException): never => {
    throw new DataFolderError(
      `Expected ${folder} (setting data or archive.folder) to be a folder of passerelle's user, got ${code}: make it that user's with chown`,
    );
  };
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch(refuse);
  if (await isPrivate(folder)) return false;
  await chmod(folder, 0o700).catch(refuse);
  return true;
}

/**
 * Says whether a folder is this user's alone, or is to be narrowed. One that holds other things too is refused: narrowing
 * `/var/lib` would stop the machine.
 * @throws {DataFolderError}
 */
export async function isPrivate(folder: string): Promise<boolean> {
  const { mode } = await stat(folder);
  // Windows knows no such rights: what is in a user's profile is the user's.
  if (process.platform === 'win32' || (mode & 0o077) === 0) return true;
  const foreign = (await readdir(folder)).find((name) => !OURS.test(name));
  if (foreign === undefined) return false;
  throw new DataFolderError(
    `Expected ${folder} (setting data or archive.folder) to be readable by passerelle's user alone, got one that others can enter and that holds ${foreign} too: name a folder of its own, or run chmod 700 ${folder}`,
  );
}
