import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { freePort } from '../sandbox/free-port.ts';

const ROOT = join(import.meta.dirname, '..');
const client = async (parameters: readonly string[], environment: Record<string, string> = {}) => {
  const run = promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', join(ROOT, 'src/client.ts'), ...parameters],
    {
      cwd: ROOT,
      env: { PATH: process.env.PATH, ...environment },
    },
  );
  return run.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
};

it('says in one sentence that Temporal does not answer', async () => {
  const address = `127.0.0.1:${await freePort()}`;
  const { code, stdout, stderr } = await client(['run'], { TEMPORAL_ADDRESS: address });
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toBe(
    `Temporal ne répond pas à ${address} : la passerelle est-elle lancée (npm start) ? Sinon, réglez TEMPORAL_ADDRESS.\n`,
  );
});

it('explains itself', async () => {
  const { code, stdout } = await client(['--help']);
  expect(code).toBe(0);
  expect(stdout).toContain('lance un cycle maintenant et le montre');
});

it('explains each command in French, with an example', async () => {
  for (const words of [
    ['run'],
    ['status'],
    ['pause'],
    ['resume'],
    ['decide'],
    ['orders'],
    ['orders', 'settle'],
    ['orders', 'sent'],
    ['reset-shop-cache'],
    ['doctor'],
    ['format', 'orders'],
    ['format', 'draft'],
  ]) {
    const { code, stdout } = await client([...words, '--help']);
    expect([words, code]).toEqual([words, 0]);
    expect(stdout).toContain(`Emploi : passerelle ${words.join(' ')}`);
    expect(stdout).toContain('Exemple :\n  npm run client -- ');
    expect(stdout).not.toMatch(/Usage:|Options:|display help/);
  }
});

it.each([
  [['decide', 'apply'], 'il manque une option'],
  [['decide', 'peut-être', '--who', 'Anne', '--why', 'essai'], 'valeur impossible : peut-être'],
  [['pause'], 'il manque un mot : why'],
  [['orders', 'settle', '12', 'douze', '--why', 'essai'], 'valeur impossible : douze'],
  [['orders', 'sent'], 'il manque une option'],
  [['orders', 'sent', '--since', '24/11/2026'], 'valeur impossible : 24/11/2026'],
  [['orders', 'sent', '--since', '2026-02-29'], 'valeur impossible : 2026-02-29'],
  [['orders', '-5'], 'option inconnue : -5'],
  [['danse'], 'commande inconnue : danse'],
  [['resume', 'vite'], 'il y a un mot de trop'],
])('says what is wrong with %j, and does nothing', async (words, said) => {
  const { code, stdout, stderr } = await client(words);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr.trim().split('\n')).toEqual([expect.stringContaining(said)]);
});
