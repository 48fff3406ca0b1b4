import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { RealFtpServer } from '../../sandbox/ftp-servers.ts';
import { FAILURE } from '../../src/failures.ts';
import { publish, resumePublication, type NewPublication } from '../../src/publication.ts';
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
