import { readdir, stat } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, relative } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { writeConfiguration, type ConfigurationOptions } from '../../sandbox/configuration.ts';
import { freePort } from '../../sandbox/free-port.ts';
import { startFtpProxy, type FtpProxy } from '../../sandbox/ftp-proxy.ts';
import type { Sandbox, SandboxOptions } from '../../sandbox/sandbox.ts';
import { doctor, type DoctorOptions } from '../../src/doctor/doctor.ts';
import type { End, Finding } from '../../src/doctor/finding.ts';
import { doctorLine } from '../../src/workflows/labels.ts';
import { open, smallScenario, temporaryFolder } from '../sandbox/small-shop.ts';

/** A shop, a till and an FTP server at rest, and a configuration for them. */
export interface Patient {
  readonly sandbox: Sandbox;
  /** The way to the FTP server. */
  readonly proxy: FtpProxy;
  /** Holds passerelle.yaml, and would hold what passerelle keeps. */
  readonly folder: string;
  readonly path: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** Opens a patient that is gone when the test ends. */
export async function openPatient(
  change: {
    readonly overrides?: NonNullable<ConfigurationOptions['overrides']>;
    readonly environment?: Readonly<Record<string, string>>;
    readonly shop?: NonNullable<SandboxOptions['shop']>;
  } = {},
): Promise<Patient> {
  const folder = await temporaryFolder();
  const { shop, overrides = {} } = change;
  const sandbox = await open({ held: true, halfHour: 60_000, ...(shop === undefined ? {} : { shop }) });
  const proxy = await startFtpProxy(sandbox.ftp);
  onTestFinished(() => proxy.stop());
  const { path, environment } = await writeConfiguration(sandbox, {
    folder,
    scenario: smallScenario,
    overrides: {
      temporal: { port: await freePort(), uiPort: await freePort() },
      ...overrides,
      ftp: { port: proxy.port, ...(overrides.ftp as object | undefined) },
    },
  });
  return { sandbox, proxy, folder, path, environment: { ...environment, ...change.environment } };
}

/** Has the doctor see a patient; no line of it may be cut, without advice, or hold a secret. */
export async function examine(
  { path, environment }: Pick<Patient, 'path' | 'environment'>,
  more: Partial<DoctorOptions> = {},
): Promise<readonly Finding[]> {
  const lines: string[] = [];
  const findings = await doctor(path, {
    send: false,
    environment,
    tell: (finding) => lines.push(doctorLine(finding)),
    ...more,
  });
  expect(lines).toEqual(findings.map(doctorLine));
  for (const line of lines)
    expect(line).toMatch(/^bon {7}[^\n]*$|^(?:attention|erreur {3}) [^\n]* – À faire : ./);
  expectNoSecret(lines.join('\n') + JSON.stringify(findings), environment);
  return findings;
}

/** No output may hold a value of the environment, nor a part of an address that is a key. */
export function expectNoSecret(output: string, environment: Readonly<Record<string, string>>): void {
  const secrets = Object.entries(environment)
    .filter(([name]) => !name.startsWith('TEMPORAL_'))
    .flatMap(([, value]) => [value, ...(URL.canParse(value) ? partsOf(new URL(value)) : [])]);
  for (const secret of secrets) expect(output).not.toContain(secret);
}

function partsOf({ password, pathname, searchParams }: URL): readonly string[] {
  const keys = [...searchParams].filter(([name]) => name.includes('key')).map(([, key]) => key);
  return [password, pathname, ...keys].filter((part) => part.length > 4);
}

/** `ftp mlsd warning` */
export function brief({ end, what, verdict }: Finding): string {
  return `${end} ${what} ${verdict}`;
}

/** What was not ok, of one end or of all. */
export function ills(findings: readonly Finding[], of?: End): readonly string[] {
  return findings.filter(({ end, verdict }) => verdict !== 'ok' && (of ?? end) === end).map(brief);
}

/** What is never ok in the sandbox: its FTP server has no MLSD, and no gateway runs. */
export const USUAL = ['ftp mlsd warning', 'temporal server warning'] as const;

/** Every file and folder, with the time of its last change: a file that came and went changes its folder's. */
export async function standing(root: string): Promise<readonly string[]> {
  const entries = await readdir(root, { recursive: true });
  const shown = entries.sort().map(async (entry) => {
    const { ctimeMs } = await stat(join(root, entry));
    return `${entry} ${ctimeMs}`;
  });
  return Promise.all(shown);
}

/** Names of every file and folder. */
export async function names(root: string): Promise<readonly string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries.map((entry) => relative(root, join(entry.parentPath, entry.name))).sort();
}

/** A web server that notes who comes. */
export async function openWebServer(answer: RequestListener = (_request, response) => void response.end()) {
  const requests: string[] = [];
  let connections = 0;
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  server.on('connection', () => connections++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, requests, connections: () => connections };
}
