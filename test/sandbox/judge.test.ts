import { beforeAll, describe, expect, it } from 'vitest';
import type { Expectations } from '../../sandbox/judge.ts';
import { judge } from '../../sandbox/judge.ts';
import type { Truth } from '../../sandbox/truth.ts';
import { truthOfExactCycle, type Mutable } from './cycle-by-hand.ts';

type Doctored = Mutable<Truth>;

let truth: Truth;

beforeAll(async () => {
  truth = await truthOfExactCycle();
});

function failed(doctor: (doctored: Doctored) => void, expectations: Expectations = {}): readonly string[] {
  const doctored = structuredClone(truth) as Doctored;
  doctor(doctored);
  return judge(doctored, expectations)
    .checks.filter((check) => !check.ok)
    .map((check) => check.name);
}

const sent = (doctored: Doctored) =>
  doctored.orders.find((order) => order.taken.length === 1) ?? expect.fail('no order was sent');
const fault = (kind: Truth['faults'][number]['kind']) => (doctored: Doctored) => {
  doctored.faults.push({ at: doctored.now, kind, file: '/import/x', detail: '' });
};

describe('the judge', () => {
  it('finds nothing wrong in a cycle that was carried exactly', () => {
    const judgement = judge(truth);
    expect(judgement.checks.filter((check) => !check.ok)).toEqual([]);
    expect(judgement.ok).toBe(true);
    expect(judgement.checks.map((check) => `${check.name}: ${check.detail}`)).toEqual([
      'every order was taken by Proshop exactly once: 4 order(s)',
      'late orders were taken once or wait for the next cycle: 2 late, 2 waiting',
      'orders paid with a gift voucher were not sent: 1 to enter by hand',
      'orders that cannot be read were not sent: 1 set aside',
      'each sale arrived as it was ordered: 4 sale(s) compared',
      expect.stringMatching(/^the stock applied is fresh: figures of 2026-11-24T11:[123]/),
      "the shop shows Proshop's stock minus what is outstanding: 69 variants",
      'every new model exists once, with its variants: 2 new',
      'what is sold out in Proshop shows 0: 5 variant(s)',
      'gift vouchers keep their stock: 2 product(s)',
      'the shop was never zeroed as a whole: 1 update(s)',
      'no file was ever seen partial, unreadable or foreign: none seen',
      'nothing is left behind on the FTP: clean',
      'the sandbox itself is sound: sound',
    ]);
  });

  it.each<[string, string, (doctored: Doctored) => void]>([
    [
      'an order that was lost',
      'every order was taken by Proshop exactly once',
      (doctored) => {
        sent(doctored).taken = [];
      },
    ],
    [
      'an order that was taken twice',
      'every order was taken by Proshop exactly once',
      (doctored) => {
        sent(doctored).taken.push(doctored.now);
      },
    ],
    [
      'a late order that was taken twice',
      'late orders were taken once or wait for the next cycle',
      (doctored) => {
        doctored.orders.at(-1)!.taken = [doctored.now, doctored.now];
      },
    ],
    [
      'a voucher order that was sent',
      'orders paid with a gift voucher were not sent',
      (doctored) => {
        doctored.orders.find((order) => order.paidByVoucher)!.taken = [doctored.now];
      },
    ],
    [
      'an unreadable order that was sent',
      'orders that cannot be read were not sent',
      (doctored) => {
        doctored.orders.find((order) => !order.readable)!.taken = [doctored.now];
      },
    ],
    [
      'a sale with another quantity',
      'each sale arrived as it was ordered',
      (doctored) => {
        sent(doctored).sale!.lines[0]!.quantity += 1;
      },
    ],
    [
      'a customer whose name lost its accents',
      'each sale arrived as it was ordered',
      (doctored) => {
        sent(doctored).sale!.lastname = 'LefÃ¨vre';
      },
    ],
    [
      'a sale that nobody ordered',
      'each sale arrived as it was ordered',
      (doctored) => {
        doctored.unknownSales.push(99);
      },
    ],
    [
      'one unit too many in the shop',
      "the shop shows Proshop's stock minus what is outstanding",
      (doctored) => {
        doctored.variants.find((variant) => (variant.shop ?? 0) > 0)!.shop! += 1;
      },
    ],
    [
      'one unit too few in the shop',
      "the shop shows Proshop's stock minus what is outstanding",
      (doctored) => {
        doctored.variants.find((variant) => (variant.shop ?? 0) > 0)!.shop! -= 1;
      },
    ],
    [
      'a stock update that never ran',
      "the shop shows Proshop's stock minus what is outstanding",
      (doctored) => {
        doctored.imports = [];
      },
    ],
    [
      'figures of half an hour ago',
      'the stock applied is fresh',
      (doctored) => {
        doctored.exports = doctored.exports.slice(0, 1);
      },
    ],
    [
      'a new model that was not made',
      'every new model exists once, with its variants',
      (doctored) => {
        doctored.products = doctored.products.filter((product) => product.reference !== 'FOUESNANT-BRIQUE');
      },
    ],
    [
      'a new model that was made twice',
      'every new model exists once, with its variants',
      (doctored) => {
        doctored.products.push(
          doctored.products.find((product) => product.reference === 'FOUESNANT-BRIQUE')!,
        );
      },
    ],
    [
      'a new model without one of its variants',
      'every new model exists once, with its variants',
      (doctored) => {
        doctored.products.find((product) => product.reference === 'FOUESNANT-BRIQUE')!.variants.pop();
      },
    ],
    [
      'a new model with another price',
      'every new model exists once, with its variants',
      (doctored) => {
        doctored.products.find((product) => product.reference === 'FOUESNANT-BRIQUE')!.price = 1;
      },
    ],
    [
      'a voucher whose stock went to 0',
      'gift vouchers keep their stock',
      (doctored) => {
        doctored.vouchers[0]!.shop = 0;
      },
    ],
    [
      'a partial file that Proshop saw',
      'no file was ever seen partial, unreadable or foreign',
      fault('partial file in import'),
    ],
    [
      'a file that Proshop could not read',
      'no file was ever seen partial, unreadable or foreign',
      fault('unreadable file in import'),
    ],
    [
      'a temporary file that Proshop took',
      'no file was ever seen partial, unreadable or foreign',
      fault('foreign file in import'),
    ],
    [
      'a partial file that the shop read',
      'no file was ever seen partial, unreadable or foreign',
      fault('partial file read by the shop'),
    ],
    ['a shop zeroed as a whole', 'the shop was never zeroed as a whole', fault('mass zeroing')],
    [
      'a temporary file left behind',
      'nothing is left behind on the FTP',
      (doctored) => {
        doctored.files.push('/passerelle/orders-1.part');
      },
    ],
    [
      'an update file left behind',
      'nothing is left behind on the FTP',
      (doctored) => {
        doctored.files.push('/ExportCSVmod');
      },
    ],
    [
      'a sales file left behind',
      'nothing is left behind on the FTP',
      (doctored) => {
        doctored.files.push('/import/ventes-1.xml');
      },
    ],
    ['a sandbox that fails itself', 'the sandbox itself is sound', fault('sandbox error')],
  ])('sees %s', (_what, check, doctor) => {
    expect(failed(doctor)).toEqual([check]);
  });

  it('sees stock of a sold-out model', () => {
    const soldOut = (doctored: Doctored) => {
      doctored.variants.find((variant) => variant.reference === 'ESCARPIN-DORE')!.shop = 2;
    };
    expect(failed(soldOut)).toEqual([
      "the shop shows Proshop's stock minus what is outstanding",
      'what is sold out in Proshop shows 0',
    ]);
  });

  it('lets a degraded cycle show less but never more', () => {
    const add = (units: number) => (doctored: Doctored) => {
      doctored.variants.find((variant) => (variant.shop ?? 0) > 0)!.shop! += units;
    };
    expect(failed(add(-1), { stock: 'never more' })).toEqual([]);
    expect(failed(add(1), { stock: 'never more' })).toEqual([
      "the shop never shows more than Proshop's stock minus what is outstanding",
    ]);
  });

  it('lets a degraded cycle write no stock at all', () => {
    const none = (doctored: Doctored) => {
      doctored.imports = [];
    };
    expect(failed(none, { stock: 'never more' })).toEqual([]);
    expect(failed(none, { stock: 'unchanged' })).toEqual([]);
  });

  it('sees a stock update that should not have run', () => {
    expect(failed(() => undefined, { stock: 'unchanged' })).toEqual(['no stock was written']);
  });

  it('asks for the late orders once their cycle has run', () => {
    expect(failed(() => undefined, { placedBefore: truth.now })).toEqual([
      'every order was taken by Proshop exactly once',
    ]);
  });
});
