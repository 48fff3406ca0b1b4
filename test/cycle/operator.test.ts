import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { copyBlankLedger } from '../../chaos/blank-ledger.ts';
import { historyText } from '../../chaos/cycles.ts';
import { writeConfiguration } from '../../sandbox/configuration.ts';
import { freePort } from '../../sandbox/free-port.ts';
import { judge } from '../../sandbox/judge.ts';
import { startSandbox, type Sandbox } from '../../sandbox/sandbox.ts';
import { demoScenario } from '../../sandbox/scenario.ts';
import type { Status } from '../../src/operator.ts';
import type { CycleReport } from '../../src/workflows/report.ts';
import { bodyOf, headersOf, openMailbox, type Mailbox } from '../support/mail.ts';
import {
  connectTo,
  startGatewayProcess,
  UNHURRIED,
  type GatewayProcess,
} from '../support/gateway-process.ts';

// An operator's day: the real gateway and the command that people type, on the simulated shop and till.

const ROOT = join(import.meta.dirname, '..', '..');
let folder: string;
let sandbox: Sandbox;
let port: number;
let start: () => GatewayProcess;
let gateway: GatewayProcess;
let mailbox: Mailbox;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-operator-'));
  sandbox = await startSandbox({ folder, halfHour: 15_000, scenario: demoScenario, held: true });
  port = await freePort();
  mailbox = await openMailbox();
  const { path, environment } = await writeConfiguration(sandbox, {
    folder,
    scenario: demoScenario,
    overrides: {
      schedule: { cron: '0 0 1 1 *' },
      temporal: { port, uiPort: await freePort() },
      proshop: { every: '10m' },
      gate: { firstRun: 'hold' },
      alerts: {
        every: '1s',
        mail: {
          host: '127.0.0.1',
          port: mailbox.port,
          tls: 'none',
          from: 'passerelle@example.org',
          to: ['boutique@example.org'],
        },
      },
      waits: { ...UNHURRIED, decision: '5m' },
    },
  });
  await copyBlankLedger(join(folder, 'data', 'ledger'));
  start = () => startGatewayProcess(path, environment);
  gateway = start();
  await gateway.ready();
});
afterEach(async () => {
  await gateway.end('SIGTERM');
  await sandbox.stop();
  await mailbox.close();
  await rm(folder, { recursive: true, force: true });
});

/** Types a command. Gives its exit code and what it wrote. */
async function passerelle(...words: readonly string[]): Promise<{ code: number; said: string }> {
  const run = promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', join(ROOT, 'src', 'client.ts'), ...words],
    { cwd: ROOT, env: { PATH: process.env.PATH, TEMPORAL_ADDRESS: `127.0.0.1:${port}` } },
  );
  return run.then(
    ({ stdout, stderr }) => ({ code: 0, said: stdout + stderr }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({
      code,
      said: stdout + stderr,
    }),
  );
}
/** Waits until people are told; that they are told once. */
async function told(subject: string): Promise<void> {
  const subjects = () => mailbox.sources.map((source) => headersOf(source).get('subject'));
  while (!subjects().includes(`Passerelle : ${subject}`)) await sleep(100);
  expect(subjects().filter((one) => one === `Passerelle : ${subject}`)).toHaveLength(1);
}
/**
 * Waits until the watch has noted that it told this, and has found nothing more to tell since: a watch that is killed in
 * between tells it again.
 */
async function noted(news: string): Promise<void> {
  const temporal = await connectTo(port);
  const watch = temporal.client.workflow.getHandle('watch');
  const lastFailure = async () => (await watch.describe()).raw.pendingActivities?.[0]?.lastFailure?.message;
  while (!historyText(await watch.fetchHistory()).includes(`mail: ${news}`)) await sleep(100);
  while (!/^Nothing new, \d+ warning/.test((await lastFailure()) ?? '')) await sleep(100);
  await temporal.close();
}
const status = async () => JSON.parse((await passerelle('status', '--json')).said) as Status;

it(
  'holds the first update, survives a kill meanwhile, and applies it when a person says so',
  { timeout: 300_000 },
  async () => {
    sandbox.clock.go();
    await sandbox.clock.until(55);
    const running = passerelle('run', '--json');
    while ((await status()).running?.report?.holds === undefined);

    await told('1 mise à jour du stock retenue');
    await noted('batch-held began');
    await gateway.end('SIGKILL');
    gateway = start();
    await gateway.ready();
    const said = (await passerelle('status')).said;
    expect(said).toContain('Mise à jour du stock retenue : décision attendue avant');
    expect((await passerelle('run', '--now', '--help')).said).toContain('n’attend pas Proshop');
    expect(await passerelle('decide', 'skip', '--who', '', '--why', 'essai')).toEqual({
      code: 1,
      said: expect.stringContaining('reçu : {"answer":"skip","who":"","why":"essai"}'),
    });
    expect(await passerelle('decide', 'apply', '--who', 'Anne', '--why', 'premier stock vérifié')).toEqual({
      code: 0,
      said: 'Noté : mise à jour appliquée, décision de Anne.\n',
    });
    expect((await passerelle('decide', 'skip', '--who', 'Bruno', '--why', 'trop tard')).code).toBe(1);

    const { code, said: line } = await running;
    const { report } = JSON.parse(line) as { report: CycleReport };
    expect(report).toMatchObject({
      outcome: 'complete',
      holds: [{ decision: { answer: 'apply', who: 'Anne', why: 'premier stock vérifié' } }],
    });
    expect(code).toBe(0);
    expect(judge(sandbox.truth()).checks.filter(({ ok }) => !ok)).toEqual([]);
    const filed = join(folder, 'data', 'archive', report.cycle.folder ?? '', 'report.json');
    expect(JSON.parse(await readFile(filed, 'utf8'))).toMatchObject({ holds: report.holds });

    // What people ask leaves workflows too: no customer in any.
    const orders = JSON.parse((await passerelle('orders', '--json')).said) as Status['orders'];
    const [byHand] = orders?.byHand.first ?? [];
    expect(byHand?.id).toBeGreaterThan(0);
    const settled = await passerelle('orders', 'settle', `${byHand?.id}`, '--why', 'saisie à la main');
    expect(settled).toEqual({ code: 0, said: `Réglées : ${byHand?.id}.\n` });
    // Also what began before the gateway was killed is told once, and that it is over.
    await told('c’est réglé – plus de mise à jour du stock retenue');
    await told('1 mise à jour du stock retenue');
    await told(`c’est réglé – 1 commande à saisir à la main (${byHand?.id})`);
    await told(`1 commande à saisir à la main (${byHand?.id})`);

    expect((await passerelle('diff')).said).toMatch(/^Fichier de Proshop, le .*\nDéclinaisons : hausse \d/);
    expect(await passerelle('replay', report.cycle.folder ?? '')).toMatchObject({
      code: 0,
      said: expect.stringMatching(/Déclinaisons du stock : \d+ comparées, rien ne diffère/),
    });
    expect(await passerelle('replay', '1999-12-31')).toEqual({
      code: 1,
      said: 'Refusé : Expected one cycle in the archive that begins with 1999-12-31, got none\n',
    });
    const page = join(folder, 'page.html');
    expect((await passerelle('report', '--days', '2', '--out', page)).code).toBe(0);
    const html = await readFile(page, 'utf8');
    expect(html).toContain('premier stock vérifié');
    expect((await passerelle('orders', `${byHand?.id}`)).said).toContain(
      'réglée à la main (saisie à la main)',
    );
    expect(await passerelle('orders', '999999')).toEqual({
      code: 1,
      said: 'Commande 999999 : la passerelle ne l’a jamais vue.\n',
    });
    const temporal = await connectTo(port);
    const names = sandbox.truth().orders.map(({ customer }) => customer.lastname);
    for await (const { workflowId, runId } of temporal.client.workflow.list()) {
      const text = historyText(await temporal.client.workflow.getHandle(workflowId, runId).fetchHistory());
      expect(names.filter((name) => name.length > 3 && text.includes(name))).toEqual([]);
    }
    const outside = [html, ...mailbox.sources.map(bodyOf)].join('\n');
    expect(names.filter((name) => name.length > 3 && outside.includes(name))).toEqual([]);
    await temporal.close();
  },
);
