import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeConfiguration } from '../sandbox/configuration.ts';
import { freePort } from '../sandbox/free-port.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { Scenario } from '../sandbox/scenario.ts';
import { loadConfig } from '../src/config.ts';
import { createLog, startGateway, type Gateway } from '../src/worker.ts';

/** Starts the gateway on a sandbox, with no cycle but those that are asked for. `stop` ends both and deletes the folder. */
export async function startGatewayOn(
  sandbox: Sandbox,
  place: {
    readonly folder: string;
    readonly scenario: Scenario;
    readonly overrides: Readonly<Record<string, unknown>>;
  },
): Promise<Pick<Gateway, 'client' | 'stop'>> {
  const { path, environment } = await writeConfiguration(sandbox, {
    ...place,
    overrides: {
      schedule: { cron: '0 0 1 1 *' },
      temporal: { port: await freePort(), uiPort: await freePort() },
      ...place.overrides,
    },
  });
  const config = loadConfig(path, environment);
  const log = createLog(config, createWriteStream(join(place.folder, 'passerelle.log')));
  const gateway = await startGateway(config, log);
  return {
    client: gateway.client,
    async stop() {
      await gateway.stop();
      await sandbox.stop();
      await rm(place.folder, { recursive: true, force: true });
    },
  };
}
