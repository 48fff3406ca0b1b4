import { EventEmitter, once } from 'node:events';
import { isStopped } from './clock.ts';
import type { OldGaps } from './old-gateway/gaps.ts';
import { NO_GAPS } from './old-gateway/gaps.ts';
import type { TraceName } from './old-gateway/passerellepy.ts';
import { openPasserellepy } from './old-gateway/passerellepy.ts';
import type { ScriptWorld } from './old-gateway/script.ts';
import { test2Csv } from './old-gateway/test2-csv.ts';
import { test9Xml } from './old-gateway/test9-xml.ts';
import type { Sandbox } from './sandbox.ts';

/** A job of the old gateway: a cron that calls one of the shop's modules, or a script. */
export type OldJob =
  | 'exportOrders'
  | 'test9_xml'
  | 'importProducts'
  | 'exportOrdersAgain'
  | 'test2_csv'
  | 'updateStock';

/** Minutes past the hour (seed.md), in their order. Proshop's own two jobs are proshop.ts's. */
const HALF_HOUR: readonly (readonly [number, OldJob])[] = [
  [14, 'importProducts'],
  [17, 'exportOrdersAgain'],
  [19, 'test2_csv'],
  [20, 'updateStock'],
  [25, 'exportOrders'],
  [27, 'test9_xml'],
];
const TIMETABLE = [...HALF_HOUR, ...HALF_HOUR.map(([minute, job]) => [minute + 30, job] as const)];

/** One run of a job; times are sandbox time. */
export interface OldRun {
  readonly job: OldJob;
  readonly at: string;
  /** For a cron, when its call was answered: an import goes on in the shop. */
  readonly endedAt: string;
  /** What it died of; null for a run that came to its end, whatever it came to. */
  readonly died: string | null;
}

export interface OldGatewayOptions {
  /** Its folder « Passerellepy »: made when missing, gone on with when there. */
  readonly folder: string;
  /** Those that it is to have: none that can be chosen when left out. */
  readonly gaps?: Partial<OldGaps>;
  /** Sales files are called `ventes-20261124-105707.xml`, or `ventes.xml` where each overwrites the last. */
  readonly salesPrefix?: string;
}

/** The gateway that passerelle replaces: six jobs that know nothing of one another, each at its minute. */
export interface OldGateway {
  /**
   * Switches jobs off (the note's « Désactiver les crons »), all of them when left out. Resolves when the script that was
   * running is over; what the shop was asked for before goes on.
   */
  pause(jobs?: readonly OldJob[]): Promise<void>;
  /** Switches jobs on again, all of them when left out. What was missed is not caught up. */
  resume(jobs?: readonly OldJob[]): void;
  /** Somebody starts a job by hand, switched on or off. */
  run(job: OldJob): Promise<OldRun>;
  /** The next run of a job at its minute begins so many sandbox minutes late: the server is busy, or was restarted. */
  delayNext(job: OldJob, minutes: number): void;
  /** The next run of a job that ends. Rejects with an AbortError when the gateway stops before. */
  next(job: OldJob): Promise<OldRun>;
  /** Runs that are over, the oldest first. */
  readonly runs: readonly OldRun[];
  /** Lines of the two scripts' traces. */
  trace(): Readonly<Record<TraceName, readonly string[]>>;
  /** What « ArchiveExport » holds: each sales file that was sent, by name. */
  archive(): ReadonlyMap<string, Buffer>;
  /** Ends it for good, before the sandbox stops. Resolves when the script that was running is over. */
  stop(): Promise<void>;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const JOBS = HALF_HOUR.map(([, job]) => job);

/**
 * Starts the old gateway beside a sandbox whose shop has its modules, on the sandbox's clock.
 *
 * Orders are carried best where the module repeats them (`notExported: false`). Where it writes each once, an order that
 * the export of :17 shows is lost when the export of :25 finds another one and overwrites the file.
 * @throws for a shop that is reached by its Webservice
 */
export function startOldGateway(sandbox: Sandbox, options: OldGatewayOptions): OldGateway {
  const { clock, urls } = sandbox;
  const folder = openPasserellepy(options.folder);
  const world: ScriptWorld = {
    folder,
    ftp: sandbox.ftp,
    clock,
    gaps: { ...NO_GAPS, ...options.gaps },
    salesPrefix: options.salesPrefix ?? 'ventes',
    vouchers: sandbox.truth().vouchers.map(({ reference, initial }) => ({ reference, units: initial })),
  };
  const ended = new EventEmitter();
  const stopping = new AbortController();
  const off = new Set<OldJob>();
  const delays = new Map<OldJob, number>();
  const runs: OldRun[] = [];
  const scripts = new Set<Promise<OldRun>>();

  /** As `curl` does: it asks once, follows nothing, and looks at no answer. */
  const call = async (url: string): Promise<void> => {
    await (await fetch(url, { redirect: 'manual', signal: stopping.signal })).text();
  };
  const work: Readonly<Record<OldJob, () => Promise<void>>> = {
    exportOrders: () => call(urls.exportOrders),
    test9_xml: () => test9Xml(world),
    importProducts: () => call(urls.importProducts),
    exportOrdersAgain: () => call(urls.exportOrders),
    test2_csv: () => test2Csv(world),
    updateStock: () => call(urls.updateStock),
  };

  const carryOut = async (job: OldJob): Promise<OldRun> => {
    const at = clock.time();
    let died: string | null = null;
    try {
      await work[job]();
    } catch (error) {
      died = error instanceof Error ? error.message : String(error);
    }
    const run: OldRun = { job, at, endedAt: clock.time(), died };
    runs.push(run);
    ended.emit(job, run);
    return run;
  };
  const begin = async (job: OldJob): Promise<OldRun> => {
    const running = carryOut(job);
    if (job !== 'test9_xml' && job !== 'test2_csv') return running;
    scripts.add(running);
    return running.finally(() => scripts.delete(running));
  };
  const beginOnTime = async (job: OldJob): Promise<void> => {
    const delay = delays.get(job);
    delays.delete(job);
    if (delay !== undefined) await clock.pass(delay * MINUTE);
    if (!off.has(job) && !stopping.signal.aborted) await begin(job);
  };
  const unlessStopped = (error: unknown): void => {
    if (!isStopped(error)) throw error;
  };
  const followTimetable = async (): Promise<void> => {
    const start = clock.now().getTime();
    for (let hour = start - (start % HOUR); ; hour += HOUR) {
      for (const [minute, job] of TIMETABLE) {
        const due = hour + minute * MINUTE;
        if (due <= start) continue;
        await clock.reach(new Date(due).toISOString().slice(0, -1));
        if (stopping.signal.aborted) return;
        // Not waited for: a cron comes at its minute, whatever became of the one before.
        beginOnTime(job).catch(unlessStopped);
      }
    }
  };
  followTimetable().catch(unlessStopped);

  return {
    pause: async (jobs = JOBS) => {
      for (const job of jobs) off.add(job);
      await Promise.all(scripts);
    },
    resume: (jobs = JOBS) => {
      for (const job of jobs) off.delete(job);
    },
    run: begin,
    delayNext: (job, minutes) => {
      delays.set(job, minutes);
    },
    next: async (job) => {
      const [run] = (await once(ended, job, { signal: stopping.signal })) as [OldRun];
      return run;
    },
    runs,
    trace: () => ({ Trace1: folder.lines('Trace1'), Trace2: folder.lines('Trace2') }),
    archive: () => folder.archive(),
    stop: async () => {
      stopping.abort();
      await Promise.all(scripts);
    },
  };
}
