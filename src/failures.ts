import { ApplicationFailure, ApplicationFailureCategory, CancelledFailure } from '@temporalio/common';
import { FTPError } from 'basic-ftp';
import { DrizzleQueryError } from 'drizzle-orm';
import { TemplateError } from './domain/sales-xml.ts';
import { FormatError } from './domain/text-file.ts';

/**
 * What can go wrong, as Temporal shows it. This file owns the table of design notes "Failures": nobody else looks at
 * an error's code, and nobody at all but the lines below at a message's text.
 */
export const FAILURE = {
  /** Waiting: the evidence is not there yet. Benign, retried every few seconds until the step's deadline. */
  notYet: 'NotYet',
  /** The shop's importer is at work on something else. The workflow plans again before it asks again. */
  shopBusy: 'ShopBusy',
  /** The stock was prepared too long ago to be written now. The workflow prepares it again. */
  planTooOld: 'PlanTooOld',
  /** Proshop has written, or is writing, another ExportCSV than the one that was collected. The next cycle sees to it. */
  overtaken: 'Overtaken',
  /** Somebody says no, and will say no again: a password, a right, a certificate, a missing folder. Not retried. */
  refused: 'Refused',
  /** A file that does not fit the configuration. Not retried; the file is kept. */
  badData: 'BadData',
  /** A network or a server out of order. Retried, backing off, until the step's deadline. */
  transient: 'Transient',
} as const;
export type FailureType = (typeof FAILURE)[keyof typeof FAILURE];

/** `again` = milliseconds until the next look; the step's retry policy says so when it is left out. */
export function notYet(message: string, again?: number): ApplicationFailure {
  return ApplicationFailure.create({
    type: FAILURE.notYet,
    message,
    category: ApplicationFailureCategory.BENIGN,
    ...(again === undefined ? {} : { nextRetryDelay: again }),
  });
}

export function shopBusy(message: string): ApplicationFailure {
  return ApplicationFailure.create({
    type: FAILURE.shopBusy,
    message,
    category: ApplicationFailureCategory.BENIGN,
    nonRetryable: true,
  });
}

export function planTooOld(message: string): ApplicationFailure {
  return ApplicationFailure.create({
    type: FAILURE.planTooOld,
    message,
    category: ApplicationFailureCategory.BENIGN,
    nonRetryable: true,
  });
}

export function overtaken(message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: FAILURE.overtaken, message, nonRetryable: true });
}

export function refused(message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: FAILURE.refused, message, nonRetryable: true });
}

/** True for what somebody refuses, and will refuse again. */
export function isRefused(error: unknown): boolean {
  return error instanceof ApplicationFailure && error.type === FAILURE.refused;
}

export function badData(message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: FAILURE.badData, message, nonRetryable: true });
}

export function transient(message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: FAILURE.transient, message });
}

/** Error thrown when a cron URL of the shop does not answer as it should. Never holds the URL: that is a secret. */
export class ShopAnswerError extends Error {
  override readonly name = 'ShopAnswerError';
  /** Null when there was no (whole) answer. */
  readonly status: number | null;
  /** False when the shop is known not to have begun the work. */
  readonly mayHaveBegun: boolean;
  /** What stood in the way of an answer, `ECONNREFUSED`; null when there was one. */
  readonly code: string | null;

  constructor(message: string, status: number | null, mayHaveBegun: boolean, code: string | null = null) {
    super(message);
    this.status = status;
    this.mayHaveBegun = mayHaveBegun;
    this.code = code;
  }
}

/**
 * Sorts any error into the table. What Temporal and the log get is the type, the message and where it came from, all
 * passed through `conceal`; no cause, which could hold anything.
 */
export function toFailure(error: unknown, conceal: (text: string) => string): Error {
  if (error instanceof CancelledFailure) return error;
  const failure = sorted(error, conceal(messageOf(error)));
  const frames = error instanceof Error ? (error.stack?.match(/^ {4}at .*$/gm) ?? []) : [];
  failure.stack = [`${failure.type}: ${failure.message}`, ...frames.map(conceal)].join('\n');
  return failure;
}

function sorted(error: unknown, message: string): ApplicationFailure {
  if (error instanceof ApplicationFailure) {
    return ApplicationFailure.create({
      message,
      type: error.type ?? FAILURE.transient,
      nonRetryable: error.nonRetryable ?? false,
      ...(error.category == null ? {} : { category: error.category }),
      ...(error.nextRetryDelay == null ? {} : { nextRetryDelay: error.nextRetryDelay }),
    });
  }
  switch (kindOf(error)) {
    case 'refused':
      return refused(message);
    case 'badData':
      return badData(message);
    case 'transient':
      return transient(message);
  }
}

function messageOf(error: unknown): string {
  // Drizzle quotes the query with its values, which are customers' data: only the database's own words are told.
  if (error instanceof DrizzleQueryError) return `The ledger: ${error.cause?.message ?? 'no answer'}`;
  return error instanceof Error ? error.message : String(error);
}

function kindOf(error: unknown): 'refused' | 'badData' | 'transient' {
  if (error instanceof FormatError || error instanceof TemplateError) return 'badData';
  if (error instanceof FTPError) return ftpKind(error);
  if (error instanceof ShopAnswerError && error.status !== null) {
    const { status } = error;
    return status >= 500 || status === 429 || status === 408 ? 'transient' : 'refused';
  }
  const code = codeOf(error);
  return isCertificateFault(code) || LOCAL_REFUSALS.has(code) ? 'refused' : 'transient';
}

/** True for the codes by which Node refuses a server's certificate, before anything was sent. */
export function isCertificateFault(code: string): boolean {
  return CERTIFICATE_FAULTS.has(code);
}

const CERTIFICATE_FAULTS: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'CERT_CHAIN_TOO_LONG',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/** Local-file errors that the same call would meet again. */
const LOCAL_REFUSALS = new Set(['EACCES', 'EROFS']);

// Replies that mean different things on different servers are told apart by their text.
function ftpKind(error: FTPError): 'refused' | 'transient' {
  // ProFTPD refuses a connection too many with 530; a wrong password gets 530 everywhere.
  if (error.code === 530) return /maximum|too many/i.test(error.message) ? 'transient' : 'refused';
  // Pure-FTPd refuses a login without TLS with 421.
  if (error.code === 421) return /cleartext|TLS/i.test(error.message) ? 'refused' : 'transient';
  return error.code >= 500 ? 'refused' : 'transient';
}

function codeOf(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' ? code : '';
}

/** True when an FTP reply says "there is no such file": 550, and 451 where Pure-FTPd renames. */
export function isNoSuchFile(error: unknown): boolean {
  return error instanceof FTPError && (error.code === 550 || error.code === 451);
}

/** True when the server understood and said no: the connection can be used on. Otherwise nobody knows what happened. */
export function isFtpReply(error: unknown): error is FTPError {
  return error instanceof FTPError && error.code !== 421;
}
