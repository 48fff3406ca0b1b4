import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Config } from '../src/config.ts';
import { Secret } from '../src/secret.ts';
import { upsertShadowWatch, upsertWatch } from '../src/watch.ts';
import { startDevServer } from './support/temporal.ts';

let server: TestWorkflowEnvironment;
beforeAll(async () => {
  server = await startDevServer();
});
afterAll(() => server.teardown());

const upsert = (alerts: Partial<Config['alerts']>) =>
  upsertWatch(server.client, { alerts } as unknown as Config);
const watch = () => server.client.workflow.getHandle('watch').describe();

it('the watch runs once, however many gateways start, for as long as there is somebody to warn', async () => {
  await upsert({});
  await expect(watch()).rejects.toThrow('not found');

  await upsert({ heartbeat: new Secret('https://monitor.example.org/k3y') });
  const { runId, status } = await watch();
  expect(status.name).toBe('RUNNING');
  await upsert({ webhook: new Secret('https://chat.example.org/k3y') });
  expect(await watch()).toMatchObject({ runId, status: { name: 'RUNNING' } });

  await upsert({});
  await upsert({});
  expect(await watch()).toMatchObject({ runId, status: { name: 'TERMINATED' } });
  await upsert({ webhook: new Secret('https://chat.example.org/k3y') });
  expect((await watch()).runId).not.toBe(runId);
});

it('the old gateway is followed once, however many gateways start, for as long as passerelle is its shadow', async () => {
  const followed = () => server.client.workflow.getHandle('shadow-watch').describe();
  await upsertShadowWatch(server.client, { mode: 'live' });
  await expect(followed()).rejects.toThrow('not found');

  await upsertShadowWatch(server.client, { mode: 'shadow' });
  const { runId } = await followed();
  await upsertShadowWatch(server.client, { mode: 'shadow' });
  expect(await followed()).toMatchObject({ runId, status: { name: 'RUNNING' } });

  await upsertShadowWatch(server.client, { mode: 'live' });
  expect(await followed()).toMatchObject({ runId, status: { name: 'TERMINATED' } });
});
