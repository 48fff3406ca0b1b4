import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Worker } from '@temporalio/worker';
import { Client } from 'pg';
import { SMTPServer } from 'smtp-server';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { freePort } from '../sandbox/free-port.ts';
import { startWebservice, type WebserviceOptions } from '../sandbox/webservice/server.ts';
import { exitCodeOf } from '../src/doctor/doctor.ts';
import { lockFolder } from '../src/ledger/folder-lock.ts';
import { openLedger } from '../src/ledger/open.ts';
import { WANTED_RIGHTS } from '../src/prestashop/webservice/rights.ts';
import { TASK_QUEUE } from '../src/schedule.ts';
import { Secret } from '../src/secret.ts';
import { doctorLine } from '../src/workflows/labels.ts';
import { brief, examine, ills, names, openPatient, openWebServer, USUAL } from './support/doctor.ts';
import { createTestDatabase } from './support/ledgers.ts';
import { bodyOf, openMailbox } from './support/mail.ts';
import { smallShop } from './support/read-orders.ts';
import { startDevServer, workflowBundle } from './support/temporal.ts';

const WEBSERVICE = { kind: 'webservice', version: '8.2', slowness: 0 } as const;
const KEY = 'K'.repeat(32);

describe('the shop by its modules', () => {
  it('is connected to, and never asked anything', async () => {
    const web = await openWebServer();
    const address = (job: string) => `${web.url}/cron-${job}?secure_key=k3y-k3y-k3y`;
    const patient = await openPatient({
      environment: {
        SHOP_EXPORT_ORDERS_URL: address('export'),
        SHOP_IMPORT_PRODUCTS_URL: address('import'),
        SHOP_UPDATE_STOCK_URL: address('update'),
      },
    });
    expect(ills(await examine(patient, { send: true }))).toEqual(USUAL);
    expect(web.connections()).toBe(1);
    expect(web.requests).toEqual([]);
  });

  it('at addresses that cannot be right, and a host that is down, is told', async () => {
    const origin = `127.0.0.1:${await freePort()}`;
    const same = `http://${origin}/cron-import?secure_key=k3y-k3y-k3y`;
    const patient = await openPatient({
      environment: {
        SHOP_EXPORT_ORDERS_URL: `http://boutique:pa55w0rd@${origin}/cron-export?secure_key=k3y-k3y-k3y`,
        SHOP_IMPORT_PRODUCTS_URL: same,
        SHOP_UPDATE_STOCK_URL: same,
      },
    });
    const findings = await examine(patient);
    const address = 'shop address fault';
    expect(ills(findings, 'shop')).toEqual([address, address, address, 'shop host fault']);
    expect(findings.find(({ what }) => what === 'host')).toMatchObject({
      subject: origin,
      seen: expect.stringContaining('ECONNREFUSED') as string,
    });
  });
});

describe('the shop by its Webservice', () => {
  const open = async (rights: WebserviceOptions['rights'] = 'all', key = KEY) => {
    const server = await startWebservice(smallShop(), { version: '8.2', key: KEY, rights });
    onTestFinished(() => server.stop());
    const patient = await openPatient({
      shop: WEBSERVICE,
      overrides: { shop: { url: server.url } },
      environment: { SHOP_KEY: key },
    });
    return { server, patient };
  };
  const wanted = Object.fromEntries(
    Object.entries(WANTED_RIGHTS).map(([name, verbs]) => [
      name,
      verbs.map((verb) => verb.toUpperCase() as 'GET' | 'POST' | 'PUT'),
    ]),
  );

  it('tells its version and its rights, by one look at its index', async () => {
    const { server, patient } = await open(wanted);
    const findings = await examine(patient);
    expect(ills(findings)).toEqual(USUAL);
    expect(findings.filter(({ end }) => end === 'shop').map(doctorLine)).toEqual([
      expect.stringMatching(/^bon {7}Boutique : 127\.0\.0\.1:\d+ répond$/),
      expect.stringMatching(/^bon {7}Boutique : Webservice de 127\.0\.0\.1:\d+ : PrestaShop 8\.2/),
      expect.stringMatching(/^bon {7}Boutique : la clé a les \d+ droits voulus$/),
    ]);
    expect(server.requests.map(({ method, resource }) => `${method} ${resource}`)).toEqual(['GET ']);
  });

  it('tells each right that the key lacks', async () => {
    const { orders: _orders, ...others } = wanted;
    const { patient } = await open({ ...others, stock_availables: ['GET'] });
    const findings = await examine(patient);
    expect(ills(findings, 'shop')).toEqual(['shop right fault', 'shop right fault']);
    expect(findings.filter(({ what }) => what === 'right').map(({ subject }) => subject)).toEqual([
      'GET orders',
      'PUT stock_availables',
    ]);
    expect(exitCodeOf(findings)).toBe(1);
  });

  it('that does not know the key, or is switched off, is told', async () => {
    const stranger = await open(wanted, 'X'.repeat(32));
    expect(ills(await examine(stranger.patient), 'shop')).toEqual(['shop webservice fault']);
    const off = await open(wanted);
    off.server.enable(false);
    expect(ills(await examine(off.patient), 'shop')).toEqual(['shop webservice fault']);
  });
});

describe('what reaches people', () => {
  const mailTo = (port: number, more: Readonly<Record<string, unknown>> = {}) => ({
    host: '127.0.0.1',
    port,
    tls: 'none',
    from: 'passerelle@example.org',
    to: ['boutique@example.org', 'magasin@example.org'],
    ...more,
  });

  it('is greeted, and gets exactly one of each only when it is asked for', async () => {
    const mailbox = await openMailbox();
    onTestFinished(() => mailbox.close());
    const web = await openWebServer();
    const patient = await openPatient({
      overrides: {
        alerts: { mail: mailTo(mailbox.port), webhook: '${WEBHOOK_URL}', heartbeat: '${HEARTBEAT_URL}' },
      },
      environment: { WEBHOOK_URL: `${web.url}/hook-k3yk3y`, HEARTBEAT_URL: `${web.url}/beat-k3yk3y` },
    });
    const findings = await examine(patient);
    expect(ills(findings)).toEqual(USUAL);
    const people = findings.filter(({ end }) => ['mail', 'webhook', 'heartbeat'].includes(end));
    expect(people.map(brief)).toEqual(['mail mail ok', 'webhook host ok', 'heartbeat host ok']);
    expect([...mailbox.sources, ...web.requests]).toEqual([]);

    const sent = await examine(patient, { send: true });
    expect(ills(sent)).toEqual(USUAL);
    expect(sent.filter(({ what }) => what === 'sending')).toHaveLength(3);
    expect(mailbox.sources.map(bodyOf)).toEqual([expect.stringContaining('Un essai de la passerelle')]);
    expect(web.requests).toEqual(['POST /hook-k3yk3y', 'GET /beat-k3yk3y']);
  });

  it('and refuses the password, or is down, is told; nothing is sent then', async () => {
    const server = new SMTPServer({
      disabledCommands: ['STARTTLS'],
      allowInsecureAuth: true,
      onAuth: (_auth, _session, callback) => callback(new Error('no')),
    });
    server.on('error', () => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
    const { port } = server.server.address() as AddressInfo;
    const closed = `http://127.0.0.1:${await freePort()}/k3y-k3y-k3y`;
    const patient = await openPatient({
      overrides: {
        alerts: {
          mail: mailTo(port, { user: 'passerelle', password: '${SMTP_PASSWORD}' }),
          webhook: '${WEBHOOK_URL}',
          heartbeat: '${HEARTBEAT_URL}',
        },
      },
      environment: { SMTP_PASSWORD: 'sesame-sesame', WEBHOOK_URL: closed, HEARTBEAT_URL: closed },
    });
    const findings = await examine(patient, { send: true });
    const [mlsd, ...temporal] = USUAL;
    const expected = ['mail mail fault', 'webhook host fault', 'heartbeat host fault'];
    expect(ills(findings)).toEqual([mlsd, ...expected, ...temporal]);
    expect(findings.find(({ end }) => end === 'mail')?.seen).toMatch(/got EAUTH 535/);
  });

  it('and answers with an error is told', async () => {
    const web = await openWebServer((_request, response) => void response.writeHead(500).end());
    const patient = await openPatient({
      overrides: { alerts: { webhook: '${WEBHOOK_URL}' } },
      environment: { WEBHOOK_URL: `${web.url}/hook-k3yk3y` },
    });
    expect(ills(await examine(patient, { send: true }), 'webhook')).toEqual(['webhook sending fault']);
  });
});

describe('Temporal', () => {
  const on = (port: number, uiPort: number) => ({ overrides: { temporal: { port, uiPort } } });

  it('is seen as it runs: how long it keeps histories, and whether a worker asks for work', async () => {
    const server = await startDevServer();
    onTestFinished(() => server.teardown());
    const port = Number(server.address.split(':').at(-1));
    const patient = await openPatient(on(port, await freePort()));
    // The server's own: a day, as it is until a gateway has told it.
    const alone = await examine(patient);
    expect(ills(alone, 'temporal')).toEqual(['temporal retention warning', 'temporal worker warning']);
    expect(alone.find(({ what }) => what === 'retention')).toMatchObject({ subject: '90', seen: 1 });

    const worker = await Worker.create({
      connection: server.nativeConnection,
      taskQueue: TASK_QUEUE,
      workflowBundle: await workflowBundle(),
      activities: { work: async () => undefined },
    });
    await worker.runUntil(() =>
      vi.waitFor(
        async () => expect(ills(await examine(patient), 'temporal')).toEqual(['temporal retention warning']),
        { timeout: 20_000 },
      ),
    );
  });

  it('whose port another program has is told as a fault', async () => {
    const other = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    const findings = await examine(await openPatient(on(port, await freePort())));
    expect(ills(findings, 'temporal')).toEqual(['temporal server fault']);
  });

  it('of a cluster that does not answer is told as a fault', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    vi.stubEnv('TEMPORAL_ADDRESS', address);
    onTestFinished(() => void vi.unstubAllEnvs());
    const findings = await examine(await openPatient({ environment: { TEMPORAL_ADDRESS: address } }));
    expect(ills(findings, 'temporal')).toEqual(['temporal server fault']);
    expect(findings.find(({ end }) => end === 'temporal')?.subject).toBe(address);
  });

  it.each([
    ['TEMPORAL_ADDRESS', 'http://127.0.0.1:7233'],
    ['TEMPORAL_CONFIG_FILE', '/none.toml'],
  ])('whose %s is wrong is told as a fault', async (name, value) => {
    const environment = { TEMPORAL_ADDRESS: '127.0.0.1:9', [name]: value };
    for (const [key, set] of Object.entries(environment)) vi.stubEnv(key, set);
    onTestFinished(() => void vi.unstubAllEnvs());
    const findings = await examine(await openPatient({ environment }));
    expect(ills(findings, 'temporal')).toEqual(['temporal server fault']);
  });
});

describe('the ledger', () => {
  it('that the running gateway holds is good', async () => {
    const patient = await openPatient();
    await mkdir(join(patient.folder, 'data'));
    const held = await lockFolder(join(patient.folder, 'data', 'ledger'));
    onTestFinished(() => held.release());
    const findings = await examine(patient);
    expect(ills(findings)).toEqual(USUAL);
    expect(findings.filter(({ end }) => end === 'ledger')).toMatchObject([{ what: 'pglite', seen: 'held' }]);
  });

  it('whose place a file has is told', async () => {
    const patient = await openPatient();
    await mkdir(join(patient.folder, 'data'), { mode: 0o700 });
    await writeFile(join(patient.folder, 'data', 'ledger'), '');
    const findings = await examine(patient);
    expect(ills(findings)).toEqual([...USUAL, 'ledger disk fault']);
    expect(findings.find(({ end }) => end === 'ledger')?.seen).toContain('ENOTDIR');
  });

  it('whose address names a certificate that is not there is told', async () => {
    const DATABASE_URL = 'postgres://127.0.0.1/ledger-db?sslmode=verify-full&sslrootcert=/none.pem';
    const findings = await examine(await openPatient({ environment: { DATABASE_URL } }));
    expect(ills(findings)).toEqual([...USUAL, 'ledger database fault']);
  });

  it('whose PostgreSQL is down is told', async () => {
    const DATABASE_URL = `postgres://passerelle:pa55w0rd@127.0.0.1:${await freePort()}/ledger-db`;
    const findings = await examine(await openPatient({ environment: { DATABASE_URL } }));
    expect(ills(findings)).toEqual([...USUAL, 'ledger database fault']);
  });

  it.skipIf(process.env.DATABASE_URL === undefined)(
    'on PostgreSQL is seen with or without its tables, and gets none',
    async () => {
      const database = await createTestDatabase();
      if (database === null) throw new Error('Expected a database, got none');
      onTestFinished(() => database.drop());
      const patient = await openPatient({ environment: { DATABASE_URL: database.url } });
      expect(ills(await examine(patient), 'ledger')).toEqual(['ledger migrations warning']);
      const client = new Client({ connectionString: database.url });
      await client.connect();
      const { rows } = await client.query("select 1 from pg_namespace where nspname = 'drizzle'");
      await client.end();
      expect(rows).toEqual([]);
      const open = await openLedger({ databaseUrl: new Secret(database.url), folder: '' });
      await open.close();
      expect(ills(await examine(patient), 'ledger')).toEqual([]);
    },
  );
});

describe('a folder of this machine', () => {
  it('in the place of which there is a file is told', async () => {
    const patient = await openPatient({ overrides: { archive: { folder: './occupied/archive' } } });
    await writeFile(join(patient.folder, 'occupied'), 'a file');
    const findings = await examine(patient);
    expect(ills(findings)).toEqual([...USUAL, 'archive disk fault']);
    expect(findings.at(-1)?.seen).toContain('ENOTDIR');
    expect(await readFile(join(patient.folder, 'occupied'), 'utf8')).toBe('a file');
  });

  it.skipIf(process.platform === 'win32')('that others can enter is told, and left as it is', async () => {
    const patient = await openPatient({ overrides: { archive: { folder: './open' } } });
    await mkdir(join(patient.folder, 'open'));
    await chmod(join(patient.folder, 'open'), 0o755);
    expect(ills(await examine(patient))).toEqual([...USUAL, 'archive privacy warning']);
    await writeFile(join(patient.folder, 'open', 'foreign'), '');
    expect(ills(await examine(patient))).toEqual([...USUAL, 'archive disk fault']);
    expect(await names(join(patient.folder, 'open'))).toEqual(['foreign']);
  });
});
