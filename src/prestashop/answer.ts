/** Errors before the first byte has left: nobody was asked anything. */
const UNREACHED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

/** What stood in the way of an answer, `ECONNREFUSED`: an error's code or name; never its message, which may quote the address. */
export function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return 'unknown';
  const { code } = cause as NodeJS.ErrnoException;
  return typeof code === 'string' ? code : cause.name;
}

/** True unless the shop is known not to have been reached. */
export function mayHaveReached(cause: string): boolean {
  return !UNREACHED.has(cause);
}
