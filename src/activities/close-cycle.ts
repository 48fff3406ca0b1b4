import { Context, log } from '@temporalio/activity';
import type { ArchivedFile } from '../archive.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { CycleReport, StepName } from '../workflows/report.ts';
import type { CycleRef, Deps } from './deps.ts';
import type { DeliverOrdersResult } from './deliver-orders.ts';
import { recordOrders, type ExportOrdersResult } from './export-orders.ts';

export interface CloseCycleInput {
  readonly cycle: CycleRef;
  readonly report: CycleReport;
}

export interface CloseCycleResult {
  readonly report: ArchivedFile;
}

/** Files the cycle's report, raises its alarms in the log, clears the orders files and counts the cycle. */
export const closeCycle =
  (deps: Deps) =>
  async ({ cycle, report }: CloseCycleInput): Promise<CloseCycleResult> => {
    const { archive, config, ledger, metrics, shop } = deps;
    const isFirst = Context.current().info.attempt === 1;
    for (const alarm of isFirst ? report.alarms : [])
      log.warn(alarm.message, { alarm: alarm.kind, step: alarm.step });
    const file = await archive.write(
      cycle.folder,
      'report.json',
      Buffer.from(`${JSON.stringify(report, null, 2)}\n`),
    );
    await ledger.markTold(cycle.id, ...toldIn(report));
    const record = recordOrders(deps, cycle, 6);
    // A cycle that could not begin has no orders files, and the FTP server may be why. Those of a shadow are not ours.
    if (report.outcome !== 'failed' && config.mode === 'live') {
      await shop.finishOrders(
        async (batch) => !(await record(batch)).isNew,
        Context.current().cancellationSignal,
      );
    }
    // Last: an attempt that fails is followed by one that would count the cycle again.
    metrics.cycleClosed(report);
    return { report: file };
  };

/**
 * What a report names for people to see to: orders, the steps whose unnumbered ones it counts, and what only a shop tells
 * that is asked by its Webservice.
 */
function toldIn({ steps }: CycleReport): Told {
  const done = (name: StepName) => steps.filter((step) => step.name === name && step.state === 'done');
  const exports = [...done('exportOrders'), ...done('exportLateOrders')];
  const seen = exports.map(({ facts }) => facts as ExportOrdersResult);
  const ids = [
    ...seen.flatMap(({ byHandIds, setAsideOrders }) => [
      ...byHandIds,
      ...setAsideOrders.flatMap(({ id }) => id ?? []),
    ]),
    ...done('deliverOrders').flatMap(({ facts }) => (facts as DeliverOrdersResult).setAsideIds),
  ];
  const others = {
    takeBacks: seen.flatMap(({ life }) => life?.takeBackList ?? []),
    givenUp: seen.flatMap(({ life }) => life?.incompleteIds ?? []),
  };
  return [ids, exports.map(({ number }) => number), others];
}

type Told = Parameters<Ledger['markTold']> extends [string, ...infer Rest] ? Rest : never;
