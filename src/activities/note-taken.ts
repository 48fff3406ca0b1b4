import type { Deps } from './deps.ts';

/** Looks for the sales files that Proshop has not been seen to take, and notes those that are gone. Gives those that still stand. */
export async function noteTaken(
  { ledger, proshop }: Pick<Deps, 'ledger' | 'proshop'>,
  signal: AbortSignal,
): Promise<readonly { readonly path: string; readonly size: number }[]> {
  const deliveries = await ledger.untakenDeliveries('sales');
  if (deliveries.length === 0) return [];
  const { taken, standing } = await proshop.lookForTaken(deliveries, signal);
  for (const delivery of taken) await ledger.markTaken(delivery.id, new Date());
  return standing;
}
