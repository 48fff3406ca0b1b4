import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { ORDER_COLUMNS, writeConfiguration } from '../sandbox/configuration.ts';
import { startFtpProxy } from '../sandbox/ftp-proxy.ts';
import type { FtpProxy } from '../sandbox/ftp-proxy.ts';
import { startSandbox } from '../sandbox/sandbox.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { Truth } from '../sandbox/truth.ts';
import { copyBlankLedger } from './blank-ledger.ts';
import { temporalAt } from './cycles.ts';
import type { Ask } from './cycles.ts';
import type { Directive } from './directive.ts';
import { startKillableFtpServer } from './ftp-under-test.ts';
import type { KillableFtpServer } from './ftp-under-test.ts';
import { superviseGateway } from './gateway-supervisor.ts';
import type { Environment, GatewaySupervisor } from './gateway-supervisor.ts';
import { isHeldFirst } from './plan.ts';
import type { Plan, Redeployment } from './plan.ts';
import { fixedPort } from './ports.ts';
import { createPostgres } from './postgres.ts';
import type { Postgres } from './postgres.ts';

/** Everything that takes part in a run. */
export interface Stage {
  readonly sandbox: Sandbox;
  readonly ftp: KillableFtpServer;
  /** Between the gateway and the FTP server; the shop and Proshop reach the server itself. */
  readonly proxy: FtpProxy;
  readonly postgres: Postgres | undefined;
  readonly gateway: GatewaySupervisor;
  readonly askTemporal: Ask;
  /** The truth at the end of each import of the shop. */
  readonly imports: readonly Truth[];
  /** Sandbox milliseconds after which the gateway gives an order up that is not whole. */
  readonly patience: number;
  /** Folder of the gateway's archive. */
  readonly archive: string;
  readonly secrets: readonly string[];
  /** What the gateway's process is to suffer from now on, and nothing else any more. */
  order(sufferings: Pick<Directive, 'kill' | 'fullDisk' | 'nap'>): void;
  /** The gateway's clock jumps by so many milliseconds. */
  moveClock(by: number): void;
  killTemporal(): Promise<void>;
  /** Deploys the gateway with these changes, and none of those before. */
  redeploy(changes: readonly Redeployment[]): Promise<void>;
  /** What the gateway's processes suffered: `kill after ftp rename`. */
  suffered(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** Real milliseconds of the shop's half hour. */
const HALF_HOUR = 5_000;
const WAITS = {
  heartbeat: '3s',
  attempt: '10s',
  exportOrders: '14s',
  deliverOrders: '12s',
  ordersTaken: '14s',
  stockExport: '16s',
  newProducts: '8s',
  prepareStock: '12s',
  updateStock: '14s',
};
/** Long enough for any order to be made, short enough to be over by the next cycle. */
const INCOMPLETE_AFTER = 3_000;
const WRONG_COLUMNS = { ...ORDER_COLUMNS, order: { ...ORDER_COLUMNS.order, id: 'numero' } };
const CHANGES_OF_TIME = { spring: '2026-03-29T01:00:00Z', autumn: '2026-10-25T01:00:00Z' } as const;
/** Milliseconds from the start of the run to the change of time. */
const BEFORE_CHANGE = 20_000;

/** Starts everything, the gateway last, with the sandbox's clock held. */
export async function setStage(plan: Plan, folder: string): Promise<Stage> {
  const closers: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const close of closers.toReversed()) await close().catch(() => undefined);
  };
  try {
    return { ...(await start(plan, folder, closers)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  plan: Plan,
  folder: string,
  closers: (() => Promise<void>)[],
): Promise<Omit<Stage, 'stop'>> {
  const ftp = await startKillableFtpServer(plan.ftp, join(folder, 'ftp'));
  closers.push(() => ftp.stop());
  const imports: Truth[] = [];
  const sandbox = await startSandbox({
    folder,
    halfHour: HALF_HOUR,
    scenario: plan.scenario,
    held: true,
    ftp,
    ...(plan.shop === 'modules' ? {} : { shop: { kind: 'webservice', version: plan.shop } }),
    settings: { notExported: plan.notExported, asciiMode: plan.asciiMode },
    onImport: (truth) => imports.push(truth),
  });
  closers.push(() => sandbox.stop());
  const proxy = await startFtpProxy(ftp);
  closers.push(() => proxy.stop());
  const postgres = plan.ledger === 'PostgreSQL' ? await createPostgres() : undefined;
  if (postgres === undefined) {
    await copyBlankLedger(join(folder, 'data', 'ledger'));
  } else {
    closers.push(() => postgres.stop());
    await postgres.start();
  }

  const hangs = plan.cycles.flat().some(({ kind }) => kind === 'mail server hangs');
  const mailPort = hangs ? await startSilentServer(closers) : null;
  const [port, uiPort] = [await fixedPort(), await fixedPort()];
  const configure = (changes: readonly Redeployment[]) =>
    writeConfiguration(sandbox, {
      folder,
      scenario: plan.scenario,
      overrides: {
        // The real clock must not start a cycle.
        schedule: { cron: '0 0 1 1 *' },
        temporal: { port, uiPort },
        shop: {
          timeout: '2s',
          ...(plan.shop === 'modules' ? {} : { incompleteAfter: `${INCOMPLETE_AFTER}ms` }),
        },
        stock: { planAge: '5s' },
        waits: { ...WAITS, ...(isHeldFirst(plan) ? { decision: '15s' } : {}) },
        ...(isHeldFirst(plan) ? { gate: { firstRun: 'hold' } } : {}),
        ...(mailPort === null ? {} : { alerts: alertsTo(mailPort) }),
        ftp: {
          port: proxy.port,
          timeout: '2s',
          ...(changes.includes('staging folder') ? { staging: '/passerelle-2' } : {}),
        },
        proshop: { margin: '100ms', ...(changes.includes('sales prefix') ? { salesPrefix: 'web' } : {}) },
        ...(changes.includes('wrong column') ? { orders: { columns: WRONG_COLUMNS } } : {}),
      },
    });
  const { path, environment } = await configure([]);
  const variables: Environment = {
    ...environment,
    ...(postgres === undefined ? {} : { DATABASE_URL: postgres.url }),
  };

  let directive: Directive = {
    journal: join(folder, 'suffered.log'),
    archive: join(folder, 'data', 'archive'),
    round: 0,
    ahead: 0,
  };
  const daylight = plan.cycles.flat().find((fault) => fault.kind === 'daylight saving');
  if (daylight !== undefined) {
    const ahead = Date.parse(CHANGES_OF_TIME[daylight.change]) - BEFORE_CHANGE - Date.now();
    directive = { ...directive, ahead };
    proxy.showTimes((time) => onTheWall(new Date(time.getTime() + ahead)));
  }
  const gateway = superviseGateway(path, variables, join(folder, 'directive.json'), directive);
  closers.push(() => gateway.stop());
  const { ask, close } = temporalAt(port);
  closers.push(close);
  await gateway.ready();
  const order = (change: Partial<Directive>) => {
    directive = { ...directive, ...change };
    gateway.order(directive);
  };

  return {
    sandbox,
    ftp,
    proxy,
    postgres,
    gateway,
    askTemporal: ask,
    imports,
    patience: INCOMPLETE_AFTER * sandbox.clock.scale,
    archive: directive.archive,
    secrets: Object.values(variables),
    order: ({ kill, fullDisk, nap }) => order({ kill, fullDisk, nap, round: directive.round + 1 }),
    moveClock: (by) => order({ ahead: directive.ahead + by }),
    killTemporal: () => killTemporal(join(folder, 'data', 'temporal.json')),
    async redeploy(changes) {
      await configure(changes);
      await gateway.redeploy({
        ...variables,
        ...(changes.includes('wrong password') ? { FTP_PASSWORD: 'un-autre-mot-de-passe' } : {}),
        ...(changes.includes('wrong key') ? { SHOP_KEY: 'X'.repeat(32) } : {}),
      });
    },
    async suffered() {
      const lines = await readFile(directive.journal, 'utf8').catch(() => '');
      return lines.split('\n').filter((line) => line !== '');
    },
  };
}

/** A server that takes connections, and never says a word. Gives its port. */
async function startSilentServer(closers: (() => Promise<void>)[]): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

function alertsTo(port: number) {
  const people = { from: 'passerelle@example.org', to: ['boutique@example.org'] };
  return { every: '500ms', mail: { host: '127.0.0.1', port, tls: 'none', ...people } };
}

/** What a clock in the shop shows, as if it were UTC. */
function onTheWall(time: Date): Date {
  const text = new Intl.DateTimeFormat('sv-SE', {
    timeZone: 'Europe/Paris',
    dateStyle: 'short',
    timeStyle: 'medium',
  }).format(time);
  return new Date(`${text.replace(' ', 'T')}Z`);
}

async function killTemporal(noteFile: string): Promise<void> {
  const note = await readFile(noteFile, 'utf8').catch(() => null);
  if (note === null) return;
  try {
    process.kill((JSON.parse(note) as { pid: number }).pid, 'SIGKILL');
  } catch {
    // Gone already, with the gateway.
  }
}
