import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from '@temporalio/worker';
import { expect, it } from 'vitest';
import { quietRuntime, workflowBundle } from './support/temporal.ts';

// Histories of workflows that ran once. A change of the workflow that they cannot follow would break every one that runs
// while it is deployed: guard it with patched(), and never save these files again. See scripts/save-history.ts.

const FOLDER = join(import.meta.dirname, 'histories');

interface Saved {
  readonly workflowId: string;
  readonly history: {
    events: { activityTaskScheduledEventAttributes?: { activityType: { name: string } } }[];
  };
}

async function savedHistories(): Promise<Saved[]> {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.json'));
  return Promise.all(
    names.map(async (name) => ({
      workflowId: name,
      history: JSON.parse(await readFile(join(FOLDER, name), 'utf8')) as Saved['history'],
    })),
  );
}

async function replay(saved: readonly Saved[]): Promise<Record<string, string>> {
  quietRuntime();
  const outcomes: Record<string, string> = {};
  const replayed = Worker.runReplayHistories({ workflowBundle: await workflowBundle() }, saved);
  for await (const { workflowId, error } of replayed) outcomes[workflowId] = error?.name ?? 'replayed';
  return outcomes;
}

it('replays every saved history', async () => {
  const saved = await savedHistories();
  expect(saved.length).toBeGreaterThanOrEqual(12);
  expect(await replay(saved)).toEqual(
    Object.fromEntries(saved.map(({ workflowId }) => [workflowId, 'replayed'])),
  );
});

it('notices a history that the workflow cannot follow', async () => {
  const saved = await savedHistories();
  for (const { history } of saved) {
    const scheduled = history.events.flatMap((event) => event.activityTaskScheduledEventAttributes ?? []);
    const last = scheduled.at(-1);
    if (last !== undefined) last.activityType.name = 'deliverPizza';
  }
  expect(new Set(Object.values(await replay(saved)))).toEqual(new Set(['DeterminismViolationError']));
});
