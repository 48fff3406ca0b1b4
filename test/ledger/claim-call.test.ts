import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LEDGERS, type TestLedger } from '../support/ledgers.ts';

const NOON = new Date('2026-11-24T12:00:00Z');
const after = (milliseconds: number) => new Date(NOON.getTime() + milliseconds);

describe.each(LEDGERS)('A call of the shop on $name', ({ open }) => {
  let test: TestLedger;
  beforeAll(async () => {
    test = await open();
  });
  afterAll(() => test.close());
  beforeEach(() => test.reset());

  it('is claimed by one of those who want it at once', async () => {
    const claims = Array.from({ length: 8 }, (_, index) =>
      test.ledger.claimCall('product A', after(index), 1_000),
    );
    expect((await Promise.all(claims)).filter((claimed) => claimed)).toHaveLength(1);
    expect(await test.ledger.claimCall('product B', NOON, 1_000)).toBe(true);
  });

  it('is claimed again once it was ended, or has been without an answer for so long', async () => {
    await test.ledger.claimCall('product A', NOON, 1_000);
    expect(await test.ledger.claimCall('product A', after(999), 1_000)).toBe(false);
    expect(await test.ledger.openCall('product A')).toEqual(NOON);
    expect(await test.ledger.claimCall('product A', after(1_000), 1_000)).toBe(true);
    expect(await test.ledger.openCall('product A')).toEqual(after(1_000));
    await test.ledger.endCall('product A');
    expect(await test.ledger.claimCall('product A', after(1_001), 1_000)).toBe(true);
  });

  it('is not waited for until a time before which the clock was set back', async () => {
    await test.ledger.claimCall('product A', after(3_600_000), 1_000);
    expect(await test.ledger.claimCall('product A', NOON, 1_000)).toBe(true);
  });
});
