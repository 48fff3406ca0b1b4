import { parse } from 'csv-parse/sync';
import iconv from 'iconv-lite';
import type { ScaledClock } from './clock.ts';
import type { FtpAccess } from './ftp-access.ts';
import { download, withFtp } from './ftp-access.ts';
import type { Journal } from './journal.ts';
import { productName } from './scenario.ts';
import type { ModulesShop } from './modules-shop.ts';
import type { ImportJob } from './truth.ts';

/** The settings pages of the Product Catalog Import module. */
export interface CatalogImportSettings {
  /** FTP path that the job reads. */
  readonly paths: Readonly<Record<ImportJob, string>>;
  /** Sandbox milliseconds that the job works (seed.md: about 3 and 5 minutes). */
  readonly durations: Readonly<Record<ImportJob, number>>;
}

interface Row {
  readonly reference: string;
  readonly name: string;
  readonly supplier: string;
  readonly price: number;
  readonly size: string;
  readonly ean: string;
  readonly quantity: number;
}

/** The work is done in so many pieces, so that the shop can be seen half-way. */
const PIECES = 20;

/**
 * Runs the Product Catalog Import module once, to its end.
 * `importProducts` (NouveauProduitImport) adds products that the shop does not have and skips the others;
 * `updateStock` (MajProduitImport0) sets quantities, deletes and makes again every variant, zeroes what the file does not
 * hold, and deletes the file from the FTP at the end.
 * @param stuck given: it stops half-way and says nothing more; when this resolves, the hosting has killed it
 */
export async function importCatalog(
  job: ImportJob,
  shop: ModulesShop,
  settings: CatalogImportSettings,
  ftp: FtpAccess,
  clock: ScaledClock,
  journal: Journal,
  stuck: Promise<void> | undefined,
): Promise<void> {
  const path = settings.paths[job];
  const run: Journal['imports'][number] = {
    job,
    startedAt: clock.time(),
    finishedAt: null,
    outcome: 'running',
    rows: 0,
    created: 0,
    updated: 0,
    zeroed: 0,
  };
  journal.imports.push(run);
  const end = (outcome: typeof run.outcome) => {
    run.outcome = outcome;
    run.finishedAt = clock.time();
    journal.importEnded();
  };
  const piece = settings.durations[job] / PIECES;
  try {
    const rows = await readRows(path, ftp, journal);
    if (rows === undefined) {
      end('no file');
      return;
    }
    run.rows = rows.length;
    const products = [...byReference(rows)];
    for (let index = 0; index < PIECES; index++) {
      await clock.pass(piece);
      if (stuck !== undefined && index === PIECES / 2) {
        run.outcome = 'stuck';
        await stuck;
        return;
      }
      const from = Math.floor((products.length * index) / PIECES);
      const to = Math.floor((products.length * (index + 1)) / PIECES);
      for (const [reference, group] of products.slice(from, to)) {
        if (job === 'importProducts') run.created += addProduct(shop, reference, group);
        else run.updated += setQuantities(shop, reference, group);
      }
    }
    if (job === 'updateStock') {
      run.zeroed = zeroOthers(shop, rows, journal, path);
      await withFtp(ftp, (client) => client.remove(path));
    }
    end('done');
  } catch (error) {
    if (run.outcome === 'running') end('failed');
    journal.trouble(`shop ${job}`, error);
  }
}

async function readRows(path: string, ftp: FtpAccess, journal: Journal): Promise<Row[] | undefined> {
  const read = await withFtp(ftp, async (client) => {
    const before = await client.sendIgnoringError(`SIZE ${path}`);
    if (before.code >= 400) return undefined;
    const bytes = await download(client, path);
    return { bytes, size: await client.size(path).catch(() => bytes.length) };
  });
  if (read === undefined) return undefined;
  const text = iconv.decode(read.bytes, 'win1252');
  const rows = parse(text, {
    delimiter: ';',
    columns: true,
    skip_empty_lines: true,
    relax_column_count: true,
    relax_quotes: true,
  }) as Record<string, string | undefined>[];
  const proshopWrites = journal.exports.some(
    (written) => written.finishedAt === null && written.damage === null && path.endsWith('/ExportCSV'),
  );
  const last = rows.at(-1);
  if (
    proshopWrites ||
    read.size !== read.bytes.length ||
    !text.endsWith('\n') ||
    (last !== undefined && Object.values(last).length !== Object.values(rows[0] ?? {}).length)
  ) {
    journal.fault('partial file read by the shop', path, `${read.bytes.length} bytes, ${rows.length} rows`);
  }
  return rows.map((row) => ({
    reference: row.Modele ?? '',
    name: productName({
      supplier: row.Fournisseur ?? '',
      material: row.Matiere ?? '',
      color: row.Couleur ?? '',
    }),
    supplier: row.Fournisseur ?? '',
    price: cents(row.Prix ?? ''),
    size: row.Taille ?? '',
    ean: row.Gencod ?? '',
    // PHP's (int): what is no number is 0.
    quantity: Number.parseInt(row.Stock ?? '', 10) || 0,
  }));
}

function byReference(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(row.reference);
    if (group === undefined) groups.set(row.reference, [row]);
    else group.push(row);
  }
  return groups;
}

function addProduct(shop: ModulesShop, reference: string, rows: readonly Row[]): number {
  const [first] = rows;
  if (first === undefined || reference === '') return 0;
  if (shop.products.some((product) => product.reference === reference)) return 0;
  shop.createProduct({
    reference,
    name: first.name,
    supplier: first.supplier,
    price: first.price,
    variants: rows.map(({ size, ean, quantity }) => ({ size, ean, quantity: Math.max(0, quantity) })),
  });
  return 1;
}

function setQuantities(shop: ModulesShop, reference: string, all: readonly Row[]): number {
  const rows = all.filter((row) => row.quantity > 0);
  const product = shop.products.find((candidate) => candidate.reference === reference);
  if (product === undefined || rows.length === 0) return 0;
  const [first] = rows;
  // An article without sizes has one row without a size.
  if (product.ean !== '' && first !== undefined) product.quantity = first.quantity;
  else shop.replaceVariants(product, rows);
  return 1;
}

/** Sets to 0 every product that no row with stock names: whatever the reason, however many. */
function zeroOthers(shop: ModulesShop, rows: readonly Row[], journal: Journal, path: string): number {
  const kept = new Set(rows.filter((row) => row.quantity > 0).map((row) => row.reference));
  const inStock = shop.products.filter(
    (product) => product.quantity > 0 || product.variants.some((variant) => variant.quantity > 0),
  );
  const zeroed = inStock.filter((product) => !kept.has(product.reference));
  for (const product of zeroed) {
    product.quantity = 0;
    for (const variant of product.variants) variant.quantity = 0;
  }
  if (zeroed.length * 2 > inStock.length) {
    journal.fault('mass zeroing', path, `${zeroed.length} of ${inStock.length} products in stock set to 0`);
  }
  return zeroed.length;
}

/** Cents of `89,90` or `89.90`. */
function cents(price: string): number {
  const [, euros = '0', rest = ''] = /^(\d+)(?:[.,](\d*))?$/.exec(price.trim()) ?? [];
  return Number(euros) * 100 + Number(rest.padEnd(2, '0').slice(0, 2));
}
