import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { loadConfig } from '../src/config.ts';
import { SCHEDULE_ID, upsertSchedule } from '../src/schedule.ts';
import { startDevServer } from './support/temporal.ts';

let temporal: TestWorkflowEnvironment;
beforeAll(async () => {
  temporal = await startDevServer();
  const url = 'http://127.0.0.1/?secure_key=k3y-k3y-k3y';
  const config = loadConfig(join(import.meta.dirname, '..', 'passerelle.example.yaml'), {
    FTP_PASSWORD: 'sesame-sesame',
    SHOP_EXPORT_ORDERS_URL: url,
    SHOP_IMPORT_PRODUCTS_URL: url,
    SHOP_UPDATE_STOCK_URL: url,
  });
  await upsertSchedule(temporal.client, config);
});
afterAll(() => temporal.teardown());

/** Minutes between the starts of cycles, as Temporal works them out. */
async function gaps(from: string, to: string): Promise<readonly number[]> {
  const seconds = (time: string) => ({ seconds: (Date.parse(time) / 1_000) as never });
  const { startTime } = await temporal.client.workflowService.listScheduleMatchingTimes({
    namespace: 'default',
    scheduleId: SCHEDULE_ID,
    startTime: seconds(from),
    endTime: seconds(to),
  });
  const minutes = (startTime ?? []).map((time) => Number(time.seconds) / 60);
  return minutes.slice(1).map((minute, index) => minute - (minutes[index] ?? 0));
}

describe('the schedule', () => {
  it.each([
    ['in autumn, when two o’clock comes twice', '2026-10-24T22:00:00Z', '2026-10-25T04:00:00Z'],
    ['in spring, when two o’clock does not come', '2026-03-28T22:00:00Z', '2026-03-29T04:00:00Z'],
  ])('starts a cycle every half hour, %s', async (_when, from, to) => {
    expect(await gaps(from, to)).toEqual(Array.from({ length: 11 }, () => 30));
  });
});
