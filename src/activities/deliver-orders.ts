import { Context } from '@temporalio/activity';
import type { ArchivedFile } from '../archive.ts';
import { salesXml } from '../domain/sales-xml.ts';
import { localTime } from '../local-time.ts';
import { stamp } from '../publication.ts';
import { EXAMPLES, type CycleRef, type Deps } from './deps.ts';

export interface DeliverOrdersInput {
  readonly cycle: CycleRef;
}

export interface DeliverOrdersResult {
  /** Null when there was nothing to send. */
  readonly file: string | null;
  readonly archived: ArchivedFile | null;
  readonly orders: number;
  /** The first 20. */
  readonly orderIds: readonly number[];
}

/** Turns every order that waits into one sales file and puts it where Proshop takes it. */
export const deliverOrders =
  ({ config, archive, ledger, proshop, template }: Deps) =>
  async ({ cycle }: DeliverOrdersInput): Promise<DeliverOrdersResult> => {
    const signal = Context.current().cancellationSignal;
    await proshop.resumeDeliveries(signal);
    const orders = await ledger.ordersToSend();
    if (orders.length > 0) {
      const now = new Date();
      const createdAt = localTime(now, config.timeZone);
      const units = orders.reduce(
        (sum, order) => sum + order.lines.reduce((n, line) => n + line.quantity, 0),
        0,
      );
      const bytes = Buffer.concat([
        ...salesXml(template, orders, { createdAt, orders: orders.length, units }),
      ]);
      await archive.write(cycle.folder, 'orders.xml', bytes);
      await proshop.deliver(
        {
          cycle: cycle.id,
          name: `${config.proshop.salesPrefix}-${stamp(now)}-${cycle.id.slice(0, 8)}.xml`,
          orderIds: orders.map(({ id }) => id),
          bytes,
        },
        signal,
      );
    }
    // Also tells what an attempt that was cut after its delivery had done.
    const delivery = await ledger.deliveryOf(cycle.id, 'sales');
    if (delivery === null) return { file: null, archived: null, orders: 0, orderIds: [] };
    const ids = await ledger.ordersIn(delivery.id);
    return {
      file: delivery.finalPath,
      archived: { path: `${cycle.folder}/orders.xml`, size: delivery.size, sha256: delivery.sha256 },
      orders: ids.length,
      orderIds: ids.slice(0, EXAMPLES),
    };
  };
