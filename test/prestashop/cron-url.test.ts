import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { ApplicationFailure } from '@temporalio/common';
import { afterEach, describe, expect, it } from 'vitest';
import { FAILURE, toFailure } from '../../src/failures.ts';
import { callCronUrl } from '../../src/prestashop/cron-url.ts';
import { Secret } from '../../src/secret.ts';
import { selfSigned } from '../support/certificate.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** Listens on loopback and notes every request; gives `http://127.0.0.1:<port>` with its scheme. */
const listen = async (server: Server, scheme: 'http' | 'https') => {
  servers.push(server);
  const requests: IncomingMessage[] = [];
  const connections: unknown[] = [];
  server.on('request', (request: IncomingMessage) => requests.push(request));
  server.on('connection', (socket) => connections.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    requests,
    connections,
    origin: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`,
  };
};
const answering = (listener: RequestListener) => listen(createServer(listener), 'http');

/** Calls it as an activity does; gives what Temporal gets. */
const call = (origin: string) =>
  callCronUrl(
    {
      name: 'the export of its orders',
      url: new Secret(`${origin}/cron?secure_key=k3y-k3y-k3y`),
      timeout: 5_000,
      refusals: [],
    },
    new AbortController().signal,
  ).catch((error: unknown) => {
    expect((error as Error).stack).not.toContain('k3y');
    return { error, failure: toFailure(error, (text) => text) as ApplicationFailure };
  });

describe('a redirect', () => {
  it.each([301, 302, 303, 307, 308])(
    'with HTTP %i to another host never reaches that host, nor does the key',
    async (status) => {
      const elsewhere = await answering((_request, response) => response.end('Exported'));
      const shop = await answering((request, response) => {
        response.writeHead(status, { location: `${elsewhere.origin}${request.url}` }).end();
      });
      const result = await call(shop.origin);
      expect(result).toMatchObject({
        error: { mayHaveBegun: false },
        failure: { type: FAILURE.refused, nonRetryable: true },
      });
      expect(shop.requests.map(({ url }) => url)).toEqual(['/cron?secure_key=k3y-k3y-k3y']);
      expect(elsewhere.connections).toHaveLength(0);
    },
  );

  it('is not followed to the shop itself either: its final address is asked for', async () => {
    const shop = await answering((_request, response) => {
      response.writeHead(302, { location: '/elsewhere' }).end();
    });
    const result = await call(shop.origin);
    expect(result).toMatchObject({ failure: { message: expect.stringContaining('the final address') } });
    expect(shop.requests).toHaveLength(1);
  });
});

it('does not send the key on, to whoever could read it in a header', async () => {
  const shop = await answering((_request, response) => response.end('Exported'));
  await call(shop.origin);
  const { referer, cookie, authorization } = shop.requests[0]?.headers ?? {};
  expect({ referer, cookie, authorization }).toEqual({
    referer: undefined,
    cookie: undefined,
    authorization: undefined,
  });
});

const certificate = selfSigned();

describe.skipIf(certificate === null)('a certificate that nobody signed', () => {
  it('is refused before the key is sent, once and for all, and told', async () => {
    const shop = await listen(
      createSecureServer(certificate ?? {}, (_request, response) => response.end('Exported')),
      'https',
    );
    const result = await call(shop.origin);
    expect(result).toMatchObject({
      error: { mayHaveBegun: false, status: null },
      failure: { type: FAILURE.refused, nonRetryable: true },
    });
    expect(result).toMatchObject({
      failure: {
        message:
          'Expected the shop to answer the export of its orders with a certificate to trust, got DEPTH_ZERO_SELF_SIGNED_CERT: renew it, or name the authority that signed it in NODE_EXTRA_CA_CERTS',
      },
    });
    expect(shop.connections).toHaveLength(1);
    expect(shop.requests).toHaveLength(0);
  });
});

it('tries a shop again that only does not answer', async () => {
  const gone = await answering((_request, response) => response.end());
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
  const result = await call(gone.origin);
  expect(result).toMatchObject({
    error: { mayHaveBegun: false, code: 'ECONNREFUSED' },
    failure: { type: FAILURE.transient, nonRetryable: false },
  });
});
