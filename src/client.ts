import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { Command } from 'commander';
import { createLiveView } from './live-view.ts';
import { followCycle, startCycle } from './run-cycle.ts';
import { OUTCOME_WORDS } from './workflows/labels.ts';

/** The operator's command. Talks to Temporal only, at TEMPORAL_ADDRESS or where `npm start` runs its own. */
const program = new Command('passerelle').description('Commande de la passerelle boutique ⇄ Proshop');

program
  .command('run')
  .description('lance un cycle maintenant et le montre')
  .option('--json', 'dernière ligne : le rapport en JSON')
  .action(async ({ json }: { json?: true }) => {
    await withClient(async (client) => {
      const run = await startCycle(client);
      process.stdout.write(
        run.started
          ? `Cycle lancé : ${run.workflowId}\n`
          : `Un cycle est déjà en cours, le voici : ${run.workflowId}\n`,
      );
      const view = createLiveView(process.stdout);
      const report = await followCycle(client, run, (now, waiting) => view.show(now, waiting));
      view.end();
      process.stdout.write(`Cycle ${OUTCOME_WORDS[report.outcome]}\n`);
      if (json) process.stdout.write(`${JSON.stringify({ report })}\n`);
      process.exitCode = report.outcome === 'complete' ? 0 : 1;
    });
  });

await program.parseAsync();

async function withClient(work: (client: Client) => Promise<void>): Promise<void> {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  const address = connectionOptions.address ?? '127.0.0.1:7233';
  const options = { ...connectionOptions, address, connectTimeout: 5_000 };
  let connection: Connection;
  try {
    connection = await Connection.connect(options);
  } catch {
    process.stderr.write(
      `Temporal ne répond pas à ${address} : la passerelle est-elle lancée (npm start) ? Sinon, réglez TEMPORAL_ADDRESS.\n`,
    );
    process.exitCode = 2;
    return;
  }
  try {
    await work(new Client({ connection, namespace: namespace ?? 'default' }));
  } finally {
    await connection.close();
  }
}
