import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { instant, startClock } from './clock.ts';
import type { ScaledClock } from './clock.ts';
import { withFtp } from './ftp-access.ts';
import type { FtpAccess } from './ftp-access.ts';
import { startFtpServer } from './ftp-server.ts';
import { watchImports } from './import-watch.ts';
import { openJournal } from './journal.ts';
import type { Journal } from './journal.ts';
import type { OrderExportSettings } from './order-export.ts';
import { openProshop } from './proshop.ts';
import type { ExportDamage, Proshop } from './proshop.ts';
import { oneLine } from './sales-file.ts';
import type { OrderSeed, Scenario, ScenarioEvent } from './scenario.ts';
import { openModulesShop } from './modules-shop.ts';
import type { ModulesShop } from './modules-shop.ts';
import type { Shop } from './shop.ts';
import { startShopServer } from './shop-server.ts';
import type { ShopFault, ShopJob, ShopServer } from './shop-server.ts';
import type { Truth } from './truth.ts';
import { startWebserviceShop } from './webservice-shop.ts';
import type { WebserviceAccess, WebserviceShop, WebserviceShopOptions } from './webservice-shop.ts';

export interface SandboxOptions {
  /** Folder that holds the FTP root (`ftp/`) and the truth file (`truth.json`); made when missing. */
  readonly folder: string;
  /** Real milliseconds that the shop's half hour lasts (1,800,000 / this = scale). Demo: 30_000. */
  readonly halfHour: number;
  /** Initial products, stock, orders and the script of what happens when. */
  readonly scenario: Scenario;
  /** True: the clock stands at the scenario's start until `clock.go()`. */
  readonly held?: boolean;
  /** True: the clock stands still while the process does. */
  readonly skipsStalls?: boolean;
  /** An FTP server that runs already, instead of one of the sandbox's own. */
  readonly ftp?: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly password: string;
    /** Folder on this disk that is its `/`: `folder`/ftp when left out. */
    readonly root?: string;
  };
  /** Called with the truth of the instant at which the shop has ended an import. */
  readonly onImport?: (truth: Truth) => void;
  /** How passerelle reaches the shop: by its two modules when left out. */
  readonly shop?: { readonly kind: 'webservice' } & Omit<WebserviceShopOptions, 'port'>;
  /** Ports to listen on; free ones when left out. */
  readonly ports?: { readonly ftp?: number; readonly shop?: number };
  /** What differs from the usual settings of the modules and of Proshop; times in sandbox milliseconds. */
  readonly settings?: Partial<Omit<OrderExportSettings, 'path' | 'duration'>> & {
    readonly durations?: Partial<Record<ShopJob | 'writing', number>>;
  };
}

export interface Sandbox {
  readonly ftp: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly password: string;
    /** Folder on this disk that is `/` of the FTP. */
    readonly root: string;
  };
  readonly clock: ScaledClock;
  readonly shop: Shop;
  /** Undefined for a shop that is reached by its modules. */
  readonly webservice: WebserviceAccess | undefined;
  /** The modules' cron addresses, secure key included. Throws for a shop that is reached by its Webservice, as do the others. */
  readonly urls: Readonly<Record<ShopJob, string>>;
  readonly proshop: Proshop;
  /** What really happened until now. */
  truth(): Truth;
  /** Places an order in the shop now; returns its id_order. */
  placeOrder(order: OrderSeed): number;
  /** Sells over the counter: only Proshop knows. */
  sellInStore(ean: string, quantity: number): void;
  /** Types a web order into Proshop, as a person does for gift vouchers. */
  enterByHand(order: number): void;
  /** Makes the next call of one of the modules' jobs go wrong. */
  failNext(job: ShopJob, fault: ShopFault): void;
  /** Somebody runs the Order Export module in the back office. */
  exportOrdersByHand(): Promise<void>;
  /** A shopper of the modules' shop puts units into a new cart. Returns the cart's id. */
  addToCart(ean: string, quantity: number): number;
  /** Makes Proshop's next `ExportCSV` wrong. */
  damageNextExport(damage: ExportDamage): void;
  /** Shop and Proshop work again: faults that nobody has met yet are forgotten, an import that never ends is killed. */
  recover(): void;
  /** Waits until every event of the scenario has happened. Rejects with an AbortError when the sandbox stops before. */
  scenarioOver(): Promise<void>;
  stop(): Promise<void>;
}

/** Where the files lie on the FTP; configuration.ts says the same to passerelle. */
export const LAYOUT = {
  orders: { folder: '/export', name: 'commandes' },
  import: '/import',
  stock: { folder: '/', name: 'ExportCSV', update: 'ExportCSVmod' },
  staging: '/passerelle',
  store: '008',
} as const;

const MINUTE = 60_000;

/** Starts the shop, Proshop and an FTP server, all on 127.0.0.1. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { scenario, settings = {} } = options;
  const root = options.ftp?.root ?? join(options.folder, 'ftp');
  await mkdir(root, { recursive: true });
  const own =
    options.ftp === undefined
      ? await startFtpServer({
          root,
          user: 'boutique',
          password: randomBytes(12).toString('hex'),
          ...(options.ports?.ftp === undefined ? {} : { port: options.ports.ftp }),
        })
      : undefined;
  const { host, port, user, password } = (own ?? options.ftp)!;
  const ftp = { host, port, user, password, root };
  await withFtp(ftp, async (client) => {
    await client.ensureDir(LAYOUT.orders.folder);
    await client.ensureDir(LAYOUT.import);
  });

  const clock = startClock({
    halfHour: options.halfHour,
    start: scenario.start,
    held: true,
    skipsStalls: options.skipsStalls ?? false,
  });
  const journal = openJournal(clock);
  const proshop = openProshop(
    scenario,
    {
      importFolder: LAYOUT.import,
      exportPath: `/${LAYOUT.stock.name}`,
      store: LAYOUT.store,
      writing: settings.durations?.writing ?? 2 * MINUTE,
    },
    ftp,
    clock,
    journal,
  );
  const door = await openDoor(options, ftp, clock, journal);
  const { shop } = door;

  const happen = (event: ScenarioEvent, at?: string) => {
    if ('order' in event) shop.placeOrder(event.order, at);
    else proshop.sellInStore(event.soldInStore.ean, event.soldInStore.quantity);
  };
  const haveHappened = async (past: readonly ScenarioEvent[]) => {
    for (const event of past) {
      happen(event, whole(event.at));
      await shop.settled();
    }
  };
  const events = [...scenario.events].sort((a, b) => instant(a.at) - instant(b.at));
  const isOver = (at: string) => instant(at) <= instant(scenario.start);
  const exported = scenario.previousExport;
  const isExported = (at: string) => exported !== undefined && instant(at) <= instant(exported);
  await haveHappened(events.filter(({ at }) => isExported(at)));
  if (exported !== undefined) await proshop.exportStockAtOnce(whole(exported));
  await haveHappened(events.filter(({ at }) => isOver(at) && !isExported(at)));
  const script = (async () => {
    for (const event of events.filter((candidate) => !isOver(candidate.at))) {
      await clock.reach(event.at);
      try {
        // Not the scenario's time: a busy machine may be late.
        happen(event);
      } catch (error) {
        // Sold out meanwhile: a shopper who came too late.
        journal.fault('refused order', '', (error as Error).message);
      }
    }
  })();
  const jobs = [script, proshop.run()].map((job) =>
    job.catch((error: unknown) => journal.trouble('sandbox', error)),
  );
  const endWatch = watchImports(join(root, LAYOUT.import), LAYOUT.import, journal);

  const truth = () => tell(scenario, clock, door, proshop, journal, root);
  if (options.onImport !== undefined) {
    const { onImport } = options;
    journal.importEnded = () => onImport(truth());
  }
  const truthFile = join(options.folder, 'truth.json');
  const keepTruth = () => {
    writeFileSync(`${truthFile}.new`, JSON.stringify(truth(), null, 1));
    renameSync(`${truthFile}.new`, truthFile);
  };
  const stop = async () => {
    clock.stop();
    endWatch();
    await door.stop();
    await Promise.all(jobs);
    keepTruth();
    await own?.stop();
  };
  let stopped: Promise<void> | undefined;
  if (options.held !== true) clock.go();

  return {
    ftp,
    clock,
    shop,
    webservice: door.kind === 'webservice' ? door.shop.access : undefined,
    get urls() {
      return modules(door).server.urls;
    },
    proshop,
    truth,
    placeOrder: (order) => shop.placeOrder(order),
    sellInStore: (ean, quantity) => proshop.sellInStore(ean, quantity),
    enterByHand: (id) => {
      const order = shop.orders.find((candidate) => candidate.id === id);
      if (order === undefined) throw new Error(`Expected an order of the shop, got ${id}`);
      proshop.enterByHand(id, order.lines);
    },
    failNext: (job, fault) => modules(door).server.failNext(job, fault),
    damageNextExport: (damage) => proshop.damageNextExport(damage),
    exportOrdersByHand: () => modules(door).server.exportOrdersByHand(),
    addToCart: (ean, quantity) => modules(door).shop.addToCart(ean, quantity),
    recover: () => {
      door.recover();
      proshop.recover();
    },
    scenarioOver: () => script,
    stop: () => (stopped ??= stop()),
  };
}

/** The shop, and the way in for passerelle. */
type Door = ModulesDoor | WebserviceDoor;

interface ModulesDoor {
  readonly kind: 'modules';
  readonly shop: ModulesShop;
  readonly server: ShopServer;
  recover(): void;
  stop(): Promise<void>;
}

interface WebserviceDoor {
  readonly kind: 'webservice';
  readonly shop: WebserviceShop;
  recover(): void;
  stop(): Promise<void>;
}

async function openDoor(
  { scenario, settings = {}, ports, shop: by }: SandboxOptions,
  ftp: FtpAccess,
  clock: ScaledClock,
  journal: Journal,
): Promise<Door> {
  const port = ports?.shop === undefined ? {} : { port: ports.shop };
  if (by !== undefined) {
    const shop = await startWebserviceShop(scenario, { ...by, ...port }, clock);
    return { kind: by.kind, shop, recover: () => shop.access.server.recover(), stop: () => shop.stop() };
  }
  const shop = openModulesShop(scenario, clock);
  const server = await startShopServer(
    shop,
    {
      secureKey: randomBytes(16).toString('hex'),
      ...port,
      orderExport: {
        path: `${LAYOUT.orders.folder}/${LAYOUT.orders.name}`,
        delimiter: settings.delimiter ?? ';',
        notExported: settings.notExported ?? true,
        marksUnwritten: settings.marksUnwritten ?? false,
        productsInLines: settings.productsInLines ?? true,
        asciiMode: settings.asciiMode ?? true,
        duration: settings.durations?.exportOrders ?? MINUTE / 6,
      },
      catalogImport: {
        paths: {
          importProducts: `/${LAYOUT.stock.name}`,
          updateStock: `/${LAYOUT.stock.update}`,
        },
        durations: {
          importProducts: settings.durations?.importProducts ?? 3 * MINUTE,
          updateStock: settings.durations?.updateStock ?? 5 * MINUTE,
        },
      },
    },
    ftp,
    clock,
    journal,
  );
  return { kind: 'modules', shop, server, recover: () => server.recover(), stop: () => server.stop() };
}

/** @throws for a shop that is reached by its Webservice */
function modules(door: Door): ModulesDoor {
  if (door.kind === 'modules') return door;
  throw new Error('Expected a shop with its two modules, got one that is reached by its Webservice');
}

/** `2026-11-24T10:40` as truth writes times. */
function whole(time: string): string {
  return new Date(instant(time)).toISOString().slice(0, -1);
}

function tell(
  scenario: Scenario,
  clock: ScaledClock,
  door: Door,
  proshop: Proshop,
  journal: Journal,
  root: string,
): Truth {
  const shop: Shop = door.shop;
  const { products, orders } = shop;
  const known = new Set(orders.map((order) => order.id));
  const lost = new Set(journal.orderExports.flatMap((run) => run.lost));
  const voucherReferences = new Set(scenario.vouchers.map((voucher) => voucher.reference));
  const shopStock = new Map<string, { reference: string; size: string; quantity: number }>();
  for (const product of products.filter((candidate) => !voucherReferences.has(candidate.reference))) {
    for (const variant of product.variants) {
      const others = shopStock.get(variant.ean)?.quantity ?? 0;
      shopStock.set(variant.ean, {
        reference: product.reference,
        size: variant.size,
        quantity: others + variant.quantity,
      });
    }
  }
  const seeds = new Map(
    scenario.products.flatMap((product) =>
      product.variants.map((variant) => [variant.ean, { reference: product.reference, size: variant.size }]),
    ),
  );
  return structuredClone<Truth>({
    startedAt: `${scenario.start}.000`,
    now: clock.time(),
    orders: orders.map((order) => ({
      id: order.id,
      reference: order.reference,
      placedAt: order.placedAt,
      payment: order.payment,
      paidByVoucher: order.voucher !== undefined,
      readable: order.lines.every((line) => line.gencod),
      total: order.total,
      customer: { firstname: order.customer.firstname, lastname: order.customer.lastname },
      address: oneLine([
        order.delivery.company ?? '',
        order.delivery.address1,
        order.delivery.address2 ?? '',
        order.delivery.postcode,
        order.delivery.city,
        order.delivery.country,
        order.delivery.phone ?? '',
      ]),
      lines: order.lines.map(({ ean, reference, quantity, unitPrice, gencod }) => ({
        ean,
        reference,
        quantity,
        unitPrice,
        gencod,
      })),
      taken: proshop.taken.get(order.id)?.at ?? [],
      sale: proshop.taken.get(order.id)?.sale ?? null,
      enteredByHandAt: proshop.byHand.get(order.id) ?? null,
      lostByModule: lost.has(order.id),
      ...(order.life === undefined ? {} : { life: order.life }),
    })),
    variants: [...new Set([...seeds.keys(), ...shopStock.keys()])].map((ean) => ({
      ean,
      reference: seeds.get(ean)?.reference ?? shopStock.get(ean)?.reference ?? '',
      size: seeds.get(ean)?.size ?? shopStock.get(ean)?.size ?? '',
      shop: shopStock.get(ean)?.quantity ?? null,
      proshop: proshop.stock(ean) ?? null,
    })),
    products: products.map(({ id, reference, name, price, variants }) => ({
      id,
      reference,
      name,
      price,
      variants,
    })),
    models: proshop.models,
    vouchers: scenario.vouchers.map((voucher) => ({
      reference: voucher.reference,
      initial: voucher.stock,
      shop: products
        .filter((product) => product.reference === voucher.reference)
        .reduce(
          (sum, product) =>
            product.variants.reduce((units, variant) => units + variant.quantity, sum + product.quantity),
          0,
        ),
    })),
    orderExports: journal.orderExports,
    exports: journal.exports,
    imports: journal.imports,
    carts: [...shop.carts].map(([id, lines]) => ({ id, lines })),
    unknownSales: [...proshop.taken.keys()].filter((id) => !known.has(id)),
    faults: journal.faults,
    sabotage: [...journal.sabotage, ...(door.kind === 'webservice' ? door.shop.sabotage() : [])],
    files: existsSync(root)
      ? readdirSync(root, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
          .sort()
      : [],
    ...(door.kind === 'webservice' ? { webservice: door.shop.truth() } : {}),
  });
}
