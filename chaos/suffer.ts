import { appendFileSync, readFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { PGlite } from '@electric-sql/pglite';
import { Client as FtpClient } from 'basic-ftp';
import { Client as PgClient } from 'pg';
import { OBEY } from './directive.ts';
import type { Directive } from './directive.ts';

/** Milliseconds: longer than an attempt may last. */
const LONGEST_NAP = 13_000;

type Method = (this: unknown, ...parameters: unknown[]) => unknown;

/**
 * Makes this process suffer. It stands at the last door that each side effect goes through (FTP client, HTTP client,
 * database driver, file system) and counts them, so that nothing of the product needs to know.
 */
export function suffer(directiveFile: string): void {
  const read = () => JSON.parse(readFileSync(directiveFile, 'utf8')) as Directive;
  let directive = read();
  let effects = 0;
  let writes = 0;
  let requests = 0;
  let hasSlept = false;
  process.on(OBEY, () => {
    const { round } = directive;
    directive = read();
    if (directive.round === round) return;
    effects = 0;
    writes = 0;
    requests = 0;
    hasSlept = false;
  });
  const strike = (what: string) => appendFileSync(directive.journal, `${what}\n`);
  const die = (what: string) => {
    strike(`kill ${what}`);
    process.kill(process.pid, 'SIGKILL');
    // Not a step further: the signal may take a moment.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  };

  /** Counts a side effect that is about to begin; gives what is called when it is done. */
  const begin = (name: string): (() => void) => {
    const effect = ++effects;
    const isHit = (moment: 'before' | 'after') =>
      effect === directive.kill?.effect && moment === directive.kill.moment;
    if (isHit('before')) die(`before ${name}`);
    return () => {
      if (isHit('after')) die(`after ${name}`);
    };
  };
  const around = (target: object, key: string, nameOf: (parameters: readonly unknown[]) => string | null) => {
    const original = Reflect.get(target, key) as Method;
    const replacement: Method = function replacement(...parameters) {
      const name = nameOf(parameters);
      if (name === null) return Reflect.apply(original, this, parameters);
      const done = begin(name);
      const last = parameters.at(-1);
      if (typeof last !== 'function') {
        const result = Reflect.apply(original, this, parameters);
        if (result instanceof Promise) void whenDone(result as Promise<unknown>, done);
        return result;
      }
      const callback: Method = function callback(...results) {
        if (results[0] == null) done();
        return Reflect.apply(last as Method, this, results);
      };
      return Reflect.apply(original, this, [...parameters.slice(0, -1), callback]);
    };
    Reflect.set(target, key, replacement);
  };

  for (const key of ['uploadFrom', 'rename', 'remove', 'ensureDir'])
    around(FtpClient.prototype, key, () => `ftp ${key}`);
  around(globalThis, 'fetch', () => {
    requests++;
    return 'shop request';
  });
  around(PgClient.prototype, 'query', ([query]) => written(query));
  around(PGlite.prototype, 'query', ([query]) => written(query));
  const transaction = Reflect.get(PGlite.prototype, 'transaction') as Method;
  /** What an attempt has read is old when it goes on: another one has begun meanwhile. */
  const nap = async () => {
    const { nap, round } = directive;
    if (nap === undefined || hasSlept || requests < nap.after) return;
    hasSlept = true;
    strike('attempt sleeps before it writes');
    const end = performance.now() + LONGEST_NAP;
    while (directive.round === round && requests < nap.until && performance.now() < end) await sleep(10);
  };
  const inTransaction: Method = async function inTransaction(work) {
    await nap();
    let done = (): void => undefined;
    const result = await Reflect.apply(transaction, this, [
      async (tx: unknown) => {
        const kept = await (work as Method)(tx);
        done = begin('ledger commit');
        return kept;
      },
    ]);
    done();
    return result;
  };
  PGlite.prototype.transaction = inTransaction as typeof PGlite.prototype.transaction;

  const inArchive = (path: unknown) => typeof path === 'string' && path.startsWith(directive.archive);
  for (const key of ['rename', 'rm'])
    around(fs, key, ([path]) => (inArchive(path) ? `archive ${key}` : null));
  const open = fs.open;
  fs.open = async (...parameters) => {
    const file = await open(...parameters);
    if (inArchive(parameters[0]) && parameters[1] === 'wx') sufferWrites(file);
    return file;
  };
  const sufferWrites = (file: FileHandle) => {
    const write = file.writeFile.bind(file);
    file.writeFile = async (data) => {
      const nth = ++writes;
      const bytes = data as Uint8Array;
      const { fullDisk } = directive;
      if (fullDisk !== undefined && nth >= fullDisk.write && nth < fullDisk.write + fullDisk.writes) {
        strike('full disk in the archive');
        await write(bytes.subarray(0, bytes.length >> 1));
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      }
      const done = begin('archive write');
      await write(bytes);
      done();
    };
  };
  syncBuiltinESMExports();

  const TrueDate = Date;
  class ShiftedDate extends TrueDate {
    constructor(...parameters: readonly unknown[]) {
      super(...((parameters.length === 0 ? [ShiftedDate.now()] : parameters) as [number]));
    }

    static override now(): number {
      return TrueDate.now() + directive.ahead;
    }
  }
  globalThis.Date = ShiftedDate as DateConstructor;
}

async function whenDone(work: Promise<unknown>, done: () => void): Promise<void> {
  try {
    await work;
  } catch {
    // Not done.
    return;
  }
  done();
}

/** What a statement writes; null when it only reads. */
function written(query: unknown): string | null {
  const text = typeof query === 'string' ? query : (query as { readonly text?: string } | null)?.text;
  const [, verb] = /^\s*(insert|update|delete|commit)\b/i.exec(text ?? '') ?? [];
  return verb === undefined ? null : `ledger ${verb.toLowerCase()}`;
}
