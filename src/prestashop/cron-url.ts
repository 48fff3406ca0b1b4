import { ShopAnswerError } from '../failures.ts';
import type { Secret } from '../secret.ts';

/** The module's answer is a short text; more than this is a page of something else. */
const LONGEST_ANSWER = 65_536;

/**
 * Calls one of the modules' cron URLs and gives the text of its answer. The URL carries the module's key, so no error
 * says more than `name`, and a redirect, which could carry the key to another host, is not followed.
 * @throws {ShopAnswerError} on any status but 2xx, and when there is no answer: the work may be done all the same.
 */
export async function callCronUrl(
  name: string,
  url: Secret,
  timeout: number,
  signal: AbortSignal,
): Promise<string> {
  const response = await fetch(url.reveal(), {
    redirect: 'manual',
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]),
  }).catch((error: unknown) => {
    throw new ShopAnswerError(`Expected the shop to answer ${name}, got no answer (${causeOf(error)})`, null);
  });
  if (response.status >= 300 && response.status < 400) {
    await response.body?.cancel();
    throw new ShopAnswerError(
      `Expected the shop to answer ${name} itself, got a redirect (HTTP ${response.status}): configure the final address`,
      response.status,
    );
  }
  const text = await readAnswer(response).catch((error: unknown) => {
    throw new ShopAnswerError(
      `Expected the shop's whole answer to ${name}, got a part (${causeOf(error)})`,
      null,
    );
  });
  if (!response.ok) {
    throw new ShopAnswerError(
      `Expected the shop to answer ${name} with 200, got HTTP ${response.status}`,
      response.status,
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

/** An error's code or name; never its message, which may quote the URL. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return 'unknown';
  return (cause as NodeJS.ErrnoException).code ?? cause.name;
}
