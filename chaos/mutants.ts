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
          "setWhere: sql`${orders.route} = 'set_aside' and ${orders.settledAt} is null and excluded.route <> 'set_aside'`,",
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
    const parameters = ['--seed', String(seed), '--ftp', 'ftp-srv', '--shop', 'modules', '--plan', told];
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
