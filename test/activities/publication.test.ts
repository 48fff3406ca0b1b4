import { randomUUID } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { RealFtpServer } from '../../sandbox/ftp-servers.ts';
import { FAILURE } from '../../src/failures.ts';
import {
  publish,
  resumePublication,
  stamp,
  sweepTemporaryFiles,
  type NewPublication,
} from '../../src/publication.ts';
import { CYCLE } from '../support/files.ts';
import { onEach, REAL_SERVERS, SANDBOX_SERVER, standsAround } from '../support/ftp-servers.ts';
import { openTestPglite, type TestLedger } from '../support/ledgers.ts';
import { startWorld, type World } from '../support/world.ts';

let test: TestLedger;
let world: World;
beforeAll(async () => {
  test = await openTestPglite();
});
afterAll(() => test.close());

const file = (bytes: Uint8Array): NewPublication => ({
  kind: 'stock',
  cycle: CYCLE.id,
  staging: '/passerelle',
  finalPath: '/ExportCSVmod',
  orderIds: [],
  bytes,
});
const DELIVERY = { kind: 'sales', finalPath: '/import/ventes.xml', size: 1, sha256: '' } as const;
const publishing = (bytes: Uint8Array) =>
  world.attempt(() => world.ftp.session((session) => publish(session, test.ledger, file(bytes))));

onEach([SANDBOX_SERVER, ...REAL_SERVERS], (tested) => {
  const server = standsAround(tested);
  beforeEach(async () => {
    await test.reset();
    world = await startWorld(test.ledger, undefined, server());
  });
  afterEach(() => world.stop());

  // Every one of these servers would overwrite it without a word.
  it('never takes the place of a file that nobody took yet', async () => {
    await publishing(Buffer.from('first'));
    await expect(publishing(Buffer.from('second'))).rejects.toMatchObject({ type: FAILURE.refused });
    expect(await readFile(join(world.ftpRoot, 'ExportCSVmod'), 'utf8')).toBe('first');
  });

  it('sweeps what it gave up and could not remove, and of the rest only what is old and not needed', async () => {
    const name = (time: string, id: string) => `${time}-${id}.tmp`;
    const [now, long] = [new Date('2026-11-24T10:25:00Z'), '20261124T082500Z'];
    const [gaveUp, open, old, young] = Array.from({ length: 4 }, () => randomUUID());
    const begin = async (id = '', path: string) =>
      test.ledger.startDelivery(
        { ...DELIVERY, id, temporaryPath: `/passerelle/${path}`, createdAt: now, cycle: CYCLE.id },
        [],
      );
    await begin(gaveUp, name(stamp(now), `${gaveUp}`));
    await begin(open, name(long, `${open}`));
    await test.ledger.abandonDelivery(`${gaveUp}`);
    const kept = [name(long, `${open}`), name(stamp(now), `${young}`), 'commandes.tmp'];
    const gone = [name(stamp(now), `${gaveUp}`), name(long, `${old}`)];
    const swept = await world.attempt(() =>
      world.ftp.session(async (session) => {
        await session.ensureFolder('/passerelle');
        for (const file of [...kept, ...gone]) await session.upload(`/passerelle/${file}`, Buffer.from('x'));
        return sweepTemporaryFiles(session, test.ledger, '/passerelle', now, 3_600_000);
      }),
    );
    expect(swept).toBe(2);
    expect((await readdir(join(world.ftpRoot, 'passerelle'))).sort()).toEqual(kept.sort());
  });

  const killable = tested.kind !== null;
  it.runIf(killable)('gives up what a server that was killed in the middle of it holds', async () => {
    const real = server() as RealFtpServer;
    const bytes = Buffer.alloc(200 * 1024 * 1024, 'passerelle');
    await Promise.all([
      expect(publishing(bytes)).rejects.toMatchObject({ type: FAILURE.transient }),
      vi.waitUntil(begun, { interval: 1, timeout: 20_000 }).then(() => real.kill()),
    ]);
    await real.start();
    const [open, ...others] = await test.ledger.openDeliveries('stock');
    expect(others).toEqual([]);
    expect(open).toMatchObject({ state: 'uploading' });
    const part = await stat(join(world.ftpRoot, open?.temporaryPath ?? ''));
    expect(part.size).toBeLessThan(bytes.length);
    await world.ftp.session((session) => resumePublication(session, test.ledger, open?.id ?? ''));
    expect(await world.files()).toEqual({});
    await publishing(Buffer.from('whole'));
    expect(await world.files()).toEqual({ ExportCSVmod: 'whole' });
  });

  /** True when the first bytes of a publication are there. */
  async function begun(): Promise<boolean> {
    const [open] = await test.ledger.openDeliveries('stock');
    if (open === undefined) return false;
    const size = await stat(join(world.ftpRoot, open.temporaryPath)).then(
      (found) => found.size,
      () => 0,
    );
    return size > 0;
  }
});
