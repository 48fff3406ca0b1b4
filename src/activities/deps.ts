import type { Alerts } from '../alerts.ts';
import type { Archive } from '../archive.ts';
import type { Config } from '../config.ts';
import type { Cycles } from '../cycles.ts';
import type { SalesTemplate } from '../domain/sales-xml.ts';
import type { Ftp } from '../ftp.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Metrics } from '../metrics.ts';
import type { OldGatewayPlaces } from '../old-gateway.ts';
import type { Shop } from '../prestashop/shop.ts';
import type { Proshop } from '../proshop/proshop.ts';

/** What the activities work with; built by worker.ts, replaced by tests. */
export interface Deps {
  readonly config: Config;
  readonly alerts: Alerts;
  readonly archive: Archive;
  readonly cycles: Cycles;
  readonly ledger: Ledger;
  readonly metrics: Metrics;
  readonly ftp: Ftp;
  /** The shop's own files; null when the configuration names none. */
  readonly shopFiles: Ftp | null;
  readonly shop: Shop;
  readonly proshop: Proshop;
  readonly template: SalesTemplate;
  /** Where the jobs that passerelle replaces leave their files; null when the shop is not reached by its modules. */
  readonly oldGateway: OldGatewayPlaces | null;
}

/** One run of the workflow. */
export interface CycleRef {
  /** The run's id in Temporal. */
  readonly id: string;
  /** Its folder in the archive, `2026-11-24/10h25-3f2a91c0`. */
  readonly folder: string;
}

/** Lists in an activity's result are cut at this length, so that a cycle's history stays small whatever comes. */
export const EXAMPLES = 20;
