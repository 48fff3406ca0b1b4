import { statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import iconv from 'iconv-lite';
import { describe, expect, it } from 'vitest';
import { ean13 } from '../../sandbox/scenario.ts';
import type { ExportDamage } from '../../sandbox/proshop.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { salesXml } from './cycle-by-hand.ts';
import { alpha38, alpha40, beta38, beta39, eventually, open, orderOf, smallScenario } from './small-shop.ts';

const sale = (id: number, ean: string, quantity: number) => [
  {
    id_order: String(id),
    product_ean13: ean,
    product_quantity: String(quantity),
    unit_product_price_tax_incl: '89.90',
    total_paid_tax_incl: '89.90',
  },
];
const put = (sandbox: Sandbox, name: string, content: string | Buffer) =>
  writeFile(join(sandbox.ftp.root, 'import', name), content);
const stockOf = (sandbox: Sandbox, ean: string) =>
  sandbox.truth().variants.find((variant) => variant.ean === ean)?.proshop;
const kinds = (sandbox: Sandbox) => [...new Set(sandbox.truth().faults.map((fault) => fault.kind))];
const exported = async (sandbox: Sandbox) =>
  iconv.decode(await readFile(join(sandbox.ftp.root, 'ExportCSV')), 'win1252');

describe("Proshop's import", () => {
  it('takes the sales at :00 and :30 of its own clock, lowers its stock and deletes the file', async () => {
    const sandbox = await open({ scenario: { ...smallScenario, start: '2026-11-24T11:29:45' }, held: true });
    const id = sandbox.placeOrder(orderOf({ ean: alpha38, quantity: 2 }));
    await put(sandbox, 'ventes-1.xml', salesXml([sale(id, alpha38, 2)]));
    expect(stockOf(sandbox, alpha38)).toBe(3);
    sandbox.clock.go();
    await eventually(() => stockOf(sandbox, alpha38) === 1);
    await eventually(() => sandbox.truth().files.length === 0);
    expect(sandbox.truth().orders[0]?.taken).toEqual([expect.stringMatching(/^2026-11-24T11:3/)]);
  });

  it('counts an order that it takes twice twice', async () => {
    const sandbox = await open();
    const id = sandbox.placeOrder(orderOf({ ean: alpha38, quantity: 1 }));
    for (const name of ['ventes-1.xml', 'ventes-2.xml']) {
      await put(sandbox, name, salesXml([sale(id, alpha38, 1)]));
      await sandbox.proshop.importSales();
    }
    expect(sandbox.truth().orders[0]?.taken).toHaveLength(2);
    expect(stockOf(sandbox, alpha38)).toBe(1);
  });

  it('takes every file that stands there, whatever its name', async () => {
    const sandbox = await open();
    await put(sandbox, '.ventes.part', salesXml([sale(1, alpha38, 1)]));
    await sandbox.proshop.importSales();
    expect(stockOf(sandbox, alpha38)).toBe(2);
    expect(kinds(sandbox)).toEqual(['foreign file in import']);
    expect(sandbox.truth().unknownSales).toEqual([1]);
  });

  const whole = salesXml([sale(1, alpha38, 1)]);
  it.each<[string, string | Buffer]>([
    ['a file that is cut', whole.slice(0, -20)],
    ['an empty file', ''],
    ['an article that it does not know', salesXml([sale(1, ean13('999999999999'), 1)])],
    ['a quantity of 0', salesXml([sale(1, alpha38, 0)])],
    ['a count that does not agree', whole.replace('NbVentes="1"', 'NbVentes="2"')],
    ['a decimal point', whole.replace('89,90', '89.90')],
    ['another store', whole.replace('Magasin="008"', 'Magasin="001"')],
    ['an element that it does not know', whole.replaceAll('Quantite', 'Qte')],
    ['Latin-1 that claims to be UTF-8', Buffer.from(whole.replace('<Nom>', '<Nom>é'), 'latin1')],
    ['an ampersand that is not escaped', whole.replace('<Nom>', '<Nom>Dupont & Fils')],
  ])('leaves %s where it stands', async (_what, content) => {
    const sandbox = await open();
    await put(sandbox, 'ventes-1.xml', content);
    await sandbox.proshop.importSales();
    expect(kinds(sandbox)).toContain('unreadable file in import');
    expect(sandbox.truth().files).toEqual(['/import/ventes-1.xml']);
    expect(stockOf(sandbox, alpha38)).toBe(3);
  });

  it('is watched: a file that is written under its final name is a fault even when Proshop does not look', async () => {
    const sandbox = await open();
    await put(sandbox, 'ventes-1.xml', whole.slice(0, 100));
    await eventually(() => sandbox.truth().faults.length > 0);
    expect(kinds(sandbox)).toEqual(['partial file in import']);
  });

  it('can let its minute pass, or take half of the files', async () => {
    const sandbox = await open();
    for (const name of ['a.xml', 'b.xml', 'c.xml']) await put(sandbox, name, salesXml([sale(1, alpha40, 1)]));
    sandbox.proshop.skipImports(1);
    await sandbox.proshop.importSales();
    expect(stockOf(sandbox, alpha40)).toBe(5);
    sandbox.proshop.takeHalf();
    await sandbox.proshop.importSales();
    expect(stockOf(sandbox, alpha40)).toBe(3);
    await sandbox.proshop.importSales();
    expect(stockOf(sandbox, alpha40)).toBe(2);
  });

  it('knows an order that a person typed in', async () => {
    const sandbox = await open();
    const id = sandbox.placeOrder(orderOf({ ean: alpha38, quantity: 1 }));
    sandbox.enterByHand(id);
    await sandbox.proshop.exportStock();
    expect(stockOf(sandbox, alpha38)).toBe(2);
    expect(sandbox.truth().exports[0]?.reflects).toEqual([id]);
  });
});

describe("Proshop's export", () => {
  it('writes windows-1252 with CRLF and decimal commas, all sizes of what is in stock, for store 008', async () => {
    const sandbox = await open();
    sandbox.sellInStore(beta38, 2);
    sandbox.sellInStore(beta39, 2);
    await sandbox.proshop.exportStock();
    expect((await exported(sandbox)).split('\r\n')).toEqual([
      'Fournisseur;Matiere;Couleur;Modele;Taille;Gencod;Prix;Stock;Magasin',
      'Méphisto;Cuir;Café;ALPHA;38;3700000000105;89,90;3;008',
      'Méphisto;Cuir;Café;ALPHA;39;3700000000112;89,90;0;008',
      'Méphisto;Cuir;Café;ALPHA;40;3700000000129;89,90;5;008',
      'Aigle;Laine;Noir;GAMMA;38;3700000000303;120,50;1;008',
      'Aigle;Laine;Noir;GAMMA;39;3700000000310;120,50;0;008',
      '',
    ]);
  });

  it('shows a partial file under its final name while it writes', async () => {
    // So long that the test ends before the writing does.
    const sandbox = await open({ settings: { durations: { writing: 20 * 60_000 } } });
    const sizes = new Set<number>();
    void sandbox.proshop.exportStock();
    await eventually(() => sandbox.truth().files.includes('/ExportCSV'));
    await eventually(() => {
      sizes.add(statSync(join(sandbox.ftp.root, 'ExportCSV')).size);
      return sizes.size > 2;
    });
    expect(sandbox.truth().exports[0]?.finishedAt).toBeNull();
  });

  it('reads its figures when the writing begins', async () => {
    const sandbox = await open();
    const writing = sandbox.proshop.exportStock();
    sandbox.sellInStore(alpha38, 1);
    await writing;
    expect(await exported(sandbox)).toContain(`${alpha38};89,90;3;`);
    expect(sandbox.truth().exports[0]?.figures[alpha38]).toBe(3);
    expect(stockOf(sandbox, alpha38)).toBe(2);
  });

  it('runs at :10 and :40 of its own clock', async () => {
    const sandbox = await open({ scenario: { ...smallScenario, start: '2026-11-24T11:39:45' } });
    await eventually(() => sandbox.truth().exports[0]?.finishedAt !== undefined);
    expect(sandbox.truth().exports[0]?.startedAt).toMatch(/^2026-11-24T11:40/);
  });

  it.each<[ExportDamage, RegExp]>([
    ['truncated', /[^\n]$/],
    ['empty', /^$/],
    ['header only', /^Fournisseur[^\n]*\n$/],
    ['duplicated rows', /ALPHA;38[^]*ALPHA;38/],
    ['wrong store', /;003\r\n/],
    ['columns swapped', /;3;89,90;008/],
    ['utf-8', /MÃ©phisto/],
  ])('can be %s', async (damage, pattern) => {
    const sandbox = await open();
    sandbox.damageNextExport(damage);
    await sandbox.proshop.exportStock();
    expect(await exported(sandbox)).toMatch(pattern);
    expect(sandbox.truth().exports[0]?.damage).toBe(damage);
    await sandbox.proshop.exportStock();
    expect(sandbox.truth().exports[1]?.damage).toBeNull();
  });

  it('can be missing, or the old file again', async () => {
    const sandbox = await open();
    sandbox.damageNextExport('missing');
    await sandbox.proshop.exportStock();
    expect(sandbox.truth().files).toEqual([]);
    await sandbox.proshop.exportStock();
    sandbox.sellInStore(alpha38, 1);
    sandbox.damageNextExport('old file again');
    await sandbox.proshop.exportStock();
    expect(await exported(sandbox)).toContain(`${alpha38};89,90;3;`);
  });
});
