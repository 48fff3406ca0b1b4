import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PlanOptions } from './plan.ts';

/** The product with one of its precautions taken out, and the run that must show it. */
export interface Mutant {
  readonly name: string;
  /** File -> what is replaced by what. Each text stands there once. */
  readonly changes: Readonly<Record<string, readonly (readonly [from: string, to: string])[]>>;
  readonly seed: number;
  readonly plan: PlanOptions;
  /** What the oracle must say of it. */
  readonly caught: RegExp;
}

/** By the Webservice: an order is left half made, and others are given back once they were sent or listed by hand. */
const LIVES: PlanOptions = {
  shop: '8.2',
  cycles: [
    [
      { kind: 'shopper', deed: 'an order is left half made', request: 1 },
      { kind: 'shopper', deed: 'an order is refunded', request: 60 },
      { kind: 'shopper', deed: 'an order that was sent is cancelled', request: 61 },
      { kind: 'shopper', deed: 'an order paid with a gift voucher is cancelled', request: 62 },
    ],
  ],
};

/** A mutant that survives shows that the oracle is blind. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: 'orders files are copied and deleted, not claimed by a rename',
    changes: {
      'src/prestashop/modules.ts': [
        [
          'await session.rename(path, `${settings.staging}/${claimName(name, new Date())}`);',
          'await session.upload(`${settings.staging}/${claimName(name, new Date())}`, await session.download(path));\nawait session.remove(path);',
        ],
      ],
    },
    seed: 1,
    plan: {
      notExported: true,
      cycles: [[{ kind: 'orders exported by hand', before: 'DELE', occurrence: 1 }]],
    },
    caught: /taken by Proshop exactly once: order \d+ was taken 0 time|expected sent, got nowhere told/,
  },
  {
    name: 'the size of an upload is not checked',
    changes: { 'src/ftp.ts': [['if (look?.size !== bytes.length) {', 'if (look === null) {']] },
    seed: 2,
    plan: {
      cycles: [
        [
          {
            kind: 'ftp',
            rule: {
              command: 'STOR',
              occurrence: 1,
              fault: { kind: 'data cut', after: 400, how: 'swallowed' },
            },
          },
        ],
      ],
    },
    caught: /partial file in import|unreadable file in import/,
  },
  {
    name: 'a delivery whose rename had no answer is uploaded again',
    changes: {
      'src/publication.ts': [
        [
          'await finishPublication(session, ledger, delivery);\n      return;',
          'await ledger.abandonDelivery(id);\n      return;',
        ],
      ],
      'src/ledger/ledger.ts': [
        [
          "eq(deliveries.id, id), eq(deliveries.state, 'uploading')",
          "eq(deliveries.id, id), inArray(deliveries.state, ['uploading', 'uploaded'])",
        ],
      ],
    },
    seed: 3,
    plan: {
      cycles: [[{ kind: 'ftp', rule: { command: 'RNTO', occurrence: 2, fault: { kind: 'reply lost' } } }]],
    },
    caught: /order \d+ was taken 2 time/,
  },
  {
    name: 'the gate lets everything through',
    changes: { 'src/domain/gate.ts': [['passed: reasons.length === 0', 'passed: true']] },
    seed: 4,
    plan: {
      cycles: [
        [{ kind: 'bad ExportCSV', damage: 'header only' }],
        [{ kind: 'bad ExportCSV', damage: 'header only' }],
      ],
    },
    caught: /zeroed as a whole|no sound ExportCSV/,
  },
  {
    name: 'outstanding orders are not subtracted',
    changes: {
      'src/domain/stock-plan.ts': [
        ['if (row.ean === null) return 0;\n', 'if (row.ean !== undefined) return 0;\n'],
      ],
    },
    seed: 5,
    plan: { cycles: [[]] },
    caught: /Proshop's stock minus what is outstanding: .*expected \d+/,
  },
  {
    name: 'an order that was seen before counts as new',
    changes: {
      'src/ledger/ledger.ts': [
        ['...ORDER_WRITTEN_OVER, toldBy: null', '...ORDER_WRITTEN_OVER, toldBy: null, deliveryId: null'],
        [
          "setWhere: sql`${orders.route} = 'set_aside' and not ${orders.inDoubt} and ${orders.settledAt} is null and excluded.route <> 'set_aside'`,",
          '',
        ],
      ],
    },
    seed: 6,
    plan: { notExported: false, cycles: [[]] },
    caught: /order \d+ was taken 2 time/,
  },
  {
    name: "the history tells a customer's name",
    changes: {
      'src/activities/deliver-orders.ts': [
        ['file: delivery.finalPath,', 'file: delivery.finalPath + orders[0]?.delivery.lastname,'],
      ],
    },
    seed: 7,
    plan: { cycles: [[]] },
    caught: /history of .* tells /,
  },
  {
    name: 'the stock of a Webservice is not looked at after it was written',
    changes: {
      'src/prestashop/webservice/stock.ts': [['!isRight && round < rounds;', '!isRight && round < 0;']],
    },
    seed: 8,
    plan: {
      shop: '8.2',
      cycles: [
        [
          {
            kind: 'webservice',
            match: { method: 'PUT', resource: 'stock_availables' },
            fault: 'product total',
          },
        ],
      ],
    },
    caught: /after the update of .*: each product's total is the sum of its sizes/,
  },
  {
    name: 'a writing request that had no answer counts as not begun',
    changes: {
      'src/prestashop/answer.ts': [
        ['const mayHaveBegun = changes && !UNREACHED.has(cause);', 'const mayHaveBegun = false;'],
      ],
    },
    seed: 8,
    plan: {
      shop: '8.2',
      cycles: [
        [
          {
            kind: 'webservice',
            match: { method: 'POST', resource: 'products' },
            fault: 'slow',
            // The product is made long after the next look for it.
            milliseconds: 6_000,
          },
        ],
      ],
    },
    caught: /nothing exists twice: product/,
  },
  {
    name: 'what an attempt that slept has seen counts, though a later one has seen more',
    changes: {
      'src/ledger/shop-orders.ts': [
        ['(known.get(id)?.reading ?? 0) <= seen.reading', '(known.get(id)?.reading ?? 0) >= 0'],
      ],
    },
    // Its scenario has no order while one attempt sleeps, so that the requests of both can be counted.
    seed: 183,
    plan: {
      shop: '8.2',
      cycles: [
        [
          // The first attempt has read the orders by its fourth request, and the second has recorded them by the 28th.
          { kind: 'attempt sleeps', after: 12, until: 28 },
          { kind: 'shopper', deed: 'an order that was not sent yet is cancelled', request: 13 },
          // The first one writes before the second one has ended, and the orders are sent.
          {
            kind: 'webservice',
            match: { method: 'GET', resource: 'order_slip' },
            fault: 'slow',
            milliseconds: 1_900,
          },
        ],
      ],
    },
    caught: /were seen cancelled, were not sent: order \d+ was taken 1 time/,
  },
  {
    name: 'nobody is told to take back what was cancelled after it was sent',
    changes: {
      'src/ledger/shop-orders.ts': [['if (added.length === 0) return;', 'if (added.length >= 0) return;']],
    },
    seed: 39,
    plan: LIVES,
    caught: /no report tells that order \d+ \(cancelled\) is to be taken back/,
  },
  {
    name: 'refunds are not read',
    changes: { 'src/prestashop/webservice/orders.ts': [['await pollRefunds();', '']] },
    seed: 39,
    plan: LIVES,
    caught: /no report tells that order \d+ \(slip 1\) is to be taken back/,
  },
  {
    name: 'an order that is not whole is taken as it is',
    changes: {
      'src/prestashop/webservice/orders.ts': [
        ['if (isWhole || isCancelled || recorded.has(order.id)) return', 'if (order.id > 0) return'],
      ],
    },
    seed: 39,
    plan: LIVES,
    caught: /order \d+ was never made to its end, and no report tells/,
  },
];

const ROOT = join(import.meta.dirname, '..');

/** Runs a plan on the product as it is, or as a mutant. Gives what `npm run chaos` said, and whether it passed. */
export async function runAs(
  { seed, plan, changes }: Pick<Mutant, 'seed' | 'plan' | 'changes'>,
  mutated: boolean,
): Promise<{ readonly passed: boolean; readonly output: string }> {
  const place = mutated ? await copyWith(changes) : ROOT;
  try {
    // On what every machine has.
    const told = JSON.stringify({ inStep: true, ledger: 'PGlite', ...plan });
    const shop = plan.shop ?? 'modules';
    const parameters = ['--seed', String(seed), '--ftp', 'ftp-srv', '--shop', shop, '--plan', told];
    return await new Promise((resolve) => {
      execFile(
        process.execPath,
        ['--import', 'tsx', 'chaos/run.ts', ...parameters],
        { cwd: place, timeout: 240_000, maxBuffer: 64 * 1024 * 1024 },
        (error, stdout, stderr) => resolve({ passed: error === null, output: stdout + stderr }),
      );
    });
  } finally {
    if (mutated) await rm(place, { recursive: true, force: true });
  }
}

async function copyWith(changes: Mutant['changes']): Promise<string> {
  const place = await mkdtemp(join(tmpdir(), 'passerelle-mutant-'));
  for (const folder of ['src', 'sandbox', 'chaos', 'package.json', 'tsconfig.json'])
    await cp(join(ROOT, folder), join(place, folder), { recursive: true });
  for (const folder of ['node_modules', '.tools']) await symlink(join(ROOT, folder), join(place, folder));
  for (const [file, replacements] of Object.entries(changes)) {
    let text = await readFile(join(place, file), 'utf8');
    for (const [from, to] of replacements) {
      if (text.split(from).length !== 2)
        throw new Error(`Expected ${file} to hold \`${from}\` once, got ${text.split(from).length - 1}`);
      text = text.replace(from, () => to);
    }
    await writeFile(join(place, file), text);
  }
  return place;
}
