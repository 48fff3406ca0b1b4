import { describe, expect, it } from 'vitest';
import { describeFault, makePlan } from '../../chaos/plan.ts';
import type { FaultKind } from '../../chaos/plan.ts';

describe('a plan', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(makePlan(7)).toEqual(makePlan(7));
    expect(makePlan(7).cycles).not.toEqual(makePlan(8).cycles);
  });

  it('breaks something in each of one or two cycles', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const { cycles } = makePlan(seed);
      expect([1, 2]).toContain(cycles.length);
      for (const faults of cycles) expect(faults.length).toBeGreaterThan(0);
    }
  });

  it('is drawn from every kind of fault, FTP server and ledger', () => {
    const plans = Array.from({ length: 600 }, (_, seed) => makePlan(seed + 1));
    const kinds = new Set<FaultKind>(plans.flatMap(({ cycles }) => cycles.flat().map(({ kind }) => kind)));
    const all: Readonly<Record<FaultKind, true>> = {
      'kill worker': true,
      'kill temporal': true,
      'kill ftp server': true,
      'kill ledger': true,
      ftp: true,
      'ftp refuses connections': true,
      shop: true,
      webservice: true,
      shopper: true,
      'orders exported by hand': true,
      'proshop is late': true,
      'proshop takes half': true,
      'bad ExportCSV': true,
      'full disk': true,
      'attempt sleeps': true,
      'clock jumps': true,
      'daylight saving': true,
      schedule: true,
      paused: true,
      'update held': true,
      'mail server hangs': true,
      redeployed: true,
    };
    expect([...kinds].sort()).toEqual(Object.keys(all).sort());
    expect(new Set(plans.map(({ ftp }) => ftp)).size).toBe(4);
    expect(new Set(plans.map(({ shop }) => shop)).size).toBe(4);
    expect(new Set(plans.map(({ ledger }) => ledger)).size).toBe(2);
  });

  it('lets attempts sleep only where the ledger is a PGlite', () => {
    const asleep = Array.from({ length: 600 }, (_, seed) => makePlan(seed + 1)).filter(({ cycles }) =>
      cycles.flat().some(({ kind }) => kind === 'attempt sleeps'),
    );
    expect(new Set(asleep.map(({ ledger }) => ledger))).toEqual(new Set(['PGlite']));
  });

  it('kills the ledger only where it is a PostgreSQL', () => {
    const killed = Array.from({ length: 600 }, (_, seed) => makePlan(seed + 1)).filter(({ cycles }) =>
      cycles.flat().some(({ kind }) => kind === 'kill ledger'),
    );
    expect(new Set(killed.map(({ ledger }) => ledger))).toEqual(new Set(['PostgreSQL']));
  });

  it('can be told, as the command that repeats a run tells it', () => {
    const fault = { kind: 'shop', job: 'updateStock', fault: 'late' } as const;
    const plan = makePlan(3, { ftp: 'proftpd', cycles: [[fault]], notExported: false, inStep: true });
    expect(plan).toMatchObject({ ftp: 'proftpd', cycles: [[fault]], notExported: false, inStep: true });
    expect(describeFault(fault)).toBe('shop updateStock: late');
  });
});
