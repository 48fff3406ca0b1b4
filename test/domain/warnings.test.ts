import { describe, expect, it } from 'vitest';
import {
  has,
  lastingWarnings,
  newsFor,
  type CycleFacts,
  type KnownWarning,
  type WatchFacts,
} from '../../src/domain/warnings.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOON = 1_795_000_000_000;
const PATIENCE = { ordersNotTaken: 2 * HOUR, paused: 4 * HOUR };

/** A cycle in which all went well. */
const good = (change: Partial<CycleFacts> = {}): CycleFacts => ({
  startedAt: NOON - 30 * MINUTE,
  isHeld: false,
  heldFor: [],
  heldUntil: null,
  hasFreshStock: true,
  lookedForTakenAt: NOON - 20 * MINUTE,
  failures: [],
  ...change,
});
/** One that tells nothing yet. */
const young = (): CycleFacts =>
  good({ isHeld: null, hasFreshStock: null, lookedForTakenAt: null, failures: null });
const facts = (change: Partial<WatchFacts> = {}): WatchFacts => ({
  now: NOON,
  isPaused: false,
  cycles: [good(), good()],
  untaken: [],
  byHand: [],
  setAside: [],
  ...change,
});
const order = (id: number, reason: string | null = null) => ({ subject: String(id), id, reason });

/** Looks again and again, and remembers as the ledger does. `up` = the channels that take messages now. */
function watcher(channels: readonly string[] = ['mail']) {
  let known: readonly KnownWarning[] = [];
  return (seen: WatchFacts, up: readonly string[] = channels): readonly string[] => {
    const lasting = lastingWarnings(seen, known, PATIENCE);
    const all = [
      ...known.map((one) => ({ ...one, isOver: !has(lasting, one) })),
      ...lasting
        .filter((one) => !has(known, one))
        .map(({ kind, subject, since }) => ({ kind, subject, since, isOver: false, told: [] })),
    ];
    const messages: string[] = [];
    let told = all as readonly KnownWarning[];
    for (const channel of up) {
      for (const { kind, change, warnings } of newsFor(channel, lasting, known)) {
        messages.push(`${channel} ${kind} ${change} ${warnings.map(({ subject }) => subject).join()}`.trim());
        told = told.map((one) => {
          if (one.kind !== kind || !has(warnings, one)) return one;
          const others = one.told.filter((name) => name !== channel);
          return { ...one, told: change === 'began' ? [...others, channel] : others };
        });
      }
    }
    known = told.filter((one) => !one.isOver || one.told.length > 0);
    return messages;
  };
}

const published = { publishedAt: NOON - 3 * HOUR, orders: [1201, 1204] };

describe('each warning', () => {
  it.each<[string, Partial<WatchFacts>]>([
    ['batch-held', { cycles: [good({ isHeld: true })] }],
    ['orders-not-taken', { untaken: [published] }],
    ['orders-set-aside', { setAside: [order(1201)] }],
    ['orders-by-hand', { byHand: [order(1201)] }],
    ['no-fresh-stock', { cycles: [good({ hasFreshStock: false }), good({ hasFreshStock: false })] }],
    ['cycle-failed', { cycles: [good({ failures: ['8/8'] })] }],
    ['schedule-paused', { isPaused: true }],
  ])('%s is told once when it begins and once when it is over, and not in between', (kind, change) => {
    const look = watcher();
    const subject = kind.startsWith('orders-') && kind !== 'orders-not-taken' ? ' 1201' : '';
    expect(look(facts())).toEqual([]);
    // A pause is noted by the first look that sees it, and told when it has lasted.
    if (kind === 'schedule-paused') look(facts({ ...change, now: NOON - 4 * HOUR }));
    expect(look(facts(change))).toEqual([`mail ${kind} began${subject}`]);
    expect(look(facts(change))).toEqual([]);
    expect(look(facts({ ...change, now: NOON + MINUTE }))).toEqual([]);
    expect(look(facts())).toEqual([`mail ${kind} over${subject}`]);
    expect(look(facts())).toEqual([]);
  });

  it('is told again when it comes back', () => {
    const look = watcher();
    const held = facts({ cycles: [good({ isHeld: true })] });
    expect([...look(held), ...look(facts()), ...look(held), ...look(facts())]).toEqual([
      'mail batch-held began',
      'mail batch-held over',
      'mail batch-held began',
      'mail batch-held over',
    ]);
  });
});

describe('orders for people', () => {
  it('begin and end each for itself, and share a message when they do so at once', () => {
    const look = watcher();
    expect(look(facts({ byHand: [order(1201), order(1204)] }))).toEqual([
      'mail orders-by-hand began 1201,1204',
    ]);
    expect(look(facts({ byHand: [order(1201), order(1204), order(1207)] }))).toEqual([
      'mail orders-by-hand began 1207',
    ]);
    expect(look(facts({ byHand: [order(1204)] }))).toEqual(['mail orders-by-hand over 1201,1207']);
    expect(look(facts({ byHand: [order(1204)] }))).toEqual([]);
  });

  it('are not taken for others of the same number', () => {
    const look = watcher();
    expect(look(facts({ byHand: [order(1201)], setAside: [order(1201)] }))).toEqual([
      'mail orders-set-aside began 1201',
      'mail orders-by-hand began 1201',
    ]);
    expect(look(facts({ byHand: [order(1201)] }))).toEqual(['mail orders-set-aside over 1201']);
  });

  it('tell why they were set aside, and have no number when none can be read', () => {
    const setAside = [order(1201, 'Expected an EAN'), { subject: 'f:12', id: null, reason: null }];
    const [first, second] = lastingWarnings(facts({ setAside }), [], PATIENCE);
    expect(first).toMatchObject({ orders: [1201], reasons: ['Expected an EAN'] });
    expect(second).toMatchObject({ subject: 'f:12', orders: [], reasons: [] });
  });
});

describe('orders that Proshop does not take', () => {
  it('are told all in one, with the time of the oldest file', () => {
    const untaken = [
      published,
      { publishedAt: NOON - 2 * HOUR, orders: [1210] },
      { publishedAt: NOON - 2 * HOUR + 1, orders: [1211] },
    ];
    expect(lastingWarnings(facts({ untaken }), [], PATIENCE)).toEqual([
      expect.objectContaining({ orders: [1201, 1204, 1210], since: published.publishedAt }),
    ]);
  });

  it('are not told of for a file that nobody has looked for since the gateway was off', () => {
    const look = watcher();
    const night = [good({ lookedForTakenAt: NOON - 9 * HOUR })];
    expect(look(facts({ untaken: [published], cycles: night }))).toEqual([]);
    expect(look(facts({ untaken: [published], cycles: [] }))).toEqual([]);
    expect(look(facts({ untaken: [published], cycles: [good(), ...night] }))).toEqual([
      'mail orders-not-taken began',
    ]);
    // Nor is it over because nobody looks any more.
    expect(look(facts({ untaken: [published], cycles: night }))).toEqual([]);
  });
});

describe('a held batch', () => {
  it('is not over because the next cycle has begun', () => {
    const look = watcher();
    const held = good({ isHeld: true });
    expect(look(facts({ cycles: [held] }))).toEqual(['mail batch-held began']);
    expect(look(facts({ cycles: [young(), held] }))).toEqual([]);
    expect(look(facts({ cycles: [good({ isHeld: true }), held] }))).toEqual([]);
    expect(look(facts({ cycles: [young(), young()] }))).toEqual([]);
    expect(look(facts({ cycles: [good(), held] }))).toEqual(['mail batch-held over']);
  });

  it('tells what the gate said, and until when somebody can decide', () => {
    const cycles = [good({ isHeld: true, heldFor: ['rows down'], heldUntil: NOON + HOUR })];
    expect(lastingWarnings(facts({ cycles }), [], PATIENCE)).toMatchObject([
      { kind: 'batch-held', reasons: ['rows down'], until: NOON + HOUR },
    ]);
  });
});

describe('fresh stock', () => {
  const none = good({ hasFreshStock: false });

  it('may be missed by one cycle', () => {
    expect(watcher()(facts({ cycles: [none, good(), none] }))).toEqual([]);
    expect(watcher()(facts({ cycles: [none] }))).toEqual([]);
  });

  it('is neither missed nor found by a cycle that did not come so far', () => {
    const look = watcher();
    expect(look(facts({ cycles: [young(), none, young(), none] }))).toEqual(['mail no-fresh-stock began']);
    expect(look(facts({ cycles: [young(), young()] }))).toEqual([]);
    expect(look(facts({ cycles: [good(), young()] }))).toEqual(['mail no-fresh-stock over']);
  });
});

describe('a failed cycle', () => {
  it('is the last one that ended', () => {
    const failed = good({ failures: ['8/8'] });
    expect(watcher()(facts({ cycles: [young(), failed] }))).toEqual(['mail cycle-failed began']);
    expect(watcher()(facts({ cycles: [good(), failed] }))).toEqual([]);
  });

  it('goes on as one while cycle after cycle fails, each elsewhere', () => {
    const look = watcher();
    expect(look(facts({ cycles: [good({ failures: ['8/8'] })] }))).toHaveLength(1);
    expect(look(facts({ cycles: [good({ failures: ['1/8'] })] }))).toEqual([]);
  });
});

describe('a pause', () => {
  const pausedAt = (now: number) => facts({ isPaused: true, now });

  it('is told after its time, and not at all when it is shorter', () => {
    const look = watcher();
    expect(look(pausedAt(NOON))).toEqual([]);
    expect(look(pausedAt(NOON + 4 * HOUR - 1))).toEqual([]);
    expect(look(facts({ now: NOON + 4 * HOUR }))).toEqual([]);
    expect(look(pausedAt(NOON + 4 * HOUR + 1))).toEqual([]);
    expect(look(pausedAt(NOON + 8 * HOUR + 1))).toEqual(['mail schedule-paused began']);
  });

  it('begins afresh even where a channel has still to be told that the last one is over', () => {
    const look = watcher(['mail', 'webhook']);
    look(pausedAt(NOON));
    expect(look(pausedAt(NOON + 4 * HOUR))).toHaveLength(2);
    expect(look(facts({ now: NOON + 5 * HOUR }), ['webhook'])).toEqual(['webhook schedule-paused over']);
    expect(look(pausedAt(NOON + 5 * HOUR + MINUTE), ['webhook'])).toEqual([]);
  });
});

describe('a channel that is down', () => {
  const held = facts({ cycles: [good({ isHeld: true })] });

  it('is told later what lasts then, and nothing that ended meanwhile', () => {
    const look = watcher(['mail', 'webhook']);
    expect(look(facts({ byHand: [order(1201)] }), ['webhook'])).toEqual([
      'webhook orders-by-hand began 1201',
    ]);
    expect(look(held, ['webhook'])).toEqual(['webhook batch-held began', 'webhook orders-by-hand over 1201']);
    expect(look(held)).toEqual(['mail batch-held began']);
    expect(look(facts())).toEqual(['mail batch-held over', 'webhook batch-held over']);
    expect(look(facts())).toEqual([]);
  });

  it('is told later that something is over', () => {
    const look = watcher(['mail', 'webhook']);
    expect(look(held)).toHaveLength(2);
    expect(look(facts(), ['mail'])).toEqual(['mail batch-held over']);
    expect(look(facts(), ['mail'])).toEqual([]);
    expect(look(facts())).toEqual(['webhook batch-held over']);
  });
});
