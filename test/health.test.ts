import { afterEach, describe, expect, it } from 'vitest';
import type { Client } from '@temporalio/client';
import type { WorkerStatus } from '@temporalio/worker';
import { gatewayChecks, startHealth, type Checks, type Health } from '../src/health.ts';
import { NO_CYCLES } from './support/world.ts';

let health: Health | undefined;
afterEach(async () => {
  await health?.close();
  health = undefined;
});

const well = async () => undefined;
const ill = (reason: string) => async () => {
  throw new Error(reason);
};
const open = async (checks: Checks) => {
  health = await startHealth({ host: '127.0.0.1', port: 0, patience: 100 }, checks, (error) =>
    (error as Error).message.replaceAll('sesame', '(secret)'),
  );
  const { port } = health;
  return async (path: string, init?: RequestInit) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
    return { status: response.status, body: await response.text(), headers: response.headers };
  };
};
const HEALTHY = { worker: well, temporal: well, ledger: well };

describe('an address for probes', () => {
  it('answers 200 when every part is well, to a question with parameters too', async () => {
    const ask = await open({ '/healthz': HEALTHY });
    for (const path of ['/healthz', '/healthz?probe=1']) {
      const { status, body } = await ask(path);
      expect(status).toBe(200);
      expect(JSON.parse(body)).toEqual({ worker: 'ok', temporal: 'ok', ledger: 'ok' });
    }
  });

  it.each(['worker', 'temporal', 'ledger'])('answers 503 and why when the %s is ill', async (part) => {
    const ask = await open({ '/healthz': { ...HEALTHY, [part]: ill('no answer to sesame') } });
    const { status, body } = await ask('/healthz');
    expect(status).toBe(503);
    const others = { worker: 'ok', temporal: 'ok', ledger: 'ok' };
    expect(JSON.parse(body)).toEqual({ ...others, [part]: 'no answer to (secret)' });
  });

  it('does not wait for a part that hangs, and asks it only once at a time', async () => {
    let asked = 0;
    let answer = (): void => undefined;
    const ask = await open({
      '/healthz': {
        ...HEALTHY,
        ledger: () => {
          asked++;
          return new Promise<void>((resolve) => {
            answer = resolve;
          });
        },
      },
    });
    const [first, second] = await Promise.all([ask('/healthz'), ask('/healthz')]);
    await ask('/healthz');
    expect([first.status, second.status]).toEqual([503, 503]);
    expect(JSON.parse(first.body)).toMatchObject({ ledger: 'Expected an answer within 0.1 s, got none' });
    expect(asked).toBe(1);

    answer();
    const next = ask('/healthz');
    await expect.poll(() => asked).toBe(2);
    answer();
    expect((await next).status).toBe(200);
  });

  it('tells each address its own parts', async () => {
    const ask = await open({ '/healthz': HEALTHY, '/readyz': { schedule: ill('none') } });
    expect((await ask('/healthz')).status).toBe(200);
    expect(await ask('/readyz')).toMatchObject({ status: 503, body: '{"schedule":"none"}\n' });
  });

  it('says nothing anywhere else, to another method, or of what it is made of', async () => {
    const ask = await open({ '/healthz': HEALTHY });
    for (const path of ['/', '/metrics', '/healthz/', '/HEALTHZ', '/toString'])
      expect(await ask(path)).toMatchObject({ status: 404, body: '' });
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS'])
      expect(await ask('/healthz', { method })).toMatchObject({ status: 405, body: '' });
    expect(await ask('/healthz', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
    const { headers } = await ask('/healthz');
    expect([...headers.keys()].filter((name) => /server|powered|version/.test(name))).toEqual([]);
  });

  it('is refused when somebody else listens there', async () => {
    await open({ '/healthz': HEALTHY });
    const again = startHealth({ host: '127.0.0.1', port: health?.port ?? 0 }, {}, String);
    await expect(again).rejects.toThrow('EADDRINUSE');
  });
});

describe('the gateway', () => {
  const POLLING = { runState: 'RUNNING', workflowPollerState: 'POLLING', activityPollerState: 'POLLING' };
  const client = {
    options: { namespace: 'shop' },
    withDeadline: (_at: number, question: () => Promise<unknown>) => question(),
    workflowService: {
      describeNamespace: async ({ namespace }: { namespace: string }) => {
        if (namespace !== 'shop') throw new Error('another namespace');
      },
    },
  } as unknown as Client;
  const schedule = { mode: 'live', paused: true, note: '', nextAt: null } as const;
  const gateway = (change: Partial<Parameters<typeof gatewayChecks>[0]> = {}) =>
    gatewayChecks({
      worker: () => POLLING as WorkerStatus,
      client,
      cycles: { ...NO_CYCLES, schedule: async () => schedule },
      ledger: { check: well } as never,
      ...change,
    });

  it('is healthy, and ready also while its schedule is paused', async () => {
    const ask = await open(gateway());
    expect((await ask('/healthz')).body).toBe('{"worker":"ok","temporal":"ok","ledger":"ok"}\n');
    expect((await ask('/readyz')).body).toBe('{"worker":"ok","schedule":"ok"}\n');
  });

  it.each([
    [null, 'no worker yet'],
    [{ ...POLLING, runState: 'DRAINING' }, 'DRAINING, POLLING, POLLING'],
    [{ ...POLLING, workflowPollerState: 'FAILED' }, 'RUNNING, FAILED, POLLING'],
    [{ ...POLLING, activityPollerState: 'SHUTDOWN' }, 'RUNNING, POLLING, SHUTDOWN'],
  ])('is neither with the worker %o', async (status, got) => {
    const ask = await open(gateway({ worker: () => status as WorkerStatus | null }));
    const reason = `Expected the worker to be RUNNING and POLLING, got ${got}`;
    for (const path of ['/healthz', '/readyz']) {
      const answer = await ask(path);
      expect(answer.status).toBe(503);
      expect(JSON.parse(answer.body)).toMatchObject({ worker: reason });
    }
  });

  it('is not ready without its schedule', async () => {
    const ask = await open(gateway({ cycles: NO_CYCLES }));
    expect((await ask('/healthz')).status).toBe(200);
    expect(await ask('/readyz')).toMatchObject({
      status: 503,
      body: '{"worker":"ok","schedule":"Expected the schedule passerelle in Temporal, got none"}\n',
    });
  });
});
