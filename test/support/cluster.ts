import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { fixedPort } from '../../chaos/ports.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** Made by scripts/cluster-programs.sh. */
const PROGRAMS = join(ROOT, '.tools', 'cluster');

/** A service of docker-compose.yml as Compose reads it: defaults filled in, merges done, durations and ports spelt out. */
export interface ComposeService {
  readonly image?: string;
  readonly build?: { readonly context: string };
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly {
    readonly host_ip?: string;
    readonly published: string;
    readonly target: number;
  }[];
  readonly secrets?: readonly { readonly source: string }[];
  readonly volumes?: readonly { readonly type: string; readonly source: string; readonly target: string }[];
  readonly restart?: string;
  readonly stop_grace_period?: string;
  readonly healthcheck?: object;
  readonly privileged?: boolean;
  readonly network_mode?: string;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly secrets: Readonly<Record<string, { readonly file?: string }>>;
  readonly volumes: Readonly<Record<string, object | null>>;
}

/** What `docker compose config` makes of docker-compose.yml, by the library that it is made with. @throws what is wrong in it. */
export function readComposeFile(): ComposeFile {
  const text = execFileSync(join(PROGRAMS, 'compose-config'), ['--format', 'json', 'docker-compose.yml'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return JSON.parse(text) as ComposeFile;
}

/** A Temporal server on a PostgreSQL of this machine, made and started as docker-compose.yml does it. */
export interface TemporalCluster {
  readonly address: string;
  readonly namespace: string;
  readonly client: Client;
  /** Runs the jobs of docker-compose.yml again, as each `docker compose up` does. */
  setUpAgain(): Promise<void>;
  stop(): Promise<void>;
}

/** `folder` takes what the containers have under /run/secrets. */
export async function startTemporalCluster(folder: string, database: URL): Promise<TemporalCluster> {
  const { services } = readComposeFile();
  const environmentOf = (name: string) => {
    const environment = services[name]?.environment;
    if (environment === undefined)
      throw new Error(`Expected a service ${name} with an environment, got none`);
    return environment;
  };
  const passwordFile = join(folder, 'postgresql_password');
  await writeFile(passwordFile, 'un-mot-de-passe');
  const place = { PATH: `${PROGRAMS}:${join(ROOT, '.tools')}:${process.env.PATH}`, HOME: folder };
  const postgres = { DB_PORT: database.port, POSTGRES_SEEDS: database.hostname };
  const port = await fixedPort();
  const address = `127.0.0.1:${port}`;
  const { NAMESPACE: namespace = '' } = environmentOf('temporal-namespace');

  const run = promisify(execFile);
  const makeSchema = () =>
    run('sh', ['deploy/temporal-schema.sh'], {
      cwd: ROOT,
      env: {
        ...environmentOf('temporal-schema'),
        ...place,
        ...postgres,
        PASSWORD_FILE: passwordFile,
        SCHEMA: join(PROGRAMS, 'schema'),
      },
    });
  const makeNamespace = () =>
    run('sh', ['deploy/temporal-namespace.sh'], {
      cwd: ROOT,
      env: { ...environmentOf('temporal-namespace'), ...place, TEMPORAL_ADDRESS: address },
    });

  await makeSchema();
  const server = spawn(join(PROGRAMS, 'temporal-server'), ['--allow-no-auth', 'start'], {
    cwd: folder,
    env: {
      ...environmentOf('temporal'),
      ...place,
      ...postgres,
      ...(await portsOfItsOwn()),
      FRONTEND_GRPC_PORT: String(port),
      BIND_ON_IP: '127.0.0.1',
      POSTGRES_PWD: 'un-mot-de-passe',
      DYNAMIC_CONFIG_FILE_PATH: join(ROOT, 'deploy', 'temporal-dynamic-config.yaml'),
    },
  });
  let said = '';
  for (const stream of [server.stdout, server.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  }
  const ended = once(server, 'exit');
  const stopServer = async () => {
    server.kill('SIGTERM');
    const patience = setTimeout(() => server.kill('SIGKILL'), 20_000);
    await ended;
    clearTimeout(patience);
  };
  try {
    await makeNamespace();
    const connection = await Connection.connect({ address });
    const client = new Client({ connection, namespace });
    // A new namespace is known to every part of the server a few seconds later.
    for (const end = Date.now() + 30_000; ; await sleep(250)) {
      try {
        await client.workflow.count();
        break;
      } catch (error) {
        if (Date.now() > end) throw error;
      }
    }
    return {
      address,
      namespace,
      client,
      async setUpAgain() {
        await makeSchema();
        await makeNamespace();
      },
      async stop() {
        await connection.close();
        await stopServer();
      },
    };
  } catch (error) {
    await stopServer();
    throw new Error(`Expected a Temporal cluster, got: ${said.slice(-2_000)}`, { cause: error });
  }
}

/** Each part of the server listens twice: for the others, and to find them. */
async function portsOfItsOwn(): Promise<Record<string, string>> {
  const names = ['FRONTEND', 'HISTORY', 'MATCHING', 'WORKER'].flatMap((part) => [
    ...(part === 'FRONTEND' ? ['FRONTEND_HTTP_PORT'] : [`${part}_GRPC_PORT`]),
    `${part}_MEMBERSHIP_PORT`,
  ]);
  const ports: Record<string, string> = {};
  for (const name of names) ports[name] = String(await fixedPort());
  return ports;
}
