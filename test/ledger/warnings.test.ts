import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LEDGERS, type TestLedger } from '../support/ledgers.ts';
import { anUnreadableOrder, recordUnreadable } from '../support/orders.ts';

const NOON = new Date('2026-11-24T12:00:00Z');
const after = (minutes: number) => new Date(NOON.getTime() + minutes * 60_000);
const HELD = { kind: 'batch-held', subject: '' } as const;
const byHand = (id: number) => ({ kind: 'orders-by-hand', subject: String(id) }) as const;

describe.each(LEDGERS)('the ledger’s warnings on $name', ({ open }) => {
  let test: TestLedger;
  beforeAll(async () => {
    test = await open();
  });
  afterAll(() => test.close());
  beforeEach(() => test.reset());

  const toldOf = async () =>
    (await test.ledger.warnings()).map(({ kind, subject, told }) => `${kind} ${subject}: ${told.join()}`);

  it('last since they were noted first', async () => {
    await test.ledger.noteWarnings([HELD, byHand(1201)], NOON);
    await test.ledger.noteWarnings([HELD, byHand(1204)], after(5));
    expect(await test.ledger.warnings()).toEqual([
      { ...HELD, since: NOON, overAt: null, told: [] },
      { ...byHand(1201), since: NOON, overAt: null, told: [] },
      { ...byHand(1204), since: after(5), overAt: null, told: [] },
    ]);
  });

  it('know which channel was told what, however often that is noted', async () => {
    await test.ledger.noteWarnings([HELD, byHand(1201), byHand(1204)], NOON);
    for (let time = 0; time < 2; time++)
      await test.ledger.markWarned('mail', 'orders-by-hand', ['1201'], 'began');
    await test.ledger.markWarned('webhook', 'orders-by-hand', ['1201', '1204'], 'began');
    expect(await toldOf()).toEqual([
      'batch-held : ',
      'orders-by-hand 1201: mail,webhook',
      'orders-by-hand 1204: webhook',
    ]);
    await test.ledger.markWarned('webhook', 'orders-by-hand', ['1201'], 'over');
    expect(await toldOf()).toEqual([
      'batch-held : ',
      'orders-by-hand 1201: mail',
      'orders-by-hand 1204: webhook',
    ]);
  });

  it('are forgotten when they are over and no channel holds them for lasting', async () => {
    await test.ledger.noteWarnings([HELD, byHand(1201), byHand(1204), byHand(1207)], NOON);
    await test.ledger.markWarned('mail', 'orders-by-hand', ['1201'], 'began');
    await test.ledger.markWarned('webhook', 'orders-by-hand', ['1204'], 'began');
    await test.ledger.endWarnings('orders-by-hand', ['1201', '1204', '1207'], after(5));
    // The webhook is not configured any more.
    await test.ledger.forgetWarnings(['mail']);
    expect(await toldOf()).toEqual(['batch-held : ', 'orders-by-hand 1201: mail']);
    await test.ledger.forgetWarnings([]);
    expect(await toldOf()).toEqual(['batch-held : ']);
  });

  it('begin afresh when they come back before every channel was told that they were over', async () => {
    await test.ledger.noteWarnings([HELD], NOON);
    await test.ledger.markWarned('mail', 'batch-held', [''], 'began');
    await test.ledger.endWarnings('batch-held', [''], after(5));
    await test.ledger.endWarnings('batch-held', [''], after(6));
    expect(await test.ledger.warnings()).toMatchObject([{ since: NOON, overAt: after(5) }]);
    await test.ledger.noteWarnings([HELD], after(10));
    expect(await test.ledger.warnings()).toEqual([
      { ...HELD, since: after(10), overAt: null, told: ['mail'] },
    ]);
  });

  it('tell orders without a number apart by their file and line', async () => {
    await recordUnreadable(test.ledger, NOON, [
      anUnreadableOrder(null),
      anUnreadableOrder(null, { line: 13 }),
      anUnreadableOrder(7),
    ]);
    const { unnumbered } = await test.ledger.ordersForPeople();
    expect(unnumbered.map(({ tag }) => tag)).toEqual(['ffffffff-12', 'ffffffff-13']);
  });
});
