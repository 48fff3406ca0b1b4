import type { ActivityInterfaceFor } from '@temporalio/workflow';
import { workflowInfo } from '@temporalio/workflow';
import type { CycleRef } from '../activities/deps.ts';
import type { Activities } from '../activities/index.ts';
import type { OpenCycleResult } from '../activities/open-cycle.ts';
import { ALARMS, SHADOW_DOUBT } from './labels.ts';
import type { Waits } from './policies.ts';
import type { trackProgress } from './progress.ts';

/** How long after a cycle's start the old jobs have done their part, in milliseconds. */
export interface ShadowWaits {
  /** The shop has exported its orders, if there were any. */
  readonly orders: number;
  /** The sales file stands in Proshop's folder, if there were orders. */
  readonly sales: number;
}

export interface ShadowCycle {
  readonly ref: CycleRef;
  readonly opened: OpenCycleResult;
  readonly waits: Waits;
  readonly shadow: ShadowWaits;
  readonly wait: ActivityInterfaceFor<Activities>;
  readonly progress: ReturnType<typeof trackProgress>;
}

/**
 * The cycle as the old gateway does it: each step sees what the old jobs have done, works out what passerelle would have
 * done, and says where that differs. Nothing is written but to the ledger and the archive.
 */
export async function shadowCycle(cycle: ShadowCycle): Promise<void> {
  const { ref, opened, waits, shadow, wait, progress } = cycle;
  const startedAt = workflowInfo().startTime.getTime();
  const after = (milliseconds: number) => new Date(startedAt + milliseconds).toISOString();
  const since = after(0);

  await exportOrders(1, shadow.orders + waits.attempt);
  const sales = await progress.step('deliverOrders', (summary) =>
    wait.shadowSales.executeWithOptions({ summary, scheduleToCloseTimeout: shadow.sales + waits.attempt }, [
      { cycle: ref, since, until: after(shadow.sales) },
    ]),
  );
  if (sales !== null && sales.comparison.doubted > 0)
    progress.raise('orders-set-aside', 'deliverOrders', ALARMS.inDoubt(sales.setAsideIds));
  if (sales?.comparison.unwatched) progress.raise('shadow-unwatched', 'deliverOrders', ALARMS.unwatched);
  if (sales !== null && sales.comparison.different > 0)
    progress.raise('shadow-differs', 'deliverOrders', ALARMS.salesDiffer(sales.comparison));
  await progress.step('awaitOrdersTaken', (summary) =>
    wait.shadowTaken.executeWithOptions({ summary, scheduleToCloseTimeout: waits.ordersTaken }, [
      { cycleStartedAt: since },
    ]),
  );
  const stock = await progress.step('collectStock', (summary) =>
    wait.collectStock.executeWithOptions({ summary, scheduleToCloseTimeout: waits.stockExport }, [
      { cycle: ref, standing: opened.standing },
    ]),
  );
  progress.skip('createProducts', { type: 'Shadow', message: '' });
  if (stock === null) {
    // Without a new stock the old gateway may write no update. Where it did, it is there by now.
    await exportOrders(6, waits.exportOrders);
    progress.skip('prepareStock', { type: 'NoFreshStock', message: '' });
    progress.skip('updateStock', { type: 'NoFreshStock', message: '' });
    return;
  }
  // The late ones are there when the old gateway writes its update, minutes after Proshop's export.
  await exportOrders(6, waits.stockExport);
  const plan = await progress.step('prepareStock', (summary) =>
    wait.shadowStock.executeWithOptions({ summary, scheduleToCloseTimeout: waits.prepareStock }, [
      { cycle: ref, file: stock.file, since },
    ]),
  );
  if (plan === null) {
    progress.skip('updateStock', { type: 'NothingPrepared', message: '' });
    return;
  }
  if (plan.comparison.unexplained > 0)
    progress.raise('shadow-differs', 'prepareStock', ALARMS.stockDiffers(plan.comparison));
  // The shop would have kept its stock. The first time there is nothing to compare with, whatever is the same.
  const holds = plan.reasons.filter(({ rule }) => rule !== 'firstRun');
  if (holds.length > 0) progress.raise('shadow-differs', 'prepareStock', ALARMS.wouldHold(holds));
  await progress.step('updateStock', (summary) =>
    wait.shadowApplied.executeWithOptions({ summary, scheduleToCloseTimeout: waits.updateStock }, [
      { cycle: ref, exportId: stock.exportId },
    ]),
  );

  /** `patience` in milliseconds. */
  async function exportOrders(step: 1 | 6, patience: number): Promise<void> {
    const name = step === 1 ? 'exportOrders' : 'exportLateOrders';
    const seen = await progress.step(name, (summary) =>
      wait.shadowOrders.executeWithOptions({ summary, scheduleToCloseTimeout: patience }, [
        { cycle: ref, step, since, until: after(shadow.orders) },
      ]),
    );
    if (seen === null) return;
    if (seen.byHand > 0) progress.raise('orders-by-hand', name, ALARMS.byHand(seen.byHandIds));
    const isInDoubt = ({ reason }: { readonly reason: string }) => reason === SHADOW_DOUBT;
    const inDoubt = seen.setAsideOrders.flatMap((one) => (isInDoubt(one) ? (one.id ?? []) : []));
    const unreadable = seen.setAsideOrders.flatMap((one) => (isInDoubt(one) ? [] : one.id));
    if (unreadable.length > 0) progress.raise('orders-set-aside', name, ALARMS.setAside(unreadable));
    if (inDoubt.length > 0) progress.raise('orders-set-aside', name, ALARMS.inDoubt(inDoubt));
    if (seen.unreadableFiles.length > 0)
      progress.raise('shadow-differs', name, ALARMS.ordersUnreadable(seen.unreadableFiles));
  }
}
