import { isCertificateFault, ShopAnswerError } from '../failures.ts';

/** Errors before the first byte has left: nobody was asked anything. */
const UNREACHED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

/**
 * The error for a request that had no answer. `expected` = what was asked, as `Expected the shop to answer …`; `changes` =
 * whether it would have changed something in the shop.
 */
export function noAnswer(expected: string, error: unknown, changes: boolean): ShopAnswerError {
  const cause = causeOf(error);
  if (isCertificateFault(cause)) {
    return new ShopAnswerError(
      `${expected} with a certificate to trust, got ${cause}: renew it, or name the authority that signed it in NODE_EXTRA_CA_CERTS`,
      null,
      false,
      cause,
    );
  }
  const mayHaveBegun = changes && !UNREACHED.has(cause);
  return new ShopAnswerError(`${expected}, got no (whole) answer (${cause})`, null, mayHaveBegun, cause);
}

/** The error for a redirect, which is not followed: it may lead to another host, and the key with it. */
export function redirected(expected: string, status: number): ShopAnswerError {
  const message = `${expected} itself, got a redirect (HTTP ${status}): configure the final address`;
  return new ShopAnswerError(message, status, false);
}

export function isRedirect(status: number): boolean {
  return status >= 300 && status < 400;
}

/** What stood in the way, `ECONNREFUSED`: an error's code or name; never its message, which may quote the address. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return 'unknown';
  const { code } = cause as NodeJS.ErrnoException;
  return typeof code === 'string' ? code : cause.name;
}
