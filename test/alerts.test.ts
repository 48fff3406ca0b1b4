import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import {
  createServer as createTcpServer,
  type AddressInfo,
  type Server as TcpServer,
  type Socket,
} from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AlertError, createAlerts, type Channel } from '../src/alerts.ts';
import { Secret } from '../src/secret.ts';
import { createAuthority, type Authority } from './support/authority.ts';
import { bodyOf, headersOf } from './support/mail.ts';

const HOST = '127.0.0.1';
const MESSAGE = {
  subject: 'Passerelle : 3 commandes à saisir à la main (1201, 1204, 1207)',
  text: 'Payées en bon cadeau : la passerelle ne les envoie pas à Proshop.\nÀ faire : les saisir.\n\nTemporal : http://127.0.0.1:8233',
};
const KEY = 'k3y-k3y-k3y';
const CREDENTIALS = { user: 'passerelle', password: new Secret('sésame-sesame') };

let authority: Authority;
beforeAll(async () => {
  authority = await createAuthority();
});
afterAll(() => authority.remove());

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const signal = () => new AbortController().signal;
const listen = async (server: Server | TcpServer): Promise<number> => {
  server.listen(0, HOST);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
};

interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly user: string | undefined;
  readonly encrypted: boolean;
  readonly source: string;
}

/** A mail server that keeps what it takes. Its certificate is signed by an authority that nobody knows. */
async function startMailServer(options: SMTPServerOptions = {}) {
  const mails: Mail[] = [];
  const { key, certificate } = authority.sign(`IP:${HOST}`);
  const server = new SMTPServer({
    key: await readFile(key),
    cert: await readFile(certificate),
    authOptional: true,
    onAuth: ({ username = '', password = '' }, _session, callback) => {
      if (username === CREDENTIALS.user && password === CREDENTIALS.password.reveal())
        callback(null, { user: username });
      else callback(new Error(`not ${password}`));
    },
    onData: (stream, { envelope, user, secure }, callback) => {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = envelope;
        mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          user: user as string | undefined,
          encrypted: secure,
          source: Buffer.concat(parts).toString(),
        });
        callback();
      });
    },
    ...options,
  });
  // A client that does not trust the certificate hangs up.
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  closers.push(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return { mails, port: (server.server.address() as AddressInfo).port };
}

type Mailing = NonNullable<Parameters<typeof createAlerts>[0]['mail']>;

function mailTo(port: number, change: Partial<Mailing> = {}, patience?: number): Channel {
  const mail: Mailing = {
    host: HOST,
    port,
    tls: 'starttls',
    ca: authority.ca,
    from: 'passerelle@example.org',
    to: ['boutique@example.org', 'magasin@example.org'],
    ...change,
  };
  const [channel] = createAlerts({ mail }, patience).channels;
  if (channel === undefined) throw new Error('Expected a channel, got none');
  return channel;
}

/** What sending throws; its message, and that it is one of ours. */
async function faultOf(sending: Promise<void>): Promise<string> {
  const error: unknown = await sending.then(
    () => null,
    (fault: unknown) => fault,
  );
  expect(error).toBeInstanceOf(AlertError);
  return (error as Error).message;
}

describe('a mail', () => {
  it('arrives encrypted, with its accents, for everyone it is for', async () => {
    const { port, mails } = await startMailServer();
    await mailTo(port, CREDENTIALS).send(MESSAGE, signal());
    expect(mails).toMatchObject([
      {
        from: 'passerelle@example.org',
        to: ['boutique@example.org', 'magasin@example.org'],
        user: 'passerelle',
        encrypted: true,
      },
    ]);
    const { source = '' } = mails[0] ?? {};
    const headers = headersOf(source);
    expect(headers.get('subject')).toBe(MESSAGE.subject);
    expect(headers.get('from')).toBe('passerelle@example.org');
    expect(headers.get('to')).toBe('boutique@example.org, magasin@example.org');
    expect(headers.get('auto-submitted')).toBe('auto-generated');
    expect(headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(Math.abs(Date.parse(headers.get('date') ?? '') - Date.now())).toBeLessThan(60_000);
    // Names and subject are pure ASCII on the wire.
    expect(/^[\x20-\x7e\r\n\t]*$/.test(source.split('\r\n\r\n')[0] ?? '')).toBe(true);
    expect(bodyOf(source)).toBe(MESSAGE.text);
  });

  it('arrives by TLS from the first byte, too', async () => {
    const { port, mails } = await startMailServer({ secure: true });
    await mailTo(port, { tls: 'implicit' }).send(MESSAGE, signal());
    expect(mails).toMatchObject([{ encrypted: true }]);
  });

  it('arrives unencrypted where that is what the configuration says', async () => {
    const { port, mails } = await startMailServer();
    await mailTo(port, { tls: 'none' }).send(MESSAGE, signal());
    expect(mails).toMatchObject([{ encrypted: false }]);
  });

  it.each(['starttls', 'implicit'] as const)(
    'is not handed to a server whose certificate is not trusted (%s)',
    async (tls) => {
      const { port, mails } = await startMailServer({ secure: tls === 'implicit' });
      const channel = mailTo(port, { tls, ca: undefined, ...CREDENTIALS });
      expect(await faultOf(channel.send(MESSAGE, signal()))).toMatch(
        /^Expected the mail server 127\.0\.0\.1:\d+ to take the message, got \w+ .*(SIGNED|VERIFY|ISSUER)/,
      );
      expect(mails).toEqual([]);
    },
  );

  it('is not handed to a server that does not offer encryption', async () => {
    const { port, mails } = await startMailServer({ hideSTARTTLS: true, disabledCommands: ['STARTTLS'] });
    expect(await faultOf(mailTo(port, CREDENTIALS).send(MESSAGE, signal()))).toContain('to take the message');
    expect(mails).toEqual([]);
  });

  it('that is refused tells the codes, and neither the password nor what the server says', async () => {
    const { port } = await startMailServer();
    const channel = mailTo(port, { ...CREDENTIALS, password: new Secret('wrong-wrong') });
    const fault = await faultOf(channel.send(MESSAGE, signal()));
    expect(fault).toMatch(/got EAUTH 535/);
    expect(fault).not.toMatch(/wrong|not /);
  });

  it('to nobody tells what stands in the way', async () => {
    const server = createTcpServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    expect(await faultOf(mailTo(port).send(MESSAGE, signal()))).toContain('ECONNREFUSED');
  });

  it('to a server that hangs is given up in time, whenever it hangs', async () => {
    for (const greeting of ['', '220 ready\r\n']) {
      const sockets = new Set<Socket>();
      const server = createTcpServer((socket) => {
        sockets.add(socket);
        socket.on('error', () => undefined);
        socket.write(greeting);
      });
      const port = await listen(server);
      const startedAt = Date.now();
      const fault = await faultOf(mailTo(port, { tls: 'none' }, 300).send(MESSAGE, signal()));
      expect(fault).toContain('ETIMEDOUT');
      expect(Date.now() - startedAt).toBeLessThan(9_000);
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('to a server that answers a little for ever is given up in time', async () => {
    const sockets = new Set<Socket>();
    const server = createTcpServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.write('220 ready\r\n');
      const timer = setInterval(() => socket.write('250-and so on\r\n'), 50);
      socket.on('close', () => clearInterval(timer));
    });
    const port = await listen(server);
    const startedAt = Date.now();
    expect(await faultOf(mailTo(port, { tls: 'none' }, 300).send(MESSAGE, signal()))).toContain('got');
    expect(Date.now() - startedAt).toBeLessThan(9_000);
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
});

/** A web server; gives what it was asked. */
async function startWebServer(answer: (response: ServerResponse, request: IncomingMessage) => void) {
  const requests: { method: string; url: string; type: string | undefined; body: string }[] = [];
  const server = createHttpServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      requests.push({ method, url, type: headers['content-type'], body });
      answer(response, request);
    });
  });
  const port = await listen(server);
  closers.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return {
    requests,
    host: `${HOST}:${port}`,
    url: new Secret(`http://${HOST}:${port}/services/${KEY}?token=${KEY}`),
  };
}

const webhook = (url: Secret, patience?: number): Channel => {
  const [channel] = createAlerts({ webhook: url }, patience).channels;
  if (channel === undefined) throw new Error('Expected a channel, got none');
  return channel;
};

describe('a webhook', () => {
  it('gets the message as JSON that Slack and Teams take', async () => {
    const { url, requests } = await startWebServer((response) => response.end('ok'));
    await webhook(url).send(MESSAGE, signal());
    expect(requests).toMatchObject([
      { method: 'POST', url: `/services/${KEY}?token=${KEY}`, type: 'application/json' },
    ]);
    expect(JSON.parse(requests[0]?.body ?? '')).toEqual({ text: `${MESSAGE.subject}\n${MESSAGE.text}` });
  });

  it.each([302, 307])('is not followed to another address (%i)', async (status) => {
    const elsewhere = await startWebServer((response) => response.end('ok'));
    const { url, host } = await startWebServer((response) =>
      response.writeHead(status, { location: `http://${elsewhere.host}/` }).end(),
    );
    expect(await faultOf(webhook(url).send(MESSAGE, signal()))).toBe(
      `Expected the webhook at ${host} to answer with 2xx, got HTTP ${status}`,
    );
    expect(elsewhere.requests).toEqual([]);
  });

  it('that is out of order tells its host and nothing of its key', async () => {
    const { url, host } = await startWebServer((response, { url: asked }) =>
      response.writeHead(500).end(`no ${asked}`),
    );
    expect(await faultOf(webhook(url).send(MESSAGE, signal()))).toBe(
      `Expected the webhook at ${host} to answer with 2xx, got HTTP 500`,
    );
  });

  it('that is not there tells nothing of its key either', async () => {
    const server = createTcpServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    const fault = await faultOf(
      webhook(new Secret(`http://u:${KEY}@${HOST}:${port}/${KEY}`)).send(MESSAGE, signal()),
    );
    expect(fault).toContain(`${HOST}:${port}`);
    expect(fault).not.toContain(KEY);
  });

  it('that hangs is given up in time', async () => {
    const { url } = await startWebServer(() => undefined);
    const startedAt = Date.now();
    expect(await faultOf(webhook(url, 300).send(MESSAGE, signal()))).toContain('TimeoutError');
    expect(Date.now() - startedAt).toBeLessThan(9_000);
  });
});

describe('the heartbeat', () => {
  it('is called with GET, and its answer does not matter as long as it is one', async () => {
    const { url, requests } = await startWebServer((response) => response.writeHead(204).end());
    await createAlerts({ heartbeat: url }).heartbeat?.(signal());
    expect(requests).toMatchObject([{ method: 'GET', url: `/services/${KEY}?token=${KEY}`, body: '' }]);
  });

  it('that is refused tells its host and nothing of its key', async () => {
    const { url, host } = await startWebServer((response) => response.writeHead(404).end());
    expect(await faultOf(createAlerts({ heartbeat: url }).heartbeat?.(signal()) ?? Promise.resolve())).toBe(
      `Expected the heartbeat at ${host} to answer with 2xx, got HTTP 404`,
    );
  });
});

it('reaches nobody when nothing is configured', () => {
  expect(createAlerts({})).toEqual({ channels: [], heartbeat: null });
});
