import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Client, Connection, ScheduleNotFoundError } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { Argument, Command, InvalidArgumentError } from 'commander';
import type { OrderName } from './activities/orders-for-people.ts';
import { createLiveView } from './live-view.ts';
import { createOperator, NoAnswer, Refusal, type Operator } from './operator.ts';
import { reportPage } from './report-page.ts';
import { followCycle, startCycle } from './run-cycle.ts';
import { hurrySignal } from './workflows/report.ts';
import {
  COMMAND,
  diffLines,
  journeyLines,
  ordersLines,
  replayLines,
  statusLines,
} from './workflows/labels.ts';

// The operator's command. Talks to Temporal only, at TEMPORAL_ADDRESS or where `npm start` runs its own. Exit codes: 0 =
// done, 1 = not as one would wish (a cycle that is not complete, an order that nobody knows, a decision that is refused),
// 2 = nothing could be asked: no answer, or a command that is misspelt.

/** The word between quotes in Commander's complaint, not the option that it stands behind. */
const WRONG_WORD = /(?:option '.*' argument )?'(.*?)'(?: is invalid|[^']*$)/;

/** The tag of an order without a readable number: `3f2a91c0-12`. */
const TAG = /^[\da-f]{8}-\d+$/;

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

function orderNumber(word: string): number {
  if (!/^[1-9]\d{0,15}$/.test(word)) throw new InvalidArgumentError(word);
  return Number(word);
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
