import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { WorkerStatus } from '@temporalio/worker';
import type { Cycles } from './cycles.ts';
import type { Ledger } from './ledger/ledger.ts';
import { SCHEDULE_ID } from './schedule.ts';

/** Resolves when that part is well. @throws what is wrong with it. */
export type Check = () => Promise<unknown>;

/** Address -> part -> its check. */
export type Checks = Readonly<Record<`/${string}`, Readonly<Record<string, Check>>>>;

export interface Health {
  readonly port: number;
  close(): Promise<void>;
}

/** Milliseconds until a part that does not answer counts as ill. */
const PATIENCE = 2_000;

/** `/healthz`: what a cycle needs is there. `/readyz`: cycles begin by themselves, and this worker would do their steps. */
export function gatewayChecks(parts: {
  /** Null before there is a worker. */
  readonly worker: () => WorkerStatus | null;
  readonly client: Client;
  readonly cycles: Cycles;
  readonly ledger: Ledger;
}): Checks {
  const worker = async () => {
    const { runState = 'no worker yet', workflowPollerState, activityPollerState } = parts.worker() ?? {};
    const isPolling = workflowPollerState === 'POLLING' && activityPollerState === 'POLLING';
    if (runState !== 'RUNNING' || !isPolling)
      throw new Error(
        `Expected the worker to be RUNNING and POLLING, got ${[runState, workflowPollerState, activityPollerState].filter(Boolean).join(', ')}`,
      );
  };
  const { client, cycles, ledger } = parts;
  const { namespace } = client.options;
  return {
    '/healthz': {
      worker,
      temporal: () =>
        client.withDeadline(Date.now() + PATIENCE, () =>
          client.workflowService.describeNamespace({ namespace }),
        ),
      ledger: () => ledger.check(),
    },
    '/readyz': {
      worker,
      schedule: async () => {
        if ((await cycles.schedule()) === null)
          throw new Error(`Expected the schedule ${SCHEDULE_ID} in Temporal, got none`);
      },
    },
  };
}

/**
 * Tells probes how the gateway is: 200 when every part at that address is well and 503 otherwise, with `ok` or the reason
 * for each part as JSON. `explain` makes a reason of whatever a check throws: without secrets, for anybody may ask.
 */
export async function startHealth(
  {
    host,
    port,
    patience = PATIENCE,
  }: { readonly host: string; readonly port: number; readonly patience?: number },
  checks: Checks,
  explain: (error: unknown) => string,
): Promise<Health> {
  const parts = new Map(
    Object.entries(checks).map(([path, each]) => [
      path,
      Object.entries(each).map(([name, check]) => [name, once(check)] as const),
    ]),
  );
  const server = createServer((request, response) => {
    const answer = async () => {
      const asked = parts.get(request.url?.split('?')[0] ?? '');
      if (asked === undefined) return response.writeHead(404).end();
      if (request.method !== 'GET' && request.method !== 'HEAD')
        return response.writeHead(405, { allow: 'GET, HEAD' }).end();
      const states = await Promise.all(
        asked.map(async ([name, check]) => [name, await stateOf(check)] as const),
      );
      const isWell = states.every(([, state]) => state === 'ok');
      response.writeHead(isWell ? 200 : 503, {
        'content-type': 'application/json',
        'cache-control': 'no-store',
      });
      return response.end(`${JSON.stringify(Object.fromEntries(states))}\n`);
    };
    void answer();
  });
  await new Promise<void>((resolve, reject) => {
    // Stays: a connection that cannot be accepted later is no reason to end the gateway.
    server.on('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };

  async function stateOf(check: Check): Promise<string> {
    const inTime = new AbortController();
    const late = async () => {
      await sleep(patience, undefined, { signal: inTime.signal });
      return `Expected an answer within ${patience / 1_000} s, got none`;
    };
    try {
      return await Promise.race([check().then(() => 'ok'), late()]);
    } catch (error) {
      return explain(error);
    } finally {
      inTime.abort();
    }
  }
}

/** Asks one at a time: whoever comes meanwhile gets the same answer, so that probes do not pile up on a part that hangs. */
function once(check: Check): Check {
  let running: Promise<unknown> | null = null;
  return () => {
    running ??= check().finally(() => {
      running = null;
    });
    return running;
  };
}
