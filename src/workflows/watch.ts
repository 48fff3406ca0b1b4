import { continueAsNew, isCancellation, proxyActivities, sleep, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { WatchInput } from '../activities/watch.ts';
import { WATCH_LOOK, WATCH_PAUSE } from './labels.ts';
import { watching } from './policies.ts';

/** Looks that end before a new run takes over, so that no history grows for ever. */
const LOOKS = 60;

/** Milliseconds after a look that could not be made. */
const PAUSE = 60_000;

/**
 * Watches over the cycles, apart from them: nothing that happens here touches one. A look that finds nothing to tell is
 * another attempt of the same activity, so that a quiet day leaves no more in the history than a quiet minute.
 */
export async function watch(input?: WatchInput): Promise<void> {
  const { watch: look } = proxyActivities<Activities>(watching);
  let beatenUpTo = input?.beatenUpTo ?? workflowInfo().startTime.toISOString();
  for (let looks = 0; looks < LOOKS && !workflowInfo().continueAsNewSuggested; looks++) {
    let pause = PAUSE;
    try {
      const seen = await look.executeWithOptions({ summary: WATCH_LOOK }, [{ beatenUpTo }]);
      ({ beatenUpTo, every: pause } = seen);
    } catch (error) {
      if (isCancellation(error)) throw error;
    }
    await sleep(pause, { summary: WATCH_PAUSE });
  }
  await continueAsNew<typeof watch>({ beatenUpTo });
}
