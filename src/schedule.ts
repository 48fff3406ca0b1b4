import {
  ScheduleAlreadyRunning,
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleOptions,
  type ScheduleUpdateOptions,
} from '@temporalio/client';
import type { Config } from './config.ts';
import { isWholeHoursFromUtc } from './local-time.ts';
import type { CycleInput } from './workflows/cycle.ts';
import { CYCLE_DETAILS, CYCLE_SUMMARY, UPKEEP_DETAILS, UPKEEP_SUMMARY } from './workflows/labels.ts';

// In every history and in the operators' habits: these never change.
export const TASK_QUEUE = 'passerelle';
export const SCHEDULE_ID = 'passerelle';
export const WORKFLOW_ID = 'cycle';
export const UPKEEP_SCHEDULE_ID = 'passerelle-upkeep';
const UPKEEP_WORKFLOW_ID = 'upkeep';

/** A cycle that overran every deadline of its own by this much hangs, and would stop the shop: Temporal ends it. */
const GRACE = 60 * 60_000;

/** Makes the schedules what the configuration says, but leaves each paused or not as people left it. */
export async function upsertSchedules(client: Client, config: Config): Promise<void> {
  for (const desired of [cycleSchedule(config), upkeepSchedule(config)]) {
    try {
      await client.schedule.create(desired);
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      // An update without `state` would un-pause.
      await client.schedule
        .getHandle(desired.scheduleId)
        .update((previous): ScheduleUpdateOptions => ({ ...desired, state: previous.state }));
    }
  }
}

function cycleSchedule({ mode, schedule, shadow, timeZone, waits }: Config) {
  const input: CycleInput = { waits, ...(mode === 'shadow' ? { shadow } : {}) };
  return {
    scheduleId: SCHEDULE_ID,
    spec: { cronExpressions: [schedule.cron], timezone: scheduleZone(schedule.cron, timeZone) },
    policies: {
      // A late cycle delays the next one instead of losing it.
      overlap: ScheduleOverlapPolicy.BUFFER_ONE,
      catchupWindow: schedule.catchUp,
      // One bad cycle must not stop the shop.
      pauseOnFailure: false,
    },
    action: {
      type: 'startWorkflow',
      workflowId: WORKFLOW_ID,
      workflowType: 'cycle',
      taskQueue: TASK_QUEUE,
      args: [input],
      workflowExecutionTimeout: longestCycle(input) + GRACE,
      staticSummary: CYCLE_SUMMARY,
      staticDetails: CYCLE_DETAILS,
    },
  } satisfies ScheduleOptions;
}

function upkeepSchedule({ timeZone }: Config) {
  return {
    scheduleId: UPKEEP_SCHEDULE_ID,
    // Between two cycles of the night. At this hour no zone puts its clocks forward or back.
    spec: { cronExpressions: ['52 4 * * *'], timezone: timeZone },
    // A machine that is off at night does it when it is on again.
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 day', pauseOnFailure: false },
    action: {
      type: 'startWorkflow',
      workflowId: UPKEEP_WORKFLOW_ID,
      workflowType: 'upkeep',
      taskQueue: TASK_QUEUE,
      args: [],
      workflowExecutionTimeout: '1 day',
      staticSummary: UPKEEP_SUMMARY,
      staticDetails: UPKEEP_DETAILS,
    },
  } satisfies ScheduleOptions;
}

/**
 * The zone in which the schedule is reckoned. In autumn Temporal starts nothing in the hour that comes twice the second
 * time: a schedule of every hour is the same in UTC, and goes on.
 */
function scheduleZone(cron: string, timeZone: string): string {
  const isEveryHour = /^\S+ \* \* \* \*$/.test(cron.trim());
  return isEveryHour && isWholeHoursFromUtc(timeZone) ? 'UTC' : timeZone;
}

function longestCycle({ waits }: CycleInput): number {
  const { look: _look, heartbeat: _heartbeat, attempt: _attempt, ...deadlines } = waits;
  return Object.values(deadlines).reduce((sum, deadline) => sum + deadline, waits.exportOrders * 2);
}
