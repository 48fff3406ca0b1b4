import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import { Client, FTPError } from 'basic-ftp';
import { isFtpReply, isNoSuchFile, refused } from './failures.ts';
import type { Secret } from './secret.ts';

export interface FtpSettings {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: Secret;
  readonly tls: 'none' | 'explicit';
  /** PEM file of the authority to trust. */
  readonly ca?: string | undefined;
  /** Milliseconds without an answer after which a connection counts as dead. */
  readonly timeout: number;
  /** Milliseconds between the two looks that must agree. */
  readonly settle: number;
  /** Nothing may be written, renamed or removed there: whatever tries is refused. */
  readonly readOnly?: boolean;
}

/** What one look at a file shows. Equal looks = the file did not change in between. */
export interface Look {
  readonly size: number;
  /** The server's own time, ISO 8601; null where it has no MDTM. Servers' clocks and zones differ: never compare with ours. */
  readonly modifiedAt: string | null;
}

/** Larger files are refused rather than read into memory. */
const LARGEST = 512 * 1024 * 1024;

export type Ftp = ReturnType<typeof createFtp>;
export type FtpSession = ReturnType<typeof createSession>;

/** Reaches one FTP server. Every call of `session` uses a connection of its own, closed whatever happens. */
export function createFtp(settings: FtpSettings) {
  return {
    /**
     * Runs `work` on a fresh connection in binary, passive mode.
     * @throws what basic-ftp throws; failures.ts sorts it.
     */
    async session<T>(work: (session: FtpSession) => Promise<T>, signal?: AbortSignal): Promise<T> {
      signal?.throwIfAborted();
      const client = new Client(settings.timeout);
      // Closing is the only way to stop a transfer that is under way.
      const abort = () => client.close();
      signal?.addEventListener('abort', abort, { once: true });
      try {
        await client.access({
          host: settings.host,
          port: settings.port,
          user: settings.user,
          password: settings.password.reveal(),
          secure: settings.tls === 'explicit',
          // A fresh object each time: basic-ftp writes the host name into it.
          secureOptions: settings.ca === undefined ? {} : { ca: await readFile(settings.ca) },
        });
        return await work(createSession(client, settings));
      } finally {
        signal?.removeEventListener('abort', abort);
        client.close();
      }
    },
  };
}

function createSession(client: Client, settings: FtpSettings) {
  const session = {
    /** Milliseconds between two looks that must agree. */
    settle: settings.settle,

    /**
     * Looks at one file. Null = gone: its folder can be entered and SIZE is refused with 550. A listing would prove
     * nothing, since servers answer it for a missing folder too.
     * @throws Refused when the folder itself is not there.
     */
    async look(path: string): Promise<Look | null> {
      await enter(posix.dirname(path));
      try {
        const size = await client.size(posix.basename(path));
        return { size, modifiedAt: await modificationTime(posix.basename(path)) };
      } catch (error) {
        if (error instanceof FTPError && error.code === 550) return null;
        throw error;
      }
    },

    /** Looks twice, a few seconds apart. */
    async lookTwice(path: string): Promise<readonly [Look | null, Look | null]> {
      const first = await session.look(path);
      await sleep(settings.settle);
      return [first, await session.look(path)];
    },

    /** Names of the files in a folder. May miss some: a file that is not listed may still be there. */
    async list(folder: string): Promise<readonly string[]> {
      await enter(folder);
      const entries = await client.list();
      return entries.filter((entry) => !entry.isDirectory).map((entry) => entry.name);
    },

    /** Names of the folders in a folder. */
    async folders(folder: string): Promise<readonly string[]> {
      await enter(folder);
      const entries = await client.list();
      return entries.filter((entry) => entry.isDirectory).map((entry) => entry.name);
    },

    async ensureFolder(folder: string): Promise<void> {
      refuseIfReadOnly(folder);
      await client.ensureDir(folder);
    },

    /** Says whether a folder is there and can be entered. */
    async hasFolder(folder: string): Promise<boolean> {
      try {
        await client.cd(folder);
        return true;
      } catch (error) {
        if (error instanceof FTPError && error.code === 550) return false;
        throw error;
      }
    },

    /** Removes an empty folder. */
    async removeFolder(folder: string): Promise<void> {
      refuseIfReadOnly(folder);
      // Not every server removes the folder that it stands in.
      await client.cd('/');
      await client.removeEmptyDir(folder);
    },

    /** What the server says that it can do beyond the first FTP, `MDTM`, `MLST`; empty when it does not say. */
    async features(): Promise<ReadonlySet<string>> {
      return new Set((await client.features()).keys());
    },

    /** How the connection is encrypted, and until when the server's certificate holds; null when it is in clear. */
    encryption(): { readonly protocol: string; readonly validTo: Date } | null {
      const { socket } = client.ftp;
      if (!(socket instanceof TLSSocket)) return null;
      return {
        protocol: socket.getProtocol() ?? 'TLS',
        validTo: new Date(socket.getPeerCertificate().valid_to),
      };
    },

    /**
     * Reads a whole file.
     * @throws when the bytes received are not as many as the server says: half a download can look like a success.
     */
    async download(path: string): Promise<Buffer> {
      const look = await session.look(path);
      // Another attempt may have taken it a moment ago: that passes.
      if (look === null) throw new Error(`Expected ${path} on the FTP server, got nothing`);
      if (look.size > LARGEST)
        throw refused(`Expected ${path} to hold at most ${LARGEST} bytes, got ${look.size}`);
      const chunks: Buffer[] = [];
      let received = 0;
      const sink = new Writable({
        write(chunk: Buffer, _encoding, done) {
          received += chunk.length;
          chunks.push(chunk);
          done(
            received > LARGEST
              ? refused(`Expected ${path} to hold at most ${LARGEST} bytes, got more`)
              : null,
          );
        },
      });
      await client.downloadTo(sink, posix.basename(path));
      const after = await session.look(path);
      if (after?.size !== received) {
        throw new Error(
          `Expected ${after?.size ?? 0} bytes of ${path}, got ${received}: it changed or the transfer was cut`,
        );
      }
      return Buffer.concat(chunks);
    },

    /**
     * Writes a whole file under a name that nobody else uses, and checks its size.
     * @throws Refused for an empty file; also when the server holds another number of bytes.
     */
    async upload(path: string, bytes: Uint8Array): Promise<void> {
      refuseIfReadOnly(path);
      // Over TLS it is over before the data connection is secured, which vsftpd and ProFTPD take for a broken one.
      if (bytes.length === 0) throw refused(`Expected bytes to write to ${path}, got an empty file`);
      await enter(posix.dirname(path));
      await client.uploadFrom(Readable.from(slices(bytes)), posix.basename(path));
      const look = await session.look(path);
      if (look?.size !== bytes.length) {
        throw new Error(
          `Expected ${bytes.length} bytes in ${path} after the upload, got ${look?.size ?? 'no file'}`,
        );
      }
    },

    /** Renames a folder to a name that is free. */
    async renameFolder(from: string, to: string): Promise<void> {
      refuseIfReadOnly(from);
      await client.rename(from, to);
    },

    /**
     * Renames a file, whose target must be a name that only this call uses: an existing one would be overwritten.
     * False when there is no such source (any more).
     */
    async rename(from: string, to: string): Promise<boolean> {
      refuseIfReadOnly(from);
      try {
        await client.rename(from, to);
        return true;
      } catch (error) {
        if (!isNoSuchFile(error)) throw error;
        if ((await session.look(from)) === null) return false;
        // The source is still there, so the server refused the rename itself: rights, or a missing target folder.
        throw refused(
          `Expected to rename ${from} to ${to}, the FTP server refused: ${(error as FTPError).message}`,
        );
      }
    },

    /** Removes a file; removing one that is not there is no fault. */
    async remove(path: string): Promise<void> {
      refuseIfReadOnly(path);
      try {
        await client.remove(path);
      } catch (error) {
        if (!isFtpReply(error) || (await session.look(path)) !== null) throw error;
      }
    },
  };
  return session;

  function refuseIfReadOnly(path: string): void {
    if (settings.readOnly)
      throw refused(
        `Expected nothing to be changed on the FTP server in mode shadow, got a change of ${path}`,
      );
  }

  async function enter(folder: string): Promise<void> {
    try {
      await client.cd(folder);
    } catch (error) {
      if (error instanceof FTPError && error.code === 550) {
        throw refused(`Expected the folder ${folder} on the FTP server, got: ${error.message}`);
      }
      throw error;
    }
  }

  async function modificationTime(name: string): Promise<string | null> {
    try {
      return (await client.lastMod(name)).toISOString();
    } catch (error) {
      if (isFtpReply(error)) return null;
      throw error;
    }
  }
}

export function sameLook(a: Look | null, b: Look | null): boolean {
  return a?.size === b?.size && a?.modifiedAt === b?.modifiedAt;
}

function* slices(bytes: Uint8Array): Generator<Buffer> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let start = 0; start < buffer.length; start += 65_536) yield buffer.subarray(start, start + 65_536);
}
