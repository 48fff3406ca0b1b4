// A process that turns an orders file into the sales XML, as the worker does: once (cold), or again and again (warm).
import { readFileSync, writeFileSync } from 'node:fs';
import { readCsvRows } from '../src/domain/csv-rows.ts';
import { readOrders } from '../src/domain/order-csv.ts';
import { readTemplate, salesXml } from '../src/domain/sales-xml.ts';
import { decodeText, encodeText } from '../src/domain/text-file.ts';
import { ORDERS_FORMAT } from './files.ts';
import { elapsed, median, peakMemory } from './measures.ts';

const [source = '', target = '', runs = '1'] = process.argv.slice(2);
const template = readTemplate(
  readFileSync(new URL('sales-template.xml', import.meta.url)),
  'sales-template.xml',
);

function convert() {
  const bytes = readFileSync(source);
  const { orders, setAside } = readOrders(bytes, 'orders.csv', ORDERS_FORMAT);
  if (setAside.length > 0) throw new Error(`Expected every order to be read, got: ${setAside[0]?.reason}`);
  const units = orders.reduce(
    (sum, { lines }) => sum + lines.reduce((sum, line) => sum + line.quantity, 0),
    0,
  );
  const facts = { createdAt: '2026-11-24 10:27:03', orders: orders.length, units };
  const xml = Buffer.concat([...salesXml(template, orders, facts)]);
  writeFileSync(target, xml);
  return { bytes, orders, facts, xml };
}

if (runs === '1') {
  convert();
  console.log(JSON.stringify({ memory: peakMemory() }));
} else {
  const times = Array.from({ length: Number(runs) }, () => elapsed(convert));
  const memory = peakMemory();
  // The first half of the runs warms the compiler.
  const time = median(times.slice(Math.floor(times.length / 2)));

  const { bytes, orders, facts, xml } = convert();
  const rows = elapsed(() => readCsvRows(bytes, ORDERS_FORMAT.file, () => undefined));
  const read = elapsed(() => readOrders(bytes, 'orders.csv', ORDERS_FORMAT));
  const build = elapsed(() => [...salesXml(template, orders, facts)].length);
  const text = decodeText(xml, template.encoding);
  const encode = elapsed(() => encodeText(text, template.encoding));
  const phases = { rows, model: Math.max(0, read - rows), build: Math.max(0, build - encode), encode };
  console.log(JSON.stringify({ time, memory, phases }));
}
