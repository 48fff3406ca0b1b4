import { readFile } from 'node:fs/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startClock } from '../../sandbox/clock.ts';
import { ORDER_COLUMNS } from '../../sandbox/configuration.ts';
import { judgeOrders } from '../../sandbox/judge-orders.ts';
import { openModulesShop } from '../../sandbox/modules-shop.ts';
import { startOldGateway } from '../../sandbox/old-gateway.ts';
import type { OldGateway } from '../../sandbox/old-gateway.ts';
import type { OldGaps } from '../../sandbox/old-gateway/gaps.ts';
import { oldSalesXml } from '../../sandbox/old-gateway/old-sales-xml.ts';
import { readOldOrders } from '../../sandbox/old-gateway/orders-csv.ts';
import { ordersCsv } from '../../sandbox/order-export.ts';
import type { Sandbox, SandboxOptions } from '../../sandbox/sandbox.ts';
import { demoScenario } from '../../sandbox/scenario.ts';
import type { OrderSeed, Scenario } from '../../sandbox/scenario.ts';
import { parseXml } from '../../sandbox/xml.ts';
import type { XmlElement } from '../../sandbox/xml.ts';
import { renderSales } from '../../src/activities/deliver-orders.ts';
import { readOrders } from '../../src/domain/order-csv.ts';
import { readTemplate } from '../../src/domain/sales-xml.ts';
import {
  alpha38,
  alpha40,
  beta38,
  beta39,
  eventually,
  gamma38,
  open,
  orderOf,
  smallScenario,
  temporaryFolder,
} from './small-shop.ts';

interface Both {
  readonly sandbox: Sandbox;
  readonly old: OldGateway;
}

async function openBoth(options: Partial<SandboxOptions>, gaps: Partial<OldGaps> = {}): Promise<Both> {
  const sandbox = await open(options);
  const old = startOldGateway(sandbox, { folder: await temporaryFolder(), gaps });
  onTestFinished(() => old.stop());
  return { sandbox, old };
}

/** Both at no minute but the test's: the timetable is off, and the clock too slow for Proshop's next minute to come. */
async function openByHand(gaps: Partial<OldGaps> = {}, settings: SandboxOptions['settings'] = {}) {
  const durations = { exportOrders: 1_000, updateStock: 20_000, writing: 5_000 };
  const both = await openBoth({ halfHour: 60_000, settings: { durations, ...settings } }, gaps);
  await both.old.pause();
  return both;
}

const one = (ean: string) => orderOf({ ean, quantity: 1 });
const paidByGiftVoucher = (order: OrderSeed): OrderSeed => ({
  ...order,
  payment: 'Bon cadeau',
  voucher: { name: 'Bon cadeau', code: 'BC-1', amount: 5_000 },
});

async function sendOrders({ old }: Both) {
  await old.run('exportOrders');
  return old.run('test9_xml');
}

async function updateStock({ sandbox, old }: Both): Promise<void> {
  await old.run('exportOrdersAgain');
  await old.run('test2_csv');
  await old.run('updateStock');
  await eventually(() => sandbox.truth().imports.at(-1)?.outcome === 'done');
}

const timesTaken = ({ sandbox }: Both) => sandbox.truth().orders.map((order) => order.taken.length);
const shown = ({ sandbox }: Both, ...eans: string[]) =>
  eans.map((ean) => sandbox.truth().variants.find((variant) => variant.ean === ean)?.shop);
const salesFiles = ({ sandbox }: Both) => sandbox.truth().files.filter((file) => file.startsWith('/import/'));
const faults = ({ sandbox }: Both) => new Set(sandbox.truth().faults.map((fault) => fault.kind));

describe('the old gateway', () => {
  it('carries orders and stock as the note says, half hour by half hour', async () => {
    const scenario: Scenario = {
      ...smallScenario,
      start: '2026-11-24T10:54:30',
      events: [
        { at: '2026-11-24T10:40', order: one(alpha38) },
        { at: '2026-11-24T10:45', order: paidByGiftVoucher(one(beta38)) },
        // Between the two exports of a half hour.
        { at: '2026-11-24T11:05', order: orderOf({ ean: alpha40, quantity: 2 }) },
        { at: '2026-11-24T11:42', order: one(beta39) },
      ],
    };
    const both = await openBoth({ scenario, halfHour: 24_000, held: true, settings: { notExported: false } });
    const { sandbox, old } = both;
    sandbox.clock.go();

    await sandbox.clock.reach('2026-11-24T11:24');
    // On a busy machine one may end after the next has begun.
    expect(old.runs.toSorted((a, b) => a.at.localeCompare(b.at))).toEqual(
      (
        [
          ['exportOrders', /T10:5[56]/],
          ['test9_xml', /T10:5[78]/],
          ['importProducts', /T11:1[45]/],
          ['exportOrdersAgain', /T11:1[78]/],
          ['test2_csv', /T11:19/],
          ['updateStock', /T11:2[01]/],
        ] as const
      ).map(([job, at]) => ({
        job,
        at: expect.stringMatching(at),
        endedAt: expect.any(String),
        died: null,
      })),
    );
    expect(timesTaken(both)).toEqual([1, 0, 0]);

    // The second export showed an order of ALPHA that was not sent: all its sizes are at 0, though there are some left.
    await sandbox.clock.reach('2026-11-24T11:29');
    expect(shown(both, alpha38, alpha40, gamma38)).toEqual([0, 0, 1]);
    // The unit that was paid with a gift voucher is on sale again, until somebody types the order into Proshop.
    expect(shown(both, beta38)).toEqual([2]);
    expect(sandbox.truth().vouchers[0]?.shop).toBe(100);

    await sandbox.clock.reach('2026-11-24T11:59');
    expect(shown(both, alpha38, alpha40, beta38, beta39)).toEqual([2, 3, 0, 0]);
    await sandbox.clock.reach('2026-11-24T12:03');
    expect(timesTaken(both)).toEqual([1, 0, 1, 1]);

    const truth = sandbox.truth();
    expect(judgeOrders(truth, '2026-11-24T11:55').filter((check) => !check.ok)).toEqual([]);
    expect([...faults(both)].filter((kind) => kind !== 'partial file in import')).toEqual([]);
    expect(truth.vouchers[0]?.shop).toBe(100);
    expect([...old.archive().keys()]).toEqual(
      Array(3).fill(expect.stringMatching(/^ventes-20261124-\d{6}\.xml$/)),
    );
    expect(old.trace()).toEqual({
      Trace1: ['4101', '4103', '4104'].map((id) =>
        expect.stringMatching(new RegExp(` 1 commande\\(s\\) : ${id}$`)),
      ),
      Trace2: ['ALPHA', 'BETA'].map((model) => expect.stringMatching(new RegExp(` retiré : ${model}$`))),
    });
  });

  it('touches nothing once it is switched off, and goes on when it is switched on', async () => {
    const both = await openBoth({ halfHour: 20_000, held: true });
    const { sandbox, old } = both;
    sandbox.placeOrder(one(alpha38));
    await old.pause();
    sandbox.clock.go();
    await sandbox.clock.reach('2026-11-24T11:43');
    const { orderExports, imports, files } = sandbox.truth();
    expect([old.runs, orderExports, imports, files]).toEqual([[], [], [], ['/ExportCSV']]);

    old.resume(['exportOrdersAgain']);
    expect((await old.next('exportOrdersAgain')).at).toMatch(/T11:4[7-9]/);
    await sandbox.clock.reach('2026-11-24T11:53');
    expect(old.runs.map((run) => run.job)).toEqual(['exportOrdersAgain']);
    expect(sandbox.truth().files).toEqual(['/ExportCSV', '/export/commandes']);
  });

  it('lets the script that is running end before it is switched off', async () => {
    const both = await openByHand();
    both.sandbox.placeOrder(one(alpha38));
    await both.old.run('exportOrders');
    const running = both.old.run('test9_xml');
    await both.old.pause();
    expect(salesFiles(both)).toHaveLength(1);
    await running;
  });

  it('can be late at its minute, so that Proshop passes by and what is sold is on sale again', async () => {
    const scenario = { ...smallScenario, start: '2026-11-24T11:24:00' };
    const both = await openBoth({ scenario, halfHour: 24_000, held: true });
    const { sandbox, old } = both;
    sandbox.placeOrder(one(alpha38));
    old.delayNext('test9_xml', 5);
    sandbox.clock.go();
    expect((await old.next('test9_xml')).at >= '2026-11-24T11:32').toBe(true);
    await sandbox.clock.reach('2026-11-24T11:58');
    expect([timesTaken(both), shown(both, alpha38)]).toEqual([[0], [3]]);
    await sandbox.clock.reach('2026-11-24T12:03');
    expect(timesTaken(both)).toEqual([1]);
  });

  it('asks the shop once, and looks at no answer', async () => {
    const both = await openByHand();
    both.sandbox.placeOrder(one(alpha38));
    both.sandbox.failNext('exportOrders', 'status 500');
    expect(await both.old.run('exportOrders')).toMatchObject({ died: null });
    await both.old.run('test9_xml');
    expect(both.sandbox.truth().orderExports).toEqual([]);
    expect([salesFiles(both), both.old.trace().Trace1]).toEqual([
      [],
      [expect.stringContaining('pas de fichier de commandes')],
    ]);
  });

  it('sends what passerelle would, in bytes of its own', async () => {
    const shop = openModulesShop(
      demoScenario,
      startClock({ halfHour: 1_000, start: demoScenario.start, held: true }),
    );
    for (const event of demoScenario.events)
      if ('order' in event) shop.placeOrder(event.order, `${event.at}:00`);
    const csv = Buffer.from(ordersCsv(shop.orders, { delimiter: ';', productsInLines: true }));
    const { orders } = readOrders(csv, 'commandes', {
      file: { encoding: 'utf-8', delimiter: ';', quote: '"', decimalMark: '.' },
      finalLineBreak: 'required',
      columns: ORDER_COLUMNS,
    });
    const template = await readFile(new URL('../../sandbox/sales-template.xml', import.meta.url));
    const createdAt = '2026-11-24 10:57:04';
    const own = renderSales(readTemplate(template, 'ventes.xml'), orders, createdAt).bytes.toString();
    const ids = new Set(orders.map((order) => order.id));
    const old = oldSalesXml(
      readOldOrders(csv).filter((order) => ids.has(order.id)),
      createdAt,
      'utf-8',
    );

    expect(ids.size).toBeGreaterThan(5);
    expect(meaning(parseXml(old))).toEqual(meaning(parseXml(own)));
    expect(old.split('\r\n').slice(0, 3)).toEqual([
      "<?xml version='1.0' encoding='utf-8'?>",
      expect.stringMatching(
        /^<Ventes NbVentes="\d+" NbArticles="\d+" Creation="2026-11-24 10:57:04" Magasin="008">$/,
      ),
      '\t<Vente Numero="4101">',
    ]);
  });
});

describe('a gap of test9_xml:', () => {
  it.each([
    [true, [0, 1], ['/import/ventes.xml']],
    [false, [1, 1], Array(2).fill(expect.stringMatching(/^\/import\/ventes-\d{8}-\d{6}\.xml$/))],
  ])('what Proshop has not taken is overwritten: %s', async (overwrites, taken, files) => {
    const both = await openByHand({ overwrites });
    for (const ean of [alpha38, beta38]) {
      both.sandbox.placeOrder(one(ean));
      await sendOrders(both);
    }
    expect(salesFiles(both)).toEqual(files);
    await both.sandbox.proshop.importSales();
    expect(timesTaken(both)).toEqual(taken);
    expect(both.old.archive().size).toBe(2);
  });

  it('an order of the second export is lost when the next export overwrites it, or waits for the next run', async () => {
    const both = await openByHand();
    both.sandbox.placeOrder(one(alpha38));
    await both.old.run('exportOrdersAgain');
    both.sandbox.placeOrder(one(beta38));
    await both.old.run('exportOrders');
    // The export before the run found nothing new, so that the file stays.
    await sendOrders(both);
    await both.sandbox.proshop.importSales();
    expect(timesTaken(both)).toEqual([0, 1]);
  });

  it('orders are sent again and again when it trusts the mark of a module that sets none', async () => {
    const both = await openByHand({ memory: 'mark' }, { notExported: false });
    both.sandbox.placeOrder(one(alpha38));
    for (let halfHour = 0; halfHour < 2; halfHour++) {
      await sendOrders(both);
      await both.sandbox.proshop.importSales();
    }
    expect(timesTaken(both)).toEqual([2]);
  });

  it.each(['list', 'mark'] as const)(
    'and none: an order is sent once where it goes by the %s',
    async (memory) => {
      const both = await openByHand({ memory }, { notExported: memory === 'mark' });
      both.sandbox.placeOrder(one(alpha38));
      for (let halfHour = 0; halfHour < 2; halfHour++) {
        await sendOrders(both);
        await both.sandbox.proshop.importSales();
      }
      expect(timesTaken(both)).toEqual([1]);
      expect(both.sandbox.truth().files).toEqual(memory === 'list' ? ['/export/commandes'] : []);
    },
  );

  it.each([
    [true, [0, 0]],
    [false, [1, 1]],
  ])('a character kills it without a word, and nothing is sent: %s', async (diesOfCharacters, taken) => {
    const both = await openByHand({ diesOfCharacters });
    const order = one(alpha38);
    both.sandbox.placeOrder(one(beta38));
    both.sandbox.placeOrder({ ...order, delivery: { ...order.delivery, city: 'Łódź' } });
    const { died } = await sendOrders(both);
    await both.sandbox.proshop.importSales();
    expect(timesTaken(both)).toEqual(taken);
    const { Trace1 } = both.old.trace();
    expect([died?.slice(0, 18) ?? null, Trace1.length]).toEqual(
      diesOfCharacters ? ['UnicodeEncodeError', 0] : [null, 1],
    );
  });

  it('where it dies of characters, it sends those that windows-1252 has', async () => {
    const both = await openByHand({ diesOfCharacters: true });
    const order = one(alpha38);
    both.sandbox.placeOrder({ ...order, delivery: { ...order.delivery, city: 'Plœmeur, côté Müller' } });
    await sendOrders(both);
    await both.sandbox.proshop.importSales();
    expect(both.sandbox.truth().orders[0]?.sale?.address).toContain('Plœmeur, côté Müller');
  });

  it.each([
    [true, [0, 0]],
    [false, [1, 0]],
  ])('a line without gencod spoils the whole file: %s', async (blankGencod, taken) => {
    const both = await openByHand({ blankGencod });
    both.sandbox.placeOrder(one(beta38));
    both.sandbox.placeOrder(orderOf({ ean: alpha38, quantity: 1, gencod: false }));
    await sendOrders(both);
    await both.sandbox.proshop.importSales();
    expect(timesTaken(both)).toEqual(taken);
    expect([faults(both).has('unreadable file in import'), salesFiles(both).length]).toEqual([
      blankGencod,
      blankGencod ? 1 : 0,
    ]);
  });

  it('a file in import/ is seen before it is whole', async () => {
    const both = await openByHand();
    both.sandbox.placeOrder(one(alpha38));
    await sendOrders(both);
    await eventually(() => faults(both).size > 0);
    expect([...faults(both)]).toEqual(['partial file in import']);
  });

  it('an order is left out, so that its product is at 0 while the second export shows it', async () => {
    const both = await openByHand({ misses: (order) => order === 4102 });
    both.sandbox.placeOrder(one(beta38));
    both.sandbox.placeOrder(one(alpha38));
    await sendOrders(both);
    await both.sandbox.proshop.importSales();
    await both.sandbox.proshop.exportStock();
    await updateStock(both);
    expect([timesTaken(both), shown(both, alpha38, alpha40, beta38)]).toEqual([
      [1, 0],
      [0, 0, 1],
    ]);
  });
});

describe('a gap of test2_csv:', () => {
  it('half an ExportCSV takes what is missing off sale', async () => {
    const both = await openByHand();
    both.sandbox.damageNextExport('truncated');
    await both.sandbox.proshop.exportStock();
    await updateStock(both);
    expect(shown(both, alpha38, beta38, beta39)).toEqual([3, 0, 0]);
    expect(both.sandbox.truth().vouchers[0]?.shop).toBe(100);
  });

  it('an old ExportCSV is applied again, so that what was sold since is on sale again', async () => {
    const both = await openByHand();
    await both.sandbox.proshop.exportStock();
    both.sandbox.placeOrder(one(alpha38));
    await sendOrders(both);
    await both.sandbox.proshop.importSales();
    both.sandbox.damageNextExport('missing');
    await both.sandbox.proshop.exportStock();
    await updateStock(both);
    expect([shown(both, alpha38), both.sandbox.proshop.stock(alpha38)]).toEqual([[3], 2]);
  });

  it('gift vouchers that were sold come back', async () => {
    const both = await openByHand();
    both.sandbox.placeOrder(one(smallScenario.vouchers[0]?.ean ?? ''));
    expect(both.sandbox.truth().vouchers[0]?.shop).toBe(99);
    await both.sandbox.proshop.exportStock();
    await updateStock(both);
    expect(both.sandbox.truth().vouchers[0]?.shop).toBe(100);
  });
});

/** What an XML document says, whatever its indentation, attributes' order and way of writing an empty element. */
function meaning({ name, attributes, children, text }: XmlElement): unknown {
  return { name, attributes, content: children.length > 0 ? children.map(meaning) : text };
}
