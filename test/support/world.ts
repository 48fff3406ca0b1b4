import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { noopMetricMeter } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { parse, stringify } from 'yaml';
import { startFtpServer, type FtpServer } from '../../sandbox/ftp-server.ts';
import { createActivities, type Activities } from '../../src/activities/index.ts';
import { createArchive } from '../../src/archive.ts';
import { concealSecrets } from '../../src/concealment.ts';
import { loadConfig, type Config } from '../../src/config.ts';
import type { Cycles } from '../../src/cycles.ts';
import { readTemplate, type SalesTemplate } from '../../src/domain/sales-xml.ts';
import { toFailure } from '../../src/failures.ts';
import { createFtp, type Ftp } from '../../src/ftp.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { createMetrics } from '../../src/metrics.ts';
import { createDeps } from '../../src/worker.ts';
import { createScissors, Cut, cutting, type Scissors } from './cuts.ts';

const logger = new DefaultLogger('ERROR');
const ROOT = join(import.meta.dirname, '..', '..');

/** What the modules' cron URLs do in a test; each gives the answer's text, or a status. */
export interface ShopStub {
  exportOrders: () => Promise<string | number>;
  importProducts: () => Promise<string | number>;
  updateStock: () => Promise<string | number>;
  readonly calls: string[];
}

/** What one attempt of an activity leaves in its heartbeat for the next. */
export interface AttemptNotes {
  details: unknown;
}

/** The side effects on the FTP server, by name, as the scissors count them. */
export const FTP_EFFECTS = ['upload', 'rename', 'remove', 'ensureFolder'] as const;

/** Everything around the activities: a real FTP server, a real ledger, the modules' URLs, and scissors. */
export interface World {
  readonly config: Config;
  readonly ftpRoot: string;
  readonly shop: ShopStub;
  readonly scissors: Scissors;
  readonly activities: Activities;
  readonly ftp: Ftp;
  readonly ledger: Ledger;
  readonly template: SalesTemplate;
  /** Runs something as an activity. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Runs one attempt of an activity; what it throws is what Temporal would get. */
  attempt<T>(work: (activities: Activities) => Promise<T>, notes?: AttemptNotes): Promise<T>;
  put(path: string, content: string | Uint8Array): Promise<void>;
  /** Files on the FTP server, path -> content, made-up parts of their names left out. */
  files(): Promise<Readonly<Record<string, string>>>;
  /** Files in the archive, path -> content. */
  archived(): Promise<Readonly<Record<string, string>>>;
  stop(): Promise<void>;
}

/** A Temporal that has no schedule, and has run no cycle. */
export const NO_CYCLES: Cycles = {
  schedule: async () => null,
  recent: async () => [],
  report: async () => null,
  closed: async () => [],
  finished: async () => [],
  history: async () => null,
};

/** Metrics that nobody reads. */
export const NO_METRICS = createMetrics(noopMetricMeter);

/** Who enters the FTP server that a world stands on. */
export const VISITOR = { user: 'boutique', password: 'sesame-sesame' };

/** Starts a world, on an FTP server of its own or on a running one of VISITOR's, which it empties and lets run. */
export async function startWorld(
  ledger: Ledger,
  change: (settings: Settings) => void = () => undefined,
  standing?: FtpServer,
): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-world-'));
  const ftpServer = standing ?? (await startFtpServer({ root: join(folder, 'ftp'), ...VISITOR }));
  const ftpRoot = ftpServer.root;
  for (const name of await readdir(ftpRoot)) await rm(join(ftpRoot, name), { recursive: true });
  await mkdir(join(ftpRoot, 'export'));
  await mkdir(join(ftpRoot, 'import'));
  const shop: ShopStub = {
    exportOrders: async () => 'Exported',
    importProducts: async () => 'Import started',
    updateStock: async () => 'Import started',
    calls: [],
  };
  const server = await startShopStub(shop);
  const config = await writeConfig(folder, ftpServer, server, change);

  const conceal = concealSecrets(config);
  const scissors = createScissors();
  const real = createFtp({ ...config.ftp, readOnly: config.mode === 'shadow' });
  const ftp: Ftp = {
    session: (work, signal) =>
      real.session((session) => work(cutting(session, FTP_EFFECTS, scissors)), signal),
  };
  // Everything of the ledger that writes: what only reads is named, so that a new method is cut unless it is known to read.
  const writing = (Object.keys(ledger) as (keyof Ledger)[]).filter((method) => !READING.has(method));
  const cutLedger = cutting(ledger, writing, scissors);
  const archive = cutting(createArchive(config.archive.folder), ['write', 'add', 'purge'], scissors);
  const template = readTemplate(
    await readFile(config.proshop.template),
    'sales-template.xml',
    config.orders.columns,
  );
  const activities = createActivities(
    createDeps(config, template, { ftp, ledger: cutLedger, archive, cycles: NO_CYCLES, metrics: NO_METRICS }),
  );
  // The answer of a cron URL can be lost too, after the work was done.
  const realFetch = globalThis.fetch;
  globalThis.fetch = (...parameters) => scissors.effect('fetch', () => realFetch(...parameters));

  return {
    config,
    ftpRoot,
    shop,
    scissors,
    activities,
    template,
    run: (work) => new MockActivityEnvironment({}, { logger }).run(work),
    ftp: real,
    ledger,
    async attempt(work, notes) {
      const environment = new MockActivityEnvironment({ heartbeatDetails: notes?.details }, { logger });
      environment.on('heartbeat', (details: unknown) => {
        if (notes !== undefined) notes.details = details;
      });
      try {
        return await environment.run(() => work(activities));
      } catch (error) {
        throw error instanceof Cut ? error : toFailure(error, conceal);
      }
    },
    put: (path, content) => writeFile(join(ftpRoot, path), content),
    files: () => contents(ftpRoot),
    archived: () => contents(config.archive.folder),
    async stop() {
      globalThis.fetch = realFetch;
      server.closeAllConnections();
      server.close();
      if (standing === undefined) await ftpServer.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const READING: ReadonlySet<keyof Ledger> = new Set<keyof Ledger>([
  'appliedStock',
  'check',
  'confirmedModels',
  'cursor',
  'delivery',
  'deliveryOf',
  'deliveryStates',
  'exportOf',
  'incompleteOrders',
  'isReplaced',
  'knownOrderIds',
  'lastAppliedExport',
  'lastExport',
  'lastLook',
  'notedBy',
  'openCall',
  'openDeliveries',
  'openModels',
  'ordersByState',
  'ordersForPeople',
  'ordersIn',
  'unitsIn',
  'ordersItMayHold',
  'ordersSeen',
  'ordersToSend',
  'outstanding',
  'reflectedBy',
  'salesToRead',
  'shopMoves',
  'shopRows',
  'stagingFolders',
  'standing',
  'takeBacksForPeople',
  'takenSince',
  'unconfirmedUpdates',
  'unwatchedUntil',
  'unnoted',
  'unnumberedSettled',
  'untakenDeliveries',
  'warnings',
]);

export interface Settings {
  ftp: Record<string, unknown>;
  shop: Record<string, unknown>;
  orders: Record<string, unknown>;
  stock: Record<string, unknown>;
  gate: Record<string, unknown>;
  [section: string]: unknown;
}

async function writeConfig(
  folder: string,
  ftpServer: FtpServer,
  server: Server,
  change: (settings: Settings) => void,
): Promise<Config> {
  const settings = parse(await readFile(join(ROOT, 'passerelle.example.yaml'), 'utf8')) as Settings;
  settings.ftp = {
    ...settings.ftp,
    host: ftpServer.host,
    port: ftpServer.port,
    user: ftpServer.user,
    settle: '20ms',
  };
  settings.gate = { firstRun: 'apply' };
  // Long: a test passes it on a clock of its own.
  settings.shop = { ...settings.shop, timeout: '30s' };
  settings.proshop = {
    ...(settings.proshop as object),
    template: join(ROOT, 'sandbox', 'sales-template.xml'),
    margin: '0s',
  };
  change(settings);
  const path = join(folder, 'passerelle.yaml');
  await writeFile(path, stringify(settings));
  const url = (job: string) =>
    `http://127.0.0.1:${(server.address() as AddressInfo).port}/${job}?secure_key=k3y-k3y-k3y`;
  return loadConfig(path, {
    FTP_PASSWORD: VISITOR.password,
    SHOP_EXPORT_ORDERS_URL: url('exportOrders'),
    SHOP_IMPORT_PRODUCTS_URL: url('importProducts'),
    SHOP_UPDATE_STOCK_URL: url('updateStock'),
  });
}

async function startShopStub(shop: ShopStub): Promise<Server> {
  const server = createServer((request, response) => {
    const job = new URL(request.url ?? '', 'http://shop').pathname.slice(1) as Exclude<
      keyof ShopStub,
      'calls'
    >;
    shop.calls.push(job);
    const respond = async () => {
      const answer = await shop[job]();
      if (typeof answer === 'number') response.writeHead(answer, { location: 'http://elsewhere.invalid/' });
      response.end(String(answer));
    };
    void respond();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

async function contents(root: string): Promise<Readonly<Record<string, string>>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const pairs = await Promise.all(
    files.map(async (file) => {
      const bytes = await readFile(file);
      return [anonymous(relative(root, file)), readable(bytes)] as const;
    }),
  );
  return Object.fromEntries(pairs.sort(([a], [b]) => a.localeCompare(b)));
}

function anonymous(name: string): string {
  return name
    .replace(/\d{8}T\d{6}Z/g, '<when>')
    .replace(/[0-9a-f-]{36}/g, '<id>')
    .replace(/-[0-9a-f]{8}(?=\.)/g, '-<id>');
}

/** Text as it is but for the time of writing and ids; bytes that are no UTF-8 as their digest. */
function readable(bytes: Buffer): string {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b)
    return readable(gunzipSync(bytes)).replace(/\d{4}-\d\d-\d\dT[\d:.]+Z|[0-9a-f-]{36}/g, '<made>');
  const text = bytes.toString('utf8');
  return text.includes('\uFFFD')
    ? createHash('sha256').update(bytes).digest('hex')
    : text.replace(/\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}|\d{2}\/\d{2}\/\d{4} \d{2}:\d{2}(:\d{2})?/g, '<when>');
}
