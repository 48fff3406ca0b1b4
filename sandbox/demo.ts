import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs, styleText } from 'node:util';
import { loadConfig } from '../src/config.ts';
import { createLiveView } from '../src/live-view.ts';
import { followCycle, startCycle } from '../src/run-cycle.ts';
import { SCHEDULE_ID } from '../src/schedule.ts';
import { createLog, startGateway, stopOnSignal } from '../src/worker.ts';
import type { CycleReport } from '../src/workflows/report.ts';
import { writeConfiguration } from './configuration.ts';
import { freePort } from './free-port.ts';
import { judge } from './judge.ts';
import { startSandbox } from './sandbox.ts';
import { demoScenario } from './scenario.ts';
import { VERSIONS } from './webservice/site.ts';

const { values } = parseArgs({
  options: {
    cycles: { type: 'string', default: '1' },
    keep: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    shop: { type: 'string', default: 'modules' },
    version: { type: 'string', default: '8.2' },
  },
});
const cycles = Number(values.cycles);
if (!Number.isInteger(cycles) || cycles < 1 || cycles > 48) {
  process.stderr.write(`Expected --cycles to be a whole number from 1 to 48, got ${values.cycles}\n`);
  process.exit(2);
}
if (values.shop !== 'modules' && values.shop !== 'webservice') {
  process.stderr.write(`Expected --shop to be modules or webservice, got ${values.shop}\n`);
  process.exit(2);
}
const version = VERSIONS.find((known) => known === values.version);
if (version === undefined) {
  process.stderr.write(`Expected --version to be one of ${VERSIONS.join(', ')}, got ${values.version}\n`);
  process.exit(2);
}

const HALF_HOUR = 30_000;
const FOLDER = join(import.meta.dirname, '..', '.sandbox', 'demo');
const say = (line = ''): void => void process.stdout.write(`${line}\n`);

await rm(FOLDER, { recursive: true, force: true });
await mkdir(FOLDER, { recursive: true });
const prestaShop =
  values.shop === 'webservice'
    ? `A simulated PrestaShop ${version}, reached by its Webservice,`
    : 'A simulated PrestaShop,';
say(
  `${prestaShop} Proshop and FTP server; the real gateway on a real Temporal. The operators’ view is in French.`,
);
say(`The shop’s half hour lasts ${HALF_HOUR / 1000} seconds here.`);

const sandbox = await startSandbox({
  folder: FOLDER,
  halfHour: HALF_HOUR,
  scenario: demoScenario,
  held: true,
  ...(values.shop === 'webservice' ? { shop: { kind: values.shop, version } } : {}),
});
const { path, environment } = await writeConfiguration(sandbox, {
  folder: FOLDER,
  scenario: demoScenario,
  overrides: {
    // Cycles are started by hand at the sandbox's :25 and :55; the real clock must not start another.
    schedule: { cron: '0 0 1 1 *' },
    temporal: { port: await freePort(), uiPort: await freePort() },
  },
});
const config = loadConfig(path, { ...environment, TEMPORAL_CLI: process.env.TEMPORAL_CLI });
const logFile = createWriteStream(join(FOLDER, 'passerelle.log'));
const gateway = await startGateway(config, createLog(config, logFile));
say(`Temporal’s Web UI while it runs: ${gateway.uiUrl}`);
say();

sandbox.clock.go();
const reports: CycleReport[] = [];
let lastCycleAt = '';
for (let cycle = 1; cycle <= cycles; cycle++) {
  await sandbox.clock.until(cycle % 2 === 1 ? 55 : 25);
  lastCycleAt = sandbox.clock.time();
  if (cycles > 1)
    say(
      styleText('bold', `Cycle ${cycle} of ${cycles}, ${lastCycleAt.slice(11, 16)} by the sandbox’s clock`),
    );
  const view = createLiveView(process.stdout);
  reports.push(
    await followCycle(gateway.client, await startCycle(gateway.client), (now, waiting) =>
      view.show(now, waiting),
    ),
  );
  view.end();
  say();
}

const report = reports.at(-1);
if (report === undefined) throw new Error('Expected a report, got none');
say(
  `${styleText('bold', 'Report')}: ${report.outcome}, archived in ${join(config.archive.folder, report.cycle.folder ?? '')}`,
);
for (const alarm of report.alarms) say(`  ⚠ ${alarm.message}`);
say();

await sandbox.shop.settled();
const judgement = judge(sandbox.truth(), cycles > 1 ? { placedBefore: lastCycleAt } : {});
say(`${styleText('bold', 'Judgement')}, from what the simulated shop and till know:`);
for (const { ok, name, detail } of judgement.checks) {
  say(`  ${styleText(ok ? 'green' : 'red', ok ? '✓' : '✗')} ${name}: ${detail}`);
}
const ok = judgement.ok && reports.every(({ outcome }) => outcome === 'complete');
say();

if (values.keep) {
  say(
    `All stays up until Ctrl-C. Temporal: ${gateway.uiUrl} · schedule: ${gateway.uiUrl}/namespaces/default/schedules/${SCHEDULE_ID} · files: ${FOLDER}`,
  );
  stopOnSignal(gateway);
  await gateway.stopped;
} else {
  await gateway.stop();
}
await sandbox.stop();
logFile.end();
process.exitCode = ok ? 0 : 1;
if (values.json) say(JSON.stringify({ report, judgement }));
