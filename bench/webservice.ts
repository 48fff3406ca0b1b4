// A process that makes a shop's stock right, or fills a shop, over the Webservice. Prints what it took.
import pLimit from 'p-limit';
import type { Ledger } from '../src/ledger/ledger.ts';
import { openLedger } from '../src/ledger/open.ts';
import { openWebservice, type Webservice } from '../src/prestashop/webservice/api.ts';
import { readStockRows } from '../src/prestashop/webservice/catalogue.ts';
import { createOrderReader } from '../src/prestashop/webservice/orders.ts';
import { createProductMaker } from '../src/prestashop/webservice/products.ts';
import { createStockWriter } from '../src/prestashop/webservice/stock.ts';
import { Secret } from '../src/secret.ts';
import { eanOf, WEBSERVICE_KEY } from './files.ts';
import { median, peakMemory } from './measures.ts';

const CONCURRENCY = 4;
const BATCH = 50;
const { signal } = new AbortController();
const [job = '', folder = '', url = '', variants = '0', changed = '0'] = process.argv.slice(2);
const open = await openLedger({ databaseUrl: undefined, folder });
const openShop = (concurrency = CONCURRENCY) =>
  openWebservice({ url, key: new Secret(WEBSERVICE_KEY), timeout: 60_000, concurrency });
try {
  const result = await run();
  console.log(JSON.stringify({ ...result, memory: peakMemory() }));
} finally {
  await open.close();
}

async function run(): Promise<object> {
  switch (job) {
    case 'ledger':
      // Nothing but a new ledger: making one takes PGlite far more memory than using it.
      return {};
    case 'fill':
      return fill(openShop(), open.ledger);
    case 'stock':
      return syncStock(openShop(), open.ledger);
    default:
      throw new Error(`Expected ledger, fill or stock, got ${job}`);
  }
}

/** The bare loop and ours write the same rows, to 6 and then to 7. */
async function syncStock(api: Webservice, ledger: Ledger) {
  const bare = await bareLoop(api, 6);
  const settings = { soldStates: undefined, cancelledStates: [], stockBackStates: [], timeZone: 'UTC' };
  const reader = createOrderReader(
    { api, ledger },
    { ...settings, firstOrder: 1, overlap: 600_000, patience: 600_000 },
  );
  const writeStock = createStockWriter(
    { api, ledger },
    { batch: BATCH, concurrency: CONCURRENCY, rounds: 20 },
  );
  const plan = Array.from({ length: Number(variants) }, (_, index) => ({
    ean: eanOf(index),
    reference: `MOD${Math.floor(index / 8)}`,
    size: `${36 + (index % 8)}`,
    quantity: isChanged(index) ? 7 : 5,
  }));
  const others = otherRequests();
  const startedAt = performance.now();
  const written = await writeStock(
    () => reader({ cycle: 'c', step: 8, record: () => Promise.resolve(true) }, signal),
    () => Promise.resolve({ variants: plan, kept: new Set<string>() }),
    signal,
  );
  const total = performance.now() - startedAt;
  if (written.left.length > 0 || written.rows !== Number(changed))
    throw new Error(`Expected ${changed} rows to be written, got ${written.rows}`);
  return { bare, total, ...written.milliseconds, others: await others.stop() };
}

// Spread over the shop, as a day's sales are.
function isChanged(index: number): boolean {
  return index % Math.floor(Number(variants) / Number(changed)) === 0;
}

/** Milliseconds that it takes to write the same rows and nothing else, in the same batches and as many at once. */
async function bareLoop(api: Webservice, quantity: number): Promise<number> {
  const sizes = (await readStockRows(api, signal)).filter((row) => row.id_product_attribute !== 0);
  const rows = sizes.filter((_row, index) => isChanged(index)).map((row) => ({ ...row, quantity }));
  const limit = pLimit(CONCURRENCY);
  const startedAt = performance.now();
  const batches = Array.from({ length: Math.ceil(rows.length / BATCH) }, (_, index) =>
    rows.slice(index * BATCH, (index + 1) * BATCH),
  );
  await Promise.all(batches.map((batch) => limit(() => api.replace('stock_availables', batch, signal))));
  return performance.now() - startedAt;
}

/** Somebody else asks for one order's states every 50 ms: how long does the shop take for it meanwhile? */
function otherRequests() {
  const other = openShop(100);
  const times: number[] = [];
  const over = new AbortController();
  const asking = (async () => {
    while (!over.signal.aborted) {
      const startedAt = performance.now();
      await other.capabilities(signal);
      times.push(performance.now() - startedAt);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  return {
    async stop() {
      over.abort();
      await asking;
      const sorted = times.toSorted((a, b) => a - b);
      return { count: times.length, p50: median(times), p95: sorted[Math.floor(sorted.length * 0.95)] ?? 0 };
    },
  };
}

/** Fills an empty shop. */
async function fill(api: Webservice, ledger: Ledger) {
  const createMissing = createProductMaker(
    { api, ledger },
    {
      active: false,
      category: 2,
      taxRulesGroup: 1,
      taxRate: 22,
      sizeAttribute: 'Taille',
      onlySize: 'TU',
      patience: 60_000,
      concurrency: CONCURRENCY,
    },
  );
  const models = Array.from({ length: Number(variants) / 8 }, (_, model) => ({
    reference: `MOD${model}`,
    name: `Fournisseur ${model % 30} Cuir Noir`,
    supplier: `Fournisseur ${model % 30}`,
    price: '59.90',
    sizes: Array.from({ length: 8 }, (_size, size) => ({
      size: `${36 + size}`,
      ean: eanOf(model * 8 + size),
    })),
  }));
  const startedAt = performance.now();
  const { references } = await createMissing(models, signal);
  if (references.length !== models.length)
    throw new Error(`Expected ${models.length} products, got ${references.length}`);
  return { total: performance.now() - startedAt };
}
