import { readFileSync } from 'node:fs';

/** Milliseconds that a call takes. */
export function elapsed(call: () => unknown): number {
  const start = performance.now();
  call();
  return performance.now() - start;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** Peak resident memory of this process in kilobytes. */
export function peakMemory(): number {
  // maxRSS starts from what the parent process had when it made this one, which VmHWM does not.
  const line = /VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return line === undefined ? process.resourceUsage().maxRSS : Number(line);
}
