import { Context, log } from '@temporalio/activity';
import type { Channel } from '../alerts.ts';
import type { CycleSeen } from '../cycles.ts';
import { has, lastingWarnings, newsFor, type CycleFacts, type WatchFacts } from '../domain/warnings.ts';
import { notYet } from '../failures.ts';
import { cycleFailures, warningMessage } from '../workflows/labels.ts';
import type { CycleReport, StepName } from '../workflows/report.ts';
import { EXAMPLES, type Deps } from './deps.ts';

export interface WatchInput {
  /** When the last cycle ended for which the heartbeat was called, ISO 8601: by Temporal's clock. */
  readonly beatenUpTo: string;
}

/** A look that had something to tell. */
export interface WatchResult extends WatchInput {
  /** `mail: orders-by-hand began 1201, 1204` */
  readonly told: readonly string[];
  /** Milliseconds until the next look. */
  readonly every: number;
}

/** The running cycle, the two before, and what people may have started besides. */
const CYCLES = 6;

/**
 * Looks at the gateway once, and tells each channel what it has not been told yet. A channel that is down is tried again
 * at the next look, with what is true then, and holds nobody else up. Cut between a message and the note of it, the next
 * look sends that message again.
 * @throws NotYet, to be asked again, when there was nothing to tell or nobody could be told.
 */
export const watch =
  (deps: Deps) =>
  async ({ beatenUpTo }: WatchInput): Promise<WatchResult> => {
    const { config, alerts, cycles, ledger } = deps;
    const { every, webUi } = config.alerts;
    const signal = Context.current().cancellationSignal;

    const recent = await cycles.recent(CYCLES);
    const now = new Date();
    const known = (await ledger.warnings()).map(({ since, overAt, ...row }) => ({
      ...row,
      since: since.getTime(),
      isOver: overAt !== null,
    }));
    const lasting = lastingWarnings(await factsOf(deps, recent, now), known, config.alerts);
    await ledger.noteWarnings(
      lasting.filter(
        (one) =>
          !has(
            known.filter(({ isOver }) => !isOver),
            one,
          ),
      ),
      now,
    );
    const ended = known.filter((one) => !has(lasting, one));
    for (const { kind, subject } of ended) await ledger.endWarnings(kind, [subject], now);

    const told: string[] = [];
    const faults: string[] = [];
    let beaten = beatenUpTo;
    const work = await Promise.allSettled([...alerts.channels.map(tell), beat()]);
    for (const done of work) if (done.status === 'rejected') throw done.reason;
    if (ended.length > 0) await ledger.forgetWarnings(alerts.channels.map(({ name }) => name));

    if (told.length > 0 || beaten !== beatenUpTo) return { told, beatenUpTo: beaten, every };
    const due = lasting.filter(({ isDue }) => isDue);
    throw notYet([`Nothing new, ${due.length} warning(s) last`, ...faults].join('; '), every);

    async function tell(channel: Channel): Promise<void> {
      for (const news of newsFor(channel.name, lasting, known)) {
        const { kind, change } = news;
        const subjects = news.warnings.map(({ subject }) => subject);
        try {
          await channel.send(warningMessage(news, { webUi, timeZone: config.timeZone }), signal);
        } catch (error) {
          // The others of this look would wait as long for the same server.
          return failed(channel.name, error);
        }
        await ledger.markWarned(channel.name, kind, subjects, change);
        told.push(`${channel.name}: ${kind} ${change} ${subjects.slice(0, EXAMPLES).join(', ')}`.trimEnd());
      }
    }

    async function beat(): Promise<void> {
      const last = recent.find(({ endedAt }) => endedAt !== null);
      const isComplete = last?.report?.outcome === 'complete';
      if (alerts.heartbeat === null || !isComplete || (last.endedAt ?? '') <= beatenUpTo) return;
      try {
        await alerts.heartbeat(signal);
        beaten = last.endedAt ?? beatenUpTo;
      } catch (error) {
        failed('heartbeat', error);
      }
    }

    function failed(name: string, error: unknown): void {
      const message = error instanceof Error ? error.message : String(error);
      log.warn('A warning did not go out, and is tried again', { channel: name, reason: message });
      faults.push(`${name}: ${message}`);
    }
  };

async function factsOf(
  { cycles, ledger }: Deps,
  recent: readonly CycleSeen[],
  now: Date,
): Promise<WatchFacts> {
  const seen: CycleFacts[] = [];
  for (const cycle of recent) {
    const report = cycle.endedAt === null ? await cycles.report(cycle) : cycle.report;
    seen.push(cycleFacts(cycle, report, now));
  }
  const { byHand, setAside, unnumbered } = await ledger.ordersForPeople();
  const untaken = [];
  for (const { id, publishedAt } of await ledger.untakenDeliveries('sales')) {
    if (publishedAt !== null)
      untaken.push({ publishedAt: publishedAt.getTime(), orders: await ledger.ordersIn(id) });
  }
  return {
    now: now.getTime(),
    isPaused:
      ((await cycles.schedule())?.paused ?? false) || recent.some(({ status }) => status === 'PAUSED'),
    cycles: seen,
    untaken,
    byHand: byHand.map(({ id }) => ({ subject: String(id), id, reason: null })),
    setAside: [
      ...setAside.map(({ id, reason }) => ({ subject: String(id), id, reason })),
      ...unnumbered.map(({ tag, reason }) => ({ subject: tag, id: null, reason })),
    ],
  };
}

function cycleFacts(cycle: CycleSeen, report: CycleReport | null, now: Date): CycleFacts {
  return {
    startedAt: Date.parse(cycle.startedAt),
    ...heldCycle(cycle, report),
    hasFreshStock: report === null ? null : hasFreshStock(report),
    lookedForTakenAt: report === null ? null : lookedForTakenAt(report, now),
    failures: cycle.endedAt === null ? null : cycleFailures(cycle.status, report),
  };
}

/** Held: it waits for a person, or came to its end without any having decided. */
function heldCycle(
  { endedAt }: CycleSeen,
  report: CycleReport | null,
): Pick<CycleFacts, 'isHeld' | 'heldFor' | 'heldUntil'> {
  const hold = report?.holds?.at(-1);
  if (hold !== undefined) {
    const heldUntil = endedAt === null ? Date.parse(hold.until) : null;
    return { isHeld: hold.decision === null, heldFor: hold.reasons, heldUntil };
  }
  const wasPrepared = endedAt !== null && report !== null && stateOf(report, 'prepareStock') === 'done';
  const isHeld = wasPrepared ? report.outcome === 'held' : null;
  return { isHeld, heldFor: [], heldUntil: null };
}

function hasFreshStock(report: CycleReport): boolean | null {
  if (stateOf(report, 'collectStock') === 'done') return true;
  return report.alarms.some(({ kind }) => kind === 'no-fresh-stock') ? false : null;
}

/** Steps 3 and 4 look for as long as they run. */
function lookedForTakenAt({ steps }: CycleReport, now: Date): number | null {
  const looks = steps
    .filter(({ name }) => name === 'awaitOrdersTaken' || name === 'collectStock')
    .flatMap(({ state, endedAt }) => {
      if (state === 'running') return now.getTime();
      return endedAt === null ? [] : Date.parse(endedAt);
    });
  return looks.length === 0 ? null : Math.max(...looks);
}

function stateOf({ steps }: CycleReport, name: StepName) {
  return steps.find((step) => step.name === name)?.state;
}
