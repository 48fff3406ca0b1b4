import { setImmediate as breathe, setTimeout as sleep } from 'node:timers/promises';

/** Below this a timer is too coarse. */
const FINE = 2;

/**
 * Waits so many milliseconds, parts of them too: the last ones are watched by the clock, and others may run in between.
 * Waits for nothing where there is nothing to wait for.
 */
export async function pause(milliseconds: number): Promise<void> {
  if (milliseconds <= 0) return;
  const end = performance.now() + milliseconds;
  if (milliseconds > FINE) await sleep(milliseconds - FINE);
  while (performance.now() < end) await breathe();
}
