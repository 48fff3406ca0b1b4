import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fputcsv } from '../../sandbox/order-export.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { alpha38, alpha40, beta38, open, orderOf } from './small-shop.ts';

const file = (sandbox: Sandbox) => join(sandbox.ftp.root, 'export/commandes');
const run = async (sandbox: Sandbox) => (await fetch(sandbox.urls.exportOrders)).text();
const read = (sandbox: Sandbox) => readFile(file(sandbox), 'utf8');

describe('the Order Export module', () => {
  it('writes UTF-8 with a BOM under a fixed name without extension, a row for each line', async () => {
    const sandbox = await open();
    sandbox.placeOrder(orderOf({ ean: alpha38, quantity: 2 }, { ean: beta38, quantity: 1 }));
    expect(await run(sandbox)).toBe('');
    const text = await read(sandbox);
    expect(text.startsWith('\uFEFFid_order;reference;')).toBe(true);
    expect(text.match(/^4101;/gm)).toHaveLength(2);
    expect(text).toContain('"Bât. ""C""; escalier 2\r\n3e étage"');
  });

  it('is uploaded in ASCII mode, so that a server without conversion keeps CRLF', async () => {
    const sandbox = await open();
    sandbox.placeOrder(orderOf({ ean: alpha38, quantity: 1 }));
    await run(sandbox);
    expect(await read(sandbox)).not.toMatch(/[^\r]\n/);
  });

  it('arrives with LF where the shop chose binary mode', async () => {
    const sandbox = await open({ settings: { asciiMode: false } });
    sandbox.placeOrder(orderOf({ ean: alpha38, quantity: 1 }));
    await run(sandbox);
    expect(await read(sandbox)).not.toContain('\r');
  });

  it('joins the products of an order by commas without the separate-line option', async () => {
    const sandbox = await open({ settings: { productsInLines: false } });
    sandbox.placeOrder(orderOf({ ean: alpha38, quantity: 2 }, { ean: beta38, quantity: 1 }));
    await run(sandbox);
    const text = await read(sandbox);
    expect(text.match(/^4101;/gm)).toHaveLength(1);
    expect(text).toContain(`;${alpha38},${beta38};2,1;0,0;89.90,50.00;`);
  });

  it('writes nothing when there is no order, so that the previous file stays', async () => {
    const sandbox = await open();
    await run(sandbox);
    await expect(stat(file(sandbox))).rejects.toThrow('ENOENT');
    sandbox.placeOrder(orderOf({ ean: alpha38, quantity: 1 }));
    await run(sandbox);
    const previous = await read(sandbox);
    await run(sandbox);
    expect(await read(sandbox)).toBe(previous);
    expect(sandbox.truth().orderExports.map((one) => one.written)).toEqual([[], [4101], []]);
  });

  it('shows every order again and again without the exported mark', async () => {
    const sandbox = await open({ settings: { notExported: false } });
    sandbox.placeOrder(orderOf({ ean: alpha38, quantity: 1 }));
    await run(sandbox);
    await run(sandbox);
    expect(sandbox.truth().orderExports.map((one) => one.written)).toEqual([[4101], [4101]]);
  });

  it('overwrites the file that nobody has taken', async () => {
    const sandbox = await open();
    sandbox.placeOrder(orderOf({ ean: alpha38, quantity: 1 }));
    await run(sandbox);
    sandbox.placeOrder(orderOf({ ean: alpha40, quantity: 1 }));
    await run(sandbox);
    expect(await read(sandbox)).not.toMatch(/^4101;/m);
  });

  it('marks an order placed while it writes as exported and never writes it', async () => {
    const sandbox = await open({ held: true, settings: { marksUnwritten: true } });
    sandbox.placeOrder(orderOf({ ean: alpha38, quantity: 1 }));
    const running = sandbox.exportOrdersByHand();
    const unlucky = sandbox.placeOrder(orderOf({ ean: alpha40, quantity: 1 }));
    sandbox.clock.go();
    await running;
    await run(sandbox);
    const truth = sandbox.truth();
    expect(truth.orderExports.map(({ written, lost }) => ({ written, lost }))).toEqual([
      { written: [4101], lost: [unlucky] },
      { written: [], lost: [] },
    ]);
    expect(truth.orders.map((order) => order.lostByModule)).toEqual([false, true]);
  });

  it('answers a wrong key with a text and status 200', async () => {
    const sandbox = await open();
    sandbox.placeOrder(orderOf({ ean: alpha38, quantity: 1 }));
    const response = await fetch(sandbox.urls.exportOrders.replace(/secure_key=.*/, 'secure_key=wrong'));
    expect([response.status, await response.text()]).toEqual([200, 'Access denied!']);
    expect(sandbox.truth().orderExports).toEqual([]);
  });

  it.each([
    ['status 500', 500],
    ['status 503', 503],
    ['redirect', 302],
    ['error text', 200],
  ] as const)('can answer %s without doing its work', async (fault, status) => {
    const sandbox = await open();
    sandbox.failNext('exportOrders', fault);
    expect((await fetch(sandbox.urls.exportOrders, { redirect: 'manual' })).status).toBe(status);
    expect(sandbox.truth().orderExports).toEqual([]);
  });

  it('can lose its answer after its work is done', async () => {
    const sandbox = await open();
    sandbox.placeOrder(orderOf({ ean: alpha38, quantity: 1 }));
    sandbox.failNext('exportOrders', 'answer lost');
    await expect(run(sandbox)).rejects.toThrow('fetch failed');
    expect(sandbox.truth().orderExports.map((one) => one.written)).toEqual([[4101]]);
  });
});

describe("PHP's fputcsv", () => {
  it.each([
    ['plain', 'plain'],
    ['two words', '"two words"'],
    ['a;b', '"a;b"'],
    ['say "x"', '"say ""x"""'],
    ['a\nb', '"a\nb"'],
    // The quote after a backslash is not doubled: no other CSV writer does so.
    [String.raw`5\"6`, String.raw`"5\"6"`],
    ['', ''],
  ])('writes %j as %j', (value, written) => {
    expect(fputcsv([value, 'x'], ';')).toBe(`${written};x\n`);
  });
});

describe('the shop', () => {
  it('takes its stock down when an order is placed, and refuses what it does not have', async () => {
    const sandbox = await open();
    sandbox.placeOrder(orderOf({ ean: alpha38, quantity: 3 }));
    expect(() => sandbox.placeOrder(orderOf({ ean: alpha38, quantity: 1 }))).toThrow('Expected 1 unit(s)');
    expect(sandbox.truth().variants.find((variant) => variant.ean === alpha38)).toMatchObject({
      shop: 0,
      proshop: 3,
    });
  });
});
