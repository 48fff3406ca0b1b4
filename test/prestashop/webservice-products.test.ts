import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { addProduct, listProducts } from '../../sandbox/webservice/catalog.ts';
import { inEachLanguage, insertRow, rowsOf, type Database } from '../../sandbox/webservice/database.ts';
import type { Fault } from '../../sandbox/webservice/faults.ts';
import { installShop } from '../../sandbox/webservice/install-shop.ts';
import { startWebservice, type Webservice } from '../../sandbox/webservice/server.ts';
import type { Version } from '../../sandbox/webservice/site.ts';
import { modelsOf, type Model } from '../../src/domain/product.ts';
import { readStock } from '../../src/domain/stock-csv.ts';
import { FAILURE, toFailure } from '../../src/failures.ts';
import { openWebservice } from '../../src/prestashop/webservice/api.ts';
import { createProductMaker, type ProductSettings } from '../../src/prestashop/webservice/products.ts';
import { WANTED_RIGHTS } from '../../src/prestashop/webservice/rights.ts';
import type { ProductsCreated } from '../../src/prestashop/shop.ts';
import { Secret } from '../../src/secret.ts';
import { STOCK_FORMAT } from '../domain/samples.ts';
import { openTestPglite, type TestLedger } from '../support/ledgers.ts';

const KEY = 'K'.repeat(32);
const VERSIONS: readonly Version[] = ['1.7.8', '8.2', '9.1'];
/** Far longer than any test: it is over when the clock is put forward. */
const PATIENCE = 600_000;
const SETTINGS: ProductSettings = {
  active: false,
  category: 2,
  taxRulesGroup: 1,
  taxRate: 22,
  sizeAttribute: 'Taille',
  onlySize: 'TU',
  patience: PATIENCE,
  concurrency: 1,
};
const { signal } = new AbortController();

let test: TestLedger;
beforeAll(async () => {
  test = await openTestPglite();
});
afterAll(() => test.close());
const running: Webservice[] = [];
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(async () => {
  vi.useRealTimers();
  for (const webservice of running.splice(0)) await webservice.stop();
});

interface Gateway {
  readonly database: Database;
  readonly webservice: Webservice;
  /** One attempt. */
  create(models: readonly Model[], change?: Partial<ProductSettings>): Promise<ProductsCreated>;
  /** Attempts until one ends well, each when no request of before can be at work. */
  createAtLast(models: readonly Model[]): Promise<ProductsCreated>;
}

let gateways = 0;
/** A shop, and a gateway to it with calls of its own in the ledger. */
async function open(
  version: Version = '8.2',
  database: Database = installShop(),
  timeout = 20_000,
  readOnly?: string,
): Promise<Gateway> {
  const rights = Object.fromEntries(
    Object.entries(WANTED_RIGHTS).map(([name, verbs]) => [
      name,
      name === readOnly ? ['GET' as const] : verbs.map((verb) => verb.toUpperCase() as 'GET'),
    ]),
  );
  const webservice = await startWebservice(database, { version, key: KEY, rights });
  running.push(webservice);
  const prefix = `${++gateways} `;
  const ledger = {
    ...test.ledger,
    claimCall: (job: string, at: Date, patience: number) => test.ledger.claimCall(prefix + job, at, patience),
    endCall: (job: string) => test.ledger.endCall(prefix + job),
  };
  const create: Gateway['create'] = (models, change = {}) => {
    const settings = { ...SETTINGS, ...change };
    const { concurrency } = settings;
    const api = openWebservice({ url: webservice.url, key: new Secret(KEY), timeout, concurrency });
    return createProductMaker({ api, ledger }, settings)(models, signal);
  };
  return {
    database,
    webservice,
    create,
    async createAtLast(models) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await create(models);
        } catch (error) {
          const { type } = toFailure(error, (text) => text) as { type?: string };
          if (attempt === 8 || (type !== FAILURE.notYet && type !== FAILURE.transient)) throw error;
          vi.setSystemTime(Date.now() + PATIENCE);
        }
      }
    },
  };
}

let barcodes = 8_050_000_000_000;
const aModel = (change: Partial<Model> = {}): Model => ({
  reference: 'SNK001',
  name: 'Alfa Cuir Noir',
  supplier: 'Alfa',
  price: '59.90',
  sizes: sizes('38', '39'),
  ...change,
});
function sizes(...names: readonly string[]): Model['sizes'] {
  return names.map((size) => ({ size, ean: String(++barcodes) }));
}

/** What the Webservice shows of all entities of a resource. */
async function read({ webservice }: Gateway, resource: string): Promise<readonly Record<string, unknown>[]> {
  const response = await fetch(`${webservice.url}/api/${resource}?display=full&output_format=JSON`, {
    headers: { authorization: `Basic ${Buffer.from(`${KEY}:`).toString('base64')}` },
  });
  const answer = (await response.json()) as Record<string, Record<string, unknown>[]> | [];
  return Array.isArray(answer) ? [] : (answer[resource] ?? []);
}

/** All that a shop sells, by names instead of ids. */
function content(database: Database) {
  const named = (table: 'manufacturers' | 'suppliers', id: number) => database[table].rows.get(id)?.name;
  const values = (combination: number) =>
    database.combinationValues
      .filter((link) => link.combination === combination)
      .map((link) => database.product_option_values.rows.get(link.value)?.name);
  const sorted = <Item>(items: readonly Item[]) =>
    [...items].sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
  return {
    products: sorted(
      rowsOf(database, 'products').map(
        ({
          id,
          id_manufacturer,
          id_supplier,
          cache_default_attribute,
          date_add,
          date_upd,
          meta_keywords,
          ...product
        }) => ({
          ...product,
          brand: named('manufacturers', id_manufacturer),
          supplier: named('suppliers', id_supplier),
          dated: [date_add, date_upd].every((date) => date !== ''),
          // 9.1 has none of them.
          keywords: Object.values(meta_keywords).join(''),
          default: database.combinations.rows.get(cache_default_attribute)?.ean13,
          categories: database.categoryProducts.flatMap((link) =>
            link.product === id ? [link.category] : [],
          ),
          suppliers: rowsOf(database, 'product_suppliers', (link) => link.id_product === id).map((link) => ({
            supplier: named('suppliers', link.id_supplier),
            combination: link.id_product_attribute,
            currency: link.id_currency,
          })),
          sizes: sorted(
            rowsOf(database, 'combinations', (row) => row.id_product === id).map((row) => ({
              ean: row.ean13,
              default: row.default_on,
              reference: row.reference,
              price: row.price,
              values: values(row.id),
            })),
          ),
          stock: rowsOf(database, 'stock_availables', (row) => row.id_product === id).length,
        }),
      ),
    ),
    brands: sorted(rowsOf(database, 'manufacturers').map(({ name, active }) => ({ name, active }))),
    suppliers: sorted(rowsOf(database, 'suppliers').map(({ name, active }) => ({ name, active }))),
    options: sorted(
      rowsOf(database, 'product_options').map(({ name, public_name }) => ({ name, public_name })),
    ),
    values: sorted(
      rowsOf(database, 'product_option_values').map(({ name, id_attribute_group }) => ({
        name,
        id_attribute_group,
      })),
    ),
    links: database.combinationValues.length,
  };
}

/** The sizes of the product, `38=8050000000001*`: the star stands for the default. */
function sizesOf(database: Database, product = 1): string[] {
  return rowsOf(database, 'combinations', (row) => row.id_product === product).map((row) => {
    const names = database.combinationValues
      .filter((link) => link.combination === row.id)
      .map((link) => database.product_option_values.rows.get(link.value)?.name[1]);
    return `${names.join('+')}=${row.ean13}${row.default_on ? '*' : ''}`;
  });
}
const posts = ({ webservice }: Gateway) => webservice.requests.filter(({ method }) => method === 'POST');
const names = (database: Database, table: 'manufacturers' | 'suppliers') =>
  rowsOf(database, table).map(({ name }) => name);
const valueNames = (database: Database) =>
  rowsOf(database, 'product_option_values').map(({ name }) => name[1]);

describe('A model that the shop does not have', () => {
  it('becomes a product, alike in every version', async () => {
    const shown = [];
    for (const version of VERSIONS) {
      const gateway = await open(version);
      barcodes = 8_050_000_000_000;
      const model = aModel();
      expect(await gateway.create([model])).toEqual({ references: ['SNK001'], sizesAdded: 0, problems: [] });
      const [product, ...others] = await read(gateway, 'products');
      expect(others).toEqual([]);
      const inBoth = (text: string) => [
        { id: expect.toSatisfy((id) => id == 1) as unknown, value: text },
        { id: expect.toSatisfy((id) => id == 2) as unknown, value: text },
      ];
      expect(product).toMatchObject({
        reference: 'SNK001',
        price: '49.098361',
        manufacturer_name: 'Alfa',
        product_type: 'combinations',
        visibility: 'both',
        name: inBoth('Alfa Cuir Noir'),
        link_rewrite: inBoth('alfa-cuir-noir'),
      });
      const numbers = {
        // The back office lists those of state 1.
        state: 1,
        active: 0,
        available_for_order: 1,
        show_price: 1,
        minimal_quantity: 1,
        id_tax_rules_group: 1,
        id_category_default: 2,
        id_manufacturer: 1,
        id_supplier: 1,
        id_default_combination: 1,
      };
      const shownNumbers = Object.keys(numbers).map((field) => [field, Number(product?.[field])]);
      expect(Object.fromEntries(shownNumbers)).toEqual(numbers);
      expect(await read(gateway, 'combinations')).toMatchObject(
        model.sizes.map(({ ean }, index) => ({
          ean13: ean,
          reference: 'SNK001',
          price: '0.000000',
          default_on: expect.toSatisfy((value) => (value === '1') === (index === 0)) as unknown,
          associations: {
            product_option_values: [{ id: expect.toSatisfy((id) => id == index + 1) as unknown }],
          },
        })),
      );
      expect(
        (await read(gateway, 'product_suppliers')).map(
          ({ id_product, id_product_attribute, id_supplier, id_currency }) =>
            [id_product, id_product_attribute, id_supplier, id_currency].map(Number),
        ),
      ).toEqual([[1, 0, 1, 1]]);
      expect(listProducts(gateway.database)).toMatchObject([{ price: 5_990, quantity: 0 }]);
      shown.push(content(gateway.database));
    }
    expect(shown[1]).toEqual(shown[0]);
    expect(shown[2]).toEqual(shown[0]);
  });

  it.each([
    ['59.90', 20, '49.916667'],
    ['59.90', 22, '49.098361'],
    ['59.9', 0, '59.900000'],
    ['0.01', 20, '0.008333'],
    ['999999999.999999', 22, '819672131.147540'],
  ])('that costs %s with %i %% of tax gets the price of %s without', async (price, taxRate, expected) => {
    const gateway = await open();
    await gateway.create([aModel({ price })], { taxRate });
    expect(rowsOf(gateway.database, 'products')[0]?.price).toBe(expected);
  });

  it.each([
    [null, 'none'],
    ['0', '0'],
    ['0.00', '0.00'],
  ])('is not made without a price (%s), which is told', async (price, got) => {
    const gateway = await open();
    expect(await gateway.create([aModel({ price })])).toEqual({
      references: [],
      sizesAdded: 0,
      problems: [`Expected a price of SNK001, got ${got}`],
    });
    expect(posts(gateway)).toEqual([]);
  });

  it.each(VERSIONS)('is given a name that the shop takes, and an address, in %s', async (version) => {
    const names: readonly (readonly [name: string, called: string, link: string])[] = [
      ['Alfa <b>;=#{}', 'Alfa b', 'alfa-b'],
      ['a\u0000b\u001Fc\nd\u0085e\uFFFEf\uD800g', 'a b c d e f g', 'a-b-c-d-e-f-g'],
      ['É'.repeat(200), 'É'.repeat(128), 'e'.repeat(128)],
      [`A${'👟'.repeat(100)}`, `A${'👟'.repeat(63)}`, 'a'],
      ['<>;=#{}', 'SNK004', 'snk004'],
      ['', 'SNK005', 'snk005'],
      ['Œuf & "Été" l’an', 'Œuf & "Été" l’an', 'uf-ete-l-an'],
      ['鞋', '鞋', 'produit'],
    ];
    const gateway = await open(version);
    const models = names.map(([name], index) =>
      aModel({ reference: `SNK00${index}`, name, sizes: sizes('38') }),
    );
    expect((await gateway.create(models)).problems).toEqual([]);
    const called = rowsOf(gateway.database, 'products').map(({ name, link_rewrite }) => [name, link_rewrite]);
    expect(called).toEqual(
      names.map(([, name, link]) => [
        { 1: name, 2: name },
        { 1: link, 2: link },
      ]),
    );
  });

  it('is named in the languages that are not shown yet, too', async () => {
    const gateway = await open();
    const [, italian] = rowsOf(gateway.database, 'languages');
    if (italian) italian.active = false;
    await gateway.create([aModel()]);
    expect(rowsOf(gateway.database, 'products')[0]?.name[2]).toBe('Alfa Cuir Noir');
    expect(rowsOf(gateway.database, 'product_option_values')[0]?.name[2]).toBe('38');
  });

  it('is shown at once where the shop wants it so', async () => {
    const gateway = await open();
    await gateway.create([aModel()], { active: true });
    expect(rowsOf(gateway.database, 'products')[0]).toMatchObject({ active: true, state: 1 });
  });

  it.each(['A<B', 'A;B', 'A=B', 'A{B}', 'A\u0001B', 'A'.repeat(65)])(
    'is not made with a reference that the shop would refuse (%j), which is told',
    async (reference) => {
      const gateway = await open();
      const { problems } = await gateway.create([aModel({ reference })]);
      expect(problems).toEqual([
        `Expected a reference of at most 64 characters without \`<>;={}\`, got \`${reference}\``,
      ]);
      expect(posts(gateway)).toEqual([]);
    },
  );

  it('is made once, also with an odd reference and when no answer comes', async () => {
    const gateway = await open();
    const references = ['A|B', 'A,B', '1,2', '[A]', 'A]', '%A%', 'A&B#C+D', 'é ê', 'A'.repeat(64)];
    const models = references.map((reference) => aModel({ reference, sizes: sizes('38', '39') }));
    for (const _ of models)
      gateway.webservice.failNext({ method: 'POST', resource: 'products' }, 'answer lost');
    await gateway.createAtLast(models);
    expect(listProducts(gateway.database)).toMatchObject(
      references.map((reference) => ({ reference, variants: [{}, {}] })),
    );
    expect(await gateway.create(models)).toEqual({ references: [], sizesAdded: 0, problems: [] });
  });

  it('is not made beside one of an odd reference that was made meanwhile', async () => {
    for (const reference of ['A|B', '1,2', '[A]', 'é&#+%']) {
      const gateway = await open();
      const end = gateway.webservice.onRequest(({ resource }) => {
        if (resource !== 'languages') return;
        end();
        addProduct(gateway.database, { reference, name: 'By hand', price: 1, variants: [] });
      });
      await expect(gateway.create([aModel({ reference })])).rejects.toMatchObject({
        type: FAILURE.notYet,
        message: `Expected no product ${reference} in the shop, got one made meanwhile`,
      });
      expect(rowsOf(gateway.database, 'products')).toHaveLength(1);
    }
  });

  it('is not made without a size that has a barcode, which is told', async () => {
    const gateway = await open();
    const { problems } = await gateway.create([aModel({ sizes: [] })]);
    expect(problems).toEqual(['Expected a size of SNK001 with a readable barcode, got none']);
    expect(posts(gateway)).toEqual([]);
  });

  it.each(VERSIONS)(
    'is not stopped by a barcode that only some versions take in %s, which is told',
    async (version) => {
      const gateway = await open(version);
      const long = { size: '38', ean: '12345678901234' };
      const models = [
        aModel({ reference: 'LONG', sizes: [long] }),
        aModel({ reference: 'MIXED', sizes: [long, ...sizes('39')] }),
        aModel(),
      ];
      const { references, problems } = await gateway.create(models);
      expect(references).toEqual(['MIXED', 'SNK001']);
      expect(problems).toEqual([
        'Expected a barcode of at most 13 digits, got 12345678901234 (LONG, size 38)',
        'Expected a barcode of at most 13 digits, got 12345678901234 (MIXED, size 38)',
      ]);
      expect(listProducts(gateway.database).map(({ reference }) => reference)).toEqual(['MIXED', 'SNK001']);
    },
  );

  it('that the shop refuses for a reason of its own is told, and stops no other', async () => {
    const gateway = await open();
    const models = [
      aModel({ reference: 'DEAR', price: '99999999999.00' }),
      // PrestaShop stops at the first one that it refuses.
      aModel({ reference: 'ODD', sizes: [...sizes('36'), { size: '37', ean: 'X1' }, ...sizes('38', '39')] }),
      aModel(),
    ];
    const { references, problems } = await gateway.create(models);
    expect(references).toEqual(['ODD', 'SNK001']);
    expect(problems).toEqual([
      expect.stringMatching(
        /^Expected the shop to answer POST \/api\/products, got HTTP 400, code 85: .*price.* \(DEAR\)$/,
      ),
      expect.stringMatching(
        /^Expected the shop to answer POST \/api\/combinations, got HTTP 400, code 85: .*ean13.* \(ODD, size 37, X1\)$/,
      ),
    ]);
    expect(listProducts(gateway.database).map(({ variants }) => variants.map(({ size }) => size))).toEqual([
      ['36', '38', '39'],
      ['38', '39'],
    ]);
    expect(sizesOf(gateway.database).filter((size) => size.endsWith('*'))).toHaveLength(1);
  });

  it('stops the run where the key may not make it: Refused', async () => {
    const gateway = await open('8.2', installShop(), undefined, 'products');
    const error = await gateway.create([aModel()]).catch((caught: unknown) => caught);
    expect(toFailure(error, (text) => text)).toMatchObject({
      type: FAILURE.refused,
      message: expect.stringMatching(/POST \/api\/products, got HTTP 405, code 25/) as unknown,
    });
  });
});

describe('What products share', () => {
  it('is made once for all of them, in the order of the file', async () => {
    const gateway = await open();
    const models = ['A', 'B', 'C', 'D'].map((reference) =>
      aModel({ reference, supplier: reference < 'C' ? 'Alfa' : 'Beta', sizes: sizes('38', '39', '40') }),
    );
    await gateway.create(models, { concurrency: 4 });
    expect(names(gateway.database, 'manufacturers')).toEqual(['Alfa', 'Beta']);
    expect(names(gateway.database, 'suppliers')).toEqual(['Alfa', 'Beta']);
    expect(valueNames(gateway.database)).toEqual(['38', '39', '40']);
    expect(rowsOf(gateway.database, 'product_options')).toMatchObject([
      { group_type: 'select', is_color_group: false, name: { 1: 'Taille', 2: 'Taille' } },
    ]);
  });

  it.each(VERSIONS)(
    'is found, in another case, with other accents and spaces, in any language (%s)',
    async (version) => {
      const database = installShop();
      for (const table of ['manufacturers', 'suppliers'] as const) {
        insertRow(database, table, { name: 'Other', active: true });
        insertRow(database, table, { name: 'Méphisto  Sport', active: true });
      }
      // An option of the same values that is not meant.
      const width = insertRow(database, 'product_options', { name: { 1: 'Width', 2: 'Larghezza' } });
      const size = insertRow(database, 'product_options', { name: { 1: 'Size', 2: 'TAILLE ' } });
      for (const { id } of [width, size])
        insertRow(database, 'product_option_values', {
          id_attribute_group: id,
          name: { 1: 'One size', 2: 'tu' },
        });
      const gateway = await open(version, database);
      await gateway.create([aModel({ supplier: 'MEPHISTO SPORT', sizes: sizes('TU', ' Xl') })]);
      expect(names(database, 'manufacturers')).toHaveLength(2);
      expect(names(database, 'suppliers')).toHaveLength(2);
      expect(rowsOf(database, 'product_options')).toHaveLength(2);
      expect(rowsOf(database, 'product_option_values').slice(2)).toMatchObject([
        { id_attribute_group: size.id, name: { 1: 'Xl', 2: 'Xl' } },
      ]);
      expect(rowsOf(database, 'products')[0]).toMatchObject({ id_manufacturer: 2, id_supplier: 2 });
      expect(database.combinationValues).toEqual([
        { combination: 1, value: 2 },
        { combination: 2, value: 3 },
      ]);
    },
  );

  it('is the first one, where the shop has it twice', async () => {
    const database = installShop();
    for (const name of ['Alfa', 'ALFA']) {
      insertRow(database, 'manufacturers', { name, active: true });
      insertRow(database, 'suppliers', { name, active: true });
      insertRow(database, 'product_options', { name: inEachLanguage(database, 'taille') });
    }
    const gateway = await open('8.2', database);
    await gateway.create([aModel({ supplier: 'alfa' })]);
    expect(rowsOf(database, 'products')[0]).toMatchObject({ id_manufacturer: 1, id_supplier: 1 });
    expect(rowsOf(database, 'product_option_values')).toMatchObject([
      { id_attribute_group: 1 },
      { id_attribute_group: 1 },
    ]);
  });

  it('is of no interest where Proshop does not say it', async () => {
    const gateway = await open();
    await gateway.create([
      aModel({ supplier: ' ' }),
      aModel({ reference: 'B', supplier: '<>', sizes: sizes('38') }),
    ]);
    expect(rowsOf(gateway.database, 'products')).toMatchObject([
      { id_manufacturer: 0, id_supplier: 0 },
      { id_manufacturer: 0, id_supplier: 0 },
    ]);
    for (const table of ['manufacturers', 'suppliers', 'product_suppliers'] as const)
      expect(rowsOf(gateway.database, table)).toEqual([]);
  });

  it('is cut to the length that the shop takes, and found again by that', async () => {
    const gateway = await open();
    const change = { supplier: `${'É'.repeat(70)}A` };
    await gateway.create([aModel({ ...change, sizes: sizes('3'.repeat(140)) })]);
    await gateway.create([aModel({ ...change, reference: 'B', sizes: sizes('3'.repeat(150)) })]);
    expect(names(gateway.database, 'manufacturers')).toEqual(['É'.repeat(64)]);
    expect(names(gateway.database, 'suppliers')).toEqual(['É'.repeat(64)]);
    expect(valueNames(gateway.database)).toEqual(['3'.repeat(128)]);
  });
});

describe('The default combination', () => {
  const withSizes = (defaults: readonly boolean[]) => {
    const database = installShop();
    addProduct(database, {
      reference: 'SNK001',
      name: 'Shoe',
      price: 5_990,
      variants: defaults.map((_, index) => ({
        size: String(36 + index),
        ean: `805000000000${index}`,
        quantity: 1,
      })),
    });
    for (const [index, row] of rowsOf(database, 'combinations').entries())
      row.default_on = defaults[index] ?? false;
    return database;
  };

  it.each(VERSIONS)('is the first size of a product of the shop that had none in %s', async (version) => {
    const gateway = await open(version, withSizes([false, false]));
    const result = await gateway.create([aModel({ sizes: sizes('40', '41') })], { sizeAttribute: 'size' });
    expect(result).toEqual({ references: [], sizesAdded: 2, problems: [] });
    expect(sizesOf(gateway.database).map((size) => size.endsWith('*'))).toEqual([false, false, true, false]);
  });

  it.each(VERSIONS)('stays the one that it is in %s', async (version) => {
    const gateway = await open(version, withSizes([false, true]));
    await gateway.create([aModel({ sizes: sizes('40', '41') })], { sizeAttribute: 'Size' });
    expect(sizesOf(gateway.database).map((size) => size.endsWith('*'))).toEqual([false, true, false, false]);
  });
});

describe('A size', () => {
  it.each(VERSIONS)('that Proshop adds later is created in %s, with its option value', async (version) => {
    const gateway = await open(version);
    const model = aModel();
    await gateway.create([model]);
    gateway.webservice.forgetRequests();
    const [added] = sizes('40');
    const grown = { ...model, sizes: [...model.sizes, ...(added ? [added] : [])] };
    expect(await gateway.create([grown])).toEqual({ references: [], sizesAdded: 1, problems: [] });
    expect(posts(gateway).map(({ resource }) => resource)).toEqual(['product_option_values', 'combinations']);
    const [first, second] = model.sizes;
    expect(sizesOf(gateway.database)).toEqual([`38=${first?.ean}*`, `39=${second?.ean}`, `40=${added?.ean}`]);
    gateway.webservice.forgetRequests();
    expect(await gateway.create([grown])).toEqual({ references: [], sizesAdded: 0, problems: [] });
    // The look at products and at sizes.
    expect(gateway.webservice.requests).toHaveLength(2);
  });

  it('whose barcode is on another product of the shop is told and not made', async () => {
    const database = installShop();
    const [taken, free, simple] = ['8050000000001', '8050000000002', '8050000000003'];
    addProduct(database, {
      reference: 'OLD',
      name: 'Old',
      price: 1,
      variants: [{ size: '38', ean: taken, quantity: 1 }],
    });
    addProduct(database, { reference: '', name: 'Bag', price: 1, ean: simple });
    const gateway = await open('8.2', database);
    const models = [
      aModel({
        sizes: [
          { size: '38', ean: taken },
          { size: '39', ean: free },
          { size: '40', ean: simple },
        ],
      }),
      aModel({ reference: 'ALL', sizes: [{ size: '38', ean: taken }] }),
    ];
    const { references, problems } = await gateway.create(models);
    expect(references).toEqual(['SNK001']);
    expect(problems).toEqual([
      `Expected barcode ${taken} to be free, got it on OLD (SNK001, size 38)`,
      `Expected barcode ${simple} to be free, got it on a product without reference (SNK001, size 40)`,
      `Expected barcode ${taken} to be free, got it on OLD (ALL, size 38)`,
    ]);
    expect(sizesOf(database, 3)).toEqual([`39=${free}*`]);
  });

  it('whose barcode two models of Proshop have goes to the first one, which is told', async () => {
    const gateway = await open();
    const shared = sizes('38');
    const models = [
      aModel({ sizes: shared }),
      aModel({ reference: 'B', sizes: [...shared, ...sizes('39')] }),
    ];
    const { references, problems } = await gateway.create(models, { concurrency: 4 });
    expect(references).toEqual(['SNK001', 'B']);
    expect(problems).toEqual([
      `Expected barcode ${shared[0]?.ean} to be free, got it on SNK001 (B, size 38)`,
    ]);
    expect(rowsOf(gateway.database, 'combinations')).toHaveLength(2);
  });

  it('of a product without sizes is not made: the product has a stock of its own', async () => {
    const database = installShop();
    addProduct(database, { reference: 'SNK001', name: 'Shoe', price: 1, quantity: 5 });
    addProduct(database, { reference: 'BAG', name: 'Bag', price: 1, ean: '8050000000001', quantity: 5 });
    const gateway = await open('8.2', database);
    const bag = { size: '', ean: '8050000000001' };
    const models = [
      aModel(),
      // Just this is in the shop.
      aModel({ reference: 'BAG', sizes: [bag] }),
    ];
    expect(await gateway.create(models)).toEqual({
      references: [],
      sizesAdded: 0,
      problems: ['Expected SNK001 to be a product with combinations, got one without in the shop'],
    });
    const { problems } = await gateway.create([aModel({ reference: 'BAG', sizes: [bag, ...sizes('L')] })]);
    expect(problems).toEqual(['Expected BAG to be a product with combinations, got one without in the shop']);
    expect(posts(gateway)).toEqual([]);
  });

  it('of a model that Proshop gives none is called by the setting', async () => {
    const gateway = await open();
    await gateway.create([aModel({ sizes: sizes('') }), aModel({ reference: 'B', sizes: sizes('<>') })]);
    expect(valueNames(gateway.database)).toEqual(['TU']);
    expect(sizesOf(gateway.database)).toEqual([expect.stringMatching(/^TU=/)]);
  });

  it('that differs in case or spaces alone is the same one: its second barcode is told', async () => {
    const gateway = await open();
    const [large, same, small] = sizes('XL ', ' xl', 'S');
    if (!large || !same || !small) throw new Error('Expected three sizes');
    const model = aModel({ sizes: [large, same, small] });
    const { problems } = await gateway.create([model]);
    expect(problems).toEqual([
      `Expected one barcode for size xl of SNK001, got ${same.ean} beside ${large.ean}`,
    ]);
    expect(sizesOf(gateway.database)).toEqual([`XL=${large.ean}*`, `S=${small.ean}`]);
    expect(await gateway.create([model])).toEqual({ references: [], sizesAdded: 0, problems });
    expect(rowsOf(gateway.database, 'combinations')).toHaveLength(2);
    await gateway.create([aModel({ reference: 'B', sizes: sizes('xL', 's') })]);
    expect(valueNames(gateway.database)).toEqual(['XL', 'S']);
  });

  it('that the shop has under another barcode, or none, is told and not made twice', async () => {
    const database = installShop();
    const variants = [
      { size: '38', ean: '8050000000001', quantity: 1 },
      { size: '39', ean: '', quantity: 1 },
    ];
    addProduct(database, { reference: 'SNK001', name: 'Shoe', price: 1, variants });
    const gateway = await open('8.2', database);
    const [first, second] = sizes('38', '39');
    const model = aModel({ sizes: first && second ? [first, second] : [] });
    const { problems, sizesAdded } = await gateway.create([model], { sizeAttribute: 'Size' });
    expect(sizesAdded).toBe(0);
    expect(problems).toEqual([
      `Expected one barcode for size 38 of SNK001, got ${first?.ean} beside 8050000000001`,
      `Expected one barcode for size 39 of SNK001, got ${second?.ean} beside none in the shop`,
    ]);
    expect(posts(gateway)).toEqual([]);
  });

  it('that the shop has as two values of one name is one size', async () => {
    const database = installShop();
    const variants = [{ size: '38', ean: '8050000000001', quantity: 1 }];
    addProduct(database, { reference: 'SNK001', name: 'Shoe', price: 1, variants });
    const [value] = rowsOf(database, 'product_option_values');
    const twin = insertRow(database, 'product_option_values', {
      id_attribute_group: value?.id ?? 0,
      name: inEachLanguage(database, '38'),
    });
    database.combinationValues[0] = { combination: 1, value: twin.id };
    const gateway = await open('8.2', database);
    const [again, other] = sizes('38', '39');
    const model = aModel({ sizes: again && other ? [again, other] : [] });
    expect(await gateway.create([model], { sizeAttribute: 'Size' })).toEqual({
      references: [],
      sizesAdded: 1,
      problems: [`Expected one barcode for size 38 of SNK001, got ${again?.ean} beside 8050000000001`],
    });
    expect(sizesOf(database)).toEqual(['38=8050000000001*', `39=${other?.ean}`]);
  });

  it('is not put beside combinations of two options', async () => {
    const database = installShop();
    const variants = [{ size: '38', ean: '8050000000001', quantity: 1 }];
    addProduct(database, { reference: 'SNK001', name: 'Shoe', price: 1, variants });
    const colour = insertRow(database, 'product_options', { name: inEachLanguage(database, 'Colour') });
    const red = insertRow(database, 'product_option_values', {
      id_attribute_group: colour.id,
      name: inEachLanguage(database, 'Red'),
    });
    database.combinationValues.push({ combination: 1, value: red.id });
    const gateway = await open('8.2', database);
    const { problems } = await gateway.create([aModel()], { sizeAttribute: 'Size' });
    expect(problems).toEqual([
      'Expected SNK001 to have combinations by `Size` alone, got others in the shop: its new sizes are not made',
    ]);
    expect(rowsOf(database, 'combinations')).toHaveLength(1);
  });

  it('is not put beside combinations by something else', async () => {
    const database = installShop();
    addProduct(database, {
      reference: 'SNK001',
      name: 'Shoe',
      price: 1,
      variants: [{ size: '38', ean: '8050000000001', quantity: 1 }],
    });
    const gateway = await open('8.2', database);
    const { problems } = await gateway.create([aModel()]);
    expect(problems).toEqual([
      'Expected SNK001 to have combinations by `Taille` alone, got others in the shop: its new sizes are not made',
    ]);
    expect(rowsOf(database, 'combinations')).toHaveLength(1);
  });
});

describe('One reference', () => {
  it('of two models of Proshop makes one product, named by the first one', async () => {
    const gateway = await open();
    const rows = [
      'Fournisseur;Matiere;Couleur;Modele;Taille;Gencod;Prix;Stock;Magasin',
      'Alfa;Cuir;Noir;SNK001;38;8050000000001;59,90;1;008',
      'Beta;Daim;Beige;SNK001;39;8050000000002;69,90;1;008',
      'Beta;Daim;Beige;SNK001;38;8050000000003;69,90;1;008',
    ];
    const bytes = Buffer.from(rows.map((row) => `${row}\r\n`).join(''));
    const stock = readStock(bytes, 'stock.csv', STOCK_FORMAT);
    expect(stock.doubts).toEqual([]);
    const { references, problems } = await gateway.create(modelsOf(stock));
    expect(references).toEqual(['SNK001']);
    expect(problems).toEqual([
      'Expected one barcode for size 38 of SNK001, got 8050000000003 beside 8050000000001',
    ]);
    expect(listProducts(gateway.database)).toMatchObject([
      { name: 'Alfa Cuir Noir', price: 5_990, variants: [{ size: '38' }, { size: '39' }] },
    ]);
  });

  it('of two products of the shop: the sizes of both are there, new ones go to the first, which is told', async () => {
    const database = installShop();
    const eans = ['8050000000001', '8050000000002'];
    for (const ean of eans)
      addProduct(database, {
        reference: 'SNK001',
        name: 'Shoe',
        price: 1,
        variants: [{ size: ean.slice(-2), ean, quantity: 1 }],
      });
    const gateway = await open('8.2', database);
    const model = aModel({ sizes: eans.map((ean) => ({ size: ean.slice(-2), ean })) });
    expect(await gateway.create([model])).toEqual({ references: [], sizesAdded: 0, problems: [] });
    const grown = { ...model, sizes: [...model.sizes, ...sizes('40')] };
    expect(await gateway.create([grown], { sizeAttribute: 'Size' })).toEqual({
      references: [],
      sizesAdded: 1,
      problems: ['Expected one product SNK001 in the shop, got 1 and 2: new sizes go to 1'],
    });
    expect([sizesOf(database, 1).length, sizesOf(database, 2).length]).toEqual([2, 1]);
  });
});

describe('A run that is cut and made again', () => {
  const MODELS = [
    aModel({ sizes: sizes('38', '39', '40') }),
    aModel({ reference: 'SNK002', supplier: 'Beta', sizes: sizes('39', '') }),
    aModel({ reference: 'SNK003', sizes: sizes('40', '41') }),
  ];
  const FAULTS: readonly Fault[] = [
    'reset',
    'status 500',
    'hang',
    'status 503',
    'answer lost',
    'done, status 500',
    'batch breaks',
    'error text',
  ];
  /** Of the others, a reading client takes each for one of these: it asks again itself, or gives up. */
  const OF_READING = FAULTS.slice(0, 2);
  /** SNK003 is there with a size, and without a default. */
  const begun = () => {
    const database = installShop();
    addProduct(database, {
      reference: 'SNK003',
      name: 'Alfa Cuir Noir',
      price: 5_990,
      variants: [{ size: '36', ean: '8050000009999', quantity: 1 }],
    });
    for (const option of rowsOf(database, 'product_options'))
      option.name = inEachLanguage(database, 'Taille');
    for (const row of rowsOf(database, 'combinations')) row.default_on = false;
    return database;
  };

  it('makes nothing twice and nothing half, wherever it is cut and however', async () => {
    const limit = pLimit(12);
    const cuts = [
      // The attribute is there in this one, and is to be made in the other.
      { shop: begun, where: () => true },
      { shop: installShop, where: (resource: string) => resource === 'product_options' },
    ].map(async ({ shop, where }) => {
      const undisturbed = await open('8.2', shop());
      // One request at a time: the nth is the same each time.
      await undisturbed.create(MODELS);
      const expected = content(undisturbed.database);
      expect(expected.products.map(({ sizes }) => sizes.filter((size) => size.default).length)).toEqual([
        1, 1, 1,
      ]);
      const runs = undisturbed.webservice.requests.flatMap(({ method, resource }, nth) =>
        (method === 'GET' ? OF_READING : FAULTS).flatMap((fault) =>
          where(resource) ? [{ fault, nth }] : [],
        ),
      );
      const made = runs.map(({ fault, nth }) =>
        limit(async () => {
          const gateway = await open(VERSIONS[nth % 3], shop(), fault === 'hang' ? 3_000 : undefined);
          gateway.webservice.failNext({ skip: nth }, fault);
          await gateway.createAtLast(MODELS);
          const cut = gateway.webservice.requests.find((request) => request.fault !== undefined);
          expect({ fault, cut: cut?.url, ...content(gateway.database) }).toEqual({
            fault,
            cut: undisturbed.webservice.requests[nth]?.url,
            ...expected,
          });
          expect(await gateway.create(MODELS)).toEqual({ references: [], sizesAdded: 0, problems: [] });
        }),
      );
      await Promise.all(made);
      return runs.length;
    });
    const [first = 0, second = 0] = await Promise.all(cuts);
    expect(first).toBeGreaterThan(110);
    expect(second).toBeGreaterThan(10);
  });

  it('waits while a request may still be at work, tells so, and makes nothing twice', async () => {
    const undisturbed = await open();
    await undisturbed.create(MODELS);
    const resources = [
      'manufacturers',
      'suppliers',
      'product_options',
      'product_option_values',
      'products',
      'product_suppliers',
      'combinations',
    ];
    const cut = await Promise.all(
      resources.map(async (resource) => {
        const gateway = await open('8.2', installShop(), 2_000);
        gateway.webservice.failNext({ method: 'POST', resource }, 'slow', { milliseconds: 10_000 });
        await expect(gateway.create(MODELS)).rejects.toMatchObject({
          mayHaveBegun: true,
          code: 'TimeoutError',
        });
        await expect(gateway.create(MODELS)).rejects.toMatchObject({
          type: FAILURE.notYet,
          message: expect.stringMatching(
            /^Expected the shop to have made .*, got no answer yet: it may still be at it$/,
          ) as unknown,
        });
        expect(content(gateway.database)).not.toEqual(content(undisturbed.database));
        return gateway;
      }),
    );
    await sleep(10_000);
    for (const gateway of cut) {
      await gateway.createAtLast(MODELS);
      expect(content(gateway.database)).toEqual(content(undisturbed.database));
    }
  });

  it.each([0, 1, 3, 10, 30])(
    'makes nothing twice beside another run that goes on, begun %i ms later',
    async (later) => {
      const undisturbed = await open('8.2', begun());
      await undisturbed.create(MODELS);
      const gateway = await open('8.2', begun());
      const attempts = [0, 1, 2].map(async (index) => {
        await sleep(index * later);
        // As Temporal would: again and again, while the time does not pass that makes a claim void.
        for (let attempt = 1; ; attempt++) {
          try {
            return await gateway.create(MODELS, { concurrency: 3 });
          } catch (error) {
            if (attempt === 200 || (error as { type?: string }).type !== FAILURE.notYet) throw error;
            await sleep(5);
          }
        }
      });
      await Promise.all(attempts);
      expect(content(gateway.database)).toEqual(content(undisturbed.database));
    },
  );

  it('leaves nothing that must be waited for where nothing was asked', async () => {
    const gateway = await open();
    gateway.webservice.failNext({ method: 'GET', resource: 'manufacturers', skip: 1 }, 'hang');
    await expect(gateway.create(MODELS, { patience: 600 })).rejects.toThrow('GET /api/manufacturers');
    await gateway.create(MODELS);
    expect(listProducts(gateway.database)).toHaveLength(3);
  });
});

describe('A whole assortment', () => {
  it('is created, a few requests for each product whatever its sizes', async () => {
    const gateway = await open();
    const models = Array.from({ length: 100 }, (_, index) =>
      aModel({
        reference: `MOD${index}`,
        supplier: `Supplier ${index % 7}`,
        sizes: sizes('36', '37', '38', '39', '40', '41', '42', '43'),
      }),
    );
    const { references } = await gateway.create(models, { concurrency: 4 });
    expect(references).toEqual(models.map(({ reference }) => reference));
    expect(gateway.webservice.requests.length).toBeLessThanOrEqual(6 * models.length + 30);
    for (const { variants } of listProducts(gateway.database))
      expect(variants.map(({ size }) => size)).toEqual(['36', '37', '38', '39', '40', '41', '42', '43']);
    expect(rowsOf(gateway.database, 'combinations').filter((row) => row.default_on)).toHaveLength(100);
  });
});
