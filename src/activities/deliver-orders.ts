import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { Context } from '@temporalio/activity';
import type { ArchivedFile } from '../archive.ts';
import type { Order } from '../domain/order.ts';
import { salesXml, TemplateError, type SalesTemplate } from '../domain/sales-xml.ts';
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
  /** In those orders. Histories from before it was told lack it. */
  readonly units?: number;
  /** The first 20. */
  readonly orderIds: readonly number[];
  /** Orders for which the template could not be worked out. The first 20. */
  readonly setAsideIds: readonly number[];
}

/** Turns every order that waits into one sales file and puts it where Proshop takes it. */
export const deliverOrders =
  ({ config, archive, ledger, proshop, template }: Deps) =>
  async ({ cycle }: DeliverOrdersInput): Promise<DeliverOrdersResult> => {
    const signal = Context.current().cancellationSignal;
    await proshop.resumeDeliveries(signal);
    const now = new Date();
    const createdAt = localTime(now, config.timeZone);
    const { orders, setAside, bytes } = renderSales(template, await ledger.ordersToSend(), createdAt);
    for (const { id, reason } of setAside) await ledger.setAside(id, reason);
    if (orders.length > 0) {
      const inputs: SalesInputs = { createdAt, orders };
      await archive.write(cycle.folder, SALES_INPUTS_FILE, gzipSync(JSON.stringify(inputs)));
      await archive.write(cycle.folder, 'orders.xml', bytes);
      await proshop.deliver(
        {
          cycle: cycle.id,
          name: `${config.proshop.salesPrefix}-${stamp(now)}-${randomBytes(4).toString('hex')}.xml`,
          orderIds: orders.map(({ id }) => id),
          bytes,
        },
        signal,
      );
    }
    // Also tells what an attempt that was cut after its delivery had done.
    const delivery = await ledger.deliveryOf(cycle.id, 'sales');
    const setAsideIds = setAside.slice(0, EXAMPLES).map(({ id }) => id);
    if (delivery === null)
      return { file: null, archived: null, orders: 0, units: 0, orderIds: [], setAsideIds };
    const ids = await ledger.ordersIn(delivery.id);
    return {
      file: delivery.finalPath,
      archived: { path: `${cycle.folder}/orders.xml`, size: delivery.size, sha256: delivery.sha256 },
      orders: ids.length,
      units: await ledger.unitsIn(delivery.id),
      orderIds: ids.slice(0, EXAMPLES),
      setAsideIds,
    };
  };

/** The orders of one sales file as they were rendered, in the cycle's folder of the archive. */
export const SALES_INPUTS_FILE = 'sales-inputs.json.gz';
export interface SalesInputs {
  /** Shop's local time. */
  readonly createdAt: string;
  readonly orders: readonly Order[];
}

/** Renders the orders; those for which the template cannot be worked out (a division by their 0) are left out, with why. */
export function renderSales(template: SalesTemplate, all: readonly Order[], createdAt: string) {
  const write = (orders: readonly Order[]) => {
    const units = orders.reduce(
      (sum, order) => sum + order.lines.reduce((n, line) => n + line.quantity, 0),
      0,
    );
    return Buffer.concat([...salesXml(template, orders, { createdAt, orders: orders.length, units })]);
  };
  try {
    return { orders: all, setAside: [], bytes: write(all) };
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
  }
  const setAside: { id: number; reason: string }[] = [];
  const orders = all.filter((order) => {
    try {
      return write([order]).length > 0;
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      setAside.push({ id: order.id, reason: error.message });
      return false;
    }
  });
  return { orders, setAside, bytes: write(orders) };
}
