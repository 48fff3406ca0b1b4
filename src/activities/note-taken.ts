import { SHADOW_DOUBT } from '../workflows/labels.ts';
import type { Deps } from './deps.ts';

/**
 * Looks for the sales files that Proshop has not been seen to take, and notes those that are gone: now, or just after
 * `notBefore` if the clock was set back since. Gives those that still stand. What became of the old gateway's files, the looks
 * at them tell first: that they are gone proves nothing where another took their place.
 */
export async function noteTaken(
  { config, ledger, proshop }: Pick<Deps, 'config' | 'ledger' | 'proshop'>,
  signal: AbortSignal,
  notBefore = 0,
): Promise<readonly { readonly path: string; readonly size: number }[]> {
  if (config.mode === 'shadow') await ledger.settleOldDeliveries(SHADOW_DOUBT);
  const deliveries = await ledger.untakenDeliveries('sales');
  if (deliveries.length === 0) return [];
  const { taken, standing } = await proshop.lookForTaken(deliveries, signal);
  const at = new Date(Math.max(Date.now(), notBefore + 1));
  for (const delivery of taken) await ledger.markTaken(delivery.id, at);
  return standing;
}
