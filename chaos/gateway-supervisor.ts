import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { BUNDLE_FILE, DIRECTIVE_FILE, OBEY } from './directive.ts';
import type { Directive } from './directive.ts';

/** The gateway as a service manager runs it: started again whenever it ends. */
export interface GatewaySupervisor {
  /** Everything that its processes wrote. */
  log(): string;
  /** Resolves once it runs. @throws after a minute. */
  ready(): Promise<void>;
  /** Tells the running process, and each one after it, what to suffer. A kill strikes once. */
  order(directive: Directive): void;
  /** Milliseconds until it is started again the next time that it ends. */
  restartAfter(milliseconds: number): void;
  /** Ends it with SIGKILL; it is started again. */
  kill(): void;
  /** Ends it with SIGTERM, and starts it with another environment. */
  redeploy(environment: Environment): Promise<void>;
  stop(): Promise<void>;
}

export type Environment = Readonly<Record<string, string>>;

const PROGRAM = fileURLToPath(new URL('gateway.ts', import.meta.url));
const ROOT = join(import.meta.dirname, '..');
const BUNDLE_FOLDER = mkdtempSync(join(tmpdir(), 'passerelle-bundle-'));
const BUNDLE = join(BUNDLE_FOLDER, 'bundle.json');
process.once('exit', () => rmSync(BUNDLE_FOLDER, { recursive: true, force: true }));
const RUNNING = 'Passerelle is running';

/** Starts the gateway with the configuration at `path`. */
export function superviseGateway(
  path: string,
  environment: Environment,
  directiveFile: string,
  first: Directive,
): GatewaySupervisor {
  let directive = first;
  let current: { readonly child: ChildProcess; readonly began: number } | undefined;
  let log = '';
  const stopped = new AbortController();
  let pause = 0;
  let variables = environment;

  const write = () => writeFileSync(directiveFile, JSON.stringify(directive));
  const run = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      write();
      const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM, path], {
        cwd: ROOT,
        env: {
          PATH: process.env.PATH,
          ...variables,
          [DIRECTIVE_FILE]: directiveFile,
          [BUNDLE_FILE]: BUNDLE,
        },
      });
      current = { child, began: log.length };
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => (log += text));
      }
      await once(child, 'close');
      current = undefined;
      if (child.signalCode === 'SIGKILL') directive = { ...directive, kill: undefined };
      if (stopped.signal.aborted) return;
      await sleep(pause);
      // A service manager does not hurry either.
      pause = 200;
    }
  };
  const ended = run();
  const isRunning = () => current !== undefined && log.includes(RUNNING, current.began);
  const terminate = async () => {
    const child = current?.child;
    if (child === undefined || child.exitCode !== null) return;
    const closed = once(child, 'close');
    child.kill('SIGTERM');
    const patience = setTimeout(() => child.kill('SIGKILL'), 15_000);
    await closed;
    clearTimeout(patience);
  };

  return {
    log: () => log,
    async ready() {
      for (const end = Date.now() + 60_000; !isRunning(); await sleep(50)) {
        if (Date.now() > end)
          throw new Error(`Expected the gateway to run within a minute, got: ${log.slice(-2_000)}`);
      }
    },
    order(next) {
      directive = next;
      write();
      if (isRunning()) current?.child.kill(OBEY);
    },
    restartAfter(milliseconds) {
      pause = milliseconds;
    },
    kill: () => void current?.child.kill('SIGKILL'),
    async redeploy(next) {
      variables = next;
      pause = 0;
      await terminate();
    },
    async stop() {
      stopped.abort();
      await terminate();
      await ended;
    },
  };
}
