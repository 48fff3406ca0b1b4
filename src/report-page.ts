import type { EChartsOption } from 'echarts';
import { Liquid } from 'liquidjs';
import type { AwaitOrdersTakenResult } from './activities/await-orders-taken.ts';
import type { DeliverOrdersResult } from './activities/deliver-orders.ts';
import type { PrepareStockResult } from './activities/prepare-stock.ts';
import type { ShadowSalesResult } from './activities/shadow-sales.ts';
import type { ShadowStockResult } from './activities/shadow-stock.ts';
import type { CycleSeen } from './cycles.ts';
import { localTime } from './local-time.ts';
import { PERIOD, stepSentence, type Ending, type ShadowVerdict } from './workflows/labels.ts';
import { STEPS, type CycleReport, type Hold, type StepName } from './workflows/report.ts';

/** What a day's cycles did, all together; a cycle belongs to the day on which it began. */
export interface Day {
  /** `2026-11-24`, in Paris. */
  readonly day: string;
  readonly cycles: number;
  /** Orders in the sales files. */
  readonly orders: number;
  /** Units in those orders. */
  readonly units: number;
  /** Variants that the shop shows corrected for orders that Proshop does not count yet; each cycle counts them anew. */
  readonly corrected: number;
  /** Units that those corrections take from what Proshop has; each cycle counts them anew. */
  readonly withheld: number;
}

/** A cycle that has come to an end, whatever end: one without a result did nothing that could be told. */
export interface EndedCycle extends Omit<Day, 'cycles'> {
  /** ISO 8601. */
  readonly startedAt: string;
  readonly seconds: number;
  readonly ending: Ending;
  /** Temporal's word. */
  readonly status: string;
  /** Seconds, whether Proshop came or not; null when the cycle did not wait. */
  readonly waits: { readonly ordersTaken: number | null; readonly stockExport: number | null };
  readonly holds: readonly Pick<Hold, 'reasons' | 'decision'>[];
  /** How it compares with the old gateway, and what it says of sales and stock; null for a cycle that was not beside it. */
  readonly shadow: {
    readonly verdict: ShadowVerdict;
    readonly sales: string;
    readonly stock: string;
  } | null;
}

/** The oldest first. */
export interface Period {
  /** Each day of it, also when nothing ran. */
  readonly days: readonly Day[];
  readonly cycles: readonly EndedCycle[];
}

/** What the cycles of the last `count` days did, today among them. */
export function periodOf(cycles: readonly CycleSeen[], now: Date, count: number): Period {
  const days = lastDays(now, count);
  const ended = withLostShadows(cycles.map(endedCycle)).filter(({ day }) => days.includes(day));
  return {
    days: days.map((day) => {
      const its = ended.filter((cycle) => cycle.day === day);
      const sum = (key: 'orders' | 'units' | 'corrected' | 'withheld') =>
        its.reduce((n, cycle) => n + cycle[key], 0);
      return {
        day,
        cycles: its.length,
        orders: sum('orders'),
        units: sum('units'),
        corrected: sum('corrected'),
        withheld: sum('withheld'),
      };
    }),
    cycles: ended,
  };
}

/** A cycle that left no report is what the one before it was. The oldest first. */
function withLostShadows(
  cycles: readonly (EndedCycle & { readonly isTold: boolean })[],
): readonly EndedCycle[] {
  let isShadow = false;
  return cycles.map(({ isTold, ...cycle }) => {
    if (isTold) isShadow = cycle.shadow !== null;
    return !isTold && isShadow ? { ...cycle, shadow: UNTOLD } : cycle;
  });
}

const UNTOLD = { verdict: 'missing', sales: '', stock: '' } as const;

const HALF_A_DAY = 12 * 60 * 60_000;

/** Steps of half a day miss none, not even the day that has 23 hours. */
function lastDays(now: Date, count: number): readonly string[] {
  const days = new Set<string>();
  for (let instant = now.getTime(); days.size < count; instant -= HALF_A_DAY)
    days.add(dayOf(new Date(instant)));
  return [...days].toReversed();
}

function dayOf(instant: Date): string {
  return localTime(instant, PERIOD.timeZone).slice(0, 10);
}

function endedCycle({ startedAt, endedAt, status, report }: CycleSeen) {
  const step = (wanted: StepName) => report?.steps.find(({ name }) => name === wanted);
  // A step that was done again and failed still bears the facts of before.
  const done = (wanted: StepName): unknown => (step(wanted)?.state === 'done' ? step(wanted)?.facts : null);
  const wait = (name: StepName) => seconds(step(name)?.startedAt ?? null, step(name)?.endedAt ?? null);
  const delivered = done('deliverOrders') as DeliverOrdersResult | null;
  const taken = done('awaitOrdersTaken') as AwaitOrdersTakenResult | null;
  // What was prepared and did not reach the shop corrects nothing there.
  const shadow = shadowOf(report);
  const prepared =
    shadow === null && step('updateStock')?.state === 'done'
      ? (done('prepareStock') as PrepareStockResult | null)
      : null;
  return {
    startedAt,
    day: dayOf(new Date(startedAt)),
    seconds: seconds(startedAt, endedAt) ?? 0,
    ending: endingOf(status, report),
    status,
    waits: {
      // Where nothing was published, nothing was waited for.
      ordersTaken: taken?.taken === 0 ? null : wait('awaitOrdersTaken'),
      stockExport: wait('collectStock'),
    },
    orders: delivered?.orders ?? 0,
    units: delivered?.units ?? 0,
    corrected: prepared?.corrected ?? 0,
    withheld: prepared?.withheld ?? 0,
    holds: holdsOf(report),
    shadow,
    isTold: report !== null,
  };
}

/** Their own sentence is not on the page. */
const ORDERS_STEPS: ReadonlySet<number> = new Set(
  (['exportOrders', 'exportLateOrders'] as const).map((name) => STEPS.indexOf(name) + 1),
);

function shadowOf(report: CycleReport | null): EndedCycle['shadow'] {
  if (report?.mode !== 'shadow') return null;
  const step = (wanted: StepName) =>
    report.steps.find(({ name, state }) => name === wanted && state === 'done');
  const [sent, prepared] = [step('deliverOrders'), step('prepareStock')];
  const differences = report.alarms.filter(({ kind }) => kind === 'shadow-differs');
  const ofOrders = differences.filter(({ step: number }) => ORDERS_STEPS.has(number));
  const told = {
    sales: [...ofOrders.map(({ message }) => message), sent ? stepSentence(sent) : ''].join(' ').trim(),
    stock: prepared ? stepSentence(prepared) : '',
  };
  if (differences.length > 0) return { verdict: 'different', ...told };
  if (!sent || !prepared) return { verdict: 'missing', ...told };
  const sales = (sent.facts as ShadowSalesResult).comparison;
  const stock = (prepared.facts as ShadowStockResult).comparison;
  if (sales.unwatched) return { verdict: 'missing', ...told };
  const explained = sales.late.length + sales.doubted + stock.explained;
  return { verdict: explained > 0 ? 'explained' : 'identical', ...told };
}

function endingOf(status: string, report: CycleReport | null): Ending {
  if (report !== null && report.outcome !== 'running') return report.outcome;
  return status === 'FAILED' ? 'failed' : 'other';
}

function holdsOf(report: CycleReport | null): EndedCycle['holds'] {
  if (report?.holds) return report.holds.map(({ reasons, decision }) => ({ reasons, decision }));
  // The first cycles asked nobody.
  return (report?.steps ?? []).flatMap(({ why }) =>
    why?.type === 'Held' ? [{ reasons: [why.message], decision: null }] : [],
  );
}

function seconds(from: string | null, to: string | null): number | null {
  return from === null || to === null ? null : (Date.parse(to) - Date.parse(from)) / 1_000;
}

/** Drawn in this order; the shades differ on a printer without colours too. */
const COLOURS: Readonly<Record<Ending, string>> = {
  complete: '#8fc79a',
  degraded: '#e8b33a',
  held: '#7fb0e6',
  failed: '#c8402f',
  other: '#9a9a9a',
};
/** Of what is no ending. */
const PAIR = ['#56659b', '#c9cbe6'] as const;
const DECAL = { color: 'rgba(0,0,0,0.65)', dashArrayX: [1, 0], symbolSize: 1 };
const DECALS = [
  { symbol: 'none' },
  { ...DECAL, dashArrayY: [2, 4], rotation: Math.PI / 4 },
  {
    ...DECAL,
    symbol: 'circle',
    dashArrayX: [
      [4, 4],
      [0, 4, 4, 0],
    ],
    dashArrayY: [4, 0],
    symbolSize: 0.7,
  },
  { ...DECAL, dashArrayY: [3, 2], rotation: -Math.PI / 4 },
  { ...DECAL, dashArrayY: [1, 3] },
];

interface Bars {
  readonly name: string;
  readonly colour: string;
  /** One for each place of the axis; null = no bar. */
  readonly values: readonly (number | null)[];
}

interface Chart {
  readonly axis: readonly string[];
  readonly unit: string;
  readonly bars: readonly Bars[];
  /** One bar a place, whichever series it is of. */
  readonly alone?: boolean;
  /** Numbers above the bars. */
  readonly told?: boolean;
}

/**
 * One page of HTML in French that needs nothing but itself: no script, no network, fit to be printed. What comes from
 * data is escaped.
 */
export async function reportPage({ days, cycles }: Period): Promise<string> {
  // Takes a second to load, for which no other command need wait.
  const { init } = await import('echarts');

  const draw = ({ axis, unit, bars, alone, told }: Chart): string => {
    const chart = init(null, null, { renderer: 'svg', ssr: true, width: 1_000, height: 200 });
    chart.setOption({
      animation: false,
      aria: { enabled: true, label: { enabled: false }, decal: { show: true, decals: DECALS } },
      legend: { top: 0, right: 10, selectedMode: false },
      grid: { left: 60, right: 10, top: 34, bottom: 44, containLabel: false },
      xAxis: { type: 'category', data: [...axis], axisLabel: { rotate: told ? 0 : 90, fontSize: 10 } },
      yAxis: {
        type: 'value',
        name: unit,
        minInterval: told ? 1 : 0,
        axisLabel: { formatter: PERIOD.number },
      },
      series: bars.map(({ name, colour, values }) => ({
        type: 'bar',
        name,
        data: [...values],
        color: colour,
        silent: true,
        // Also what took no time has its bar.
        barMinHeight: told ? 0 : 3,
        barMaxWidth: 60,
        ...(alone ? { barGap: '-100%' } : {}),
        label: {
          show: told ?? false,
          position: 'top',
          formatter: ({ value }) => PERIOD.number(value as number),
        },
      })),
    } satisfies EChartsOption);
    const svg = chart.renderToSVGString();
    chart.dispose();
    return svg;
  };

  const dayName = (day: Day) => PERIOD.day(day.day);
  const perDay = (unit: string, ...bars: readonly [string, string, keyof Omit<Day, 'day' | 'cycles'>][]) =>
    draw({
      axis: days.map(dayName),
      unit,
      told: true,
      bars: bars.map(([name, colour, key]) => ({ name, colour, values: days.map((day) => day[key]) })),
    });
  const figures = days.flatMap((day) => {
    const its = cycles.filter((cycle) => cycle.day === day.day);
    if (its.length === 0) return [];
    const axis = its.map(({ startedAt }) => PERIOD.hour(startedAt));
    const unit = PERIOD.minutes;
    const endings = (Object.keys(COLOURS) as Ending[]).map((ending) => ({
      name: PERIOD.endings[ending],
      colour: COLOURS[ending],
      values: its.map((cycle) => (cycle.ending === ending ? minutes(cycle.seconds) : null)),
    }));
    const waits = (
      [
        ['ordersTaken', PAIR[0]],
        ['stockExport', PAIR[1]],
      ] as const
    ).map(([key, colour]) => ({
      name: PERIOD.waits[key],
      colour,
      values: its.map((cycle) => minutes(cycle.waits[key])),
    }));
    return [
      {
        title: dayName(day),
        cycles: draw({ axis, unit, bars: endings, alone: true }),
        waits: draw({ axis, unit, bars: waits }),
      },
    ];
  });

  const shadows = cycles.flatMap(({ startedAt, shadow }) =>
    shadow === null ? [] : { startedAt, ...shadow },
  );

  return page.renderSync(PAGE, {
    words: PERIOD.words,
    period: PERIOD.from(days[0]?.day ?? '', days.at(-1)?.day ?? ''),
    summary: PERIOD.summary(cycles.map(({ ending }) => ending)),
    shadow: shadows.length === 0 ? '' : PERIOD.shadow(shadows),
    // Those that are the same need no words.
    shadows: shadows
      .filter(({ verdict }) => verdict !== 'identical')
      .map(({ startedAt, verdict, sales, stock }) => ({
        when: PERIOD.moment(startedAt),
        verdict: PERIOD.verdict(verdict),
        sales,
        stock,
      })),
    figures,
    orders: perDay('', [PERIOD.words.orders, PAIR[0], 'orders'], [PERIOD.words.units, PAIR[1], 'units']),
    corrections: perDay(
      '',
      [PERIOD.words.corrected, PAIR[0], 'corrected'],
      [PERIOD.words.withheld, PAIR[1], 'withheld'],
    ),
    days: days.map((day) => ({
      name: dayName(day),
      cells: [day.cycles, day.orders, day.units, day.corrected, day.withheld].map(PERIOD.number),
    })),
    holds: cycles.flatMap(({ startedAt, holds }) =>
      holds.map(({ reasons, decision }) => ({
        when: PERIOD.moment(startedAt),
        reasons,
        decision: PERIOD.decision(decision),
        who: decision?.who ?? '',
        why: decision?.why ?? '',
      })),
    ),
  }) as string;
}

function minutes(seconds: number | null): number | null {
  return seconds === null ? null : Math.round(seconds / 6) / 10;
}

const page = new Liquid({ outputEscape: 'escape', strictVariables: true, strictFilters: true });
/** `raw`: only what the chart library has written. */
const PAGE = page.parse(`<!doctype html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{{ words.title }}, {{ period }}</title>
<style>
body { font: 15px/1.4 sans-serif; color: #000; background: #fff; max-width: 1000px; margin: 1em auto; padding: 0 1em; }
figure { margin: 1em 0; }
figcaption { font-weight: bold; }
svg { display: block; width: 100%; height: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid #666; padding: 0.3em 0.5em; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
.numbers td { text-align: right; }
.shadow td:nth-child(-n + 2) { white-space: nowrap; }
@media print {
  @page { size: A4; margin: 12mm; }
  body { max-width: none; margin: 0; padding: 0; font-size: 11px; }
  figure, tr { break-inside: avoid; }
  h2 { break-after: avoid; }
}
</style>
</head>
<body>
<h1>{{ words.title }}</h1>
<p>{{ period }}. {{ words.clock }}</p>
{%- if figures.size == 0 %}
<p>{{ words.nothing }}</p>
{%- else %}
<p>{{ summary }}</p>
{%- if shadow != '' %}
<h2>{{ words.shadow }}</h2>
<p>{{ shadow }}</p>
{%- if shadows.size > 0 %}
<table class="shadow">
<thead><tr><th>{{ words.cycle }}</th><th></th><th>{{ words.sales }}</th><th>{{ words.stock }}</th></tr></thead>
<tbody>
{%- for one in shadows %}
<tr><td>{{ one.when }}</td><td>{{ one.verdict }}</td><td>{{ one.sales }}</td><td>{{ one.stock }}</td></tr>
{%- endfor %}
</tbody>
</table>
{%- endif %}
{%- endif %}
<h2>{{ words.cycles }}</h2>
<p>{{ words.cyclesNote }}</p>
{%- for figure in figures %}
<figure>
<figcaption>{{ figure.title }}</figcaption>
{{ figure.cycles | raw }}
{{ figure.waits | raw }}
</figure>
{%- endfor %}
<h2>{{ words.perDay }}</h2>
<figure>
<figcaption>{{ words.sent }}</figcaption>
{{ orders | raw }}
</figure>
<figure>
<figcaption>{{ words.corrections }}</figcaption>
{{ corrections | raw }}
</figure>
<p>{{ words.correctionsNote }}</p>
<table class="numbers">
<thead><tr><th>{{ words.day }}</th><th>{{ words.cycles }}</th><th>{{ words.orders }}</th><th>{{ words.units }}</th><th>{{ words.corrected }}</th><th>{{ words.withheld }}</th></tr></thead>
<tbody>
{%- for day in days %}
<tr><th>{{ day.name }}</th>{% for cell in day.cells %}<td>{{ cell }}</td>{% endfor %}</tr>
{%- endfor %}
</tbody>
</table>
<h2>{{ words.holds }}</h2>
{%- if holds.size == 0 %}
<p>{{ words.noHold }}</p>
{%- else %}
<table>
<thead><tr><th>{{ words.cycle }}</th><th>{{ words.reasons }}</th><th>{{ words.decision }}</th><th>{{ words.who }}</th><th>{{ words.why }}</th></tr></thead>
<tbody>
{%- for hold in holds %}
<tr><td>{{ hold.when }}</td><td>{% for reason in hold.reasons %}{{ reason }}<br>{% endfor %}</td><td>{{ hold.decision }}</td><td>{{ hold.who }}</td><td>{{ hold.why }}</td></tr>
{%- endfor %}
</tbody>
</table>
{%- endif %}
{%- endif %}
</body>
</html>
`);
