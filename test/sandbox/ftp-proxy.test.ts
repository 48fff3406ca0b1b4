import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, enterPassiveModeIPv4, FTPError } from 'basic-ftp';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { download, upload } from '../../sandbox/ftp-access.ts';
import { startFtpProxy, type FtpFault, type FtpProxy } from '../../sandbox/ftp-proxy.ts';
import { startFtpServer, type FtpServer } from '../../sandbox/ftp-server.ts';

const WHOLE = randomBytes(3_000_000);
const PATIENCE = 300;
const FIN = /Server sent FIN packet unexpectedly/;
const TIMEOUT = /Timeout \(control socket\)/;

let folder: string;
let server: FtpServer;
let proxy: FtpProxy;
let clients: Client[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-ftp-proxy-'));
  server = await startFtpServer({ root: folder, user: 'boutique', password: 'sesame' });
  proxy = await startFtpProxy(server);
  clients = [];
});
afterEach(async () => {
  for (const client of clients) client.close();
  await proxy.stop();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A client that has logged in through the proxy. */
async function enter(): Promise<Client> {
  const client = new Client(5_000);
  clients.push(client);
  await client.access({ host: proxy.host, port: proxy.port, user: server.user, password: server.password });
  return client;
}
/** One that soon gives up, but not at the login: that takes longer on a busy machine. */
async function enterImpatient(): Promise<Client> {
  const client = await enter();
  (client.ftp as { timeout: number }).timeout = PATIENCE;
  return client;
}

const arm = (command: string, fault: FtpFault, occurrence = 1) => proxy.arm({ command, occurrence, fault });
const disk = (name: string) => readFile(join(folder, name));
const put = (name: string, bytes: Buffer | string) => writeFile(join(folder, name), bytes);
const names = async () => (await readdir(folder)).sort();
/** Errors reach the client before the server has written the last bytes it got. */
const soon = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 30_000, interval: 20 });

/** Downloads into `chunks`, which stand whatever happens. */
async function downloadInto(chunks: Buffer[], client: Client, name: string): Promise<void> {
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  await client.downloadTo(sink, name);
}

describe('without a rule', () => {
  it('a session passes whole, and its commands are counted', async () => {
    const client = await enter();
    await upload(client, 'é à.bin', WHOLE);
    expect((await disk('é à.bin')).equals(WHOLE)).toBe(true);
    expect((await client.list()).map((entry) => entry.name)).toEqual(['é à.bin']);
    await client.rename('é à.bin', 'b');
    expect(await client.size('b')).toBe(WHOLE.length);
    expect((await download(client, 'b')).equals(WHOLE)).toBe(true);
    await client.remove('b');
    expect(await names()).toEqual([]);
    client.close();
    await soon(async () => expect(proxy.commands.at(-1)).toBe('QUIT'));
    const login = ['OPTS', 'USER', 'PASS', 'FEAT', 'TYPE', 'STRU', 'OPTS'];
    const work = ['EPSV', 'STOR', 'EPSV', 'LIST', 'RNFR', 'RNTO', 'SIZE', 'EPSV', 'RETR', 'DELE', 'QUIT'];
    expect(proxy.commands).toEqual([...login, ...work]);
    expect(proxy.struck).toEqual([]);
  });

  it('PASV leads through the proxy too', async () => {
    const client = await enter();
    client.prepareTransfer = enterPassiveModeIPv4;
    await upload(client, 'a', WHOLE);
    expect((await disk('a')).equals(WHOLE)).toBe(true);
    arm('STOR', { kind: 'data cut', after: 1_000, how: 'fin' });
    await expect(upload(client, 'b', WHOLE)).rejects.toThrow(/ECONNRESET/);
    await soon(async () => expect((await disk('b')).length).toBe(1_000));
    expect(proxy.commands).not.toContain('EPSV');
  });

  it('a server that closes is seen by the client, one that is down as a closed connection', async () => {
    const client = await enter();
    await server.stop();
    await expect(client.pwd()).rejects.toThrow(/421|FIN|closed/);
    await expect(enter()).rejects.toThrow(FIN);
  });
});

describe('cut before', () => {
  const fault: FtpFault = { kind: 'cut before' };

  it('leaves everything as it was', async () => {
    await put('old', 'old');
    const work: Record<string, (client: Client) => Promise<unknown>> = {
      STOR: (client) => upload(client, 'new', WHOLE),
      RETR: (client) => download(client, 'old'),
      RNTO: (client) => client.rename('old', 'moved'),
      DELE: (client) => client.remove('old'),
    };
    for (const [command, act] of Object.entries(work)) {
      const client = await enter();
      arm(command, fault);
      await expect(act(client)).rejects.toThrow(FIN);
      expect(client.closed).toBe(true);
      expect(await names()).toEqual(['old']);
    }
    expect(proxy.struck.map((rule) => rule.command)).toEqual(['STOR', 'RETR', 'RNTO', 'DELE']);
  });
});

describe('reply lost', () => {
  const fault: FtpFault = { kind: 'reply lost' };

  it('of STOR: the file is whole', async () => {
    const client = await enter();
    arm('STOR', fault);
    await expect(upload(client, 'a', WHOLE)).rejects.toThrow(FIN);
    // At once: the reply that was lost is the proof that the server is done.
    expect((await disk('a')).equals(WHOLE)).toBe(true);
    expect(client.closed).toBe(true);
  });

  it('of RNTO: renamed; of DELE: gone', async () => {
    await put('a', 'a');
    const renaming = await enter();
    arm('RNTO', fault);
    await expect(renaming.rename('a', 'b')).rejects.toThrow(FIN);
    expect(await names()).toEqual(['b']);
    const removing = await enter();
    arm('DELE', fault);
    await expect(removing.remove('b')).rejects.toThrow(FIN);
    expect(await names()).toEqual([]);
  });

  it('of RETR and LIST: an error, whatever came', async () => {
    await put('a', WHOLE);
    arm('RETR', fault);
    await expect(download(await enter(), 'a')).rejects.toThrow(/FIN|ECONNRESET/);
    arm('LIST', fault);
    await expect((await enter()).list()).rejects.toThrow(/FIN|ECONNRESET/);
    expect(proxy.struck).toHaveLength(2);
  });
});

describe('a reply of the proxy', () => {
  it.each([421, 425, 450, 452, 530, 550])('%i', async (code) => {
    const client = await enter();
    arm('STOR', { kind: 'reply', code, text: 'Not today.' });
    const error = await upload(client, 'a', WHOLE).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FTPError);
    expect(error).toMatchObject({ code, message: `${code} Not today.` });
    expect(await names()).toEqual([]);
    // A client may go on after any reply but 421, which closes.
    const next = await upload(client, 'a', WHOLE).then(
      () => 'stored',
      (thrown: unknown) => String(thrown),
    );
    expect(next).toMatch(code === 421 ? FIN : /^stored$/);
    expect(await names()).toEqual(code === 421 ? [] : ['a']);
  });

  it('to a login is an error of the login', async () => {
    arm('PASS', { kind: 'reply', code: 530, text: 'Too many connections.' });
    await expect(enter()).rejects.toMatchObject({ code: 530 });
    await expect((await enter()).pwd()).resolves.toBe('/');
  });
});

describe('a data cut', () => {
  it.each([0, 1, 100_000])('of an upload, as a killed client: %i bytes stand', async (after) => {
    const client = await enter();
    arm('STOR', { kind: 'data cut', after, how: 'fin' });
    await expect(upload(client, 'a', WHOLE)).rejects.toThrow(/ECONNRESET/);
    await soon(async () => expect((await disk('a')).equals(WHOLE.subarray(0, after))).toBe(true));
  });

  it('of an upload, as a broken network: the server sees a reset', async () => {
    await put('a', 'old');
    const client = await enter();
    arm('STOR', { kind: 'data cut', after: 100_000, how: 'rst' });
    await expect(upload(client, 'a', WHOLE)).rejects.toThrow(/ECONNRESET/);
    // ftp-srv takes an end of data for the end of the file, and removes a file whose connection was reset.
    await soon(async () => expect(await names()).toEqual([]));
  });

  it('of an upload that is shorter does nothing', async () => {
    const client = await enter();
    arm('STOR', { kind: 'data cut', after: 4, how: 'fin' });
    await upload(client, 'a', Buffer.from('abc'));
    expect(await disk('a')).toEqual(Buffer.from('abc'));
    expect(proxy.struck).toHaveLength(1);
    arm('STOR', { kind: 'data cut', after: 2, how: 'fin' });
    await expect(upload(client, 'b', Buffer.from('abc'))).rejects.toThrow(/ECONNRESET/);
    await soon(async () => expect(await disk('b')).toEqual(Buffer.from('ab')));
  });

  it('of a download ends it after so many bytes, and the control connection lives on', async () => {
    await put('a', WHOLE);
    const client = await enter();
    arm('RETR', { kind: 'data cut', after: 100_000, how: 'fin' });
    const chunks: Buffer[] = [];
    // An error or not: that depends on how much the server has already sent.
    await downloadInto(chunks, client, 'a').catch(() => undefined);
    expect(Buffer.concat(chunks).equals(WHOLE.subarray(0, 100_000))).toBe(true);
    expect(await client.pwd()).toBe('/');
    expect((await download(client, 'a')).equals(WHOLE)).toBe(true);
  });

  it('of a small download can look like a success', async () => {
    await put('a', 'abcdef');
    const client = await enter();
    arm('RETR', { kind: 'data cut', after: 4, how: 'fin' });
    expect(await download(client, 'a')).toEqual(Buffer.from('abcd'));
  });

  it('that is swallowed looks like a success to both sides', async () => {
    const client = await enter();
    arm('STOR', { kind: 'data cut', after: 100_000, how: 'swallowed' });
    await upload(client, 'a', WHOLE);
    expect((await disk('a')).equals(WHOLE.subarray(0, 100_000))).toBe(true);
    await put('b', WHOLE);
    arm('RETR', { kind: 'data cut', after: 100_000, how: 'swallowed' });
    expect((await download(client, 'b')).equals(WHOLE.subarray(0, 100_000))).toBe(true);
    expect((await download(client, 'b')).equals(WHOLE)).toBe(true);
  });

  it('of a download by a reset is an error', async () => {
    await put('a', WHOLE);
    const client = await enter();
    arm('RETR', { kind: 'data cut', after: 100_000, how: 'rst' });
    const chunks: Buffer[] = [];
    await expect(downloadInto(chunks, client, 'a')).rejects.toThrow(/ECONNRESET/);
    expect(Buffer.concat(chunks).equals(WHOLE.subarray(0, 100_000))).toBe(true);
  });

  it('of a listing hides the rest', async () => {
    await put('a', 'a');
    await put('b', 'b');
    const client = await enter();
    const lines: string[] = [];
    client.parseList = (text) => {
      lines.push(text);
      return [];
    };
    arm('LIST', { kind: 'data cut', after: 30, how: 'fin' });
    await client.list();
    await client.list();
    expect(lines[0]).toHaveLength(30);
    expect(lines[1]?.startsWith(lines[0] ?? '-')).toBe(true);
    expect(lines[1]?.length).toBeGreaterThan(80);
  });
});

describe('a stall', () => {
  it('lasts until the client gives up, and nothing is done', async () => {
    await put('old', 'old');
    const other = await enter();
    for (const [command, act] of [
      ['STOR', (client: Client) => upload(client, 'new', WHOLE)],
      ['DELE', (client: Client) => client.remove('old')],
      ['RNTO', (client: Client) => client.rename('old', 'moved')],
    ] as const) {
      const client = await enterImpatient();
      arm(command, { kind: 'stall' });
      const started = performance.now();
      await expect(act(client)).rejects.toThrow(TIMEOUT);
      expect(performance.now() - started).toBeGreaterThan(PATIENCE - 20);
      expect(await names()).toEqual(['old']);
      // Another connection is none of its business.
      expect(await other.pwd()).toBe('/');
    }
  });

  it('after a command: it is done, and nothing is heard of it', async () => {
    await put('old', 'old');
    await put('gone', 'gone');
    // With patience: who gives up before the server is done, as on a busy machine, does not get it done.
    const [storing, renaming, removing] = [await enter(), await enter(), await enter()];
    for (const command of ['STOR', 'RNTO', 'DELE']) arm(command, { kind: 'stall after' });
    await Promise.all([
      expect(upload(storing, 'a', WHOLE)).rejects.toThrow(TIMEOUT),
      expect(renaming.rename('old', 'moved')).rejects.toThrow(TIMEOUT),
      expect(removing.remove('gone')).rejects.toThrow(TIMEOUT),
    ]);
    expect(proxy.struck).toHaveLength(3);
    expect((await disk('a')).equals(WHOLE)).toBe(true);
    expect(await names()).toEqual(['a', 'moved']);
  });
});

describe('rules', () => {
  it('count over all connections', async () => {
    arm('STOR', { kind: 'reply', code: 450, text: 'Busy.' }, 2);
    const [first, second] = [await enter(), await enter()];
    await upload(first, 'a', Buffer.from('a'));
    await expect(upload(second, 'b', Buffer.from('b'))).rejects.toMatchObject({ code: 450 });
    await upload(first, 'c', Buffer.from('c'));
    expect(await names()).toEqual(['a', 'c']);
  });

  it('that are due together strike one after the other', async () => {
    const client = await enter();
    arm('*', { kind: 'reply', code: 550, text: 'One.' });
    arm('PWD', { kind: 'reply', code: 450, text: 'Two.' });
    await expect(client.pwd()).rejects.toMatchObject({ code: 550 });
    await expect(client.pwd()).rejects.toMatchObject({ code: 450 });
    expect(await client.pwd()).toBe('/');
    expect(proxy.struck.map((rule) => rule.command)).toEqual(['*', 'PWD']);
  });

  it('that were forgotten do not strike', async () => {
    const client = await enter();
    arm('PWD', { kind: 'cut before' });
    proxy.disarm();
    expect(await client.pwd()).toBe('/');
    expect(proxy.struck).toEqual([]);
  });

  it('can be armed for a command that is about to go on', async () => {
    const client = await enter();
    const heard: string[] = [];
    const last = proxy.commands.length + 2;
    const end = proxy.onCommand((count, verb) => {
      heard.push(`${count - last} ${verb}`);
      if (count === last) arm(verb, { kind: 'reply', code: 550, text: 'No.' });
    });
    expect(await client.pwd()).toBe('/');
    await expect(client.pwd()).rejects.toMatchObject({ code: 550 });
    end();
    expect(await client.pwd()).toBe('/');
    expect(heard).toEqual(['-1 PWD', '0 PWD']);
  });
});

it('a command waits for who listens to it', async () => {
  await put('a', 'a');
  const client = await enter();
  const seen: (readonly string[])[] = [];
  proxy.onCommand(async () => {
    await sleep(50);
    seen.push(await names());
  });
  await client.remove('a');
  expect(seen).toEqual([['a']]);
  expect(await names()).toEqual([]);
});

describe('a refusing proxy', () => {
  it('lets nobody in for a while; who is in stays', async () => {
    const client = await enter();
    const started = performance.now();
    proxy.refuse(200);
    await expect(enter()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(await client.pwd()).toBe('/');
    await soon(async () => {
      await enter();
    });
    expect(performance.now() - started).toBeGreaterThan(180);
  });

  it('lets them in again once it is disarmed', async () => {
    proxy.refuse(60_000);
    await expect(enter()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    proxy.disarm();
    expect(await (await enter()).pwd()).toBe('/');
    proxy.refuse(60_000);
    proxy.disarm();
    proxy.refuse(60_000);
    await sleep(20);
    await expect(enter()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

it('shows other times, to the millisecond', async () => {
  await put('a', 'a');
  const time = new Date('2026-10-24T23:30:15.250Z');
  await utimes(join(folder, 'a'), time, time);
  const client = await enter();
  expect(await client.lastMod('a')).toEqual(time);
  proxy.showTimes((shown) => new Date(shown.getTime() + 2 * 3_600_000));
  expect(await client.lastMod('a')).toEqual(new Date('2026-10-25T01:30:15.250Z'));
  expect(await client.size('a')).toBe(1);
  await expect(client.lastMod('none')).rejects.toMatchObject({ code: 550 });
});

it('a proxy that stops closes what is stalled and its port', async () => {
  const client = await enter();
  arm('PWD', { kind: 'stall' });
  const asked = client.pwd().catch(String);
  await soon(async () => expect(proxy.struck).toHaveLength(1));
  await proxy.stop();
  expect(await asked).toMatch(FIN);
  await expect(enter()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

describe('between bare sockets', () => {
  let bare: FtpProxy;
  let stop: () => Promise<void>;
  let serverSide: Promise<Socket>;
  beforeEach(async () => {
    const listener = createServer({ allowHalfOpen: true });
    serverSide = new Promise((resolve) => {
      listener.once('connection', resolve);
    });
    await new Promise<void>((resolve) => {
      listener.listen(0, '127.0.0.1', resolve);
    });
    bare = await startFtpProxy({ host: '127.0.0.1', port: (listener.address() as AddressInfo).port });
    stop = async () => {
      await bare.stop();
      listener.close();
    };
  });
  afterEach(() => stop());

  /** What a socket has got so far, and how it ended. */
  function watch(socket: Socket) {
    const seen = { text: '', end: '' };
    socket.on('data', (chunk: Buffer) => {
      seen.text += chunk.toString('latin1');
    });
    socket.on('end', () => {
      seen.end = 'fin';
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      seen.end = error.code ?? '';
    });
    return seen;
  }
  async function both() {
    const client = connect({ host: bare.host, port: bare.port, allowHalfOpen: true });
    const atClient = watch(client);
    const server = await serverSide;
    return { client, atClient, server, atServer: watch(server) };
  }

  it('passes commands one by one and replies of any shape', async () => {
    const { client, atClient, server, atServer } = await both();
    client.write('USER a\r\nPASS b\r\nMKD \xe9\r\n', 'latin1');
    await sleep(30);
    expect(atServer.text).toBe('');
    server.write('220-hello\r\n');
    server.write('2');
    await sleep(30);
    expect(atServer.text).toBe('');
    server.write('20 there\r\n');
    await soon(async () => expect(atServer.text).toBe('USER a\r\n'));
    const welcome = '331-wait\r\n 331 not yet\r\n330 nor now\r\n331-\r\n331 now\r\n';
    for (const character of welcome) server.write(character);
    await soon(async () => expect(atServer.text).toBe('USER a\r\nPASS b\r\n'));
    server.write('150 working\r\n');
    await soon(async () => expect(atClient.text).toMatch(/working/));
    expect(atServer.text).toBe('USER a\r\nPASS b\r\n');
    server.write('230 in\r\n');
    await soon(async () => expect(atServer.text).toBe('USER a\r\nPASS b\r\nMKD \xe9\r\n'));
    expect(atClient.text).toBe(`220-hello\r\n220 there\r\n${welcome}150 working\r\n230 in\r\n`);
    expect(bare.commands).toEqual(['USER', 'PASS', 'MKD']);
  });

  it('passes an end on as an end, and what was said before it', async () => {
    const { client, server, atServer } = await both();
    server.write('220 hello\r\n');
    client.end('NOOP\r\nQUIT\r\n');
    await soon(async () => expect(atServer).toEqual({ text: 'NOOP\r\nQUIT\r\n', end: 'fin' }));
  });

  it("passes the server's end on as an end", async () => {
    const { atClient, server } = await both();
    server.end('421 bye\r\n');
    await soon(async () => expect(atClient).toEqual({ text: '421 bye\r\n', end: 'fin' }));
  });

  it.each(['client', 'server'] as const)('passes a reset by the %s on as a reset', async (who) => {
    const { client, atClient, server, atServer } = await both();
    server.write('220 hello\r\n');
    await soon(async () => expect(atClient.text).not.toBe(''));
    (who === 'client' ? client : server).resetAndDestroy();
    const other = who === 'client' ? atServer : atClient;
    await soon(async () => expect(other.end).toBe('ECONNRESET'));
  });

  it('stalls both ways, and closes the server once the client gives up', async () => {
    const { client, atClient, server, atServer } = await both();
    bare.arm({ command: 'NOOP', occurrence: 1, fault: { kind: 'stall' } });
    server.write('220 hello\r\n');
    client.write('NOOP\r\nNOOP\r\n');
    await soon(async () => expect(bare.struck).toHaveLength(1));
    server.write('421 idle\r\n');
    await sleep(50);
    expect(atClient).toEqual({ text: '220 hello\r\n', end: '' });
    expect(atServer).toEqual({ text: '', end: '' });
    client.end();
    await soon(async () => expect(atServer.end).toBe('fin'));
    expect(bare.commands).toEqual(['NOOP']);
  });
});
