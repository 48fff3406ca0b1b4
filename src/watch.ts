import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { Config } from './config.ts';
import { TASK_QUEUE } from './schedule.ts';
import { WATCH_DETAILS, WATCH_SUMMARY } from './workflows/labels.ts';
import type { watch } from './workflows/watch.ts';

// In every history: it never changes.
const WATCH_ID = 'watch';

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
  try {
    await client.workflow.getHandle(WATCH_ID).terminate('There is nobody to warn any more');
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
