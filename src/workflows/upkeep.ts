import { proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { UpkeepResult } from '../activities/upkeep.ts';
import { UPKEEP_WORK, upkeepSentence } from './labels.ts';
import { keeping } from './policies.ts';

/** The daily upkeep: what is past its retention goes, and the histories of closed cycles go into the archive. */
export async function upkeep(): Promise<UpkeepResult> {
  const keep = proxyActivities<Activities>(keeping);
  const done = await keep.upkeep.executeWithOptions({ summary: UPKEEP_WORK }, []);
  setCurrentDetails(upkeepSentence(done));
  return done;
}
