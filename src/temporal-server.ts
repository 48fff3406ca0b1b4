import { spawn, spawnSync } from 'node:child_process';
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';

export interface EmbeddedTemporal {
  readonly address: string;
  readonly uiUrl: string;
  /** True when it was running already: left by a gateway that was killed. */
  readonly adopted: boolean;
  /** Resolves when the server has ended, whoever ended it. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

export interface EmbeddedTemporalOptions {
  /** The `temporal` program. */
  readonly program: string;
  /** Holds the SQLite file, the server's log and the note of its process. */
  readonly folder: string;
  readonly port: number;
  readonly uiPort: number;
  readonly retentionDays: number;
}

/** Error thrown when the embedded Temporal cannot run; its message says what to do. */
export class TemporalServerError extends Error {
  override readonly name = 'TemporalServerError';
}

interface ProcessNote {
  readonly pid: number;
  readonly port: number;
  readonly uiPort: number;
}

const START_TIMEOUT = 30_000;
const HOST = '127.0.0.1';

/**
 * Runs Temporal's own single-process server on loopback, with its history in a SQLite file. It is in a process group
 * of its own: an interrupt in the terminal must reach the worker first, and a killed gateway must not take it along.
 * @throws {TemporalServerError}
 */
export async function startEmbeddedTemporal(options: EmbeddedTemporalOptions): Promise<EmbeddedTemporal> {
  const { program, folder, port, uiPort, retentionDays } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const database = join(folder, 'temporal.db');
  const notePath = join(folder, 'temporal.json');
  const logPath = join(folder, 'temporal.log');

  const left = await readNote(notePath);
  if (left !== null && isOurServer(left.pid, database)) {
    if (left.port === port && left.uiPort === uiPort && (await answers(port, START_TIMEOUT))) {
      return running(left.pid, true);
    }
    await stopProcess(left.pid);
  }
  for (const taken of [port, uiPort]) {
    if (await isListening(taken)) {
      throw new TemporalServerError(
        `Expected port ${taken} to be free for the embedded Temporal, got one in use: set temporal.port and temporal.uiPort, or TEMPORAL_ADDRESS to use a Temporal that runs already`,
      );
    }
  }

  const log = await open(logPath, 'w', 0o600);
  const parameters = `server start-dev --ip ${HOST} --ui-ip ${HOST} --port ${port} --ui-port ${uiPort} --log-level warn --dynamic-config-value frontend.WorkflowPauseEnabled=true`;
  const child = spawn(program, [...parameters.split(' '), '--db-filename', database], {
    detached: true,
    env: serverEnvironment(),
    stdio: ['ignore', log.fd, log.fd],
  });
  const failed = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? code}`));
  });
  child.unref();
  await log.close();
  if (child.pid === undefined) {
    throw new TemporalServerError(`Expected to start ${program}, got: ${await failed}`);
  }
  const note: ProcessNote = { pid: child.pid, port, uiPort };
  await writeFile(notePath, JSON.stringify(note), { mode: 0o600 });
  const outcome = await Promise.race([answers(port, START_TIMEOUT), failed]);
  if (outcome !== true) {
    await stopProcess(child.pid);
    const said = (await readFile(logPath, 'utf8').catch(() => '')).trim().split('\n').slice(-3).join(' | ');
    throw new TemporalServerError(
      `Expected the embedded Temporal to answer on port ${port}, got ${outcome === false ? 'no answer' : outcome} (${said}; ${logPath})`,
    );
  }
  return running(child.pid, false);

  async function running(pid: number, adopted: boolean): Promise<EmbeddedTemporal> {
    const address = `${HOST}:${port}`;
    await keepHistories(address, retentionDays);
    return {
      address,
      uiUrl: `http://${HOST}:${uiPort}`,
      adopted,
      ended: untilEnded(pid),
      async stop() {
        await stopProcess(pid);
        await rm(notePath, { force: true });
      },
    };
  }
}

/** What the server needs of our environment: the rest holds the secrets of the FTP and the shop. */
function serverEnvironment(): NodeJS.ProcessEnv {
  const names = ['PATH', 'HOME', 'TMPDIR', 'TZ', 'SystemRoot', 'USERPROFILE', 'TEMP'];
  const needed = names.flatMap((name) =>
    process.env[name] === undefined ? [] : [[name, process.env[name]]],
  );
  // Left to itself it asks the makers' site for newer versions.
  return { ...Object.fromEntries(needed), TEMPORAL_VERSION_CHECK_DISABLED: '1' };
}

/** The server keeps closed workflows for a day unless told otherwise. */
async function keepHistories(address: string, days: number): Promise<void> {
  const connection = await Connection.connect({ address });
  try {
    await connection.workflowService.updateNamespace({
      namespace: 'default',
      config: { workflowExecutionRetentionTtl: { seconds: (days * 24 * 60 * 60) as never } },
    });
  } finally {
    await connection.close();
  }
}

/** An adopted server is not this process's child: its end can only be seen by looking. */
async function untilEnded(pid: number): Promise<void> {
  while (send(pid, 0)) await sleep(1_000, undefined, { ref: false });
}

async function readNote(path: string): Promise<ProcessNote | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as ProcessNote;
  } catch {
    // Never written, or cut while it was: then there is no server to find.
    return null;
  }
}

/** A process id can be given to another program after a crash: only one that has our database open is ours. */
function isOurServer(pid: number, database: string): boolean {
  const { stdout } = spawnSync(
    process.platform === 'linux' ? 'cat' : 'ps',
    process.platform === 'linux' ? [`/proc/${pid}/cmdline`] : ['-o', 'command=', '-p', String(pid)],
    { encoding: 'utf8' },
  );
  return (stdout ?? '').includes(database);
}

async function answers(port: number, timeout: number): Promise<boolean> {
  const end = Date.now() + timeout;
  for (;;) {
    try {
      const connection = await Connection.connect({ address: `${HOST}:${port}`, connectTimeout: 1_000 });
      await connection.close();
      return true;
    } catch {
      if (Date.now() > end) return false;
      await sleep(100);
    }
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, HOST);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function stopProcess(pid: number): Promise<void> {
  for (const [signal, patience] of [['SIGTERM', 10_000] as const, ['SIGKILL', 5_000] as const]) {
    if (!send(pid, signal)) return;
    for (const end = Date.now() + patience; Date.now() < end; await sleep(50)) if (!send(pid, 0)) return;
  }
}

function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
