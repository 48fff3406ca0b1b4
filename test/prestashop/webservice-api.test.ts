import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ShopAnswerError, toFailure } from '../../src/failures.ts';
import { openWebservice, type Webservice } from '../../src/prestashop/webservice/api.ts';
import { orderSlipRow, orderStateRow, stockRow } from '../../src/prestashop/webservice/rows.ts';
import { Secret } from '../../src/secret.ts';

const KEY = 'K3YK3YK3YK3YK3YK3YK3YK3YK3YK3YK3';
const { signal } = new AbortController();
const idRow = z.object({ id: z.number() });

interface Seen {
  readonly method: string;
  readonly url: URL;
  readonly body: string;
  readonly authorization: string;
}

let server: Server;
let seen: Seen[];
let sockets: Set<Socket>;
let answers: ((response: ServerResponse, request: IncomingMessage) => void)[];
let api: Webservice;

beforeEach(async () => {
  [seen, sockets, answers] = [[], new Set(), []];
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      const url = new URL(request.url ?? '', 'http://shop');
      const { authorization = '' } = request.headers;
      seen.push({ method: request.method ?? '', url, body, authorization });
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      answer?.(response, request);
    });
  });
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  api = open();
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const open = (more: { timeout?: number; concurrency?: number } = {}) => {
  const { port } = server.address() as AddressInfo;
  return openWebservice({
    url: `http://127.0.0.1:${port}/`,
    key: new Secret(KEY),
    timeout: 2_000,
    concurrency: 4,
    ...more,
  });
};
const json =
  (body: unknown, status = 200) =>
  (response: ServerResponse) =>
    void response
      .writeHead(status, { 'content-type': 'application/json', 'psws-version': '8.2.1' })
      .end(JSON.stringify(body));
const text =
  (body: string, status = 200, headers = {}) =>
  (response: ServerResponse) =>
    void response.writeHead(status, headers).end(body);
const list = () => api.list('orders', idRow, {}, signal);
const row = { id: 7, quantity: 3 };
const put = () => api.replace('stock_availables', [row], signal);
const post = () => api.create('products', { price: '1.000000' }, signal);

async function errorOf(call: Promise<unknown>): Promise<ShopAnswerError> {
  const error = await call.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(ShopAnswerError);
  expect((error as Error).message).not.toContain(KEY);
  expect((error as Error).message).not.toContain(Buffer.from(`${KEY}:`).toString('base64'));
  return error as ShopAnswerError;
}

describe('Reading', () => {
  it('asks with the key, for the fields that the row has, by the filters, with dates allowed where one is in them', async () => {
    answers = [json({ orders: [{ id: 7 }] })];
    const query = {
      filter: { date_upd: '[a,b]', id: '>[6]' },
      sort: ['date_upd_ASC', 'id_ASC'],
      limit: [0, 50] as const,
    };
    expect(await api.list('orders', idRow, query, signal)).toEqual([{ id: 7 }]);
    expect(seen[0]?.authorization).toBe(`Basic ${Buffer.from(`${KEY}:`).toString('base64')}`);
    expect(seen[0]?.url.pathname).toBe('/api/orders');
    expect(Object.fromEntries(seen[0]?.url.searchParams ?? [])).toEqual({
      output_format: 'JSON',
      display: '[id]',
      'filter[date_upd]': '[a,b]',
      'filter[id]': '>[6]',
      date: '1',
      sort: '[date_upd_ASC,id_ASC]',
      limit: '0,50',
    });
  });

  it('takes an empty list for what PrestaShop makes of it', async () => {
    answers = [text('[]')];
    expect(await list()).toEqual([]);
  });

  it('knows that slips come under another name', async () => {
    answers = [json({ order_slips: [{ id: 1, id_order: '7', date_upd: '2026-11-24 01:57:33' }] })];
    expect(await api.list('order_slip', orderSlipRow, {}, signal)).toMatchObject([{ id: 1, id_order: 7 }]);
  });

  it.each([
    ['numbers', { id: 1, quantity: 5, paid: 1 }],
    ['texts', { id: '1', quantity: '5', paid: '1' }],
  ])('takes %s alike', async (_name, { id, quantity, paid }) => {
    const shop = {
      id_product: id,
      id_product_attribute: id,
      id_shop: id,
      id_shop_group: 0,
      depends_on_stock: '0',
      out_of_stock: 2,
    };
    answers = [
      json({ stock_availables: [{ id, quantity, ...shop }] }),
      json({ order_states: [{ id, paid, name: [{ id, value: 'Payé' }] }] }),
    ];
    expect(await api.list('stock_availables', stockRow, {}, signal)).toMatchObject([
      { id: 1, quantity: 5, id_shop: 1 },
    ]);
    expect(await api.list('order_states', orderStateRow, {}, signal)).toEqual([
      { id: 1, paid: true, name: 'Payé' },
    ]);
  });

  it('says which field of which entity is another than PrestaShop gives', async () => {
    answers = [json({ orders: [{ id: 7 }, { id: 'x' }] })];
    expect((await errorOf(list())).message).toMatch(
      /^Expected `id` of orders x to be as PrestaShop gives it/,
    );
  });

  it.each([
    ['a dying PHP', text('<br />\n<b>Fatal error</b>: Allowed memory size'), 'a text of 46 characters'],
    ['nothing', text(''), 'nothing'],
    ['a number', text('7'), 'a text of 1 characters'],
  ])(
    'with 200 and %s is tried again by Temporal, not taken for an empty list',
    async (_name, answer, got) => {
      answers = [answer];
      const error = await errorOf(list());
      expect(error.message).toBe(`Expected the shop to answer GET /api/orders with JSON, got ${got}`);
      expect(error.mayHaveBegun).toBe(false);
      expect(toFailure(error, (told) => told)).toMatchObject({ type: 'Transient' });
    },
  );

  it.each([429, 503, 502])('waits and asks again after %i', async (status) => {
    answers = [text('', status, { 'retry-after': '0' }), json({ orders: [{ id: 7 }] })];
    expect(await list()).toEqual([{ id: 7 }]);
    expect(seen).toHaveLength(2);
  });

  it('waits as long as the shop says', async () => {
    answers = [text('', 429, { 'retry-after': '1' }), json([])];
    const startedAt = Date.now();
    await list();
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(990);
  });

  it('keeps its connection', async () => {
    answers = [json([])];
    for (let count = 0; count < 20; count++) await list();
    // Two, when a connection is still being given back while the next request comes.
    expect(sockets.size).toBeLessThanOrEqual(2);
  });

  it('asks for so many things at once and no more', async () => {
    let [now, most] = [0, 0];
    answers = [
      (response) => {
        most = Math.max(most, ++now);
        setTimeout(() => {
          now--;
          json([])(response);
        }, 20);
      },
    ];
    api = open({ concurrency: 3 });
    await Promise.all(Array.from({ length: 12 }, list));
    expect(most).toBe(3);
  });
});

describe('Writing', () => {
  it('sends XML, and gives the id of what was made, a number or a text', async () => {
    answers = [json({ product: { id: '65' } }, 201), json({ product: { id: 66 } }, 201)];
    expect(
      await api.create('products', { name: { language: [{ '@id': 1, '#': 'Café & <b>' }] } }, signal),
    ).toBe(65);
    expect(await post()).toBe(66);
    expect(seen[0]?.method).toBe('POST');
    expect(seen[0]?.body).toBe(
      '<?xml version="1.0" encoding="UTF-8"?><prestashop><product><name><language id="1">Café &amp; &lt;b&gt;</language></name></product></prestashop>',
    );
  });

  it('puts several entities at once', async () => {
    answers = [json({})];
    await api.replace('stock_availables', [row, { ...row, id: 8 }], signal);
    expect(seen[0]?.url.pathname).toBe('/api/stock_availables');
    expect(seen[0]?.body.match(/<stock_available>/g)).toHaveLength(2);
  });

  it('asks nothing where there is nothing to write', async () => {
    await api.replace('stock_availables', [], signal);
    expect(seen).toEqual([]);
  });

  it.each([
    ['500', text('', 500)],
    ['503', text('', 503, { 'retry-after': '0' })],
    ['a broken connection', (_: ServerResponse, request: IncomingMessage) => void request.socket.destroy()],
  ])('is not tried again after %s: perhaps it was written', async (_name, answer) => {
    answers = [answer];
    for (const call of [post, put]) {
      seen = [];
      expect((await errorOf(call())).mayHaveBegun).toBe(true);
      expect(seen).toHaveLength(1);
    }
  });

  it('that has no answer in time is perhaps written too', async () => {
    answers = [() => undefined];
    // Long enough for the request to reach the shop on a busy machine.
    api = open({ timeout: 3_000 });
    const error = await errorOf(put());
    expect(error.message).toBe(
      'Expected the shop to answer PUT /api/stock_availables 7, got no (whole) answer (TimeoutError)',
    );
    expect(error.mayHaveBegun).toBe(true);
    expect(seen).toHaveLength(1);
  });

  it('that is answered with a text is perhaps written', async () => {
    answers = [text('Warning: Cannot modify header information', 201)];
    expect((await errorOf(post())).mayHaveBegun).toBe(true);
  });

  it('waits and writes again after 429: nothing was written', async () => {
    answers = [text('', 429, { 'retry-after': '0' }), json({ product: { id: 65 } }, 201)];
    expect(await post()).toBe(65);
    expect(seen).toHaveLength(2);
  });

  it('is known not to have begun where nobody listens', async () => {
    await new Promise((resolve) => server.close(resolve));
    expect((await errorOf(put())).mayHaveBegun).toBe(false);
  });
});

describe('A refusal', () => {
  const XML_ERRORS =
    '<?xml version="1.0"?><prestashop><errors><error><code><![CDATA[20]]></code><message><![CDATA[Authentification key is not active]]></message></error>' +
    '<error><code><![CDATA[21]]></code><message><![CDATA[No permission]]></message></error></errors></prestashop>';

  it.each([
    [
      'JSON',
      json({ errors: [{ code: 25, message: 'Method PUT is not allowed' }] }, 405),
      'HTTP 405, code 25: Method PUT is not allowed',
    ],
    [
      'XML',
      text(XML_ERRORS, 401),
      'HTTP 401, code 20: Authentification key is not active, code 21: No permission',
    ],
    ['no words', text('', 404), 'HTTP 404'],
  ])(
    'in %s says what PrestaShop says, to which request, and is not tried again',
    async (_name, answer, said) => {
      answers = [answer];
      const error = await errorOf(put());
      expect(error.message).toBe(`Expected the shop to answer PUT /api/stock_availables 7, got ${said}`);
      expect(toFailure(error, (told) => told)).toMatchObject({ type: 'Refused', nonRetryable: true });
      expect(seen).toHaveLength(1);
    },
  );

  it('names a batch by its first ids', async () => {
    answers = [json({ errors: [{ code: 92, message: 'Id(s) not exists: 9' }] }, 404)];
    const batch = Array.from({ length: 50 }, (_, id) => ({ id: id + 1 }));
    expect((await errorOf(api.replace('stock_availables', batch, signal))).message).toContain(
      'PUT /api/stock_availables 1, 2, 3, … (50), got HTTP 404, code 92',
    );
  });

  it('that is a redirect is not followed: the key would go with it', async () => {
    answers = [text('', 302, { location: '/elsewhere' })];
    for (const call of [list, put, post]) {
      const error = await errorOf(call());
      expect(error.message).toContain('got a redirect (HTTP 302)');
      expect(toFailure(error, (told) => told)).toMatchObject({ type: 'Refused' });
    }
    expect(seen.map(({ url }) => url.pathname)).not.toContain('/elsewhere');
  });
});

describe('What a shop can do', () => {
  const index = (patch: string) =>
    `<?xml version="1.0" encoding="UTF-8"?><prestashop xmlns:xlink="http://www.w3.org/1999/xlink"><api shopName="A &amp; B">` +
    `<orders xlink:href="http://x/api/orders" get="true" put="false" post="false" delete="false" head="true"><description get="true">The Orders</description></orders>` +
    `<stock_availables xlink:href="http://x" get="true" put="true" post="false"${patch}><schema type="blank"/></stock_availables></api></prestashop>`;

  it.each([
    ['', false],
    [' patch="true"', true],
    [' patch="false"', true],
  ])('is read from its index (%j)', async (patch, canPatch) => {
    answers = [text(index(patch), 200, { 'psws-version': '1.7.8.11' })];
    const found = await api.capabilities(signal);
    expect(found).toMatchObject({ version: '1.7.8.11', canPatch });
    expect([...(found.rights.get('orders') ?? [])]).toEqual(['get']);
    expect(found.rights.get('stock_availables')?.has('put')).toBe(true);
    expect(seen[0]?.url.pathname).toBe('/api/');
  });

  it('is not read from a page of something else', async () => {
    answers = [text('<html><body>Bienvenue</body></html>')];
    expect((await errorOf(api.capabilities(signal))).message).toContain('with its index, got another answer');
  });
});
