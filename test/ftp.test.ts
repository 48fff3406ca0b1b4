import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'basic-ftp';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { startFtpProxy } from '../sandbox/ftp-proxy.ts';
import type { FtpServer } from '../sandbox/ftp-server.ts';
import { FAILURE, toFailure } from '../src/failures.ts';
import { createFtp, sameLook, type Ftp, type FtpSettings } from '../src/ftp.ts';
import { Secret } from '../src/secret.ts';
import { createAuthority, type Authority } from './support/authority.ts';
import { FTPS_SERVER, onEach, REAL_SERVERS, SANDBOX_SERVER } from './support/ftp-servers.ts';

let authority: Authority;
let folder: string;
let settings: FtpSettings;
beforeAll(async () => {
  authority = await createAuthority();
});
afterAll(() => authority.remove());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-ftp-'));
  settings = {
    host: '127.0.0.1',
    port: 0,
    user: 'boutique',
    password: new Secret('sesame'),
    tls: 'none',
    timeout: 5_000,
    settle: 300,
  };
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const typeOf = async (work: Promise<unknown>) =>
  work.then(
    () => 'none',
    (error: unknown) => (toFailure(error, (text) => text) as { type?: string }).type,
  );

onEach([SANDBOX_SERVER, ...REAL_SERVERS, FTPS_SERVER], (tested) => {
  let server: FtpServer;
  let ftp: Ftp;
  beforeEach(async () => {
    const tls = tested.tls ? { tls: authority.sign('IP:127.0.0.1') } : {};
    server = await tested.start({ root: folder, user: 'boutique', password: 'sesame', ...tls });
    settings = {
      ...settings,
      port: server.port,
      ...(tested.tls ? { tls: 'explicit', ca: authority.ca } : {}),
    };
    ftp = createFtp(settings);
  });
  afterEach(() => server.stop());

  describe('a look', () => {
    it('shows size and time, and null for a file that is not there', async () => {
      await writeFile(join(folder, 'é à.csv'), 'abc');
      await ftp.session(async (session) => {
        expect(await session.look('/é à.csv')).toMatchObject({
          size: 3,
          modifiedAt: expect.any(String) as string,
        });
        expect(await session.look('/none')).toBeNull();
      });
    });

    it('never takes a missing folder for a missing file', async () => {
      expect(await typeOf(ftp.session((session) => session.look('/nowhere/file')))).toBe(FAILURE.refused);
    });

    it('tells a file that changed', async () => {
      await writeFile(join(folder, 'f'), 'a');
      const grow = () => writeFile(join(folder, 'f'), 'ab');
      let watched = ftp;
      if (tested.tls) watched = createFtp({ ...settings, settle: 5_000 });
      else {
        const proxy = await startFtpProxy(server);
        onTestFinished(() => proxy.stop());
        watched = createFtp({ ...settings, port: proxy.port });
        // The second look waits for it.
        proxy.onCommand(async (count, verb) => {
          const looks = proxy.commands.slice(0, count).filter((command) => command === 'SIZE').length;
          if (verb === 'SIZE' && looks === 2) await grow();
        });
      }
      await watched.session(async (session) => {
        const twice = session.lookTwice('/f');
        if (tested.tls) {
          // Nobody can stand in between: the file grows by the clock, long after the first look, long before the second.
          await sleep(2_500);
          await grow();
        }
        const [first, second] = await twice;
        expect([first?.size, second?.size]).toEqual([1, 2]);
        expect(sameLook(first, second)).toBe(false);
        const [third, fourth] = await session.lookTwice('/f');
        expect(sameLook(third, fourth)).toBe(true);
      });
    });

    it('tells a file that was written again with as many bytes, by the server’s own time', async () => {
      await writeFile(join(folder, 'f'), 'a');
      await utimes(join(folder, 'f'), new Date('2026-01-15T12:00:00Z'), new Date('2026-01-15T12:00:00Z'));
      await ftp.session(async (session) => {
        const first = await session.look('/f');
        // As Debian ships it, vsftpd answers in the time of its own town: no time of a server compares with ours.
        expect(first?.modifiedAt).toBe(`2026-01-15T${tested.kind === 'vsftpd' ? 13 : 12}:00:00.000Z`);
        await writeFile(join(folder, 'f'), 'b');
        expect(sameLook(first, await session.look('/f'))).toBe(false);
      });
    });
  });

  describe('a listing', () => {
    it('names files, not folders', async () => {
      await mkdir(join(folder, 'export'));
      await writeFile(join(folder, 'export', 'é à.csv'), '');
      await mkdir(join(folder, 'export', 'old'));
      await ftp.session(async (session) => {
        expect(await session.list('/export')).toEqual(['é à.csv']);
      });
    });

    it('of a missing folder is not taken for an empty one', async () => {
      expect(await typeOf(ftp.session((session) => session.list('/nowhere')))).toBe(FAILURE.refused);
    });
  });

  describe('a transfer', () => {
    it('keeps every byte', async () => {
      const bytes = Buffer.concat([
        Buffer.from('\uFEFFa\r\nb\nc\rd'),
        Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
      ]);
      await ftp.session(async (session) => {
        await session.upload('/up', bytes);
        expect(await session.download('/up')).toEqual(bytes);
      });
      expect(await readFile(join(folder, 'up'))).toEqual(bytes);
    });

    it('of an empty file works from the server, and is refused to it', async () => {
      await writeFile(join(folder, 'empty'), '');
      const work = ftp.session(async (session) => {
        expect(await session.download('/empty')).toEqual(Buffer.alloc(0));
        await session.upload('/up', Buffer.alloc(0));
      });
      expect(await typeOf(work)).toBe(FAILURE.refused);
      expect(await readdir(folder)).toEqual(['empty']);
    });

    it('of a large file is whole', async () => {
      const bytes = Buffer.alloc(20 * 1024 * 1024, 'passerelle');
      await ftp.session(async (session) => {
        await session.upload('/large', bytes);
        expect((await session.download('/large')).equals(bytes)).toBe(true);
      });
    });

    it('of a file that somebody took is tried again', async () => {
      const work = ftp.session((session) => session.download('/taken'));
      await expect(work).rejects.toThrow('got nothing');
      expect(await typeOf(work)).toBe(FAILURE.transient);
    });

    // ProFTPD cuts the connection there before it says why: only a folder entered beforehand tells a refusal.
    it('into a missing folder is refused', async () => {
      const work = ftp.session((session) => session.upload('/nowhere/up', Buffer.from('a')));
      expect(await typeOf(work)).toBe(FAILURE.refused);
    });

    it('stops at once when its step is cancelled', async () => {
      const abort = new AbortController();
      const started = Date.now();
      const work = ftp.session(async (session) => {
        setTimeout(() => abort.abort(), 50);
        for (;;) await session.look('/f');
      }, abort.signal);
      await expect(work).rejects.toThrow(/closed|abort/i);
      expect(Date.now() - started).toBeLessThan(30_000);
    });

    it('that is cut leaves a part under its name, which the next attempt leaves alone', async () => {
      const bytes = Buffer.alloc(200 * 1024 * 1024, 'passerelle');
      const abort = new AbortController();
      const cut = ftp.session((session) => session.upload('/first.tmp', bytes), abort.signal);
      await Promise.all([
        expect(cut).rejects.toThrow(/closed|abort/i),
        arrived('/first.tmp', 1).then(() => abort.abort()),
      ]);
      await ftp.session(async (session) => {
        await session.upload('/second.tmp', Buffer.from('whole'));
        expect(await session.download('/second.tmp')).toEqual(Buffer.from('whole'));
        const part = (await session.look('/first.tmp'))?.size ?? 0;
        expect(part).toBeLessThan(bytes.length);
        // The sandbox's server may clear it away.
        expect(part).toBeGreaterThanOrEqual(tested.kind === null ? 0 : 1);
      });
    });

    it('of a file that is being uploaded is whole once the upload is', async () => {
      await withUpload('/growing', async (write, end) => {
        await write('half, ');
        // vsftpd says nothing before the upload is over; the others give what there is.
        const timeout = tested.kind === 'vsftpd' ? 1_000 : settings.timeout;
        const early = await createFtp({ ...settings, timeout })
          .session((session) => session.download('/growing'))
          .then(String, (error: Error) => error.message);
        expect(early).toMatch(tested.kind === 'vsftpd' ? /^Timeout/ : /^half, $/);
        await end('whole');
        expect(String(await ftp.session((s) => s.download('/growing')))).toBe('half, whole');
      });
    });
  });

  /** Another client's upload, written piece by piece. */
  async function withUpload(
    path: string,
    work: (write: (text: string) => Promise<void>, end: (text: string) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    const client = new Client();
    try {
      const ca = await readFile(authority.ca);
      await client.access({ ...server, secure: tested.tls, secureOptions: { ca } });
      const source = new PassThrough();
      const upload = client.uploadFrom(source, path);
      // Where the test fails before it, it is the test's failure that is told.
      upload.catch(() => undefined);
      let sent = 0;
      await work(
        async (text) => {
          source.write(text);
          sent += text.length;
          await arrived(path, sent);
        },
        async (text) => {
          source.end(text);
          await upload;
        },
      );
    } finally {
      client.close();
    }
  }

  async function arrived(path: string, size: number): Promise<void> {
    const arrivedSize = () =>
      stat(join(folder, path)).then(
        (file) => file.size,
        () => 0,
      );
    await vi.waitUntil(async () => (await arrivedSize()) >= size, { interval: 1, timeout: 10_000 });
  }

  describe('a rename', () => {
    it('moves across folders, and says when there was nothing to move', async () => {
      await mkdir(join(folder, 'import'));
      await writeFile(join(folder, 'a'), 'a');
      await ftp.session(async (session) => {
        expect(await session.rename('/a', '/import/b')).toBe(true);
        expect(await session.rename('/a', '/import/b')).toBe(false);
      });
      expect(await readdir(join(folder, 'import'))).toEqual(['b']);
    });

    it('that the server refuses is not taken for a missing file', async () => {
      await writeFile(join(folder, 'a'), 'a');
      expect(await typeOf(ftp.session((session) => session.rename('/a', '/nowhere/b')))).toBe(
        FAILURE.refused,
      );
    });

    it('by four clients at once has one winner', async () => {
      for (let round = 0; round < 5; round++) {
        await writeFile(join(folder, 'prize'), 'a');
        const won = await Promise.all(
          [1, 2, 3, 4].map((client) =>
            ftp.session((session) => session.rename('/prize', `/claim-${round}-${client}`)),
          ),
        );
        expect(won.filter(Boolean)).toHaveLength(1);
      }
    });

    // Why no name is the target of two renames, and why a publication looks before it renames.
    it('onto a file that is there overwrites it without a word', async () => {
      await writeFile(join(folder, 'a'), 'new');
      await writeFile(join(folder, 'b'), 'old');
      expect(await ftp.session((session) => session.rename('/a', '/b'))).toBe(true);
      expect(await readFile(join(folder, 'b'), 'utf8')).toBe('new');
    });
  });

  it('takes the removal of a file that is not there as done', async () => {
    await writeFile(join(folder, 'a'), 'a');
    await ftp.session(async (session) => {
      await session.remove('/a');
      await session.remove('/a');
    });
    expect(await readdir(folder)).toEqual([]);
  });

  it('makes a folder once, and takes it as done when it is there', async () => {
    await ftp.session(async (session) => {
      await session.ensureFolder('/passerelle/deep');
      await session.ensureFolder('/passerelle/deep');
    });
    expect(await readdir(join(folder, 'passerelle'))).toEqual(['deep']);
  });

  it('is not tried again when it refuses the password', async () => {
    // Pure-FTPd takes 6 s to say no.
    const wrong = createFtp({ ...settings, password: new Secret('wrong'), timeout: 20_000 });
    expect(await typeOf(wrong.session(async () => 1))).toBe(FAILURE.refused);
  });

  it('is tried again when it is down', async () => {
    await server.stop();
    expect(await typeOf(ftp.session(async () => 1))).toBe(FAILURE.transient);
  });
});

onEach([FTPS_SERVER], (tested) => {
  const session = async (names: readonly string[], change: Partial<FtpSettings>) => {
    const options = { root: folder, user: 'boutique', password: 'sesame', tls: authority.sign(...names) };
    const server = await tested.start(options);
    const access: FtpSettings = { ...settings, port: server.port, tls: 'explicit', ca: authority.ca };
    try {
      return await typeOf(createFtp({ ...access, ...change }).session(async () => 1));
    } finally {
      await server.stop();
    }
  };

  it('enters where the authority and the name are right', async () => {
    expect(await session(['DNS:localhost'], { host: 'localhost' })).toBe('none');
  });

  it('refuses a certificate of an authority that is not known', async () => {
    expect(await session(['IP:127.0.0.1'], { ca: undefined })).toBe(FAILURE.refused);
    const other = await createAuthority();
    expect(await session(['IP:127.0.0.1'], { ca: other.ca })).toBe(FAILURE.refused);
    await other.remove();
  });

  it('refuses a certificate for another name', async () => {
    expect(await session(['DNS:elsewhere.example'], {})).toBe(FAILURE.refused);
  });

  it('is refused by a server that wants TLS, when it comes without', async () => {
    expect(await session(['IP:127.0.0.1'], { tls: 'none' })).toBe(FAILURE.refused);
  });
});

it('does not hang on a server that says nothing', async () => {
  const silent: Server = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as { port: number };
  const ftp = createFtp({ ...settings, port, timeout: 300 });
  expect(await typeOf(ftp.session(async () => 1))).toBe(FAILURE.transient);
  silent.close();
});
