import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type TraceName = 'Trace1' | 'Trace2';

/** The folder « Passerellepy » on the old server's disk: all that the scripts remember from one run to the next. */
export interface Passerellepy {
  /** Adds a line to a trace. That a long one moves to « ArchiveTrace » is not simulated. */
  write(trace: TraceName, line: string): void;
  lines(trace: TraceName): readonly string[];
  /** Numbers of the orders that were sent. */
  sent(): ReadonlySet<number>;
  addSent(orders: readonly number[]): void;
  /** Keeps a sales file in « ArchiveExport ». */
  keep(name: string, bytes: Buffer): void;
  /** What « ArchiveExport » holds, by name. */
  archive(): ReadonlyMap<string, Buffer>;
}

const ARCHIVE = 'ArchiveExport';
const SENT = 'commandes_envoyees.txt';

/** Opens the folder, with what stands there already. */
export function openPasserellepy(folder: string): Passerellepy {
  const archive = join(folder, ARCHIVE);
  mkdirSync(archive, { recursive: true });
  const append = (name: string, lines: readonly (string | number)[]) => {
    appendFileSync(join(folder, name), lines.map((line) => `${line}\r\n`).join(''));
  };
  const read = (name: string): readonly string[] => {
    const file = join(folder, name);
    return existsSync(file) ? readFileSync(file, 'utf8').split('\r\n').slice(0, -1) : [];
  };

  return {
    write: (trace, line) => append(`${trace}.txt`, [line]),
    lines: (trace) => read(`${trace}.txt`),
    sent: () => new Set(read(SENT).map(Number)),
    addSent: (orders) => append(SENT, orders),
    keep: (name, bytes) => writeFileSync(join(archive, name), bytes),
    archive: () => new Map(readdirSync(archive).map((name) => [name, readFileSync(join(archive, name))])),
  };
}
