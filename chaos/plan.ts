import type { FtpRule } from '../sandbox/ftp-proxy.ts';
import type { RealFtpServerKind } from '../sandbox/ftp-servers.ts';
import { REAL_FTP_SERVERS } from '../sandbox/ftp-servers.ts';
import type { ExportDamage } from '../sandbox/proshop.ts';
import { generator, randomScenario } from '../sandbox/scenario.ts';
import type { Scenario } from '../sandbox/scenario.ts';
import type { ShopFault, ShopJob } from '../sandbox/shop-server.ts';
import type { Fault as WebserviceFault, FaultMatch } from '../sandbox/webservice/faults.ts';
import type { Version } from '../sandbox/webservice/site.ts';

export type FtpKind = 'ftp-srv' | RealFtpServerKind;
export const FTP_KINDS: readonly FtpKind[] = ['ftp-srv', ...REAL_FTP_SERVERS];

/** How the gateway reaches the shop: by its two modules, or by the Webservice of that PrestaShop. */
export type ShopKind = 'modules' | Version;
export const SHOP_KINDS: readonly ShopKind[] = ['modules', '1.7.8', '8.2', '9.1'];

/** What shoppers and the merchant do while the gateway works; see chaos/shoppers.ts. */
export type Deed =
  | 'an order comes'
  | 'an order waits for its bank wire'
  | 'a bank wire comes'
  | 'an order is cancelled'
  | 'an order that was not sent yet is cancelled'
  | 'an order that was sent is cancelled'
  | 'an order paid with a gift voucher is cancelled'
  | 'an order is refunded'
  | 'an order is left half made'
  | 'stock is lowered by hand';

/** Everything that one run does, drawn from its seed. */
export interface Plan {
  readonly seed: number;
  readonly ledger: 'PGlite' | 'PostgreSQL';
  readonly ftp: FtpKind;
  readonly shop: ShopKind;
  readonly scenario: Scenario;
  /** The Order Export module's "export not exported": false = every export shows every order again. */
  readonly notExported: boolean;
  readonly asciiMode: boolean;
  /** True: cycles begin shortly before Proshop's import. False: one after the other, whatever the minute. */
  readonly inStep: boolean;
  /** Cycles in which something is broken; the whole ones that follow are no part of the plan. */
  readonly cycles: readonly (readonly Fault[])[];
}

/** What is broken in one cycle. `command`: just before the gateway's so many-th FTP command of the cycle. */
export type Fault =
  | {
      readonly kind: 'kill worker';
      /** The so many-th side effect of the cycle. */
      readonly effect: number;
      readonly moment: 'before' | 'after';
      /** Milliseconds until it is started again. */
      readonly downFor: number;
    }
  | {
      readonly kind: 'kill temporal' | 'kill ftp server' | 'kill ledger';
      readonly command: number;
      readonly downFor: number;
    }
  | { readonly kind: 'ftp'; readonly rule: FtpRule }
  | { readonly kind: 'ftp refuses connections'; readonly command: number; readonly for: number }
  | { readonly kind: 'shop'; readonly job: ShopJob; readonly fault: ShopFault }
  | {
      readonly kind: 'webservice';
      readonly match: FaultMatch;
      readonly fault: WebserviceFault;
      /** How long `slow` is. */
      readonly milliseconds?: number;
    }
  /** Just before the so many-th request to the Webservice. */
  | { readonly kind: 'shopper'; readonly deed: Deed; readonly request: number }
  /** An order comes, and somebody starts the Order Export module in the back office, just before the so many-th command of that name. */
  | { readonly kind: 'orders exported by hand'; readonly before: string; readonly occurrence: number }
  | { readonly kind: 'proshop is late' }
  | { readonly kind: 'proshop takes half' }
  | { readonly kind: 'bad ExportCSV'; readonly damage: ExportDamage }
  | { readonly kind: 'full disk'; readonly write: number; readonly writes: number }
  /**
   * One that is about to write to its PGlite what it has read from the shop with the so many-th request of the cycle, until
   * another attempt has made so many. It sleeps for longer than an attempt may last where none comes.
   */
  | { readonly kind: 'attempt sleeps'; readonly after: number; readonly until: number }
  | { readonly kind: 'clock jumps'; readonly command: number; readonly by: number }
  /** The worker's clock and the times that the FTP server shows go through the change of the shop's time zone. */
  | { readonly kind: 'daylight saving'; readonly change: 'spring' | 'autumn' }
  | { readonly kind: 'schedule'; readonly how: 'paused' | 'triggered twice' | 'two at once' }
  /** Paused in the middle of a cycle, and resumed after so many more commands, or in the end. */
  | { readonly kind: 'paused'; readonly command: number; readonly for: number }
  /** The gate holds the first stock update, and somebody decides of it; the worker dies before that. */
  | { readonly kind: 'update held'; readonly decide: Decided; readonly dies: boolean }
  /** For the whole run: it takes connections, and never says a word. */
  | { readonly kind: 'mail server hangs' }
  | { readonly kind: 'redeployed'; readonly change: Redeployment; readonly command: number };

export type Decided = 'apply' | 'skip' | 'twice' | 'too late' | 'not at all';
const DECIDED: readonly Decided[] = ['apply', 'apply', 'skip', 'twice', 'too late', 'not at all'];

/** What differs in the configuration of a worker that is deployed in the middle of a cycle. What is wrong is mended after the cycle. */
export type Redeployment =
  | 'staging folder'
  | 'sales prefix'
  | 'wrong password'
  /** Of the orders file; of the modules' shop alone. */
  | 'wrong column'
  /** To the Webservice. */
  | 'wrong key';

export type FaultKind = Fault['kind'];

export interface PlanOptions {
  /** The FTP server instead of the drawn one. */
  readonly ftp?: FtpKind | undefined;
  /** How the shop is reached instead of the drawn way. */
  readonly shop?: ShopKind | undefined;
  readonly ledger?: Plan['ledger'] | undefined;
  /** Faults instead of the drawn ones, cycle by cycle. */
  readonly cycles?: Plan['cycles'] | undefined;
  readonly notExported?: boolean | undefined;
  readonly inStep?: boolean | undefined;
}

/** Draws a run from its seed: the same seed gives the same plan. */
export function makePlan(seed: number, options: PlanOptions = {}): Plan {
  const random = generator(seed);
  const below = (bound: number) => Math.floor(random() * bound);
  const pick = <T>(values: readonly T[]): T => values[below(values.length)] as T;
  const drawn = random() < 0.3 ? 'PostgreSQL' : 'PGlite';
  const ledger = options.ledger ?? drawn;
  const ftp = pick<FtpKind>(['ftp-srv', 'ftp-srv', ...FTP_KINDS]);
  const drawnShop = pick<ShopKind>(['modules', 'modules', ...SHOP_KINDS]);
  const shop = options.shop ?? drawnShop;
  const shape = {
    notExported: random() < 0.8,
    asciiMode: random() < 0.5,
    inStep: random() < 0.5,
  };
  const cycles = Array.from({ length: 1 + below(2) }, () => drawCycle({ random, below, pick }, ledger, shop));
  return {
    seed,
    ledger,
    ftp: options.ftp ?? ftp,
    shop,
    scenario: randomScenario(seed, { products: 15, orders: 5, lateOrders: 2, laterOrders: 6 }),
    ...shape,
    notExported: options.notExported ?? shape.notExported,
    inStep: options.inStep ?? shape.inStep,
    cycles: options.cycles ?? cycles,
  };
}

/** The gate holds the first update of such a run, until a person decides. */
export function isHeldFirst({ cycles }: Pick<Plan, 'cycles'>): boolean {
  return cycles.flat().some(({ kind }) => kind === 'update held');
}

interface Dice {
  readonly random: () => number;
  readonly below: (bound: number) => number;
  readonly pick: <T>(values: readonly T[]) => T;
}

/** A clean cycle has about so many of each. */
const EFFECTS = { modules: 50, webservice: 200 };
const COMMANDS = 260;
/** Verb and how many of them a clean cycle has, about. */
const VERBS: readonly (readonly [string, number])[] = [
  ['STOR', 2],
  ['RNFR', 3],
  ['RNTO', 3],
  ['DELE', 2],
  ['RETR', 3],
  ['MKD', 1],
  ['LIST', 3],
  ['MLSD', 3],
  ['PASS', 20],
  ['EPSV', 6],
  ['CWD', 40],
  ['SIZE', 40],
  ['MDTM', 30],
  ['*', COMMANDS],
];
const CALL_FAULTS: readonly ShopFault[] = [
  'hang',
  'late',
  'status 500',
  'status 503',
  'redirect',
  'error text',
  'answer lost',
];
const SHOP_FAULTS: Readonly<Record<ShopJob, readonly ShopFault[]>> = {
  exportOrders: CALL_FAULTS,
  importProducts: [...CALL_FAULTS, 'never ends'],
  updateStock: [...CALL_FAULTS, 'never ends'],
};
/** Method, resource and how many of them a clean cycle has, about. */
const REQUESTS: readonly (readonly [method: string, resource: string, times: number])[] = [
  ['GET', 'orders', 16],
  ['GET', 'orders', 16],
  ['GET', 'order_states', 5],
  ['GET', 'order_slip', 5],
  ['GET', 'customers', 6],
  ['GET', 'addresses', 6],
  ['GET', 'order_cart_rules', 6],
  ['GET', 'order_payments', 6],
  ['GET', 'combinations', 9],
  ['GET', 'products', 9],
  ['GET', 'product_option_values', 7],
  ['GET', 'manufacturers', 7],
  ['GET', 'stock_availables', 3],
  ['GET', 'stock_availables', 3],
  ['PUT', 'stock_availables', 1],
  ['PUT', 'stock_availables', 1],
  ['PUT', 'stock_availables', 1],
  ['POST', 'products', 2],
  ['POST', 'products', 2],
  ['POST', 'combinations', 2],
  ['POST', 'combinations', 2],
  ['POST', 'product_suppliers', 2],
];
const REQUESTS_A_CYCLE = { modules: 4, webservice: 110 };
const WEBSERVICE_FAULTS: readonly WebserviceFault[] = [
  'hang',
  'status 500',
  'status 503',
  'status 429',
  'redirect',
  'error text',
  'reset',
  'answer lost',
  'slow',
];
/** Milliseconds: within the gateway's time-out, and done after it was given up. */
const SLOW = [1_200, 3_000];
const WRITE_FAULTS: readonly WebserviceFault[] = ['answer lost', 'done, status 500'];
const STOCK_FAULTS: readonly WebserviceFault[] = ['batch breaks', 'product total'];
const DEEDS: readonly Deed[] = [
  'an order comes',
  'an order comes',
  'an order waits for its bank wire',
  'a bank wire comes',
  'an order is cancelled',
  'an order that was not sent yet is cancelled',
  'an order that was sent is cancelled',
  'an order paid with a gift voucher is cancelled',
  'an order is refunded',
  'an order is refunded',
  'an order is left half made',
  'stock is lowered by hand',
];
const DAMAGES: readonly ExportDamage[] = [
  'missing',
  'truncated',
  'empty',
  'header only',
  'duplicated rows',
  'old file again',
  'wrong store',
  'columns swapped',
  'utf-8',
];
const REPLIES: readonly (readonly [number, string])[] = [
  [421, 'Timeout.'],
  [425, 'Failed to establish connection.'],
  [450, 'Requested file action not taken.'],
  [452, 'No space left on device'],
  [530, 'Login incorrect.'],
  [550, 'Permission denied.'],
];
const HOUR = 60 * 60_000;

function drawCycle(dice: Dice, ledger: Plan['ledger'], shop: ShopKind): readonly Fault[] {
  const faults = Array.from({ length: 1 + dice.below(3) }, () => drawFault(dice, ledger, shop));
  // A shop that lives breaks nothing by itself.
  const life = shop === 'modules' ? [] : Array.from({ length: dice.below(4) }, () => drawDeed(dice));
  return [...faults, ...life];
}

function drawFault({ random, below, pick }: Dice, ledger: Plan['ledger'], shop: ShopKind): Fault {
  const command = 1 + below(COMMANDS);
  const downFor = below(2_500);
  const draw = random();
  if (draw < 0.03) return { kind: 'update held', decide: pick(DECIDED), dies: random() < 0.5 };
  if (draw < 0.05) return { kind: 'paused', command, for: below(COMMANDS) };
  if (draw < 0.07) return { kind: 'mail server hangs' };
  if (draw < 0.28) {
    const effect = 1 + below(EFFECTS[shop === 'modules' ? shop : 'webservice']);
    return { kind: 'kill worker', effect, moment: pick(['before', 'after']), downFor };
  }
  if (draw < 0.36) {
    const kind = pick([
      'kill temporal',
      'kill ftp server',
      ledger === 'PostgreSQL' ? 'kill ledger' : 'attempt sleeps',
    ] as const);
    if (kind !== 'attempt sleeps') return { kind, command, downFor };
    const after = 1 + below(REQUESTS_A_CYCLE[shop === 'modules' ? shop : 'webservice']);
    return { kind, after, until: after + 1 + below(40) };
  }
  if (draw < 0.62) return { kind: 'ftp', rule: drawRule({ random, below, pick }) };
  if (draw < 0.64) return { kind: 'ftp refuses connections', command, for: 500 + downFor };
  if (shop !== 'modules' && draw < 0.77) return drawWebserviceFault({ random, below, pick });
  if (draw < 0.66) {
    const [before, times] = pick(VERBS);
    return { kind: 'orders exported by hand', before, occurrence: 1 + below(times) };
  }
  if (draw < 0.77) {
    const job = pick(Object.keys(SHOP_FAULTS) as ShopJob[]);
    return { kind: 'shop', job, fault: pick(SHOP_FAULTS[job]) };
  }
  if (draw < 0.79) return { kind: 'proshop is late' };
  if (draw < 0.8) return { kind: 'proshop takes half' };
  if (draw < 0.89) return { kind: 'bad ExportCSV', damage: pick(DAMAGES) };
  if (draw < 0.91) return { kind: 'full disk', write: 1 + below(6), writes: 1 + below(2) };
  if (draw < 0.94) return { kind: 'clock jumps', command, by: pick([-HOUR, HOUR]) };
  if (draw < 0.96) return { kind: 'daylight saving', change: pick(['spring', 'autumn']) };
  if (draw < 0.98) {
    return { kind: 'schedule', how: pick(['paused', 'triggered twice', 'two at once']) };
  }
  const wrong = shop === 'modules' ? 'wrong column' : 'wrong key';
  const change = pick(['staging folder', 'sales prefix', 'wrong password', wrong] as const);
  return { kind: 'redeployed', change, command };
}

function drawWebserviceFault({ below, pick }: Dice): Fault {
  const [method, resource, times] = pick(REQUESTS);
  const skip = below(times);
  const fault = pick<WebserviceFault>([
    ...WEBSERVICE_FAULTS,
    ...(method === 'GET' ? [] : WRITE_FAULTS),
    ...(method === 'PUT' && resource === 'stock_availables' ? STOCK_FAULTS : []),
  ]);
  const slow = fault === 'slow' ? { milliseconds: pick(SLOW) } : {};
  return { kind: 'webservice', match: { method, resource, skip }, fault, ...slow };
}

function drawDeed({ below, pick }: Dice): Fault {
  return { kind: 'shopper', deed: pick(DEEDS), request: 1 + below(REQUESTS_A_CYCLE.webservice) };
}

function drawRule({ below, pick }: Dice): FtpRule {
  const [command, times] = pick(VERBS);
  const occurrence = 1 + below(times);
  const moves = ['STOR', 'RETR', 'LIST', 'MLSD'].includes(command);
  const kind = pick([
    'cut before',
    'reply lost',
    'reply lost',
    'reply',
    'reply',
    'stall',
    'stall after',
    ...(moves ? (['data cut', 'data cut'] as const) : []),
  ] as const);
  switch (kind) {
    case 'reply': {
      const [code, text] = pick(REPLIES);
      return { command, occurrence, fault: { kind, code, text } };
    }
    case 'cut before':
    case 'reply lost':
    case 'stall':
    case 'stall after':
      return { command, occurrence, fault: { kind } };
    case 'data cut':
      return {
        command,
        occurrence,
        fault: { kind, after: below(600), how: pick(['fin', 'rst', 'swallowed']) },
      };
  }
}

/** One fault in a few words, for tables and logs. */
export function describeFault(fault: Fault): string {
  switch (fault.kind) {
    case 'kill worker':
      return `kill worker ${fault.moment} effect ${fault.effect}, down ${fault.downFor} ms`;
    case 'kill temporal':
    case 'kill ftp server':
    case 'kill ledger':
      return `${fault.kind} at FTP command ${fault.command}, down ${fault.downFor} ms`;
    case 'ftp': {
      const { command, occurrence, fault: what } = fault.rule;
      const code = what.kind === 'reply' ? ` ${what.code}` : '';
      const cut = what.kind === 'data cut' ? ` after ${what.after} bytes (${what.how})` : '';
      return `ftp ${what.kind}${code}${cut} at ${command} ${occurrence}`;
    }
    case 'ftp refuses connections':
      return `ftp refuses connections for ${fault.for} ms from command ${fault.command}`;
    case 'shop':
      return `shop ${fault.job}: ${fault.fault}`;
    case 'webservice': {
      const { method, resource, skip = 0 } = fault.match;
      const slow = fault.milliseconds === undefined ? '' : ` (${fault.milliseconds} ms)`;
      return `webservice ${method} ${resource}: ${fault.fault}${slow} at ${skip + 1}`;
    }
    case 'shopper':
      return `${fault.deed} before request ${fault.request}`;
    case 'orders exported by hand':
      return `orders exported by hand before ${fault.before} ${fault.occurrence}`;
    case 'bad ExportCSV':
      return `ExportCSV ${fault.damage}`;
    case 'full disk':
      return `full disk at archive write ${fault.write}, for ${fault.writes}`;
    case 'attempt sleeps':
      return `attempt sleeps from request ${fault.after} until ${fault.until}`;
    case 'clock jumps':
      return `clock jumps by ${fault.by / 60_000} min at FTP command ${fault.command}`;
    case 'daylight saving':
      return `${fault.change} change of time`;
    case 'schedule':
      return `schedule ${fault.how}`;
    case 'paused':
      return `schedule paused at FTP command ${fault.command}, resumed ${fault.for} later`;
    case 'update held':
      return `update held, decided ${fault.decide}${fault.dies ? ', worker killed before' : ''}`;
    case 'redeployed':
      return `redeployed with another ${fault.change} at FTP command ${fault.command}`;
    case 'proshop is late':
    case 'proshop takes half':
    case 'mail server hangs':
      return fault.kind;
  }
}
