import { readdir, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Deps } from '../../src/activities/deps.ts';
import { replay, type ReplayResult } from '../../src/activities/replay.ts';
import { packInputs, unpackInputs } from '../../src/activities/stock-inputs.ts';
import { createArchive } from '../../src/archive.ts';
import { readTemplate } from '../../src/domain/sales-xml.ts';
import { FAILURE } from '../../src/failures.ts';
import { diffLines, replayLines } from '../../src/workflows/labels.ts';
import { CYCLE, orderRow, ordersCsv, stockCsv } from '../support/files.ts';
import { openTestPglite, type TestLedger } from '../support/ledgers.ts';
import { startWorld, type AttemptNotes, type World } from '../support/world.ts';

let test: TestLedger;
let world: World;
beforeAll(async () => {
  test = await openTestPglite();
});
afterAll(() => test.close());
beforeEach(async () => {
  await test.reset();
  world = await startWorld(test.ledger, (settings) => {
    settings.gate = { firstRun: 'apply', toZero: 100, rowsDown: 100, unitsDown: 100 };
  });
});
afterEach(() => world.stop());

const FIRST = '3000000000017';
const SECOND = '3000000000024';
const STOCK = stockCsv([FIRST, 3], [SECOND, 5, 'MOD2']);

/** The shop exports two orders, Proshop writes its stock, and the shop has taken the update. */
async function cycleOnce(): Promise<void> {
  world.shop.exportOrders = async () => {
    await world.put('export/commandes', ordersCsv(orderRow(1), orderRow(2, { quantity: '2', ean: SECOND })));
    return 'Exported';
  };
  await world.attempt((a) => a.exportOrders({ cycle: CYCLE, step: 1 }));
  await world.attempt((a) => a.deliverOrders({ cycle: CYCLE }));
  await world.put('ExportCSV', STOCK);
  const notes: AttemptNotes = { details: undefined };
  const collect = () => world.attempt((a) => a.collectStock({ cycle: CYCLE, standing: null }), notes);
  await expect(collect()).rejects.toThrow(/being written/);
  const { exportId, file } = await collect();
  const { update } = await world.attempt((a) => a.prepareStock({ cycle: CYCLE, file }));
  const lateOrdersAt = new Date().toISOString();
  const apply = () => world.attempt((a) => a.updateStock({ cycle: CYCLE, exportId, update, lateOrdersAt }));
  await expect(apply()).rejects.toThrow(/begun its import/);
  await unlink(join(world.ftpRoot, 'ExportCSVmod'));
  await apply();
}

describe('diff', () => {
  const diff = () => world.attempt((activities) => activities.diff());

  it('tells what an update would change, and changes nothing', async () => {
    await cycleOnce();
    await world.put('ExportCSV', stockCsv([FIRST, 3], [SECOND, 9, 'MOD2'], ['3000000000031', 4, 'MOD3']));
    const before = { files: await world.files(), archived: await world.archived() };
    const result = await diff();
    expect(result).toMatchObject({
      passed: true,
      rows: 3,
      outstanding: 2,
      corrected: 2,
      withheld: 3,
      difference: { up: 1, down: 0, toZero: 0, created: 1, unchanged: 2 },
    });
    expect(diffLines(result)).toEqual(
      expect.arrayContaining([
        'Déclinaisons : hausse 1, baisse 0, à zéro 0, nouvelles 1, inchangées 2',
        'Le contrôle laisserait passer cette mise à jour.',
        expect.stringMatching(new RegExp(`${SECOND} : 3 → 7$`)),
      ]),
    );
    expect({ files: await world.files(), archived: await world.archived() }).toEqual(before);
    expect(await test.ledger.lastExport()).toMatchObject({ cycle: CYCLE.id });
    expect((await test.ledger.appliedStock()).get(SECOND)).toMatchObject({ quantity: 3 });
  });

  it('tells why the gate would hold it', async () => {
    await cycleOnce();
    await world.put('ExportCSV', STOCK.replaceAll('Gencod', 'Code'));
    const result = await diff();
    expect(result.passed).toBe(false);
    expect(diffLines(result).join('\n')).toMatch(
      /Le contrôle retiendrait cette mise à jour : fichier de Proshop sans ses titres de colonnes \(Expected .*Gencod/,
    );
  });

  it('is refused where there is no file, and asked again where it is cut', async () => {
    await expect(diff()).rejects.toMatchObject({
      type: FAILURE.refused,
      message: 'Expected ExportCSV in /, got none',
    });
    await world.put('ExportCSV', STOCK.slice(0, -5));
    await expect(diff()).rejects.toMatchObject({ type: FAILURE.notYet });
  });
});

describe('replay', () => {
  const deps = (): Deps =>
    ({
      archive: createArchive(world.config.archive.folder),
      config: world.config,
      template: world.template,
    }) as Deps;
  const replayWith = (change: Partial<Deps> = {}, cycle = '2026-11-24/10h25'): Promise<ReplayResult> =>
    replay({ ...deps(), ...change })({ cycle });

  it('finds no difference where nothing has changed since, although the ledger has', async () => {
    await cycleOnce();
    const before = await world.archived();
    await test.reset();
    const result = await replayWith();
    expect(result).toMatchObject({
      folder: CYCLE.folder,
      orders: { compared: 2, different: 0 },
      sales: { different: 0, first: [] },
      // The protected product has a row of its own.
      stock: { compared: 3, different: 0 },
    });
    expect(result.sales.compared).toBeGreaterThan(10);
    expect(replayLines(result)[1]).toBe('  Commandes relues : 2 comparées, rien ne diffère');
    expect(await world.archived()).toEqual(before);
  });

  it('tells which orders are read otherwise, and names no customer', async () => {
    await cycleOnce();
    const { orders } = world.config;
    const swapped = {
      ...orders,
      columns: {
        ...orders.columns!,
        customer: { ...orders.columns!.customer, lastname: 'customer_firstname' },
      },
    };
    const result = await replayWith({ config: { ...world.config, orders: swapped } });
    expect(result.orders).toEqual({
      compared: 2,
      different: 2,
      first: [
        { id: 1, fields: ['customer.lastname'] },
        { id: 2, fields: ['customer.lastname'] },
      ],
    });
    expect(JSON.stringify(result)).not.toMatch(/Fèvre|Zoé|Bac/);
    expect(replayLines(result)[1]).toBe(
      '  Commandes relues : 2 comparées, 2 qui diffèrent : 1 (customer.lastname), 2 (customer.lastname)',
    );
  });

  it('tells which lines of the sales file another template writes otherwise', async () => {
    await cycleOnce();
    const text = await readFile(world.config.proshop.template, 'utf8');
    const template = readTemplate(
      Buffer.from(text.replaceAll('customer.lastname', 'customer.firstname')),
      'other.xml',
      world.config.orders.columns,
    );
    const result = await replayWith({ template });
    // One of each order.
    expect(result.sales).toMatchObject({ different: 2, first: [expect.any(Number), expect.any(Number)] });
    expect(replayLines(result)[2]).toMatch(
      /^ {2}Lignes du fichier de ventes : \d+ comparées, 2 qui diffèrent : \d+, \d+$/,
    );
  });

  it('tells which variants another configuration shows otherwise', async () => {
    await cycleOnce();
    const { stock } = world.config;
    const others = [{ reference: 'BON', ean: '3000000000093', quantity: 7 }];
    const result = await replayWith({
      config: { ...world.config, stock: { ...stock, outstanding: 'remove', protected: others } },
    });
    // Both variants, the protected product of before and the one of now.
    expect(result.stock).toMatchObject({ compared: 4, different: 4 });
    expect(result.stock.first).toContainEqual({ ean: SECOND, size: '42', was: 3, now: null });
    expect(replayLines(result).join('\n')).toContain('3000000000093 (absente → 7)');
  });

  it('is refused where the archive has no such cycle, or several', async () => {
    await cycleOnce();
    await expect(replayWith({}, '2026-11-25/10h25')).rejects.toMatchObject({
      message: 'Expected one cycle in the archive that begins with 2026-11-25/10h25, got none',
    });
    await createArchive(world.config.archive.folder).write(
      '2026-11-24/10h55-00000000',
      'x',
      Buffer.from('x'),
    );
    await expect(replayWith({}, '2026-11-24')).rejects.toMatchObject({
      message: `Expected one cycle in the archive that begins with 2026-11-24, got ${CYCLE.folder}, 2026-11-24/10h55-00000000`,
    });
    for (const outside of ['../..', '2026-11-24/../..', ''])
      await expect(replayWith({}, outside)).rejects.toThrow(/got none$/);
  });

  it('compares nothing where the archive holds too little', async () => {
    await createArchive(world.config.archive.folder).write(
      '2026-11-24/10h25-00000000',
      'x',
      Buffer.from('x'),
    );
    expect(await replayWith()).toMatchObject({
      orders: { compared: 0 },
      sales: { compared: 0 },
      stock: { compared: 0 },
      rules: null,
    });
  });

  it('keeps the inputs for this user alone, and reads them back as they were', async () => {
    await cycleOnce();
    const folder = join(world.config.archive.folder, CYCLE.folder);
    expect(await readdir(folder)).toEqual(
      expect.arrayContaining(['sales-inputs.json.gz', 'stock-inputs.jsonl.gz']),
    );
    const seen = {
      id: 'e',
      rows: 2,
      units: 8,
      modifiedAt: new Date(1),
      begunAfter: null,
      collectedAt: new Date(2),
      staleOrders: 0,
    };
    for (const count of [0, 1, 1_000, 2_345]) {
      const applied = new Map(
        Array.from({ length: count }, (_, index) => {
          const ean = `${3_000_000_000_000 + index}`;
          return [ean, { ean, reference: 'A"\n', size: 'é', quantity: index }] as const;
        }),
      );
      const inputs = {
        orders: 1,
        lines: [{ ean: null, reference: 'A', quantity: 2 }],
        last: seen,
        collected: seen,
      };
      expect(unpackInputs(await packInputs({ ...inputs, applied }))).toEqual({ ...inputs, applied });
      expect(unpackInputs(await packInputs({ ...inputs, applied: null }))).toEqual({
        ...inputs,
        applied: null,
      });
    }
    expect(
      gunzipSync(
        await packInputs({ orders: 0, lines: [], last: null, collected: null, applied: null }),
      ).toString(),
    ).toBe('{"orders":0,"lines":[],"last":null,"collected":null,"isApplied":false}\n');
  });
});
