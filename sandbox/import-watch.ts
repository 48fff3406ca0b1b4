import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Journal } from './journal.ts';
import { parseXml, XmlError } from './xml.ts';

/**
 * Watches the import folder on the FTP server's own disk, so that a file that shows itself before it is whole is a fault
 * even when Proshop does not look at that moment. Returns what ends the watch.
 */
export function watchImports(folder: string, ftpFolder: string, journal: Journal): () => void {
  const look = async (name: string) => {
    try {
      parseXml((await readFile(join(folder, name), 'utf8')).replace(/^\uFEFF/, ''));
    } catch (error) {
      // Anything else: it is gone again, or a folder.
      if (!(error instanceof XmlError)) return;
      journal.fault('partial file in import', `${ftpFolder}/${name}`, error.message);
    }
  };
  const watcher = watch(folder, { persistent: false }, (_event, name) => {
    if (name === null) return;
    void look(name);
  });
  watcher.on('error', () => undefined);
  return () => watcher.close();
}
