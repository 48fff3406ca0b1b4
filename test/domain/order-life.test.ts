import { describe, expect, test } from 'vitest';
import { orderLife, type KnownOrder, type OrderChange, type ShopOrder } from '../../src/domain/order-life.ts';
import type { SoldLine } from '../../src/domain/order.ts';
import { aLine, anOrder } from '../support/orders.ts';

const line = (ean: string | null, quantity = 1): SoldLine => ({ ean, reference: 'MOD1', quantity });
const LINES = [line('A', 2), line('B')];
const BODY = anOrder(7, { lines: [aLine('A', 2), aLine('B')] });

/** An order that is to be sent, as it is known; the same, sold, as the shop shows it. */
const known = (change: Partial<KnownOrder> = {}): KnownOrder => ({
  route: 'send',
  reference: 'REF7',
  reason: null,
  body: BODY,
  lines: LINES,
  isFinal: false,
  takeBack: null,
  ...change,
});
const seen = (change: Partial<ShopOrder> = {}): ShopOrder => ({
  standing: 'sold',
  routeWhenSold: 'send',
  reference: 'REF7',
  reason: null,
  body: BODY,
  lines: LINES,
  stockBack: false,
  ...change,
});
const record = (change: Partial<NonNullable<OrderChange['record']>> = {}) => ({
  route: 'send',
  reference: 'REF7',
  reason: null,
  body: BODY,
  lines: LINES,
  ...change,
});

const UNREADABLE = { routeWhenSold: 'set_aside', reason: 'Expected an EAN', body: null } as const;
const SET_ASIDE = { route: 'set_aside', reason: 'Expected an EAN', body: null } as const;
const CANCELLED = { standing: 'cancelled', stockBack: true } as const;
const TAKEN = [
  { ean: 'A', units: -2 },
  { ean: 'B', units: -1 },
];
const PUT_BACK = [
  { ean: 'A', units: 2 },
  { ean: 'B', units: 1 },
];
const TAKE_BACK = { lines: LINES, stockBack: true };
const NOTHING = { record: null, takeBack: null, moves: [] };
const unsettled = { stockBack: true, isSettled: false };
const settled = { stockBack: true, isSettled: true };

type Row = readonly [
  title: string,
  known: KnownOrder | null,
  seen: ShopOrder,
  change: {
    readonly record?: ReturnType<typeof record>;
    readonly takeBack?: OrderChange['takeBack'];
    readonly moves?: OrderChange['moves'];
  },
];

describe('An order that nobody knows', () => {
  const rows: readonly Row[] = [
    [
      'is recorded as cancelled, and moved nothing, when its stock is back',
      null,
      seen(CANCELLED),
      { record: record({ route: 'cancelled', body: null }) },
    ],
    [
      'is recorded as cancelled when the shop keeps its units: they are gone, and no order would say why',
      null,
      seen({ standing: 'cancelled' }),
      { record: record({ route: 'cancelled', body: null }), moves: TAKEN },
    ],
    ['is to be sent when it is sold', null, seen(), { record: record(), moves: TAKEN }],
    [
      'goes to a person when one must enter it',
      null,
      seen({ routeWhenSold: 'by_hand' }),
      { record: record({ route: 'by_hand' }), moves: TAKEN },
    ],
    [
      'is set aside when it cannot be read',
      null,
      seen({ ...UNREADABLE, lines: [line(null, 2), line('B')] }),
      {
        record: record({ ...SET_ASIDE, lines: [line(null, 2), line('B')] }),
        moves: [{ ean: 'B', units: -1 }],
      },
    ],
    [
      'waits when it is not paid',
      null,
      seen({ standing: 'waiting', routeWhenSold: 'by_hand' }),
      { record: record({ route: 'waiting' }), moves: TAKEN },
    ],
    [
      'waits when it is not paid and cannot be read',
      null,
      seen({ standing: 'waiting', ...UNREADABLE }),
      { record: record({ ...SET_ASIDE, route: 'waiting' }), moves: TAKEN },
    ],
    [
      'takes the units of each of its lines',
      null,
      seen({ lines: [line('A'), line('A', 3)] }),
      { record: record({ lines: [line('A'), line('A', 3)] }), moves: [{ ean: 'A', units: -4 }] },
    ],
  ];
  test.each(rows)('%s', (_title, known, seen, change) => {
    expect(orderLife(known, seen)).toEqual({ ...NOTHING, ...change });
  });
});

describe('An order that Proshop or a person has', () => {
  const final = (change: Partial<KnownOrder> = {}) => known({ isFinal: true, ...change });
  const rows: readonly Row[] = [
    ['never changes', final(), seen({ reference: 'NEW', lines: [line('C', 9)], body: anOrder(9) }), {}],
    ['does not wait again', final(), seen({ standing: 'waiting' }), {}],
    ['is not set aside', final(), seen(UNREADABLE), {}],
    ['is not sent once it can be read', final(SET_ASIDE), seen(), {}],
    [
      'must be taken back when it is cancelled',
      final(),
      seen({ ...CANCELLED, lines: [line('C', 9)] }),
      { takeBack: TAKE_BACK, moves: PUT_BACK },
    ],
    [
      'moves nothing when it is cancelled and the shop keeps its units',
      final(),
      seen({ standing: 'cancelled' }),
      { takeBack: { lines: LINES, stockBack: false } },
    ],
    ['is not taken back twice', final({ takeBack: unsettled }), seen(CANCELLED), {}],
    ['is not taken back again after a person did', final({ takeBack: settled }), seen(CANCELLED), {}],
    [
      'needs not be taken back any more when it is reinstated',
      final({ takeBack: unsettled }),
      seen(),
      { takeBack: 'forget', moves: TAKEN },
    ],
    [
      'moves nothing when it is reinstated and the shop had kept its units',
      final({ takeBack: { stockBack: false, isSettled: false } }),
      seen({ standing: 'waiting' }),
      { takeBack: 'forget' },
    ],
    ['stays taken back when a person has done it', final({ takeBack: settled }), seen(), {}],
  ];
  test.each(rows)('%s', (_title, known, seen, change) => {
    expect(orderLife(known, seen)).toEqual({ ...NOTHING, ...change });
  });
});

describe('An order that can still change', () => {
  const rows: readonly Row[] = [
    ['stays as it is when it is seen again', known(), seen(), {}],
    [
      'stays as it is when its body comes back with its keys in another order',
      known({ body: Object.fromEntries(Object.entries(BODY).toReversed()) as typeof BODY }),
      seen(),
      {},
    ],
    [
      'keeps a customer forgotten who is not needed',
      known({ route: 'by_hand', body: null }),
      seen({ routeWhenSold: 'by_hand' }),
      {},
    ],
    [
      'is cancelled before it is sent',
      known(),
      seen(CANCELLED),
      { record: record({ route: 'cancelled', body: null }), moves: PUT_BACK },
    ],
    [
      'is cancelled with the lines that it had',
      known(),
      seen({ ...CANCELLED, reference: 'NEW', lines: [line('C', 9)] }),
      { record: record({ route: 'cancelled', body: null }), moves: PUT_BACK },
    ],
    [
      'moves nothing when it is cancelled and the shop keeps its units',
      known({ route: 'waiting' }),
      seen({ standing: 'cancelled' }),
      { record: record({ route: 'cancelled', body: null }) },
    ],
    [
      'must be taken back when a person was told to enter it',
      known({ route: 'by_hand' }),
      seen(CANCELLED),
      { record: record({ route: 'cancelled', body: null }), takeBack: TAKE_BACK, moves: PUT_BACK },
    ],
    [
      'must be taken back when a person was told that it cannot be read',
      known(SET_ASIDE),
      seen(CANCELLED),
      { record: record({ ...SET_ASIDE, route: 'cancelled' }), takeBack: TAKE_BACK, moves: PUT_BACK },
    ],
    ['is cancelled once', known({ route: 'cancelled', body: null }), seen(CANCELLED), {}],
    [
      'is cancelled once, even if a person was to settle it',
      known({ route: 'cancelled', body: null, takeBack: unsettled, isFinal: true }),
      seen(CANCELLED),
      {},
    ],
    ['is sent once it is paid', known({ route: 'waiting' }), seen(), { record: record(), moves: [] }],
    [
      'is sent once it is paid, with the customer who was forgotten meanwhile',
      known({ route: 'waiting', body: null }),
      seen(),
      { record: record() },
    ],
    [
      'waits again when its payment is withdrawn',
      known(),
      seen({ standing: 'waiting' }),
      { record: record({ route: 'waiting' }) },
    ],
    ['is sent once it can be read', known(SET_ASIDE), seen(), { record: record() }],
    ['is set aside once it cannot be read', known(), seen(UNREADABLE), { record: record(SET_ASIDE) }],
    [
      'goes to a person once it is paid with a voucher',
      known(),
      seen({ routeWhenSold: 'by_hand' }),
      { record: record({ route: 'by_hand' }) },
    ],
    [
      'takes another reason',
      known(SET_ASIDE),
      seen({ ...UNREADABLE, reason: 'Expected a price' }),
      { record: record({ ...SET_ASIDE, reason: 'Expected a price' }) },
    ],
    [
      'takes another reference',
      known(),
      seen({ reference: 'NEW' }),
      { record: record({ reference: 'NEW' }) },
    ],
    [
      'takes another address',
      known(),
      seen({ body: { ...BODY, delivery: { ...BODY.delivery, city: 'Lyon' } } }),
      { record: record({ body: { ...BODY, delivery: { ...BODY.delivery, city: 'Lyon' } } }) },
    ],
    [
      'moves what its lines differ by',
      known(),
      seen({ lines: [line('A', 5), line('C'), line(null)] }),
      {
        record: record({ lines: [line('A', 5), line('C'), line(null)] }),
        moves: [
          { ean: 'A', units: -3 },
          { ean: 'B', units: 1 },
          { ean: 'C', units: -1 },
        ],
      },
    ],
    [
      'moves nothing when its lines only stand in another order',
      known(),
      seen({ lines: LINES.toReversed() }),
      { record: record({ lines: LINES.toReversed() }) },
    ],
    [
      'is reinstated with all of its lines',
      known({ route: 'cancelled', body: null }),
      seen({ lines: [line('A', 5)] }),
      { record: record({ lines: [line('A', 5)] }), moves: [{ ean: 'A', units: -5 }] },
    ],
    [
      'needs not be taken back any more when it is reinstated',
      known({ route: 'cancelled', body: null, takeBack: unsettled }),
      seen({ routeWhenSold: 'by_hand' }),
      { record: record({ route: 'by_hand' }), takeBack: 'forget', moves: TAKEN },
    ],
    [
      'is reinstated though a person has taken it back',
      known({ route: 'cancelled', body: null, takeBack: settled }),
      seen({ standing: 'waiting' }),
      { record: record({ route: 'waiting' }), moves: TAKEN },
    ],
    [
      'must be taken back again when it is cancelled again',
      known({ route: 'by_hand', takeBack: settled }),
      seen(CANCELLED),
      { record: record({ route: 'cancelled', body: null }), takeBack: TAKE_BACK, moves: PUT_BACK },
    ],
    [
      'stays set aside when no template can be worked out for it and it is the same',
      known({ route: 'set_aside', reason: 'Expected no division by 0' }),
      seen(),
      {},
    ],
    [
      'is tried again when no template could be worked out for it and it is another',
      known({ route: 'set_aside', reason: 'Expected no division by 0' }),
      seen({ body: { ...BODY, total: '1.00' } }),
      { record: record({ body: { ...BODY, total: '1.00' } }) },
    ],
  ];
  test.each(rows)('%s', (_title, known, seen, change) => {
    expect(orderLife(known, seen)).toEqual({ ...NOTHING, ...change });
  });
});
