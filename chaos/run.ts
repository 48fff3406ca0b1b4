import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { describeFault, FTP_KINDS, makePlan, SHOP_KINDS } from './plan.ts';
import type { FtpKind, PlanOptions, ShopKind } from './plan.ts';
import { forget, runPlan } from './run-plan.ts';
import type { RunResult } from './run-plan.ts';
import { faultTable } from './table.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    runs: { type: 'string', default: '1' },
    ftp: { type: 'string' },
    shop: { type: 'string' },
    plan: { type: 'string' },
    jobs: { type: 'string', default: '4' },
    minutes: { type: 'string' },
    json: { type: 'string' },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const USAGE = `npm run chaos -- [--seed S] [--runs N] [--ftp ${FTP_KINDS.join('|')}] [--shop ${SHOP_KINDS.join('|')}] [--jobs 4] [--minutes M] [--json FILE] [--keep] [--plan JSON]

Runs whole cycles of the real gateway against the sandbox, breaks what the seed says, and judges each run from what the
simulated shop and till know. Seeds S, S+1, ... ; a seed of its own when left out. --minutes begins no further run after
that time. --keep leaves the folders of passed runs too. --plan '{"cycles": [[…]]}' runs with these faults instead of the
drawn ones (chaos/plan.ts, PlanOptions).
`;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const count = (name: 'seed' | 'runs' | 'jobs' | 'minutes', fallback: number): number => {
  const number = Number(values[name] ?? fallback);
  if (Number.isInteger(number) && number >= 1 && number < 2 ** 31) return number;
  process.stderr.write(`Expected --${name} to be a whole number above 0, got ${values[name]}\n`);
  process.exit(2);
};
if (values.help) {
  say(USAGE);
  process.exit(0);
}
const oneOf = <T extends string>(name: 'ftp' | 'shop', words: readonly T[]): T | undefined => {
  const word = values[name];
  if (word === undefined || words.includes(word as T)) return word as T | undefined;
  process.stderr.write(`Expected --${name} to be one of ${words.join(', ')}, got ${word}\n`);
  process.exit(2);
};
const first = count('seed', randomInt(1, 1_000_000_000));
const runs = count('runs', 1);
const end = performance.now() + count('minutes', 24 * 60) * 60_000;
const ftp = oneOf<FtpKind>('ftp', FTP_KINDS);
const shop = oneOf<ShopKind>('shop', SHOP_KINDS);
const told = values.plan === undefined ? {} : (JSON.parse(values.plan) as PlanOptions);

const results: RunResult[] = [];
const broken: number[] = [];
let next = first;
const ending = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    ending.abort();
    say('No further run begins; those under way go to their ends. Once more breaks them off.');
  });
}
const save = () => {
  if (values.json === undefined) return;
  const rows = results.map(({ plan: { scenario: _scenario, ...plan }, ...result }) => ({
    ...plan,
    ...result,
  }));
  writeFileSync(values.json, JSON.stringify(rows, null, 1));
};
const work = async () => {
  while (next < first + runs && performance.now() < end && !ending.signal.aborted) {
    const seed = next++;
    const plan = makePlan(seed, { ftp, shop, ...told });
    const again = [`npm run chaos -- --seed ${seed}`, ...(ftp === undefined ? [] : [`--ftp ${ftp}`])]
      .concat(shop === undefined ? [] : [`--shop ${shop}`])
      .concat(values.plan === undefined ? [] : [`--plan '${values.plan}'`])
      .join(' ');
    try {
      const result = await runPlan(plan);
      results.push(result);
      save();
      const planned = plan.cycles.map((faults) => faults.map(describeFault).join(', ')).join(' | ');
      const where = `${plan.shop}, ${plan.ftp}, ${plan.ledger}, ${result.cycles} cycles, ${result.seconds.toFixed(0)} s`;
      say(`${result.violations.length === 0 ? 'passed' : 'FAILED'} ${seed} (${where}): ${planned}`);
      if (result.violations.length === 0) {
        if (!values.keep) await forget(result);
        continue;
      }
      broken.push(seed);
      for (const struck of result.struck) say(`    struck: ${struck}`);
      for (const violation of result.violations) say(`    ${violation}`);
      say(`    everything is in ${result.folder}; again: ${again}`);
    } catch (error) {
      broken.push(seed);
      say(`FAILED ${seed}: the campaign itself: ${(error as Error).stack}`);
      say(`    again: ${again}`);
    }
  }
};
await Promise.all(Array.from({ length: Math.min(count('jobs', 4), runs) }, work));

const passed = results.filter(({ violations }) => violations.length === 0).length;
say(`${passed} of ${next - first} runs passed, seeds ${first} to ${next - 1}`);
if (results.length > 1) say(`\n${faultTable(results)}`);
process.exitCode =
  passed === runs || (passed > 0 && broken.length === 0 && values.minutes !== undefined) ? 0 : 1;
// A simulated server that was killed may leave a timer.
process.exit();
