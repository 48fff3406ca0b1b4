import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openWebservice } from '../../src/prestashop/webservice/api.ts';
import { startDeadline } from '../../src/prestashop/deadline.ts';
import { Secret } from '../../src/secret.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

describe('A deadline', () => {
  it('comes by itself, or with the other signal, with its reason', async () => {
    const outer = new AbortController();
    const [soon, late] = [startDeadline(20, outer.signal), startDeadline(60_000, outer.signal)];
    await sleep(60);
    expect(soon.signal.reason).toMatchObject({ name: 'TimeoutError' });
    expect(late.signal.aborted).toBe(false);
    outer.abort(new Error('stopped'));
    expect(late.signal.reason).toMatchObject({ message: 'stopped' });
    expect(startDeadline(60_000, outer.signal).signal.aborted).toBe(true);
  });

  it('that is ended does not come', async () => {
    const outer = new AbortController();
    const deadline = startDeadline(20, outer.signal);
    deadline.end();
    await sleep(60);
    outer.abort();
    expect(deadline.signal.aborted).toBe(false);
  });
});

describe('A request that the shop never answers', () => {
  let server: Server;
  beforeAll(async () => {
    server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  // Node lets go of the timeouts of `AbortSignal.any`: a hung shop would hang the cycle.
  it.each([
    ['in time', 300, 60_000, 'TimeoutError'],
    ['when it is told so', 60_000, 300, 'AbortError'],
  ])('is given up %s, also when garbage is collected meanwhile', async (_name, timeout, stop, cause) => {
    const { port } = server.address() as AddressInfo;
    const api = openWebservice({
      url: `http://127.0.0.1:${port}`,
      key: new Secret('K'.repeat(32)),
      timeout,
      concurrency: 8,
    });
    const stopping = new AbortController();
    const timer = setTimeout(() => stopping.abort(), stop);
    const collecting = setInterval(collectGarbage, 20);
    const requests = Array.from({ length: 8 }, () =>
      api.create('products', { price: 1 }, stopping.signal).catch((error: unknown) => error),
    );
    for (const error of await Promise.all(requests))
      expect(error).toMatchObject({ mayHaveBegun: true, code: cause });
    clearTimeout(timer);
    clearInterval(collecting);
  });
});
