import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { EventEmitter } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { FtpSrv as FtpSrvType } from 'ftp-srv';
import type { FtpAccess } from './ftp-access.ts';

const require = createRequire(import.meta.url);
const { FtpSrv } = require('ftp-srv') as { FtpSrv: typeof FtpSrvType };

interface Command {
  readonly command: { readonly arg: string };
  readonly connection: {
    readonly fs: { get(name: string): Promise<{ readonly size: number }> };
    reply(code: number, message: string): Promise<unknown>;
  };
}

// ftp-srv takes the size 0 for "no message" and answers `213 File status`, which no client can read.
const size = require('ftp-srv/src/commands/registration/size') as { handler: unknown };
size.handler = async function answerSize(
  this: Command['connection'],
  { command }: Command,
): Promise<unknown> {
  try {
    return await this.reply(213, String((await this.fs.get(command.arg)).size));
  } catch (error) {
    return this.reply(550, (error as Error).message);
  }
};

export interface FtpServer extends FtpAccess {
  /** Folder on this disk that is `/` of the FTP. */
  readonly root: string;
  stop(): Promise<void>;
}

export interface FtpServerOptions {
  readonly root: string;
  readonly user: string;
  readonly password: string;
  /** A free one when left out. */
  readonly port?: number;
}

const silent = {
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};

/** Starts an FTP server on 127.0.0.1 that serves a folder to one user. */
export async function startFtpServer(options: FtpServerOptions): Promise<FtpServer> {
  await mkdir(options.root, { recursive: true });
  const signals = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const;
  const before = signals.map((signal) => process.listeners(signal));
  const server = new FtpSrv({
    url: `ftp://127.0.0.1:${options.port ?? 0}`,
    pasv_url: '127.0.0.1',
    log: silent,
  });
  // ftp-srv's constructor makes these signals end the process; that is not a library's business.
  signals.forEach((signal, index) => {
    for (const listener of process.listeners(signal)) {
      if (before[index]?.includes(listener) !== true) process.removeListener(signal, listener);
    }
  });
  // ftp-srv looks for a free passive port and then opens it: two servers can find the same. The kernel cannot be raced.
  Object.assign(server, { getNextPasvPort: () => Promise.resolve(0) });

  server.on('login', ({ username, password }, resolve, reject) => {
    if (username === options.user && password === options.password) resolve({ root: options.root });
    else reject(new Error('Login incorrect.'));
  });
  // Without this each login and transfer waits 40 ms for a delayed acknowledgement: FEAT is sent line by line.
  (server as EventEmitter).on('connect', ({ connection }: { connection: { commandSocket: Socket } }) => {
    connection.commandSocket.setNoDelay(true);
  });
  server.on('client-error', () => undefined);
  await server.listen();
  const { port } = (server as unknown as { server: Server }).server.address() as AddressInfo;

  return {
    host: '127.0.0.1',
    port,
    user: options.user,
    password: options.password,
    root: options.root,
    stop: async () => {
      await server.close();
    },
  };
}
