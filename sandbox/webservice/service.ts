import { createHash } from 'node:crypto';
import type { AnyRow } from './database.ts';
import { rowsOf } from './database.ts';
import { answerImages } from './images.ts';
import { jsonEntities, jsonErrors, jsonIds, jsonIndex, jsonList, jsonSchema } from './json-answer.ts';
import type { Query } from './query.ts';
import { displayOf, languagesOf, parseQuery } from './query.ts';
import { rowAskedFor, rowsAskedFor } from './read.ts';
import { remove } from './remove.ts';
import { entityOf, rendered } from './rendered.ts';
import type { View } from './rendered.ts';
import type { Entity, Method, Resource } from './resource.ts';
import { resourceNames } from './resource-names.ts';
import { resourcesOf } from './resources.ts';
import { RELEASES, SHOP } from './site.ts';
import type { Site } from './site.ts';
import { DEAD, REALM } from './web-server-answers.ts';
import type { PlainAnswer } from './web-server-answers.ts';
import { write } from './write.ts';
import type { Pace } from './write.ts';
import { didYouMean, NoSuchRow, PhpFatalError, WebserviceError } from './webservice-error.ts';
import { xmlEntities, xmlErrors, xmlIds, xmlIndex, xmlList, xmlSchema } from './xml-answer.ts';

/** What a key may do: everything, or these verbs on these resources. */
export type Rights = 'all' | Readonly<Record<string, readonly Method[]>>;

export interface ServiceRequest {
  readonly method: string;
  /** What stands after `/api/`, without the query. */
  readonly path: string;
  /** The query, without the question mark. */
  readonly search: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
  readonly key: string;
}

export interface ServiceSettings {
  readonly key: string;
  readonly rights: Rights;
  /** False: the merchant has switched the Webservice off. */
  readonly enabled: boolean;
  /** `http://127.0.0.1:18080/api/`. */
  readonly api: string;
}

export interface Answer extends PlainAnswer {
  /** Rows of stock that were written. */
  readonly written: readonly AnyRow[];
  /** How many rows it shows. */
  readonly rows: number;
}

const VERBS: readonly Method[] = ['GET', 'PUT', 'POST', 'PATCH', 'DELETE', 'HEAD'];
type Format = 'XML' | 'JSON';

/** Answers one request as PrestaShop's Webservice does. */
export async function answer(
  site: Site,
  settings: ServiceSettings,
  request: ServiceRequest,
  pace: Pace,
): Promise<Answer> {
  const query = parseQuery(request.search);
  const format = formatOf(request, query);
  const type = format === 'JSON' ? 'application/json' : 'text/xml;charset=utf-8';
  const release = RELEASES[site.version];
  // Whoever has not been let in is not told the version; only 1.7.8 tells.
  const stranger = site.version === '1.7.8' ? release : '0';
  try {
    admit(settings, request.key);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const errors = error.errors;
    return {
      status: error.status,
      headers: {
        'Content-Type': type,
        ...(error.status === 401 ? { 'WWW-Authenticate': REALM } : {}),
        'PSWS-Version': stranger,
      },
      body: format === 'JSON' ? jsonErrors(errors) : xmlErrors(errors),
      written: [],
      rows: 0,
    };
  }
  const headers = { 'PSWS-Version': release };
  try {
    const done = await act(site, settings, request, query, format, pace);
    const { status, body, written = [], rows = 0 } = done;
    if (body === '') return { status, headers, body, written, rows };
    const sha1 = request.headers['local-content-sha1'];
    if (sha1 !== undefined && sha1 === createHash('sha1').update(body).digest('hex'))
      return { status: 304, headers, body: '', written, rows };
    return { status, headers: { 'Content-Type': type, ...headers }, body, written, rows };
  } catch (error) {
    if (error instanceof WebserviceError) {
      const body = format === 'JSON' ? jsonErrors(error.errors) : xmlErrors(error.errors);
      return {
        status: error.status,
        headers: { 'Content-Type': type, ...headers },
        body,
        written: [],
        rows: 0,
      };
    }
    if (error instanceof NoSuchRow) return { status: 404, headers, body: '', written: [], rows: 0 };
    if (error instanceof PhpFatalError) return { ...DEAD, written: [], rows: 0 };
    throw error;
  }
}

/** Error thrown for who is not let in at all. */
class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly errors: readonly { readonly code: number; readonly message: string }[];

  constructor(status: number, errors: Refusal['errors']) {
    super(errors[0]?.message);
    this.status = status;
    this.errors = errors;
  }
}

function admit({ enabled, key }: ServiceSettings, said: string): void {
  if (!enabled) {
    const message = 'The PrestaShop webservice is disabled. Please activate it in the PrestaShop Back Office';
    throw new Refusal(503, [{ code: 22, message }]);
  }
  if (said === '') throw new Refusal(401, [{ code: 17, message: 'Authentication key is empty' }]);
  if (said.length !== 32)
    throw new Refusal(401, [{ code: 18, message: 'Invalid authentication key format' }]);
  if (said !== key) {
    throw new Refusal(401, [
      { code: 20, message: 'Authentification key is not active' },
      { code: 21, message: 'No permission for this authentication key' },
    ]);
  }
}

/** `Accept` is not looked at. */
function formatOf({ headers }: ServiceRequest, query: Query): Format {
  const said = query.plain.get('output_format') ?? headers['output-format'] ?? headers['io-format'];
  return String(said).toUpperCase() === 'JSON' ? 'JSON' : 'XML';
}

type Done = Pick<Answer, 'status' | 'body'> & Partial<Pick<Answer, 'written' | 'rows'>>;

async function act(
  site: Site,
  settings: ServiceSettings,
  request: ServiceRequest,
  query: Query,
  format: Format,
  pace: Pace,
): Promise<Done> {
  checkShop(query);
  const languages = languagesOf(query, [...site.database.languages.rows.keys()]);
  const [name = '', ...segments] = request.path.split('/');
  const method = checkVerb(site, settings.rights, request.method, name);
  const frame = { api: settings.api, languages, version: site.version };
  const index = () => indexOf(site, settings, format, frame);
  if (name === '') return { status: 200, body: index() };
  if (name === 'images')
    return { status: 200, body: answerImages(site, method, segments, request.body, frame) };
  const resource = resourcesOf(site.version).get(name);
  if (resource === undefined || (name === 'orders' && method === 'POST')) throw unsimulated(method, name);

  const full: View = { display: 'full', languages, query };
  switch (method) {
    case 'GET':
    case 'HEAD':
      return {
        status: 200,
        ...shownRows(site, resource, segments[0] ?? '', query, languages, format, frame),
      };
    case 'DELETE':
      pace.begin(remove(site, resource, segments[0] ?? '', query));
      await pace.row();
      return { status: 200, body: '' };
    case 'POST':
    case 'PUT':
    case 'PATCH': {
      const entities = await write(site, resource, method, request.body.toString('utf8'), pace);
      const status = method === 'POST' ? 201 : 200;
      if (entities.length === 0) return { status, body: index() };
      const shown = rendered(site, resource, entities, full);
      const json = query.plain.has('display') ? jsonList : jsonEntities;
      const rows = resource.name === 'stock_availables' ? entities.flatMap(rowBehind) : [];
      return {
        status,
        body: format === 'JSON' ? json(resource, shown, frame) : xmlEntities(resource, shown, frame),
        written: rows,
      };
    }
    default:
      throw new Error(`Expected a verb, got ${String(method satisfies never)}`);
  }
}

function rowBehind({ row }: Entity): AnyRow[] {
  return row === undefined ? [] : [row];
}

/** A real shop would answer. */
function unsimulated(method: string, name: string): WebserviceError {
  return new WebserviceError(501, 0, `Expected a request that is simulated, got ${method} of ${name}`);
}

/** There is one shop. */
function checkShop(query: Query): void {
  const shop = query.plain.get('id_shop');
  if (shop === undefined || shop === 'all' || Number(shop) === SHOP) return;
  if (!/^\d+$/.test(shop)) throw new WebserviceError(404, 999, 'This shop id does not exist');
  throw new WebserviceError(403, 132, 'No permission for this key on this shop');
}

/**
 * Checks that the resource is there, that it has the verb, and that the key may use it.
 * @throws {WebserviceError} 27, 26, 23, 101, 25
 */
function checkVerb({ version }: Site, rights: Rights, said: string, name: string): Method {
  const names = [...resourceNames(version).keys()];
  if (name !== '' && !names.includes(name))
    throw didYouMean(27, `Resource of type "${name}" does not exists`, name, names);
  if (name !== '' && rights !== 'all' && rights[name] === undefined) {
    throw new WebserviceError(
      401,
      26,
      `Resource of type "${name}" is not allowed with this authentication key`,
    );
  }
  const method = verbsOf(version).find((verb) => verb === said);
  if (method === undefined) throw new WebserviceError(405, 23, `Method ${said} is not valid`);
  if (resourcesOf(version).get(name)?.forbidden?.includes(method) === true)
    throw new WebserviceError(405, 101, `Method ${said} is not allowed for the resource ${name}`);
  if (name !== '' && rights !== 'all' && rights[name]?.includes(method) !== true) {
    throw new WebserviceError(
      405,
      25,
      `Method ${said} is not allowed for the resource ${name} with this authentication key`,
    );
  }
  return method;
}

function verbsOf(version: Site['version']): readonly Method[] {
  return version === '1.7.8' ? VERBS.filter((verb) => verb !== 'PATCH') : VERBS;
}

interface Frame {
  readonly api: string;
  readonly languages: readonly number[];
  readonly version: Site['version'];
}

function indexOf(site: Site, { rights }: ServiceSettings, format: Format, frame: Frame): string {
  const granted = [...resourceNames(site.version)]
    .filter(([name]) => rights === 'all' || rights[name] !== undefined)
    .map(([name, description]) => ({
      name,
      description,
      allowed: rights === 'all' ? VERBS : (rights[name] ?? []),
    }));
  if (format === 'XML') {
    const shop = rowsOf(site.database, 'shops')[0]?.name ?? '';
    return xmlIndex(shop, granted, verbsOf(site.version), frame);
  }
  if (site.version !== '1.7.8') throw new PhpFatalError('No JSON of the index');
  return jsonIndex(granted.map(({ name }) => name));
}

function shownRows(
  site: Site,
  resource: Resource,
  segment: string,
  query: Query,
  languages: readonly number[],
  format: Format,
  frame: Frame,
): Pick<Answer, 'body' | 'rows'> {
  const json = format === 'JSON';
  if (segment !== '') {
    const display = displayOf(query, resource, site.version);
    const row = rowAskedFor(site, resource, Number.parseInt(segment, 10) || 0);
    const shown = rendered(site, resource, [entityOf(site, resource, row)], {
      display: display === undefined || display === 'minimum' ? 'full' : display,
      languages,
      query,
    });
    if (!json) return { body: xmlEntities(resource, shown, frame), rows: 1 };
    const body = (display === undefined ? jsonEntities : jsonList)(resource, shown, frame);
    return { body, rows: 1 };
  }
  const schema = query.plain.get('schema');
  if (schema !== undefined) {
    if (schema !== 'blank' && schema !== 'synopsis') throw new WebserviceError(400, 28, NO_SUCH_SCHEMA);
    const body = json ? jsonSchema(resource, frame) : xmlSchema(resource, schema, site.version, frame);
    return { body, rows: 0 };
  }
  const display = displayOf(query, resource, site.version);
  const rows = rowsAskedFor(site, resource, query);
  if (display === undefined || display === 'minimum') {
    const ids = rows.map((row) => row.id);
    return { body: json ? jsonIds(resource, ids) : xmlIds(resource, ids, frame), rows: rows.length };
  }
  const entities = rows.map((row) => entityOf(site, resource, row));
  const shown = rendered(site, resource, entities, { display, languages, query });
  const body = json ? jsonList(resource, shown, frame) : xmlList(resource, shown, frame);
  return { body, rows: rows.length };
}

const NO_SUCH_SCHEMA =
  "Please select a schema of type 'synopsis' to get the whole schema informations (which fields are required, which kind of content...) or 'blank' to get an empty schema to fill before using POST request";
