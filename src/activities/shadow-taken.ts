import { Context } from '@temporalio/activity';
import { notYet } from '../failures.ts';
import type { AwaitOrdersTakenResult } from './await-orders-taken.ts';
import type { Deps } from './deps.ts';
import { noteTaken } from './note-taken.ts';

export interface ShadowTakenInput {
  /** When the cycle began, ISO 8601. */
  readonly cycleStartedAt: string;
}

/**
 * Sees by the looks at the old gateway's files whether Proshop has taken every one of them that is for it.
 * @throws NotYet, to be asked again, while one still stands
 */
export const shadowTaken =
  (deps: Deps) =>
  async ({ cycleStartedAt }: ShadowTakenInput): Promise<AwaitOrdersTakenResult> => {
    const { ledger } = deps;
    const ours = await noteTaken(deps, Context.current().cancellationSignal);
    const theirs = (await ledger.standing()).filter(({ kind }) => kind === 'sales');
    const [standing] = [...ours, ...theirs];
    if (standing !== undefined) throw notYet(`${standing.path} still there (${standing.size} bytes)`);
    return ledger.takenSince(new Date(cycleStartedAt));
  };
