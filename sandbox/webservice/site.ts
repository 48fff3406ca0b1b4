import type { Database } from './database.ts';

/** The PrestaShops that were measured. */
export const VERSIONS = ['1.7.8', '8.2', '9.1'] as const;
export type Version = (typeof VERSIONS)[number];

/** What each says of itself in `PSWS-Version`. */
export const RELEASES: Readonly<Record<Version, string>> = {
  '1.7.8': '1.7.8.11',
  '8.2': '8.2.1',
  '9.1': '9.1.4',
};

/** One PrestaShop: its version, its tables and its wall clock. There is one shop in it, with this id. */
export interface Site {
  readonly version: Version;
  readonly database: Database;
  /** The shop's local time without offset: `2026-11-24 01:56:27`. */
  readonly localTime: () => string;
}

export const SHOP = 1;
export const SHOP_GROUP = 1;
export const DEFAULT_LANGUAGE = 1;
