import { readdirSync, readFileSync } from 'node:fs';
import { request as send } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCheckout } from '../../sandbox/webservice/checkout.ts';
import type { Cell, Column } from '../../sandbox/webservice/columns.ts';
import type { Database, Row, TableName } from '../../sandbox/webservice/database.ts';
import { inEachLanguage, insertRow, rowOf } from '../../sandbox/webservice/database.ts';
import { installShop } from '../../sandbox/webservice/install-shop.ts';
import { parseRecording } from '../../sandbox/webservice/recording.ts';
import type { Recording } from '../../sandbox/webservice/recording.ts';
import type { Webservice, WebserviceOptions } from '../../sandbox/webservice/server.ts';
import { startWebservice } from '../../sandbox/webservice/server.ts';
import type { Version } from '../../sandbox/webservice/site.ts';
import { TABLES } from '../../sandbox/webservice/tables.ts';
import type { XmlElement } from '../../sandbox/xml.ts';
import { parseXml } from '../../sandbox/xml.ts';

/**
 * Replays recorded exchanges with three running PrestaShops against the simulated one, over HTTP, in the order in which they
 * can have happened. The shop is called by the name it had there, so that answers can be compared to the letter: status,
 * content type, version, redirect and body. Between them stands what was done and not recorded.
 */

const FIXTURES = new URL('../fixtures/prestashop-webservice/', import.meta.url);
/** What was observed from outside, and is no exchange: see webservice.test.ts. */
const TIMELINES = ['_order_timeline_tables', '_order_state_and_stock'];
const FOLDERS: Readonly<Record<Version, string>> = { '1.7.8': '1.7.8.11', '8.2': '8.2.1', '9.1': '9.1.4' };
const DOMAINS: Readonly<Record<Version, string>> = {
  '1.7.8': '127.0.0.1:18017',
  '8.2': '127.0.0.1:18080',
  '9.1': '127.0.0.1:18091',
};
const KEY = 'RESEARCHSHOPRESEARCHSHOPRESEARCH';
const READ_ONLY_KEY = 'READONLYREADONLYREADONLYREADONLY';

/** A recorded exchange, or something that was not recorded. */
type Step = string | Replay | { readonly between: (shop: Shop) => Promise<void> | void };
interface Replay {
  readonly file: string;
  /** True where the database gave the rows of a list in an order of its own. */
  readonly unordered?: true;
  /** Where the body is not compared any more: only its beginning was recorded, or it is a picture. */
  readonly until?: string;
  /** The key that was sent, where it was not written down. */
  readonly key?: string;
}
/** The shop's clock, as the recorded dates show it. */
const at = (time: string): Step => ({ between: (shop) => void (shop.time = time) });
const unordered = (file: string): Step => ({ file, unordered: true });
const meanwhile = (between: (shop: Shop) => Promise<void> | void): Step => ({ between });

interface Shop {
  readonly version: Version;
  readonly database: Database;
  readonly webservice: Webservice;
  /** A second entrance, for a key that may only read orders and stock. */
  readonly readOnly: Webservice;
  time: string;
}

async function open(version: Version, database: Database): Promise<Shop> {
  const clock = { time: '2026-11-24 00:00:00' };
  const options: WebserviceOptions = {
    version,
    key: KEY,
    domain: DOMAINS[version],
    localTime: () => clock.time,
  };
  return Object.assign(clock, {
    version,
    database,
    webservice: await startWebservice(database, options),
    readOnly: await startWebservice(database, {
      ...options,
      key: READ_ONLY_KEY,
      rights: { orders: ['GET', 'HEAD'], stock_availables: ['GET', 'HEAD'] },
    }),
  });
}

interface Heard {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Sends a request as it was recorded. */
async function ask(shop: Shop, { request }: Pick<Recording, 'request'>): Promise<Heard> {
  const { key = KEY } = request;
  const { url } = key === READ_ONLY_KEY ? shop.readOnly : shop.webservice;
  const auth = key === 'None' ? {} : { authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}` };
  return new Promise((resolve, reject) => {
    const call = send(
      url,
      {
        method: request.method,
        path: request.url.replaceAll(' ', '%20'),
        headers: { host: DOMAINS[shop.version], ...auth, ...request.headers },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString('utf8'),
          }),
        );
        response.on('error', reject);
      },
    );
    call.on('error', reject);
    call.end(request.body.trim() === '(binary)' ? PICTURE : request.body);
  });
}

/** Stands for the picture, which was not written down. */
const PICTURE = [
  '--XXBOUND',
  'Content-Disposition: form-data; name="image"; filename="shoe.jpg"',
  'Content-Type: image/jpeg',
  '',
  'a shoe',
  '--XXBOUND--',
  '',
].join('\r\n');

/** Does what was not recorded, and sees to it that it went well. */
async function doing(shop: Shop, method: string, url: string, body = ''): Promise<void> {
  const { status } = await ask(shop, { request: { method, url, headers: {}, key: undefined, body } });
  expect(status, `${method} ${url}`).toBeLessThan(300);
}

const xml = (content: string) => `<prestashop>${content}</prestashop>`;

function recording(version: Version, file: string): Recording {
  return parseRecording(readFileSync(new URL(`${FOLDERS[version]}/${file}.txt`, FIXTURES), 'utf8'));
}

/** What is compared of an answer: what a recording shows of it. */
function compared(
  { status, headers, body }: Heard | Recording['answer'],
  replay: Replay,
  shown: readonly string[],
) {
  const named = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  // nginx ends its lines with CR and LF; the recordings end with a line feed or two of their own.
  const text = body.replaceAll('\r\n', '\n').trimEnd();
  return {
    status,
    headers: Object.fromEntries(shown.map((name) => [name, named.get(name.toLowerCase())])),
    body: replay.unordered === true ? inOrder(text) : text,
  };
}

/** The part of a recorded answer that is compared. */
function beginning(answer: Recording['answer'], { until }: Replay): Recording['answer'] {
  if (until === undefined) return answer;
  const end = answer.body.indexOf(until);
  if (end < 300)
    throw new Error(`Expected a good part of the body before \`${until}\`, got ${end} characters`);
  return { ...answer, body: answer.body.slice(0, end) };
}

/** These are compared always, also where there must be none. */
const HEADERS = ['Content-Type', 'PSWS-Version', 'Location'];

/** A JSON list with its rows by their ids. */
function inOrder(json: string): unknown {
  return Object.entries(JSON.parse(json) as Record<string, { id: number }[]>).map(([name, rows]) => [
    name,
    rows.sort((one, other) => one.id - other.id),
  ]);
}

function replays(version: Version, seed: () => Database, steps: readonly Step[]): void {
  let shop: Shop;
  beforeAll(async () => {
    shop = await open(version, seed());
  });
  afterAll(async () => {
    await shop.webservice.stop();
    await shop.readOnly.stop();
  });
  const replayed = steps.flatMap((step) =>
    typeof step === 'string' ? [step] : 'file' in step ? [step.file] : [],
  );
  it('replays each recorded exchange that is kept, once', () => {
    const kept = readdirSync(new URL(FOLDERS[version], FIXTURES))
      .map((file) => file.replace('.txt', ''))
      .filter((file) => !TIMELINES.some((timeline) => file.endsWith(timeline)));
    expect([...replayed].sort()).toEqual(kept.sort());
  });

  let before: (Step & object)[] = [];
  for (const step of steps) {
    if (typeof step === 'object' && 'between' in step) {
      before.push(step);
      continue;
    }
    const replay: Replay = typeof step === 'string' ? { file: step } : step;
    const earlier = before;
    before = [];
    it(`${replay.file} is answered as it was`, async () => {
      for (const one of earlier) if ('between' in one) await one.between(shop);
      const recorded = recording(version, replay.file);
      const request = { ...recorded.request, key: replay.key ?? recorded.request.key };
      const heard = await ask(shop, { request });
      const known = beginning(recorded.answer, replay);
      const shown = [...new Set([...HEADERS, ...Object.keys(known.headers)])];
      const got = {
        ...heard,
        body: replay.until === undefined ? heard.body : heard.body.slice(0, known.body.length),
      };
      expect(compared(got, replay, shown)).toEqual(compared(known, replay, shown));
    });
  }
}

/* What the recordings show, as rows. */

type Shown = Readonly<Record<string, string | Readonly<Record<number, string>>>>;
interface ShownRow {
  readonly cells: Shown;
  /** The items of each association, with their parts. */
  readonly links: Readonly<Record<string, readonly Readonly<Record<string, string>>[]>>;
}

/** The rows that a recorded answer shows. */
function shownIn(version: Version, file: string): ShownRow[] {
  const { answer } = recording(version, file);
  return answer.headers['Content-Type'] === 'application/json'
    ? shownInJson(answer.body)
    : shownInXml(answer.body);
}

function shownInXml(body: string): ShownRow[] {
  const root = parseXml(body.trim());
  const [first] = root.children;
  const elements = first?.children.some((child) => child.name === 'id') === true ? [first] : first?.children;
  return (elements ?? []).map((element) => {
    const fields = element.children.filter((child) => child.name !== 'associations');
    const associations = element.children.find((child) => child.name === 'associations')?.children ?? [];
    return {
      cells: Object.fromEntries(fields.map((field) => [field.name, shownText(field)])),
      links: Object.fromEntries(
        associations.map((association) => [
          association.name,
          association.children.map((item) =>
            Object.fromEntries(item.children.map((part) => [part.name, part.text])),
          ),
        ]),
      ),
    };
  });
}

function shownText(field: XmlElement): Shown[string] {
  const languages = field.children.filter((child) => child.name === 'language');
  if (languages.length === 0) return field.text;
  return Object.fromEntries(languages.map((one) => [Number(one.attributes.id), one.text]));
}

function shownInJson(body: string): ShownRow[] {
  const [rows] = Object.values(JSON.parse(body) as Record<string, unknown>);
  return (Array.isArray(rows) ? rows : [rows]).map((row: Record<string, unknown>) => {
    const { associations = {}, ...fields } = row;
    return {
      cells: Object.fromEntries(
        Object.entries(fields).map(([name, value]) => [
          name,
          Array.isArray(value)
            ? Object.fromEntries(
                value.map(({ id, value: text }: { id: string; value: string }) => [id, text]),
              )
            : String((value as string | number | null) ?? ''),
        ]),
      ),
      links: associations as ShownRow['links'],
    };
  });
}

/** Puts a shown row into its table; what it does not show stays as it was, or empty. */
function put<Name extends TableName>(database: Database, table: Name, cells: Shown): Row<Name> {
  const columns = TABLES[table] as Readonly<Record<string, Column>>;
  const known = database[table].rows.get(Number(cells.id));
  const stored = Object.entries(cells)
    .filter(([name]) => columns[name] !== undefined)
    .map(([name, said]) => [name, cellOf(columns[name]?.kind, said)]);
  const row = { id: Number(cells.id), ...Object.fromEntries(stored) } as Partial<Row<Name>>;
  if (known === undefined) return insertRow(database, table, row);
  return Object.assign(known, row) as Row<Name>;
}

function cellOf(kind: Column['kind'] | undefined, said: Shown[string]): Cell {
  if (typeof said === 'object') return { ...said };
  if (kind === 'int') return Number(said);
  if (kind === 'optional int') return said === '' ? null : Number(said);
  if (kind === 'flag' || kind === 'default flag') return said === '1';
  return said;
}

function putAll(database: Database, version: Version, table: TableName, file: string): ShownRow[] {
  const rows = shownIn(version, file);
  for (const { cells } of rows) put(database, table, cells);
  return rows;
}

/** Puts a shown order into the tables, with its rows. */
function putOrder(database: Database, { cells, links }: ShownRow): void {
  const order = put(database, 'orders', cells);
  for (const item of links.order_rows ?? []) {
    put(database, 'order_details', { ...item, id_order: String(order.id), id_shop: '1' });
  }
}

const EU_SIZES = ['EU 36', 'EU 37', 'EU 37.5', 'EU 38', 'EU 39', 'EU 40', 'EU 41', 'EU 42'];

/** The shop of 8.2.1: 19 demo products, 40 shoes with eight sizes each, ten orders. */
function researchShop(): Database {
  const version = '8.2';
  const database = installShop({
    name: 'Research Shop',
    taxes: [
      { rate: 22, tax: 'IVA IT 22%', group: 'IT Standard Rate (22%)' },
      ...[10, 5, 4].map((rate) => ({
        rate,
        tax: `IVA IT ${rate}%`,
        group: `IT Reduced Rate (${rate}%)`,
      })),
      { rate: 0, tax: 'IVA IT 0%', group: 'IT Zero Rate (0%)' },
    ],
    at: '2026-11-24 01:56:17',
  });
  const all = (table: TableName, file: string) => putAll(database, version, table, file);
  const same = (said: string) => inEachLanguage(database, said);

  database.tax_rules.rows.clear();
  all('tax_rules', '03_tax_rules_full');
  all('carriers', '03_carriers_full');
  all('manufacturers', '03_manufacturers_full');
  all('suppliers', '03_suppliers_full');
  all('addresses', '03_addresses_full');
  for (const { cells, links } of all('customers', '03_customers_full')) {
    for (const { id } of links.groups ?? [])
      database.customerGroups.push({ customer: Number(cells.id), group: Number(id) });
  }
  for (const { cells, links } of all('categories', '03_categories_full')) {
    const category = Number(cells.id);
    const products = links.products?.map(({ id }) => Number(id)) ?? [];
    for (const [index, product] of products.entries())
      database.categoryProducts.push({ category, product, position: index + 1 });
  }
  // Their children are named only.
  for (const [id, id_parent] of [
    [4, 3],
    [5, 3],
    [7, 6],
    [8, 6],
  ] as const)
    insertRow(database, 'categories', { id, id_parent, level_depth: 3 });
  database.categoryProducts.push({ category: 4, product: 1, position: 1 });

  for (const { cells, links } of all('product_options', '03_product_options_full')) {
    for (const [position, { id }] of (links.product_option_values ?? []).entries())
      insertRow(database, 'product_option_values', {
        id: Number(id),
        id_attribute_group: Number(cells.id),
        position,
      });
  }
  all('product_option_values', '03_product_option_values_full');

  for (const { cells, links } of all('combinations', '03_combinations_full')) {
    for (const { id } of links.product_option_values ?? [])
      database.combinationValues.push({ combination: Number(cells.id), value: Number(id) });
    for (const { id } of links.images ?? [])
      database.combinationImages.push({ combination: Number(cells.id), image: Number(id) });
  }
  all('products', '03_products_full');
  for (let model = 0; model < 40; model++) {
    const id = 20 + model;
    if (!database.products.rows.has(id)) {
      insertRow(database, 'products', {
        ...rowOf(database, 'products', 24),
        id,
        reference: `SNK${String(model + 1).padStart(3, '0')}`,
        name: same(`Sneaker model ${model + 1}`),
      });
    }
    for (const [index, size] of EU_SIZES.entries()) {
      const code = 805_000_001_048 + model * 8 + index;
      insertRow(database, 'combinations', {
        id: 40 + model * 8 + index,
        id_product: id,
        ean13: `${code}0`,
        reference: `SNK${String(model + 1).padStart(3, '0')}-${size.slice(3)}`,
        minimal_quantity: 1,
        default_on: index === 0,
        available_now: same(''),
        available_later: same(''),
      });
      database.combinationValues.push({ combination: 40 + model * 8 + index, value: 26 + index });
    }
  }
  for (let id = 1; id < 20; id++)
    insertRow(database, 'products', { id, date_upd: '2026-11-24 01:56:26', name: same(`Demo ${id}`) });
  all('combinations', '05_combo_by_ean');
  database.images.next = 24;
  all('product_suppliers', '03_product_suppliers_full');
  database.product_suppliers.next = 74;

  all('stock_availables', '03_stock_availables_full');
  for (let model = 0; model < 40; model++) {
    const total = 59 + model * 9;
    const row = { id_product: 20 + model, id_shop: 1, out_of_stock: 2 };
    insertRow(database, 'stock_availables', { ...row, id: total, quantity: 80 });
    for (let size = 0; size < 8; size++) {
      insertRow(database, 'stock_availables', {
        ...row,
        id: total + 1 + size,
        id_product_attribute: 40 + model * 8 + size,
        quantity: 10,
      });
    }
  }
  all('stock_availables', '05_stock_by_product');

  all('order_details', '03_order_details_full');
  for (const { cells, links } of all('order_details', '03_order_details_by_order')) {
    for (const { id } of links.taxes ?? [])
      database.detailTaxes.push({ detail: Number(cells.id), tax: Number(id) });
  }
  const byId = new Map<number, ShownRow>();
  for (const file of ['01_orders_full_dateupd', '02_order_7', '02_order_8', '02_order_9', '02_order_10']) {
    for (const row of shownIn(version, file)) byId.set(Number(row.cells.id), row);
  }
  const [sixth] = shownIn(version, '15_patch_order_state');
  if (sixth === undefined) throw new Error('Expected order 6 in its recording, got none');
  // As it was before that: paid, not yet prepared.
  byId.set(6, {
    ...sixth,
    cells: {
      ...sixth.cells,
      current_state: '2',
      delivery_number: '0',
      delivery_date: '0000-00-00 00:00:00',
      date_upd: '2026-11-24 01:56:39',
    },
  });
  for (let id = 1; id <= 10; id++) {
    const row = byId.get(id);
    if (row !== undefined) putOrder(database, row);
    // Two orders of the demo are never shown whole.
    else put(database, 'orders', { ...byId.get(3)?.cells, id: String(id), current_state: '1' });
  }
  all('order_payments', '03_order_payments_full');
  all('order_cart_rules', '03_order_cart_rules_full');
  all('cart_rules', '03_cart_rules_full');
  all('order_carriers', '03_order_carriers_full');
  all('order_invoices', '03_order_invoices_full');
  for (const { cells } of shownIn(version, '30_histories_since').slice(0, 14))
    put(database, 'order_histories', cells);
  return database;
}

describe('PrestaShop 8.2.1', () => {
  replays('8.2', researchShop, [
    '00_index',
    '00_index_json',
    '01_orders_dateupd_NO_date1',
    '01_orders_dateupd_gt',
    '01_orders_full_dateupd',
    '01_orders_full_dateupd_json',
    '01_orders_id_gt',
    '01_orders_id_list',
    '01_orders_list',
    '01_orders_list_json',
    '01_orders_none',
    '01_orders_none_xml',
    '01_orders_offset_past_end',
    ...[
      '1',
      '1_json',
      '7',
      '7_json',
      '7_json_display_full',
      '8',
      '8_json',
      '9',
      '9_json',
      '10',
      '10_json',
    ].map((order) => `02_order_${order}`),
    ...[
      'addresses',
      'carriers',
      'cart_rules',
      'categories',
      'combinations',
      'countries',
      'currencies',
      'customers',
      'languages',
      'manufacturers',
      'order_carriers',
      'order_cart_rules',
      'order_details',
      'order_histories',
      'order_invoices',
      'order_payments',
      'order_slip',
      'order_states',
      'product_option_values',
      'product_options',
      'product_suppliers',
      'products',
      'shops',
      'stock_availables',
      'suppliers',
      'tax_rule_groups',
      'tax_rules',
      'taxes',
    ].flatMap((resource) => [`03_${resource}_full`, `03_${resource}_full_json`]),
    '03_order_cart_rules_by_order',
    '03_order_details_by_order',
    '03_order_payments_by_ref',
    ...[
      'cart_rules',
      'combinations',
      'order_cart_rules',
      'order_payments',
      'orders',
      'product_option_values',
      'products',
      'stock_availables',
    ].flatMap((resource) => [`04_schema_blank_${resource}`, `04_schema_synopsis_${resource}`]),
    '04_schema_blank_products_json',
    '05_combo_by_ean',
    '05_head_orders',
    '05_products_full_1',
    '05_products_full_1_json',
    '05_products_lang',
    '05_products_ref',
    '05_stock_by_pa',
    '05_stock_by_product',
    ...[
      '401_badkey',
      '401_badkey_json',
      '401_nokey',
      '401_shortkey',
      '404_id',
      '404_id_json',
      'bad_display',
      'bad_filter',
      'bad_filter_json',
      'bad_limit',
      'bad_sort',
      'forbidden_method',
      'forbidden_resource',
      'unknown_resource',
    ].map((error) => `06_err_${error}`),
    at('2026-11-24 01:57:28'),
    '10_post_product_empty',
    '10_post_product_price_only',
    '10_post_product_min_no_name_price',
    '10_post_product_with_id',
    '10_post_product_with_quantity',
    '10_post_product_bad_name',
    '10_post_product_bad_ean',
    '10_post_product_ean_bad_checksum',
    '10_post_product_unknown_field',
    '10_post_product_long_ref',
    '10_post_product_price_comma',
    '10_post_product_price_negative',
    '10_post_product_price_many_decimals',
    '10_post_product_bad_xml',
    '10_post_product_empty_body',
    '10_post_product_json_body',
    '10_post_product_bad_assoc',
    at('2026-11-24 01:57:29'),
    '11_post_product_full',
    '11_post_product_full_json',
    '11_post_same_reference_again',
    '11_product_after_post_stock',
    '12_post_combination_empty',
    '12_post_combination_no_minqty',
    '12_post_combination_bad_product',
    '13_post_combination_1',
    '13_post_combination_2_default',
    '13_post_combination_3_second_default',
    '13_post_combination_dup_size',
    '13_post_combination_dup_ean',
    '13_post_combination_bad_option_value',
    '13_combos_after',
    '13_stock_after_combos',
    '13_product_after_combos',
    '14_get_stock_c1',
    '14_put_stock_roundtrip',
    '14_put_stock_qty_only',
    '14_put_stock_required_only',
    '14_stock_after_put_required_only',
    '14_patch_stock_qty_only',
    '14_patch_stock_json',
    '14_patch_stock_negative',
    '14_patch_stock_float',
    '14_patch_stock_text',
    '14_patch_stock_no_id',
    '14_patch_stock_noid_in_url',
    '14_patch_stock_id_mismatch',
    '14_patch_stock_404',
    '14_post_stock_available',
    '14_delete_stock_available',
    '14_patch_stock_two_in_one',
    '14_patch_stock_two_one_bad',
    '14_put_stock_total_row',
    '14_stock_after_all',
    '14_product_date_upd_after_stock',
    '15_get_product',
    '15_put_product_roundtrip_unchanged',
    '15_put_product_minus_manufacturer_name',
    '15_put_product_minus_quantity',
    '15_put_product_minus_position',
    '15_put_product_price_only',
    '15_product_after_put_price_only',
    at('2026-11-24 01:57:30'),
    '15_patch_product_price',
    '15_patch_product_active',
    '15_patch_product_name_lang1',
    '15_patch_product_name_plain',
    '15_product_after_patches',
    '15_patch_order_state',
    '15_order_6_after',
    '15_post_order_history',
    '15_order_6_after_hist',
    '16_patch_combination_ean',
    '16_get_combination',
    '16_put_combination_roundtrip',
    '16_put_combination_partial',
    '16_combination_after_partial_put',
    '16_delete_combination_default',
    '16_get_deleted_combination',
    '16_delete_combination_again',
    '16_combos_after_delete',
    '16_stock_after_delete',
    '16_product_default_after_delete',
    '16_delete_many',
    '17_post_manufacturer',
    '17_post_manufacturer_dup',
    '17_post_supplier',
    '17_post_option_no_name',
    '17_post_option',
    '17_post_option_value',
    '17_post_option_value_dup',
    '17_post_product_supplier',
    '20_patch_stock_healthy',
    '20_patch_stock_total_row',
    '20_patch_stock_other',
    '20_patch_stock_out_of_stock_allow',
    '20_patch_stock_oos_total',
    '20_patch_stock_reserved',
    '21_post_product',
    '21_bad_assoc_was_created',
    '21_combo_0',
    '21_default_after_0',
    '21_combo_1',
    '21_default_after_1',
    '21_combo_2',
    '21_default_after_2',
    '21_patch_default_second',
    '21_patch_default_third_conflict',
    '21_combos_order',
    at('2026-11-24 01:57:31'),
    '21_patch_product_default',
    '21_default_final',
    '21_patch_assoc_combos_subset',
    '21_patch_assoc_categories',
    '22_date_filter_by_day',
    '22_display_assoc',
    '22_display_assoc2',
    '22_encoded_brackets',
    '22_filter_case',
    '22_hdr_accept_json',
    '22_hdr_io_format_json',
    '22_hdr_output_format_json',
    '22_id_shop',
    '22_304',
    unordered('22_long_id_filter'),
    '22_very_long_id_filter',
    '22_method_options',
    '22_price_virtual',
    '22_price_virtual_product',
    '22_sort_without_display',
    '22_text_escape',
    '22_post_two_products',
    '22_unknown_host',
    '22_ws_key_param',
    '22_xml_attr_filter_pct',
    at('2026-11-24 01:57:33'),
    meanwhile(({ webservice: { site } }) => {
      openCheckout(site).refund(7, [{ row: 10, quantity: 1 }], { restock: true });
    }),
    '23_order_7_after_slip',
    '23_order_details_7',
    '23_order_slip_full',
    '23_order_slip_json',
    { file: '24_post_image', until: '<content' },
    '24_get_images',
    '25_maintenance',
    meanwhile((shop) => shop.webservice.enable(false)),
    '25_ws_disabled',
    '25_ws_disabled_json',
    meanwhile((shop) => shop.webservice.enable(true)),
    '30_histories_since',
    '30_order_total_paid_filter',
    '30_slips_since',
    '31_delete_combination_with_orders',
    '31_delete_product_with_orders',
    '31_get_product_deleted',
    '31_order_8_after_product_deleted',
  ]);
});

/**
 * The shop of 1.7.8.11 or 9.1.4: the product that the gateway made there has one size, the next ids are those that came, and
 * of the orders there are those that were shown.
 */
function versionShop(version: Version, ids: VersionIds): Database {
  const database = installShop({ at: '2026-11-24 07:32:00' });
  const same = (said: string) => inEachLanguage(database, said);
  insertRow(database, 'manufacturers', { name: 'Studio Design', active: true });
  insertRow(database, 'categories', { id: 4, id_parent: 2, level_depth: 2 });
  insertRow(database, 'product_options', { id: 5, group_type: 'select' });
  for (const id of [1, 8, 11, 30, 31, 32])
    insertRow(database, 'product_option_values', { id, id_attribute_group: 5 });
  for (const id of [1, ids.product]) {
    insertRow(database, 'products', {
      id,
      id_tax_rules_group: 1,
      reference: `GW-${id}`,
      price: '81.147541',
      active: true,
      product_type: 'combinations',
      name: same('Boot'),
    });
  }
  for (const category of [2, 4]) {
    database.categoryProducts.push({ category, product: 1, position: 1 });
    database.categoryProducts.push({ category, product: ids.product, position: 2 });
  }
  putAll(database, version, 'stock_availables', '03_stock_availables_full_json');
  insertRow(database, 'stock_availables', {
    id: ids.total,
    id_product: ids.product,
    id_shop: 1,
    out_of_stock: 2,
  });
  for (const row of shownIn(version, '01_orders_full_dateupd_json')) putOrder(database, row);
  for (const row of shownIn(version, '02_order_discount')) putOrder(database, row);
  putAll(database, version, 'order_cart_rules', '03_order_cart_rules_by_order');
  putAll(database, version, 'order_payments', '03_order_payments_by_ref');
  put(database, 'orders', { id: String(ids.awaiting), current_state: '10', id_shop: '1' });
  database.order_histories.next = ids.history;
  return database;
}

interface VersionIds {
  readonly product: number;
  readonly total: number;
  /** An order that awaits its payment. */
  readonly awaiting: number;
  readonly history: number;
}

/** The gateway has made the first size. */
const firstSize = (ids: VersionIds & { readonly stock: number }) =>
  meanwhile(async (shop) => {
    shop.database.stock_availables.next = ids.stock;
    shop.database.combinations.next = 41;
    await doing(
      shop,
      'POST',
      '/api/combinations',
      xml(
        `<combination><id_product>${ids.product}</id_product><ean13>8050009000039</ean13><reference>GW-${ids.product}-40</reference><minimal_quantity>1</minimal_quantity><associations><product_option_values><product_option_value><id>30</id></product_option_value></product_option_values></associations></combination>`,
      ),
    );
  });
/** A third size, whose id is after that of the one that failed. */
const thirdSize = (product: number) =>
  meanwhile((shop) =>
    doing(
      shop,
      'POST',
      '/api/combinations',
      xml(
        `<combination><id_product>${product}</id_product><minimal_quantity>1</minimal_quantity></combination>`,
      ),
    ),
  );
const dropThirdSize = meanwhile((shop) => doing(shop, 'DELETE', '/api/combinations/44'));
const putPriceOnly = (product: number) =>
  meanwhile((shop) =>
    doing(
      shop,
      'PUT',
      `/api/products/${product}`,
      xml(`<product><id>${product}</id><price>10</price></product>`),
    ),
  );
const putPartly = (product: number) =>
  meanwhile((shop) =>
    doing(
      shop,
      'PUT',
      '/api/combinations/42',
      xml(
        `<combination><id>42</id><id_product>${product}</id_product><minimal_quantity>1</minimal_quantity></combination>`,
      ),
    ),
  );

const READING: readonly Step[] = [
  { file: '00_index_begin', until: '[...' },
  '01_orders_dateupd_NO_date1',
  '01_orders_full_dateupd_json',
  '01_orders_none',
  '02_order_1_json',
  '02_order_discount',
  '03_order_cart_rules_by_order',
  '03_order_payments_by_ref',
  '03_stock_availables_full_json',
  { file: '06_err_401_badkey', key: 'XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX' },
  '06_err_404_id',
  '10_post_product_bad_name',
  '10_post_product_bad_xml',
];
const OFF_AND_ON: readonly Step[] = [
  '22_unknown_host',
  meanwhile((shop) => shop.webservice.enable(false)),
  '25_ws_disabled',
  meanwhile((shop) => shop.webservice.enable(true)),
];

describe('PrestaShop 1.7.8.11', () => {
  const ids = { product: 27, total: 66, stock: 70, awaiting: 433, history: 433 };
  replays('1.7.8', () => versionShop('1.7.8', ids), [
    ...READING,
    '04_schema_blank_stock_availables',
    at('2026-11-24 07:38:25'),
    '11_post_product_full_json',
    firstSize(ids),
    '13_post_combination_2_default',
    '13_post_combination_3_second_default',
    thirdSize(ids.product),
    '14_get_stock_c1',
    '14_patch_stock_qty_only',
    '14_put_stock_qty_only',
    '14_put_stock_huge',
    '14_put_stock_two_in_one',
    '14_put_stock_two_one_bad',
    '14_put_stock_required_only',
    '14_stock_after_put_required_only',
    '14_put_stock_heal',
    dropThirdSize,
    '16_get_combination',
    '16_put_combination_quantity',
    at('2026-11-24 07:39:25'),
    putPriceOnly(ids.product),
    '15_product_after_put_price_only',
    putPartly(ids.product),
    '16_combination_after_partial_put',
    at('2026-11-24 07:47:13'),
    '15_post_order_history',
    meanwhile(({ database }) => {
      for (const { cells } of shownIn('1.7.8', '26_incomplete_orders')) put(database, 'orders', cells);
    }),
    '26_incomplete_orders',
    ...OFF_AND_ON,
  ]);
});

describe('PrestaShop 9.1.4', () => {
  const ids = { product: 31, total: 70, stock: 74, awaiting: 435, history: 438 };
  const seed = (): Database => {
    const database = versionShop('9.1', ids);
    for (const { cells, links } of putAll(database, '9.1', 'combinations', '03_combinations_full_json')) {
      const combination = Number(cells.id);
      for (const { id } of links.product_option_values ?? [])
        database.combinationValues.push({ combination, value: Number(id) });
      for (const { id } of links.images ?? [])
        database.combinationImages.push({ combination, image: Number(id) });
    }
    return database;
  };
  const next = (product: number, stock: number) =>
    meanwhile(({ database }) => {
      database.products.next = product;
      database.stock_availables.next = stock;
    });
  replays('9.1', seed, [
    ...READING,
    '03_combinations_full_json',
    at('2026-11-24 07:38:27'),
    next(22, 61),
    '10_post_product_ean_14',
    next(28, 67),
    '10_post_product_meta_keywords',
    at('2026-11-24 07:38:28'),
    next(32, 71),
    '11_post_product_full_json',
    firstSize(ids),
    '13_post_combination_2_default',
    '13_post_combination_3_second_default',
    thirdSize(ids.product),
    '14_patch_stock_qty_only',
    '14_put_stock_qty_only',
    '14_put_stock_two_in_one',
    '14_put_stock_two_one_bad',
    '14_patch_stock_two_one_bad',
    '14_patch_stock_delta',
    '14_put_stock_required_only',
    '14_stock_after_put_required_only',
    '14_put_stock_heal',
    dropThirdSize,
    at('2026-11-24 07:39:27'),
    putPriceOnly(ids.product),
    '15_product_after_put_price_only',
    putPartly(ids.product),
    '16_combination_after_partial_put',
    at('2026-11-24 07:47:14'),
    '15_post_order_history',
    ...OFF_AND_ON,
  ]);
});
