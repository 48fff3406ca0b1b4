import { isRefused, toFailure } from '../failures.ts';

/** What is examined, in this order. */
export const ENDS = [
  'configuration',
  'template',
  'ftp',
  'shopFiles',
  'shop',
  'mail',
  'webhook',
  'heartbeat',
  'temporal',
  'ledger',
  'archive',
] as const;
export type End = (typeof ENDS)[number];

/** `fault`: passerelle cannot work so. `warning`: it can, and somebody should know. */
export type Verdict = 'ok' | 'warning' | 'fault';

/** What was tried. The words for each stand in labels.ts. */
export type What =
  | 'settings'
  | 'clear-text'
  | 'template'
  | 'connection'
  | 'login'
  | 'certificate'
  | 'folder'
  | 'mlsd'
  | 'size'
  | 'mdtm'
  | 'write'
  | 'unwritten'
  | 'clock'
  | 'rename'
  | 'remove'
  | 'leftover'
  | 'address'
  | 'host'
  | 'webservice'
  | 'right'
  | 'mail'
  | 'sending'
  | 'server'
  | 'namespace'
  | 'retention'
  | 'worker'
  | 'database'
  | 'migrations'
  | 'pglite'
  | 'disk'
  | 'privacy'
  | 'space'
  | 'time'
  | 'unexpected';

export interface Finding {
  readonly end: End;
  readonly what: What;
  readonly verdict: Verdict;
  /** Which folder, address, setting or right; empty where there is only one. */
  readonly subject: string;
  /** A figure, a day, or what an error says; empty where the verdict says it all. */
  readonly seen: string | number;
}

/** Notes a finding about the end that is being examined. */
export type Tell = (verdict: Verdict, what: What, subject?: string, seen?: string | number) => void;

/** Makes one check: ok when `work` comes to its end, else a fault with what it says. Gives whether it was ok. */
export async function attempt<T>(
  tell: Tell,
  what: What,
  subject: string,
  work: () => Promise<T>,
  seen: (result: T) => string | number = () => '',
): Promise<boolean> {
  try {
    const result = await work();
    tell('ok', what, subject, seen(result));
    return true;
  } catch (error) {
    tell('fault', what, subject, said(error));
    return false;
  }
}

const asItIs = (text: string) => text;

/** What an error says, without customers' data. Secrets are taken out where findings are gathered. */
export function said(error: unknown): string {
  // An address that is tried on IPv4 and IPv6 fails with a code, and no message.
  return toFailure(error, asItIs).message || ((error as NodeJS.ErrnoException).code ?? 'an unknown error');
}

/** True when somebody said no: a password, a right, a certificate. */
export function isRefusal(error: unknown): boolean {
  return isRefused(toFailure(error, asItIs));
}

const DAY = 24 * 60 * 60_000;
/** Days before its end at which a certificate is to be renewed. */
const SOON = 14;

/** Tells until when a server's certificate holds. One that cannot be trusted was refused before. */
export function tellCertificate(tell: Tell, subject: string, validTo: Date): void {
  const isEnding = validTo.getTime() - Date.now() < SOON * DAY;
  tell(isEnding ? 'warning' : 'ok', 'certificate', subject, validTo.toISOString().slice(0, 10));
}
