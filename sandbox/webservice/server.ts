import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from './database.ts';
import { createFaults } from './faults.ts';
import type { Fault, FaultDetails, FaultMatch, PlannedFault } from './faults.ts';
import { pause } from './pause.ts';
import { createQueue } from './queue.ts';
import { answer } from './service.ts';
import type { Answer, Rights } from './service.ts';
import type { Site, Version } from './site.ts';
import { sumOfSizes, writeTotal } from './stock.ts';
import { PhpFatalError } from './webservice-error.ts';
import {
  DEAD,
  faultAnswer,
  LONGEST_LINE,
  NO_KEY,
  NOT_FOUND,
  redirect,
  TOO_LONG,
} from './web-server-answers.ts';
import type { PlainAnswer } from './web-server-answers.ts';
import type { Pace } from './write.ts';

/** Milliseconds, or what draws them. */
export type Duration = number | (() => number);

export interface WebserviceOptions {
  readonly version: Version;
  /** 32 characters. */
  readonly key: string;
  /** Everything when left out. */
  readonly rights?: Rights;
  /** False: switched off by the merchant. */
  readonly enabled?: boolean;
  /** A free one when left out. */
  readonly port?: number;
  /** The domain that the shop thinks it has; who calls it by another name is sent there. `127.0.0.1:<port>` when left out. */
  readonly domain?: string;
  /** The shop's local time, `2026-11-24 01:56:27`; this machine's when left out. */
  readonly localTime?: () => string;
  /** How long a request takes, and each row that it writes or reads (`readRow`: reads alone); nothing when left out. */
  readonly serviceTime?: {
    readonly request?: Duration;
    readonly row?: Duration;
    readonly readRow?: Duration;
  };
  /** PHP processes: so many requests are worked on at once, the others wait. 8 when left out. */
  readonly workers?: number;
}

/** One request as the web server noted it. Times are those of `performance.now()`. */
export interface LoggedRequest {
  readonly method: string;
  /** Path and query, without the key. */
  readonly url: string;
  /** `orders`; empty for `/api/` itself and for what is not of the Webservice. */
  readonly resource: string;
  readonly start: number;
  /** The fault that it met. */
  readonly fault: Fault | undefined;
  /** Undefined while it is worked on, and when the connection broke instead. */
  status: number | undefined;
  end: number | undefined;
}

/** A running Webservice. */
export interface Webservice {
  /** `http://127.0.0.1:18080`; the Webservice is under `/api`. */
  readonly url: string;
  readonly site: Site;
  /** All requests so far, the oldest first. */
  readonly requests: readonly LoggedRequest[];
  /** Calls `listener` with each request that comes, before anything is done for it. Gives what ends that. */
  onRequest(listener: (request: LoggedRequest) => void): () => void;
  /** Makes the next request that fits go wrong. */
  failNext(match: FaultMatch, fault: Fault, details?: FaultDetails): void;
  /** Forgets the faults that no request has met yet. */
  recover(): void;
  /** Switches the Webservice on or off, as the merchant can. */
  enable(enabled: boolean): void;
  forgetRequests(): void;
  stop(): Promise<void>;
}

/** Starts a PrestaShop Webservice on 127.0.0.1 that works on these tables. */
export async function startWebservice(database: Database, options: WebserviceOptions): Promise<Webservice> {
  const site: Site = {
    version: options.version,
    database,
    localTime: options.localTime ?? machineTime,
  };
  const faults = createFaults();
  const requests: LoggedRequest[] = [];
  const listeners = new Set<(request: LoggedRequest) => void>();
  const stopping = new AbortController();
  const queue = createQueue(options.workers ?? 8);
  let enabled = options.enabled ?? true;
  let domain = options.domain ?? '';

  const paceOf = (fault: PlannedFault | undefined): Pace => {
    let [sent, done] = [0, 0];
    const row = () => draw(options.serviceTime?.row);
    return {
      begin: (rows) => {
        sent = rows;
      },
      row: async () => {
        if (fault?.fault === 'batch breaks' && done >= Math.floor(sent / 2))
          throw new PhpFatalError('Broken off');
        done++;
        await pause(row());
      },
      gap: () => pause(row() / 4),
    };
  };

  const work = async (
    request: IncomingMessage,
    body: Buffer,
    key: string,
    fault: PlannedFault | undefined,
  ): Promise<Answer> => {
    if (fault?.fault === 'slow') await sleep(fault.milliseconds, undefined, { signal: stopping.signal });
    const base = draw(options.serviceTime?.request);
    await pause(base / 2);
    const { path, search } = apart(request);
    const done = await answer(
      site,
      {
        key: options.key,
        rights: options.rights ?? 'all',
        enabled,
        api: `http://${domain}/api/`,
      },
      {
        method: request.method ?? 'GET',
        path: path.replace(/^\/api\/?/, ''),
        search,
        headers: request.headers,
        body,
        key,
      },
      paceOf(fault),
    );
    if (fault?.fault === 'product total') {
      for (const row of done.written) {
        if (row.id_product_attribute === 0) continue;
        const product = Number(row.id_product);
        writeTotal(database, product, sumOfSizes(database, product) + 1);
      }
    }
    const read = request.method === 'GET' ? done.rows : 0;
    await pause(base / 2 + read * draw(options.serviceTime?.readRow ?? options.serviceTime?.row));
    return done;
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const method = request.method ?? 'GET';
    const { path, search } = apart(request);
    const resource = /^\/api\/([^/]*)/.exec(path)?.[1] ?? '';
    const planned = faults.take(method, resource);
    const logged: LoggedRequest = {
      method,
      url: withoutKey(request.url ?? '/'),
      resource,
      start: performance.now(),
      fault: planned?.fault,
      status: undefined,
      end: undefined,
    };
    requests.push(logged);
    for (const listener of listeners) listener(logged);
    const send = ({ status, headers, body }: PlainAnswer) => {
      const length = status === 304 ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
      response.writeHead(status, { ...headers, ...length }).end(body);
      logged.status = status;
      logged.end = performance.now();
    };
    const breakOff = () => {
      response.destroy();
      logged.end = performance.now();
    };
    const body = await bodyOf(request);

    const fault = planned?.fault;
    if (fault === 'hang') return;
    if (fault === 'reset') {
      breakOff();
      return;
    }
    const refusal = faultAnswer(fault) ?? refusalBeforePhp(request, domain);
    if (refusal !== undefined) {
      send(refusal);
      return;
    }
    const key = keyOf(request, search);
    if (key === undefined) {
      send(NO_KEY);
      return;
    }
    const done = await queue(() => work(request, body, key, planned));
    if (fault === 'answer lost') breakOff();
    else send(fault === 'done, status 500' ? DEAD : done);
  };

  const server = createServer({ maxHeaderSize: 262_144 }, (request, response) => {
    serve(request, response).catch((error: unknown) => {
      if (response.destroyed || response.headersSent) return;
      // A fault of the simulation itself, not one of the shop's.
      response.writeHead(500, { 'Content-Type': 'text/plain' }).end(`Simulation: ${String(error)}`);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  domain = options.domain ?? `127.0.0.1:${port}`;

  return {
    url: `http://127.0.0.1:${port}`,
    site,
    requests,
    onRequest: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    failNext: (match, fault, details) => faults.add(match, fault, details),
    recover: () => faults.clear(),
    enable: (on) => {
      enabled = on;
    },
    forgetRequests: () => {
      requests.length = 0;
    },
    stop: async () => {
      stopping.abort();
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

function draw(duration: Duration | undefined): number {
  return typeof duration === 'function' ? duration() : (duration ?? 0);
}

/** What nginx refuses, and what PrestaShop sends away before it looks at the Webservice. */
function refusalBeforePhp(request: IncomingMessage, domain: string): PlainAnswer | undefined {
  if (`${request.method} ${request.url} HTTP/1.1`.length > LONGEST_LINE) return TOO_LONG;
  const { path, search } = apart(request);
  if (request.headers.host !== domain) {
    const rest = path.replace(/^\/api\/?/, '');
    return redirect(`http://${domain}/?url=${rest}${search === '' ? '' : `&${search}`}`);
  }
  return /^\/api(?:\/|$)/.test(path) ? undefined : NOT_FOUND;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function apart(request: IncomingMessage): { readonly path: string; readonly search: string } {
  const url = request.url ?? '/';
  const at = url.indexOf('?');
  return at === -1 ? { path: url, search: '' } : { path: url.slice(0, at), search: url.slice(at + 1) };
}

/** The key comes as the user's name, or in the address. */
function keyOf(request: IncomingMessage, search: string): string | undefined {
  const basic = /^Basic (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (basic !== undefined) return Buffer.from(basic, 'base64').toString('utf8').split(':')[0]?.trim();
  return new URLSearchParams(search).get('ws_key')?.trim();
}

function withoutKey(url: string): string {
  return url.replaceAll(/([?&])ws_key=[^&]*&?/g, '$1').replace(/[?&]$/, '');
}

function machineTime(): string {
  const now = new Date();
  const local = new Date(now.getTime() - now.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19).replace('T', ' ');
}
