import { setTimeout as sleep } from 'node:timers/promises';

const HALF_HOUR = 1_800_000;
const HOUR = 2 * HALF_HOUR;
/** Real milliseconds between two ticks of a clock without stalls, and those of which a late tick counts no more. */
const TICK = { every: 20, most: 50 };

/** A wall clock that runs faster than the real one. It knows no time zone: what it shows is the shop's local time. */
export interface ScaledClock {
  /** Sandbox milliseconds in one real millisecond. */
  readonly scale: number;
  /** Sandbox time; the UTC fields are the shop's wall clock. */
  now(): Date;
  /** Sandbox time as `2026-11-24T10:54:30.000`. Sorts as text. */
  time(): string;
  /** Lets a held clock run. Does nothing when it runs already. */
  go(): void;
  /** Waits so many sandbox milliseconds. Rejects with an AbortError once the clock is stopped. */
  pass(milliseconds: number): Promise<void>;
  /** Waits until this minute of the hour comes next. Rejects with an AbortError once the clock is stopped. */
  until(minute: number): Promise<void>;
  /** Waits until this sandbox time, `2026-11-24T11:03`; no wait when it is over. Rejects with an AbortError once the clock is stopped. */
  reach(time: string): Promise<void>;
  /** Ends every wait, now and later, with an AbortError. */
  stop(): void;
}

export interface ClockOptions {
  /** Real milliseconds that a half hour lasts. */
  readonly halfHour: number;
  /** Sandbox time at which it starts, `2026-11-24T10:54:30`. */
  readonly start: string;
  /** True: stands still at `start` until `go()`. */
  readonly held?: boolean;
  /**
   * True: stands still while the process does, so that a busy machine makes nothing late by the clock. For those whose
   * every part lives in this process.
   */
  readonly skipsStalls?: boolean;
}

/** Starts a scaled clock. */
export function startClock(options: ClockOptions): ScaledClock {
  const scale = HALF_HOUR / options.halfHour;
  const start = instant(options.start);
  const stopped = new AbortController();
  let stopwatch: (() => number) | undefined;
  let released: () => void = () => undefined;
  const running = new Promise<void>((resolve) => {
    released = resolve;
  });

  const milliseconds = () => start + (stopwatch?.() ?? 0) * scale;
  const go = () => {
    stopwatch ??= options.skipsStalls === true ? startWithoutStalls(stopped.signal) : startStopwatch();
    released();
  };
  const reach = async (target: number): Promise<void> => {
    await running;
    // Timers may fire a moment early, and cannot wait longer than 24 days.
    while (milliseconds() < target) {
      const left = Math.min(Math.ceil((target - milliseconds()) / scale), 60_000);
      await sleep(left, undefined, { signal: stopped.signal });
    }
    stopped.signal.throwIfAborted();
  };
  if (options.held !== true) go();

  return {
    scale,
    now: () => new Date(milliseconds()),
    time: () => written(milliseconds()),
    go,
    pass: async (duration) => {
      await running;
      await reach(milliseconds() + duration);
    },
    until: async (minute) => {
      const now = milliseconds();
      const thisHour = Math.floor(now / HOUR) * HOUR + minute * 60_000;
      await reach(thisHour > now ? thisHour : thisHour + HOUR);
    },
    reach: (time) => reach(instant(time)),
    stop: () => {
      stopped.abort();
      released();
    },
  };
}

/** Gives the real milliseconds since its start. */
function startStopwatch(): () => number {
  const origin = performance.now();
  return () => performance.now() - origin;
}

/** The same but for those during which the process stood still. */
function startWithoutStalls(stopped: AbortSignal): () => number {
  let total = 0;
  let last = performance.now();
  const count = () => {
    const now = performance.now();
    total += Math.min(now - last, TICK.most);
    last = now;
    return total;
  };
  const ticking = setInterval(count, TICK.every).unref();
  stopped.addEventListener('abort', () => clearInterval(ticking));
  return count;
}

/** True for the error with which a stopped clock ends a wait. */
export function isStopped(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || error.name === 'StoppedError');
}

/** Milliseconds of a sandbox time such as `2026-11-24T10:54:30`. */
export function instant(time: string): number {
  return Date.parse(`${time}Z`);
}

function written(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, -1);
}
