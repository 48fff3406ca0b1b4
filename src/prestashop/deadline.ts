import { setMaxListeners } from 'node:events';

/** A signal that ends with another one, or by itself after a time. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Lets go of both. */
  end(): void;
}

/**
 * Starts a deadline, which is to be ended. Unlike `AbortSignal.any([outer, AbortSignal.timeout(milliseconds)])` it holds:
 * Node 20 lets go of a timeout that nobody else refers to, and it never comes (nodejs/node#57736).
 */
export function startDeadline(milliseconds: number, outer: AbortSignal): Deadline {
  // One for each request at once, and no leak.
  setMaxListeners(0, outer);
  const controller = new AbortController();
  const abort = () => controller.abort(outer.reason);
  const timer = setTimeout(
    () => controller.abort(new DOMException(`No end after ${milliseconds} ms`, 'TimeoutError')),
    milliseconds,
  );
  if (outer.aborted) abort();
  else outer.addEventListener('abort', abort, { once: true });
  return {
    signal: controller.signal,
    end() {
      clearTimeout(timer);
      outer.removeEventListener('abort', abort);
    },
  };
}
