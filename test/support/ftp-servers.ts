import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { startFtpServer, type FtpServer, type FtpServerOptions } from '../../sandbox/ftp-server.ts';
import {
  installedFtpServers,
  REAL_FTP_SERVERS,
  startRealFtpServer,
  type RealFtpServerKind,
  type RealFtpServerOptions,
} from '../../sandbox/ftp-servers.ts';
import { VISITOR } from './world.ts';

/** An FTP server to test on. */
export interface TestedFtpServer {
  readonly name: string;
  /** Null for the sandbox's, which runs everywhere. */
  readonly kind: RealFtpServerKind | null;
  /** True when it is reached by FTPS: it must be started with a certificate. */
  readonly tls: boolean;
  start(options: RealFtpServerOptions): Promise<FtpServer>;
}

export const SANDBOX_SERVER: TestedFtpServer = {
  name: 'the sandbox’s server',
  kind: null,
  tls: false,
  start: (options: FtpServerOptions) => startFtpServer(options),
};

/** Debian's, as shops have them. */
export const REAL_SERVERS: readonly TestedFtpServer[] = REAL_FTP_SERVERS.map((kind) =>
  real(kind, kind, false),
);

/** The one of them that the tests reach by FTPS too. */
export const FTPS_SERVER = real('proftpd', 'proftpd over FTPS', true);

/** Runs tests on each server. One that is not installed is skipped, and fails where everything must run. */
export function onEach(servers: readonly TestedFtpServer[], tests: (server: TestedFtpServer) => void): void {
  const installed = installedFtpServers();
  for (const server of servers) {
    const missing = server.kind !== null && !installed.includes(server.kind);
    const reason = missing ? `: ${server.kind} is not installed: scripts/ftp-servers.sh, as root` : '';
    describe.skipIf(missing && process.env.CI === undefined)(`on ${server.name}${reason}`, () => {
      tests(server);
    });
  }
}

/** Has the server run around these tests in a folder of its own, for VISITOR. Gives it, once they run. */
export function standsAround(tested: TestedFtpServer): () => FtpServer {
  let folder: string;
  let server: FtpServer;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'passerelle-ftp-'));
    server = await tested.start({ root: folder, ...VISITOR });
  });
  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });
  return () => server;
}

function real(kind: RealFtpServerKind, name: string, tls: boolean): TestedFtpServer {
  return { name, kind, tls, start: (options) => startRealFtpServer(kind, options) };
}
