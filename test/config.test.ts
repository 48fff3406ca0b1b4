import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { concealSecrets } from '../src/concealment.ts';
import { ConfigError, loadConfig } from '../src/config.ts';

const ENVIRONMENT = {
  FTP_PASSWORD: 'hunter2-hunter2',
  SHOP_EXPORT_ORDERS_URL: 'https://shop.example.org/export.php?secure_key=abcdef123456',
  SHOP_IMPORT_PRODUCTS_URL: 'https://shop.example.org/import.php?secure_key=abcdef123456',
  SHOP_UPDATE_STOCK_URL: 'https://shop.example.org/import.php?settings=2&secure_key=abcdef123456',
};
const EXAMPLE = join(import.meta.dirname, '..', 'passerelle.example.yaml');

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-config-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const load = async (text: string, environment: Record<string, string | undefined> = ENVIRONMENT) => {
  const path = join(folder, 'passerelle.yaml');
  await writeFile(path, text);
  return loadConfig(path, environment);
};
const example = () => readFile(EXAMPLE, 'utf8');
const faultsOf = async (
  change: (text: string) => string,
  environment?: Record<string, string | undefined>,
) => {
  try {
    await load(change(await example()), environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
};
/** Line of the first line of the example that holds `text`, once changed. */
const lineOf = async (text: string, change: (text: string) => string = (same) => same) =>
  change(await example())
    .split('\n')
    .findIndex((line) => line.includes(text)) + 1;

describe('the example', () => {
  it('is a configuration that works', async () => {
    const config = await load(await example());
    expect(config.ftp.password.reveal()).toBe('hunter2-hunter2');
    expect(config.schedule.cron).toBe('25,55 * * * *');
    expect(config.waits.look).toBe(10_000);
    expect(config.proshop.template).toBe(join(folder, 'sales-template.xml'));
    expect(config.archive.folder).toBe(join(folder, 'data', 'archive'));
  });

  it('shows every default as it is', async () => {
    const spoken = (await example()).replace(/^(\s*)# (?=\s*[a-z]\w*:( |$))/gm, '$1');
    const [silent, told] = [
      await load(await example()),
      await load(
        spoken
          .replace(/^ {2}mail:.*\n(?: {4}.*\n)*/m, '')
          .replace(/^ {2}(webhook|heartbeat): \$.*$/gm, '')
          .replace(/^shopFiles:.*\n(?: {2}.*\n)*/m, '')
          .replace(/^ {2}ca: .*$/m, '')
          .replace(/^ {4}invoice:.*$/m, ''),
      ),
    ];
    expect(told).toEqual(silent);
  });
});

it('takes the section of the shop’s files as the example shows it', async () => {
  const [section = ''] = /^# shopFiles:.*\n(?:# {3}.*\n)*/m.exec(await example()) ?? [];
  const text = `${await example()}\n${section.replace(/^# /gm, '')}`;
  const config = await load(text, { ...ENVIRONMENT, SHOP_FILES_PASSWORD: 'site-sesame' });
  expect(config.shopFiles).toMatchObject({
    host: 'ftp.shop.example.org',
    tls: 'explicit',
    ca: join(folder, 'shop-ca.pem'),
    timeout: 30_000,
    cache: '/httpdocs/var/cache',
  });
  expect(String(config.shopFiles?.password)).not.toContain('sesame');
});

describe('warnings', () => {
  const SECRETS = {
    ...ENVIRONMENT,
    SMTP_PASSWORD: 'smtp-sesame',
    ALERTS_WEBHOOK_URL: 'https://hooks.example.org/services/T0001/B0002/k3yk3yk3y',
    ALERTS_HEARTBEAT_URL: 'https://monitor.example.org/ping/5e5a3e',
  };
  const withAlerts = async (section: string) => `${await example()}\nalerts:\n${section}`;
  const spoken = async () => {
    const [section = ''] =
      /^# alerts:\n(?:# {3}.*\n)*/m.exec((await example()).replace(/^(# alerts:).*$/m, '$1')) ?? [];
    return withAlerts(section.replace(/^# alerts:\n/, '').replace(/^# /gm, ''));
  };

  it('go where the example says', async () => {
    const { alerts } = await load(await spoken(), SECRETS);
    expect(alerts).toMatchObject({
      webUi: 'http://127.0.0.1:8233',
      every: 60_000,
      ordersNotTaken: 7_200_000,
      paused: 14_400_000,
      mail: {
        host: 'smtp.example.org',
        port: 587,
        tls: 'starttls',
        ca: join(folder, 'smtp-ca.pem'),
        to: ['boutique@example.org'],
      },
    });
    expect(alerts.webhook?.reveal()).toBe(SECRETS.ALERTS_WEBHOOK_URL);
    expect(alerts.heartbeat?.reveal()).toBe(SECRETS.ALERTS_HEARTBEAT_URL);
  });

  it('show no secret, not even a part of an address', async () => {
    const conceal = concealSecrets(await load(await spoken(), SECRETS));
    expect(conceal('POST /services/T0001/B0002/k3yk3yk3y')).toBe('POST (secret)');
    expect(conceal('GET /ping/5e5a3e, smtp-sesame')).toBe('GET (secret), (secret)');
    expect(conceal('hooks.example.org')).toBe('hooks.example.org');
  });

  it.each([
    ['  webhook: https://hooks.example.org/k3y', 'alerts.webhook: Expected a reference'],
    ['  mail: { host: h, from: a@b, to: [] }', 'alerts.mail.to: Expected a list of e-mail addresses'],
    ['  mail: { host: h, from: nobody, to: [a@b] }', 'alerts.mail.from: Expected an e-mail address'],
    [
      '  mail: { host: h, from: a@b, to: [a@b], user: u }',
      'alerts.mail.user: Expected user and password, or neither',
    ],
    [
      '  mail: { host: h, from: a@b, to: [a@b], tls: maybe }',
      'alerts.mail.tls: Expected one of starttls, implicit, none',
    ],
    ['  webUi: ftp://elsewhere', 'alerts.webUi: Expected an http(s) address'],
  ])('cannot be set up as %s', async (section, expected) => {
    await expect(load(await withAlerts(section), SECRETS)).rejects.toThrow(expected);
  });

  it('link to the embedded Web UI, and must be told where a cluster’s is', async () => {
    const section = '  webhook: ${ALERTS_WEBHOOK_URL}';
    const cluster = { ...SECRETS, TEMPORAL_ADDRESS: 'temporal.example.org:7233' };
    const moved = (await withAlerts(section))
      .replace('# temporal: ', 'temporal: ')
      .replace('#   uiPort: 8233', '  uiPort: 9000');
    expect((await load(moved, SECRETS)).alerts.webUi).toBe('http://127.0.0.1:9000');
    await expect(load(await withAlerts(section), cluster)).rejects.toThrow(
      /alerts\.webUi: Expected the address of the Web UI of the cluster/,
    );
    const linked = await withAlerts(`${section}\n  webUi: https://temporal.example.org`);
    expect((await load(linked, cluster)).alerts.webUi).toBe('https://temporal.example.org');
  });
});

describe('a shop without modules', () => {
  const KEYED = { FTP_PASSWORD: 'hunter2-hunter2', SHOP_KEY: 'KKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKK' };
  /** The example with the page's section, and of the orders files nothing but the vouchers. */
  const withWebservice = async (change: (section: string) => string = (same) => same) => {
    const page = await readFile(join(import.meta.dirname, '..', 'docs', 'prestashop.md'), 'utf8');
    const section = /```yaml\n(shop:\n.*?)```/s.exec(page)?.[1] ?? '';
    const text = (await example()).replace(/^shop:\n.*?^(?=orders:)/ms, `${change(section)}\n`);
    return text.replace(/^orders:.*?^ {2}voucher:/ms, 'orders:\n  voucher:');
  };

  it('is configured as its page says', async () => {
    const config = await load(await withWebservice(), KEYED);
    expect(config.shop).toMatchObject({
      kind: 'webservice',
      url: 'https://shop.example.org/',
      firstOrder: 4101,
    });
    expect(config.orders.voucher.codes).toEqual(['BC-*']);
    expect(concealSecrets(config)(`key ${KEYED.SHOP_KEY}`)).toBe('key (secret)');
  });

  it('has the defaults that its page shows', async () => {
    const isOptional =
      /^ {2}(states|timeout|concurrency|batch|overlap|incompleteAfter|closingRounds):.*\n(?: {4}.*\n)*/gm;
    const isOptionalToo = /^ {4}(category|active|sizeAttribute|onlySize):.*\n/gm;
    const silent = await withWebservice((section) =>
      section.replace(isOptional, '').replace(isOptionalToo, ''),
    );
    const told = await load(await withWebservice((section) => section.replace(/^ {4}sold:.*\n/m, '')), KEYED);
    expect((await load(silent, KEYED)).shop).toEqual(told.shop);
  });

  it('is told which of its settings nobody can guess', async () => {
    const text = await withWebservice((section) =>
      section.replace(/^ {2}firstOrder:.*\n/m, '').replace('${SHOP_KEY}', 'secret'),
    );
    await expect(load(text, KEYED)).rejects.toThrow(
      /shop\.firstOrder: Expected a whole number from 1 to 1000000000, got nothing.*shop\.key: Expected a reference/s,
    );
  });

  it.each(['folder', 'name', 'columns'])('is the only one without orders.%s', async (setting) => {
    const pattern =
      setting === 'columns'
        ? /^ {2}columns:.*?^(?= {2}voucher:)/ms
        : new RegExp(`^ {2}${setting}: .*\n`, 'm');
    const change = (text: string) =>
      text.replace(/^orders:.*?^proshop:/ms, (orders) => orders.replace(pattern, ''));
    expect((await faultsOf(change)).join()).toMatch(
      new RegExp(`orders\\.${setting}: Expected .*, got nothing`),
    );
  });
});

describe('a fault', () => {
  it('is told with path, line, what was expected and what came', async () => {
    const change = (text: string) => text.replace('  # port: 21', '  port: twenty');
    expect(await faultsOf(change)).toEqual([
      `line ${await lineOf('port: twenty', change)}: ftp.port: Expected a whole number from 1 to 65535, got \`twenty\``,
    ]);
  });

  it('does not hide the others: all are listed, in the order of the file', async () => {
    const faults = await faultsOf((text) =>
      text
        .replace('host: ftp.example.org', 'hots: ftp.example.org')
        .replace('kind: modules', 'kind: telepathy')
        .replace('folder: /export', 'folder: export')
        .replace('      id: id_order ', '      di: id_order ')
        .replace('  encoding: windows-1252', '  encoding: ebcdic')
        .replace("store: '008'", 'store: [8]'),
    );
    expect(faults.map((fault) => fault.replace(/^line \d+: /, ''))).toEqual([
      'ftp.host: Expected a text, got nothing',
      'ftp.hots: Expected a known setting, got `hots`',
      'shop.kind: Expected one of modules, webservice, got `telepathy`',
      'orders.folder: Expected a folder on the FTP server, starting with /, got `export`',
      'orders.columns.order.id: Expected a text, got nothing',
      'orders.columns.order.di: Expected a known setting, got `di`',
      'stock.file.encoding: Expected one of utf-8, windows-1252, iso-8859-1, iso-8859-15, got `ebcdic`',
      'stock.store: Expected a text, got a list',
    ]);
    const lines = faults.map((fault) => Number(/^line (\d+)/.exec(fault)?.[1]));
    expect(lines).toEqual(lines.toSorted((a, b) => a - b));
  });

  it.each([
    ['not YAML at all', '\tftp: {', /line 1: Expected valid YAML/],
    ['an empty file', '', /Expected a section, got nothing/],
    ['a list', '- ftp', /Expected a section, got a list/],
  ])('is clear for %s', async (_name, text, expected) => {
    await expect(load(text)).rejects.toThrow(expected);
  });

  it('is clear when there is no file', () => {
    expect(() => loadConfig(join(folder, 'none.yaml'), {})).toThrow(/copy passerelle.example.yaml/);
  });
});

describe('a secret', () => {
  it('is refused when it stands in the file', async () => {
    const faults = await faultsOf((text) => text.replace('${FTP_PASSWORD}', 'hunter3'));
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain('ftp.password: Expected a reference');
    expect(faults[0]).not.toContain('hunter3');
  });

  it('is asked for by name when the environment lacks it, once for each', async () => {
    const { FTP_PASSWORD: _, SHOP_UPDATE_STOCK_URL: __, ...rest } = ENVIRONMENT;
    expect(await faultsOf((text) => text, rest)).toEqual([
      `line ${await lineOf('${FTP_PASSWORD}')}: Expected the environment variable FTP_PASSWORD to be set, got nothing`,
      `line ${await lineOf('${SHOP_UPDATE_STOCK_URL}')}: Expected the environment variable SHOP_UPDATE_STOCK_URL to be set, got nothing`,
    ]);
  });

  it('can come from a file', async () => {
    await writeFile(join(folder, 'password'), 'from a file\n');
    const config = await load((await example()).replace('${FTP_PASSWORD}', '${file:./password}'));
    expect(config.ftp.password.reveal()).toBe('from a file');
  });

  it('is not shown by the fault that it causes', async () => {
    const faults = await faultsOf((text) => text, {
      ...ENVIRONMENT,
      SHOP_UPDATE_STOCK_URL: 'ftp://u:sesame@host',
    });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(
      'shop.updateStock: Expected a reference to an http(s) address, got `${SHOP_UPDATE_STOCK_URL}`',
    );
    expect(faults[0]).not.toContain('sesame');
  });

  it('prints as (secret), wherever the configuration goes', async () => {
    const config = await load(await example());
    for (const shown of [
      JSON.stringify(config),
      inspect(config, { depth: 9 }),
      String(config.ftp.password),
    ]) {
      expect(shown).not.toContain('hunter2');
      expect(shown).not.toContain('abcdef123456');
    }
  });

  it('is taken out of any text, in its parts too', async () => {
    const conceal = concealSecrets(await load(await example()));
    expect(conceal('530 hunter2-hunter2 refused')).toBe('530 (secret) refused');
    expect(conceal(`GET ${ENVIRONMENT.SHOP_UPDATE_STOCK_URL} failed`)).toBe('GET (secret) failed');
    expect(conceal('key abcdef123456')).toBe('key (secret)');
    expect(conceal('shop.example.org')).toBe('shop.example.org');
  });

  it('is taken out of any text when Temporal’s own loader reads it', async () => {
    const key = 'temporal-key\n';
    const conceal = concealSecrets(await load(await example(), { ...ENVIRONMENT, TEMPORAL_API_KEY: key }));
    expect(conceal(`Metadata string value "Bearer ${key}" contains illegal characters`)).not.toContain(
      'temporal-key',
    );
  });
});

it('refuses an environment in which no certificate would be checked', async () => {
  const unchecked = { ...ENVIRONMENT, NODE_TLS_REJECT_UNAUTHORIZED: '0' };
  await expect(async () => load(await example(), unchecked)).rejects.toThrow(
    /Expected certificates to be checked, got NODE_TLS_REJECT_UNAUTHORIZED=0: unset it/,
  );
  expect(await load(await example(), { ...unchecked, NODE_TLS_REJECT_UNAUTHORIZED: '1' })).toMatchObject({
    timeZone: 'Europe/Paris',
  });
});

it('lets a plain value come from the environment', async () => {
  const config = await load(
    (await example())
      .replace('# port: 21', 'port: ${FTP_PORT}')
      .replace('host: ftp.example.org', 'host: ${FTP_HOST}'),
    {
      ...ENVIRONMENT,
      FTP_PORT: '2121',
      FTP_HOST: 'localhost',
    },
  );
  expect([config.ftp.port, config.ftp.host]).toEqual([2121, 'localhost']);
});

describe('a name that becomes a path', () => {
  it.each([
    ['folder: /export ', 'folder: /export/../.. ', 'orders.folder'],
    ['folder: /export ', 'folder: "/export\\r\\nDELE x" ', 'orders.folder'],
    ['folder: /export ', 'folder: "/export\\\\..\\\\x" ', 'orders.folder'],
    ['name: commandes ', 'name: .. ', 'orders.name'],
    ['name: commandes ', 'name: a-*-*.csv ', 'orders.name'],
    ['name: commandes ', 'name: ../commandes ', 'orders.name'],
    ['# exportName: ExportCSV', 'exportName: ..', 'proshop.exportName'],
    ['# salesPrefix: ventes', 'salesPrefix: "a\\0"', 'proshop.salesPrefix'],
    ['# salesPrefix: ventes', 'salesPrefix: "a\\\\b"', 'proshop.salesPrefix'],
  ])('is refused when it leads elsewhere: %s becomes %s', async (from, to, setting) => {
    const faults = await faultsOf((text) => text.replace(from, () => to));
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(`${setting}: Expected a f`);
  });
});

it.each([
  [
    'a delimiter that is the quote',
    "delimiter: ';'",
    "delimiter: '\"'",
    'stock.file.quote: Expected another character than the delimiter, got nothing',
  ],
  [
    'a line break for a delimiter',
    "delimiter: ';'",
    'delimiter: "\\n"',
    'stock.file.delimiter: Expected one character, or tab',
  ],
  [
    'an unknown tag',
    'host: ftp.example.org',
    'host: !!js/function x',
    'Expected valid YAML, got: Unresolved tag',
  ],
  ['an alias that holds itself', 'host: ftp.example.org', 'host: &a [*a]', 'inside one another, got more'],
  [
    'text where a list must be',
    "payments: ['*bon cadeau*']",
    'payments: bon',
    'orders.voucher.payments: Expected a list, got `bon`',
  ],
])('does not take %s', async (_name, from, to, expected) => {
  // The first delimiter of the example is a comment.
  const faults = await faultsOf((text) =>
    text.replace(
      new RegExp(`^(  +)${from.replace(/[*[\]]/g, '\\$&')}`, 'm'),
      (_, blank: string) => blank + to,
    ),
  );
  expect(faults.join('\n')).toContain(expected);
});

it.each([
  [
    '# staging: /passerelle',
    'staging: /import/',
    'ftp.staging: Expected another folder than proshop.importFolder',
  ],
  ['# staging: /passerelle', 'staging: /export', 'ftp.staging: Expected another folder than orders.folder'],
  ['# updateName: ExportCSVmod', 'updateName: ExportCSV', 'stock.updateName: Expected another name than'],
])('does not take two settings for one place: %s becomes %s', async (from, to, expected) => {
  const faults = await faultsOf((text) => {
    expect(text).toContain(from);
    return text.replace(from, () => to);
  });
  expect(faults).toHaveLength(1);
  expect(faults[0]).toContain(expected);
});

describe('monitoring', () => {
  const monitored = async (settings: string, environment = {}) =>
    load(`${await example()}\nmonitoring: { ${settings} }\n`, { ...ENVIRONMENT, ...environment });

  it('is off until it has a port, then on loopback', async () => {
    expect((await monitored('')).monitoring).toEqual({ host: '127.0.0.1', health: null, metrics: null });
    const settings = 'host: "::1", health: "${HEALTH}", metrics: off';
    const config = await monitored(settings, { HEALTH: '9465' });
    expect(config.monitoring).toEqual({ host: '::1', health: 9465, metrics: null });
    expect((await monitored('metrics: "${METRICS}"', { METRICS: 'off' })).monitoring.metrics).toBeNull();
  });

  it.each([
    ['host: localhost', 'monitoring.host: Expected an IP address such as 127.0.0.1, got `localhost`'],
    ['health: on', 'monitoring.health: Expected a port from 1 to 65535, or off, got `on`'],
    ['metrics: 0', 'monitoring.metrics: Expected a port from 1 to 65535, or off, got `0`'],
    ['health: 80, metrics: 80', 'monitoring.health: Expected another port than monitoring.metrics, got `80`'],
  ])('is not { %s }', async (settings, expected) => {
    await expect(monitored(settings)).rejects.toThrow(expected);
  });
});

describe('shadow', () => {
  const shadowed = async (settings: string) => load(`${await example()}\nshadow: { ${settings} }\n`);

  it('takes any pace that sees a file of ten seconds, and sales after the orders or with them', async () => {
    const { shadow } = await shadowed('look: 4999ms, orders: 5m, sales: 5m');
    expect(shadow).toEqual({ look: 4_999, orders: 300_000, sales: 300_000 });
  });

  it.each([
    [
      'look: 5s',
      "shadow.look: Expected less than 5s, since some of the old gateway's files stand for ten seconds, got `5s`",
    ],
    [
      'orders: 4m, sales: 3m',
      'shadow.sales: Expected no less than shadow.orders: the sales file is made of the orders, got `3m`',
    ],
    // The default of the other.
    ['orders: 6m', 'shadow.sales: Expected no less than shadow.orders'],
  ])('is not { %s }', async (settings, expected) => {
    await expect(shadowed(settings)).rejects.toThrow(expected);
  });
});

it('does not take a file that is not UTF-8, nor a huge one', async () => {
  const path = join(folder, 'passerelle.yaml');
  await writeFile(path, Buffer.from('a: b\nc: é\n', 'latin1'));
  expect(() => loadConfig(path, ENVIRONMENT)).toThrow(
    'line 2: Expected utf-8 text, got bytes that are not UTF-8',
  );
  await writeFile(path, 'x'.repeat(100_001));
  expect(() => loadConfig(path, ENVIRONMENT)).toThrow('Expected a file of at most 100000 bytes, got 100001');
});
