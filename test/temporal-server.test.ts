import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { freePort } from '../sandbox/free-port.ts';
import {
  startEmbeddedTemporal,
  type EmbeddedTemporal,
  type EmbeddedTemporalOptions,
} from '../src/temporal-server.ts';

let folder: string;
let options: EmbeddedTemporalOptions;
const running: EmbeddedTemporal[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-temporal-'));
  options = {
    program: join(import.meta.dirname, '..', '.tools', 'temporal'),
    folder,
    port: await freePort(),
    uiPort: await freePort(),
    retentionDays: 90,
  };
});
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const start = async (change: Partial<EmbeddedTemporalOptions> = {}) => {
  const server = await startEmbeddedTemporal({ ...options, ...change });
  running.push(server);
  return server;
};

it('keeps histories for as long as it is told, shows its Web UI, and stops', async () => {
  const server = await start();
  const connection = await Connection.connect({ address: server.address });
  const { config } = await connection.workflowService.describeNamespace({ namespace: 'default' });
  expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(90 * 24 * 60 * 60);
  await connection.close();
  expect((await fetch(server.uiUrl)).status).toBe(200);
  await server.stop();
  await expect(fetch(server.uiUrl)).rejects.toThrow('fetch failed');
});

it('uses the server that a killed gateway left running', async () => {
  expect((await start()).adopted).toBe(false);
  expect((await start()).adopted).toBe(true);
});

it('starts anew when the process of the note is another program’s', async () => {
  await writeFile(
    join(folder, 'temporal.json'),
    JSON.stringify({ pid: process.pid, port: options.port, uiPort: options.uiPort }),
  );
  expect((await start()).adopted).toBe(false);
});

it('starts anew when its note was cut', async () => {
  await writeFile(join(folder, 'temporal.json'), '{"pid":');
  expect((await start()).adopted).toBe(false);
});

it('says which setting to change when another program has the port', async () => {
  const other: Server = createServer();
  await new Promise<void>((resolve) => other.listen(options.port, '127.0.0.1', resolve));
  await expect(start()).rejects.toThrow(/port \d+ to be free .*temporal\.port/);
  other.close();
});

it('says so when there is no program to start', async () => {
  await expect(start({ program: join(folder, 'none') })).rejects.toThrow(
    /Expected to start .*none, got: .*ENOENT/,
  );
});
