import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { ORDER_COLUMNS } from '../../sandbox/configuration.ts';
import { demoScenario, randomScenario } from '../../sandbox/scenario.ts';
import { folderForTest, ordersFileOf, sentFor, SHOP_TEMPLATE, writeExample } from '../support/shop-files.ts';

const ROOT = join(import.meta.dirname, '../..');
const format = async (...words: readonly string[]) => {
  const run = promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', join(ROOT, 'src/client.ts'), 'format', ...words],
    { cwd: ROOT, env: { PATH: process.env.PATH, PASSERELLE_TEST_DELIMITER: '|' } },
  );
  return run.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
};

const demo = ordersFileOf(demoScenario);
const other = ordersFileOf(randomScenario(5));
/** Without an order that cannot be taken. */
const few = ordersFileOf(randomScenario(11, { orders: 3, lateOrders: 0 }));
let folder: string;
let config: string;
const at = (name: string) => join(folder, name);

beforeEach(async () => {
  folder = await folderForTest();
  config = await writeExample(folder, { orders: { columns: ORDER_COLUMNS } });
  await writeFile(at('sales-template.xml'), SHOP_TEMPLATE);
  await writeFile(at('commandes'), demo);
  await writeFile(at('ventes.xml'), sentFor(demo, SHOP_TEMPLATE));
});

describe('format orders', () => {
  it.each([
    [0, 'a whole file', few],
    [1, 'a header that is cut', 'id_order;reference'],
  ])('ends with %i for %s', async (expected, _, csv) => {
    await writeFile(at('commandes'), csv);
    const { code } = await format('orders', at('commandes'), '--config', config);
    expect(code).toBe(expected);
  });

  it('reads with what the environment has, and stands in for the rest', async () => {
    const delimiter = '${PASSERELLE_TEST_DELIMITER}';
    config = await writeExample(folder, { orders: { columns: ORDER_COLUMNS, file: { delimiter } } });
    await writeFile(at('commandes'), few.toString().replaceAll(';', '|'));
    const { code, stderr } = await format('orders', at('commandes'), '--config', config);
    expect([code, stderr]).toEqual([0, '']);
  });

  it('says to save UTF-16 anew', async () => {
    await writeFile(at('commandes'), Buffer.from(`\uFEFF${demo.toString()}`, 'utf16le'));
    const { code, stdout } = await format('orders', at('commandes'), '--config', config);
    expect(code).toBe(1);
    expect(stdout).toContain('réenregistrer en UTF-8');
    expect(stdout).not.toContain('Réglages proposés');
  });

  it('explains a file without the secrets of the configuration', async () => {
    const { code, stdout, stderr } = await format('orders', at('commandes'), '--config', config);
    // An order has a line without gencod.
    expect([code, stderr]).toEqual([1, '']);
    expect(stdout).toContain('utf-8 avec marque d’ordre, séparateur « ; »');
    expect(stdout).toContain('Lu avec les réglages : 7 commandes (de 4101 à 4108), 11 lignes\n');
    expect(stdout).toContain('Commandes mises de côté (1) :\n  ligne ');
    expect(stdout).not.toContain('Réglages proposés');
  });

  it('proposes settings that it takes, when they are written into the configuration', async () => {
    await writeFile(at('commandes'), demo.toString().replaceAll(';', '|').replace('product_ean13', 'Gencod'));
    const { stdout } = await format('orders', at('commandes'), '--config', at('none.yaml'));
    const section = stdout.slice(stdout.indexOf('\norders:\n'));
    expect(section).toContain("delimiter: '|'");
    const { parse } = await import('yaml');
    const mended = await writeExample(folder, parse(section) as Record<string, Record<string, unknown>>);
    const again = await format('orders', at('commandes'), '--config', mended, '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({
      readWith: 'configuration',
      fault: null,
      proposal: null,
      content: { orders: 7 },
    });
  });

  it('says that there is no such file, and that there is no configuration', async () => {
    const { code, stdout, stderr } = await format('orders', at('nothing'), '--config', at('none.yaml'));
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(`${at('nothing')} ne peut pas être lu (ENOENT).\n`);
    expect(stderr).toContain('Sans réglages, d’après les fichiers seulement.');
  });
});

it('ends without a word when nobody reads on', async () => {
  await mkdir(at('orders'));
  await writeFile(at('orders/1'), demo);
  // More names than a pipe holds.
  for (let n = 2; n < 1_000; n++) await writeFile(at(`orders/${'alone '.repeat(20)}${n}`), '');
  await mkdir(at('xml'));
  await writeFile(at('xml/1'), sentFor(demo, SHOP_TEMPLATE));
  const words = ['src/client.ts', 'format', 'check', '--orders', at('orders'), '--xml', at('xml')];
  const { stdout, stderr } = await promisify(execFile)(
    'bash',
    [
      '--norc',
      '-c',
      '"$@" | head -c 1',
      'bash',
      process.execPath,
      '--import',
      'tsx',
      ...words,
      '--config',
      config,
    ],
    { cwd: ROOT, env: { PATH: process.env.PATH } },
  );
  expect([stdout, stderr]).toEqual(['/', '']);
});

describe('format stock', () => {
  it('explains a file', async () => {
    const stock = join(ROOT, 'test/fixtures/stock/accents.csv');
    const { code, stdout } = await format('stock', stock, '--config', config);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Lu avec les réglages : \d+ lignes, \d+ modèles?, \d+ déclinaisons, \d+ pièces/);
  });
});

describe('format check', () => {
  const check = () =>
    format('check', '--orders', at('commandes'), '--xml', at('ventes.xml'), '--config', config);

  it('ends with 0 when all is the same', async () => {
    const { code, stdout } = await check();
    expect(code).toBe(0);
    expect(stdout).toBe(
      `${at('commandes')} et ${at('ventes.xml')} : 6 commandes, rien ne diffère, la date du fichier mise à part (/Ventes/@Creation), en bon cadeau, non envoyées : 4105, illisibles, non envoyées : 1\n`,
    );
  });

  it('ends with 1 and the paths when something differs', async () => {
    const sent = await readFile(at('ventes.xml'), 'utf8');
    await writeFile(at('ventes.xml'), sent.replace('<Vendeur>INTERNET', '<Vendeur>WEB\u0085'));
    const { code, stdout } = await check();
    expect(code).toBe(1);
    // What a terminal would take for a command is not written to it.
    expect(stdout).toContain('\n  /Ventes/Vente[1]/Vendeur : attendu « WEB� », obtenu « INTERNET »\n');
  });

  it('pairs the files of two folders by their names, tells those without a partner, and ends with 2 for one that is cut', async () => {
    await Promise.all(['csv', 'xml'].map((name) => mkdir(at(name))));
    await writeFile(at('csv/a.csv'), demo);
    await writeFile(at('xml/a.xml'), sentFor(demo, SHOP_TEMPLATE));
    await writeFile(at('csv/b'), other);
    await writeFile(at('xml/b.xml'), sentFor(other, SHOP_TEMPLATE));
    await writeFile(at('csv/c.csv'), other);
    const words = ['check', '--orders', at('csv'), '--xml', at('xml'), '--config', config, '--json'];
    const whole = await format(...words);
    expect(whole.code).toBe(1);
    expect(JSON.parse(whole.stdout)).toMatchObject({
      pairs: [
        { orders: at('csv/a.csv'), xml: at('xml/a.xml'), check: { differences: [] } },
        { orders: at('csv/b'), xml: at('xml/b.xml'), check: { differences: [] } },
      ],
      alone: [at('csv/c.csv')],
    });

    await writeFile(at('xml/b.xml'), '<Ventes>');
    const cut = await format(...words);
    expect(cut.code).toBe(2);
    expect(JSON.parse(cut.stdout)).toMatchObject({
      pairs: [{ fault: null }, { check: null, fault: expect.stringContaining('line 1') as string }],
    });
  });

  it('pairs the files of one folder by their extensions, and none with itself', async () => {
    await mkdir(at('both'));
    await writeFile(at('both/a.csv'), demo);
    await writeFile(at('both/a.xml'), sentFor(demo, SHOP_TEMPLATE));
    const words = ['check', '--orders', at('both'), '--xml', `${at('both')}/`, '--config', config, '--json'];
    const { code, stdout } = await format(...words);
    expect(JSON.parse(stdout)).toMatchObject({
      pairs: [{ orders: at('both/a.csv'), xml: at('both/a.xml'), fault: null }],
      alone: [],
    });
    expect(code).toBe(0);
  });

  it('ends with 1 for an orders file that is cut', async () => {
    await writeFile(at('commandes'), demo.subarray(0, -1));
    await writeFile(at('ventes.xml'), sentFor(demo.subarray(0, -1), SHOP_TEMPLATE));
    const words = ['check', '--orders', at('commandes'), '--xml', at('ventes.xml'), '--config', config];
    const { code, stdout } = await format(...words);
    expect(code).toBe(1);
    expect(stdout).toContain('  La dernière ligne du fichier de commandes n’est pas entière');
  });

  it.each([
    [['--orders', 'commandes', '--xml', '.'], 'Il faut deux fichiers ou deux dossiers'],
    [['--orders', '.', '--xml', 'empty'], 'n’a de fichier de ventes du même nom'],
    [
      ['--orders', 'commandes', '--xml', 'ventes.xml', '--config', 'none.yaml'],
      'donnez le gabarit avec --template',
    ],
    [['--orders', 'commandes', '--xml', 'ventes.xml', '--template', 'commandes'], 'Cela n’a pas abouti'],
  ])('says what is wrong with %j', async (words, said) => {
    await mkdir(at('empty'));
    const paths = words.map((word) => (word.startsWith('--') ? word : at(word)));
    const { code, stderr } = await format('check', '--config', config, ...paths);
    expect(code).toBe(2);
    expect(stderr).toContain(said);
  });
});

describe('format draft', () => {
  const pair = () => ['--orders', at('commandes'), '--xml', at('ventes.xml'), '--config', config];

  it('writes a template that check finds right, and never over another', async () => {
    const { code, stdout } = await format('draft', ...pair(), '--out', at('draft.xml'));
    expect(code).toBe(0);
    expect(stdout).toContain(`Gabarit écrit : ${at('draft.xml')}\nFait d’après 6 commandes\nÀ vérifier :\n`);
    expect(stdout).toContain(
      '  /Ventes/Vente/Vendeur : « INTERNET » reste tel quel, aucun champ ne l’explique\n',
    );
    await writeFile(at('other.csv'), other);
    await writeFile(at('other.xml'), sentFor(other, SHOP_TEMPLATE));
    const checked = await format(
      'check',
      '--orders',
      at('other.csv'),
      '--xml',
      at('other.xml'),
      '--template',
      at('draft.xml'),
      '--config',
      config,
    );
    expect([checked.code, checked.stderr]).toEqual([0, '']);

    const again = await format('draft', ...pair(), '--out', at('draft.xml'));
    expect([again.code, again.stderr]).toEqual([2, `${at('draft.xml')} existe déjà, il reste tel quel.\n`]);
  });

  it('shows the template alone where it is to be sent to a file', async () => {
    const { stdout, stderr } = await format('draft', ...pair());
    expect(stdout).toMatch(/^<\?xml [^]*<\/Ventes>\n$/);
    expect(stderr).toContain('À vérifier :\n');
  });

  it('needs no configuration', async () => {
    const { code, stdout } = await format(
      'draft',
      ...pair().slice(0, 4),
      '--json',
      '--config',
      at('none.yaml'),
    );
    // Without it, the order paid with a gift voucher is taken for one that the old script forgot.
    expect(JSON.parse(stdout)).toMatchObject({ orders: 6, absent: [4105], out: null });
    expect(code).toBe(1);
  });
});

it.each([[], ['orders'], ['stock'], ['check'], ['draft']])(
  'explains itself in French: format %s',
  async (...words) => {
    const { code, stdout } = await format(...words, '--help');
    expect(code).toBe(0);
    expect(stdout).toContain(`Emploi : ${['passerelle', 'format', ...words].join(' ')}`);
    expect(stdout).toContain('Exemple :\n  npm run client -- format ');
    expect(stdout).not.toMatch(/Usage:|Options:|Commands:|display help/);
  },
);
