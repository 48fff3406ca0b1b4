import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Client, Connection, ScheduleNotFoundError } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { Argument, Command, InvalidArgumentError } from 'commander';
import type { OrderName } from './activities/orders-for-people.ts';
import type { FormatFiles } from './format-files.ts';
import { createLiveView } from './live-view.ts';
import { isDay } from './local-time.ts';
import { createOperator, NoAnswer, Refusal, type Operator } from './operator.ts';
import { reportPage } from './report-page.ts';
import { followCycle, startCycle } from './run-cycle.ts';
import { hurrySignal } from './workflows/report.ts';
import {
  COMMAND,
  DOCTOR,
  diffLines,
  doctorLine,
  FORMAT,
  formatCheckLines,
  formatDraftLines,
  formatOrdersLines,
  formatStockLines,
  journeyLines,
  ordersLines,
  remedyOf,
  replayLines,
  statusLines,
} from './workflows/labels.ts';

// The operator's command. Talks to Temporal only, at TEMPORAL_ADDRESS or where `npm start` runs its own; but for `doctor`,
// which reads the configuration and tries every end of it, and `format`, which reads files of this machine. Exit codes: 0 =
// done, 1 = not as one would wish (a cycle that is not complete, an order that nobody knows, a decision that is refused, a
// fault that `doctor` found, files that differ), 2 = nothing could be asked: no answer, a configuration or file that cannot
// be read, or a command that is misspelt.

/** The word between quotes in Commander's complaint, not the option that it stands behind. */
const WRONG_WORD = /(?:option '.*' argument )?'(.*?)'(?: is invalid|[^']*$)/;

/** The tag of an order without a readable number: `3f2a91c0-12`. */
const TAG = /^[\da-f]{8}-\d+$/;

/** Milliseconds. */
const CLEARING_UP = 5_000;

/** What becomes of a command when nobody reads its output on. */
let whenUnread: () => void = () => process.exit();

const program = new Command('passerelle');
french(program).description(COMMAND.description).helpCommand('help [command]', COMMAND.helpCommand);

command('run', COMMAND.run, 'run --now')
  .option('--now', COMMAND.now)
  .action(({ json, now }: { json?: true; now?: true }) =>
    withClient(async (client) => {
      const run = await startCycle(client);
      if (now) await client.workflow.getHandle(run.workflowId, run.runId).signal(hurrySignal);
      const say = json ? () => undefined : print;
      say(run.started ? COMMAND.started(run.workflowId) : COMMAND.running(run.workflowId));
      const view = json ? null : createLiveView(process.stdout);
      const report = await followCycle(
        client,
        run,
        (report, waiting) => view?.show(report, waiting),
        () => say(COMMAND.noReport),
      );
      view?.end();
      say(COMMAND.ended(report.outcome));
      if (json) print(JSON.stringify({ report }));
      return report.outcome === 'complete';
    }),
  );

command('status', COMMAND.status, 'status').action(({ json }: { json?: true }) =>
  withOperator(async (operator) => {
    const status = await operator.status();
    print(...(json ? [JSON.stringify(status)] : statusLines(status)));
    return status.orders !== null;
  }),
);

command('pause', COMMAND.pause, 'pause "inventaire"')
  .argument('<why>', COMMAND.pauseWhy)
  .action((why: string, { json }: { json?: true }) =>
    withOperator(async (operator) => {
      await operator.pause(why);
      print(json ? JSON.stringify({ paused: true, why }) : COMMAND.paused(why));
      return true;
    }),
  );

command('resume', COMMAND.resume, 'resume').action(({ json }: { json?: true }) =>
  withOperator(async (operator) => {
    await operator.resume();
    print(json ? JSON.stringify({ paused: false }) : COMMAND.resumed);
    return true;
  }),
);

command('decide', COMMAND.decide, 'decide apply --who Anne --why "inventaire fait"')
  .addArgument(new Argument('<answer>', COMMAND.decideAnswer).choices(['apply', 'skip']))
  .requiredOption('--who <who>', COMMAND.decideWho)
  .requiredOption('--why <why>', COMMAND.decideWhy)
  .action((answer: 'apply' | 'skip', { json, who, why }: { json?: true; who: string; why: string }) =>
    withOperator(async (operator) => {
      const noted = await operator.decide({ answer, who, why });
      print(json ? JSON.stringify({ noted }) : noted);
      return true;
    }),
  );

const orders = command('orders', COMMAND.orders, 'orders 1201')
  .argument('[number]', COMMAND.ordersNumber, orderNumber)
  .action((id: number | undefined, { json }: { json?: true }) =>
    withOperator(async (operator) => {
      if (id === undefined) {
        const all = await operator.orders();
        print(...(json ? [JSON.stringify(all)] : ordersLines(all)));
        return true;
      }
      const journey = await operator.order(id);
      if (json) print(JSON.stringify(journey));
      else print(...(journey === null ? [COMMAND.unknownOrder(id)] : journeyLines(journey)));
      return journey !== null;
    }),
  );

french(orders.command('sent'))
  .description(COMMAND.sent)
  .requiredOption('--since <day>', COMMAND.sentSince, day)
  .addHelpText('after', COMMAND.example('orders sent --since 2026-11-24'))
  .action((_options: unknown, self: Command) =>
    withOperator(async (operator) => {
      const { json, since } = self.optsWithGlobals<{ json?: true; since: string }>();
      const sent = await operator.ordersSent(since);
      print(...(json ? [JSON.stringify(sent)] : sent.orders.map(String)));
      return true;
    }),
  );

french(orders.command('settle'))
  .description(COMMAND.settle)
  .argument('<number...>', COMMAND.settleNumbers, (word, before: readonly OrderName[] | undefined) => [
    ...(before ?? []),
    TAG.test(word) ? word : orderNumber(word),
  ])
  .requiredOption('--why <why>', COMMAND.settleWhy)
  .addHelpText('after', COMMAND.example('orders settle 1201 1204 --why "saisie à la main"'))
  .action((ids: readonly OrderName[], _options: unknown, self: Command) =>
    withOperator(async (operator) => {
      // `--json` stands behind `orders` or behind `settle`.
      const { json, why } = self.optsWithGlobals<{ json?: true; why: string }>();
      const result = await operator.settle({ ids, why });
      const { settled, neverSent, nothingToSettle } = result;
      if (json) print(JSON.stringify(result));
      else {
        if (settled.length > 0) print(COMMAND.settled(settled));
        if (neverSent.length > 0) print(COMMAND.neverSent(neverSent));
        if (nothingToSettle.length > 0) print(COMMAND.nothingToSettle(nothingToSettle));
      }
      return nothingToSettle.length === 0;
    }),
  );

command('diff', COMMAND.diff, 'diff').action(({ json }: { json?: true }) =>
  withOperator(async (operator) => {
    const result = await operator.diff();
    print(...(json ? [JSON.stringify(result)] : diffLines(result)));
    return result.passed;
  }),
);

command('replay', COMMAND.replay, 'replay 2026-11-24/10h25')
  .argument('<cycle>', COMMAND.replayCycle)
  .action((cycle: string, { json }: { json?: true }) =>
    withOperator(async (operator) => {
      const result = await operator.replay({ cycle });
      print(...(json ? [JSON.stringify(result)] : replayLines(result)));
      const { orders, sales, stock, rules } = result;
      const isJudgedTheSame = rules === null || rules.was.join() === rules.now.join();
      return isJudgedTheSame && [orders, sales, stock].every(({ different }) => different === 0);
    }),
  );

command('reset-shop-cache', COMMAND.resetCache, 'reset-shop-cache').action(({ json }: { json?: true }) =>
  withOperator(async (operator) => {
    const result = await operator.resetShopCache();
    print(json ? JSON.stringify(result) : COMMAND.cacheReset(result.renamedTo));
    return true;
  }),
);

command('report', COMMAND.report, 'report --days 7')
  .option('--days <days>', COMMAND.reportDays, dayCount)
  .option('--out <file>', COMMAND.reportOut)
  .action(({ days = 7, json, out }: { days?: number; json?: true; out?: string }) =>
    withOperator(async (operator) => {
      const period = await operator.period(days);
      if (json) {
        print(JSON.stringify(period));
        return true;
      }
      const path = resolve(out ?? `passerelle-${period.days.at(-1)?.day}.html`);
      const page = await reportPage(period);
      await writeFile(path, page).catch((error: Error) => {
        throw new Refusal(COMMAND.reportNotWritten(path, error.message));
      });
      print(COMMAND.reportWritten(path));
      return true;
    }),
  );

command('doctor', COMMAND.doctor, 'doctor --config /etc/passerelle/passerelle.yaml')
  .option('--config <path>', COMMAND.doctorConfig)
  .option('--send', COMMAND.doctorSend)
  .action(async ({ config, json, send = false }: { config?: string; json?: true; send?: boolean }) => {
    // It needs what no other command does: those stay light.
    const { doctor, exitCodeOf } = await import('./doctor/doctor.ts');
    // It has something on the FTP server that goes with it, whoever reads on.
    const ended = new AbortController();
    whenUnread = () => ended.abort();
    process.once('SIGINT', () => ended.abort());
    const findings = await doctor(config ?? 'passerelle.yaml', {
      send,
      tell: json ? () => undefined : (finding) => print(doctorLine(finding)),
      signal: ended.signal,
    });
    if (json) print(JSON.stringify({ findings: findings.map((one) => ({ ...one, toDo: remedyOf(one) })) }));
    else print(DOCTOR.summary(findings));
    process.exitCode = ended.signal.aborted ? 2 : exitCodeOf(findings);
    // What a dead end still holds open holds nobody up; what was left on the FTP server has this long to be removed.
    setTimeout(() => process.exit(), CLEARING_UP).unref();
  });

const format = french(program.command('format'))
  .description(FORMAT.description)
  .helpCommand('help [command]', COMMAND.helpCommand)
  .addHelpText('after', COMMAND.example('format orders commandes.csv'));

formatCommand('orders', FORMAT.orders, 'format orders commandes.csv')
  .argument('<csv>', FORMAT.ordersFile)
  .action((csv: string, { config, json }: FormatOptions) =>
    withFiles(config, (files) => {
      const result = files.orders(csv);
      print(...(json ? [JSON.stringify(result)] : formatOrdersLines(result)));
      const fits = result.proposal === null || files.fault !== null;
      const isWhole = result.content?.cut === false && result.content.rejects.length === 0;
      return fits && isWhole ? 0 : 1;
    }),
  );

formatCommand('stock', FORMAT.stock, 'format stock ExportCSV')
  .argument('<csv>', FORMAT.stockFile)
  .action((csv: string, { config, json }: FormatOptions) =>
    withFiles(config, (files) => {
      const result = files.stock(csv);
      print(...(json ? [JSON.stringify(result)] : formatStockLines(result)));
      const fits = result.proposal === null || files.fault !== null;
      return fits && result.doubts.length === 0 && result.content?.rejects.length === 0 ? 0 : 1;
    }),
  );

formatCommand('check', FORMAT.check, 'format check --orders commandes.csv --xml ventes.xml')
  .requiredOption('--orders <path>', FORMAT.checkOrders)
  .requiredOption('--xml <path>', FORMAT.checkXml)
  .option('--template <file>', FORMAT.checkTemplate)
  .action(({ config, json, template, ...paths }: FormatOptions & PairOptions & { template?: string }) =>
    withFiles(config, (files) => {
      const result = files.check(paths, template);
      print(...(json ? [JSON.stringify(result)] : formatCheckLines(result)));
      if (result.pairs.some(({ check }) => check === null)) return 2;
      const isSame = result.pairs.every(({ check }) => check?.differences.length === 0 && !check.cut);
      return isSame && result.alone.length === 0 ? 0 : 1;
    }),
  );

formatCommand('draft', FORMAT.draft, 'format draft --orders commandes.csv --xml ventes.xml')
  .requiredOption('--orders <file>', FORMAT.draftOrders)
  .requiredOption('--xml <file>', FORMAT.draftXml)
  .option('--out <file>', FORMAT.draftOut)
  .action(({ config, json, out, ...paths }: FormatOptions & PairOptions & { out?: string }) =>
    withFiles(config, (files) => {
      const { bytes, ...result } = files.draft(paths, out);
      if (json) print(JSON.stringify(result));
      else if (out !== undefined) print(...formatDraftLines(result));
      else {
        // The template alone, so that it can be sent to a file.
        process.stdout.write(process.stdout.isTTY ? result.template : bytes);
        for (const line of formatDraftLines(result)) complain(line);
      }
      return result.check.differences.length === 0 && !result.check.cut ? 0 : 1;
    }),
  );

// Who reads the first lines alone, as `head` does, has what they wanted.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  whenUnread();
});
await program.parseAsync();

function command(name: string, description: string, example: string): Command {
  return french(program.command(name))
    .description(description)
    .option('--json', COMMAND.json)
    .addHelpText('after', COMMAND.example(example));
}

/** Commander's own words in French, and its exit code for a misspelt command. */
function french(one: Command): Command {
  return one
    .helpOption('-h, --help', COMMAND.help)
    .configureHelp({
      styleTitle: (title) => COMMAND.titles[title as keyof typeof COMMAND.titles] ?? title,
    })
    .configureOutput({ outputError: () => undefined })
    .exitOverride(({ exitCode, code, message }) => {
      if (exitCode !== 0) complain(COMMAND.wrongWord(COMMAND.wrong[code], WRONG_WORD.exec(message)?.[1]));
      process.exit(exitCode === 0 ? 0 : 2);
    });
}

interface FormatOptions {
  readonly config?: string;
  readonly json?: true;
}

interface PairOptions {
  readonly orders: string;
  readonly xml: string;
}

function formatCommand(name: string, description: string, example: string): Command {
  return french(format.command(name))
    .description(description)
    .option('--config <path>', FORMAT.config)
    .option('--json', COMMAND.json)
    .addHelpText('after', COMMAND.example(example));
}

/** Without Temporal: `work` has the files of this machine, and tells the exit code. */
async function withFiles(config: string | undefined, work: (files: FormatFiles) => 0 | 1 | 2): Promise<void> {
  const { FormatFilesError, openFormatFiles } = await import('./format-files.ts');
  try {
    const files = openFormatFiles(config ?? 'passerelle.yaml');
    if (files.fault !== null) complain(FORMAT.noSettings(files.fault));
    process.exitCode = work(files);
  } catch (error) {
    if (error instanceof FormatFilesError) complain(FORMAT.refused[error.reason](error.path, error.detail));
    else complain(COMMAND.unexpected(error instanceof Error ? error.message : String(error)));
    process.exitCode = 2;
  }
}

function orderNumber(word: string): number {
  if (!/^[1-9]\d{0,15}$/.test(word)) throw new InvalidArgumentError(word);
  return Number(word);
}

function day(word: string): string {
  if (!isDay(word)) throw new InvalidArgumentError(word);
  return word;
}

function dayCount(word: string): number {
  if (!/^([1-9]|[1-8]\d|90)$/.test(word)) throw new InvalidArgumentError(word);
  return Number(word);
}

function print(...lines: readonly string[]): void {
  for (const line of lines) process.stdout.write(`${line}\n`);
}

function complain(line: string): void {
  process.stderr.write(`${line}\n`);
}

function withOperator(work: (operator: Operator) => Promise<boolean>): Promise<void> {
  return withClient((client) => work(createOperator(client)));
}

/** `work` tells whether all is as one would wish. */
async function withClient(work: (client: Client) => Promise<boolean>): Promise<void> {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  const address = connectionOptions.address ?? '127.0.0.1:7233';
  const options = { ...connectionOptions, address, connectTimeout: 5_000 };
  let connection: Connection;
  try {
    connection = await Connection.connect(options);
  } catch {
    complain(COMMAND.noTemporal(address));
    process.exitCode = 2;
    return;
  }
  try {
    process.exitCode = (await work(new Client({ connection, namespace: namespace ?? 'default' }))) ? 0 : 1;
  } catch (error) {
    if (error instanceof Refusal) complain(error.message);
    else if (error instanceof NoAnswer) complain(error.message);
    else if (error instanceof ScheduleNotFoundError) complain(COMMAND.noSchedule);
    else complain(COMMAND.unexpected(error instanceof Error ? error.message : String(error)));
    process.exitCode = error instanceof Refusal ? 1 : 2;
  } finally {
    await connection.close();
  }
}
