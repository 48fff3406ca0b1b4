import { beforeAll, describe, expect, it } from 'vitest';
import { findViolations } from '../../chaos/oracle.ts';
import type { CycleEvidence, Evidence } from '../../chaos/oracle.ts';
import type { Mutable } from '../sandbox/cycle-by-hand.ts';
import { truthOfExactCycle } from '../sandbox/cycle-by-hand.ts';
import { completeReport } from './complete-report.ts';

// Evidence of a cycle that was carried exactly, doctored one way or another.

let sound: Evidence;

beforeAll(async () => {
  const truth = await truthOfExactCycle();
  const ids = (wanted: (order: (typeof truth.orders)[number]) => boolean) =>
    truth.orders.filter(wanted).map(({ id }) => id);
  const report = completeReport('a', {
    exportOrders: {
      byHandIds: ids(({ paidByVoucher }) => paidByVoucher),
      setAsideOrders: ids(({ readable }) => !readable).map((id) => ({ id })),
    },
  });
  const cycle: CycleEvidence = {
    id: 'a',
    startedAt: truth.startedAt,
    endedAt: truth.now,
    status: 'COMPLETED',
    report,
    readings: [],
    history: 'exportOrders, 4 orders',
    besideAnother: false,
  };
  sound = {
    truth,
    imports: [truth],
    cycles: [cycle],
    noted: [],
    patience: Infinity,
    told: { 'the log': '{"level":30}' },
    secrets: ['sesame-sesame', 'http://shop/export?secure_key=k3y-k3y-k3y'],
  };
});

function found(doctor: (evidence: Mutable<Evidence>) => void): string {
  const evidence = structuredClone(sound) as Mutable<Evidence>;
  doctor(evidence);
  return findViolations(evidence).join('\n');
}
const reportOf = (evidence: Mutable<Evidence>) =>
  evidence.cycles[0]?.report ?? expect.fail('Expected a cycle with a report');

describe('the oracle', () => {
  it('finds nothing wrong in a cycle that was carried exactly', () => {
    expect(found(() => undefined)).toBe('');
  });

  it.each<readonly [string, (evidence: Mutable<Evidence>) => void, RegExp]>([
    [
      'an order that was sent twice',
      ({ truth }) => truth.orders.find(({ taken }) => taken.length === 1)?.taken.push('2026-11-24T11:30:00'),
      /taken 2 time\(s\)[^]*expected sent, got sent and sent/,
    ],
    [
      'an order that was sent and is to be entered by hand',
      (evidence) => {
        const order = evidence.truth.orders.find(({ taken }) => taken.length === 1);
        reportOf(evidence).steps[5]!.facts = { byHandIds: [order?.id] };
      },
      /expected sent, got sent and by hand/,
    ],
    [
      'an order for people of which no report tells',
      (evidence) => {
        reportOf(evidence).steps[0]!.facts = {};
        evidence.cycles[0]!.startedAt = evidence.truth.now;
      },
      /expected by hand, got nowhere told[^]*expected set aside, got nowhere told/,
    ],
    [
      'an order in two sales files',
      (evidence) => {
        const order = evidence.truth.orders.find(({ taken }) => taken.length === 1);
        reportOf(evidence).steps[1]!.facts = { orderIds: [order?.id], file: '/import/a.xml' };
        evidence.cycles.push(structuredClone(evidence.cycles[0]!));
        evidence.cycles[1]!.report!.steps[1]!.facts = { orderIds: [order?.id], file: '/import/b.xml' };
        evidence.cycles[1]!.startedAt = evidence.cycles[0]!.endedAt;
      },
      /was put into \/import\/a\.xml and \/import\/b\.xml/,
    ],
    [
      'a shop that showed more than there was after an import, although it is right in the end',
      ({ imports }) => {
        const variant = imports[0]?.variants.find(({ shop }) => shop !== null && shop > 0);
        variant!.shop! += 50;
      },
      /after the update of .*never shows more/,
    ],
    [
      'an update that was held and applied, although nobody said so',
      (evidence) => {
        const hold = { until: '', timeZone: 'UTC', reasons: [], decision: null };
        reportOf(evidence).holds = [hold];
      },
      /cycle a applied an update that nobody had let through/,
    ],
    [
      'an update that was applied, although somebody said to skip it',
      (evidence) => {
        const decision = { answer: 'skip' as const, who: 'Anne', why: 'essai', at: '' };
        reportOf(evidence).holds = [{ until: '', timeZone: 'UTC', reasons: [], decision }];
      },
      /cycle a applied an update that nobody had let through/,
    ],
    [
      'an answer that was noted, and that the report gives to somebody else',
      (evidence) => {
        const answer = { answer: 'apply' as const, who: 'Anne', why: 'essai' };
        const decision = { ...answer, who: 'Bruno', at: '' };
        evidence.noted.push({ cycle: 'a', answer });
        reportOf(evidence).holds = [{ until: '', timeZone: 'UTC', reasons: [], decision }];
      },
      /cycle a tells nothing of Anne's answer, which was noted/,
    ],
    [
      'a customer in a history',
      (evidence) => {
        evidence.cycles[0]!.history += evidence.truth.orders[0]?.customer.lastname;
      },
      /history of a tells/,
    ],
    [
      'a customer in a log, as JSON writes him',
      (evidence) => {
        evidence.truth.orders[0]!.customer.lastname = 'Petit "Jo"';
        evidence.truth.orders[0]!.sale!.lastname = 'Petit "Jo"';
        evidence.told['the log'] = JSON.stringify({ name: 'Petit "Jo"' });
      },
      /the log tells Petit/,
    ],
    [
      "the shop's key in a report",
      ({ told }) => {
        told['a report'] = 'GET ?secure_key=k3y-k3y-k3y';
      },
      /a report tells k3y/,
    ],
    [
      'a cycle that failed as a workflow',
      ({ cycles }) => {
        cycles[0]!.status = 'FAILED';
        cycles[0]!.report = null;
      },
      /expected a report, got FAILED/,
    ],
    [
      'a step that was skipped without why',
      (evidence) => {
        reportOf(evidence).steps[4]!.state = 'skipped';
      },
      /createProducts is skipped without why/,
    ],
    [
      'a step that is done without facts',
      (evidence) => {
        reportOf(evidence).steps[4]!.facts = null;
      },
      /createProducts is done without facts/,
    ],
    [
      'a cycle beside another',
      (evidence) => {
        evidence.cycles.push({ ...structuredClone(evidence.cycles[0]!), id: 'b' });
      },
      /cycle b began before a had ended/,
    ],
    [
      'a last cycle that is not complete',
      (evidence) => {
        reportOf(evidence).outcome = 'degraded';
        reportOf(evidence).steps[3]!.state = 'failed';
        reportOf(evidence).steps[3]!.why = { type: 'NotYet', message: 'No ExportCSV yet' };
      },
      /was to be complete, got degraded: collectStock: NotYet No ExportCSV yet/,
    ],
    [
      'something left behind on the FTP',
      ({ truth }) => truth.files.push('/passerelle/20261124T102503Z-x.tmp'),
      /nothing is left behind on the FTP/,
    ],
  ])('finds %s', (_name, doctor, expected) => {
    expect(found(doctor)).toMatch(expected);
  });
});
