import { startFtpServer } from '../sandbox/ftp-server.ts';
import type { FtpServer } from '../sandbox/ftp-server.ts';
import { startRealFtpServer } from '../sandbox/ftp-servers.ts';
import type { FtpKind } from './plan.ts';
import { fixedPort } from './ports.ts';

/** An FTP server that can be killed and started again, on the same port and with the same files. */
export interface KillableFtpServer extends FtpServer {
  /** Does nothing when it is down. */
  kill(): Promise<void>;
  /** Does nothing when it runs. */
  start(): Promise<void>;
}

/** Starts one of the four. */
export async function startKillableFtpServer(kind: FtpKind, root: string): Promise<KillableFtpServer> {
  const access = { root, user: 'boutique', password: 'mot-de-passe-du-ftp', port: await fixedPort() };
  const server = await (kind === 'ftp-srv' ? ownServer(access) : realServer(kind, access));
  let isUp = true;
  return {
    ...access,
    host: '127.0.0.1',
    async kill() {
      if (!isUp) return;
      isUp = false;
      await server.kill();
    },
    async start() {
      if (isUp) return;
      isUp = true;
      await server.start();
    },
    stop: () => server.stop(),
  };
}

type Access = Parameters<typeof startFtpServer>[0];

interface Server {
  start(): Promise<unknown>;
  kill(): Promise<void>;
  stop(): Promise<void>;
}

async function ownServer(access: Access): Promise<Server> {
  let server = await startFtpServer(access);
  const stop = () => server.stop();
  return {
    kill: stop,
    start: async () => {
      server = await startFtpServer(access);
    },
    stop,
  };
}

async function realServer(kind: Exclude<FtpKind, 'ftp-srv'>, access: Access): Promise<Server> {
  const server = await startRealFtpServer(kind, access);
  return { kill: () => server.kill(), start: () => server.start(), stop: () => server.stop() };
}
