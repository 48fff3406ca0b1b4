import { existsSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import iconv from 'iconv-lite';
import { describe, expect, it } from 'vitest';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { ImportJob } from '../../sandbox/truth.ts';
import {
  alpha38,
  alpha39,
  alpha40,
  beta38,
  beta39,
  eventually,
  gamma38,
  open,
  smallScenario,
} from './small-shop.ts';

/** Neither import ends before the test does. */
const slow = { settings: { durations: { importProducts: 3_600_000, updateStock: 3_600_000 } } };

const HEADER = 'Fournisseur;Matiere;Couleur;Modele;Taille;Gencod;Prix;Stock;Magasin';
const row = (reference: string, size: string, ean: string, stock: number | string) =>
  `Méphisto;Cuir;Café;${reference};${size};${ean};89,90;${stock};008`;

async function put(sandbox: Sandbox, name: string, ...rows: string[]): Promise<void> {
  const bytes = iconv.encode([HEADER, ...rows].map((line) => `${line}\r\n`).join(''), 'win1252');
  await writeFile(join(sandbox.ftp.root, name), bytes);
}

async function run(sandbox: Sandbox, job: ImportJob): Promise<void> {
  const before = sandbox.truth().imports.length;
  expect(await (await fetch(sandbox.urls[job])).text()).toBe('');
  await eventually(() => {
    const outcome = sandbox.truth().imports[before]?.outcome;
    return outcome !== undefined && outcome !== 'running';
  });
}

const shown = (sandbox: Sandbox, ean: string) =>
  sandbox.truth().variants.find((variant) => variant.ean === ean)?.shop;
const last = (sandbox: Sandbox) => sandbox.truth().imports.at(-1);

describe('the Product Catalog Import module', () => {
  it('answers 200 before its work is done', async () => {
    const sandbox = await open(slow);
    await put(sandbox, 'ExportCSVmod', row('ALPHA', '38', alpha38, 1), row('BETA', '38', beta38, 1));
    const response = await fetch(sandbox.urls.updateStock);
    expect(response.status).toBe(200);
    expect(last(sandbox)?.outcome).toBe('running');
    expect([shown(sandbox, alpha38), existsSync(join(sandbox.ftp.root, 'ExportCSVmod'))]).toEqual([3, true]);
  });

  it('says that another import is running, with status 200, whatever its settings', async () => {
    const sandbox = await open(slow);
    await put(sandbox, 'ExportCSV', row('ALPHA', '38', alpha38, 1));
    await fetch(sandbox.urls.importProducts);
    const response = await fetch(sandbox.urls.updateStock);
    expect([response.status, await response.text()]).toEqual([200, 'Other import is running now']);
    expect(sandbox.truth().imports).toHaveLength(1);
  });

  it('never ends when it is told so, and stays busy', async () => {
    const sandbox = await open();
    await put(sandbox, 'ExportCSVmod', row('ALPHA', '38', alpha38, 1));
    sandbox.failNext('updateStock', 'never ends');
    await run(sandbox, 'updateStock');
    expect(last(sandbox)?.outcome).toBe('stuck');
    expect(await (await fetch(sandbox.urls.updateStock)).text()).toBe('Other import is running now');
  });
});

describe('NouveauProduitImport', () => {
  it('adds the models that the shop does not have and skips those that it has', async () => {
    const sandbox = await open();
    await put(sandbox, 'ExportCSV', row('ALPHA', '38', alpha38, 9), row('GAMMA', '38', gamma38, 1));
    await run(sandbox, 'importProducts');
    await run(sandbox, 'importProducts');
    expect(last(sandbox)).toMatchObject({ created: 0, updated: 0, zeroed: 0 });
    expect(shown(sandbox, alpha38)).toBe(3);
    expect(sandbox.truth().products.filter((product) => product.reference === 'GAMMA')).toEqual([
      expect.objectContaining({
        name: 'Méphisto Cuir Café',
        price: 8_990,
        variants: [expect.objectContaining({ size: '38', ean: gamma38, quantity: 1 })],
      }),
    ]);
  });

  it('leaves ExportCSV on the FTP', async () => {
    const sandbox = await open();
    await put(sandbox, 'ExportCSV', row('GAMMA', '38', gamma38, 1));
    await run(sandbox, 'importProducts');
    expect(sandbox.truth().files).toContain('/ExportCSV');
  });

  it('does nothing when there is no file', async () => {
    const sandbox = await open();
    await run(sandbox, 'importProducts');
    expect(last(sandbox)).toMatchObject({ outcome: 'no file', created: 0 });
  });

  it('reads an ExportCSV that Proshop has not finished, which is a fault', async () => {
    // The import ends long before the writing would: however slow the machine, it reads half a file.
    const writing = 24 * 3_600_000;
    const sandbox = await open({ settings: { durations: { writing } } });
    void sandbox.proshop.exportStock();
    await eventually(() => sandbox.truth().files.includes('/ExportCSV'));
    await run(sandbox, 'importProducts');
    expect(last(sandbox)).toMatchObject({ outcome: 'done' });
    expect(sandbox.truth().faults.map((fault) => fault.kind)).toEqual(['partial file read by the shop']);
  });
});

describe('MajProduitImport0', () => {
  it('deletes the file at the end', async () => {
    const sandbox = await open();
    await put(sandbox, 'ExportCSVmod', row('ALPHA', '38', alpha38, 1), row('BETA', '38', beta38, 1));
    await run(sandbox, 'updateStock');
    expect(sandbox.truth().files).toEqual([]);
  });

  it('sets quantities only: name and price stay', async () => {
    const sandbox = await open();
    await put(
      sandbox,
      'ExportCSVmod',
      row('BETA', '38', beta38, 7).replace('Café', 'Autre').replace('89,90', '1,00'),
    );
    await run(sandbox, 'updateStock');
    expect(sandbox.truth().products.find((product) => product.reference === 'BETA')).toMatchObject({
      name: 'Aigle Toile Écru',
      price: 5_000,
      variants: [{ ean: beta38, quantity: 7 }],
    });
  });

  it('deletes the variants and makes them again, so that carts lose them', async () => {
    const sandbox = await open();
    const before = sandbox.truth().products.find((product) => product.reference === 'ALPHA')?.variants;
    const cart = sandbox.addToCart(alpha38, 1);
    await put(sandbox, 'ExportCSVmod', row('ALPHA', '38', alpha38, 3), row('BETA', '38', beta38, 1));
    await run(sandbox, 'updateStock');
    const after = sandbox.truth().products.find((product) => product.reference === 'ALPHA')?.variants;
    expect(after?.map((variant) => variant.ean)).toEqual([alpha38]);
    expect(before?.map((variant) => variant.id)).not.toContain(after?.[0]?.id);
    expect(sandbox.truth().carts).toEqual([{ id: cart, lines: [] }]);
  });

  it('skips rows with 0 stock, so that the variant is gone', async () => {
    const sandbox = await open();
    await put(
      sandbox,
      'ExportCSVmod',
      row('ALPHA', '38', alpha38, 1),
      row('ALPHA', '39', alpha39, 0),
      row('ALPHA', '40', alpha40, 'abc'),
    );
    await run(sandbox, 'updateStock');
    expect([shown(sandbox, alpha38), shown(sandbox, alpha39), shown(sandbox, alpha40)]).toEqual([
      1,
      null,
      null,
    ]);
  });

  it('zeroes what the file does not hold, gift vouchers too', async () => {
    const sandbox = await open();
    await put(sandbox, 'ExportCSVmod', row('ALPHA', '38', alpha38, 1));
    await run(sandbox, 'updateStock');
    expect([shown(sandbox, beta38), shown(sandbox, beta39), sandbox.truth().vouchers[0]?.shop]).toEqual([
      0, 0, 0,
    ]);
    expect(last(sandbox)).toMatchObject({ updated: 1, zeroed: 2 });
  });

  it('keeps a gift voucher that the file names', async () => {
    const sandbox = await open();
    await put(sandbox, 'ExportCSVmod', row('ALPHA', '38', alpha38, 1), ';;;BON-50;;2990000000507;;100;');
    await run(sandbox, 'updateStock');
    expect(sandbox.truth().vouchers[0]?.shop).toBe(100);
  });

  it('zeroes the rest of the shop for a truncated file, without any guard', async () => {
    const sandbox = await open();
    const whole = `${HEADER}\r\n${row('ALPHA', '38', alpha38, 1)}\r\n${row('BETA', '38', beta38, 2)}\r\n`;
    await writeFile(join(sandbox.ftp.root, 'ExportCSVmod'), iconv.encode(whole.slice(0, -50), 'win1252'));
    await run(sandbox, 'updateStock');
    expect(shown(sandbox, beta38)).toBe(0);
    expect(sandbox.truth().faults.map((fault) => fault.kind)).toEqual([
      'partial file read by the shop',
      'mass zeroing',
    ]);
  });

  it('ignores products that the shop does not have', async () => {
    const sandbox = await open();
    await put(sandbox, 'ExportCSVmod', row('GAMMA', '38', gamma38, 1), row('ALPHA', '38', alpha38, 1));
    await run(sandbox, 'updateStock');
    expect(shown(sandbox, gamma38)).toBeNull();
  });

  it('changes nothing when its file is gone before it begins', async () => {
    const sandbox = await open();
    await put(sandbox, 'ExportCSVmod', row('ALPHA', '38', alpha38, 1));
    await rename(join(sandbox.ftp.root, 'ExportCSVmod'), join(sandbox.ftp.root, 'elsewhere'));
    await run(sandbox, 'updateStock');
    expect(last(sandbox)).toMatchObject({ outcome: 'no file', zeroed: 0 });
    expect(shown(sandbox, beta38)).toBe(smallScenario.products[1]?.variants[0]?.stock);
  });

  it('goes on reading what it downloaded at the start, whatever becomes of the file', async () => {
    const sandbox = await open({ settings: { durations: { updateStock: 60_000 } } });
    await put(sandbox, 'ExportCSVmod', row('ALPHA', '38', alpha38, 1), row('BETA', '38', beta38, 1));
    await fetch(sandbox.urls.updateStock);
    await eventually(() => (last(sandbox)?.rows ?? 0) > 0);
    await put(sandbox, 'ExportCSVmod', row('ALPHA', '38', alpha38, 9));
    await eventually(() => last(sandbox)?.outcome === 'done');
    expect([shown(sandbox, alpha38), sandbox.truth().files]).toEqual([1, []]);
  });
});
