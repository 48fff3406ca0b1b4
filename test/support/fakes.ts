import type { Activities } from '../../src/activities/index.ts';
import type { CycleInput } from '../../src/workflows/cycle.ts';

const MINUTE = 60_000;

/** The waits that a shop has by default. */
export const INPUT: CycleInput = {
  waits: {
    look: 15_000,
    heartbeat: 30_000,
    attempt: 5 * MINUTE,
    exportOrders: 4 * MINUTE,
    deliverOrders: 3 * MINUTE,
    ordersTaken: 10 * MINUTE,
    stockExport: 20 * MINUTE,
    newProducts: 5 * MINUTE,
    prepareStock: 3 * MINUTE,
    updateStock: 10 * MINUTE,
  },
};

const FILE = { path: '2026-11-24/10h25-3f2a91c0/file', size: 1_234, sha256: 'f'.repeat(64) };
const SEEN = { files: [FILE], rows: 5, toSend: 3, byHand: 0, setAside: 0, byHandIds: [], setAsideOrders: [] };
const DELIVERED = {
  file: '/import/ventes.xml',
  archived: FILE,
  orders: 3,
  orderIds: [1, 2, 3],
  setAsideIds: [],
};
const PREPARED = {
  update: FILE,
  passed: true,
  reasons: [],
  rows: 50,
  units: 200,
  outstanding: 1,
  corrected: 1,
  corrections: [{ ean: '3000000000017', proshop: 3, shown: 2 }],
  difference: { up: 1, down: 2, toZero: 0, created: 4, unchanged: 43, largest: [] },
  setAside: 0,
  setAsideRows: [],
};
const APPLIED = { variants: 50, confirmedAt: '2026-11-24T09:40:00.000Z' };
/** How a cycle beside the old gateway compares when everything is the same. */
export const SAME_SALES = {
  identical: 3,
  different: 0,
  other: 0,
  orders: [],
  unreadable: [],
  byHand: [],
  unreadableFiles: [],
  frame: [],
  unknown: 0,
  missed: [],
  late: [],
  doubted: 0,
  unwatched: false,
};
export const SAME_STOCK = {
  theirs: FILE,
  sameBytes: true,
  variants: 50,
  explained: 0,
  unexplained: 0,
  disagreements: [],
};

/** Activities that all succeed at once, and note their calls. A renamed activity does not compile. */
export function fakeActivities(change: Partial<Activities> = {}) {
  const calls: string[] = [];
  const succeeding: Activities = {
    openCycle: async () => ({
      folder: '2026-11-24/10h25-3f2a91c0',
      standing: { size: 7, modifiedAt: null },
      withdrawn: 0,
      swept: 0,
    }),
    exportOrders: async () => SEEN,
    deliverOrders: async () => DELIVERED,
    awaitOrdersTaken: async () => ({ taken: 1, orders: 3 }),
    collectStock: async () => ({ exportId: 'e', file: FILE, rows: 50, units: 200, reflected: 3, doubts: [] }),
    createProducts: async () => ({ models: 1, references: ['MOD9'] }),
    prepareStock: async () => PREPARED,
    updateStock: async () => APPLIED,
    withdrawStock: async () => ({ withdrawn: 1 }),
    closeCycle: async () => ({ report: FILE }),
    followOldGateway: async () => ({ looks: 900 }),
    shadowOrders: async () => ({ ...SEEN, unreadableFiles: [] }),
    shadowSales: async () => ({
      ...DELIVERED,
      files: [DELIVERED.file],
      comparison: SAME_SALES,
    }),
    shadowTaken: async () => ({ taken: 1, orders: 3 }),
    shadowStock: async () => ({ ...PREPARED, comparison: SAME_STOCK }),
    shadowApplied: async () => APPLIED,
    watch: async ({ beatenUpTo }) => ({ told: [], beatenUpTo, every: MINUTE }),
    listOrders: async () => {
      const none = { total: 0, first: [] };
      return { outstanding: none, byHand: none, setAside: none, takeBacks: none, incomplete: none };
    },
    orderJourney: async () => null,
    ordersSent: async (since) => ({ since, orders: [] }),
    diff: async () => Promise.reject(new Error('Expected no call of diff, got one')),
    replay: async () => Promise.reject(new Error('Expected no call of replay, got one')),
    resetShopCache: async () => ({ renamedTo: 'prodold3' }),
    settleOrders: async ({ ids }) => ({ settled: ids, neverSent: [], nothingToSettle: [] }),
    upkeep: async () => ({ histories: 48, bytes: 2_400_000, lost: 0, purgedDays: 1, forgottenOrders: 12 }),
  };
  const activities = Object.fromEntries(
    Object.entries({ ...succeeding, ...change }).map(([name, activity]) => [
      name,
      (input: { step?: number } | undefined) => {
        calls.push(name === 'exportOrders' ? `${name} ${input?.step}` : name);
        return (activity as (input: unknown) => Promise<unknown>)(input);
      },
    ]),
  ) as unknown as Activities;
  return { activities, calls };
}
