import { Context } from '@temporalio/activity';
import { notYet } from '../failures.ts';
import type { Deps } from './deps.ts';
import { noteTaken } from './note-taken.ts';

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
  (deps: Deps) =>
  async ({ cycleStartedAt }: { readonly cycleStartedAt: string }): Promise<AwaitOrdersTakenResult> => {
    const standing = await noteTaken(deps, Context.current().cancellationSignal);
    const [first] = standing;
    if (first !== undefined) {
      const others = standing.length > 1 ? `, and ${standing.length - 1} more` : '';
      throw notYet(`${first.path} still there (${first.size} bytes)${others}`);
    }
    return deps.ledger.takenSince(new Date(cycleStartedAt));
  };
