import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { insertRow, rowOf, rowsOf } from '../../sandbox/webservice/database.ts';
import {
  AWAITING_BANK_WIRE,
  CANCELLED,
  PAID,
  PAYMENT_ERROR,
  REFUNDED,
} from '../../sandbox/webservice/order-states.ts';
import type { Version } from '../../sandbox/webservice/site.ts';
import { readTemplate, salesXml } from '../../src/domain/sales-xml.ts';
import {
  LARGE,
  MINUTE,
  openBench,
  OTHER,
  passTime,
  routes,
  seed,
  SMALL,
  VERSIONS,
  type ShopOfOrders,
} from '../support/read-orders.ts';

const SHIPPED = 4;
const BACKORDER_PAID = 9;
const HASH = '$2y$10$hashofapassword';

const bench = openBench();

const ledger = () => bench.test.ledger;
const ways = () => routes(bench.test);
const toSend = async (id: number) => (await ledger().ordersToSend()).find((order) => order.id === id);
const takeBacks = async () =>
  (await ledger().takeBacksForPeople()).map(({ id, cause, lines, stockBack }) => ({
    id,
    cause,
    stockBack,
    units: lines.reduce((sum, { quantity }) => sum + quantity, 0),
  }));
const outstanding = async () => {
  const { lines } = await ledger().outstanding();
  return lines.reduce((sum, { quantity }) => sum + quantity, 0);
};
const deliver = async (...ids: number[]) => {
  const id = randomUUID();
  const file = { temporaryPath: `/${id}.tmp`, finalPath: `/${id}.xml`, size: 1, sha256: '' };
  await ledger().startDelivery({ id, kind: 'sales', cycle: 'a', createdAt: new Date(), ...file }, ids);
};

/** An order with all that an order can have. */
async function fullOrder(version: Version): Promise<ShopOfOrders> {
  const shop = await bench.shop({ version });
  const { database } = shop;
  const id = await shop.buy(
    seed(
      [
        [SMALL, 2],
        [OTHER, 1],
      ],
      {
        reference: 'ABCDEFGHI',
        customer: { firstname: 'Zoé', lastname: 'Le Goff & fils', email: 'zoe@example.com' },
        delivery: {
          firstname: 'Anaïs',
          lastname: 'Œuvrard',
          company: 'Les "Halles"',
          address1: '12 rue de l’Église',
          address2: 'Bâtiment B',
          postcode: '29000',
          city: 'Quimper',
          country: 'FR',
          phone: '0298000000',
        },
        invoice: {
          firstname: 'Zoé',
          lastname: 'Le Goff',
          address1: 'Hauptstraße 3',
          postcode: '10115',
          city: 'Berlin',
          country: 'DE',
        },
        payment: 'Carte bancaire',
        paymentModule: 'payplug',
        shipping: 854,
        voucher: { name: 'Cinq euros', code: 'FIVEOFF', amount: 500 },
      },
    ),
  );
  for (const customer of rowsOf(database, 'customers')) customer.passwd = HASH;
  rowOf(database, 'addresses', rowOf(database, 'orders', id).id_address_invoice).phone_mobile = '0600000000';
  rowsOf(database, 'order_payments')[0]!.transaction_id = 'tx-1';
  insertRow(database, 'order_payments', { order_reference: 'ABCDEFGHI', transaction_id: 'tx-2' });
  const rule = { id_order: id, value: '8.540000' };
  insertRow(database, 'order_cart_rules', { ...rule, id_cart_rule: 77, name: 'Port offert' });
  insertRow(database, 'order_cart_rules', { ...rule, id_cart_rule: 78, name: 'CADEAU', deleted: true });
  return shop;
}

describe('An order of the shop', () => {
  it.each(VERSIONS)('becomes our order, field by field, in %s', async (version) => {
    const shop = await fullOrder(version);
    await shop.read();
    const [order] = await ledger().ordersToSend();
    expect(order).toEqual({
      id: 1,
      reference: 'ABCDEFGHI',
      state: '2',
      status: 'Payment accepted',
      date: '2026-11-24 10:00:00',
      payment: 'Carte bancaire',
      paymentModule: 'payplug',
      transaction: 'tx-1,tx-2',
      voucherName: 'Cinq euros,Port offert',
      voucherCode: 'FIVEOFF,Port offert',
      voucherAmount: '13.54',
      total: '153.60',
      totalWithoutTax: '125.90',
      shipping: '8.54',
      discounts: '5.00',
      customer: { firstname: 'Zoé', lastname: 'Le Goff & fils', email: 'zoe@example.com' },
      delivery: {
        company: 'Les "Halles"',
        firstname: 'Anaïs',
        lastname: 'Œuvrard',
        address1: '12 rue de l’Église',
        address2: 'Bâtiment B',
        postcode: '29000',
        city: 'Quimper',
        country: 'France',
        phone: '0298000000',
      },
      invoice: {
        company: '',
        firstname: 'Zoé',
        lastname: 'Le Goff',
        address1: 'Hauptstraße 3',
        address2: '',
        postcode: '10115',
        city: 'Berlin',
        country: 'Germany',
        phone: '0600000000',
      },
      lines: [
        {
          ean: SMALL,
          reference: 'SNK001-36',
          name: 'Bottine "Zoé"',
          quantity: 2,
          unitPrice: '50.02',
          size: '36',
          supplier: 'Fournil',
          brand: 'Alfa',
          productId: '1',
          variantId: '1',
        },
        {
          ean: OTHER,
          reference: 'SNK002-36',
          name: 'Sneaker 2',
          quantity: 1,
          unitPrice: '50.02',
          size: '36',
          supplier: '',
          brand: '',
          productId: '2',
          variantId: '3',
        },
      ],
    });
  });

  it('is the same when its rows and the rows of others come in another order', async () => {
    const shop = await fullOrder('8.2');
    await shop.read('a');
    const { database } = shop;
    for (const name of [
      'order_details',
      'order_payments',
      'order_cart_rules',
      'orders',
      'addresses',
    ] as const) {
      const rows = [...(database[name].rows as Map<number, unknown>)].toReversed();
      (database[name].rows as Map<number, unknown>).clear();
      for (const [id, row] of rows) (database[name].rows as Map<number, unknown>).set(id, row);
    }
    await shop.read('b');
    expect(shop.batches).toHaveLength(2);
    expect(Buffer.from(shop.batches[1]!.bytes).toString()).toBe(
      Buffer.from(shop.batches[0]!.bytes).toString(),
    );
  });

  it('goes into the sales file by the same template as one of the export', async () => {
    const shop = await fullOrder('9.1');
    await shop.read();
    const template = readTemplate(readFileSync('sandbox/sales-template.xml'), 'sales-template.xml');
    const facts = { createdAt: '2026-11-24 10:27:03', orders: 1, units: 3 };
    const xml = Buffer.concat([...salesXml(template, await ledger().ordersToSend(), facts)]).toString();
    for (const part of [
      '<Vente Numero="1">',
      '<Reference>ABCDEFGHI</Reference>',
      '<DateVente>24/11/2026</DateVente>',
      '<Mode>Carte bancaire</Mode>',
      '<Total>153,60</Total>',
      '<Port>8,54</Port>',
      '<Remise>5,00</Remise>',
      '<Nom>Le Goff &amp; fils</Nom>',
      '<Adresse1>12 rue de l’Église</Adresse1>',
      '<Pays>France</Pays>',
      `<Gencod>${SMALL}</Gencod>`,
      '<Modele>SNK001-36</Modele>',
      '<Taille>36</Taille>',
      '<Quantite>2</Quantite>',
      '<PrixUnitaire>50,02</PrixUnitaire>',
    ])
      expect(xml).toContain(part);
    expect(xml.match(/<Ligne>/g)).toHaveLength(2);
  });

  it.each(VERSIONS)('brings no secret of a customer with it, in %s', async (version) => {
    const shop = await fullOrder(version);
    const [customer] = rowsOf(shop.database, 'customers');
    await shop.read();
    const asked = shop.webservice.requests.filter(({ resource }) => resource === 'customers');
    expect(asked.map(({ url }) => new URLSearchParams(url.split('?')[1]).get('display'))).toEqual([
      '[id,firstname,lastname,email]',
    ]);
    for (const { url } of shop.webservice.requests) expect(url).not.toMatch(/passw?d|secure_key/);
    const archived = await shop.archived();
    expect(archived.join('')).toContain('zoe@example.com');
    for (const secret of [HASH, 'passwd', 'secure_key', customer!.secure_key])
      expect(archived.join('')).not.toContain(secret);
  });

  it('may lack what the shop has deleted since', async () => {
    const shop = await fullOrder('8.2');
    const { database } = shop;
    for (const name of [
      'customers',
      'addresses',
      'combinations',
      'products',
      'cart_rules',
      'manufacturers',
    ] as const)
      database[name].rows.clear();
    await shop.read();
    const order = await toSend(1);
    expect(order).toMatchObject({ voucherCode: 'Cinq euros,Port offert', customer: { email: '' } });
    expect(order?.delivery.city).toBe('');
    expect(order?.lines[0]).toMatchObject({ ean: SMALL, reference: 'SNK001-36', size: '', supplier: '' });
  });
});

describe('A gift voucher', () => {
  it('is known by the label of the payment, by its module, and by the code of a cart rule that still counts', async () => {
    const shop = await bench.shop();
    const voucher = { name: 'Bon', code: 'CADEAU-12', amount: 500 };
    for (const more of [{ payment: 'Chèque cadeau magasin' }, { paymentModule: 'giftcard' }, { voucher }, {}])
      await shop.buy(seed([[SMALL, 1]], more));
    const takenOff = await shop.buy(seed([[SMALL, 1]], { voucher }));
    for (const rule of rowsOf(shop.database, 'order_cart_rules')) rule.deleted = rule.id_order === takenOff;
    await shop.read();
    expect(await ways()).toEqual({ 1: 'by_hand', 2: 'by_hand', 3: 'by_hand', 4: 'send', 5: 'send' });
  });
});

describe.each(VERSIONS)('The state of an order, in %s', (version) => {
  it('is sold where the shop calls it paid, unless states are configured', async () => {
    const shop = await bench.shop({ version });
    for (const state of [
      PAID,
      SHIPPED,
      AWAITING_BANK_WIRE,
      BACKORDER_PAID,
      CANCELLED,
      REFUNDED,
      PAYMENT_ERROR,
    ])
      await shop.buy(seed(), { state });
    await shop.read();
    expect(await ways()).toEqual({
      1: 'send',
      2: 'send',
      3: 'waiting',
      4: 'send',
      5: 'cancelled',
      6: 'cancelled',
      7: 'cancelled',
    });
    await bench.test.reset();
    const configured = await bench.shop({
      version,
      database: shop.database,
      soldStates: [SHIPPED, AWAITING_BANK_WIRE],
      cancelledStates: [CANCELLED],
    });
    await configured.read();
    expect(await ways()).toEqual({
      1: 'waiting',
      2: 'send',
      3: 'send',
      4: 'waiting',
      5: 'cancelled',
      6: 'waiting',
      7: 'waiting',
    });
  });

  it('is followed: paid later, cancelled before it is sent, reinstated', async () => {
    const shop = await bench.shop({ version });
    const late = await shop.buy(seed([[SMALL, 2]]), { state: AWAITING_BANK_WIRE });
    const gone = await shop.buy(seed([[SMALL, 3]]));
    const never = await shop.buy(seed([[SMALL, 4]]), { state: AWAITING_BANK_WIRE });
    await shop.read();
    expect(await ways()).toEqual({ [late]: 'waiting', [gone]: 'send', [never]: 'waiting' });
    expect(await outstanding()).toBe(9);

    passTime(60 * MINUTE);
    shop.checkout.changeState(late, PAID);
    shop.checkout.changeState(gone, CANCELLED);
    shop.checkout.changeState(never, CANCELLED);
    await shop.read('b');
    expect(await ways()).toEqual({ [late]: 'send', [gone]: 'cancelled', [never]: 'cancelled' });
    expect(await toSend(late)).toMatchObject({ state: '2', status: 'Payment accepted' });
    expect(await outstanding()).toBe(2);
    expect(await takeBacks()).toEqual([]);

    passTime(60 * MINUTE);
    shop.checkout.changeState(gone, PAID);
    await shop.read('c');
    expect(await ways()).toMatchObject({ [gone]: 'send' });
    expect(await outstanding()).toBe(5);
  });

  it('is told to people when it is cancelled or refunded after it was sent, and not told when it is reinstated', async () => {
    const shop = await bench.shop({ version });
    const cancelled = await shop.buy(seed([[SMALL, 2]]));
    const refunded = await shop.buy(seed([[SMALL, 3]]));
    await shop.read();
    await deliver(cancelled, refunded);
    passTime(60 * MINUTE);
    shop.checkout.changeState(cancelled, CANCELLED);
    shop.checkout.changeState(refunded, REFUNDED);
    await shop.read('b');
    await shop.read('c');
    expect(await ways()).toEqual({ [cancelled]: 'send', [refunded]: 'send' });
    expect(await takeBacks()).toEqual([
      { id: cancelled, cause: 'cancelled', stockBack: true, units: 2 },
      { id: refunded, cause: 'cancelled', stockBack: false, units: 3 },
    ]);
    passTime(60 * MINUTE);
    shop.checkout.changeState(cancelled, PAID);
    await shop.read('d');
    expect(await takeBacks()).toMatchObject([{ id: refunded }]);
    expect(await ledger().ordersToSend()).toEqual([]);
  });

  it('does not say what slips say: they are told with their units, once', async () => {
    const shop = await bench.shop({ version });
    const id = await shop.buy(
      seed([
        [SMALL, 3],
        [LARGE, 1],
      ]),
    );
    await shop.read();
    await deliver(id);
    const [first, second] = rowsOf(shop.database, 'order_details');
    passTime(60 * MINUTE);
    shop.checkout.refund(id, [{ row: first!.id, quantity: 2 }]);
    await shop.read('b');
    passTime(MINUTE);
    shop.checkout.refund(id, [
      { row: first!.id, quantity: 1 },
      { row: second!.id, quantity: 1 },
    ]);
    await shop.read('c');
    await shop.read('d');
    expect(await takeBacks()).toEqual([
      { id, cause: 'slip 1', stockBack: false, units: 2 },
      { id, cause: 'slip 2', stockBack: false, units: 2 },
    ]);
    expect((await ledger().takeBacksForPeople())[0]?.lines).toEqual([
      { ean: SMALL, reference: 'SNK001', quantity: 2 },
    ]);
  });
});

describe('Slips', () => {
  it('from before the first reading are told of orders that are ours, and of no others', async () => {
    const shop = await bench.shop({ firstOrder: 2 });
    for (const id of [await shop.buy(), await shop.buy(), await shop.buy(seed(), { state: CANCELLED })])
      shop.checkout.refund(id, [{ row: id, quantity: 1 }]);
    passTime(60 * MINUTE);
    await shop.read();
    expect(await takeBacks()).toMatchObject([{ id: 2, cause: 'slip 2' }]);
    const orders = shop.webservice.requests.filter(({ url }) => /orders\?.*display=full/.test(url));
    expect(orders.map(({ url }) => decodeURIComponent(url)).join()).not.toMatch(/filter\[id\]=\[1[|\]]/);
  });

  it('are read in pages, as many as there are in one second', async () => {
    const shop = await bench.shop({ page: 2 });
    for (let count = 0; count < 7; count++) await shop.buy();
    await shop.read();
    for (let id = 1; id <= 7; id++) shop.checkout.refund(id, [{ row: id, quantity: 1 }]);
    await shop.read('b');
    expect(await takeBacks()).toHaveLength(7);
  });
});

describe('Orders before the first one', () => {
  it('are never read, also when they change', async () => {
    const shop = await bench.shop({ firstOrder: 3 });
    for (let count = 0; count < 4; count++) await shop.buy();
    await shop.read();
    passTime(60 * MINUTE);
    shop.checkout.changeState(1, SHIPPED);
    shop.checkout.changeState(2, CANCELLED);
    shop.checkout.changeState(4, SHIPPED);
    await shop.read('b');
    expect(await ways()).toEqual({ 3: 'send', 4: 'send' });
    const archived = await shop.archived();
    expect(archived.join('')).not.toMatch(/"order":\{"id":[12],/);
  });
});
