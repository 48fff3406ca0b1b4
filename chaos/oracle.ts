import { instant } from '../sandbox/clock.ts';
import { judge } from '../sandbox/judge.ts';
import { soldAt } from '../sandbox/judge-orders.ts';
import { NEVER_ZEROED } from '../sandbox/judge-webservice.ts';
import type { Expectations } from '../sandbox/judge.ts';
import type { Fault, Truth, TruthOrder } from '../sandbox/truth.ts';
import type { Answer, CycleReport, StepReport } from '../src/workflows/report.ts';

/** What a run leaves: the sandbox's truth, and everything that passerelle has said. */
export interface Evidence {
  readonly truth: Truth;
  /** The truth at the end of each import of the shop, or of each cycle where stock is written by the Webservice. */
  readonly imports: readonly Truth[];
  /** In the order of their starts. The last one is whole: nothing was broken any more. */
  readonly cycles: readonly CycleEvidence[];
  /** What people answered of held updates, and heard that it was noted. */
  readonly noted: readonly { readonly cycle: string; readonly answer: Answer }[];
  /** Sandbox milliseconds after which an order that is not whole is given up. Infinity when the gateway's clock went wrong, by which it counts them. */
  readonly patience: number;
  /** Name -> text: logs and the archive's reports. */
  readonly told: Readonly<Record<string, string>>;
  /** Passwords and addresses that nobody may read. */
  readonly secrets: readonly string[];
}

export interface CycleEvidence {
  readonly id: string;
  /** Sandbox time. */
  readonly startedAt: string;
  readonly endedAt: string;
  /** `COMPLETED`, as Temporal says. */
  readonly status: string;
  /** Its result; null when it has none. */
  readonly report: CycleReport | null;
  /** The steps that read the shop's orders to their end, in sandbox time: what stood there when one began is known when it has ended. */
  readonly readings: readonly { readonly startedAt: string; readonly endedAt: string }[];
  /** The whole history, payloads as text. */
  readonly history: string;
  /** True when it was started beside another one on purpose. */
  readonly besideAnother: boolean;
}

/** Judges a run, knowing nothing of the product but its reports. Gives what is wrong. */
export function findViolations(evidence: Evidence): readonly string[] {
  return [
    ...badCycles(evidence.cycles),
    ...badHolds(evidence),
    ...badImports(evidence),
    ...badEnd(evidence),
    ...badRoutes(evidence),
    ...badLives(evidence),
    ...tellsTooMuch(evidence),
  ];
}

/** Each update as it ended: the shop must show no more than Proshop had, minus what was outstanding. */
function badImports({ imports, cycles }: Evidence): readonly string[] {
  return imports.flatMap((truth) => {
    const appliedAt = updatedAt(truth, cycles);
    const cycle = cycles.findLast(({ startedAt }) => startedAt <= (appliedAt ?? truth.now));
    const { checks } = judge(truth, {
      // None is due before the end.
      placedBefore: '',
      stock: 'never more',
      ...(cycle === undefined ? {} : { writtenSince: cycle.startedAt }),
    });
    const isPromised = (name: string) =>
      appliedAt === null ? name === NEVER_ZEROED : !ONLY_AT_THE_END.has(name);
    return checks
      .filter(({ ok, name }) => !ok && isPromised(name))
      .map(
        ({ name, detail }) =>
          `${appliedAt === null ? `at ${truth.now}` : `after the update of ${appliedAt}`}: ${name}: ${detail}`,
      );
  });
}

/** When the update that has just ended was applied; null when what ended was none, or did not write all. */
function updatedAt({ webservice, imports, now }: Truth, cycles: readonly CycleEvidence[]): string | null {
  if (webservice !== undefined) {
    const cycle = cycles.findLast(({ startedAt }) => startedAt <= now);
    const isWritten = cycle?.report?.steps.some(
      ({ name, state }) => name === 'updateStock' && state === 'done',
    );
    // Of two at once, nobody can say which one's figures are the last.
    return isWritten === true && !cycle?.besideAnother ? now : null;
  }
  const last = imports.at(-1);
  return last?.job === 'updateStock' && last.outcome === 'done' ? last.startedAt : null;
}

/** What a broken cycle may leave to the next. */
const ONLY_AT_THE_END = new Set([
  'nothing is left behind on the FTP',
  'no file was ever seen partial, unreadable or foreign',
  'the shop was never zeroed as a whole',
  'every new model exists once, with its variants',
  'the sandbox itself is sound',
]);

/** Gives what is wrong in the end, after the last cycle. */
export function badEnd({ truth, cycles }: Pick<Evidence, 'truth' | 'cycles'>): readonly string[] {
  const last = cycles.at(-1);
  if (last?.report?.outcome !== 'complete') {
    const steps = last?.report?.steps.filter(({ why }) => why !== null) ?? [];
    const why = steps.map((step) => `${step.name}: ${step.why?.type} ${step.why?.message}`).join('; ');
    return [
      `the last cycle, with nothing broken any more, was to be complete, got ${last?.report?.outcome ?? last?.status}: ${why}`,
      ...judged(truth, { placedBefore: '', stock: 'never more' }),
    ];
  }
  return judged(truth, {
    placedBefore: firstLook(truth, last.startedAt),
    stock: 'exact',
    writtenSince: last.startedAt,
  });
}

/** When passerelle first asked for orders since then. */
function firstLook({ webservice, orderExports }: Truth, since: string): string {
  const looks =
    webservice === undefined
      ? orderExports.map(({ at }) => at)
      : webservice.requests.flatMap(({ resource, status, startedAt }) =>
          resource === 'orders' && status === 200 ? [startedAt] : [],
        );
  return looks.find((at) => at >= since) ?? since;
}

function judged(truth: Truth, expectations: Expectations): readonly string[] {
  return judge(
    { ...truth, faults: truth.faults.filter((fault) => !isUnavoidable(fault, truth)) },
    expectations,
  )
    .checks.filter(({ ok }) => !ok)
    .map(({ name, detail }) => `in the end: ${name}: ${detail}`);
}

/**
 * The module reads ExportCSV itself. If Proshop began to write after passerelle's look, on which it called the module,
 * nobody can help what the module reads then (docs/decisions/0001).
 */
function isUnavoidable(fault: Fault, truth: Truth): boolean {
  if (fault.kind !== 'partial file read by the shop' || fault.file !== '/ExportCSV') return false;
  const at = instant(fault.at);
  const calledAt = truth.imports.findLast((run) => instant(run.startedAt) <= at)?.startedAt;
  if (calledAt === undefined) return false;
  return truth.exports.some((run) => {
    const isBeingWritten =
      instant(run.startedAt) <= at && (run.finishedAt === null || at <= instant(run.finishedAt));
    return isBeingWritten && instant(run.openedAt ?? run.startedAt) > instant(calledAt) - LOOK_TO_CALL;
  });
}

/** Sandbox milliseconds: some 120 real ones on the campaign's clock, of the 330 that Proshop writes. */
const LOOK_TO_CALL = 45_000;

/** Each order is sent, listed by hand or set aside, and never two of them. */
function badRoutes({ truth, cycles }: Evidence): readonly string[] {
  const listed = listings(cycles);
  const lastStart = cycles.at(-1)?.startedAt ?? '';
  return truth.orders.flatMap((order) => {
    const routes = [
      ...order.taken.map(() => 'sent'),
      ...(listed.byHand.has(order.id) ? ['by hand'] : []),
      ...(listed.setAside.has(order.id) ? ['set aside'] : []),
    ];
    const expected = routeOf(order);
    if (routes.length > 1 || (routes[0] ?? expected) !== expected)
      return [`order ${order.id}: expected ${expected}, got ${routes.join(' and ')}`];
    if (routes.length === 0 && isDue(order, lastStart))
      return [`order ${order.id}: expected ${expected}, got nowhere told`];
    const files = listed.sent.get(order.id) ?? new Set();
    return files.size > 1 ? [`order ${order.id} was put into ${[...files].join(' and ')}`] : [];
  });
}

/** True when it was sold before then, as far as passerelle can know. */
function isDue(order: TruthOrder, then: string): boolean {
  const at = soldAt(order);
  return at !== null && at < then && !order.lostByModule;
}

/** Whatever is to be taken back in Proshop, or will never be whole, is told to people; and nothing else is. */
function badLives({ truth, cycles, patience }: Evidence): readonly string[] {
  const { byHand, setAside, takeBacks, incomplete } = listings(cycles);
  const lastStart = cycles.at(-1)?.startedAt ?? '';
  const given = givenBack(truth);
  const untold = given.filter(({ order, cause, at }) => {
    const isSent = order.taken.length > 0;
    const isCancelled = order.life?.standing === 'cancelled';
    // A slip of what was cancelled before it was sent says nothing more.
    const isToTell = cause === 'cancelled' ? isCancelled : isSent || !isCancelled;
    const isWithSomebody = isSent || byHand.has(order.id) || setAside.has(order.id);
    return isToTell && isWithSomebody && at < lastStart && !takeBacks.has(keyOf(order.id, cause));
  });
  const known = new Set(given.map(({ order, cause }) => keyOf(order.id, cause)));
  const invented = [...takeBacks].filter((key) => !known.has(key));
  const lost = truth.orders.filter(({ id, placedAt, life }) => {
    if (life?.standing !== 'incomplete' || incomplete.has(id)) return false;
    const seenAt = knownSince(placedAt, cycles);
    return seenAt !== undefined && instant(seenAt) + patience < instant(lastStart);
  });
  return [
    ...untold.map(
      ({ order, cause }) => `no report tells that order ${keyOf(order.id, cause)} is to be taken back`,
    ),
    ...invented.map((key) => `a report tells that order ${key} is to be taken back, which never was`),
    ...lost.map(({ id }) => `order ${id} was never made to its end, and no report tells`),
  ];
}

interface GivenBack {
  readonly order: TruthOrder;
  /** As reports name it: `cancelled`, or `slip 12`. */
  readonly cause: string;
  readonly at: string;
}

/** All that was ever cancelled or refunded. */
function givenBack({ orders }: Truth): readonly GivenBack[] {
  const cancelled = orders.flatMap((order) => {
    const change = order.life?.changes.findLast(({ standing }) => standing === 'cancelled');
    return change === undefined ? [] : [{ order, cause: 'cancelled', at: change.at }];
  });
  const refunded = orders
    .flatMap((order) => (order.life?.refunds ?? []).map(({ at }) => ({ order, at })))
    .toSorted((a, b) => instant(a.at) - instant(b.at))
    // The shop numbers its slips in the order of their making.
    .map((slip, index) => ({ ...slip, cause: `slip ${index + 1}` }));
  return [...cancelled, ...refunded];
}

function keyOf(id: number, cause: string): string {
  return `${id} (${cause})`;
}

/** When passerelle knew at the latest of an order that was placed then; undefined when it need not know of it yet. */
function knownSince(placedAt: string, cycles: readonly CycleEvidence[]): string | undefined {
  return cycles
    .flatMap(({ readings }) => readings)
    .filter(({ startedAt }) => startedAt >= placedAt)
    .map(({ endedAt }) => endedAt)
    .toSorted()[0];
}

function routeOf(order: TruthOrder): 'sent' | 'by hand' | 'set aside' {
  if (!order.readable) return 'set aside';
  return order.paidByVoucher ? 'by hand' : 'sent';
}

interface OrderFacts {
  readonly byHandIds?: readonly number[];
  readonly setAsideOrders?: readonly { readonly id: number | null }[];
  readonly setAsideIds?: readonly number[];
  readonly orderIds?: readonly number[];
  readonly file?: string | null;
  readonly life?: {
    readonly takeBackList: readonly { readonly id: number; readonly cause: string }[];
    readonly incompleteIds: readonly number[];
  };
}

function listings(cycles: readonly CycleEvidence[]) {
  const byHand = new Set<number>();
  const setAside = new Set<number>();
  const sent = new Map<number, Set<string>>();
  const takeBacks = new Set<string>();
  const incomplete = new Set<number>();
  for (const { facts } of cycles.flatMap(({ report }) => report?.steps ?? [])) {
    const told = (facts ?? {}) as OrderFacts;
    for (const id of told.byHandIds ?? []) byHand.add(id);
    for (const { id } of told.setAsideOrders ?? []) if (id !== null) setAside.add(id);
    for (const id of told.setAsideIds ?? []) setAside.add(id);
    for (const { id, cause } of told.life?.takeBackList ?? []) takeBacks.add(keyOf(id, cause));
    for (const id of told.life?.incompleteIds ?? []) incomplete.add(id);
    for (const id of told.orderIds ?? []) sent.set(id, (sent.get(id) ?? new Set()).add(told.file ?? ''));
  }
  return { byHand, setAside, sent, takeBacks, incomplete };
}

/** Each cycle ends, says what, when, how many and why, and runs beside no other. */
function badCycles(cycles: readonly CycleEvidence[]): readonly string[] {
  return cycles.flatMap((cycle, index) => {
    const next = cycles[index + 1];
    const overlaps = next !== undefined && !next.besideAnother && next.startedAt < cycle.endedAt;
    const overlap = overlaps ? [`cycle ${next.id} began before ${cycle.id} had ended`] : [];
    if (cycle.status !== 'COMPLETED' || cycle.report === null)
      return [...overlap, `cycle ${cycle.id}: expected a report, got ${cycle.status}`];
    const { outcome, endedAt, steps, alarms } = cycle.report;
    const wrong = [
      ...(endedAt === null ? ['no end'] : []),
      ...(steps.length === 8 ? [] : [`${steps.length} steps`]),
      ...(outcome === 'failed' ? [] : steps.flatMap(badStep)),
      ...(outcome === 'complete' || alarms.length > 0 || steps.some(({ why }) => why !== null)
        ? []
        : [`${outcome} without a reason`]),
    ];
    return [...overlap, ...wrong.map((what) => `the report of cycle ${cycle.id}: ${what}`)];
  });
}

/** What nobody let through is not applied; what was noted stands in the report, with who said so. */
function badHolds({ cycles, noted }: Evidence): readonly string[] {
  return cycles.flatMap(({ id, report }) => {
    const holds = report?.holds ?? [];
    const last = holds.at(-1);
    const isApplied = report?.steps.some(({ name, state }) => name === 'updateStock' && state === 'done');
    const lost = noted.filter(
      ({ cycle, answer }) =>
        cycle === id &&
        report !== null &&
        !holds.some(
          ({ decision }) =>
            decision?.answer === answer.answer && decision.who === answer.who && decision.why === answer.why,
        ),
    );
    return [
      ...(last !== undefined && last.decision?.answer !== 'apply' && isApplied === true
        ? [`cycle ${id} applied an update that nobody had let through`]
        : []),
      ...lost.map(({ answer }) => `cycle ${id} tells nothing of ${answer.who}'s answer, which was noted`),
    ];
  });
}

function badStep(step: StepReport): readonly string[] {
  switch (step.state) {
    case 'done':
      return step.facts === null || step.startedAt === null || step.endedAt === null
        ? [`${step.name} is done without facts or times`]
        : [];
    case 'failed':
    case 'skipped':
      return step.why === null || step.why.type === '' ? [`${step.name} is ${step.state} without why`] : [];
    case 'waiting':
    case 'running':
      return [`${step.name} is still ${step.state}`];
  }
}

/** No secret and no customer in any history, log or report. */
function tellsTooMuch({ truth, cycles, told, secrets }: Evidence): readonly string[] {
  const words = new Set([
    ...secrets,
    ...secrets
      .filter((secret) => URL.canParse(secret))
      .map((secret) => new URL(secret).searchParams.get('secure_key') ?? ''),
    ...truth.orders.flatMap(({ customer, address }) => [customer.lastname, address]),
  ]);
  const texts = {
    ...told,
    ...Object.fromEntries(cycles.map(({ id, history }) => [`history of ${id}`, history])),
  };
  return Object.entries(texts).flatMap(([name, text]) =>
    [...words]
      // As it is, and as it stands in JSON.
      .filter(
        (word) =>
          word.length > 3 && (text.includes(word) || text.includes(JSON.stringify(word).slice(1, -1))),
      )
      .map((word) => `${name} tells ${word}`),
  );
}
