import { continueAsNew, isCancellation, proxyActivities, sleep } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { SHADOW_LOOK, SHADOW_PAUSE } from './labels.ts';
import { following } from './policies.ts';

/** Milliseconds that one activity follows the old gateway: a day has 48 of them in the history. */
const SPELL = 30 * 60_000;
const SPELLS = 48;

/** Milliseconds after the FTP server has refused: a wrong password is not tried every second. */
const PAUSE = 60_000;

/** Follows the old gateway's files without a break, beside the cycles, as long as passerelle is its shadow. */
export async function shadowWatch(): Promise<void> {
  const { followOldGateway } = proxyActivities<Activities>(following);
  for (let spell = 0; spell < SPELLS; spell++) {
    try {
      await followOldGateway.executeWithOptions({ summary: SHADOW_LOOK }, [
        { until: new Date(Date.now() + SPELL).toISOString() },
      ]);
    } catch (error) {
      if (isCancellation(error)) throw error;
      await sleep(PAUSE, { summary: SHADOW_PAUSE });
    }
  }
  await continueAsNew<typeof shadowWatch>();
}
