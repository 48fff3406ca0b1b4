import type { z } from 'zod';
import { clocksSetBack } from '../../local-time.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { OrdersRound, SeenOrders, Standing } from '../shop.ts';
import type { Resource, Webservice } from './api.ts';
import {
  isComplete,
  setAside,
  soldLines,
  toOrder,
  type OrderParts,
  type ProductParts,
} from './order-mapping.ts';
import {
  addressRow,
  cartRuleRow,
  combinationRow,
  countryRow,
  customerRow,
  namedRow,
  optionValueRow,
  orderCartRuleRow,
  orderHeadRow,
  orderPaymentRow,
  orderRow,
  orderSlipRow,
  orderStateRow,
  productRow,
  type OrderRow,
} from './rows.ts';

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

/** Orders read and recorded at once. An address that holds more ids would grow too long for some servers. */
const CHUNK = 50;
const PAGE = 1_000;
/** Ids are given in order, and may become visible out of it. */
const ID_OVERLAP = 20;
const END_OF_TIME = '9999-12-31 23:59:59';

/** Reads the shop's orders: what changed since the last time, and what is new, each told once or more, never missed. */
export function createOrderReader(
  { api, ledger }: { readonly api: Webservice; readonly ledger: Ledger },
  settings: OrderSettings,
) {
  /** Gives when the shop was asked, by this machine's clock. */
  return async function readOrders({ cycle, step, record }: OrdersRound, signal: AbortSignal): Promise<Date> {
    const askedAt = new Date();
    const states = new Map(
      (await api.list('order_states', orderStateRow, {}, signal)).map((state) => [state.id, state]),
    );
    const readOnce = new Map<number, string>();
    const read = async (heads: readonly Head[]) => {
      const unread = heads.filter(
        ({ id, date_upd }) => id >= settings.firstOrder && readOnce.get(id) !== date_upd,
      );
      for (const { id, date_upd } of unread) readOnce.set(id, date_upd);
      for (const ids of chunks(unread.map(({ id }) => id))) await readChunk(ids);
    };

    await begin();
    const start = await ledger.cursor('orders');
    await sweepIds(start?.id ?? 0);
    await pollChanges(start?.at ?? null);
    await read(
      (await ledger.incompleteOrders())
        .filter(({ givenUpAt }) => givenUpAt === null)
        .map(({ id }) => ({ id, date_upd: '' })),
    );
    await pollRefunds();
    return askedAt;

    /** What changes from here on is told by a later poll, however long the first reading takes. */
    async function begin(): Promise<void> {
      if ((await ledger.cursor('orders')) !== null) return;
      const [newest] = await api.list(
        'orders',
        orderHeadRow,
        { sort: ['date_upd_DESC'], limit: [0, 1] },
        signal,
      );
      if (newest !== undefined) await ledger.moveCursor('orders', { at: newest.date_upd, id: 0 });
    }

    async function sweepIds(known: number): Promise<void> {
      let last = Math.max(settings.firstOrder - 1, known - ID_OVERLAP);
      for (;;) {
        const query = { filter: { id: `>[${last}]` }, sort: ['id_ASC'], limit: [0, PAGE] as const };
        const heads = await api.list('orders', orderHeadRow, query, signal);
        for (const part of chunks(heads)) {
          await read(part);
          last = Math.max(last, ...part.map(({ id }) => id));
          await ledger.moveCursor('orders', { at: '', id: last });
        }
        if (heads.length < PAGE) return;
      }
    }

    async function pollChanges(at: string | null): Promise<void> {
      if (at === null) return;
      let from = earlier(at, settings, askedAt);
      for (let count = PAGE; ;) {
        const query = {
          filter: { date_upd: `[${from},${END_OF_TIME}]` },
          sort: ['date_upd_ASC', 'id_ASC'],
          limit: [0, count] as const,
        };
        const heads = await api.list('orders', orderHeadRow, query, signal);
        for (const part of chunks(heads)) {
          await read(part);
          await ledger.moveCursor('orders', { at: part.at(-1)?.date_upd ?? '', id: 0 });
        }
        const last = heads.at(-1)?.date_upd ?? '';
        if (heads.length < count) return;
        // From the last second once more, for those that share it; if all do, as many again.
        if (last === from) count *= 2;
        from = last;
      }
    }

    async function readChunk(ids: readonly number[]): Promise<void> {
      const rows = await byIds('orders', orderRow, ids);
      const gone = ids.filter((id) => !rows.some((row) => row.id === id));
      await ledger.forgetIncomplete(gone);
      const parts = await withParts(rows);
      const known = new Map((await ledger.incompleteOrders()).map((order) => [order.id, order]));
      const tooOld = (id: number) => {
        const first = known.get(id)?.firstSeenAt;
        return first !== undefined && askedAt.getTime() - first.getTime() >= settings.patience;
      };
      const hopeful: OrderParts[] = [];
      const lost: number[] = [];
      const whole = parts.filter((part) => {
        const { order } = part;
        if (
          standingOf(order.current_state).standing === 'cancelled' ||
          (order.current_state !== 0 && isComplete(order))
        )
          return true;
        // One that is paid and does not add up is told as it is: a person must enter it.
        if (tooOld(order.id) && order.current_state !== 0) return true;
        if (tooOld(order.id)) lost.push(order.id);
        hopeful.push(part);
        return false;
      });
      await ledger.recordIncomplete({
        cycle,
        at: askedAt,
        orders: hopeful.map(({ order, products }) => ({
          id: order.id,
          reference: order.reference,
          lines: soldLines(order, products),
        })),
      });
      await ledger.giveUpIncomplete(lost, askedAt);
      if (whole.length > 0) await record(batchOf(whole));
    }

    function batchOf(parts: readonly OrderParts[]): SeenOrders {
      const [first, last] = [parts[0]?.order.id, parts.at(-1)?.order.id];
      const file = `orders ${first}${last === first ? '' : ` to ${last}`}`;
      const orders: SeenOrders['orders'][number][] = [];
      const aside: SeenOrders['setAside'][number][] = [];
      for (const [index, part] of parts.entries()) {
        const standing = standingOf(part.order.current_state);
        const where = { file, line: index + 1 };
        if (standing.standing !== 'cancelled' && !isComplete(part.order)) {
          const reason = `Expected its rows to add up to ${part.order.total_products_wt}, got another sum`;
          aside.push({ ...setAside(part, where, 'total_products_wt', reason), ...standing });
          continue;
        }
        const made = toOrder(part, where);
        if ('order' in made) orders.push({ ...made, ...standing });
        else aside.push({ ...made.setAside, ...standing });
      }
      const bytes = Buffer.from(parts.map((part) => `${JSON.stringify(part)}\n`).join(''));
      return { kind: 'seen', file, bytes, rows: parts.length, orders, setAside: aside };
    }

    function standingOf(state: number): Standing {
      if (settings.cancelledStates.includes(state))
        return { standing: 'cancelled', stockBack: settings.stockBackStates.includes(state) };
      const isSold = settings.soldStates?.includes(state) ?? states.get(state)?.paid ?? false;
      return { standing: isSold ? 'sold' : 'waiting', stockBack: false };
    }

    async function withParts(orders: readonly OrderRow[]): Promise<readonly OrderParts[]> {
      const lines = orders.flatMap((order) => order.associations.order_rows);
      const [customers, addresses, rules, payments, combinations, products] = await Promise.all([
        byIds(
          'customers',
          customerRow,
          orders.map((order) => order.id_customer),
        ),
        byIds(
          'addresses',
          addressRow,
          orders.flatMap((order) => [order.id_address_delivery, order.id_address_invoice]),
        ),
        by(
          'order_cart_rules',
          orderCartRuleRow,
          'id_order',
          orders.map((order) => order.id),
        ),
        by(
          'order_payments',
          orderPaymentRow,
          'order_reference',
          orders.map((order) => order.reference),
        ),
        byIds(
          'combinations',
          combinationRow,
          lines.map((line) => line.product_attribute_id),
        ),
        byIds(
          'products',
          productRow,
          lines.map((line) => line.product_id),
        ),
      ]);
      const [codes, countries, values, suppliers, brands] = await Promise.all([
        byIds(
          'cart_rules',
          cartRuleRow,
          rules.map((rule) => rule.id_cart_rule),
        ),
        byIds(
          'countries',
          countryRow,
          addresses.map((address) => address.id_country),
        ),
        byIds(
          'product_option_values',
          optionValueRow,
          combinations.flatMap((row) => row.associations.product_option_values),
        ),
        byIds(
          'suppliers',
          namedRow,
          products.map((product) => product.id_supplier),
        ),
        byIds(
          'manufacturers',
          namedRow,
          products.map((product) => product.id_manufacturer),
        ),
      ]);
      const find = <T extends { readonly id: number }>(rows: readonly T[], id: number) =>
        rows.find((row) => row.id === id);
      const addressOf = (id: number) => {
        const address = find(addresses, id);
        return address && { ...address, country: find(countries, address.id_country)?.name ?? '' };
      };
      return orders.map((order) => ({
        order,
        status: states.get(order.current_state)?.name ?? '',
        customer: find(customers, order.id_customer),
        delivery: addressOf(order.id_address_delivery),
        invoice: addressOf(order.id_address_invoice),
        transactions: payments
          .filter((payment) => payment.order_reference === order.reference)
          .map((payment) => payment.transaction_id)
          .filter((id) => id !== ''),
        cartRules: rules
          .filter((rule) => rule.id_order === order.id)
          .map((rule) => ({
            name: rule.name,
            // A rule that was deleted has no code any more; its name often is the code.
            code: find(codes, rule.id_cart_rule)?.code || rule.name,
            value: rule.value,
          })),
        products: order.associations.order_rows.map((line): ProductParts => {
          const product = find(products, line.product_id);
          const chosen =
            find(combinations, line.product_attribute_id)?.associations.product_option_values ?? [];
          return {
            reference: product?.reference ?? '',
            size: chosen.map((id) => find(values, id)?.name ?? '').join(' '),
            supplier: find(suppliers, product?.id_supplier ?? 0)?.name ?? '',
            brand: find(brands, product?.id_manufacturer ?? 0)?.name ?? '',
          };
        }),
      }));
    }

    /** Slips change neither their order's state nor its date. */
    async function pollRefunds(): Promise<void> {
      const known = await ledger.cursor('slips');
      if (known === null) {
        const [newest] = await api.list(
          'order_slip',
          orderHeadRow,
          { sort: ['date_upd_DESC'], limit: [0, 1] },
          signal,
        );
        await ledger.moveCursor('slips', { at: newest?.date_upd ?? '0001-01-01 00:00:00', id: 0 });
        return;
      }
      const from = earlier(known.at, settings, askedAt);
      const query = { filter: { date_upd: `[${from},${END_OF_TIME}]` }, sort: ['date_upd_ASC', 'id_ASC'] };
      const slips = await api.list('order_slip', orderSlipRow, query, signal);
      const refunded = await byIds(
        'orders',
        orderRow,
        slips.map((slip) => slip.id_order),
      );
      const parts = new Map((await withParts(refunded)).map((part) => [part.order.id, part]));
      await ledger.recordRefunds({
        cycle,
        step,
        at: askedAt,
        refunds: slips.map((slip) => {
          const part = parts.get(slip.id_order);
          const units = new Map(
            slip.associations.order_slip_details.map((row) => [row.id_order_detail, row.product_quantity]),
          );
          const rows = part?.order.associations.order_rows ?? [];
          const returned = rows.map((row) => ({ ...row, product_quantity: units.get(row.id) ?? 0 }));
          const lines = part
            ? soldLines({ ...part.order, associations: { order_rows: returned } }, part.products)
            : [];
          return { orderId: slip.id_order, slip: slip.id, lines };
        }),
      });
      const last = slips.at(-1)?.date_upd;
      if (last !== undefined) await ledger.moveCursor('slips', { at: last, id: 0 });
    }

    function byIds<Row extends z.ZodObject>(
      resource: Resource,
      row: Row,
      ids: readonly number[],
    ): Promise<readonly z.output<Row>[]> {
      return by(
        resource,
        row,
        'id',
        ids.filter((id) => id > 0),
      );
    }

    async function by<Row extends z.ZodObject>(
      resource: Resource,
      row: Row,
      field: string,
      values: readonly (number | string)[],
    ): Promise<readonly z.output<Row>[]> {
      const found = await Promise.all(
        chunks([...new Set(values)]).map((part) =>
          api.list(resource, row, { filter: { [field]: `[${part.join('|')}]` } }, signal),
        ),
      );
      return found.flat();
    }
  };
}

type Head = z.output<typeof orderHeadRow>;

/** The shop's local time from which on to look again. In the hour that comes twice in autumn, times step back. */
function earlier(at: string, { overlap, timeZone }: OrderSettings, now: Date): string {
  const time = Date.parse(`${at.replace(' ', 'T')}Z`);
  if (Number.isNaN(time)) return at;
  const setBack = clocksSetBack(new Date(time - 3 * 3_600_000), now, timeZone);
  return new Date(time - overlap - setBack).toISOString().slice(0, 19).replace('T', ' ');
}

function chunks<T>(items: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / CHUNK) }, (_, index) =>
    items.slice(index * CHUNK, (index + 1) * CHUNK),
  );
}
