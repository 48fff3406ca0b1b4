import ky, { HTTPError, type KyInstance, type Options } from 'ky';
import pLimit from 'p-limit';
import { create, convert } from 'xmlbuilder2';
import { z } from 'zod';
import { ShopAnswerError } from '../../failures.ts';
import type { Secret } from '../../secret.ts';
import { isRedirect, noAnswer, redirected } from '../answer.ts';
import { startDeadline, type Deadline } from '../deadline.ts';
import { displayOf } from './rows.ts';

/** Where the shop's Webservice is, and how it is to be treated. */
export interface WebserviceAddress {
  /** The shop's own address, `https://shop.example/`: the Webservice is under `api/`. */
  readonly url: string;
  readonly key: Secret;
  /** Milliseconds for one request. */
  readonly timeout: number;
  /** Requests at once, at most. */
  readonly concurrency: number;
}

/** Resources that passerelle uses, and the name of one entity in each. A list bears the resource's name, but for one. */
export const RESOURCES = {
  addresses: 'address',
  cart_rules: 'cart_rule',
  combinations: 'combination',
  countries: 'country',
  currencies: 'currency',
  customers: 'customer',
  languages: 'language',
  manufacturers: 'manufacturer',
  order_cart_rules: 'order_cart_rule',
  order_payments: 'order_payment',
  order_slip: 'order_slip',
  order_states: 'order_state',
  orders: 'order',
  product_option_values: 'product_option_value',
  product_options: 'product_option',
  product_suppliers: 'product_supplier',
  products: 'product',
  stock_availables: 'stock_available',
  suppliers: 'supplier',
} as const;
export type Resource = keyof typeof RESOURCES;

const LIST_NAMES: Partial<Record<Resource, string>> = { order_slip: 'order_slips' };
export type Verb = 'get' | 'post' | 'put';

export interface Query {
  /** Field -> `[7]`, `[1|2]`, `[1,9]`, `>[7]`: see the Webservice's own filters. */
  readonly filter?: Readonly<Record<string, string>>;
  /** `date_upd_ASC`. */
  readonly sort?: readonly string[];
  /** Entities left out, and entities given at most. */
  readonly limit?: readonly [from: number, count: number];
}

/** What an entity is made of, as xmlbuilder2 takes it. */
export type Fields = Readonly<Record<string, unknown>>;

/** What this shop can do, and what our key may do in it. */
export interface Capabilities {
  /** `8.2.1` */
  readonly version: string;
  readonly canPatch: boolean;
  readonly rights: ReadonlyMap<string, ReadonlySet<Verb>>;
}

export interface Webservice {
  /** Asks the shop what it can do. Of the whole index only what concerns us is kept. */
  capabilities(signal: AbortSignal): Promise<Capabilities>;
  /** Reads the fields of `row` of entities, and checks them. Their order is the shop's whim unless `sort` says it. */
  list<Row extends z.ZodObject>(
    resource: Resource,
    row: Row,
    query: Query,
    signal: AbortSignal,
  ): Promise<readonly z.output<Row>[]>;
  /** Makes one entity and gives its id. Never tried again: nothing is unique in PrestaShop. */
  create(resource: Resource, fields: Fields, signal: AbortSignal): Promise<number>;
  /**
   * Makes several entities in one request, one after the other. Not atomic: the first one that is refused ends it, and
   * those before it stay. Never tried again.
   */
  createSeveral(resource: Resource, entities: readonly Fields[], signal: AbortSignal): Promise<void>;
  /** Replaces entities, each given whole: a field that is left out becomes empty. Not atomic. */
  replace(resource: Resource, entities: readonly Fields[], signal: AbortSignal): Promise<void>;
}

const id = z.coerce.number().int().positive();

/** Opens PrestaShop's Webservice. Connects only when it is asked something. */
export function openWebservice(address: WebserviceAddress): Webservice {
  const limit = pLimit(address.concurrency);
  const base = new URL('api/', address.url.endsWith('/') ? address.url : `${address.url}/`);
  const common: Options = {
    headers: { authorization: `Basic ${Buffer.from(`${address.key.reveal()}:`).toString('base64')}` },
    // A redirect may lead to another host, and the key with it.
    redirect: 'manual',
    // Ours is per try, below.
    timeout: false,
  };
  const backoff = {
    limit: 4,
    delay: (attempt: number) => 250 * 2 ** attempt,
    backoffLimit: 4_000,
    maxRetryAfter: 30_000,
  };
  const reading = ky.create({
    ...common,
    retry: { ...backoff, methods: ['get'], statusCodes: [429, 502, 503, 504], afterStatusCodes: [429, 503] },
  });
  // What was written, or perhaps written, is looked at before it is written again; 429 says that nothing was.
  const writing = ky.create({
    ...common,
    retry: {
      ...backoff,
      methods: ['post', 'put'],
      statusCodes: [429],
      afterStatusCodes: [429],
      shouldRetry: ({ error }) => (error instanceof HTTPError ? undefined : false),
    },
  });

  const request = (
    client: KyInstance,
    path: string,
    what: Asked,
    { signal, ...options }: Options & { readonly signal: AbortSignal },
  ): Promise<Answer> =>
    limit(async () => {
      let deadline: Deadline | undefined;
      const withDeadline: typeof fetch = (input, init) => {
        deadline?.end();
        deadline = startDeadline(address.timeout, signal);
        return fetch(input, { ...init, signal: deadline.signal });
      };
      try {
        const response = await client(new URL(path, base), { ...options, signal, fetch: withDeadline });
        return { text: await response.text(), version: response.headers.get('psws-version') ?? '' };
      } catch (error) {
        throw await answerError(what, error);
      } finally {
        deadline?.end();
      }
    });
  const write = (
    method: 'post' | 'put',
    resource: Resource,
    entities: readonly Fields[],
    signal: AbortSignal,
  ) => {
    const ids = entities.flatMap(({ id }) => (typeof id === 'number' ? [id] : []));
    const what = { method, resource, ids };
    const body = toXml(RESOURCES[resource], entities);
    const headers = { 'content-type': 'text/xml; charset=utf-8' };
    return request(writing, `${resource}?output_format=JSON`, what, { method, body, headers, signal });
  };

  const post = async (resource: Resource, entities: readonly Fields[], signal: AbortSignal) => {
    const { text } = await write('post', resource, entities, signal);
    const what = { method: 'post', resource, ids: [] };
    return { answer: parseJson(text, what) as Record<string, unknown>, what };
  };

  return {
    async capabilities(signal) {
      const what = { method: 'get', resource: '', ids: [] };
      const { text, version } = await request(reading, '', what, { signal });
      return { version, ...readIndex(text, what) };
    },

    async list(resource, row, query, signal) {
      const what = { method: 'get', resource, ids: [] };
      const path = `${resource}?${searchOf(displayOf(row), query)}`;
      const { text } = await request(reading, path, what, { signal });
      const rows = rowsOf(text, resource, what);
      return rows.map((found) => {
        const parsed = row.safeParse(found);
        if (parsed.success) return parsed.data;
        const [issue] = parsed.error.issues;
        const which = (found as { readonly id?: unknown } | null)?.id;
        throw new ShopAnswerError(
          `Expected \`${issue?.path.join('.')}\` of ${resource} ${String(which)} to be as PrestaShop gives it, got another value (${issue?.message})`,
          200,
          false,
        );
      });
    },

    async create(resource, fields, signal) {
      const { answer, what } = await post(resource, [fields], signal);
      const made = id.safeParse((answer[RESOURCES[resource]] as { id?: unknown } | undefined)?.id);
      if (made.success) return made.data;
      throw new ShopAnswerError(`${expectation(what)}, got an answer without the new id`, 200, true);
    },

    async createSeveral(resource, entities, signal) {
      if (entities.length > 0) await post(resource, entities, signal);
    },

    async replace(resource, entities, signal) {
      if (entities.length > 0) await write('put', resource, entities, signal);
    },
  };
}

interface Answer {
  readonly text: string;
  readonly version: string;
}

interface Asked {
  readonly method: string;
  /** Empty for the index. */
  readonly resource: string;
  readonly ids: readonly number[];
}

function searchOf(display: readonly string[] | undefined, { filter = {}, sort, limit }: Query): string {
  const search = new URLSearchParams({
    output_format: 'JSON',
    // One id without `display` loses every field that PHP takes for false.
    display: display === undefined ? 'full' : `[${display.join(',')}]`,
  });
  for (const [field, condition] of Object.entries(filter)) search.set(`filter[${field}]`, condition);
  // Refused without it as soon as a date is asked for, filtered or sorted by.
  const named = [...(display ?? []), ...Object.keys(filter), ...(sort ?? [])];
  if (named.some((field) => field.startsWith('date_'))) search.set('date', '1');
  if (sort !== undefined) search.set('sort', `[${sort.join(',')}]`);
  if (limit !== undefined) search.set('limit', limit.join(','));
  return search.toString();
}

/** An empty list is an empty list, and not an object that holds one. */
function rowsOf(text: string, resource: Resource, what: Asked): readonly unknown[] {
  const answer = parseJson(text, what);
  if (Array.isArray(answer) && answer.length === 0) return [];
  const rows = (answer as Record<string, unknown>)[LIST_NAMES[resource] ?? resource];
  if (Array.isArray(rows)) return rows;
  throw new ShopAnswerError(`${expectation(what)} with a list, got another JSON`, 200, false);
}

// PHP may print a warning, or die, with status 200.
function parseJson(text: string, what: Asked): unknown {
  try {
    const answer: unknown = JSON.parse(text);
    if (typeof answer === 'object' && answer !== null) return answer;
  } catch {
    // Told below.
  }
  const got = text === '' ? 'nothing' : `a text of ${text.length} characters`;
  throw new ShopAnswerError(`${expectation(what)} with JSON, got ${got}`, null, what.method !== 'get');
}

function toXml(name: string, entities: readonly Fields[]): string {
  const body = { prestashop: { [name]: entities } };
  return create({ version: '1.0', encoding: 'UTF-8' }, body).end();
}

function readIndex(text: string, what: Asked): Omit<Capabilities, 'version'> {
  const index = xmlObject(text) as { prestashop?: { api?: Record<string, Record<string, string>> } } | null;
  const api = index?.prestashop?.api;
  if (api === undefined)
    throw new ShopAnswerError(`${expectation(what)} with its index, got another answer`, 200, false);
  const verbs: readonly Verb[] = ['get', 'post', 'put'];
  const rights = new Map(
    Object.entries(api)
      .filter(([name]) => !name.startsWith('@'))
      .map(([name, granted]) => [name, new Set(verbs.filter((verb) => granted[`@${verb}`] === 'true'))]),
  );
  // A version that knows PATCH says of each resource whether the key may.
  const canPatch = Object.values(api).some((granted) => granted['@patch'] !== undefined);
  return { canPatch, rights };
}

function xmlObject(text: string): unknown {
  try {
    return convert(text, { format: 'object' });
  } catch {
    return null;
  }
}

function expectation({ method, resource, ids }: Asked): string {
  const which = ids.length > 3 ? [...ids.slice(0, 3), `… (${ids.length})`] : ids;
  return `Expected the shop to answer ${method.toUpperCase()} ${['/api', resource].join('/')}${which.length > 0 ? ` ${which.join(', ')}` : ''}`;
}

/** Says what was asked and what came: PrestaShop's code and message, or what stood in the way; never the address or the key. */
async function answerError(what: Asked, error: unknown): Promise<Error> {
  const expected = expectation(what);
  const isWrite = what.method !== 'get';
  if (error instanceof HTTPError) {
    const { status } = error.response;
    if (isRedirect(status)) return redirected(expected, status);
    const text = await error.response.text().catch(() => '');
    const told = errorsIn(text).map(({ code, message }) => `, code ${code}: ${message}`);
    // Whatever a 5xx says, the row may have been written before.
    return new ShopAnswerError(
      `${expected}, got HTTP ${status}${told.join('')}`,
      status,
      isWrite && status >= 500,
    );
  }
  return error instanceof ShopAnswerError ? error : noAnswer(expected, error, isWrite);
}

const LONGEST_MESSAGE = 300;

/** PrestaShop's errors, in JSON or XML. */
function errorsIn(text: string): readonly { readonly code: string; readonly message: string }[] {
  // In XML, PrestaShop wraps every text in CDATA.
  const said = z
    .union([z.string(), z.number(), z.object({ $: z.string() })])
    .transform((value) => (typeof value === 'object' ? value.$ : String(value)));
  const error = z.object({ code: said, message: said });
  const short = (found: z.output<typeof error>) => ({
    ...found,
    message: found.message.slice(0, LONGEST_MESSAGE),
  });
  const json = z.object({ errors: z.array(error) });
  const xml = z.object({
    prestashop: z.object({
      errors: z.object({ error: z.union([z.array(error), error.transform((one) => [one])]) }),
    }),
  });
  if (text.startsWith('{')) {
    const parsed = json.safeParse(jsonOrNull(text));
    return parsed.data?.errors.map(short) ?? [];
  }
  return xml.safeParse(xmlObject(text)).data?.prestashop.errors.error.map(short) ?? [];
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
