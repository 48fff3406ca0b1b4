import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startFtpServer, type FtpServer } from '../sandbox/ftp-server.ts';
import { FAILURE, toFailure } from '../src/failures.ts';
import { createFtp, sameLook, type Ftp } from '../src/ftp.ts';
import { Secret } from '../src/secret.ts';

let folder: string;
let server: FtpServer;
let ftp: Ftp;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-ftp-'));
  server = await startFtpServer({ root: folder, user: 'boutique', password: 'sesame' });
  ftp = connect({});
});
afterEach(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const connect = (change: { port?: number; password?: string; timeout?: number }) =>
  createFtp({
    host: '127.0.0.1',
    port: change.port ?? server.port,
    user: 'boutique',
    password: new Secret(change.password ?? 'sesame'),
    tls: 'none',
    timeout: change.timeout ?? 5_000,
    settle: 300,
  });
const typeOf = async (work: Promise<unknown>) =>
  work.then(
    () => 'none',
    (error: unknown) => (toFailure(error, (text) => text) as { type?: string }).type,
  );

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
    await ftp.session(async (session) => {
      const twice = session.lookTwice('/f');
      await sleep(150);
      await writeFile(join(folder, 'f'), 'ab');
      const [first, second] = await twice;
      expect(sameLook(first, second)).toBe(false);
      const [third, fourth] = await session.lookTwice('/f');
      expect(sameLook(third, fourth)).toBe(true);
    });
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
      await session.upload('/empty', Buffer.alloc(0));
      expect(await session.download('/empty')).toEqual(Buffer.alloc(0));
    });
    expect(await readFile(join(folder, 'up'))).toEqual(bytes);
  });

  it('of a large file is whole', async () => {
    const bytes = Buffer.alloc(20 * 1024 * 1024, 'passerelle');
    await ftp.session(async (session) => {
      await session.upload('/large', bytes);
      expect((await session.download('/large')).equals(bytes)).toBe(true);
    });
  });

  it('stops at once when its step is cancelled', async () => {
    const abort = new AbortController();
    const started = Date.now();
    const work = ftp.session(async (session) => {
      setTimeout(() => abort.abort(), 50);
      for (;;) await session.look('/f');
    }, abort.signal);
    await expect(work).rejects.toThrow(/closed|abort/i);
    expect(Date.now() - started).toBeLessThan(2_000);
  });
});

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
    expect(await typeOf(ftp.session((session) => session.rename('/a', '/nowhere/b')))).toBe(FAILURE.refused);
  });

  it('by four clients at once has one winner', async () => {
    for (let round = 0; round < 10; round++) {
      await writeFile(join(folder, 'prize'), 'a');
      const won = await Promise.all(
        [1, 2, 3, 4].map((client) =>
          ftp.session((session) => session.rename('/prize', `/claim-${round}-${client}`)),
        ),
      );
      expect(won.filter(Boolean)).toHaveLength(1);
    }
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

describe('a server', () => {
  it('that refuses the password is not tried again', async () => {
    expect(await typeOf(connect({ password: 'wrong' }).session(async () => 1))).toBe(FAILURE.refused);
  });

  it('that is down is tried again', async () => {
    await server.stop();
    expect(await typeOf(ftp.session(async () => 1))).toBe(FAILURE.transient);
  });

  it('that says nothing does not hang the step', async () => {
    const silent: Server = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    expect(await typeOf(connect({ port, timeout: 300 }).session(async () => 1))).toBe(FAILURE.transient);
    silent.close();
  });
});
