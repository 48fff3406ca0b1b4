import type { Archive, ArchivedFile } from '../archive.ts';
import type { Sighting } from '../ledger/sightings.ts';

/** True when two looks, `settle` ms apart, showed the same file. */
export function isSettled({ seenAt, goneAt }: Sighting, lastLook: Date, settle: number): boolean {
  return (goneAt ?? lastLook).getTime() - seenAt.getTime() >= settle;
}

/** The bytes of a copy; null when there is none, or its time in the archive is over. */
export async function readCopy(archive: Archive, sighting: Sighting): Promise<Buffer | null> {
  if (sighting.sha256 === null) return null;
  try {
    return await archive.read(copyOf(sighting));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** @throws when it was not copied: `unnoted` gives none of these. */
export function copyOf({ path, size, sha256, archivedPath }: Sighting): ArchivedFile {
  if (archivedPath === null || sha256 === null) throw new Error(`Expected a copy of ${path}, got none`);
  return { path: archivedPath, size, sha256 };
}
