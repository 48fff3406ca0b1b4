import { matches } from '../domain/wildcard.ts';
import { ShopAnswerError } from '../failures.ts';
import type { Secret } from '../secret.ts';
import { isRedirect, noAnswer, redirected } from './answer.ts';
import { startDeadline } from './deadline.ts';

/** The module's answer is a short text; more than this is a page of something else. */
const LONGEST_ANSWER = 65_536;

/** One of the modules' cron URLs. It carries the module's key, so no error says more than `name`. */
export interface CronUrl {
  /** What it does, for messages: `the export of its orders`. */
  readonly name: string;
  readonly url: Secret;
  /** Milliseconds. */
  readonly timeout: number;
  /** Texts, with `*`, by which a module says no with status 200. */
  readonly refusals: readonly string[];
}

/**
 * Calls a cron URL and gives the text of its answer. A redirect, which could carry the key to another host, is not
 * followed.
 * @throws {ShopAnswerError} on any status but 2xx, on a text that says no, when there is no answer, and when an https
 * address has a certificate that cannot be trusted: nothing was sent then.
 */
export async function callCronUrl(cronUrl: CronUrl, signal: AbortSignal): Promise<string> {
  const deadline = startDeadline(cronUrl.timeout, signal);
  try {
    return await call(cronUrl, deadline.signal);
  } finally {
    deadline.end();
  }
}

async function call({ name, url, refusals }: CronUrl, signal: AbortSignal): Promise<string> {
  const expected = `Expected the shop to answer ${name}`;
  const failed = (error: unknown) => {
    throw noAnswer(expected, error, true);
  };
  const response = await fetch(url.reveal(), { redirect: 'manual', signal }).catch(failed);
  const { status } = response;
  if (isRedirect(status)) {
    await response.body?.cancel();
    throw redirected(expected, status);
  }
  const text = await readAnswer(response).catch(failed);
  if (!response.ok) {
    // A shop in maintenance answers 503; a proxy that lost patience answers 504 while the work goes on.
    const mayHaveBegun = status >= 500 && status !== 503;
    throw new ShopAnswerError(`${expected} with 200, got HTTP ${status}`, status, mayHaveBegun);
  }
  if (refusals.some((pattern) => matches(pattern, text))) {
    throw new ShopAnswerError(
      `Expected the shop to begin ${name}, got HTTP 200 with a text of ${text.length} characters that says no (shop.refusals)`,
      null,
      true,
    );
  }
  return text;
}

async function readAnswer(response: Response): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.length > LONGEST_ANSWER) break;
  }
  return text;
}
