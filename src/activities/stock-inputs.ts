import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip, gunzipSync } from 'node:zlib';
import { z } from 'zod';
import type { SoldLine } from '../domain/order.ts';
import type { VariantStock } from '../domain/stock.ts';
import type { Ledger, StockExport } from '../ledger/ledger.ts';

/** What is known of an ExportCSV beside its bytes. */
export type ExportSeen = Pick<
  StockExport,
  'id' | 'rows' | 'units' | 'modifiedAt' | 'begunAfter' | 'collectedAt' | 'staleOrders'
>;

/** All that a stock update is worked out from, beside Proshop's file and the configuration. */
export interface StockInputs {
  /** Number of outstanding orders, and what they sold. */
  readonly orders: number;
  readonly lines: readonly SoldLine[];
  /** What the shop shows, as far as the ledger knows, by EAN; null = never applied. */
  readonly applied: ReadonlyMap<string, VariantStock> | null;
  /** The file that was applied last. */
  readonly last: ExportSeen | null;
  /** The file itself; null when the ledger does not know it. */
  readonly collected: ExportSeen | null;
}

/** What the ledger knows at this moment. */
export async function stockInputs(ledger: Ledger, collected: ExportSeen | null): Promise<StockInputs> {
  const last = await ledger.lastAppliedExport();
  const applied = last === null ? null : await ledger.appliedStock();
  return { ...(await ledger.outstanding()), applied, last, collected };
}

/** Its name in a cycle's folder of the archive: lines of JSON, the first with everything but the variants that the shop shows. */
export const INPUTS_FILE = 'stock-inputs.jsonl.gz';
const VARIANTS_AT_ONCE = 1_000;

export async function packInputs({ applied, ...others }: StockInputs): Promise<Buffer> {
  // Without what else the ledger keeps of the files.
  const head = headSchema.parse({ ...others, isApplied: applied !== null });
  const pieces: Buffer[] = [];
  await pipeline(
    Readable.from(lines(head, applied ?? new Map())),
    // A million variants in a second.
    createGzip({ level: constants.Z_BEST_SPEED }),
    async (packed: AsyncIterable<Buffer>) => {
      for await (const piece of packed) pieces.push(piece);
    },
  );
  return Buffer.concat(pieces);
}

/** @throws when these are not the bytes of `packInputs`. */
export function unpackInputs(bytes: Buffer): StockInputs {
  const [first = '', ...rest] = gunzipSync(bytes).toString().trimEnd().split('\n');
  const { isApplied, ...head } = headSchema.parse(JSON.parse(first));
  const variants = rest.map((line) => variantSchema.parse(JSON.parse(line)));
  const applied = new Map(
    variants.map(([ean, reference, size, quantity]) => [ean, { ean, reference, size, quantity }]),
  );
  return { ...head, applied: isApplied ? applied : null };
}

const instant = z.coerce.date();
const exportSchema = z.object({
  id: z.string(),
  rows: z.number(),
  units: z.number(),
  modifiedAt: instant.nullable(),
  begunAfter: instant.nullable(),
  collectedAt: instant,
  staleOrders: z.number(),
});
const headSchema = z.object({
  orders: z.number(),
  lines: z.array(z.object({ ean: z.string().nullable(), reference: z.string(), quantity: z.number() })),
  last: exportSchema.nullable(),
  collected: exportSchema.nullable(),
  isApplied: z.boolean(),
});
const variantSchema = z.tuple([z.string(), z.string(), z.string(), z.number()]);

function* lines(head: object, applied: ReadonlyMap<string, VariantStock>): Generator<string> {
  yield `${JSON.stringify(head)}\n`;
  let text = '';
  let count = 0;
  for (const { ean, reference, size, quantity } of applied.values()) {
    text += `${JSON.stringify([ean, reference, size, quantity])}\n`;
    if (++count % VARIANTS_AT_ONCE > 0) continue;
    yield text;
    text = '';
  }
  yield text;
}
