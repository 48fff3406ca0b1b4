// Prints the tables of docs/benchmarks.md.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { writeOrders, writeStock } from './files.ts';
import { measureHistory } from './history.ts';
import { measureLanding } from './landing.ts';
import { elapsed, median } from './measures.ts';

const folder = mkdtempSync(join(tmpdir(), 'passerelle-bench-'));
const scriptOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));

try {
  console.log(`${machine()}\n`);
  ordersTables();
  stockTable();
  await historyTable();
  await webserviceTables();
} finally {
  rmSync(folder, { recursive: true });
}

function machine(): string {
  const processors = cpus();
  const python = run('python3', ['--version']).trim();
  return `${processors.length} × ${processors[0]?.model ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GB of memory; Node ${process.versions.node}, ${python}`;
}

function ordersTables(): void {
  const cold = z.object({ memory: z.number() });
  const warm = z.object({
    time: z.number(),
    memory: z.number(),
    phases: z.object({ rows: z.number(), model: z.number(), build: z.number(), encode: z.number() }),
  });
  const results = [100, 1_000, 10_000, 200_000].map((lines) => {
    const source = join(folder, 'orders.csv');
    const [ours, theirs] = [join(folder, 'ours.xml'), join(folder, 'theirs.xml')];
    writeOrders(source, lines);
    const times = lines > 50_000 ? 1 : 5;
    const python = measured(times, () => Number(run('python3', [scriptOf('baseline.py'), source, theirs])));
    const once = measured(times, () => cold.parse(JSON.parse(node('orders-to-xml.ts', source, ours, '1'))));
    const again = warm.parse(
      JSON.parse(node('orders-to-xml.ts', source, ours, `${lines > 50_000 ? 4 : 40}`)),
    );
    refuseDifference(ours, theirs);
    return { lines, python, once, again };
  });

  console.log('| lines | script | cold | warm | warm / script | memory: script | cold | warm |');
  console.log('| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |');
  for (const { lines, python, once, again } of results) {
    const cells = [
      count(lines),
      time(python.time),
      time(once.time),
      time(again.time),
      (again.time / python.time).toFixed(2),
    ];
    console.log(
      `| ${[...cells, memory(python.value), memory(once.value.memory), memory(again.memory)].join(' | ')} |`,
    );
  }
  console.log('\n| lines | rows split (csv-parse) | checked and mapped (zod) | XML built | encoded |');
  console.log('| ---: | ---: | ---: | ---: | ---: |');
  for (const { lines, again } of results) {
    const { rows, model, build, encode } = again.phases;
    console.log(`| ${[count(lines), ...[rows, model, build, encode].map(time)].join(' | ')} |`);
  }
}

function stockTable(): void {
  const result = z.object({ read: z.number(), plan: z.number(), write: z.number(), memory: z.number() });
  console.log('\n| rows | file | applied before | read | planned | written | in all | memory |');
  console.log('| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |');
  for (const rows of [5_000, 100_000, 1_000_000]) {
    const source = join(folder, 'ExportCSV');
    writeStock(source, rows);
    for (const applied of [0, rows]) {
      const {
        read,
        plan,
        write,
        memory: peak,
      } = result.parse(
        JSON.parse(node('stock-update.ts', source, join(folder, 'ExportCSVmod'), `${applied}`)),
      );
      const size = `${(statSync(source).size / 1e6).toFixed(1)} MB`;
      const cells = [
        count(rows),
        size,
        applied === 0 ? 'nothing' : count(applied),
        ...[read, plan, write, read + plan + write].map(time),
      ];
      console.log(`| ${[...cells, memory(peak)].join(' | ')} |`);
    }
  }
}

async function historyTable(): Promise<void> {
  console.log('\n| orders | outcome | events | bytes | step 1, orders exported | step 2, XML delivered |');
  console.log('| ---: | --- | ---: | ---: | ---: | ---: |');
  for (const orders of [10, 1_000, 10_000]) {
    const { outcome, events, bytes, exported, delivered } = await measureHistory(orders);
    const cells = [count(orders), outcome, count(events), count(bytes), time(exported), time(delivered)];
    console.log(`| ${cells.join(' | ')} |`);
  }
}

/** A shop's stock made right, and an empty shop filled, over the simulated Webservice at the pace that was measured on a real one. */
async function webserviceTables(): Promise<void> {
  const part = z.number();
  const others = z.object({ p50: part, p95: part });
  const times = { reading: part, planning: part, looking: part, writing: part, closing: part };
  const synced = z.object({ bare: part, total: part, ...times, others, memory: part });
  console.log(
    '\n| variants | changed | bare loop | written | rate of the bare loop | looked at before | read | planned | closing sweep | in all | memory | others p50 | p95 |',
  );
  console.log(`|${' ---: |'.repeat(13)}`);
  for (const [variants, changed] of [
    [5_000, 500],
    [5_000, 5_000],
    [100_000, 500],
  ] as const) {
    const it = synced.parse(await onWebservice('stock', variants, variants, changed));
    const cells = [
      count(variants),
      count(changed),
      ...[it.bare, it.writing].map(time),
      `${Math.round((100 * it.bare) / it.writing)} %`,
      ...[it.looking, it.reading, it.planning, it.closing, it.total].map(time),
      memory(it.memory),
      ...[it.others.p50, it.others.p95].map(time),
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
  const filled = z.object({ total: part, memory: part });
  const it = filled.parse(await onWebservice('fill', 0, 8_000, 0));
  const { outcome, right, over } = await measureLanding(5_000, 500);
  console.log(
    `\nA whole cycle (${outcome}), 5,000 variants, 500 changed: shop right ${time(right)} after ExportCSV landed, cycle over after ${time(over)}`,
  );
  console.log(`\nFirst fill, 1,000 products of 8 sizes: ${time(it.total)}, ${memory(it.memory)}`);
}

/** Runs `webservice.ts` against a shop of so many variants. */
async function onWebservice(job: string, there: number, variants: number, changed: number): Promise<unknown> {
  const ledger = mkdtempSync(join(folder, 'ledger-'));
  node('webservice.ts', 'ledger', ledger);
  const server = spawn(process.execPath, ['--import', 'tsx', scriptOf('webservice-server.ts'), `${there}`]);
  try {
    const [url] = (await once(server.stdout, 'data')) as [Buffer];
    const args = [job, ledger, url.toString().trim(), `${variants}`, `${changed}`];
    return JSON.parse(node('webservice.ts', ...args));
  } finally {
    server.kill('SIGTERM');
  }
}

/** Both files must say the same: compared in canonical form, white space between elements aside. */
function refuseDifference(ours: string, theirs: string): void {
  const script =
    'import hashlib, sys, xml.etree.ElementTree as ET\n' +
    'for path in sys.argv[1:]:\n' +
    '    digest = hashlib.sha256()\n' +
    '    out = type("Out", (), {"write": lambda self, text: digest.update(text.encode())})()\n' +
    '    ET.canonicalize(from_file=path, out=out, strip_text=True)\n' +
    '    print(digest.hexdigest())';
  const [first, second] = run('python3', ['-c', script, ours, theirs]).trim().split('\n');
  if (first !== second) throw new Error('Expected both XML files to say the same, got a difference');
}

function measured<T>(times: number, call: () => T): { time: number; value: T } {
  let value: T | undefined;
  const all = Array.from({ length: times }, () =>
    elapsed(() => {
      value = call();
    }),
  );
  return { time: median(all), value: value as T };
}

function node(script: string, ...args: readonly string[]): string {
  return run(process.execPath, ['--import', 'tsx', scriptOf(script), ...args]);
}

function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`Expected ${command} ${args[0]} to succeed, got: ${stderr}`);
  return stdout;
}

function time(milliseconds: number): string {
  return milliseconds < 1_000
    ? `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`
    : `${(milliseconds / 1_000).toFixed(2)} s`;
}

function memory(kilobytes: number): string {
  return `${Math.round(kilobytes / 1_024)} MB`;
}

function count(value: number): string {
  return value.toLocaleString('en');
}
