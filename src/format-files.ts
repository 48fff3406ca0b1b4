import { readdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { join, parse } from 'node:path';
import { ConfigError, loadConfig, type Config } from './config.ts';
import type { OrdersFormat } from './domain/order-csv.ts';
import type { VoucherRule } from './domain/order.ts';
import { readTemplate } from './domain/sales-xml.ts';
import { encodeText } from './domain/text-file.ts';
import { checkSales, readSentOrders, type NamedBytes, type SalesCheck } from './format/check-sales.ts';
import { DraftError, draftTemplate, type Draft } from './format/draft-template.ts';
import { explainOrders, ordersFormatOf, type OrdersExplained } from './format/explain-orders.ts';
import { explainStock, type StockExplained } from './format/explain-stock.ts';
import { readSentSales } from './format/read-sales-xml.ts';
import { localTime } from './local-time.ts';

const REASONS = {
  unreadable: 'Expected a file that can be read',
  'not written': 'Expected a place for a new file',
  'file and folder': 'Expected two files or two folders, got one of each',
  'no pair': 'Expected two files of one name, got none',
  'no template': 'Expected a template, got none',
  'no columns': 'Expected columns that are known by their titles or values, got too few',
  'no order': 'Expected elements that hold the values of one order each, got none',
  'no line': 'Expected elements that hold the values of one line each inside the order, got none',
} as const;

/** Error thrown when the files cannot be had, or say too little. */
export class FormatFilesError extends Error {
  override readonly name = 'FormatFilesError';
  /** `unreadable` and `not written`: `detail` is the system's code. */
  readonly reason: keyof typeof REASONS;
  readonly path: string;
  readonly detail: string;

  constructor(reason: FormatFilesError['reason'], path: string, error?: unknown) {
    const detail = (error as NodeJS.ErrnoException | undefined)?.code ?? '';
    super(`${REASONS[reason]}${detail === '' ? '' : `, got ${detail}`} (${path})`);
    this.reason = reason;
    this.path = path;
    this.detail = detail;
  }
}

export interface PairCheck {
  readonly orders: string;
  readonly xml: string;
  /** Null when one of the two cannot be read. */
  readonly check: SalesCheck | null;
  readonly fault: string | null;
}

export interface FilesCheck {
  readonly pairs: readonly PairCheck[];
  /** Files of the two folders without a partner of their name. */
  readonly alone: readonly string[];
}

export interface FileDraft extends Omit<Draft, 'encoding'> {
  /** Where it was written; null = nowhere. */
  readonly out: string | null;
  /** The template in the encoding that it declares. */
  readonly bytes: Uint8Array;
  /** The draft, tried on the pair that it was made of. */
  readonly check: SalesCheck;
}

export type FormatFiles = ReturnType<typeof openFormatFiles>;

/** How the shop's own files are read here. Null: not configured. */
interface Settings {
  readonly config: Config | null;
  /** Why there is no configuration. */
  readonly fault: string | null;
  readonly orders: OrdersFormat | null;
  readonly voucher: VoucherRule;
  readonly timeZone: string;
}

const NO_VOUCHER: VoucherRule = { payments: [], paymentModules: [], codes: [] };

/**
 * Opens what explains the shop's own files, by the configuration where it can be read. Reads files of this machine alone.
 *
 * Differences and notes hold values of customers: they are for the terminal of whoever has the files.
 */
export function openFormatFiles(configPath: string) {
  const { config, fault, orders, voucher, timeZone } = readSettings(configPath);
  const now = () => localTime(new Date(), timeZone);
  const formatOf = ({ name, bytes }: NamedBytes): OrdersFormat => {
    const format = orders ?? ordersFormatOf(bytes);
    if (format === null) throw new FormatFilesError('no columns', name);
    return format;
  };

  return {
    /** Why the configuration cannot be used; null when it can. */
    fault,

    orders(csv: string): OrdersExplained {
      return explainOrders(read(csv).bytes, csv, orders);
    },

    stock(csv: string): StockExplained {
      return explainStock(read(csv).bytes, csv, config?.stock ?? null);
    },

    /**
     * Renders orders files and compares them with the sales files that were sent.
     *
     * @param paths a file each, or a folder each: then files of one name, but for its extension, are a pair
     * @param template another than that of the configuration
     */
    check(paths: { readonly orders: string; readonly xml: string }, template?: string): FilesCheck {
      const path = template ?? config?.proshop.template;
      if (path === undefined) throw new FormatFilesError('no template', configPath);
      const compiled = readTemplate(read(path).bytes, path, orders?.columns);
      const { pairs, alone } = pairsIn(paths);
      return {
        pairs: pairs.map((pair): PairCheck => {
          try {
            const files = { orders: read(pair.orders), xml: read(pair.xml) };
            const check = checkSales(files, compiled, formatOf(files.orders), voucher, now());
            return { ...pair, check, fault: null };
          } catch (error) {
            if (!isOfFiles(error)) throw error;
            return { ...pair, check: null, fault: (error as Error).message };
          }
        }),
        alone,
      };
    },

    /** Drafts a template from one pair, tries it on the pair, and writes it where nothing stands yet. */
    draft(paths: { readonly orders: string; readonly xml: string }, out?: string): FileDraft {
      const files = { orders: read(paths.orders), xml: read(paths.xml) };
      const format = formatOf(files.orders);
      const sent = readSentOrders(files.orders, format, voucher);
      const draft = draftedFrom(paths.xml, () =>
        draftTemplate(readSentSales(files.xml.bytes, paths.xml), sent.orders, format.columns),
      );
      const bytes = encodeText(draft.template, draft.encoding);
      const compiled = readTemplate(bytes, out ?? 'the draft', format.columns);
      const check = checkSales(files, compiled, format, voucher, now());
      if (out !== undefined) write(out, bytes);
      return { ...draft, bytes, out: out ?? null, check };
    },
  };
}

function draftedFrom(path: string, draft: () => Draft): Draft {
  try {
    return draft();
  } catch (error) {
    throw error instanceof DraftError ? new FormatFilesError(error.reason, path) : error;
  }
}

function readSettings(path: string): Settings {
  const { config, fault } = tryConfig(path);
  return {
    config,
    fault,
    orders:
      config?.orders.columns === undefined ? null : { ...config.orders, columns: config.orders.columns },
    voucher: config?.orders.voucher ?? NO_VOUCHER,
    timeZone: config?.timeZone ?? 'Europe/Paris',
  };
}

function tryConfig(path: string): { readonly config: Config | null; readonly fault: string | null } {
  try {
    return { config: loadConfig(path, { ...process.env, ...standIns(path) }), fault: null };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { config: null, fault: error.message };
  }
}

/** A value for each variable that the configuration names and the environment lacks: nothing here needs its secrets. */
function standIns(path: string): Readonly<Record<string, string>> {
  try {
    const names = readFileSync(path, 'utf8').matchAll(/\$\{([A-Za-z_]\w*)\}/g);
    const valueOf = (name: string) => process.env[name] || 'http://not-needed.invalid';
    return Object.fromEntries(Array.from(names, ([, name = '']) => [name, valueOf(name)]));
  } catch {
    return {};
  }
}

function read(path: string): NamedBytes {
  try {
    return { name: path, bytes: readFileSync(path) };
  } catch (error) {
    throw new FormatFilesError('unreadable', path, error);
  }
}

function write(path: string, bytes: Uint8Array): void {
  try {
    // Somebody may have worked on what stands there.
    writeFileSync(path, bytes, { flag: 'wx' });
  } catch (error) {
    throw new FormatFilesError('not written', path, error);
  }
}

function pairsIn(paths: { readonly orders: string; readonly xml: string }): {
  readonly pairs: readonly { readonly orders: string; readonly xml: string }[];
  readonly alone: readonly string[];
} {
  const [inOrders, inXml] = [namesIn(paths.orders), namesIn(paths.xml)];
  if (inOrders === null && inXml === null) return { pairs: [paths], alone: [] };
  if (inOrders === null || inXml === null)
    throw new FormatFilesError('file and folder', inOrders === null ? paths.orders : paths.xml);
  // One folder for both.
  const isOne = realpathSync(paths.orders) === realpathSync(paths.xml);
  const isXml = (name: string) => parse(name).ext.toLowerCase() === '.xml';
  const orders = inOrders.filter((name) => !isOne || !isXml(name));
  const xml = inXml.filter((name) => !isOne || isXml(name));
  const stem = (name: string) => parse(name).name;
  // The first of one name has the partner.
  const left = new Map(xml.toReversed().map((name) => [stem(name), name]));
  const paired = orders.flatMap((name) => {
    const partner = left.get(stem(name));
    left.delete(stem(name));
    return partner === undefined ? [] : [{ orders: name, xml: partner }];
  });
  if (paired.length === 0) throw new FormatFilesError('no pair', paths.orders);
  return {
    pairs: paired.map((pair) => ({
      orders: join(paths.orders, pair.orders),
      xml: join(paths.xml, pair.xml),
    })),
    alone: [
      ...orders
        .filter((name) => !paired.some((pair) => pair.orders === name))
        .map((name) => join(paths.orders, name)),
      ...xml.filter((name) => !paired.some((pair) => pair.xml === name)).map((name) => join(paths.xml, name)),
    ],
  };
}

/** Names of the files in a folder, sorted; null when it is a file. */
function namesIn(path: string): readonly string[] | null {
  try {
    if (!statSync(path).isDirectory()) return null;
    const entries = readdirSync(path, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    throw new FormatFilesError('unreadable', path, error);
  }
}

/** True for what is wrong with the files, and says so. */
function isOfFiles(error: unknown): boolean {
  return error instanceof Error && ['FormatFilesError', 'FormatError', 'TemplateError'].includes(error.name);
}
