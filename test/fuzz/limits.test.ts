import { spawn } from 'node:child_process';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startFtpServer } from '../../sandbox/ftp-server.ts';
import { createFtp, type Ftp, type FtpSession } from '../../src/ftp.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { createModulesShop } from '../../src/prestashop/modules.ts';
import { Secret } from '../../src/secret.ts';
import { ORDERS_FORMAT, ordersCsv } from '../domain/samples.ts';
import { PATIENCE } from './damage.ts';

const TOO_LONG = 'FormatError: Expected rows of at most 1 MB, got a longer one (commandes, line';
const STOCK_TOO_LONG = 'Expected rows of at most 1 MB, got a longer one (ExportCSV, line';

/** Runs one case of heavy-input.ts with a heap of 1 GB. */
async function heavy(name: string): Promise<{ said: string; grownMb: number }> {
  const script = join(import.meta.dirname, 'heavy-input.ts');
  const child = spawn(process.execPath, ['--max-old-space-size=1024', '--import', 'tsx', script, name], {
    timeout: PATIENCE,
    killSignal: 'SIGKILL',
  });
  const [out, errors] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  if (out === '') throw new Error(`Expected an end in time, got ${errors.slice(0, 500)}`);
  return JSON.parse(out) as { said: string; grownMb: number };
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += chunk.toString();
  return text;
}

describe('A huge file ends, and within 1 GB', () => {
  test.each([
    ['line of 200 MB', `${TOO_LONG} 1`],
    ['quote never closed, 200 MB', `${TOO_LONG} 2`],
    ['header of a million columns', `${TOO_LONG} 1`],
    ['row of a million columns', `1 set aside: Expected 24 fields, got 1000024`],
    ['row of a million short columns', '1 set aside: Expected 24 fields, got 1000001'],
    ['field of 100 MB', `${TOO_LONG} 2`],
    ['vouchers of 1 MB', '1 rows, 1 orders'],
    ['barcodes of 1 MB', 'Expected one product in a row, got several, joined by commas'],
    [
      'a million unreadable rows',
      'Expected at most 10000 rows that cannot be taken, or half of them, got more (commandes, line 10002;',
    ],
    [
      '100000 orders with garbage',
      // Less than half of them: a shop that exports everything each time has old ones without barcode.
      '100000 rows, 66666 orders, 33334 set aside',
    ],
    ['stock: line of 200 MB', `${STOCK_TOO_LONG} 1`],
    ['stock: quote never closed, 200 MB', `${STOCK_TOO_LONG} 2`],
    ['stock: header of a million columns', `${STOCK_TOO_LONG} 1`],
    ['stock: field of 100 MB', `${STOCK_TOO_LONG} 2`],
    ['stock: fields of 1 MB', '50 rows, 50 unreadable, true, :'],
    ['stock: a million unreadable rows', '1000000 rows, 1000000 unreadable, true, :'],
  ])(
    '%s',
    async (name, expected) => {
      const { said, grownMb } = await heavy(name);
      expect(said).toContain(expected);
      expect(said.length).toBeLessThan(2_000);
      expect(grownMb).toBeLessThan(1_024);
    },
    PATIENCE,
  );
});

describe('A file on the FTP server', () => {
  const connect = (port: number) =>
    createFtp({
      host: '127.0.0.1',
      port,
      user: 'boutique',
      password: new Secret('sesame'),
      tls: 'none',
      timeout: 5_000,
      settle: 10,
    });

  test('of 2 GB is refused before it is read', async () => {
    const root = await mkdtemp(join(tmpdir(), 'passerelle-limits-'));
    await writeFile(join(root, 'commandes'), '');
    await truncate(join(root, 'commandes'), 2 * 1024 ** 3);
    const server = await startFtpServer({ root, user: 'boutique', password: 'sesame' });
    const started = Date.now();
    const read = connect(server.port).session((session) => session.download('/commandes'));
    await expect(read).rejects.toThrow('to hold at most 536870912 bytes, got 2147483648');
    expect(Date.now() - started).toBeLessThan(5_000);
    await server.stop();
    await rm(root, { recursive: true });
  });

  test(
    'whose size is a lie and which never ends is given up at the limit',
    async () => {
      const { port, sent, stop } = await startEndlessServer();
      const read = connect(port).session((session) => session.download('/commandes'));
      await expect(read).rejects.toThrow('to hold at most 536870912 bytes, got more');
      expect(sent()).toBeLessThan(600 * 1024 * 1024);
      stop();
    },
    PATIENCE,
  );
});

describe('Names on the FTP server', () => {
  const readWith = async (standing: readonly string[], claimed: Readonly<Record<string, Buffer>> = {}) => {
    const calls: string[] = [];
    const files = new Map(Object.entries(claimed));
    const names = new Set(standing);
    const session = {
      settle: 0,
      ensureFolder: async () => undefined,
      list: async (folder: string) => [...(folder === '/export' ? names : files.keys())],
      lookTwice: async () =>
        [
          { size: 1, modifiedAt: null },
          { size: 1, modifiedAt: null },
        ] as const,
      look: async (path: string) => ({
        size: files.get(path.slice('/passerelle/'.length))?.length ?? 0,
        modifiedAt: null,
      }),
      rename: async (from: string, to: string) => {
        calls.push(`rename ${from} ${to}`);
        names.delete(posix.basename(from));
      },
      remove: async (path: string) => void calls.push(`remove ${path}`),
      download: async (path: string) => {
        calls.push(`download ${path}`);
        return files.get(path.slice('/passerelle/'.length));
      },
    } as unknown as FtpSession;
    const ftp = {
      session: (work: (session: FtpSession) => Promise<unknown>) => work(session),
    } as unknown as Ftp;
    const url = new Secret('http://127.0.0.1:9/');
    // The shop is not called: it may still be at work on the call before.
    const ledger = {
      openCall: async () => new Date(),
      stagingFolders: async () => ['/passerelle'],
      addStagingFolder: async () => undefined,
    } as unknown as Ledger;
    const shop = createModulesShop(
      { ftp, ledger },
      {
        shop: {
          kind: 'modules',
          exportOrders: url,
          importProducts: url,
          updateStock: url,
          timeout: 60_000,
          busy: 'busy',
          refusals: [],
        },
        orders: {
          ...ORDERS_FORMAT,
          folder: '/export',
          name: 'commandes*',
          voucher: { payments: [], paymentModules: [], codes: [] },
        },
        staging: '/passerelle',
        exportPath: '/ExportCSV',
        updatePath: '/ExportCSVmod',
        planAge: 1,
        exportEvery: 1,
      },
    );
    const recorded: string[] = [];
    const record = async ({ file, rows }: { file: string; rows: number }) => {
      recorded.push(`${file}: ${rows}`);
      return true;
    };
    const { signal } = new AbortController();
    await shop.exportOrders({ cycle: 'c', step: 1, record }, signal).catch(() => undefined);
    await shop.finishOrders(record, signal);
    return { calls, recorded };
  };

  test.each(['commandes/../../etc/passwd', 'commandes\\..\\x', 'commandes\r\nDELE x', 'commandes\0', '..'])(
    'lead nowhere else: %j is left alone',
    async (name) => {
      const { calls } = await readWith([name, 'commandes-1']);
      expect(calls).toHaveLength(1);
      expect(calls[0]).toMatch(
        /^rename \/export\/commandes-1 \/passerelle\/\d{8}T\d{6}Z-orders-commandes-1-[\da-f]{8}\.claim$/,
      );
    },
  );

  test('of claims neither', async () => {
    const claim = (name: string) => `20200101T000000Z-orders-${name}-00000000.claim`;
    const { calls, recorded } = await readWith([], {
      [claim('x/../../import/y')]: ordersCsv({}),
      [claim('commandes')]: ordersCsv({}),
    });
    expect(recorded).toEqual(['commandes: 1', 'commandes: 1']);
    expect(calls.every((call) => call.endsWith(claim('commandes')))).toBe(true);
  });

  test.each([
    ['ends its rows with CR alone', Buffer.from(ordersCsv({}).toString().replaceAll('\n', ''))],
    ['opens a quote in its header', Buffer.from(ordersCsv({}).toString().replace('id_order', '"id_order'))],
    ['is a page of the shop', Buffer.from('<html>Service Unavailable</html>')],
  ])('stay there for a file that %s: nothing of it was read', async (_, bytes) => {
    const name = '20200101T000000Z-orders-commandes-00000000.claim';
    const { calls, recorded } = await readWith([], { [name]: bytes });
    expect(recorded).toEqual([]);
    expect(calls.filter((call) => !call.startsWith('download'))).toEqual([]);
  });
});

/** An FTP server that says that its only file has 10 bytes, and sends zeros until the connection is gone. */
async function startEndlessServer() {
  const zeros = Buffer.alloc(1024 * 1024);
  let sent = 0;
  const pour = (socket: Socket) => {
    while (!socket.destroyed) {
      sent += zeros.length;
      if (!socket.write(zeros)) return;
    }
  };
  const data = createServer((socket) => {
    socket.on('error', () => undefined).on('drain', () => pour(socket));
    setTimeout(() => pour(socket), 50);
  });
  const control = createServer((socket) => {
    const replies: Readonly<Record<string, string>> = {
      USER: '331 password',
      PASS: '230 welcome',
      SIZE: '213 10',
      MDTM: '213 20261124102503',
      EPSV: `229 passive (|||${(data.address() as AddressInfo).port}|)`,
      RETR: '150 here it comes',
    };
    socket.on('error', () => undefined).write('220 ready\r\n');
    socket.on('data', (command) => {
      for (const line of command.toString().trim().split('\r\n'))
        socket.write(`${replies[line.slice(0, 4)] ?? '200 well'}\r\n`);
    });
  });
  for (const server of [data, control])
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = () => [data, control].forEach((server) => server.close());
  return { port: (control.address() as AddressInfo).port, sent: () => sent, stop };
}
