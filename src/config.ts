import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { dirname, posix, resolve } from 'node:path';
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type Node,
  type Scalar,
} from 'yaml';
import { z } from 'zod';
import { isPlainName } from './domain/file-name.ts';
import { ORDER_FIELDS } from './domain/order.ts';
import { STOCK_FIELDS } from './domain/stock.ts';
import { ENCODINGS, encodingFault, shortened } from './domain/text-file.ts';
import { matches } from './domain/wildcard.ts';
import { Secret } from './secret.ts';

/** Error thrown when passerelle.yaml cannot be used. Its message lists every fault, one a line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly string[];

  constructor(path: string, faults: readonly string[]) {
    super(
      [`${path} cannot be used, ${faults.length} fault(s):`, ...faults.map((fault) => `  ${fault}`)].join(
        '\n',
      ),
    );
    this.faults = faults;
  }
}

// A reference may stand wherever a plain value may; a secret must be one.
const reveal = (value: unknown): unknown => (value instanceof Secret ? value.reveal() : value);
const text = z.preprocess(reveal, z.string('a text').min(1, 'a text that is not empty'));
const SECRET = 'a reference, ${VARIABLE} or ${file:/path}: secrets never stand in this file';
const secret = z.instanceof(Secret, { error: SECRET });
const secretUrl = secret.refine((value) => /^https?:$/.test(urlProtocol(value.reveal())), {
  error: 'a reference to an http(s) address',
});
const webAddress = text.refine((value) => /^https?:$/.test(urlProtocol(value)), {
  error: 'an http(s) address',
});
const mailAddress = text.refine((value) => /^[^\s@<>,;"]+@[^\s@<>,;"]+$/.test(value), {
  error: 'an e-mail address such as passerelle@example.org',
});
const whole = (least: number, most: number) =>
  z.preprocess(
    (value) => (value instanceof Secret ? Number(value.reveal()) : value),
    z
      .int({ error: `a whole number from ${least} to ${most}` })
      .min(least, `a whole number from ${least} to ${most}`)
      .max(most, `a whole number from ${least} to ${most}`),
  );
const port = whole(1, 65_535);
const PORT_OR_OFF = 'a port from 1 to 65535, or off';
/** Null = off. */
const portOrOff = z.preprocess(
  (value) => (reveal(value) === 'off' ? null : value instanceof Secret ? Number(value.reveal()) : value),
  z.int(PORT_OR_OFF).min(1, PORT_OR_OFF).max(65_535, PORT_OR_OFF).nullable(),
);
const percent = z
  .number('a percentage from 0 to 100')
  .min(0, 'a percentage from 0 to 100')
  .max(100, 'a percentage from 0 to 100');
const oneOf = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.preprocess(reveal, z.enum(values, `one of ${values.join(', ')}`));
const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/;

/** A duration such as `15s`, in milliseconds. */
const duration = z.preprocess(
  reveal,
  z
    .string('a duration such as 500ms, 15s, 2m or 1h')
    .regex(DURATION, 'a duration such as 500ms, 15s, 2m or 1h')
    .transform((value) => {
      const [, count = '', unit = 's'] = DURATION.exec(value) ?? [];
      return Math.round(Number(count) * UNITS[unit as keyof typeof UNITS]);
    }),
);
const folder = text.refine(
  (value) => value.startsWith('/') && value.slice(1).split('/').every(isFolderPart),
  {
    error: 'a folder on the FTP server, starting with /',
  },
);
const fileName = text.refine((value) => isPlainName(value), { error: 'a file name without folder' });
const namePattern = fileName.refine((value) => value.split('*').length <= 2, {
  error: 'a file name with one * at most',
});
const quote = text.refine((value) => value.length === 1 && !isLineBreak(value), { error: 'one character' });
const delimiter = z.preprocess(
  (value) => (reveal(value) === 'tab' ? '\t' : reveal(value)),
  z
    .string('one character, or tab')
    .refine((value) => value.length === 1 && !isLineBreak(value), { error: 'one character, or tab' }),
);
/** Our field -> the title of its column in the file. */
const titles = <K extends string, R extends K = never>(fields: readonly K[], required: readonly R[] = []) =>
  z.strictObject(
    Object.fromEntries(
      fields.map((field) => [
        field,
        (required as readonly string[]).includes(field) ? text : text.optional(),
      ]),
    ),
  ) as unknown as z.ZodType<
    Readonly<Record<R, string> & Partial<Record<K, string>>>,
    Record<string, unknown>
  >;
const timeZone = text.refine((value) => isTimeZone(value), { error: 'a time zone such as Europe/Paris' });

const csvFile = (defaults: { encoding: (typeof ENCODINGS)[number] }) =>
  z
    .strictObject({
      encoding: oneOf(ENCODINGS).default(defaults.encoding),
      delimiter: delimiter.default(';'),
      quote: quote.default('"'),
      decimalMark: oneOf(['.', ',']).default('.'),
    })
    .refine((file) => file.quote !== file.delimiter, {
      path: ['quote'],
      error: 'another character than the delimiter',
    })
    .prefault({});

/** By the cron addresses of its modules, and the files that they leave on the FTP server. */
const modulesShop = z.strictObject({
  kind: z.literal('modules'),
  exportOrders: secretUrl,
  importProducts: secretUrl,
  updateStock: secretUrl,
  timeout: duration.default(120_000),
  busy: text.default('Other import is running now'),
  refusals: z.array(text).default(['*access denied*', '*bad token*', '*fatal error*', '*exception*']),
});

/** The server that takes warnings by e-mail. */
const mail = z
  .strictObject({
    host: text,
    port: port.default(587),
    tls: oneOf(['starttls', 'implicit', 'none']).default('starttls'),
    /** PEM file of the authority that signed the server's certificate; the system's when left out. */
    ca: text.optional(),
    user: text.optional(),
    password: secret.optional(),
    from: mailAddress,
    to: z.array(mailAddress).min(1, 'a list of e-mail addresses'),
  })
  .refine(({ user, password }) => (user === undefined) === (password === undefined), {
    path: ['user'],
    error: 'user and password, or neither',
  });

/** Ids of order states. */
const states = z.array(whole(1, 1_000_000));

/** By PrestaShop's own Webservice. */
const webserviceShop = z.strictObject({
  kind: z.literal('webservice'),
  url: webAddress,
  key: secret,
  firstOrder: whole(1, 1_000_000_000),
  timeout: duration.default(30_000),
  concurrency: whole(1, 32).default(4),
  states: z
    .strictObject({
      sold: states.optional(),
      cancelled: states.default([6, 7, 8]),
      stockBack: states.default([6, 8]),
    })
    .prefault({}),
  overlap: duration.default(600_000),
  incompleteAfter: duration.default(600_000),
  batch: whole(1, 200).default(50),
  closingRounds: whole(0, 100).default(20),
  newProducts: z.strictObject({
    taxRulesGroup: whole(0, 1_000_000),
    taxRate: percent,
    category: whole(1, 1_000_000).default(2),
    active: z.boolean('true or false').default(false),
    sizeAttribute: text.default('Taille'),
    onlySize: text.default('TU'),
  }),
});

const orderColumns = z.strictObject({
  order: titles(ORDER_FIELDS.order, ['id', 'reference', 'payment']),
  customer: titles(ORDER_FIELDS.customer).prefault({}),
  delivery: titles(ORDER_FIELDS.delivery).prefault({}),
  invoice: titles(ORDER_FIELDS.invoice).prefault({}),
  line: titles(ORDER_FIELDS.line, ['ean', 'reference', 'quantity']),
});

const sections = z.strictObject({
  /** `shadow`: beside the old gateway, whose files it compares with its own; writes nothing on the FTP or in the shop. */
  mode: oneOf(['live', 'shadow']).default('live'),
  shadow: z
    .strictObject({
      look: duration.default(2_000),
      orders: duration.default(120_000),
      sales: duration.default(300_000),
    })
    .prefault({}),
  timeZone: timeZone.default('Europe/Paris'),
  schedule: z
    .strictObject({ cron: text.default('25,55 * * * *'), catchUp: duration.default(1_800_000) })
    .prefault({}),
  data: text.default('./data'),
  archive: z
    .strictObject({ folder: text.optional(), retentionDays: whole(1, 3_650).default(90) })
    .prefault({}),
  temporal: z
    .strictObject({
      port: port.default(7233),
      uiPort: port.default(8233),
      retentionDays: whole(1, 3_650).default(90),
    })
    .prefault({}),
  monitoring: z
    .strictObject({
      host: text
        .refine((value) => isIP(value) !== 0, { error: 'an IP address such as 127.0.0.1' })
        .default('127.0.0.1'),
      health: portOrOff.default(null),
      metrics: portOrOff.default(null),
    })
    .prefault({}),
  alerts: z
    .strictObject({
      webUi: webAddress.optional(),
      every: duration.default(60_000),
      ordersNotTaken: duration.default(7_200_000),
      paused: duration.default(14_400_000),
      mail: mail.optional(),
      webhook: secretUrl.optional(),
      heartbeat: secretUrl.optional(),
    })
    .prefault({}),
  ftp: z.strictObject({
    host: text,
    port: port.default(21),
    user: text,
    password: secret,
    tls: oneOf(['none', 'explicit']).default('none'),
    /** PEM file of the authority that signed the server's certificate; the system's when left out. */
    ca: text.optional(),
    timeout: duration.default(30_000),
    staging: folder.default('/passerelle'),
    settle: duration.default(3_000),
  }),
  /** The shop's own files, for the operators' last remedy; left out = they have none. */
  shopFiles: z
    .strictObject({
      host: text,
      port: port.default(21),
      user: text,
      password: secret,
      tls: oneOf(['none', 'explicit']).default('explicit'),
      ca: text.optional(),
      timeout: duration.default(30_000),
      cache: folder,
    })
    .optional(),
  shop: z.discriminatedUnion('kind', [modulesShop, webserviceShop], {
    error: 'one of modules, webservice',
  }),
  orders: z
    .strictObject({
      folder: folder.optional(),
      name: namePattern.optional(),
      file: csvFile({ encoding: 'utf-8' }),
      finalLineBreak: oneOf(['required', 'optional']).default('required'),
      columns: orderColumns.optional(),
      voucher: z
        .strictObject({
          payments: z.array(text).default([]),
          paymentModules: z.array(text).default([]),
          codes: z.array(text).default([]),
        })
        .prefault({}),
    })
    .prefault({}),
  proshop: z.strictObject({
    importFolder: folder,
    salesPrefix: fileName.default('ventes'),
    template: text,
    exportFolder: folder,
    exportName: fileName.default('ExportCSV'),
    margin: duration.default(120_000),
    every: duration.default(1_800_000),
  }),
  stock: z.strictObject({
    file: csvFile({ encoding: 'utf-8' }),
    finalLineBreak: oneOf(['required', 'optional']).default('required'),
    columns: titles(STOCK_FIELDS, ['reference', 'size', 'ean', 'quantity', 'store']),
    store: text,
    updateName: fileName.default('ExportCSVmod'),
    outstanding: oneOf(['subtract', 'remove']).default('subtract'),
    planAge: duration.default(120_000),
    protected: z
      .array(z.strictObject({ reference: text, ean: text, quantity: whole(1, 1_000_000) }))
      .default([]),
  }),
  gate: z
    .strictObject({
      firstRun: oneOf(['hold', 'apply']).default('hold'),
      rowsDown: percent.default(30),
      unitsDown: percent.default(30),
      toZero: percent.default(20),
    })
    .prefault({}),
  waits: z
    .strictObject({
      look: duration.default(10_000),
      heartbeat: duration.default(30_000),
      attempt: duration.default(300_000),
      exportOrders: duration.default(240_000),
      deliverOrders: duration.default(180_000),
      ordersTaken: duration.default(600_000),
      stockExport: duration.default(1_200_000),
      newProducts: duration.default(300_000),
      prepareStock: duration.default(180_000),
      updateStock: duration.default(600_000),
      decision: duration.default(7_200_000),
    })
    .prefault({}),
});

/** Settings that do not go together. Those that name the same place: what one is for would happen to the other's files. */
const schema = sections.superRefine((settings, context) => {
  const { mode, shadow, ftp, shop, orders, proshop, stock, monitoring } = settings;
  const same = (a: string, b: string) => posix.resolve(a) === posix.resolve(b);
  const refuse = (path: readonly [string, string?], message: string) =>
    context.addIssue({ code: 'custom', path: path.filter((part) => part !== undefined), message });
  if (mode === 'shadow' && shop.kind !== 'modules')
    refuse(['mode'], 'live, for a shop that is not reached by the modules of the old gateway');
  if (shadow.look >= SLOWEST_LOOK)
    refuse(['shadow', 'look'], "less than 5s, since some of the old gateway's files stand for ten seconds");
  if (shadow.sales < shadow.orders)
    refuse(['shadow', 'sales'], 'no less than shadow.orders: the sales file is made of the orders');
  for (const key of ['folder', 'name', 'columns'] as const) {
    if (shop.kind === 'modules' && orders[key] === undefined)
      refuse(['orders', key], key === 'columns' ? 'a section' : 'a text, for shop.kind modules');
  }
  for (const [section, key, folder] of [
    ['ftp', 'staging', ftp.staging],
    ['orders', 'folder', orders.folder],
    ['proshop', 'exportFolder', proshop.exportFolder],
  ] as const) {
    if (folder !== undefined && same(folder, proshop.importFolder))
      refuse([section, key], 'another folder than proshop.importFolder, where Proshop takes any file');
  }
  if (orders.folder !== undefined && same(ftp.staging, orders.folder))
    refuse(['ftp', 'staging'], 'another folder than orders.folder, where the shop puts its files');
  for (const name of [proshop.exportName, stock.updateName]) {
    if (orders.folder === undefined || orders.name === undefined) break;
    if (same(orders.folder, proshop.exportFolder) && matches(orders.name, name))
      refuse(['orders', 'name'], `a name that ${name} in the same folder does not have`);
  }
  if (monitoring.health !== null && monitoring.health === monitoring.metrics)
    refuse(['monitoring', 'health'], 'another port than monitoring.metrics');
  if (stock.updateName === proshop.exportName)
    refuse(['stock', 'updateName'], "another name than proshop.exportName, which is Proshop's own file");
});

/** Milliseconds: a file that stands for twice as long is seen, and read, while it stands. */
const SLOWEST_LOOK = 5_000;

/** Where the shop's modules are, and the files that they leave. */
export type ModulesConfig = z.output<typeof modulesShop>;
export type WebserviceConfig = z.output<typeof webserviceShop>;

/** The orders files' settings, all of which are there when the shop is reached by its modules. */
type OrdersConfig = z.output<typeof sections>['orders'];
export type OrdersFileConfig = OrdersConfig & {
  readonly folder: string;
  readonly name: string;
  readonly columns: NonNullable<OrdersConfig['columns']>;
};

/** Everything that passerelle.yaml and the environment say; durations in milliseconds, local paths absolute. */
export type Config = z.output<typeof schema> & {
  readonly archive: { readonly folder: string };
  readonly alerts: { readonly webUi: string };
  /** PostgreSQL of the ledger; PGlite in `data` when undefined. */
  readonly databaseUrl: Secret | undefined;
  /** True when TEMPORAL_ADDRESS or a profile names a cluster; the embedded server otherwise. */
  readonly externalTemporal: boolean;
  /** Temporal's own loader reads it; here so that no message shows it. */
  readonly temporalApiKey: Secret | undefined;
  readonly temporalCli: string | undefined;
};

/** @throws when the shop has no orders files: it is not reached by its modules. */
export function ordersFileConfig({ orders }: Config): OrdersFileConfig {
  const { folder, name, columns } = orders;
  if (folder === undefined || name === undefined || columns === undefined)
    throw new Error('Expected the settings of the orders files, got none');
  return { ...orders, folder, name, columns };
}

/** Bytes. Twenty times the example, and larger ones take the parser minutes. */
const LARGEST = 100_000;

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads and checks the configuration as a whole.
 * @throws {ConfigError} with every fault: path in the file, line, what was expected, what came.
 */
export function loadConfig(path: string, environment: Environment = process.env): Config {
  if (environment.NODE_TLS_REJECT_UNAUTHORIZED === '0') {
    throw new ConfigError(path, [
      'Expected certificates to be checked, got NODE_TLS_REJECT_UNAUTHORIZED=0: unset it, and name an authority of your own in ftp.ca and NODE_EXTRA_CA_CERTS',
    ]);
  }
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new ConfigError(path, [
      `Expected a readable file, got ${(error as NodeJS.ErrnoException).code ?? 'an error'}: copy passerelle.example.yaml to ${path} and edit it`,
    ]);
  }
  const fault = bytes.length > LARGEST ? null : encodingFault(bytes, 'utf-8');
  if (bytes.length > LARGEST)
    throw new ConfigError(path, [`Expected a file of at most ${LARGEST} bytes, got ${bytes.length}`]);
  if (fault)
    throw new ConfigError(path, [`line ${fault.line}: Expected ${fault.expected}, got ${fault.got}`]);
  const base = dirname(resolve(path));
  const parsed = parseConfig(bytes.toString(), path, environment, base);
  const data = resolve(base, parsed.data);
  const externalTemporal =
    environment.TEMPORAL_ADDRESS !== undefined || environment.TEMPORAL_PROFILE !== undefined;
  return {
    ...parsed,
    data,
    archive: { ...parsed.archive, folder: resolve(base, parsed.archive.folder ?? `${data}/archive`) },
    ftp: withAuthority(parsed.ftp, base),
    shopFiles: parsed.shopFiles && withAuthority(parsed.shopFiles, base),
    proshop: { ...parsed.proshop, template: resolve(base, parsed.proshop.template) },
    alerts: alertsOf(parsed, path, base, externalTemporal),
    databaseUrl: environment.DATABASE_URL === undefined ? undefined : new Secret(environment.DATABASE_URL),
    externalTemporal,
    temporalApiKey:
      environment.TEMPORAL_API_KEY === undefined ? undefined : new Secret(environment.TEMPORAL_API_KEY),
    temporalCli: environment.TEMPORAL_CLI,
  };
}

function alertsOf(
  { alerts, temporal }: z.output<typeof schema>,
  path: string,
  base: string,
  externalTemporal: boolean,
): Config['alerts'] {
  const { mail, webhook, webUi } = alerts;
  if (webUi === undefined && externalTemporal && (mail ?? webhook) !== undefined) {
    throw new ConfigError(path, [
      'alerts.webUi: Expected the address of the Web UI of the cluster that the environment names, for the link in each warning, got nothing',
    ]);
  }
  return {
    ...alerts,
    webUi: webUi ?? `http://127.0.0.1:${temporal.uiPort}`,
    ...(mail?.ca === undefined ? {} : { mail: { ...mail, ca: resolve(base, mail.ca) } }),
  };
}

function withAuthority<T extends { readonly ca?: string | undefined }>(section: T, base: string): T {
  return section.ca === undefined ? section : { ...section, ca: resolve(base, section.ca) };
}

function parseConfig(
  source: string,
  path: string,
  environment: Environment,
  base: string,
): z.output<typeof schema> {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false });
  // An unknown tag, `!!js/function`, is no more than a warning to the parser.
  const told = [...document.errors, ...document.warnings];
  const faults: { line: number; text: string }[] = told.map((error) => ({
    line: lines.linePos(error.pos[0]).line,
    text: `Expected valid YAML, got: ${error.message}`,
  }));
  if (faults.length === 0) {
    const values = resolveReferences(document, environment, base, (node, message) =>
      faults.push({ line: lineOf(node, lines), text: message }),
    );
    const result = schema.safeParse(values);
    if (result.success && faults.length === 0) return result.data;
    for (const issue of result.error?.issues ?? []) faults.push(...describeIssue(issue, document, lines));
  }
  faults.sort((a, b) => a.line - b.line);
  throw new ConfigError(
    path,
    faults.map((fault) => `line ${fault.line}: ${fault.text}`),
  );
}

type Issue = z.core.$ZodIssue;

const KINDS: Readonly<Partial<Record<string, string>>> = { object: 'a section', array: 'a list' };

function describeIssue(
  issue: Issue,
  document: Document,
  lines: LineCounter,
): { line: number; text: string }[] {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
  if (issue.code === 'unrecognized_keys') {
    const parent = document.getIn(path, true) as Node | null | undefined;
    return issue.keys.map((key) => {
      const pair = isMap(parent)
        ? parent.items.find((item) => isScalar(item.key) && item.key.value === key)
        : undefined;
      return {
        line: lineOf((pair?.key ?? parent) as Node, lines),
        text: `${[...path, key].join('.')}: Expected a known setting, got \`${key}\``,
      };
    });
  }
  const node = document.getIn(path, true) as Node | undefined;
  const expected = (issue.code === 'invalid_type' && KINDS[issue.expected]) || issue.message;
  // Where a reference must stand, what stands may be the secret itself.
  const isSecret = issue.message === SECRET && isScalar(node) && node.value !== null;
  const got = node === undefined ? 'nothing' : isSecret ? 'another value' : shown(node);
  return [
    {
      line: lineOf(node ?? nearest(path, document), lines),
      // Shown as it stands in the file, so a reference shows its name and never its value.
      text: `${path.join('.') || '(the whole file)'}: Expected ${expected}, got ${got}`,
    },
  ];
}

function nearest(path: readonly (string | number)[], document: Document): Node | null {
  for (let depth = path.length - 1; depth > 0; depth--) {
    const node = document.getIn(path.slice(0, depth), true) as Node | undefined;
    if (node !== undefined) return node;
  }
  return document.contents;
}

function shown(node: Node): string {
  if (isScalar(node))
    return node.value === null ? 'nothing' : `\`${shortened(node.source ?? JSON.stringify(node.value))}\``;
  if (isMap(node)) return 'a section';
  if (isAlias(node)) return `\`*${node.source}\``;
  return isSeq(node) ? 'a list' : 'nothing';
}

function lineOf(node: Node | null | undefined, lines: LineCounter): number {
  return node?.range ? lines.linePos(node.range[0]).line : 1;
}

const REFERENCE = /^\$\{(?:file:(?<file>[^}]+)|(?<variable>[A-Za-z_][A-Za-z0-9_]*))\}$/;

/** Aliases can make a small file huge, or endless: `&a [*a, *a]`. */
const MOST_ALIASES = 100;
const DEEPEST = 20;

function resolveReferences(
  document: Document,
  environment: Environment,
  base: string,
  fault: (node: Node, message: string) => void,
): unknown {
  let aliases = 0;
  return resolved(document.contents, 0);

  function resolved(node: unknown, depth: number): unknown {
    if (depth > DEEPEST) {
      fault(node as Node, `Expected at most ${DEEPEST} sections and lists inside one another, got more`);
      return undefined;
    }
    if (isAlias(node)) {
      aliases++;
      if (aliases === MOST_ALIASES + 1) fault(node, `Expected at most ${MOST_ALIASES} aliases, got more`);
      return aliases > MOST_ALIASES ? undefined : resolved(node.resolve(document), depth + 1);
    }
    if (isMap(node)) {
      return Object.fromEntries(
        node.items.map((item) => [
          isScalar(item.key) ? String(item.key.value) : String(item.key),
          resolved(item.value, depth + 1),
        ]),
      );
    }
    if (isSeq(node)) return node.items.map((item) => resolved(item, depth + 1));
    return isScalar(node) ? resolvedScalar(node) : undefined;
  }

  function resolvedScalar(node: Scalar): unknown {
    if (node.value === null) return undefined;
    if (typeof node.value !== 'string' || !node.value.includes('${')) return node.value;
    const { file, variable } = REFERENCE.exec(node.value)?.groups ?? {};
    if (file !== undefined) {
      try {
        return new Secret(readFileSync(resolve(base, file), 'utf8').replace(/\r?\n$/, ''));
      } catch (error) {
        fault(
          node,
          `Expected the secrets file ${file} to be readable, got ${(error as NodeJS.ErrnoException).code}`,
        );
      }
    } else if (variable !== undefined) {
      const value = environment[variable];
      if (value !== undefined && value !== '') return new Secret(value);
      fault(node, `Expected the environment variable ${variable} to be set, got nothing`);
    } else {
      fault(node, 'Expected the reference to be the whole value, ${VARIABLE} or ${file:/path}, got more');
    }
    // Stands in for the missing value, so that one cause gives one fault.
    return new Secret('http://missing.invalid');
  }
}

function isFolderPart(part: string): boolean {
  return part === '' || isPlainName(part);
}

function isLineBreak(text: string): boolean {
  return text === '\n' || text === '\r';
}

function urlProtocol(value: string): string {
  return URL.canParse(value) ? new URL(value).protocol : '';
}

function isTimeZone(value: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: value }).format(0) !== '';
  } catch {
    return false;
  }
}
