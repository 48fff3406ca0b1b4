import { CancellationScope, condition, defineUpdate, setHandler, sleep } from '@temporalio/workflow';
import { DECISIONS, HELD_WAIT } from './labels.ts';
import type { Answer, Decision, Hold } from './report.ts';

/** What a person decides of a stock update that the gate holds: `{ answer: 'apply', who: 'Anne', why: 'inventaire' }`. Gives what was noted, in French. */
export const decideUpdate = defineUpdate<string, [Answer]>('decide');

/**
 * Hears the update `decide`. One that comes while nothing is held, after another one, or in other words than expected is
 * refused, and changes nothing.
 */
export function hearDecisions() {
  let isAsked = false;
  let decision: Decision | null = null;
  setHandler(
    decideUpdate,
    ({ answer, who, why }) => {
      decision = { answer, who, why, at: new Date(Date.now()).toISOString() };
      return DECISIONS.noted(decision);
    },
    {
      validator: (given: unknown) => {
        if (!isAnswer(given)) throw new Error(DECISIONS.expected(JSON.stringify(given) ?? ''));
        if (decision !== null) throw new Error(DECISIONS.decided(decision));
        if (!isAsked) throw new Error(DECISIONS.nothingHeld);
      },
      description: DECISIONS.description,
    },
  );

  return {
    /** Waits for a person until then. Null when nobody answered. */
    async ask({ until }: Hold): Promise<Decision | null> {
      decision = null;
      isAsked = true;
      const left = Date.parse(until) - Date.now();
      if (left > 0) {
        await CancellationScope.cancellable(async () => {
          await Promise.race([condition(() => decision !== null), sleep(left, { summary: HELD_WAIT })]);
          CancellationScope.current().cancel();
        });
      }
      isAsked = false;
      return decision;
    },
  };
}

function isAnswer(given: unknown): given is Answer {
  if (typeof given !== 'object' || given === null) return false;
  const { answer, who, why } = given as Readonly<Record<string, unknown>>;
  return (answer === 'apply' || answer === 'skip') && isText(who) && isText(why);
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.trim() !== '' && value.length <= LONGEST;
}

/** Characters: it goes into every report. */
const LONGEST = 200;
