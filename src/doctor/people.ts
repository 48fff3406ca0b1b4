import { createAlerts, verifyMail } from '../alerts.ts';
import type { Config } from '../config.ts';
import { DOCTOR } from '../workflows/labels.ts';
import { attempt, type Tell } from './finding.ts';
import { examineHost } from './host.ts';

/** What reaches people. Each is examined where it is configured, and sends something only when `send` is true. */
type Exam = (config: Config, send: boolean, tell: Tell, signal: AbortSignal) => Promise<void>;

export const examineMail: Exam = async ({ alerts: { mail } }, send, tell, signal) => {
  if (mail === undefined) return;
  const isLetIn = await attempt(tell, 'mail', `${mail.host}:${mail.port}`, () => verifyMail(mail));
  if (isLetIn && send) await sendMessage({ mail }, tell, signal);
};

export const examineWebhook: Exam = async ({ alerts: { webhook } }, send, tell, signal) => {
  if (webhook === undefined) return;
  const answers = await examineHost(webhook.reveal(), tell, signal);
  if (answers && send) await sendMessage({ webhook }, tell, signal);
};

export const examineHeartbeat: Exam = async ({ alerts: { heartbeat } }, send, tell, signal) => {
  if (heartbeat === undefined) return;
  const answers = await examineHost(heartbeat.reveal(), tell, signal);
  const beat = createAlerts({ heartbeat }).heartbeat;
  if (answers && send && beat !== null) await attempt(tell, 'sending', '', () => beat(signal));
};

async function sendMessage(
  alerts: Parameters<typeof createAlerts>[0],
  tell: Tell,
  signal: AbortSignal,
): Promise<void> {
  for (const channel of createAlerts(alerts).channels)
    await attempt(tell, 'sending', '', () => channel.send(DOCTOR.message, signal));
}
