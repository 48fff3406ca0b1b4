// A process that makes ExportCSVmod from ExportCSV, as the worker does.
import { readFileSync, writeSync, openSync, closeSync } from 'node:fs';
import { readStock } from '../src/domain/stock-csv.ts';
import { planStock, stockUpdate } from '../src/domain/stock-plan.ts';
import type { VariantStock } from '../src/domain/stock.ts';
import { eanOf, STOCK_FORMAT } from './files.ts';
import { elapsed, peakMemory } from './measures.ts';

const [source = '', target = '', appliedRows = '0'] = process.argv.slice(2);

// What the ledger would give: every variant, one unit more than Proshop has now.
const applied = new Map<string, VariantStock>();
for (let index = 0; index < Number(appliedRows); index++) {
  const ean = eanOf(index);
  const reference = `MOD${Math.floor(index / 8)}`;
  applied.set(ean, { ean, reference, size: `${36 + (index % 8)}`, quantity: (index % 7) + 1 });
}
const sold = new Map(Array.from({ length: 200 }, (_, index) => [eanOf(index * 10 + 1), 1]));

let stock: ReturnType<typeof readStock> | undefined;
const read = elapsed(() => {
  stock = readStock(readFileSync(source), 'ExportCSV', STOCK_FORMAT);
});
const file = stock;
if (file === undefined || file.unreadable.length > 0) throw new Error('Expected every row to be read');
let plan: ReturnType<typeof planStock> | undefined;
const planned = elapsed(() => {
  plan = planStock(file, {
    outstanding: { byEan: sold, byReference: new Map() },
    applied: applied.size === 0 ? null : applied,
    protectedProducts: [{ reference: 'BON-CADEAU-50', ean: '2000000000503', quantity: 1_000 }],
    mode: 'subtract',
  });
});
const update = plan;
if (update === undefined) throw new Error('Expected a plan');
const write = elapsed(() => {
  const output = openSync(target, 'w');
  for (const piece of stockUpdate(file, update)) writeSync(output, piece);
  closeSync(output);
});
console.log(JSON.stringify({ read, plan: planned, write, memory: peakMemory() }));
