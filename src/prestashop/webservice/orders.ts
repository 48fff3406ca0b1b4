import type { z } from 'zod';
import { clocksSetBack, localTime } from '../../local-time.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { ShopCursor } from '../../ledger/shop-orders.ts';
import type { Standing } from '../../domain/order-life.ts';
import type { OrdersRound, SeenOrders } from '../shop.ts';
import type { Webservice } from './api.ts';
import { inChunks, listByIds } from './list-by.ts';
import { isComplete, refundedLines, soldLines, toOrder, type OrderParts } from './order-mapping.ts';
import { readParts } from './order-parts.ts';
import { orderHeadRow, orderRow, orderSlipRow, orderStateRow, type OrderRow } from './rows.ts';

export interface OrderSettings {
  /** Orders before this id_order are none of ours. */
  readonly firstOrder: number;
  /** Ids of the states in which an order is sold; those that the shop calls paid when left out. */
  readonly soldStates: readonly number[] | undefined;
  /** Ids of the states in which it is cancelled or refunded as a whole. */
  readonly cancelledStates: readonly number[];
  /** Of those, the states that put the units back into the shop's stock. */
  readonly stockBackStates: readonly number[];
  /** Milliseconds by which two polls overlap: one second is the shop's whole resolution, and changes become visible late. */
  readonly overlap: number;
  /** Milliseconds after which an order that is not whole is given up. */
  readonly patience: number;
  /** The shop's. */
  readonly timeZone: string;
}

const PAGE = 1_000;
/** Ids are given in order, and may become visible out of it. */
const ID_OVERLAP = 20;
const [BEGINNING_OF_TIME, END_OF_TIME] = ['2000-01-01 00:00:00', '9999-12-31 23:59:59'];

/**
 * Reads the shop's orders: what changed since the last time, and what is new, each told once or more, never missed.
 * `page` = how many it asks the shop to list at once.
 */
export function createOrderReader(
  { api, ledger }: { readonly api: Webservice; readonly ledger: Ledger },
  settings: OrderSettings,
  page = PAGE,
) {
  /** Gives when the shop was asked, by this machine's clock. */
  return async function readOrders({ cycle, step, record }: OrdersRound, signal: AbortSignal): Promise<Date> {
    const askedAt = new Date();
    const reading = await ledger.beginReading();
    const states = new Map(
      (await api.list('order_states', orderStateRow, {}, signal)).map((state) => [state.id, state]),
    );
    const readOnce = new Map<number, string>();

    const start = (await ledger.cursor('orders')) ?? (await begin());
    await sweepIds(start.id);
    await pollChanges(start.at);
    await readIncomplete();
    await pollRefunds();
    return askedAt;

    /** What changes from here on is told by a later poll, however long the first reading takes. */
    async function begin(): Promise<ShopCursor> {
      const query = { sort: ['date_upd_DESC'], limit: [0, 1] as const };
      const [newest] = await api.list('orders', orderHeadRow, query, signal);
      const at = newest?.date_upd ?? BEGINNING_OF_TIME;
      await moveTo('orders', at);
      return { at, id: 0 };
    }

    async function sweepIds(known: number): Promise<void> {
      for (let last = Math.max(settings.firstOrder - 1, known - ID_OVERLAP); ;) {
        const query = { filter: { id: `>[${last}]` }, sort: ['id_ASC'], limit: [0, page] as const };
        const heads = await api.list('orders', orderHeadRow, query, signal);
        for (const part of inChunks(heads)) {
          const recorded = await ledger.knownOrderIds(part.map(({ id }) => id));
          await read(part.filter(({ id }) => id > known || !recorded.has(id)));
          last = part.at(-1)?.id ?? last;
          await ledger.moveCursor('orders', { at: '', id: last });
        }
        if (heads.length < page) return;
      }
    }

    async function pollChanges(at: string): Promise<void> {
      for await (const heads of changedSince('orders', at, {})) {
        for (const part of inChunks(heads)) {
          await read(part);
          await moveTo('orders', part.at(-1)?.date_upd ?? at);
        }
      }
    }

    async function readIncomplete(): Promise<void> {
      const orders = await ledger.incompleteOrders();
      const hopeful = orders.filter(({ id, givenUpAt }) => givenUpAt === null && !readOnce.has(id));
      for (const ids of inChunks(hopeful.map(({ id }) => id))) await readChunk(ids);
    }

    /** Slips change neither their order's state nor its date. Those of orders that the ledger does not know are none of ours. */
    async function pollRefunds(): Promise<void> {
      const { at } = (await ledger.cursor('slips')) ?? { at: BEGINNING_OF_TIME };
      const ours = { id_order: `>[${settings.firstOrder - 1}]` };
      for await (const heads of changedSince('order_slip', at, ours)) {
        for (const part of inChunks(heads)) {
          await readSlips(part.map(({ id }) => id));
          await moveTo('slips', part.at(-1)?.date_upd ?? at);
        }
      }
    }

    /** Pages of what changed, the oldest first. Each begins with the last second of the one before, which others may share. */
    async function* changedSince(
      resource: 'orders' | 'order_slip',
      at: string,
      filter: Readonly<Record<string, string>>,
    ): AsyncGenerator<readonly Head[]> {
      let from = earlier(at, settings);
      for (let count = page; ;) {
        const query = {
          filter: { ...filter, date_upd: `[${from},${END_OF_TIME}]` },
          sort: ['date_upd_ASC', 'id_ASC'],
          limit: [0, count] as const,
        };
        const heads = await api.list(resource, orderHeadRow, query, signal);
        yield heads;
        if (heads.length < count) return;
        const last = heads.at(-1)?.date_upd ?? from;
        if (last === from) count *= 2;
        from = last;
      }
    }

    /** A date that lies in the future, of an order that was imported or by a clock that was wrong, must not hide what happens until then. */
    function moveTo(job: 'orders' | 'slips', at: string): Promise<void> {
      const now = localTime(askedAt, settings.timeZone);
      return ledger.moveCursor(job, { at: at < now ? at : now, id: 0 });
    }

    async function read(heads: readonly Head[]): Promise<void> {
      const unread = heads.filter(
        ({ id, date_upd }) => id >= settings.firstOrder && readOnce.get(id) !== date_upd,
      );
      for (const { id, date_upd } of unread) readOnce.set(id, date_upd);
      await readChunk(unread.map(({ id }) => id));
    }

    async function readChunk(ids: readonly number[]): Promise<void> {
      if (ids.length === 0) return;
      const orders = await listByIds(api, 'orders', orderRow, ids, signal);
      const found = new Set(orders.map(({ id }) => id));
      await ledger.forgetIncomplete(ids.filter((id) => !found.has(id)));
      const parts = await readParts(api, orders, states, signal);
      const recorded = await ledger.knownOrderIds(ids);
      const firstSeen = new Map(
        (await ledger.incompleteOrders()).map(({ id, firstSeenAt }) => [id, firstSeenAt]),
      );
      const fates = new Map(orders.map((order) => [order.id, fateOf(order, recorded, firstSeen)]));
      const those = (fate: Fate) => parts.filter(({ order }) => fates.get(order.id) === fate);

      await ledger.recordIncomplete({
        cycle,
        at: askedAt,
        orders: [...those('waited for'), ...those('given up')].map(({ order, products }) => ({
          id: order.id,
          reference: order.reference,
          lines: soldLines(order, products),
        })),
      });
      await ledger.giveUpIncomplete(
        those('given up').map(({ order }) => order.id),
        askedAt,
      );
      if (those('recorded').length > 0) await record(batchOf(those('recorded')));
    }

    function fateOf(
      order: OrderRow,
      recorded: ReadonlySet<number>,
      firstSeen: ReadonlyMap<number, Date>,
    ): Fate {
      const isWhole = order.current_state !== 0 && isComplete(order);
      const isCancelled = standingOf(order.current_state).standing === 'cancelled';
      if (isWhole || isCancelled || recorded.has(order.id)) return 'recorded';
      const waited = askedAt.getTime() - (firstSeen.get(order.id) ?? askedAt).getTime();
      if (waited < settings.patience) return 'waited for';
      // One that has a state and does not add up is told as it is: a person must enter it.
      return order.current_state === 0 ? 'given up' : 'recorded';
    }

    function batchOf(parts: readonly OrderParts[]): SeenOrders {
      const [first, last] = [parts[0]?.order.id, parts.at(-1)?.order.id];
      const file = last === first ? `order ${first}` : `orders ${first} to ${last}`;
      const made = parts.map((part, index) => ({
        ...toOrder(part, { file, line: index + 1 }),
        ...standingOf(part.order.current_state),
      }));
      return {
        kind: 'seen',
        reading,
        file,
        bytes: Buffer.from(parts.map((part) => `${JSON.stringify(part)}\n`).join('')),
        rows: parts.length,
        orders: made.flatMap((one) => ('order' in one ? [one] : [])),
        setAside: made.flatMap((one) => {
          if ('order' in one) return [];
          const { setAside, ...standing } = one;
          return [{ ...setAside, ...standing }];
        }),
      };
    }

    function standingOf(state: number): Standing {
      if (settings.cancelledStates.includes(state))
        return { standing: 'cancelled', stockBack: settings.stockBackStates.includes(state) };
      const isSold = settings.soldStates?.includes(state) ?? states.get(state)?.paid ?? false;
      return { standing: isSold ? 'sold' : 'waiting', stockBack: false };
    }

    async function readSlips(slipIds: readonly number[]): Promise<void> {
      const slips = await listByIds(api, 'order_slip', orderSlipRow, slipIds, signal);
      const ids = slips.map((slip) => slip.id_order);
      const orders = await listByIds(api, 'orders', orderRow, ids, signal);
      const parts = new Map(
        (await readParts(api, orders, states, signal)).map((part) => [part.order.id, part]),
      );
      await ledger.recordRefunds({
        cycle,
        step,
        at: askedAt,
        refunds: slips.map((slip) => {
          const part = parts.get(slip.id_order);
          return { orderId: slip.id_order, slip: slip.id, lines: part ? refundedLines(part, slip) : [] };
        }),
      });
    }
  };
}

type Head = z.output<typeof orderHeadRow>;
/** What becomes of an order that was read. */
type Fate = 'recorded' | 'waited for' | 'given up';

const A_DAY = 24 * 3_600_000;

/** The shop's local time from which on to look again. In the hour that comes twice in autumn, times step back. */
function earlier(at: string, { overlap, timeZone }: OrderSettings): string {
  const time = Date.parse(`${at.replace(' ', 'T')}Z`);
  const setBack = clocksSetBack(new Date(time - A_DAY), new Date(time + A_DAY), timeZone);
  return new Date(time - overlap - setBack).toISOString().slice(0, 19).replace('T', ' ');
}
