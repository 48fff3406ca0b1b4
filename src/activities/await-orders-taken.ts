import { Context } from '@temporalio/activity';
import { notYet } from '../failures.ts';
import type { Deps } from './deps.ts';

export interface AwaitOrdersTakenResult {
  /** Sales files that Proshop took, from this cycle or before. */
  readonly taken: number;
  readonly orders: number;
}

/**
 * Sees whether Proshop has taken every sales file.
 * @throws NotYet, to be asked again, while one still stands.
 */
export const awaitOrdersTaken =
  ({ ledger, proshop }: Deps) =>
  async ({ cycleStartedAt }: { readonly cycleStartedAt: string }): Promise<AwaitOrdersTakenResult> => {
    const deliveries = await ledger.untakenDeliveries('sales');
    if (deliveries.length > 0) {
      const { taken, standing } = await proshop.lookForTaken(
        deliveries,
        Context.current().cancellationSignal,
      );
      for (const delivery of taken) await ledger.markTaken(delivery.id, new Date());
      if (standing.length > 0) {
        const [first] = standing;
        const others = standing.length > 1 ? `, and ${standing.length - 1} more` : '';
        throw notYet(`${first?.path} still there (${first?.size} bytes)${others}`);
      }
    }
    return ledger.takenSince(new Date(cycleStartedAt));
  };
