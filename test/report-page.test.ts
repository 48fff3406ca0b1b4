import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { expect, it } from 'vitest';
import { createCycles, type CycleSeen } from '../src/cycles.ts';
import { createOperator } from '../src/operator.ts';
import { periodOf, reportPage } from '../src/report-page.ts';
import type { CycleReport, StepName, StepReport } from '../src/workflows/report.ts';
import { completeReport } from './chaos/complete-report.ts';
import { SAME_SALES, SAME_STOCK } from './support/fakes.ts';

const NOW = new Date('2026-11-24T20:00:00Z');
const HOSTILE = `<script>alert("l'essai & la suite")</script>`;

interface Made {
  readonly minutes?: number;
  readonly facts?: Parameters<typeof completeReport>[1];
  readonly steps?: Readonly<Partial<Record<StepName, Partial<StepReport>>>>;
  readonly report?: Partial<CycleReport>;
}

/** A cycle that took 26 minutes, unless told otherwise. */
function cycle(
  startedAt: string,
  { minutes = 26, facts = {}, steps = {}, report = {} }: Made = {},
): CycleSeen {
  const whole = completeReport(startedAt, facts);
  return {
    workflowId: startedAt,
    runId: startedAt,
    startedAt,
    endedAt: new Date(Date.parse(startedAt) + minutes * 60_000).toISOString(),
    status: 'COMPLETED',
    report: { ...whole, steps: whole.steps.map((step) => ({ ...step, ...steps[step.name] })), ...report },
  };
}

/** A cycle that came to no end of its own, after no time at all. */
const cut = (startedAt: string, status = 'TERMINATED'): CycleSeen => ({
  ...cycle(startedAt, { minutes: 0 }),
  status,
  report: null,
});

const sent = (orders: number, corrected = 0, withheld = 0) => ({
  // Two in each.
  deliverOrders: { orders, units: 2 * orders },
  prepareStock: { corrected, withheld },
});

const PREPARED = {
  passed: true,
  reasons: [],
  outstanding: 1,
  corrected: 1,
  setAside: 0,
  difference: { up: 0, down: 0, toZero: 0, created: 0 },
};

const WEEK: readonly CycleSeen[] = [
  cycle('2026-11-22T09:25:00.000Z', { facts: sent(1_200, 1, 2) }),
  // 23:55 and 00:25 in Paris.
  cycle('2026-11-22T22:55:00.000Z', { facts: sent(3, 2, 5) }),
  cycle('2026-11-22T23:25:00.000Z', { facts: sent(4, 1, 1), report: { outcome: 'degraded' } }),
  cycle('2026-11-24T09:25:00.000Z', {
    facts: sent(0, 7, 9),
    steps: { updateStock: { state: 'skipped', why: { type: 'Held', message: 'Too many' } } },
    report: {
      outcome: 'held',
      holds: [
        {
          until: '2026-11-24T09:55:00.000Z',
          timeZone: 'Europe/Paris',
          reasons: [`Expected less, got ${HOSTILE}`],
          decision: { answer: 'skip', who: `Anne ${HOSTILE}`, why: HOSTILE, at: '2026-11-24T09:41:00.000Z' },
        },
      ],
    },
  }),
  cut('2026-11-24T09:55:00.000Z'),
  cut('2026-11-24T10:25:00.000Z', 'FAILED'),
];

const svgs = (html: string) => html.match(/<svg[^]*?<\/svg>/g) ?? [];
/** The series of each bar, from left to right in each of them. */
const bars = (svg = '') =>
  [...svg.matchAll(/<path d="([^"]*)"[^>]*ecmeta_series_index="(\d)"[^>]*ecmeta_ssr_type="chart"/g)].map(
    ([, path = '', series]) => ({ series: Number(series), height: Number(/l0 (-[\d.]+)/.exec(path)?.[1]) }),
  );

it('adds up each day of the period by the clock of Paris, also those on which nothing ran', () => {
  const early = cycle('2026-11-21T22:55:00.000Z', { facts: sent(50, 50, 50) });
  const { days, cycles } = periodOf([early, ...WEEK], NOW, 3);
  expect(days).toEqual([
    { day: '2026-11-22', cycles: 2, orders: 1_203, units: 2_406, corrected: 3, withheld: 7 },
    { day: '2026-11-23', cycles: 1, orders: 4, units: 8, corrected: 1, withheld: 1 },
    // What was held corrected nothing in the shop.
    { day: '2026-11-24', cycles: 3, orders: 0, units: 0, corrected: 0, withheld: 0 },
  ]);
  expect(cycles).toHaveLength(6);
  expect(periodOf([], NOW, 5).days.map(({ day, cycles }) => [day, cycles])).toEqual([
    ['2026-11-20', 0],
    ['2026-11-21', 0],
    ['2026-11-22', 0],
    ['2026-11-23', 0],
    ['2026-11-24', 0],
  ]);
});

it.each([
  ['23 hours', '2026-03-29T22:30:00Z', ['2026-03-28', '2026-03-29', '2026-03-30']],
  ['25 hours', '2026-10-25T22:30:00Z', ['2026-10-23', '2026-10-24', '2026-10-25']],
])('counts a day of %s once', (_hours, now, expected) => {
  expect(periodOf([], new Date(now), 3).days.map(({ day }) => day)).toEqual(expected);
});

it('knows how each cycle ended', () => {
  const { cycles } = periodOf(WEEK, NOW, 3);
  expect(cycles.map(({ ending, seconds }) => [ending, seconds])).toEqual([
    ['complete', 1_560],
    ['complete', 1_560],
    ['degraded', 1_560],
    ['held', 1_560],
    ['other', 0],
    ['failed', 0],
  ]);
});

it('takes no facts from a step that was not done, and no wait from one that had nothing to wait for', () => {
  const failed = { state: 'failed' } as const;
  const [one, two] = periodOf(
    [
      cycle('2026-11-24T09:25:00.000Z', {
        facts: { ...sent(4, 5, 6), awaitOrdersTaken: { taken: 0 } },
        steps: { deliverOrders: failed, prepareStock: failed, collectStock: { endedAt: null } },
      }),
      cycle('2026-11-24T09:55:00.000Z', {
        facts: { awaitOrdersTaken: { taken: 1 } },
        steps: { collectStock: { ...failed, endedAt: '2026-11-24T10:01:30.000Z' } },
      }),
    ],
    NOW,
    1,
  ).cycles;
  expect(one).toMatchObject({ orders: 0, corrected: 0, withheld: 0 });
  expect(one?.waits).toEqual({ ordersTaken: null, stockExport: null });
  expect(two?.waits).toEqual({ ordersTaken: 60, stockExport: 390 });
});

it('tells of an update that was held when nobody was asked', () => {
  const why = { type: 'Held', message: 'Expected less, got more' };
  const { cycles } = periodOf(
    [
      cycle('2026-11-24T09:25:00.000Z', {
        steps: { updateStock: { state: 'skipped', why } },
        report: { outcome: 'held' },
      }),
    ],
    NOW,
    1,
  );
  expect(cycles[0]?.holds).toEqual([{ reasons: ['Expected less, got more'], decision: null }]);
});

it('draws a bar for every cycle, by how it ended, as high as it took, with its start', async () => {
  const html = await reportPage(periodOf(WEEK, NOW, 3));
  // Two a day with cycles, then orders and corrections.
  const charts = svgs(html);
  expect(charts).toHaveLength(8);
  const [first, , second, , third] = charts;
  expect([first, second, third].map((svg) => bars(svg).map(({ series }) => series))).toEqual([
    [0, 0],
    [1],
    [2, 3, 4],
  ]);
  const [held, failed, cutShort] = bars(third);
  expect(held?.height).toBeLessThan(-50);
  expect([failed?.height, cutShort?.height]).toEqual([-3, -3]);
  expect(['10:25', '23:55'].map((hour) => first?.includes(`>${hour}<`))).toEqual([true, true]);
  expect(second).toContain('>00:25<');
  expect(html).toContain(
    '<p>6 cycles terminés : complet 2, incomplet 1, retenu 1, en échec 1, arrêté de force, annulé ou hors délai 1</p>',
  );
});

it('draws a week of half hours whole', async () => {
  const start = Date.parse('2026-11-17T23:25:00Z');
  const cycles = Array.from({ length: 6 * 48 }, (_, index) =>
    cycle(new Date(start + index * 30 * 60_000).toISOString()),
  );
  const charts = svgs(await reportPage(periodOf(cycles, NOW, 7))).filter((_, index) => index % 2 === 0);
  expect(charts.slice(0, 6).map((svg) => bars(svg).length)).toEqual([48, 48, 48, 48, 48, 48]);
  expect(charts[1]?.match(/>\d\d:\d\d</g)).toHaveLength(48);
});

it('tells each day’s sums, and draws them', async () => {
  const html = await reportPage(periodOf(WEEK, NOW, 3));
  expect(html.replaceAll(/\s/g, ' ')).toContain(
    '<th>dim. 22/11</th><td>2</td><td>1 203</td><td>2 406</td><td>3</td><td>7</td>',
  );
  const [orders, corrections] = svgs(html).slice(-2);
  for (const told of ['>1 203<', '>2 406<']) expect(orders?.replaceAll(/\s/g, ' ')).toContain(told);
  expect(bars(orders)).toHaveLength(6);
  expect(bars(corrections)).toHaveLength(6);
});

/** A cycle beside the old gateway, in which everything was the same unless told otherwise. */
const shadow = (
  startedAt: string,
  sales: object = {},
  stock: object = {},
  { steps = {}, alarms = [] }: { steps?: Made['steps']; alarms?: CycleReport['alarms'] } = {},
) =>
  cycle(startedAt, {
    facts: {
      deliverOrders: { orders: 3, files: ['/import/ventes.xml'], comparison: { ...SAME_SALES, ...sales } },
      prepareStock: { ...PREPARED, comparison: { ...SAME_STOCK, ...stock } },
    },
    steps: { createProducts: { state: 'skipped', why: { type: 'Shadow', message: '' } }, ...steps },
    report: { mode: 'shadow', alarms },
  });
const differs = (step: number, message = '') => ({ kind: 'shadow-differs', step, message }) as const;
const verdicts = (cycles: readonly CycleSeen[]) =>
  periodOf(cycles, NOW, 1).cycles.map(({ shadow: one }) => one?.verdict);

it('tells how many cycles in a row beside the old gateway had no difference without a reason, and what the others say', async () => {
  const removed = { ean: '3600000000017', reference: 'A', size: '38', ours: 2, theirs: 0, rule: 'removed' };
  const cycles = [
    shadow('2026-11-24T08:25:00.000Z', {}, {}),
    shadow('2026-11-24T08:55:00.000Z', { different: 1, missed: [1201] }, {}, { alarms: [differs(2)] }),
    shadow('2026-11-24T09:25:00.000Z', {}, {}, { steps: { prepareStock: { state: 'failed' } } }),
    shadow('2026-11-24T09:55:00.000Z', {}, { explained: 1, disagreements: [removed] }),
    shadow('2026-11-24T10:25:00.000Z', {}, {}),
    shadow('2026-11-24T10:55:00.000Z', {}, {}),
  ];
  const period = periodOf([...cycles, cycle('2026-11-24T11:25:00.000Z')], NOW, 1);
  expect(period.cycles.map(({ shadow: one }) => one?.verdict)).toEqual([
    'identical',
    'different',
    'missing',
    'explained',
    'identical',
    'identical',
    undefined,
  ]);
  // What the old gateway corrected is not passerelle's.
  expect(period.days[0]).toMatchObject({ corrected: 0 });
  const html = await reportPage(period);
  expect(html).toContain(
    '<p>3 cycles de suite sans différence inexpliquée, du 24/11 à 10:55 au 24/11 à 11:55, dont 2 identiques. En tout : identique 3, expliqué 1, différent 1, pas comparé 1.</p>',
  );
  expect(html.match(/<td>(différent|pas comparé|expliqué)<\/td>/g)).toHaveLength(3);
  expect(html).toContain('1 oubliée : 1201');
  expect(html).toContain('produit retiré en entier par l’ancienne passerelle');
  expect(await reportPage(periodOf(WEEK, NOW, 3))).not.toContain('ancienne passerelle');
});

it('takes for different whatever raised the alarm, and for not compared what nobody watched', async () => {
  const unreadable = differs(6, 'Commandes : illisible.');
  const skipped = { deliverOrders: { state: 'failed' } } as const;
  const cycles = [
    shadow('2026-11-24T08:25:00.000Z', {}, {}, { alarms: [unreadable] }),
    shadow('2026-11-24T08:55:00.000Z', {}, {}, { alarms: [differs(1)], steps: skipped }),
    shadow('2026-11-24T09:25:00.000Z', { unwatched: true }, {}, { alarms: [differs(7)] }),
    shadow('2026-11-24T09:55:00.000Z', { unwatched: true }),
    shadow('2026-11-24T10:25:00.000Z', { late: [7], doubted: 0 }),
    shadow('2026-11-24T10:55:00.000Z', { doubted: 1 }),
    shadow(
      '2026-11-24T11:25:00.000Z',
      {},
      {},
      {
        alarms: [{ kind: 'orders-by-hand', step: 1, message: 'x' }],
      },
    ),
  ];
  expect(verdicts(cycles)).toEqual([
    'different',
    'different',
    'different',
    'missing',
    'explained',
    'explained',
    'identical',
  ]);
  const [first] = periodOf(cycles, NOW, 1).cycles;
  expect(first?.shadow?.sales).toBe('Commandes : illisible. 3 commandes identiques dans /import/ventes.xml');
  expect(await reportPage(periodOf(cycles, NOW, 1))).toContain(
    '<td>différent</td><td>Commandes : illisible. 3 commandes',
  );
});

it('breaks the run at a shadow cycle that could not begin, or left no report', async () => {
  const failed = cycle('2026-11-24T09:25:00.000Z', {
    report: { outcome: 'failed', mode: 'shadow', steps: [] },
  });
  const cycles = [
    cut('2026-11-24T07:25:00.000Z'),
    cycle('2026-11-24T07:55:00.000Z'),
    cut('2026-11-24T08:25:00.000Z'),
    shadow('2026-11-24T08:55:00.000Z'),
    failed,
    shadow('2026-11-24T09:55:00.000Z'),
    cut('2026-11-24T10:25:00.000Z'),
    cut('2026-11-24T10:55:00.000Z', 'FAILED'),
  ];
  expect(verdicts(cycles)).toEqual([
    undefined,
    undefined,
    undefined,
    'identical',
    'missing',
    'identical',
    'missing',
    'missing',
  ]);
  expect(await reportPage(periodOf(cycles, NOW, 1))).toContain(
    '<p>0 cycle de suite sans différence inexpliquée. En tout : identique 2, pas comparé 3.</p>',
  );
  const after = [...cycles, shadow('2026-11-24T11:25:00.000Z')];
  expect(await reportPage(periodOf(after, NOW, 1))).toContain(
    '<p>1 cycle de suite sans différence inexpliquée, du 24/11 à 12:25 au 24/11 à 12:25, dont 1 identique.',
  );
  // The cycle before it began on a day that is not shown. 23:55 and 00:25 in Paris.
  const night = [shadow('2026-11-23T22:55:00.000Z'), cut('2026-11-23T23:25:00.000Z')];
  expect(verdicts(night)).toEqual(['missing']);
});

it('tells who decided what of a held update and why, and takes no markup from them', async () => {
  const html = await reportPage(periodOf(WEEK, NOW, 3));
  const harmless = '&lt;script&gt;alert(&#34;l&#39;essai &amp; la suite&#34;)&lt;/script&gt;';
  expect(html).toContain(
    `<tr><td>24/11 à 10:25</td><td>Expected less, got ${harmless}<br></td><td>ignorée le 24/11 à 10:41</td><td>Anne ${harmless}</td><td>${harmless}</td></tr>`,
  );
  const without = await reportPage(periodOf(WEEK.slice(0, 2), NOW, 3));
  expect(without).toContain('Aucune mise à jour retenue.');
});

it('needs nothing but itself: no script, no address but the names of XML’s languages', async () => {
  const html = await reportPage(periodOf(WEEK, NOW, 3));
  expect(html).not.toMatch(/<script|javascript:|<link|<img|<iframe|@import|\son\w+=/i);
  expect(html.replaceAll(/xmlns(:xlink)?="http:\/\/www\.w3\.org\/[^"]*"/g, '')).not.toMatch(/https?:|\/\//);
  expect(html.match(/url\((?!#)/g)).toBeNull();
  const ids = [...html.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
  expect(ids.length).toBeGreaterThan(0);
  expect(new Set(ids).size).toBe(ids.length);
});

it('says in French that nothing ran', async () => {
  const html = await reportPage(periodOf([], NOW, 7));
  expect(html).toContain('Du 18/11/2026 au 24/11/2026');
  expect(html).toContain('Aucun cycle terminé pendant cette période.');
  expect(html).not.toContain('<svg');
});

it('fetches the closed cycles a few at a time, the oldest first, and no result where there is none', async () => {
  let now = 0;
  let most = 0;
  const asked: string[] = [];
  const queries: unknown[] = [];
  const minute = (index: number) => new Date(Date.now() - (100 - index) * 60_000);
  const client = {
    withDeadline: (_deadline: number, work: () => unknown) => work(),
    schedule: { getHandle: () => null },
    workflow: {
      async *list(options: unknown) {
        queries.push(options);
        for (let index = 39; index >= 0; index--) {
          await Promise.resolve();
          yield {
            workflowId: `cycle-${index}`,
            runId: 'run',
            startTime: minute(index),
            closeTime: minute(index + 1),
            status: { name: index === 7 ? 'TERMINATED' : 'COMPLETED' },
          };
        }
      },
      getHandle: (id: string) => ({
        async result() {
          asked.push(id);
          most = Math.max(most, ++now);
          await sleep(2);
          now--;
          if (id === 'cycle-9') throw new WorkflowNotFoundError('no such run', id, 'run');
          return completeReport(id, sent(1));
        },
      }),
    },
  } as unknown as Client;

  const found = await createCycles(client).finished(new Date('2026-11-17T00:00:00Z'));
  expect(found.map(({ workflowId }) => workflowId)).toEqual(
    Array.from({ length: 40 }, (_, index) => `cycle-${index}`),
  );
  expect(found[7]).toMatchObject({ status: 'TERMINATED', report: null });
  expect(found[8]).toMatchObject({ report: { cycle: { id: 'cycle-8' } } });
  expect(found[9]).toMatchObject({ status: 'COMPLETED', report: null });
  expect(asked).not.toContain('cycle-7');
  expect(most).toBe(8);
  expect(queries).toEqual([
    { query: `WorkflowType = 'cycle' AND CloseTime >= '2026-11-17T00:00:00.000Z'`, pageSize: 200 },
  ]);

  const { days } = await createOperator(client).period(2);
  expect(days.reduce((sum, { orders }) => sum + orders, 0)).toBe(38);
});

it.each(['0', '91'])('takes no %s days', async (days) => {
  const client = join(import.meta.dirname, '../src/client.ts');
  const words = ['--import', 'tsx', client, 'report', '--days', days];
  await expect(promisify(execFile)(process.execPath, words)).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining(`valeur impossible : ${days}`),
  });
});
