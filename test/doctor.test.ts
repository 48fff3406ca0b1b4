import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { doctor, exitCodeOf } from '../src/doctor/doctor.ts';
import { ENDS, type Finding } from '../src/doctor/finding.ts';
import {
  brief,
  examine,
  expectNoSecret,
  ills,
  names,
  openPatient,
  USUAL,
  type Patient,
} from './support/doctor.ts';

const ROOT = join(import.meta.dirname, '..');

it('tries each end in the same order each time, and changes nothing', async () => {
  const patient = await openPatient();
  const [onDisk, onFtp] = [await names(patient.folder), await names(patient.sandbox.ftp.root)];
  const findings = await examine(patient);
  expect(findings.map(brief)).toEqual([
    'configuration settings ok',
    'template template ok',
    'ftp login ok',
    'ftp folder ok',
    'ftp folder ok',
    'ftp folder ok',
    'ftp folder ok',
    'ftp mlsd warning',
    'ftp size ok',
    'ftp write ok',
    'ftp mdtm ok',
    'ftp clock ok',
    'ftp rename ok',
    'ftp remove ok',
    'shop address ok',
    'shop address ok',
    'shop address ok',
    'shop host ok',
    'temporal server warning',
    'ledger pglite ok',
    'ledger disk ok',
    'ledger space ok',
    'archive disk ok',
    'archive space ok',
  ]);
  expect(exitCodeOf(findings)).toBe(0);
  expect((await examine(patient)).map(brief)).toEqual(findings.map(brief));
  expect(await names(patient.folder)).toEqual(onDisk);
  expect(await names(patient.sandbox.ftp.root)).toEqual(onFtp);
  // Neither module has run.
  expect(patient.sandbox.truth()).toMatchObject({ orderExports: [], imports: [] });
});

it('ends when it is told to, and clears away what it was at', async () => {
  const patient = await openPatient();
  const onFtp = await names(patient.sandbox.ftp.root);
  const ended = new AbortController();
  const findings = await doctor(patient.path, {
    send: false,
    environment: patient.environment,
    tell: ({ what }) => what === 'write' && ended.abort(),
    signal: ended.signal,
  });
  expect(findings.map(brief).at(-1)).toBe('ftp write ok');
  await vi.waitFor(async () => expect(await names(patient.sandbox.ftp.root)).toEqual(onFtp), 5_000);
});

describe('the configuration', () => {
  it('that cannot be read is all that is told, fault by fault', async () => {
    const patient = await openPatient({ overrides: { gate: { rowsDown: 200, surprise: 1 } } });
    const findings = await examine({ ...patient, environment: {} });
    expect(findings.length).toBeGreaterThan(4);
    expect(new Set(findings.map(brief))).toEqual(new Set(['configuration settings fault']));
    const told = findings.map(({ seen }) => seen).join('\n');
    for (const fault of ['gate.rowsDown', 'gate.surprise', 'FTP_PASSWORD', 'SHOP_UPDATE_STOCK_URL'])
      expect(told).toContain(fault);
    expect(exitCodeOf(findings)).toBe(2);
  });

  it('that sends secrets in clear is told as a warning', async () => {
    const SHOP_UPDATE_STOCK_URL = 'http://0.0.0.0:9/cron-update?secure_key=k3y-k3y-k3y';
    const findings = await examine(await openPatient({ environment: { SHOP_UPDATE_STOCK_URL } }));
    expect(ills(findings, 'configuration')).toEqual(['configuration clear-text warning']);
  });

  it('with a template that names no field is told by its line', async () => {
    const patient = await openPatient();
    const path = join(patient.folder, 'ventes.xml');
    await writeFile(path, (await readFile(path, 'utf8')).replace('{{ line.ean }}', '{{ line.gencod }}'));
    const findings = await examine(patient);
    expect(ills(findings)).toEqual(['template template fault', ...USUAL]);
    expect(findings.find(({ end }) => end === 'template')?.seen).toMatch(/line\.gencod.*line \d+/);
  });

  it.each([
    ['live', 'ok', /^$/],
    ['shadow', 'fault', /order\.reference.*, got neither \(.*, line 5\)$/],
  ])(
    'with a template by which no order of a sales file is found, in mode %s: %s',
    async (mode, verdict, seen) => {
      const patient = await openPatient({ overrides: { mode } });
      const path = join(patient.folder, 'ventes.xml');
      const template = (await readFile(path, 'utf8')).replace(/\{\{ order\.(id|reference) \}\}/g, '');
      await writeFile(path, template);
      const findings = await examine(patient);
      expect(findings.filter(({ end }) => end === 'template')).toMatchObject([
        { verdict, seen: expect.stringMatching(seen) },
      ]);
    },
  );
});

describe('the command', () => {
  const typed = async ({ path, environment }: Patient, ...words: readonly string[]) => {
    const run = promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', join(ROOT, 'src', 'client.ts'), 'doctor', '--config', path, ...words],
      { cwd: ROOT, env: { PATH: process.env.PATH, ...environment } },
    );
    const { code, stdout, stderr } = await run.then(
      (output) => ({ code: 0, ...output }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    );
    expectNoSecret(stdout + stderr, environment);
    return { code, lines: stdout.trimEnd().split('\n'), stderr };
  };

  it('says a line each, and ends with 0 where there is no fault', async () => {
    const { code, lines, stderr } = await typed(await openPatient());
    expect([code, stderr]).toEqual([0, '']);
    expect(lines.at(0)).toMatch(/^bon {7}Réglages : .*passerelle\.yaml lu, sans faute$/);
    expect(lines.at(-1)).toBe(
      '0 erreur, 2 points d’attention. Le droit d’écrire n’est essayé que dans le dossier ftp.staging.',
    );
  });

  it('ends with 1 where there is a fault, and tells it to machines', async () => {
    const patient = await openPatient({ environment: { FTP_PASSWORD: 'not-the-one' } });
    const { code, lines } = await typed(patient, '--json');
    expect(code).toBe(1);
    const { findings } = JSON.parse(lines.join('\n')) as { findings: readonly Finding[] };
    expect(lines).toHaveLength(1);
    expect(ills(findings, 'ftp')).toEqual(['ftp login fault']);
    expect(findings.every(({ end }) => ENDS.includes(end))).toBe(true);
    expect(findings.find(({ what }) => what === 'login')).toMatchObject({
      toDo: expect.stringContaining('le mot de passe') as string,
    });
  });

  it('leaves nothing when nobody reads on, and does not say that all is well', async () => {
    const { path, environment, sandbox } = await openPatient();
    const onFtp = await names(sandbox.ftp.root);
    const words = ['--import', 'tsx', join(ROOT, 'src', 'client.ts'), 'doctor', '--config', path];
    const { stdout, stderr } = await promisify(execFile)(
      'bash',
      // Its eighth line comes before its file is there.
      ['--norc', '-c', '"$@" | head -n 8; echo "${PIPESTATUS[0]}"', 'bash', process.execPath, ...words],
      { cwd: ROOT, env: { PATH: process.env.PATH, ...environment } },
    );
    expect([stdout.trimEnd().split('\n').at(-1), stderr]).toEqual(['2', '']);
    expect(await names(sandbox.ftp.root)).toEqual(onFtp);
  });

  it('ends with 2 where the configuration cannot be read', async () => {
    const patient = await openPatient({ overrides: { gate: { rowsDown: 200 } } });
    const { code, lines } = await typed(patient);
    expect(code).toBe(2);
    expect(lines).toEqual([
      expect.stringMatching(/^erreur {4}Réglages : .* : line \d+: gate\.rowsDown: Expected a percentage/),
      '1 erreur, 0 point d’attention.',
    ]);
    expect((await typed({ ...patient, path: join(patient.folder, 'none.yaml') })).code).toBe(2);
  });
});
