import { readFile } from 'node:fs/promises';
import { createTransport } from 'nodemailer';
import type { Config } from './config.ts';
import { startDeadline } from './prestashop/deadline.ts';
import type { Secret } from './secret.ts';

/** What people read: no customer, no secret. */
export interface Message {
  readonly subject: string;
  readonly text: string;
}

/** A way to reach people. */
export interface Channel {
  /** Remembered by the ledger: it never changes. */
  readonly name: 'mail' | 'webhook';
  /** @throws {AlertError} when it is not known to have arrived. */
  send(message: Message, signal: AbortSignal): Promise<void>;
}

export interface Alerts {
  readonly channels: readonly Channel[];
  /** Shows an outside monitor that the gateway works; null when there is none. */
  readonly heartbeat: ((signal: AbortSignal) => Promise<void>) | null;
}

/** Error thrown when a message did not go out. Names what was called by its host at most: an address can be a secret. */
export class AlertError extends Error {
  override readonly name = 'AlertError';
}

type AlertsConfig = Config['alerts'];
type MailConfig = NonNullable<AlertsConfig['mail']>;

/** Milliseconds in which a server must answer; a whole mail may take three times as long. */
const PATIENCE = 10_000;

/** Reaches people by mail and webhook, and an outside monitor, as far as they are configured. */
export function createAlerts(
  { mail, webhook, heartbeat }: Pick<AlertsConfig, 'mail' | 'webhook' | 'heartbeat'>,
  patience = PATIENCE,
): Alerts {
  return {
    channels: [
      ...(mail === undefined ? [] : [createMail(mail, patience)]),
      ...(webhook === undefined ? [] : [createWebhook(webhook, patience)]),
    ],
    heartbeat:
      heartbeat === undefined
        ? null
        : (signal) => call(heartbeat, { name: 'the heartbeat', patience, signal }, {}),
  };
}

function createMail(mail: MailConfig, patience: number): Channel {
  const { host, port, from, to } = mail;
  return {
    name: 'mail',
    async send({ subject, text }, signal) {
      const deadline = startDeadline(3 * patience, signal);
      try {
        const transport = await openTransport(mail, patience);
        await transport.sendMail({
          from,
          to: [...to],
          subject,
          text,
          // Nobody's holiday answers it.
          headers: { 'Auto-Submitted': 'auto-generated' },
          signal: deadline.signal,
        });
      } catch (error) {
        throw new AlertError(
          `Expected the mail server ${host}:${port} to take the message, got ${mailFault(error)}`,
        );
      } finally {
        deadline.end();
      }
    },
  };
}

/**
 * Has the mail server greet us, and let us in where there is a password. Sends no message.
 * @throws {AlertError}
 */
export async function verifyMail(mail: MailConfig, patience = PATIENCE): Promise<void> {
  try {
    await (await openTransport(mail, patience)).verify();
  } catch (error) {
    throw new AlertError(
      `Expected the mail server ${mail.host}:${mail.port} to let us in, got ${mailFault(error)}`,
    );
  }
}

async function openTransport({ host, port, tls, ca, user, password }: MailConfig, patience: number) {
  return createTransport({
    host,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    tls: { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca: await readFile(ca) }) },
    ...(user === undefined || password === undefined ? {} : { auth: { user, pass: password.reveal() } }),
    connectionTimeout: patience,
    greetingTimeout: patience,
    socketTimeout: patience,
    dnsTimeout: patience,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}

/** `EAUTH 535 (AUTH PLAIN)`: codes only, because a server's words may quote anything. */
function mailFault(error: unknown): string {
  const { code, originalCode, responseCode, command } = error as {
    readonly code?: string;
    readonly originalCode?: string;
    readonly responseCode?: number;
    readonly command?: string;
  };
  const codes = [code ?? 'an unknown error', originalCode, responseCode].filter((part) => part !== undefined);
  return command === undefined ? codes.join(' ') : `${codes.join(' ')} (${command})`;
}

function createWebhook(url: Secret, patience: number): Channel {
  return {
    name: 'webhook',
    send: ({ subject, text }, signal) =>
      call(
        url,
        { name: 'the webhook', patience, signal },
        {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          // Slack and Teams both take this much.
          body: JSON.stringify({ text: `${subject}\n${text}` }),
        },
      ),
  };
}

/** Calls a secret address. A redirect is not followed: it would carry the message to another host. */
async function call(
  url: Secret,
  to: { readonly name: string; readonly patience: number; readonly signal: AbortSignal },
  request: RequestInit,
): Promise<void> {
  const expected = `Expected ${to.name} at ${new URL(url.reveal()).host} to answer with 2xx`;
  const deadline = startDeadline(to.patience, to.signal);
  try {
    const response = await fetch(url.reveal(), { ...request, redirect: 'manual', signal: deadline.signal });
    await response.body?.cancel();
    if (!response.ok) throw new AlertError(`${expected}, got HTTP ${response.status}`);
  } catch (error) {
    throw error instanceof AlertError ? error : new AlertError(`${expected}, got ${codeOf(error)}`);
  } finally {
    deadline.end();
  }
}

/** An error's code or name; never its message, which may quote the address. */
function codeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return 'an unknown error';
  const { code } = cause as NodeJS.ErrnoException;
  return typeof code === 'string' ? code : cause.name;
}
