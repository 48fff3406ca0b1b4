import { beforeAll, describe, expect, it } from 'vitest';
import { findViolations } from '../../chaos/oracle.ts';
import type { Evidence } from '../../chaos/oracle.ts';
import type { Mutable } from '../sandbox/cycle-by-hand.ts';
import { alpha38, alpha40 } from '../sandbox/small-shop.ts';
import { evidenceOfExactCycles, ORDERS } from './webservice-evidence.ts';
import type { OrderName } from './webservice-evidence.ts';

// Evidence of two cycles that were carried exactly, doctored one way or another.

type Doctored = Mutable<Evidence>;
let sound: Evidence;

beforeAll(async () => {
  sound = await evidenceOfExactCycles();
});

function found(doctor: (evidence: Doctored) => unknown): readonly string[] {
  const evidence = structuredClone(sound) as Doctored;
  doctor(evidence);
  return findViolations(evidence);
}

const orderOf = ({ truth }: Doctored, name: OrderName) =>
  truth.orders[ORDERS[name]] ?? expect.fail('no such order');
const lifeOf = (evidence: Doctored, name: OrderName) =>
  orderOf(evidence, name).life ?? expect.fail('an order without a life');
const cycleOf = ({ cycles }: Doctored, index: number) => cycles[index] ?? expect.fail('no such cycle');
const stepOf = (evidence: Doctored, cycle: number, step: number) =>
  cycleOf(evidence, cycle).report?.steps[step] ?? expect.fail('no such step');
/** What the second cycle told of the lives of orders. */
const toldLife = (evidence: Doctored) =>
  (
    stepOf(evidence, 1, 0).facts as {
      life: { takeBackList: { id: number; cause: string }[]; incompleteIds: number[] };
    }
  ).life;
const forget = (evidence: Doctored, name: OrderName, cause: string) => {
  const life = toldLife(evidence);
  const { id } = orderOf(evidence, name);
  life.takeBackList = life.takeBackList.filter((one) => one.id !== id || one.cause !== cause);
};
const betweenCycles = (evidence: Doctored) => cycleOf(evidence, 0).endedAt;
const sendAgain = (evidence: Doctored, name: OrderName) =>
  orderOf(evidence, name).taken.push(evidence.truth.now);
const cancel = (evidence: Doctored, name: OrderName, at: string) => {
  const life = lifeOf(evidence, name);
  life.standing = 'cancelled';
  life.changes.push({ at, standing: 'cancelled' });
};
const variantOf = (truth: Doctored['truth'], ean: string) =>
  truth.variants.find((variant) => variant.ean === ean) ?? expect.fail('no such variant');
const webserviceOf = (truth: Doctored['truth']) => truth.webservice ?? expect.fail('no Webservice');

describe('the oracle, of a shop that is reached by its Webservice,', () => {
  it('finds nothing wrong in cycles that were carried exactly', () => {
    expect(found(() => undefined)).toEqual([]);
  });

  it.each<readonly [string, (evidence: Doctored) => unknown, RegExp]>([
    [
      'an order that was sent, then cancelled, and that nobody is told to take back',
      (evidence) => forget(evidence, 'cancelledAfterwards', 'cancelled'),
      /^no report tells that order 4103 \(cancelled\) is to be taken back$/,
    ],
    [
      'a refund of which no report tells',
      (evidence) => forget(evidence, 'refundedTwice', 'slip 1'),
      /^no report tells that order 4102 \(slip 1\) is to be taken back$/,
    ],
    [
      'a second refund of an order of which no report tells',
      (evidence) => forget(evidence, 'refundedTwice', 'slip 2'),
      /^no report tells that order 4102 \(slip 2\) is to be taken back$/,
    ],
    [
      'an order that is told as refunded, and was cancelled as well',
      (evidence) => {
        cancel(evidence, 'refundedTwice', betweenCycles(evidence));
      },
      /^no report tells that order 4102 \(cancelled\) is to be taken back$/,
    ],
    [
      'an order that is told as cancelled, and was refunded before',
      (evidence) => {
        const last = lifeOf(evidence, 'refundedTwice').refunds.at(-1)!;
        lifeOf(evidence, 'cancelledAfterwards').refunds.push(last);
      },
      /^no report tells that order 4103 \(slip 3\) is to be taken back$/,
    ],
    [
      'an order that was listed by hand, then cancelled, and that nobody is told to take back',
      (evidence) => forget(evidence, 'byHand', 'cancelled'),
      /^no report tells that order 4107 \(cancelled\) is to be taken back$/,
    ],
    [
      'an order that was set aside, then cancelled, and that nobody is told to take back',
      (evidence) => cancel(evidence, 'setAside', betweenCycles(evidence)),
      /no report tells that order 4108 \(cancelled\) is to be taken back$/,
    ],
    [
      'a cancellation that never was',
      (evidence) => toldLife(evidence).takeBackList.push({ id: 4101, cause: 'cancelled' }),
      /^a report tells that order 4101 \(cancelled\) is to be taken back, which never was$/,
    ],
    [
      'a slip of another order',
      (evidence) => toldLife(evidence).takeBackList.push({ id: 4101, cause: 'slip 1' }),
      /^a report tells that order 4101 \(slip 1\) is to be taken back, which never was$/,
    ],
    [
      'an order that stays half made, and is never told',
      (evidence) => (toldLife(evidence).incompleteIds = []),
      /^order 4106 was never made to its end, and no report tells$/,
    ],
    [
      'an unpaid order that was sent',
      (evidence) => sendAgain(evidence, 'waiting'),
      /orders that are not sold, or were seen cancelled, were not sent: order 4105 was taken 1 time/,
    ],
    [
      'an order that was sent though it was seen cancelled',
      (evidence) => sendAgain(evidence, 'cancelledBefore'),
      /orders that are not sold, or were seen cancelled, were not sent: order 4104 was taken 1 time/,
    ],
    [
      'a half-made order that was sent',
      (evidence) => sendAgain(evidence, 'halfMade'),
      /orders that are not sold, or were seen cancelled, were not sent: order 4106 was taken 1 time/,
    ],
    [
      'an order that was sent twice, and cancelled',
      (evidence) => sendAgain(evidence, 'cancelledAfterwards'),
      /orders that were cancelled later were taken once at most: order 4103 was taken 2 time/,
    ],
    [
      'an order paid with a gift voucher that was sent, and listed by hand',
      (evidence) => sendAgain(evidence, 'byHand'),
      /expected by hand, got sent and by hand/,
    ],
    [
      'an order sold before the last cycle first looked, and left there',
      (evidence) => {
        const { startedAt } = cycleOf(evidence, 1);
        orderOf(evidence, 'late').placedAt = startedAt;
        lifeOf(evidence, 'late').changes = [{ at: startedAt, standing: 'sold' }];
      },
      /in the end: every order was taken by Proshop exactly once: order 4109 was taken 0 time/,
    ],
    [
      'an order that waits no more before the last cycle first looked, and was left there',
      (evidence) => {
        lifeOf(evidence, 'waiting').standing = 'sold';
        lifeOf(evidence, 'waiting').changes.push({ at: betweenCycles(evidence), standing: 'sold' });
      },
      /order 4105: expected sent, got nowhere told/,
    ],
    [
      'a unit too many after an update, although all is right in the end',
      ({ imports }) => (variantOf(imports[0]!, alpha40).shop! += 1),
      /^after the update of .*: the shop never shows more .*: ALPHA 40 .*: expected 2 .*, got 3$/,
    ],
    [
      'a unit too many in the end',
      ({ truth }) => (variantOf(truth, alpha40).shop! += 1),
      /^in the end: the shop shows Proshop's stock minus what is outstanding: ALPHA 40/,
    ],
    [
      'a unit too few in the end',
      ({ truth }) => (variantOf(truth, alpha40).shop! -= 1),
      /^in the end: the shop shows Proshop's stock minus what is outstanding: ALPHA 40/,
    ],
    [
      'an update from figures that were written before its cycle',
      ({ imports }) => imports[1]!.exports.pop(),
      /^after the update of .*: the stock applied is fresh: no sound ExportCSV/,
    ],
    [
      "a product's total that is not the sum of its sizes after an update",
      ({ imports }) => webserviceOf(imports[0]!).products[0]!.total++,
      /^after the update of .*: each product's total is the sum of its sizes/,
    ],
    [
      'a brand that exists twice after an update',
      ({ imports }) => webserviceOf(imports[0]!).brands.push('AIGLE'),
      /^after the update of .*: nothing exists twice: brand AIGLE/,
    ],
    [
      'a product that shows no size first after an update',
      ({ imports }) => (webserviceOf(imports[0]!).products[0]!.sizes[0]!.isDefault = false),
      /^after the update of .*: every product shows one of its sizes first/,
    ],
    [
      'gift vouchers that lost their stock in an update',
      ({ imports }) => (imports[0]!.vouchers[0]!.shop = 0),
      /^after the update of .*: gift vouchers keep their stock/,
    ],
    [
      'a shop that was zeroed as a whole',
      ({ imports }) => {
        for (const variant of imports[0]!.variants) variant.shop = 0;
      },
      /^after the update of .*: the shop is not zeroed as a whole: 3 of 3 products/,
    ],
    [
      'a shop that was zeroed as a whole by a cycle that did not come to its end',
      (evidence) => {
        Object.assign(stepOf(evidence, 0, 7), { state: 'failed', why: { type: 'NoAnswer', message: '' } });
        for (const variant of evidence.imports[0]!.variants) variant.shop = 0;
      },
      /^at .*: the shop is not zeroed as a whole: 3 of 3 products/,
    ],
  ])('finds %s', (_name, doctor, expected) => {
    expect(found(doctor).join('\n')).toMatch(expected);
  });

  it.each<readonly [string, (evidence: Doctored) => unknown]>([
    [
      'a slip of an order that people had, once it is cancelled: that covers it',
      (evidence) => {
        const last = lifeOf(evidence, 'refundedTwice').refunds.at(-1)!;
        lifeOf(evidence, 'byHand').refunds.push(last);
      },
    ],
    [
      'a slip of an order that was cancelled before it was sent: there is nothing to take back',
      (evidence) => {
        const last = lifeOf(evidence, 'refundedTwice').refunds.at(-1)!;
        lifeOf(evidence, 'cancelledBefore').refunds.push(last);
      },
    ],
    [
      'an order sold since the last cycle looked first: the next one sends it',
      (evidence) => {
        const { endedAt } = cycleOf(evidence, 1).readings[0]!;
        orderOf(evidence, 'late').placedAt = endedAt;
        lifeOf(evidence, 'late').changes = [{ at: endedAt, standing: 'sold' }];
      },
    ],
    [
      'an order that was cancelled since the last cycle began: the next one tells',
      (evidence) => {
        forget(evidence, 'cancelledAfterwards', 'cancelled');
        lifeOf(evidence, 'cancelledAfterwards').changes.at(-1)!.at = evidence.truth.now;
      },
    ],
    [
      'a half-made order that nobody has waited for long enough',
      (evidence) => {
        toldLife(evidence).incompleteIds = [];
        evidence.patience = Infinity;
      },
    ],
    [
      'a half-made order that no reading has seen before the last cycle',
      (evidence) => {
        toldLife(evidence).incompleteIds = [];
        // One that ended before the order was placed.
        const { startedAt } = evidence.truth;
        cycleOf(evidence, 0).readings = [{ startedAt, endedAt: startedAt }];
      },
    ],
    [
      'an order that was given up, told, and made to its end after all',
      (evidence) => {
        lifeOf(evidence, 'halfMade').standing = 'sold';
        lifeOf(evidence, 'halfMade').changes.push({ at: evidence.truth.now, standing: 'sold' });
      },
    ],
    [
      'too much in a shop whose update did not come to its end',
      (evidence) => {
        Object.assign(stepOf(evidence, 0, 7), { state: 'failed', why: { type: 'NoAnswer', message: '' } });
        variantOf(evidence.imports[0]!, alpha38).shop! += 50;
      },
    ],
  ])('allows %s', (_name, doctor) => {
    expect(found(doctor)).toEqual([]);
  });
});
