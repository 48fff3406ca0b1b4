import type { Locator, Page } from 'playwright-core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { PrepareStockResult } from '../../src/activities/prepare-stock.ts';
import {
  ALARMS,
  DECISIONS,
  HELD_WAIT,
  holdSentence,
  OUTCOME_WORDS,
  STATE_WORDS,
  stepLabel,
} from '../../src/workflows/labels.ts';
import { reportQuery, STEPS, type CycleReport } from '../../src/workflows/report.ts';
import { connectTo } from '../support/gateway-process.ts';
import { openPage, type OpenPage } from './open-page.ts';

// What staff do and read in the Temporal Web UI. SCREENSHOTS=1 takes the pictures of their runbook anew.

let opened: OpenPage;
let temporal: Awaited<ReturnType<typeof connectTo>>;
let page: Page;

beforeEach(async () => {
  opened = await openPage();
  page = opened.page;
  temporal = await connectTo(opened.port);
}, 120_000);
afterEach(async ({ task }) => {
  await opened.close(task.result?.state === 'fail');
  await temporal.close();
}, 120_000);

const picture = (name: string) => opened.picture(name);
/** Brings it to the top, below the header that stays there. */
const bringUp = (what: Locator) =>
  what.evaluate((element: { style: { scrollMarginTop: string }; scrollIntoView(): void }) => {
    element.style.scrollMarginTop = '64px';
    element.scrollIntoView();
  });
const press = (name: string, within: Page | Locator = page) =>
  within.getByRole('button', { name, exact: true }).click();
const choose = (item: string) => page.getByRole('menuitem', { name: item, exact: true }).click();
/** The report in the tab User Metadata: a frame of its own, after those of the summary and the details. */
const report = () => page.locator('iframe').last().contentFrame();
const reportText = async () => (await report().locator('body').innerText()).replaceAll(/\s+/g, ' ');

/** Fills the window of Pause or Unpause in, whose button waits for a reason. */
async function giveReason(button: string, reason: string, name?: string): Promise<void> {
  await press(button);
  const dialog = page.getByRole('dialog', { name: `${button} Schedule?` });
  await dialog.getByRole('textbox', { name: 'Reason' }).fill(reason);
  if (name !== undefined) await picture(name);
  await press(button, dialog);
  await page.getByText(reason, { exact: true }).waitFor();
}

/** Writes an update `decide`, and leaves its window open. */
async function writeDecision(data: unknown): Promise<Locator> {
  await press('More Actions');
  await choose('Send an Update');
  const dialog = page.getByRole('dialog', { name: 'Send an Update' });
  await press('Select an Update', dialog);
  await page.getByRole('option').filter({ hasText: DECISIONS.description }).click();
  const field = dialog.getByRole('textbox', { name: 'Data' });
  await field.fill(JSON.stringify(data));
  // Leaving the field spreads the text over lines, which moves the button away from under a click.
  await field.blur();
  await expect.poll(() => field.innerText(), { timeout: 30_000 }).toBe(JSON.stringify(data, null, 2));
  return dialog;
}

it('lets staff pause, trigger, follow and decide in the Web UI', { timeout: 240_000 }, async () => {
  await page.goto('/namespaces/default/schedules/passerelle');
  await giveReason('Pause', 'Inventaire', 'pause');
  await page.getByRole('heading', { name: 'Paused passerelle' }).waitFor();
  await giveReason('Unpause', 'Inventaire fini');
  await page.getByRole('heading', { name: 'Running passerelle' }).waitFor();

  opened.sandbox.clock.go();
  await press('Schedule Actions');
  await choose('Trigger');
  await press('Trigger', page.getByRole('dialog', { name: 'Trigger Immediately' }));
  const run = page
    .getByRole('listitem')
    .filter({ hasText: 'Running' })
    .getByRole('link', { name: /^cycle-/ });
  await run.waitFor();
  await press('Schedule Actions');
  await picture('lancer');
  await page.keyboard.press('Escape');
  const cycle = temporal.client.workflow.getHandle(await run.innerText());
  await run.click();

  await page.getByText(HELD_WAIT).waitFor();
  await bringUp(page.getByRole('heading', { name: 'Timeline' }));
  for (const name of STEPS.slice(0, 7)) await page.getByText(stepLabel(name)).waitFor();
  await picture('etapes');

  await page.getByRole('tab', { name: 'User Metadata' }).click();
  const held: CycleReport = await cycle.query(reportQuery);
  const [hold] = held.holds ?? [];
  if (hold === undefined) throw new Error('Expected a held update, got none');
  await report().getByText(holdSentence(hold)).waitFor();
  const read = await reportText();
  // The page writes 1/8 as a fraction.
  for (const name of STEPS) expect(read).toContain(stepLabel(name).replace('/', '⁄'));
  for (const words of [STATE_WORDS.done, STATE_WORDS.waiting, ...hold.reasons]) expect(read).toContain(words);
  const { largest } = (held.steps[6]!.facts as PrepareStockResult).difference;
  expect(largest.length).toBeGreaterThan(0);
  for (const { name, size, ean, before, after } of largest)
    expect(read).toContain(`${name} ${size} ${ean} ${before ?? 'absente'} ${after}`.trim());
  await bringUp(page.getByRole('tablist', { name: 'workflow detail' }));
  await picture('details');
  await bringUp(report().getByText(ALARMS.held));
  await picture('retenue');

  await press('Pause Workflow');
  await press('Pause Workflow', page.getByRole('dialog'));
  await press('Unpause Workflow');
  await press('Unpause Workflow', page.getByRole('dialog'));
  await page.getByRole('button', { name: 'Pause Workflow', exact: true }).waitFor();

  const wrong = { answer: 'oui', who: 'Anne', why: 'premier stock vérifié' };
  const refused = await writeDecision(wrong);
  await press('Submit', refused);
  await refused
    .getByText(DECISIONS.expected(JSON.stringify(wrong)))
    .first()
    .waitFor();
  await refused.getByRole('button', { name: 'Cancel' }).last().click();

  const noted = await writeDecision({ ...wrong, answer: 'apply' });
  await picture('decision');
  await press('Submit', noted);
  await page.getByText('Update successful').first().waitFor();
  await page.getByRole('status').filter({ hasText: 'Completed' }).waitFor();

  const ended = (await cycle.result()) as CycleReport;
  const [decided] = ended.holds ?? [];
  expect(decided?.decision).toMatchObject({ answer: 'apply', who: 'Anne', why: 'premier stock vérifié' });
  // The report stands still until somebody asks for it anew.
  await page.keyboard.press('r');
  await report().getByText(holdSentence(decided!)).waitFor();
  expect(await reportText()).toContain(`Cycle ${OUTCOME_WORDS.complete}`);
  await bringUp(report().getByText(stepLabel('updateStock').slice(4)));
  await picture('decidee');

  await page.getByRole('tab', { name: 'Timeline' }).click();
  await bringUp(page.getByRole('heading', { name: 'Timeline' }));
  await page.getByText(stepLabel('updateStock')).waitFor();
  await page.getByRole('button', { name: 'Event decide' }).click();
  await page.getByText(DECISIONS.noted(decided!.decision!)).waitFor();
});
