import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { loadConfig, type Config } from '../src/config.ts';
import { createCycles } from '../src/cycles.ts';
import { localTime } from '../src/local-time.ts';
import { SCHEDULE_ID, UPKEEP_SCHEDULE_ID, upsertSchedules } from '../src/schedule.ts';
import { startDevServer } from './support/temporal.ts';

let temporal: TestWorkflowEnvironment;
let config: Config;
beforeAll(async () => {
  temporal = await startDevServer();
  const url = 'http://127.0.0.1/?secure_key=k3y-k3y-k3y';
  config = loadConfig(join(import.meta.dirname, '..', 'passerelle.example.yaml'), {
    FTP_PASSWORD: 'sesame-sesame',
    SHOP_EXPORT_ORDERS_URL: url,
    SHOP_IMPORT_PRODUCTS_URL: url,
    SHOP_UPDATE_STOCK_URL: url,
  });
  await upsertSchedules(temporal.client, config);
});
afterAll(() => temporal.teardown());

/** When a schedule starts something, in minutes, as Temporal works it out. */
async function starts(scheduleId: string, from: string, to: string): Promise<readonly number[]> {
  const seconds = (time: string) => ({ seconds: (Date.parse(time) / 1_000) as never });
  const { startTime } = await temporal.client.workflowService.listScheduleMatchingTimes({
    namespace: 'default',
    scheduleId,
    startTime: seconds(from),
    endTime: seconds(to),
  });
  return (startTime ?? []).map((time) => Number(time.seconds) / 60);
}

/** Minutes between the starts of cycles. */
async function gaps(from: string, to: string): Promise<readonly number[]> {
  const minutes = await starts(SCHEDULE_ID, from, to);
  return minutes.slice(1).map((minute, index) => minute - (minutes[index] ?? 0));
}

describe('the schedule', () => {
  it.each([
    ['in autumn, when two o’clock comes twice', '2026-10-24T22:00:00Z', '2026-10-25T04:00:00Z'],
    ['in spring, when two o’clock does not come', '2026-03-28T22:00:00Z', '2026-03-29T04:00:00Z'],
  ])('starts a cycle every half hour, %s', async (_when, from, to) => {
    expect(await gaps(from, to)).toEqual(Array.from({ length: 11 }, () => 30));
  });

  it.each([
    ['autumn', '2026-10-22T12:00:00Z'],
    ['spring', '2026-03-26T12:00:00Z'],
  ])('starts the upkeep once a night, at the same hour of the shop, in %s too', async (_when, from) => {
    const to = new Date(Date.parse(from) + 5 * 86_400_000).toISOString();
    const times = await starts(UPKEEP_SCHEDULE_ID, from, to);
    expect(times).toHaveLength(5);
    for (const time of times)
      expect(localTime(new Date(time * 60_000), 'Europe/Paris').slice(11)).toBe('04:52:00');
  });

  it('tells which mode its cycles are in, also when that changes', async () => {
    const cycles = createCycles(temporal.client);
    const modes = [];
    for (const mode of ['live', 'shadow', 'live'] as const) {
      await upsertSchedules(temporal.client, { ...config, mode });
      modes.push((await cycles.schedule())?.mode);
    }
    expect(modes).toEqual(['live', 'shadow', 'live']);
  });

  it('stays as people left it, each by itself, when the gateway starts again', async () => {
    const upkeep = temporal.client.schedule.getHandle(UPKEEP_SCHEDULE_ID);
    await upkeep.pause('no disk');
    await upsertSchedules(temporal.client, config);
    expect((await upkeep.describe()).state).toMatchObject({ paused: true, note: 'no disk' });
    const cycle = temporal.client.schedule.getHandle(SCHEDULE_ID);
    expect((await cycle.describe()).state.paused).toBe(false);
  });
});
