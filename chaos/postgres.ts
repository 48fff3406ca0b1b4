import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { chmod, cp, mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fixedPort } from './ports.ts';

/** A PostgreSQL of our own on loopback, to be killed. */
export interface Postgres {
  readonly url: string;
  /** Does nothing when it runs. */
  start(): Promise<void>;
  /** SIGKILL of the whole of it. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

const VERSIONS = '/usr/lib/postgresql';
let made: Promise<string> | undefined;

/** Makes a database of its own. @throws where Debian's postgresql is not installed. */
export async function createPostgres(): Promise<Postgres> {
  made ??= makeCluster();
  const model = await made;
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-pg-'));
  const data = join(folder, 'data');
  await cp(model, data, { recursive: true });
  await chmod(data, 0o700);
  ours(folder);
  const port = await fixedPort();
  let server: ChildProcess | undefined;

  const kill = async () => {
    const killed = server;
    server = undefined;
    if (killed?.pid === undefined || killed.exitCode !== null) return;
    const ended = once(killed, 'exit');
    // The postmaster's children are in its process group.
    process.kill(-killed.pid, 'SIGKILL');
    await ended;
  };
  return {
    url: `postgres://passerelle@127.0.0.1:${port}/postgres`,
    async start() {
      if (server !== undefined) return;
      const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`];
      const parameters = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])];
      server = spawn(program('postgres'), parameters, { ...account(), detached: true, stdio: 'ignore' });
      await untilListening(port);
    },
    kill,
    async stop() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Initialised once, and copied for each run. */
async function makeCluster(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-pg-model-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  ours(folder);
  const data = join(folder, 'data');
  execFileSync(program('initdb'), ['-D', data, '-U', 'passerelle', '-A', 'trust'], {
    ...account(),
    stdio: 'ignore',
  });
  return data;
}

function program(name: string): string {
  const [version] = existsSync(VERSIONS) ? readdirSync(VERSIONS).sort().toReversed() : [];
  if (version === undefined)
    throw new Error('Expected PostgreSQL on this machine: apt-get install postgresql');
  return join(VERSIONS, version, 'bin', name);
}

/** PostgreSQL refuses to run as root. */
function account(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres']));
  return { uid: id('-u'), gid: id('-g') };
}

function ours(folder: string): void {
  if (process.getuid?.() === 0) execFileSync('chown', ['-R', 'postgres:', folder]);
}

async function untilListening(port: number): Promise<void> {
  for (const end = Date.now() + 20_000; Date.now() < end; await sleep(50)) {
    const isUp = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true));
      socket.once('error', () => resolve(false)).once('close', () => undefined);
      socket.once('connect', () => socket.destroy());
    });
    if (isUp) return;
  }
  throw new Error(`Expected PostgreSQL to listen on port ${port} within 20 s, got nothing`);
}
