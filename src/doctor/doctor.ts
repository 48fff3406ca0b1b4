import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { sentInClear } from '../clear-text.ts';
import { concealSecrets } from '../concealment.ts';
import { ConfigError, loadConfig, type Config, type Environment } from '../config.ts';
import { readTemplate } from '../domain/sales-xml.ts';
import { expectComparable } from '../format/compare-sales.ts';
import { startDeadline } from '../prestashop/deadline.ts';
import { attempt, ENDS, said, type End, type Finding, type Tell } from './finding.ts';
import { examineFtp, examineShopFiles } from './ftp.ts';
import { examineHeartbeat, examineMail, examineWebhook } from './people.ts';
import { examineShop } from './shop.ts';
import { examineArchive, examineLedger } from './stores.ts';
import { examineTemporal } from './temporal.ts';

export interface DoctorOptions {
  /** True: a mail, a message to the webhook and a call of the heartbeat go out, where they are configured. */
  readonly send: boolean;
  /** Told each finding as soon as it is made. */
  readonly tell: (finding: Finding) => void;
  /** This process's when left out. */
  readonly environment?: Environment;
  /** Milliseconds after which an end counts as dead. */
  readonly patience?: number;
  /** Ends it: what is being tried is cleared away, nothing more is tried. */
  readonly signal?: AbortSignal;
}

type Exam = (tell: Tell, signal: AbortSignal) => Promise<void>;

const PATIENCE = 60_000;
const NEVER = new AbortController().signal;

/**
 * Reads the configuration and tries every end of it, one after the other, without changing anything that matters. An end
 * that fails, or is silent, keeps no other from being tried. No finding holds a secret.
 */
export async function doctor(
  path: string,
  { send, tell, environment, patience = PATIENCE, signal = NEVER }: DoctorOptions,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  let conceal = (text: string) => text;
  // A line stays a line, whatever a server says, and no command to the terminal.
  const clean = (text: string) =>
    conceal(text)
      .replaceAll(/\s+/g, ' ')
      .replaceAll(/\p{Cc}/gu, '�')
      .trim();
  const tellOf =
    (end: End): Tell =>
    (verdict, what, subject = '', seen = '') => {
      const finding: Finding = {
        end,
        what,
        verdict,
        subject: clean(subject),
        seen: typeof seen === 'number' ? seen : clean(seen),
      };
      findings.push(finding);
      tell(finding);
    };

  let config: Config;
  try {
    config = loadConfig(path, environment);
  } catch (error) {
    const faults = error instanceof ConfigError ? error.faults : [said(error)];
    for (const fault of faults) tellOf('configuration')('fault', 'settings', path, fault);
    return findings;
  }
  conceal = concealSecrets(config);
  const exams = examsOf(config, path, send);
  for (const end of ENDS) {
    if (signal.aborted) break;
    await inTime(exams[end], tellOf(end), patience, signal);
  }
  return findings;
}

/** 0 = no fault, 1 = a fault, 2 = the configuration cannot be read. */
export function exitCodeOf(findings: readonly Finding[]): 0 | 1 | 2 {
  const faults = findings.filter(({ verdict }) => verdict === 'fault');
  if (faults.some(({ end }) => end === 'configuration')) return 2;
  return faults.length === 0 ? 0 : 1;
}

function examsOf(config: Config, path: string, send: boolean): Readonly<Record<End, Exam>> {
  return {
    configuration: async (tell) => {
      tell('ok', 'settings', path);
      for (const what of sentInClear(config)) tell('warning', 'clear-text', what);
    },
    template: (tell) => examineTemplate(config, tell),
    ftp: (tell, signal) => examineFtp(config, tell, signal),
    shopFiles: (tell, signal) => examineShopFiles(config, tell, signal),
    shop: (tell, signal) => examineShop(config, tell, signal),
    mail: (tell, signal) => examineMail(config, send, tell, signal),
    webhook: (tell, signal) => examineWebhook(config, send, tell, signal),
    heartbeat: (tell, signal) => examineHeartbeat(config, send, tell, signal),
    temporal: (tell, signal) => examineTemporal(config, tell, signal),
    ledger: (tell) => examineLedger(config, tell),
    archive: (tell) => examineArchive(config, tell),
  };
}

async function examineTemplate({ mode, proshop, shop, orders }: Config, tell: Tell): Promise<void> {
  const file = relative('.', proshop.template);
  await attempt(tell, 'template', file, async () => {
    const template = readTemplate(
      await readFile(proshop.template),
      file,
      // The Webservice tells every field.
      shop.kind === 'modules' ? orders.columns : undefined,
    );
    if (mode === 'shadow') expectComparable(template, file);
  });
}

/** Runs an exam to its end, to the end of our patience, or until somebody ends it. What it finds later is told to nobody. */
async function inTime(exam: Exam, tell: Tell, patience: number, ended: AbortSignal): Promise<void> {
  const deadline = startDeadline(patience, ended);
  const { signal } = deadline;
  const over = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('Too late')), { once: true });
  });
  const tellInTime: Tell = (...finding) => {
    if (!signal.aborted) tell(...finding);
  };
  try {
    await Promise.race([exam(tellInTime, signal), over]);
  } catch (error) {
    if (ended.aborted) return;
    if (signal.aborted) tell('fault', 'time', '', Math.round(patience / 1_000));
    else tell('fault', 'unexpected', '', said(error));
  } finally {
    deadline.end();
  }
}
