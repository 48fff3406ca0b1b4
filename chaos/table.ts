import type { RunResult } from './run-plan.ts';

/** What a table is made of. */
export type Outcome = Pick<RunResult, 'struck' | 'violations'>;

/** A Markdown table: each kind of fault that struck, in how many runs, and how many of these failed. */
export function faultTable(outcomes: readonly Outcome[]): string {
  const kinds = new Map<string, { times: number; runs: number; failed: number }>();
  for (const { struck, violations } of outcomes) {
    for (const kind of struck.map(kindOf))
      kinds.set(kind, kinds.get(kind) ?? { times: 0, runs: 0, failed: 0 });
    for (const [kind, row] of kinds) {
      const times = struck.filter((one) => kindOf(one) === kind).length;
      row.times += times;
      if (times > 0) row.runs++;
      if (times > 0 && violations.length > 0) row.failed++;
    }
  }
  const rows = [...kinds].sort(([a], [b]) => a.localeCompare(b));
  return [
    '| fault | times | runs | failed |',
    '| --- | ---: | ---: | ---: |',
    ...rows.map(([kind, { times, runs, failed }]) => `| ${kind} | ${times} | ${runs} | ${failed} |`),
  ].join('\n');
}

/** `ftp reply lost at RNTO 2` is an `FTP: reply lost`: where and how long is left out. */
function kindOf(struck: string): string {
  const [, moment, effect] = /^kill (before|after) (ftp|ledger|archive|shop request)/.exec(struck) ?? [];
  if (moment !== undefined)
    return `worker killed ${moment} a side effect: ${EFFECTS[effect ?? ''] ?? effect}`;
  const [, what] =
    /^ftp (refuses connections|data cut|[a-z ]+?(?: \d+)?)(?: after \d+| for \d+| at )/.exec(struck) ?? [];
  if (what !== undefined) return `FTP: ${what}${/\((\w+)\)/.exec(struck)?.[0].replace(/^/, ' ') ?? ''}`;
  if (struck.startsWith('schedule paused at')) return 'schedule paused and resumed';
  if (struck.startsWith('schedule')) return struck;
  return struck
    .replace(/^shop \w+:/, 'shop:')
    .replace(/^webservice (GET|POST|PUT|DELETE) \w*:/, 'Webservice, $1:')
    .replace(/ (at|before|for|from) .*$/, '');
}

const EFFECTS: Readonly<Record<string, string>> = {
  ftp: 'FTP',
  ledger: 'ledger',
  archive: 'archive',
  'shop request': 'request to the shop',
};
