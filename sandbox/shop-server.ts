import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CatalogImportSettings } from './catalog-import.ts';
import { importCatalog } from './catalog-import.ts';
import type { ScaledClock } from './clock.ts';
import type { FtpAccess } from './ftp-access.ts';
import type { Journal } from './journal.ts';
import type { OrderExportSettings } from './order-export.ts';
import { exportOrders } from './order-export.ts';
import type { ModulesShop } from './modules-shop.ts';
import type { ImportJob } from './truth.ts';

export type ShopJob = 'exportOrders' | ImportJob;

/** How the shop can answer one call wrongly. The job is done only where it is said. */
export type ShopFault =
  /** No answer, ever. */
  | 'hang'
  | 'status 500'
  | 'status 503'
  /** 302 to another address of the shop, which answers 200. */
  | 'redirect'
  /** 200 with a PHP error's text. */
  | 'error text'
  /** No answer within anybody's patience; the job is done all the same, long after. */
  | 'late'
  /** The job is done, the connection breaks instead of the answer. */
  | 'answer lost'
  /** 200, and the import stops half-way without an end (imports only). */
  | 'never ends';

/** The shop's web server with the two modules' cron addresses. */
export interface ShopServer {
  readonly urls: Readonly<Record<ShopJob, string>>;
  /** Makes the next call of a job go wrong. */
  failNext(job: ShopJob, fault: ShopFault): void;
  /** Somebody runs the Order Export module in the back office. */
  exportOrdersByHand(): Promise<void>;
  /** Forgets the faults that no call has met yet, and has the hosting kill an import that never ends. */
  recover(): void;
  stop(): Promise<void>;
}

export interface ShopServerOptions {
  readonly secureKey: string;
  readonly orderExport: OrderExportSettings;
  readonly catalogImport: CatalogImportSettings;
  /** A free one when left out. */
  readonly port?: number;
}

const PATHS = {
  exportOrders: '/modules/ordersexport/automatic_export.php',
  import: '/modules/simpleimportproduct/automatic_import.php',
  /** The same job's other address: a front controller. */
  importController: '/module/simpleimportproduct/ScheduledProductsImport',
} as const;
/** Sandbox milliseconds. */
const LATE = 12 * 60_000;
const SETTINGS: Readonly<Record<ShopJob, string>> = {
  exportOrders: 'CommandesProshop',
  importProducts: 'NouveauProduitImport',
  updateStock: 'MajProduitImport0',
};

/** Starts the shop's web server on 127.0.0.1. */
export async function startShopServer(
  shop: ModulesShop,
  options: ShopServerOptions,
  ftp: FtpAccess,
  clock: ScaledClock,
  journal: Journal,
): Promise<ShopServer> {
  const faults = new Map<ShopJob, ShopFault[]>();
  let importing: Promise<void> | undefined;
  let killStuck = (): void => undefined;

  const answer = (response: ServerResponse, status: number, body: string) => {
    response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' }).end(body);
  };
  const startImport = (job: ImportJob, neverEnds: boolean): boolean => {
    if (importing !== undefined) return false;
    const stuck = neverEnds ? new Promise<void>((resolve) => (killStuck = resolve)) : undefined;
    importing = importCatalog(job, shop, options.catalogImport, ftp, clock, journal, stuck).finally(() => {
      importing = undefined;
    });
    return true;
  };

  const run = async (job: ShopJob, response: ServerResponse): Promise<void> => {
    const fault = faults.get(job)?.shift();
    if (fault !== undefined) journal.sabotage.push(`shop ${job}: ${fault}`);
    switch (fault) {
      case 'hang':
        return;
      case 'status 500':
      case 'status 503':
        answer(response, Number(fault.slice(-3)), '<h1>Service indisponible</h1>');
        return;
      case 'redirect':
        response.writeHead(302, { location: '/maintenance' }).end();
        return;
      case 'error text':
        answer(response, 200, 'Fatal error: Allowed memory size of 134217728 bytes exhausted');
        return;
      case 'late':
        await clock.pass(LATE);
        break;
      case 'answer lost':
      case 'never ends':
      case undefined:
        break;
      default:
        throw new Error(`Expected a fault of the shop, got ${String(fault satisfies never)}`);
    }
    let body = '';
    if (job === 'exportOrders') {
      try {
        await exportOrders(shop, options.orderExport, ftp, clock, journal);
      } catch (error) {
        journal.trouble('shop exportOrders', error);
        body = 'Error: file was not uploaded to the FTP server';
      }
    } else if (!startImport(job, fault === 'never ends')) body = 'Other import is running now';
    if (fault === 'answer lost') response.destroy();
    else answer(response, 200, body);
  };

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const settings = url.searchParams.get('settings');
    const job = (Object.keys(SETTINGS) as ShopJob[]).find((candidate) => {
      const paths =
        candidate === 'exportOrders' ? [PATHS.exportOrders] : [PATHS.import, PATHS.importController];
      return (paths as readonly string[]).includes(url.pathname) && SETTINGS[candidate] === settings;
    });
    if (url.pathname === '/maintenance') answer(response, 200, '<h1>Site en maintenance</h1>');
    else if (job === undefined) answer(response, 404, '<h1>404</h1>');
    // A module is a PHP script that prints and ends: a wrong key is a text, not a status.
    else if (url.searchParams.get('secure_key') !== options.secureKey)
      answer(response, 200, 'Access denied!');
    else {
      run(job, response).catch((error: unknown) => {
        journal.trouble(`shop ${job}`, error);
        response.destroy();
      });
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const urlOf = (path: string, job: ShopJob, more: string) =>
    `http://127.0.0.1:${port}${path}?settings=${SETTINGS[job]}&id_shop=1${more}&secure_key=${options.secureKey}`;

  return {
    urls: {
      exportOrders: urlOf(PATHS.exportOrders, 'exportOrders', ''),
      importProducts: urlOf(PATHS.import, 'importProducts', '&id_lang=1'),
      updateStock: urlOf(PATHS.importController, 'updateStock', '&id_lang=1&action=importProducts'),
    },
    failNext: (job, fault) => {
      faults.set(job, [...(faults.get(job) ?? []), fault]);
    },
    exportOrdersByHand: async () => {
      journal.sabotage.push('orders exported by hand');
      try {
        await exportOrders(shop, options.orderExport, ftp, clock, journal, true);
      } catch (error) {
        journal.trouble('shop exportOrders', error);
      }
    },
    recover: () => {
      faults.clear();
      killStuck();
    },
    stop: async () => {
      killStuck();
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      await importing;
    },
  };
}
