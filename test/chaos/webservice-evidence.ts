import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CycleEvidence, Evidence } from '../../chaos/oracle.ts';
import { upload, withFtp } from '../../sandbox/ftp-access.ts';
import { startSandbox, type Sandbox } from '../../sandbox/sandbox.ts';
import { productName } from '../../sandbox/scenario.ts';
import type { Truth } from '../../sandbox/truth.ts';
import { addProduct, articleOf } from '../../sandbox/webservice/catalog.ts';
import type { PlaceOptions } from '../../sandbox/webservice/checkout.ts';
import { rowsOf } from '../../sandbox/webservice/database.ts';
import { AWAITING_BANK_WIRE, CANCELLED } from '../../sandbox/webservice/order-states.ts';
import { sumOfSizes, writeTotal } from '../../sandbox/webservice/stock.ts';
import type { WebserviceAccess } from '../../sandbox/webservice-shop.ts';
import { saleRows, salesXml } from '../sandbox/cycle-by-hand.ts';
import {
  alpha38,
  alpha39,
  alpha40,
  beta38,
  beta39,
  gamma38,
  orderOf,
  smallScenario,
} from '../sandbox/small-shop.ts';
import { completeReport } from './complete-report.ts';

/** What became of the orders of the evidence, by the place at which they stand in the truth. */
export const ORDERS = {
  sent: 0,
  refundedTwice: 1,
  cancelledAfterwards: 2,
  cancelledBefore: 3,
  waiting: 4,
  halfMade: 5,
  byHand: 6,
  setAside: 7,
  late: 8,
} as const;
export type OrderName = keyof typeof ORDERS;

/**
 * Two cycles with a shop that is reached by its Webservice, as an exact person would carry them and tell of them. Between
 * the two, orders that were sent or listed are given back.
 */
export async function evidenceOfExactCycles(): Promise<Evidence> {
  const folder = await mkdtemp(join(tmpdir(), 'exact-cycles-'));
  const sandbox = await startSandbox({
    folder,
    halfHour: 60_000,
    scenario: smallScenario,
    shop: { kind: 'webservice', version: '8.2', slowness: 0 },
    settings: { durations: { writing: 0 } },
  });
  try {
    return await carryCycles(sandbox);
  } finally {
    await sandbox.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function carryCycles(sandbox: Sandbox): Promise<Evidence> {
  const access = sandbox.webservice!;
  const { checkout, server } = access;
  const { database } = server.site;
  const place = (ean: string, quantity: number, how?: PlaceOptions, gencod = true) =>
    checkout.placeOrder(orderOf({ ean, quantity, gencod }), how).id;
  const sent = place(alpha38, 1);
  const refundedTwice = place(alpha40, 2);
  const cancelledAfterwards = place(beta39, 1);
  const cancelledBefore = place(alpha40, 1);
  place(beta38, 1, { state: AWAITING_BANK_WIRE });
  const halfMade = place(alpha38, 1, { diesAt: 'rows made' });
  const voucher = { name: 'Bon cadeau', code: 'BC-1', amount: 5_000 };
  const byHand = checkout.placeOrder({ ...orderOf({ ean: alpha40, quantity: 1 }), voucher }).id;
  const setAside = place(beta39, 1, {}, false);
  await sandbox.shop.settled();
  checkout.changeState(cancelledBefore, CANCELLED);

  const imports: Truth[] = [];
  const cycleOf = async (
    id: string,
    exported: unknown,
    delivered: unknown,
    work: () => Promise<unknown>,
  ): Promise<CycleEvidence> => {
    const startedAt = sandbox.clock.time();
    await read(access, 'orders');
    const reading = { startedAt, endedAt: sandbox.clock.time() };
    await work();
    await read(access, 'stock_availables');
    await read(access, 'orders');
    imports.push(sandbox.truth());
    return {
      id,
      startedAt,
      endedAt: sandbox.clock.time(),
      status: 'COMPLETED',
      report: completeReport(id, { exportOrders: exported, deliverOrders: delivered }),
      readings: [reading],
      history: 'exportOrders, 4 orders',
      besideAnother: false,
    };
  };
  const show = (quantities: Readonly<Record<string, number>>) => {
    for (const [ean, quantity] of Object.entries(quantities)) {
      const article = articleOf(database, ean)!;
      article.stock!.quantity = quantity;
      writeTotal(database, article.product.id, sumOfSizes(database, article.product.id));
    }
  };

  const first = await cycleOf(
    'a',
    {
      byHandIds: [byHand],
      setAsideOrders: [{ id: setAside, reason: 'no gencod' }],
      life: { takeBackList: [], incompleteIds: [] },
    },
    { orderIds: [sent, refundedTwice, cancelledAfterwards], file: '/import/ventes-1.xml' },
    async () => {
      const orders = sandbox.truth().orders.slice(ORDERS.sent, ORDERS.cancelledAfterwards + 1);
      await withFtp(sandbox.ftp, async (client) => {
        await client.ensureDir('/passerelle');
        await upload(client, '/passerelle/new', Buffer.from(salesXml(orders.map(saleRows))));
        await client.rename('/passerelle/new', '/import/ventes-1.xml');
      });
      await sandbox.proshop.importSales();
      await sandbox.proshop.exportStock();
      const gamma = smallScenario.products[2]!;
      const variants = gamma.variants.map(({ size, ean }) => ({ size, ean, quantity: 0 }));
      addProduct(database, { ...gamma, name: productName(gamma), manufacturer: gamma.supplier, variants });
      // Proshop's figures minus what waits, is half made, by hand or set aside; of that last one, any size may be gone.
      show({ [alpha38]: 1, [alpha39]: 0, [alpha40]: 2, [beta38]: 0, [beta39]: 0, [gamma38]: 1 });
    },
  );

  const [row] = rowsOf(database, 'order_details', ({ id_order }) => id_order === refundedTwice);
  const refund = (restock: boolean) =>
    checkout.refund(refundedTwice, [{ row: row?.id ?? 0, quantity: 1 }], { restock });
  const slips = [refund(true)];
  checkout.changeState(cancelledAfterwards, CANCELLED);
  checkout.changeState(byHand, CANCELLED);
  await sleep(5);
  slips.push(refund(false));
  await sleep(5);

  const second = await cycleOf(
    'b',
    {
      life: {
        takeBackList: [
          ...slips.map((slip) => ({ id: refundedTwice, cause: `slip ${slip}` })),
          { id: cancelledAfterwards, cause: 'cancelled' },
          { id: byHand, cause: 'cancelled' },
        ],
        incompleteIds: [halfMade],
      },
    },
    {},
    async () => {
      await sandbox.proshop.exportStock();
      // What was half made is given up, and what people had is theirs no more.
      show({ [alpha38]: 2, [alpha40]: 3, [beta39]: 0 });
    },
  );
  place(alpha40, 1);
  await sandbox.shop.settled();
  const truth = sandbox.truth();
  return {
    truth,
    imports,
    cycles: [first, second],
    noted: [],
    // Sandbox milliseconds: the second cycle begins later than that.
    patience: 100,
    told: { 'the log': '{"level":30}' },
    secrets: ['sesame-sesame'],
  };
}

async function read({ url, key }: WebserviceAccess, resource: 'orders' | 'stock_availables'): Promise<void> {
  const authorization = `Basic ${Buffer.from(`${key}:`).toString('base64')}`;
  await fetch(`${url}/api/${resource}?display=full&output_format=JSON`, { headers: { authorization } });
}
