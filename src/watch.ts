import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { Config } from './config.ts';
import { TASK_QUEUE } from './schedule.ts';
import { SHADOW_DETAILS, SHADOW_SUMMARY, WATCH_DETAILS, WATCH_SUMMARY } from './workflows/labels.ts';
import type { shadowWatch } from './workflows/shadow-watch.ts';
import type { watch } from './workflows/watch.ts';

// In every history: they never change.
const WATCH_ID = 'watch';
const SHADOW_WATCH_ID = 'shadow-watch';

/** Makes the watch run where there is somebody to warn, and stops it where there is nobody any more. */
export async function upsertWatch(client: Client, { alerts }: Config): Promise<void> {
  const { mail, webhook, heartbeat } = alerts;
  if ((mail ?? webhook ?? heartbeat) !== undefined) {
    await client.workflow.start<typeof watch>('watch', {
      workflowId: WATCH_ID,
      taskQueue: TASK_QUEUE,
      workflowIdConflictPolicy: 'USE_EXISTING',
      staticSummary: WATCH_SUMMARY,
      staticDetails: WATCH_DETAILS,
      args: [],
    });
    return;
  }
  await end(client, WATCH_ID, 'There is nobody to warn any more');
}

/** Makes somebody follow the old gateway in mode shadow, and nobody otherwise. */
export async function upsertShadowWatch(client: Client, { mode }: Pick<Config, 'mode'>): Promise<void> {
  if (mode === 'live') return end(client, SHADOW_WATCH_ID, 'Passerelle is nobody’s shadow any more');
  await client.workflow.start<typeof shadowWatch>('shadowWatch', {
    workflowId: SHADOW_WATCH_ID,
    taskQueue: TASK_QUEUE,
    workflowIdConflictPolicy: 'USE_EXISTING',
    staticSummary: SHADOW_SUMMARY,
    staticDetails: SHADOW_DETAILS,
    args: [],
  });
}

async function end(client: Client, workflowId: string, why: string): Promise<void> {
  try {
    await client.workflow.getHandle(workflowId).terminate(why);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
