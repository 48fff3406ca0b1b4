import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import type { FtpServer, FtpServerOptions } from './ftp-server.ts';

export const REAL_FTP_SERVERS = ['vsftpd', 'pure-ftpd', 'proftpd'] as const;
export type RealFtpServerKind = (typeof REAL_FTP_SERVERS)[number];

export interface RealFtpServerOptions extends FtpServerOptions {
  /** PEM files. With them, who comes without TLS is refused: `ftp.tls: explicit`. */
  readonly tls?: { readonly key: string; readonly certificate: string };
}

export interface RealFtpServer extends FtpServer {
  readonly kind: RealFtpServerKind;
  /** Process number of the server as it runs now. */
  readonly pid: number;
  /** Kills the server and its connections as they are; files and port stay. */
  kill(): Promise<void>;
  /** Starts a killed server again, on the same port. */
  start(): Promise<void>;
}

/** What `scripts/ftp-servers.sh` has put here and this process may run: all three begin as root. */
export function installedFtpServers(): readonly RealFtpServerKind[] {
  if (process.getuid?.() !== 0) return [];
  return REAL_FTP_SERVERS.filter((kind) => existsSync(programOf(kind)));
}

/**
 * Starts one of Debian's FTP servers on 127.0.0.1, with Debian's settings and the right to write. It serves a folder as
 * `/` to one user, who is none of the machine's and whose files belong to the user of this process.
 * @throws with what the server said, when it does not listen within 5 s.
 */
export async function startRealFtpServer(
  kind: RealFtpServerKind,
  options: RealFtpServerOptions,
): Promise<RealFtpServer> {
  if (!installedFtpServers().includes(kind)) {
    throw new Error(`${kind} is not installed: run scripts/ftp-servers.sh as root`);
  }
  await mkdir(options.root, { recursive: true });
  const place = await mkdtemp(join(tmpdir(), `passerelle-${kind}-`));
  const setup: Setup = {
    place,
    port: options.port ?? (await freePort()),
    users: await writeUsers(place, options),
    tls: options.tls,
  };
  const command = await COMMANDS[kind](setup);
  let running: ChildProcess | undefined;
  const killNow = () => {
    if (running?.pid !== undefined && !hasEnded(running)) killTree(running.pid);
  };
  // A test that is interrupted leaves no server behind.
  const atExit = () => {
    killNow();
    rmSync(place, { recursive: true, force: true });
  };
  process.once('exit', atExit);

  const server: RealFtpServer = {
    kind,
    host: '127.0.0.1',
    port: setup.port,
    user: options.user,
    password: options.password,
    root: options.root,
    get pid() {
      if (running?.pid === undefined) throw new Error(`Expected ${kind} to run, got one that was killed`);
      return running.pid;
    },
    async start() {
      if (running !== undefined) throw new Error(`Expected ${kind} to be killed, got one that runs`);
      running = await launch(kind, command, place);
      try {
        await listening(running, setup.port);
      } catch (error) {
        await server.kill();
        const said = await readFile(join(place, 'output'), 'utf8');
        throw new Error(`${kind} did not start: ${(error as Error).message} ${said}`, { cause: error });
      }
    },
    async kill() {
      if (running === undefined) return;
      const gone = ended(running);
      killNow();
      await gone;
      running = undefined;
    },
    async stop() {
      await server.kill();
      process.removeListener('exit', atExit);
      await rm(place, { recursive: true, force: true });
    },
  };
  try {
    await server.start();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

interface Setup {
  /** Folder of this server's own, for its settings and what it writes. */
  readonly place: string;
  readonly port: number;
  /** Its users, in the format of /etc/passwd. */
  readonly users: string;
  readonly tls: RealFtpServerOptions['tls'];
}

interface Command {
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

const COMMANDS: Record<RealFtpServerKind, (setup: Setup) => Promise<Command>> = {
  vsftpd: async ({ place, port, users, tls }) => {
    await mkdir(join(place, 'empty'));
    const settings = {
      listen: 'YES',
      listen_address: '127.0.0.1',
      listen_port: port,
      background: 'NO',
      // As Debian ships it.
      anonymous_enable: 'NO',
      local_enable: 'YES',
      dirmessage_enable: 'YES',
      use_localtime: 'YES',
      xferlog_enable: 'YES',
      connect_from_port_20: 'YES',
      // As a shop's host sets it: its user may write, and sees nothing but its folder.
      write_enable: 'YES',
      chroot_local_user: 'YES',
      allow_writeable_chroot: 'YES',
      // Debian's service for programs that brought no file of their own: pam_unix, which asks the C library.
      pam_service_name: 'other',
      secure_chroot_dir: join(place, 'empty'),
      xferlog_file: join(place, 'xferlog'),
      ...(tls === undefined
        ? {}
        : {
            ssl_enable: 'YES',
            force_local_logins_ssl: 'YES',
            force_local_data_ssl: 'YES',
            rsa_cert_file: tls.certificate,
            rsa_private_key_file: tls.key,
          }),
    };
    const file = join(place, 'vsftpd.conf');
    await writeFile(file, lines(Object.entries(settings).map(([name, value]) => `${name}=${value}`)));
    return { arguments: [file], environment: withUsers(users) };
  },

  'pure-ftpd': async ({ place, port, users, tls }) => ({
    arguments: [
      `--bind=127.0.0.1,${port}`,
      '--forcepassiveip=127.0.0.1',
      '--noanonymous',
      '--dontresolve',
      '--maxclientsnumber=50',
      '--maxclientsperip=50',
      `--pidfile=${join(place, 'pid')}`,
      // Users in its own format cannot belong to root, those of the C library can.
      '--login=unix',
      '--minuid=0',
      ...(tls === undefined ? [] : ['--tls=2', `--certfile=${tls.certificate},${tls.key}`]),
    ],
    environment: withUsers(users),
  }),

  proftpd: async ({ place, port, users, tls }) => {
    const settings = [
      'UseIPv6 off',
      'DefaultAddress 127.0.0.1',
      'SocketBindTight on',
      `Port ${port}`,
      'UseReverseDNS off',
      'WtmpLog off',
      // As Debian ships it.
      'ServerName "Debian"',
      'ServerType standalone',
      'DeferWelcome off',
      'DefaultServer on',
      'ShowSymlinks on',
      'TimeoutNoTransfer 600',
      'TimeoutStalled 600',
      'TimeoutIdle 1200',
      'ListOptions "-l"',
      'DenyFilter \\*.*/',
      'MaxInstances 30',
      'User nobody',
      'Group nogroup',
      'Umask 022 022',
      'AllowOverwrite on',
      // The one user.
      'DefaultRoot ~',
      'AuthOrder mod_auth_file.c',
      `AuthUserFile ${users}`,
      'RequireValidShell off',
      'RootLogin on',
      // It would make each login take as long as the slowest so far.
      'DelayEngine off',
      `PidFile ${join(place, 'pid')}`,
      `ScoreboardFile ${join(place, 'scoreboard')}`,
      `TransferLog ${join(place, 'xferlog')}`,
      `SystemLog ${join(place, 'log')}`,
      ...(tls === undefined
        ? []
        : [
            `ModulePath ${join(folderOf('proftpd'), 'usr', 'lib', 'proftpd')}`,
            'LoadModule mod_tls.c',
            'TLSEngine on',
            'TLSRequired on',
            `TLSRSACertificateFile ${tls.certificate}`,
            `TLSRSACertificateKeyFile ${tls.key}`,
          ]),
    ];
    const file = join(place, 'proftpd.conf');
    await writeFile(file, lines(settings));
    return { arguments: ['--nodaemon', '--config', file], environment: {} };
  },
};

/** Writes the users that the server shall know instead of the machine's: its visitor, and the nobody it turns into. */
async function writeUsers(place: string, options: FtpServerOptions): Promise<string> {
  // The quickest hash to check: tests come in by the hundred.
  const hash = execFileSync('openssl', ['passwd', '-1', '-stdin'], {
    input: options.password,
    encoding: 'utf8',
  }).trim();
  const { uid, gid } = userInfo();
  const file = join(place, 'passwd');
  // Pure-FTPd shuts a user of number 0 into its folder only where a `.` says so; the others read over it.
  const users = [
    `${options.user}:${hash}:${uid}:${gid}::${options.root}/./:/bin/sh`,
    'nobody:x:65534:65534::/:/usr/sbin/nologin',
  ];
  await writeFile(file, lines(users), { mode: 0o600 });
  return file;
}

/** Makes the C library give a program these users instead of the machine's. */
function withUsers(users: string): Readonly<Record<string, string>> {
  return { LD_PRELOAD: 'libnss_wrapper.so', NSS_WRAPPER_PASSWD: users, NSS_WRAPPER_GROUP: '/etc/group' };
}

async function launch(kind: RealFtpServerKind, command: Command, place: string): Promise<ChildProcess> {
  // vsftpd tells on its standard input why it does not start.
  const output = await open(join(place, 'output'), 'w+');
  try {
    return spawn(programOf(kind), command.arguments, {
      cwd: place,
      stdio: [output.fd, output.fd, output.fd],
      env: {
        LD_LIBRARY_PATH: librariesOf(kind).join(':'),
        // Paris, told so that no time zone files are needed: servers that answer in local time show it.
        TZ: 'CET-1CEST,M3.5.0,M10.5.0/3',
        ...command.environment,
      },
    });
  } finally {
    await output.close();
  }
}

/** Waits until the server listens; one that ended instead may have left its port to another server. */
async function listening(server: ChildProcess, port: number): Promise<void> {
  // Asked of the kernel: ProFTPD lets a caller wait for up to 400 ms after another one has left.
  const socket = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  for (const deadline = Date.now() + 5_000; ; await sleep(10)) {
    if (hasEnded(server)) throw new Error('it ended.');
    if ((await readFile('/proc/net/tcp', 'utf8')).includes(`${socket} 00000000:0000 0A`)) return;
    if (Date.now() > deadline) throw new Error('it does not listen after 5 s.');
  }
}

function ended(server: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (hasEnded(server)) resolve();
    server.once('exit', () => resolve());
    server.once('error', () => resolve());
  });
}

function hasEnded(server: ChildProcess): boolean {
  return server.exitCode !== null || server.signalCode !== null;
}

/** Kills a process with all that it started: vsftpd gives each connection a session and group of its own. */
function killTree(pid: number): void {
  // Stopped first, so that it starts nothing more while its children are looked up.
  if (!signal(pid, 'SIGSTOP')) return;
  childrenOf(pid).forEach(killTree);
  signal(pid, 'SIGKILL');
}

function childrenOf(pid: number): readonly number[] {
  if (!existsSync(`/proc/${pid}/task/${pid}`)) return [];
  const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return list === '' ? [] : list.split(' ').map(Number);
}

/** False when there is no such process (any more). */
function signal(pid: number, name: 'SIGSTOP' | 'SIGKILL'): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

function folderOf(kind: RealFtpServerKind): string {
  return join(import.meta.dirname, '..', '.tools', 'ftp', kind);
}

/** The folders, named after the processor, of the libraries that came with a server. */
function librariesOf(kind: RealFtpServerKind): readonly string[] {
  return ['lib', 'usr/lib']
    .map((folder) => join(folderOf(kind), folder))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    .filter((folder) => folder.includes('-linux-gnu'));
}

function programOf(kind: RealFtpServerKind): string {
  return join(folderOf(kind), 'usr', 'sbin', kind);
}

function lines(text: readonly string[]): string {
  return `${text.join('\n')}\n`;
}
