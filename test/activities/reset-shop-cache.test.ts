import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startFtpServer, type FtpServer } from '../../sandbox/ftp-server.ts';
import type { Deps } from '../../src/activities/deps.ts';
import { resetShopCache } from '../../src/activities/reset-shop-cache.ts';
import { createFtp, type Ftp } from '../../src/ftp.ts';
import { Secret } from '../../src/secret.ts';

const CACHE = '/httpdocs/var/cache';
let folder: string;
let server: FtpServer;
let shopFiles: Ftp;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-cache-'));
  server = await startFtpServer({ root: join(folder, 'ftp'), user: 'site', password: 'sesame-sesame' });
  const { host, port } = server;
  const password = new Secret('sesame-sesame');
  shopFiles = createFtp({ host, port, user: 'site', password, tls: 'none', timeout: 5_000, settle: 0 });
});
afterEach(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

const make = (...names: readonly string[]) =>
  Promise.all(names.map((name) => mkdir(join(server.root, CACHE, name), { recursive: true })));
const folders = async () => (await readdir(join(server.root, CACHE))).sort();
const anAttempt = (heartbeatDetails?: unknown) =>
  new MockActivityEnvironment({ heartbeatDetails }, { logger: new DefaultLogger('ERROR') });
const reset = (environment = anAttempt(), ftp: Ftp | null = shopFiles) =>
  environment.run(
    resetShopCache({ shopFiles: ftp, config: { shopFiles: { cache: CACHE } } } as unknown as Deps),
  );

it('renames prod to the next prodold', async () => {
  await make('prod', 'dev');
  expect(await reset()).toEqual({ renamedTo: 'prodold1' });
  await make('prod', 'prodold', 'prodold9', 'prodold10', 'prodoldest');
  expect(await reset()).toEqual({ renamedTo: 'prodold11' });
  expect(await folders()).toEqual([
    'dev',
    'prodold',
    'prodold1',
    'prodold10',
    'prodold11',
    'prodold9',
    'prodoldest',
  ]);
});

it('refuses when there is no prod, and says what there is', async () => {
  await make('dev');
  await expect(reset()).rejects.toThrow(`Expected prod in ${CACHE}, got dev`);
  expect(await folders()).toEqual(['dev']);
});

it('refuses when the folder of the caches is not there', async () => {
  await expect(reset()).rejects.toThrow(`Expected the folder ${CACHE} on the FTP server`);
});

it('refuses without access to the shop’s files', async () => {
  await expect(reset(anAttempt(), null)).rejects.toThrow('section shopFiles');
});

it('renames no second one when the answer to the first was lost', async () => {
  await make('prod');
  const heartbeats: unknown[] = [];
  const first = anAttempt();
  first.on('heartbeat', (note: unknown) => heartbeats.push(note));
  const losesTheAnswer: Ftp = {
    session: (work, signal) =>
      shopFiles.session(
        (session) =>
          work({
            ...session,
            renameFolder: async (from, to) => {
              await session.renameFolder(from, to);
              throw new Error('connection reset');
            },
          }),
        signal,
      ),
  };
  await expect(reset(first, losesTheAnswer)).rejects.toThrow('connection reset');
  // The shop has made itself a new one meanwhile.
  await make('prod');
  expect(await reset(anAttempt(heartbeats.at(-1)))).toEqual({ renamedTo: 'prodold1' });
  expect(await folders()).toEqual(['prod', 'prodold1']);
});
