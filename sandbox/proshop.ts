import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Client } from 'basic-ftp';
import iconv from 'iconv-lite';
import type { ScaledClock } from './clock.ts';
import type { FtpAccess } from './ftp-access.ts';
import { download, upload, withFtp } from './ftp-access.ts';
import type { Journal } from './journal.ts';
import { readSales } from './sales-file.ts';
import type { Scenario } from './scenario.ts';
import { productName } from './scenario.ts';
import type { Sale, TruthModel } from './truth.ts';

export interface ProshopSettings {
  readonly importFolder: string;
  /** FTP path of `ExportCSV`. */
  readonly exportPath: string;
  readonly store: string;
  /** Sandbox milliseconds that the writing of `ExportCSV` lasts (seed.md: about 2 minutes). */
  readonly writing: number;
}

/** How one `ExportCSV` can be made wrong, or not be made at all. */
export type ExportDamage =
  | 'missing'
  | 'truncated'
  | 'empty'
  | 'header only'
  | 'duplicated rows'
  | 'old file again'
  | 'wrong store'
  | 'columns swapped'
  | 'utf-8';

/** The till system. It has no interface but its files: what is here is for tests and for the judge. */
export interface Proshop {
  /** Takes what stands in `import/` once, as at :00 and :30. */
  importSales(): Promise<void>;
  /** Writes `ExportCSV` once, as at :10 and :40. */
  exportStock(): Promise<void>;
  /** Writes an `ExportCSV` at once: for the one that stands there before the start. */
  exportStockAtOnce(at: string): Promise<void>;
  sellInStore(ean: string, quantity: number): void;
  /** A person types a web order in. */
  enterByHand(order: number, lines: readonly { readonly ean: string; readonly quantity: number }[]): void;
  /** Lets the next imports pass without looking. */
  skipImports(count: number): void;
  /** Takes only every other file at the next import. */
  takeHalf(): void;
  damageNextExport(damage: ExportDamage): void;
  /** Forgets the faults that have not come yet. */
  recover(): void;
  stock(ean: string): number | undefined;
  readonly taken: ReadonlyMap<number, { readonly at: readonly string[]; readonly sale: Sale }>;
  readonly byHand: ReadonlyMap<number, string>;
  readonly models: readonly TruthModel[];
  readonly eans: readonly string[];
  /** Runs the two jobs at their minutes until the clock stops. */
  run(): Promise<void>;
}

const HEADER = 'Fournisseur;Matiere;Couleur;Modele;Taille;Gencod;Prix;Stock;Magasin';
/** Real milliseconds between two pieces of a file that is being written. */
const PIECE_PAUSE = 10;

/** Opens Proshop with the scenario's articles. */
export function openProshop(
  scenario: Scenario,
  settings: ProshopSettings,
  ftp: FtpAccess,
  clock: ScaledClock,
  journal: Journal,
): Proshop {
  const stock = new Map(
    scenario.products.flatMap((product) => product.variants.map((variant) => [variant.ean, variant.stock])),
  );
  const taken = new Map<number, { at: string[]; sale: Sale }>();
  const byHand = new Map<number, string>();
  /** Files whose sales are booked and that the FTP did not let go of yet. */
  const booked = new Set<string>();
  let skips = 0;
  let half = false;
  let damage: ExportDamage | null = null;
  let previous: { readonly bytes: Buffer; readonly run: Journal['exports'][number] } | undefined;

  const lower = (ean: string, quantity: number) => {
    stock.set(ean, (stock.get(ean) ?? 0) - quantity);
  };
  const book = (sale: Sale) => {
    const known = taken.get(sale.order);
    if (known === undefined) taken.set(sale.order, { at: [clock.time()], sale });
    else known.at.push(clock.time());
    for (const line of sale.lines) lower(line.ean, line.quantity);
  };

  const take = async (client: Client, name: string): Promise<void> => {
    const path = `${settings.importFolder}/${name}`;
    const bytes = await download(client, path);
    const key = `${name} ${createHash('sha256').update(bytes).digest('hex')}`;
    if (!booked.has(key)) {
      if (!/^[^.].*\.xml$/i.test(name))
        journal.fault('foreign file in import', path, `${bytes.length} bytes`);
      let sales: readonly Sale[];
      try {
        sales = readSales(bytes, (ean) => stock.has(ean));
      } catch (error) {
        const partial = (await client.size(path).catch(() => bytes.length)) !== bytes.length;
        const kind = partial ? 'partial file in import' : 'unreadable file in import';
        journal.fault(kind, path, (error as Error).message);
        return;
      }
      sales.forEach(book);
      booked.add(key);
    }
    await client.remove(path);
    booked.delete(key);
  };

  const importSales = async () => {
    if (skips > 0) {
      skips--;
      journal.sabotage.push('proshop is late');
      return;
    }
    const everyOther = half;
    half = false;
    if (everyOther) journal.sabotage.push('proshop takes half');
    try {
      await withFtp(ftp, async (client) => {
        const files = (await client.list(settings.importFolder)).filter((file) => file.isFile);
        for (const [index, file] of files.entries()) {
          if (everyOther && index % 2 === 1) continue;
          await take(client, file.name);
        }
      });
    } catch (error) {
      journal.trouble('Proshop import', error);
    }
  };

  const begin = (startedAt: string, lines: readonly string[]): Journal['exports'][number] => {
    const run: Journal['exports'][number] = {
      startedAt,
      openedAt: null,
      finishedAt: null,
      rows: lines.length - 1,
      damage,
      figures: Object.fromEntries(stock),
      reflects: [...taken.keys(), ...byHand.keys()],
    };
    journal.exports.push(run);
    return run;
  };

  const exportStock = async () => {
    const lines = exportLines(scenario, stock, settings.store);
    const run = begin(clock.time(), lines);
    const bytes = damaged(lines, damage, previous?.bytes);
    // The old file says what was true then. That it counts no order since, only who collected its bytes before can know.
    if (damage === 'old file again' && previous !== undefined) run.figures = previous.run.figures;
    if (damage !== null) journal.sabotage.push(`ExportCSV ${damage}`);
    damage = null;
    if (bytes === undefined) return;
    previous ??= { bytes, run };
    try {
      await withFtp(ftp, (client) =>
        client.uploadFrom(
          slowly(bytes, settings.writing, clock, () => (run.openedAt = clock.time())),
          settings.exportPath,
        ),
      );
      run.finishedAt = clock.time();
      if (run.damage === null) previous = { bytes, run };
    } catch (error) {
      run.damage ??= 'cut';
      journal.trouble('Proshop export', error);
    }
  };

  const everyHalfHour = async (minutes: readonly [number, number], job: () => Promise<void>) => {
    for (;;) {
      const minute = clock.now().getUTCMinutes();
      await clock.until(minutes.find((candidate) => candidate > minute) ?? minutes[0]);
      await job();
    }
  };

  return {
    importSales,
    exportStock,
    exportStockAtOnce: async (at) => {
      const lines = exportLines(scenario, stock, settings.store);
      const run = begin(at, lines);
      const bytes = encoded(lines);
      previous = { bytes, run };
      await withFtp(ftp, (client) => upload(client, settings.exportPath, bytes));
      run.openedAt = at;
      run.finishedAt = at;
    },
    sellInStore: lower,
    enterByHand: (order, lines) => {
      for (const line of lines) lower(line.ean, line.quantity);
      byHand.set(order, clock.time());
    },
    skipImports: (count) => {
      skips += count;
    },
    takeHalf: () => {
      half = true;
    },
    damageNextExport: (kind) => {
      damage = kind;
    },
    recover: () => {
      skips = 0;
      half = false;
      damage = null;
    },
    stock: (ean) => stock.get(ean),
    taken,
    byHand,
    models: scenario.products.map((product) => ({
      reference: product.reference,
      name: productName(product),
      price: product.price,
      eans: product.variants.map((variant) => variant.ean),
      isNew: !product.inShop,
    })),
    eans: [...stock.keys()],
    run: async () => {
      await Promise.all([everyHalfHour([0, 30], importSales), everyHalfHour([10, 40], exportStock)]);
    },
  };
}

/** The header, then a row for each variant of every product with at least one variant in stock. */
function exportLines(
  scenario: Scenario,
  stock: ReadonlyMap<string, number>,
  store: string,
): readonly string[] {
  const rows = scenario.products
    .filter((product) => product.variants.some((variant) => (stock.get(variant.ean) ?? 0) > 0))
    .flatMap((product) =>
      product.variants.map((variant) =>
        [
          product.supplier,
          product.material,
          product.color,
          product.reference,
          variant.size,
          variant.ean,
          `${Math.trunc(product.price / 100)},${String(product.price % 100).padStart(2, '0')}`,
          String(stock.get(variant.ean) ?? 0),
          store,
        ].join(';'),
      ),
    );
  return [HEADER, ...rows];
}

function encoded(lines: readonly string[], encoding = 'win1252'): Buffer {
  return iconv.encode(lines.map((line) => `${line}\r\n`).join(''), encoding);
}

function damaged(
  lines: readonly string[],
  damage: ExportDamage | null,
  previous: Buffer | undefined,
): Buffer | undefined {
  const [header = '', ...rows] = lines;
  const whole = encoded(lines);
  switch (damage) {
    case null:
      return whole;
    case 'missing':
      return undefined;
    case 'truncated':
      return whole.subarray(0, Math.floor(whole.length * 0.6));
    case 'empty':
      return Buffer.alloc(0);
    case 'header only':
      return encoded([header]);
    case 'duplicated rows':
      return encoded([header, ...rows, ...rows.slice(0, Math.ceil(rows.length / 3))]);
    case 'old file again':
      return previous ?? whole;
    case 'wrong store':
      return encoded([header, ...rows.map((row) => row.replace(/[^;]*$/, '003'))]);
    case 'columns swapped':
      return encoded(lines.map((line) => line.replace(/^(.*);([^;]*);([^;]*);([^;]*)$/, '$1;$3;$2;$4')));
    case 'utf-8':
      return encoded(lines, 'utf8');
    default:
      throw new Error(`Expected a kind of damage, got ${String(damage satisfies never)}`);
  }
}

/** Gives the bytes piece by piece over so many sandbox milliseconds. */
function slowly(bytes: Buffer, duration: number, clock: ScaledClock, opened: () => void): Readable {
  return Readable.from(
    (async function* () {
      opened();
      const start = clock.now().getTime();
      for (let sent = 0; sent < bytes.length;) {
        const due = Math.ceil((bytes.length * (clock.now().getTime() - start)) / Math.max(1, duration));
        if (due > sent) yield bytes.subarray(sent, due);
        sent = Math.min(Math.max(sent, due), bytes.length);
        if (sent < bytes.length) await clock.pass(PIECE_PAUSE * clock.scale);
      }
    })(),
    { objectMode: false },
  );
}
