import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readComposeFile } from '../support/cluster.ts';

const ROOT = join(import.meta.dirname, '..', '..');

describe('docker-compose.yml, as Compose reads it', () => {
  const { services, secrets, volumes } = readComposeFile();
  const all = Object.entries(services);

  it('has the parts of a gateway on a server of its own', () => {
    expect(Object.keys(services).sort()).toEqual([
      'postgresql',
      'temporal',
      'temporal-namespace',
      'temporal-schema',
      'temporal-ui',
      'worker',
    ]);
  });

  it('publishes every port on loopback alone, and the database’s not at all', () => {
    const ports = all.flatMap(([name, { ports = [] }]) => ports.map((port) => ({ name, ...port })));
    expect(ports.map(({ name, host_ip, published, target }) => [name, host_ip, published, target])).toEqual([
      ['temporal', '127.0.0.1', '7233', 7233],
      ['temporal-ui', '127.0.0.1', '8233', 8080],
    ]);
    for (const [, service] of all) {
      expect(service.network_mode).toBeUndefined();
      expect(service.privileged).not.toBe(true);
    }
  });

  it('keeps secrets in files: none in an environment, and each one that is named exists', () => {
    const secretly = all.flatMap(([, { environment = {} }]) =>
      Object.entries(environment).filter(([variable]) => /PASSWORD|PWD|SECRET|KEY|TOKEN/i.test(variable)),
    );
    expect(new Set(secretly)).toEqual(
      new Set([
        ['POSTGRES_PASSWORD_FILE', '/run/secrets/postgresql_password'],
        ['PASSWORD_FILE', '/run/secrets/postgresql_password'],
      ]),
    );
    const used = new Set(all.flatMap(([, service]) => (service.secrets ?? []).map(({ source }) => source)));
    expect([...used].sort()).toEqual(Object.keys(secrets).sort());
    for (const { file } of Object.values(secrets)) expect(file).toMatch(/\/secrets\/[a-z_]+$/);
  });

  it('has data in named volumes, and nothing else that a container would lose', () => {
    expect(Object.keys(volumes).sort()).toEqual(['archive', 'postgresql']);
    const held = all.flatMap(([name, { volumes = [] }]) =>
      volumes.filter(({ type }) => type === 'volume').map(({ source, target }) => [name, source, target]),
    );
    expect(held).toEqual([
      ['postgresql', 'postgresql', '/var/lib/postgresql/data'],
      ['worker', 'archive', '/srv/passerelle/data/archive'],
    ]);
  });

  it('starts its parts in the order in which they need each other, and gives them time to stop', () => {
    const order = (name: string) =>
      Object.fromEntries(
        Object.entries(services[name]?.depends_on ?? {}).map(([other, { condition }]) => [other, condition]),
      );
    expect(order('temporal-schema')).toEqual({ postgresql: 'service_healthy' });
    expect(order('temporal')).toEqual({ 'temporal-schema': 'service_completed_successfully' });
    expect(order('temporal-namespace')).toEqual({ temporal: 'service_healthy' });
    expect(order('worker')).toEqual({
      postgresql: 'service_healthy',
      'temporal-namespace': 'service_completed_successfully',
    });
    expect(services.worker?.stop_grace_period).toBe('40s');
    for (const name of ['postgresql', 'temporal']) expect(services[name]?.healthcheck).toBeDefined();
    expect(Object.fromEntries(all.map(([name, { restart }]) => [name, restart]))).toEqual({
      postgresql: 'unless-stopped',
      temporal: 'unless-stopped',
      'temporal-namespace': 'on-failure',
      'temporal-schema': 'on-failure',
      'temporal-ui': 'unless-stopped',
      worker: 'unless-stopped',
    });
  });

  it('pins every image to a version', () => {
    const unpinned = all.filter(
      ([, { image = '', build }]) => build === undefined && !/:\d+[.\d]*(-bookworm)?$/.test(image),
    );
    expect(unpinned).toEqual([]);
    expect(services['temporal-schema']?.image).toBe(
      services.temporal?.image?.replace('/server:', '/admin-tools:'),
    );
  });
});

describe('Dockerfile', () => {
  const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');

  it('is Debian slim, runs as a user without rights, and has a health check', () => {
    const stages = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image);
    expect(new Set(stages)).toEqual(new Set(['node:24-bookworm-slim']));
    expect(dockerfile.match(/^USER (.*)$/gm)).toEqual(['USER node']);
    expect(dockerfile).toMatch(/^HEALTHCHECK [^]*\/healthz/m);
  });

  it('keeps the one native library of the SDK that its platform needs', () => {
    const releases = readdirSync(join(ROOT, 'node_modules/@temporalio/core-bridge/releases'));
    // What `uname -m` gives on the platforms of the base image that the SDK has a library for.
    for (const machine of ['x86_64', 'aarch64']) expect(releases).toContain(`${machine}-unknown-linux-gnu`);
    expect(dockerfile).toContain('! -name "$(uname -m)-unknown-linux-gnu"');
  });

  it('copies nothing but what .dockerignore lets through', () => {
    const letThrough = readFileSync(join(ROOT, '.dockerignore'), 'utf8').match(/^!.*$/gm);
    expect(letThrough).toEqual(['!package.json', '!package-lock.json', '!src']);
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, files = '']) =>
      files.split(' '),
    );
    expect(new Set(copied)).toEqual(new Set(['package.json', 'package-lock.json', 'src']));
  });
});
