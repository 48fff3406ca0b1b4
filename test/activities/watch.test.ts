import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Deps } from '../../src/activities/deps.ts';
import { watch, type WatchResult } from '../../src/activities/watch.ts';
import { AlertError, type Message } from '../../src/alerts.ts';
import type { CycleSeen } from '../../src/cycles.ts';
import { FAILURE } from '../../src/failures.ts';
import type { CycleReport, StepName, StepReport } from '../../src/workflows/report.ts';
import { completeReport } from '../chaos/complete-report.ts';
import { openTestPglite, type TestLedger } from '../support/ledgers.ts';
import { anOrder, anUnreadableOrder, recordUnreadable } from '../support/orders.ts';
import { NO_CYCLES } from '../support/world.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const ago = (milliseconds: number) => new Date(Date.now() - milliseconds);

let test: TestLedger;
beforeAll(async () => {
  test = await openTestPglite();
});
afterAll(() => test.close());

/** What each end was told, in order; a name in `down` throws. */
let sent: { readonly to: string; readonly subject: string; readonly text: string }[];
let down: Set<string>;
let recent: CycleSeen[];
let running: CycleReport | null;
let isPaused: boolean;
beforeEach(async () => {
  await test.reset();
  sent = [];
  down = new Set();
  recent = [];
  running = null;
  isPaused = false;
});

const channel = (name: 'mail' | 'webhook') => ({
  name,
  send: async (message: Message) => {
    if (down.has(name)) throw new AlertError(`Expected ${name} to answer, got nothing`);
    sent.push({ to: name, ...message });
  },
});
const createDeps = (channels: readonly ('mail' | 'webhook')[] = ['mail']): Deps =>
  ({
    config: {
      timeZone: 'Europe/Paris',
      alerts: {
        webUi: 'https://temporal.example.org',
        every: 1_234,
        ordersNotTaken: 2 * HOUR,
        paused: 4 * HOUR,
      },
    },
    alerts: {
      channels: channels.map(channel),
      heartbeat: async () => {
        if (down.has('heartbeat')) throw new AlertError('Expected the heartbeat to answer, got nothing');
        sent.push({ to: 'heartbeat', subject: '', text: '' });
      },
    },
    cycles: {
      ...NO_CYCLES,
      recent: async (count: number) => recent.slice(0, count),
      report: async () => running,
      schedule: async () => ({ mode: 'live', paused: isPaused, note: 'Zoé', nextAt: null }),
    },
    ledger: test.ledger,
  }) as unknown as Deps;

const START = ago(24 * HOUR).toISOString();
const attempt = (deps = createDeps(), beatenUpTo = START): Promise<WatchResult> =>
  new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(() =>
    watch(deps)({ beatenUpTo }),
  );
/** Looks once; what is told, `mail: subject`. */
const look = async (deps = createDeps(), beatenUpTo?: string): Promise<readonly string[]> => {
  sent = [];
  await attempt(deps, beatenUpTo).catch((error: { readonly type?: string }) => {
    if (error.type !== FAILURE.notYet) throw error;
  });
  return sent.map(({ to, subject }) => (subject === '' ? to : `${to}: ${subject}`));
};

const seen = (report: CycleReport | null, change: Partial<CycleSeen> = {}): CycleSeen => ({
  workflowId: 'cycle',
  runId: randomUUID(),
  startedAt: '2026-11-24T09:25:00.000Z',
  endedAt: ago(MINUTE).toISOString(),
  status: 'COMPLETED',
  report,
  ...change,
});
const complete = () => completeReport('a', {});
/** A report with other steps; not complete unless it says so. */
const report = (
  steps: Partial<Record<StepName, Partial<StepReport>>>,
  change: Partial<CycleReport> = {},
): CycleReport => ({
  ...complete(),
  outcome: 'degraded',
  steps: complete().steps.map((step) => ({ ...step, ...steps[step.name] })),
  ...change,
});
const failed = (type: string, message: string): Partial<StepReport> => ({
  state: 'failed',
  facts: null,
  why: { type, message },
});
const inProgress = { status: 'RUNNING', endedAt: null };

const see = (orders: readonly number[], byHand: readonly number[] = []) =>
  test.ledger.recordOrders({
    cycle: 'a',
    step: 1,
    file: 'commandes',
    fileSha256: 'f'.repeat(64),
    at: ago(3 * HOUR),
    orders: [
      ...orders.map((id) => ({ order: anOrder(id), route: 'send' as const })),
      ...byHand.map((id) => ({ order: anOrder(id), route: 'by_hand' as const })),
    ],
    setAside: [],
  });
const publish = async (orders: readonly number[], at: Date): Promise<string> => {
  const id = randomUUID();
  await test.ledger.startDelivery(
    { id, kind: 'sales', cycle: id, temporaryPath: id, finalPath: id, size: 1, sha256: '', createdAt: at },
    orders,
  );
  await test.ledger.markUploaded(id);
  await test.ledger.markPublished(id, at);
  return id;
};

describe('a look', () => {
  it('that has nothing to tell asks for the next one, after the time that is configured', async () => {
    await expect(attempt()).rejects.toMatchObject({
      type: FAILURE.notYet,
      message: 'Nothing new, 0 warning(s) last',
      nextRetryDelay: 1_234,
      nonRetryable: false,
    });
  });

  it('says what it told to whom', async () => {
    await see([], [1201, 1204]);
    expect(await attempt(createDeps(['mail', 'webhook']))).toMatchObject({
      told: ['mail: orders-by-hand began 1201, 1204', 'webhook: orders-by-hand began 1201, 1204'],
      every: 1_234,
    });
    await expect(attempt(createDeps(['mail', 'webhook']))).rejects.toThrow('Nothing new, 2 warning(s) last');
  });

  it('fails, and marks nothing, when the ledger or Temporal cannot be asked', async () => {
    await see([], [1201]);
    const deps = createDeps();
    const lost = {
      ...deps,
      cycles: { ...deps.cycles, recent: () => Promise.reject(new Error('unavailable')) },
    };
    await expect(attempt(lost)).rejects.toThrow('unavailable');
    expect(sent).toEqual([]);
    expect(await look()).toHaveLength(1);
  });

  it('sends once more what was sent before a crash that kept it from being noted', async () => {
    await see([], [1201]);
    const deps = createDeps();
    const ledger = { ...deps.ledger, markWarned: () => Promise.reject(new Error('crash')) };
    await expect(attempt({ ...deps, ledger })).rejects.toThrow('crash');
    expect(sent).toHaveLength(1);
    expect(await look()).toHaveLength(1);
    expect(await look()).toEqual([]);
  });
});

describe('what is told', () => {
  it('is orders to enter by hand: how many, which, why, what to do and where, and nothing of the customer', async () => {
    await see([], [1201, 1204, 1207]);
    expect(await look()).toEqual(['mail: Passerelle : 3 commandes à saisir à la main (1201, 1204, 1207)']);
    expect(sent[0]?.text).toBe(
      [
        'Payées en bon cadeau : la passerelle ne les envoie pas à Proshop.',
        'À faire : les saisir dans Proshop. Ensuite, le noter : npm run client -- orders settle NUMÉRO --why "saisie à la main"',
        '',
        'Temporal : https://temporal.example.org',
      ].join('\n'),
    );
    expect(JSON.stringify(sent)).not.toMatch(/Lef|Zo|zoe|rue du Bac/);
    await test.ledger.settleOrder(1204, new Date(), 'saisie');
    expect(await look()).toEqual(['mail: Passerelle : c’est réglé – 1 commande à saisir à la main (1204)']);
    expect(sent[0]?.text).toBe('Plus rien à faire.\n\nTemporal : https://temporal.example.org');
  });

  it('is orders that were set aside, with the reason, also without a number', async () => {
    await recordUnreadable(test.ledger, ago(HOUR), [
      anUnreadableOrder(1201),
      anUnreadableOrder(null, { line: 13 }),
    ]);
    expect(await look()).toEqual([
      'mail: Passerelle : 2 commandes mises de côté (1201, sans numéro lisible, repère ffffffff-13)',
    ]);
    expect(sent[0]?.text).toMatch(/- 1201 : Expected an EAN.*line 12/);
    expect(sent[0]?.text).toMatch(/- sans numéro lisible, repère ffffffff-13 : .*line 13/);
  });

  it('is orders that Proshop has not taken, once a cycle has looked for them', async () => {
    await see([1201, 1204, 1207]);
    const first = await publish([1201, 1204], ago(2 * HOUR + MINUTE));
    await publish([1207], ago(HOUR));
    expect(await look()).toEqual([]);
    recent = [seen(null, inProgress)];
    running = report({
      awaitOrdersTaken: { state: 'running', endedAt: null },
      collectStock: { state: 'waiting', endedAt: null },
    });
    expect(await look()).toEqual([
      'mail: Passerelle : 2 commandes pas encore prises par Proshop (1201, 1204)',
    ]);
    expect(sent[0]?.text).toContain('Ne pas saisir ces commandes à la main');
    expect(await look()).toEqual([]);
    await test.ledger.markTaken(first, new Date());
    expect(await look()).toEqual([
      'mail: Passerelle : c’est réglé – Proshop a pris les commandes en attente',
    ]);
  });

  it('is a cycle that failed, with the step and why', async () => {
    recent = [
      seen(
        report({
          updateStock: failed('Transient', 'HTTP 500'),
          collectStock: failed('NotYet', 'still there'),
        }),
      ),
    ];
    expect(await look()).toEqual(['mail: Passerelle : 1 cycle en échec, le 24/11 à 10:25']);
    expect(sent[0]?.text).toContain('- 8/8 Mise à jour du stock de la boutique : panne : HTTP 500');
    expect(sent[0]?.text).not.toContain('still there');
    recent = [seen(null, inProgress), ...recent];
    expect(await look()).toEqual([]);
    recent = [seen(complete(), { endedAt: START })];
    expect(await look()).toEqual(['mail: Passerelle : c’est réglé – le dernier cycle n’a pas connu d’échec']);
  });

  it.each([
    [
      'did not begin',
      seen(
        report(
          {},
          { outcome: 'failed', alarms: [{ kind: 'step-failed', step: 0, message: 'Refused: 530' }] },
        ),
      ),
      '- Refused: 530',
    ],
    ['was terminated', seen(null, { status: 'TERMINATED' }), '- cycle arrêté de force'],
    ['hung', seen(null, { status: 'TIMED_OUT' }), '- cycle hors délai'],
  ])('is a cycle that %s', async (_name, cycle, reason) => {
    recent = [cycle];
    expect(await look()).toHaveLength(1);
    expect(sent[0]?.text).toContain(reason);
  });

  it('is no failure that only steps 3 and 4 had, which are told apart', async () => {
    recent = [seen(report({ awaitOrdersTaken: failed('NotYet', ''), collectStock: failed('NotYet', '') }))];
    expect(await look()).toEqual([]);
  });

  it('is two cycles without fresh stock', async () => {
    const none = () =>
      seen(
        report(
          { collectStock: failed('NotYet', '') },
          { alarms: [{ kind: 'no-fresh-stock', step: 4, message: '' }] },
        ),
      );
    recent = [none()];
    expect(await look()).toEqual([]);
    recent = [none(), ...recent];
    expect(await look()).toEqual(['mail: Passerelle : 2 cycles de suite sans export de stock de Proshop']);
    recent = [seen(null, inProgress), ...recent];
    running = report({});
    expect(await look()).toEqual(['mail: Passerelle : c’est réglé – Proshop exporte à nouveau son stock']);
  });

  it('is a batch that waits for a person, until one decides', async () => {
    const hold = {
      until: '2026-11-24T09:55:00.000Z',
      timeZone: 'Europe/Paris',
      reasons: ['rows down by 45 %'],
      decision: null,
    };
    recent = [seen(null, inProgress)];
    running = report({}, { outcome: 'running', holds: [hold] });
    expect(await look()).toEqual(['mail: Passerelle : 1 mise à jour du stock retenue']);
    expect(sent[0]?.text).toContain('- rows down by 45 %');
    expect(sent[0]?.text).toContain('À faire avant le 24/11 à 10:55 :');
    const decision = { answer: 'skip', who: 'Anne', why: 'inventaire', at: '' } as const;
    running = report({}, { outcome: 'running', holds: [{ ...hold, decision }] });
    expect(await look()).toEqual(['mail: Passerelle : c’est réglé – plus de mise à jour du stock retenue']);
    expect(JSON.stringify(sent)).not.toContain('Anne');
  });

  it('is a batch that nobody decided of, while the next cycle cannot be asked', async () => {
    recent = [
      seen(null, inProgress),
      seen(
        report(
          { updateStock: { state: 'skipped', why: { type: 'Held', message: '' } } },
          { outcome: 'held' },
        ),
        { endedAt: START },
      ),
    ];
    expect(await look()).toEqual(['mail: Passerelle : 1 mise à jour du stock retenue']);
    recent = [seen(complete(), { endedAt: START }), ...recent.slice(1)];
    expect(await look()).toEqual(['mail: Passerelle : c’est réglé – plus de mise à jour du stock retenue']);
  });

  it('is a pause that lasts, without the words of who paused', async () => {
    isPaused = true;
    await test.ledger.noteWarnings(
      [{ kind: 'schedule-paused', subject: '' }],
      new Date('2026-11-24T07:12:00Z'),
    );
    expect(await look()).toEqual(['mail: Passerelle : cycles en pause depuis le 24/11 à 08:12']);
    expect(JSON.stringify(sent)).not.toContain('Zo');
    isPaused = false;
    expect(await look()).toEqual(['mail: Passerelle : c’est réglé – les cycles ne sont plus en pause']);
  });

  it('is a cycle that somebody paused in the middle, which keeps others from beginning', async () => {
    recent = [seen(null, { status: 'PAUSED', endedAt: null })];
    await test.ledger.noteWarnings(
      [{ kind: 'schedule-paused', subject: '' }],
      new Date('2026-11-24T07:12:00Z'),
    );
    expect(await look()).toEqual(['mail: Passerelle : cycles en pause depuis le 24/11 à 08:12']);
    expect(sent[0]?.text).toContain('Unpause Workflow');
    recent = [seen(complete(), { endedAt: START })];
    expect(await look()).toEqual(['mail: Passerelle : c’est réglé – les cycles ne sont plus en pause']);
    isPaused = true;
    expect(await look()).toEqual([]);
  });
});

describe('a channel that is down', () => {
  const both = () => createDeps(['mail', 'webhook']);

  it('holds up no other, and is tried again with what is true then', async () => {
    down.add('mail');
    await see([], [1201]);
    expect(await look(both())).toEqual(['webhook: Passerelle : 1 commande à saisir à la main (1201)']);
    await expect(attempt(both())).rejects.toThrow(
      'Nothing new, 1 warning(s) last; mail: Expected mail to answer, got nothing',
    );
    await test.ledger.settleOrder(1201, new Date(), 'saisie');
    await see([], [1204]);
    expect(await look(both())).toEqual([
      'webhook: Passerelle : 1 commande à saisir à la main (1204)',
      'webhook: Passerelle : c’est réglé – 1 commande à saisir à la main (1201)',
    ]);
    down.clear();
    expect(await look(both())).toEqual(['mail: Passerelle : 1 commande à saisir à la main (1204)']);
    expect(await look(both())).toEqual([]);
    expect(await test.ledger.warnings()).toMatchObject([{ subject: '1204' }]);
  });

  it('is told later that something is over, and then nothing is left of it', async () => {
    await see([], [1201]);
    expect(await look(both())).toHaveLength(2);
    down.add('mail');
    await test.ledger.settleOrder(1201, new Date(), 'saisie');
    expect(await look(both())).toHaveLength(1);
    down.clear();
    expect(await look(both())).toEqual([
      'mail: Passerelle : c’est réglé – 1 commande à saisir à la main (1201)',
    ]);
    expect(await test.ledger.warnings()).toEqual([]);
  });

  it('is tried once a look, however much there is to tell', async () => {
    await see([], [1201]);
    isPaused = true;
    await test.ledger.noteWarnings([{ kind: 'schedule-paused', subject: '' }], ago(5 * HOUR));
    let tries = 0;
    const deps = createDeps();
    const dead = {
      name: 'mail' as const,
      send: async () => {
        tries++;
        throw new AlertError('down');
      },
    };
    await look({ ...deps, alerts: { ...deps.alerts, channels: [dead] } });
    expect(tries).toBe(1);
  });

  it('keeps nothing when it is configured no longer', async () => {
    await see([], [1201]);
    await look(both());
    await test.ledger.settleOrder(1201, new Date(), 'saisie');
    await look(createDeps(['mail']));
    expect(await test.ledger.warnings()).toEqual([]);
  });
});

describe('the heartbeat', () => {
  it('is called once for each complete cycle, and for no other', async () => {
    recent = [seen(complete(), { endedAt: ago(40 * MINUTE).toISOString() })];
    const first = await attempt();
    expect(sent.map(({ to }) => to)).toEqual(['heartbeat']);
    expect(first.beatenUpTo).toBe(recent[0]?.endedAt);
    expect(await look(createDeps(), first.beatenUpTo)).toEqual([]);

    recent = [seen(report({}), { endedAt: ago(20 * MINUTE).toISOString() }), ...recent];
    expect(await look(createDeps(), first.beatenUpTo)).toEqual([]);
    recent = [seen(null, inProgress), seen(complete()), ...recent];
    expect(await look(createDeps(), first.beatenUpTo)).toEqual(['heartbeat']);
  });

  it('is not called for a cycle that had ended before anybody watched', async () => {
    recent = [seen(complete(), { endedAt: START })];
    expect(await look()).toEqual([]);
  });

  it('that does not answer is called again at the next look', async () => {
    down.add('heartbeat');
    recent = [seen(complete())];
    await expect(attempt()).rejects.toThrow('heartbeat: Expected the heartbeat to answer, got nothing');
    down.clear();
    expect(await look()).toEqual(['heartbeat']);
  });
});
