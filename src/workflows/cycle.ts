import {
  ApplicationFailure,
  CancellationScope,
  condition,
  isCancellation,
  patched,
  proxyActivities,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { CollectStockInput, CollectStockResult } from '../activities/collect-stock.ts';
import type { CycleRef } from '../activities/deps.ts';
import type { ExportOrdersResult } from '../activities/export-orders.ts';
import type { Activities } from '../activities/index.ts';
import type { PrepareStockResult } from '../activities/prepare-stock.ts';
import { hearDecisions } from './decision.ts';
import { ALARMS, CLOSING, holdReason, OPENING, SHOP_BUSY, WITHDRAWAL } from './labels.ts';
import { waiting, working, type Waits } from './policies.ts';
import { HURRIED, reasonOf, trackProgress } from './progress.ts';
import { shadowCycle, type ShadowWaits } from './shadow-cycle.ts';
import { hurrySignal, reportQuery, type CycleReport } from './report.ts';

export interface CycleInput {
  readonly waits: Waits;
  /** Only beside the old gateway, whose shadow passerelle is then. */
  readonly shadow?: ShadowWaits;
}

/** Two make sure that a file is whole. */
const HURRIED_LOOKS = 6;

type PreparedStock = PrepareStockResult & { readonly lateOrdersAt: string };

/**
 * The half-hour cycle: the shop's orders into Proshop, then Proshop's products and stock into the shop. Each step goes
 * on as soon as its evidence is there, and no failure but a cancellation stops the cycle: a step that fails is reported,
 * and what cannot be done without it is skipped.
 */
export async function cycle({ waits, shadow }: CycleInput): Promise<CycleReport> {
  const { runId, startTime } = workflowInfo();
  const startedAt = startTime.toISOString();
  const work = proxyActivities<Activities>(working(waits));
  const wait = proxyActivities<Activities>(waiting(waits));
  const progress = trackProgress(runId, startedAt, shadow === undefined ? undefined : 'shadow');
  setHandler(reportQuery, progress.report);
  const decisions = hearDecisions();
  let isHurried = false;
  setHandler(hurrySignal, () => {
    isHurried = true;
  });
  /** Rules of the gate that a person has overruled in this cycle. */
  const overruled = new Set<string>();

  const opened = await progress.quietly(OPENING, () =>
    work.openCycle.executeWithOptions({ summary: OPENING, scheduleToCloseTimeout: waits.exportOrders }, [
      { id: runId, startedAt },
    ]),
  );
  // Without the shop's time zone, the folder is named by the clock of the world.
  const folder =
    opened?.folder ??
    `${startedAt.slice(0, 10)}/${startedAt.slice(11, 16).replace(':', 'h')}Z-${runId.slice(-8)}`;
  const ref: CycleRef = { id: runId, folder };
  progress.opened(folder);
  if (opened === null) return close(progress.ended('failed'));

  if (shadow !== undefined) {
    await shadowCycle({ ref, opened, waits, shadow, wait, progress });
    return close(progress.ended(progress.outcome()));
  }
  try {
    await ordersIntoProshop();
    const stock = await freshStock();
    if (stock === null) {
      await exportOrders(6);
      progress.skip('prepareStock', { type: 'NoFreshStock', message: '' });
      progress.skip('updateStock', { type: 'NoFreshStock', message: '' });
    } else {
      await stockIntoShop(stock);
    }
  } catch (error) {
    if (isCancellation(error)) await CancellationScope.nonCancellable(withdrawStock);
    throw error;
  }

  return close(progress.ended(progress.outcome()));

  async function close(report: CycleReport): Promise<CycleReport> {
    const closed = await progress.quietly(CLOSING, () =>
      work.closeCycle.executeWithOptions({ summary: CLOSING, scheduleToCloseTimeout: waits.prepareStock }, [
        { cycle: ref, report },
      ]),
    );
    return closed === null && report.outcome === 'complete' ? progress.ended('degraded') : progress.report();
  }

  async function ordersIntoProshop(): Promise<void> {
    await exportOrders(1);
    const delivery = await progress.step('deliverOrders', (summary) =>
      work.deliverOrders.executeWithOptions({ summary, scheduleToCloseTimeout: waits.deliverOrders }, [
        { cycle: ref },
      ]),
    );
    if (delivery !== null && delivery.setAsideIds.length > 0) {
      progress.raise('orders-set-aside', 'deliverOrders', ALARMS.setAside(delivery.setAsideIds));
    }
    await progress.step('awaitOrdersTaken', (summary) =>
      unlessHurried(() =>
        wait.awaitOrdersTaken.executeWithOptions({ summary, scheduleToCloseTimeout: waits.ordersTaken }, [
          { cycleStartedAt: startedAt },
        ]),
      ),
    );
  }

  /** @throws HURRIED as soon as a person has no time for it. */
  async function unlessHurried<T>(work: () => Promise<T>): Promise<T> {
    const scope = new CancellationScope();
    const result = scope.run(work);
    await Promise.race([result, condition(() => isHurried)]);
    if (isHurried) scope.cancel();
    try {
      return await result;
    } catch (error) {
      if (!isCancellation(error) || CancellationScope.current().consideredCancelled) throw error;
      throw ApplicationFailure.create({ type: HURRIED, message: '' });
    }
  }

  async function exportOrders(step: 1 | 6): Promise<ExportOrdersResult | null> {
    const name = step === 1 ? 'exportOrders' : 'exportLateOrders';
    const seen = await progress.step(name, (summary) =>
      work.exportOrders.executeWithOptions({ summary, scheduleToCloseTimeout: waits.exportOrders }, [
        { cycle: ref, step },
      ]),
    );
    if (seen !== null) {
      if (seen.byHand > 0) progress.raise('orders-by-hand', name, ALARMS.byHand(seen.byHandIds));
      if (seen.setAside > 0) {
        progress.raise('orders-set-aside', name, ALARMS.setAside(seen.setAsideOrders.map(({ id }) => id)));
      }
      const { life } = seen;
      if (life && life.takeBacks > 0) progress.raise('orders-to-take-back', name, ALARMS.takeBack(life));
      if (life && life.incomplete > 0) progress.raise('orders-incomplete', name, ALARMS.incomplete(life));
    }
    return seen;
  }

  async function freshStock(): Promise<CollectStockResult | null> {
    const stock = await progress.step('collectStock', async (summary) => {
      const collect = (standing: CollectStockInput['standing'], scheduleToCloseTimeout: number) =>
        wait.collectStock.executeWithOptions({ summary, scheduleToCloseTimeout }, [{ cycle: ref, standing }]);
      try {
        return await unlessHurried(() => collect(opened?.standing ?? null, waits.stockExport));
      } catch (error) {
        if (reasonOf(error).type !== HURRIED) throw error;
        // The one from before the cycle will do.
        return collect(null, HURRIED_LOOKS * waits.look);
      }
    });
    if (stock === null) {
      progress.skip('createProducts', { type: 'NoFreshStock', message: '' });
    } else if (stock.doubts.length > 0) {
      progress.skip('createProducts', { type: 'DoubtfulStock', message: stock.doubts.join('; ') });
    } else {
      await progress.step('createProducts', (summary) =>
        wait.createProducts.executeWithOptions({ summary, scheduleToCloseTimeout: waits.newProducts }, [
          { file: stock.file },
        ]),
      );
    }
    return stock;
  }

  // The shop's importer does one thing at a time. A plan that had to wait for it is old, so late orders are asked for
  // and the stock is prepared again before each try.
  async function stockIntoShop(stock: CollectStockResult): Promise<void> {
    const deadline = Date.now() + waits.updateStock;
    for (let pause = 4 * waits.look; ; pause *= 2) {
      const plan = await preparedStock(stock);
      if (plan === null) return;
      const update = await progress.step('updateStock', (summary) =>
        wait.updateStock.executeWithOptions({ summary, scheduleToCloseTimeout: waits.updateStock }, [
          {
            cycle: ref,
            exportId: stock.exportId,
            update: plan.update,
            file: stock.file,
            lateOrdersAt: plan.lateOrdersAt,
          },
        ]),
      );
      if (update?.written && update.written.left > 0) {
        const eans = update.written.leftList.map(({ ean }) => ean);
        progress.raise('stock-left', 'updateStock', ALARMS.stockLeft(eans));
      }
      if (update !== null) return;
      if (!progress.failedFor('updateStock', ['ShopBusy', 'PlanTooOld']) || Date.now() + pause > deadline)
        break;
      progress.postpone('updateStock');
      await sleep(pause, { summary: SHOP_BUSY });
    }
    await withdrawStock();
  }

  /** Null when nothing may be written. What a person let through is prepared again, for it is old by then. */
  async function preparedStock(stock: CollectStockResult): Promise<PreparedStock | null> {
    for (;;) {
      const plan = await preparedOnce(stock);
      if (plan === null) return null;
      const rules = plan.rules ?? plan.reasons.map(({ rule }) => rule);
      if (plan.passed || (overruled.size > 0 && rules.every((rule) => overruled.has(rule)))) return plan;
      const reasons = plan.reasons.map(holdReason);
      progress.raise('batch-held', 'prepareStock', `${ALARMS.held} Motif : ${reasons.join(' ; ')}`);
      if (!(await isLetThrough(reasons))) {
        progress.skip('updateStock', { type: 'Held', message: reasons.join('; ') });
        return null;
      }
      for (const rule of rules) overruled.add(rule);
    }
  }

  /** Asks people, until the next cycle is due at the latest. */
  async function isLetThrough(reasons: readonly string[]): Promise<boolean> {
    // Cycles that were held before there was anybody to ask went on at once.
    if (!patched('decide')) return false;
    const patience = Date.now() + (waits.decision ?? 0);
    const next = opened?.nextCycleAt == null ? patience : Date.parse(opened.nextCycleAt);
    const until = new Date(Math.min(patience, next)).toISOString();
    const hold = { until, timeZone: opened?.timeZone ?? 'UTC', reasons, decision: null };
    progress.hold(hold);
    const decision = await decisions.ask(hold);
    if (decision !== null) progress.decided(decision);
    return decision?.answer === 'apply';
  }

  async function preparedOnce(stock: CollectStockResult): Promise<PreparedStock | null> {
    const late = await exportOrders(6);
    if (late === null) {
      progress.skip('prepareStock', { type: 'LateOrdersUnknown', message: '' });
      progress.skip('updateStock', { type: 'LateOrdersUnknown', message: '' });
      return null;
    }
    // By the worker's clock, which will be asked how long ago that is: Temporal's may differ.
    const lateOrdersAt = late.askedAt ?? new Date(Date.now()).toISOString();
    const plan = await progress.step('prepareStock', (summary) =>
      work.prepareStock.executeWithOptions({ summary, scheduleToCloseTimeout: waits.prepareStock }, [
        { cycle: ref, file: stock.file },
      ]),
    );
    if (plan === null) {
      progress.skip('updateStock', { type: 'NothingPrepared', message: '' });
      return null;
    }
    return { ...plan, lateOrdersAt };
  }

  async function withdrawStock(): Promise<void> {
    await progress.quietly(WITHDRAWAL, () =>
      work.withdrawStock.executeWithOptions(
        { summary: WITHDRAWAL, scheduleToCloseTimeout: waits.updateStock },
        [],
      ),
    );
  }
}
