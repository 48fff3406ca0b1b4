import { check } from './check.ts';
import type { Check } from './check.ts';
import type { Expectations } from './expectations.ts';
import { judgeModulesStock } from './judge-modules-stock.ts';
import { judgeOrders } from './judge-orders.ts';
import { judgeWebservice } from './judge-webservice.ts';
import type { FaultKind, Truth } from './truth.ts';

export type { Expectations } from './expectations.ts';

export interface Judgement {
  readonly ok: boolean;
  readonly checks: readonly Check[];
}

const FILE_FAULTS: readonly FaultKind[] = [
  'partial file in import',
  'unreadable file in import',
  'foreign file in import',
  'partial file read by the shop',
];

/** Judges a run from what really happened, knowing nothing of what passerelle says about itself. */
export function judge(truth: Truth, expectations: Expectations = {}): Judgement {
  const checks: Check[] = [
    ...judgeOrders(truth, expectations.placedBefore),
    ...(truth.webservice === undefined
      ? judgeModulesStock(truth, expectations)
      : judgeWebservice(truth, truth.webservice, expectations)),
    check(
      'no file was ever seen partial, unreadable or foreign',
      truth.faults
        .filter((fault) => FILE_FAULTS.includes(fault.kind))
        .map((fault) => `${fault.kind}: ${fault.file} at ${fault.at} (${fault.detail})`),
      'none seen',
    ),
    check(
      'nothing is left behind on the FTP',
      truth.files
        .filter((file) => !/^\/ExportCSV$|^\/export\/commandes$/.test(file))
        .map((file) => `${file} is still there`),
      'clean',
    ),
    check(
      'the sandbox itself is sound',
      truth.faults
        .filter((fault) => fault.kind === 'sandbox error')
        .map((fault) => `${fault.file}: ${fault.detail}`),
      'sound',
    ),
  ];
  return { ok: checks.every((one) => one.ok), checks };
}
