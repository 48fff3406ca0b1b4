import { fileURLToPath } from 'node:url';
import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { join, posix, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { Client, Connection, type ConnectionOptions } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import {
  bundleWorkflowCode,
  DefaultLogger,
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
  Worker,
  type ActivityInterceptorsFactory,
  type WorkerStatus,
} from '@temporalio/worker';
import pino, { type Logger } from 'pino';
import { beat } from './activities/heartbeat.ts';
import { createActivities, type Deps } from './activities/index.ts';
import { createAlerts } from './alerts.ts';
import { createArchive, type Archive } from './archive.ts';
import { sentInClear } from './clear-text.ts';
import { concealSecrets } from './concealment.ts';
import { ConfigError, loadConfig, ordersFileConfig, type Config } from './config.ts';
import { createCycles, type Cycles } from './cycles.ts';
import { DataFolderError, makePrivate } from './data-folder.ts';
import { readTemplate, TemplateError, type SalesTemplate } from './domain/sales-xml.ts';
import { toFailure } from './failures.ts';
import { expectComparable } from './format/compare-sales.ts';
import { createFtp, type Ftp } from './ftp.ts';
import { gatewayChecks, startHealth } from './health.ts';
import { FolderBusyError } from './ledger/folder-lock.ts';
import type { Ledger } from './ledger/ledger.ts';
import { openLedger } from './ledger/open.ts';
import { BUCKETS, createMetrics, type Metrics } from './metrics.ts';
import type { OldGatewayPlaces } from './old-gateway.ts';
import { createModulesShop } from './prestashop/modules.ts';
import { untouchedShop, type Shop } from './prestashop/shop.ts';
import { createWebserviceShop } from './prestashop/webservice/shop.ts';
import { createProshop } from './proshop/proshop.ts';
import { TASK_QUEUE, upsertSchedules } from './schedule.ts';
import { startEmbeddedTemporal, TemporalServerError, type EmbeddedTemporal } from './temporal-server.ts';
import { upsertShadowWatch, upsertWatch } from './watch.ts';

export interface Gateway {
  readonly client: Client;
  /** Null when TEMPORAL_ADDRESS names a cluster. */
  readonly uiUrl: string | null;
  /** Resolves when the worker has stopped, however that came. */
  readonly stopped: Promise<void>;
  stop(): Promise<void>;
}

const ROOT = join(import.meta.dirname, '..');

/** Wires everything from the configuration, upserts the schedules and starts the worker. The only composition root. */
export async function startGateway(config: Config, log: Logger = createLog(config)): Promise<Gateway> {
  // The embedded database and Temporal make files too, with the rights that this leaves: their user's alone.
  process.umask(0o077);
  const templateFile = relative('.', config.proshop.template);
  const template = readTemplate(
    readTemplateFile(config.proshop.template),
    templateFile,
    // The Webservice tells every field.
    config.shop.kind === 'modules' ? config.orders.columns : undefined,
  );
  if (config.mode === 'shadow') expectComparable(template, templateFile);
  for (const what of sentInClear(config)) log.warn(`Sent unencrypted over the network, ${what}`);
  const keepsData = config.databaseUrl === undefined || !config.externalTemporal;
  for (const folder of [...(keepsData ? [config.data] : []), config.archive.folder]) {
    if (await makePrivate(folder)) log.warn({ folder }, 'A folder was open to other users, and is no more');
  }
  const archive = createArchive(config.archive.folder);

  const open = await openLedger({
    databaseUrl: config.databaseUrl,
    folder: join(config.data, 'ledger'),
  }).catch(orStartError('the PostgreSQL of DATABASE_URL to take us in'));
  const closers: (() => Promise<void>)[] = [() => open.close()];
  const closeAll = async () => {
    for (const close of closers.toReversed()) {
      await close().catch((error: unknown) => log.error({ error }, 'Could not close cleanly'));
    }
  };
  try {
    installRuntime(config, log);
    const temporal = await connectTemporal(config, log, closers);
    const client = new Client({ connection: temporal.connection, namespace: temporal.namespace });
    await upsertSchedules(client, config);
    await upsertWatch(client, config);
    await upsertShadowWatch(client, config);
    const deps = createDeps(config, template, {
      ftp: createFtp({ ...config.ftp, readOnly: config.mode === 'shadow' }),
      ledger: open.ledger,
      archive,
      cycles: createCycles(client),
      metrics: createMetrics(Runtime.instance().metricMeter),
    });
    void tellOfShop(deps.shop, log);
    let workerStatus = (): WorkerStatus | null => null;
    await startMonitoring(config, log, { client, ...deps, worker: () => workerStatus() }, closers);
    const worker = await Worker.create({
      connection: temporal.native,
      namespace: temporal.namespace,
      taskQueue: TASK_QUEUE,
      workflowBundle: await bundleWorkflowCode({
        workflowsPath: join(import.meta.dirname, 'workflows', 'index.ts'),
        // Webpack's account of each start is of no use to an operator.
        logger: new DefaultLogger('WARN'),
      }),
      activities: createActivities(deps),
      interceptors: { activity: [activityInterceptors(config)] },
      shutdownGraceTime: '20s',
    });
    workerStatus = () => worker.getStatus();
    const shutdown = () => {
      // A worker that is stopping, or has stopped, cannot be shut down again.
      if (worker.getState() === 'RUNNING') worker.shutdown();
    };
    const run = async () => {
      let temporalIsGone = false;
      const watch = async () => {
        await temporal.ended;
        temporalIsGone = worker.getState() === 'RUNNING';
        shutdown();
      };
      void watch();
      try {
        await worker.run();
      } finally {
        await closeAll();
      }
      if (temporalIsGone) {
        throw new TemporalServerError(
          'Expected the embedded Temporal to run as long as the gateway, got its end',
        );
      }
    };
    const stopped = run();
    // Whoever awaits it gets its failure; nobody awaiting it is no reason to crash before everything is closed.
    stopped.catch(() => undefined);
    log.info(
      { ledger: open.description, archive: config.archive.folder, schedule: config.schedule.cron },
      'Passerelle is running',
    );
    return {
      client,
      uiUrl: temporal.uiUrl,
      stopped,
      async stop() {
        shutdown();
        await stopped;
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** Answers probes and keeps the gauges true, where the configuration wants it. */
async function startMonitoring(
  config: Config,
  log: Logger,
  parts: Parameters<typeof gatewayChecks>[0] & { readonly metrics: Metrics },
  closers: (() => Promise<void>)[],
): Promise<void> {
  const { host, health: port, metrics } = config.monitoring;
  if (metrics !== null) {
    const stopping = new AbortController();
    const counting = keepCounting(parts, log, stopping.signal);
    closers.push(async () => {
      stopping.abort();
      await counting;
    });
  }
  if (port !== null) {
    const conceal = concealSecrets(config);
    const health = await startHealth(
      { host, port },
      gatewayChecks(parts),
      (error) => toFailure(error, conceal).message,
    ).catch(orStartError(`to listen on ${host}, port ${port} (monitoring.health)`));
    closers.push(() => health.close());
  }
}

/** Tells the metrics how the orders stand, again and again: another worker may have changed it. */
async function keepCounting(
  { ledger, metrics }: { readonly ledger: Ledger; readonly metrics: Metrics },
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  let isTold = false;
  while (!signal.aborted) {
    try {
      metrics.ordersStand(await ledger.ordersByState());
      isTold = false;
    } catch (error) {
      if (!isTold) log.warn({ error }, 'The orders could not be counted for the metrics');
      isTold = true;
    }
    await sleep(COUNTING, undefined, { signal }).catch(() => undefined);
  }
}

/** Milliseconds between two counts: a usual pace of Prometheus. */
const COUNTING = 15_000;

/** Says what the shop can do and what our key may not. A shop that is down now may be up when a cycle needs it. */
async function tellOfShop(shop: Shop, log: Logger): Promise<void> {
  try {
    const { shop: name, missing } = await shop.check(AbortSignal.timeout(SHOP_PATIENCE));
    log.info({ shop: name }, 'The shop that it works for');
    if (missing.length > 0)
      log.warn({ missing }, 'The key lacks rights that passerelle needs: docs/prestashop.md lists them');
  } catch (error) {
    log.warn({ error }, 'The shop could not be asked what it can do');
  }
}

const SHOP_PATIENCE = 60_000;

/** Error thrown when the gateway cannot start for a reason that an operator can mend. */
class StartError extends Error {
  override readonly name = 'StartError';
}

function orStartError(expected: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof Error) || error instanceof FolderBusyError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new StartError(`Expected ${expected}, got: ${error.message || code}`, { cause: error });
  };
}

function readTemplateFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new StartError(
      `Expected the sales template ${path} (proshop.template) to be readable, got ${(error as NodeJS.ErrnoException).code}: start from sandbox/sales-template.xml, docs/formats.md says how`,
    );
  }
}

/** Builds what the activities work with from the ends; the tests put ends of their own in. */
export function createDeps(
  config: Config,
  template: SalesTemplate,
  ends: {
    readonly ftp: Ftp;
    readonly ledger: Ledger;
    readonly archive: Archive;
    readonly cycles: Cycles;
    readonly metrics: Metrics;
  },
): Deps {
  const { staging } = config.ftp;
  const shop = createShop(config, ends);
  const proshop = createProshop(ends, { proshop: config.proshop, staging });
  // Nothing is waited for to stand still there.
  const shopFiles = config.shopFiles
    ? createFtp({ ...config.shopFiles, settle: 0, readOnly: config.mode === 'shadow' })
    : null;
  return {
    config,
    template,
    shop,
    proshop,
    shopFiles,
    alerts: createAlerts(config.alerts),
    oldGateway: placesOfOldGateway(config),
    ...ends,
  };
}

function placesOfOldGateway(config: Config): OldGatewayPlaces | null {
  if (config.shop.kind !== 'modules') return null;
  return {
    orders: ordersFileConfig(config),
    importFolder: config.proshop.importFolder,
    updatePath: posix.join(config.proshop.exportFolder, config.stock.updateName),
  };
}

function createShop(config: Config, ends: { readonly ftp: Ftp; readonly ledger: Ledger }): Shop {
  const { shop } = config;
  if (config.mode === 'shadow') return untouchedShop;
  switch (shop.kind) {
    case 'modules':
      return createModulesShop(ends, {
        shop,
        orders: ordersFileConfig(config),
        staging: config.ftp.staging,
        updatePath: posix.join(config.proshop.exportFolder, config.stock.updateName),
        exportPath: posix.join(config.proshop.exportFolder, config.proshop.exportName),
        planAge: config.stock.planAge,
        exportEvery: config.proshop.every,
      });
    case 'webservice': {
      const { url, key, timeout, concurrency, states } = shop;
      return createWebserviceShop(ends, {
        address: { url, key, timeout, concurrency },
        orders: {
          firstOrder: shop.firstOrder,
          soldStates: states.sold,
          cancelledStates: states.cancelled,
          stockBackStates: states.stockBack,
          overlap: shop.overlap,
          patience: shop.incompleteAfter,
          timeZone: config.timeZone,
        },
        products: { ...shop.newProducts, patience: 2 * timeout, concurrency },
        stock: { batch: shop.batch, concurrency, rounds: shop.closingRounds },
      });
    }
  }
}

/** Keeps every attempt's sign of life going, and sorts whatever it throws into the table of failures.ts. */
export function activityInterceptors(config: Config): ActivityInterceptorsFactory {
  const conceal = concealSecrets(config);
  return (context) => ({
    inbound: {
      async execute(input, next) {
        const every = Math.max(100, (context.info.heartbeatTimeoutMs ?? 30_000) / 3);
        const timer = setInterval(() => beat(context), every);
        try {
          return await next(input);
        } catch (error) {
          throw toFailure(error, conceal);
        } finally {
          clearInterval(timer);
        }
      },
    },
  });
}

interface TemporalConnections {
  readonly connection: Connection;
  readonly native: NativeConnection;
  readonly namespace: string;
  readonly uiUrl: string | null;
  /** Resolves when the embedded server ends; never for a cluster. */
  readonly ended: Promise<void>;
}

async function connectTemporal(
  config: Config,
  log: Logger,
  closers: (() => Promise<void>)[],
): Promise<TemporalConnections> {
  let embedded: EmbeddedTemporal | null = null;
  let options: ConnectionOptions;
  let namespace = 'default';
  if (config.externalTemporal) {
    const external = loadClientConnectConfig();
    options = external.connectionOptions;
    namespace = external.namespace ?? namespace;
  } else {
    embedded = await startEmbeddedTemporal({
      program: config.temporalCli ?? join(ROOT, '.tools', 'temporal'),
      folder: config.data,
      ...config.temporal,
    });
    const server = embedded;
    closers.push(() => server.stop());
    options = { address: embedded.address };
    log.info({ webUi: embedded.uiUrl, adopted: embedded.adopted }, 'Embedded Temporal is up');
  }
  const connection = await Connection.connect(options).catch(
    orStartError(`Temporal to answer at ${options.address}`),
  );
  closers.push(() => connection.close());
  const native = await NativeConnection.connect(options as Parameters<typeof NativeConnection.connect>[0]);
  closers.push(() => native.close());
  return {
    connection,
    native,
    namespace,
    uiUrl: embedded?.uiUrl ?? null,
    ended: embedded?.ended ?? new Promise(() => undefined),
  };
}

let runtimeInstalled = false;

/** Temporal's runtime is one a process, and must be there before any connection. */
function installRuntime({ monitoring: { host, metrics } }: Config, log: Logger): void {
  if (runtimeInstalled) return;
  runtimeInstalled = true;
  const bindAddress = `${isIPv6(host) ? `[${host}]` : host}:${metrics}`;
  try {
    Runtime.install({
      // The SDK's native part logs through the same logger, and so through the same concealment.
      telemetryOptions: {
        logging: { filter: makeTelemetryFilterString({ core: 'WARN' }), forward: {} },
        ...(metrics === null
          ? {}
          : {
              metrics: {
                attachServiceName: false,
                prometheus: { bindAddress, histogramBucketOverrides: BUCKETS },
              },
            }),
      },
      // The composition root listens to signals itself: Temporal's own handlers are gone before everything is closed.
      shutdownSignals: [],
      logger: new DefaultLogger('INFO', ({ level, message, meta }) => {
        log[LEVELS[level]]({ ...meta }, message);
      }),
    });
  } catch (error) {
    orStartError(`to listen on ${host}, port ${metrics} (monitoring.metrics)`)(error);
  }
}

const LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

/** A JSON line an entry, without any secret. */
export function createLog(config: Config, out: NodeJS.WritableStream = process.stdout): Logger {
  const conceal = concealSecrets(config);
  return pino(
    { base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers: { error: pino.stdSerializers.err } },
    { write: (line: string) => void out.write(conceal(line)) },
  );
}

async function main(path: string): Promise<void> {
  // What loadConfig itself says names secrets, and never shows one.
  let conceal = (text: string) => text;
  try {
    const config = loadConfig(path);
    conceal = concealSecrets(config);
    const gateway = await startGateway(config);
    stopOnSignal(gateway);
    await gateway.stopped;
  } catch (error) {
    const told = isForPeople(error) ? (error as Error).message : inspect(error);
    process.stderr.write(`${conceal(told)}\n`);
    // Everything of ours is closed. Temporal's runtime, which nothing has used yet, would keep the process for ever.
    process.exit(1);
  }
}

/** Stops the gateway at the first of these signals. npm and a terminal may each send one: the others change nothing. */
export function stopOnSignal(gateway: Gateway): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => void gateway.stop());
}

/** Errors whose message says all that an operator needs; any other is a defect and shows its stack. */
function isForPeople(error: unknown): boolean {
  return [ConfigError, TemplateError, StartError, DataFolderError, FolderBusyError, TemporalServerError].some(
    (kind) => error instanceof kind,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv[2] ?? 'passerelle.yaml');
