import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Error thrown when another process holds the folder. */
export class FolderBusyError extends Error {
  override readonly name = 'FolderBusyError';
}

/**
 * Holds `folder` for this process alone, by listening on a local socket beside it: the system frees it the instant the
 * process dies, however it dies, where a lock file would have to guess whether its owner still lives.
 * @throws {FolderBusyError}
 */
export async function lockFolder(folder: string): Promise<{ release(): Promise<void> }> {
  const path = socketPath(folder);
  let server = await listen(path);
  if (server === null) {
    if (await answers(path)) {
      throw new FolderBusyError(
        `Expected ${folder} to be free, got one that another passerelle has open: stop that one first, or set DATABASE_URL so that both share a PostgreSQL`,
      );
    }
    await rm(path, { force: true });
    server = await listen(path);
    if (server === null)
      throw new FolderBusyError(`Expected ${folder} to be free, got one being opened right now`);
  }
  const held = server;
  return { release: () => new Promise((resolve) => held.close(() => resolve())) };
}

/** Says whether a process holds `folder`. Changes nothing. */
export function isHeld(folder: string): Promise<boolean> {
  return answers(socketPath(folder));
}

function socketPath(folder: string): string {
  const name = `passerelle-${createHash('sha256').update(folder).digest('hex').slice(0, 16)}`;
  if (process.platform === 'win32') return `\\\\.\\pipe\\${name}`;
  // A socket's path may not be longer than 104 characters.
  return folder.length < 95 ? `${folder}.lock` : join(tmpdir(), `${name}.lock`);
}

function listen(path: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.unref();
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(null) : reject(error),
    );
    server.listen(path, () => resolve(server));
  });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    // Another account's: it is there, whoever it is.
    socket
      .once('connect', () => resolve(true))
      .once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'EACCES'));
    socket.once('close', () => socket.destroy());
  });
}
