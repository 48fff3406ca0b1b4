import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate authority of its own and what it signed; every value is the path of a PEM file. */
export interface Authority {
  readonly ca: string;
  /** Signs a certificate for these names: `DNS:localhost`, `IP:127.0.0.1`. */
  sign(...names: readonly string[]): { readonly key: string; readonly certificate: string };
  remove(): Promise<void>;
}

export async function createAuthority(): Promise<Authority> {
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-authority-'));
  const file = (name: string) => join(folder, name);
  const make = (name: string, ...rest: readonly string[]) => {
    const request = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2';
    const files = ['-keyout', file(`${name}.key`), '-out', file(`${name}.pem`)];
    execFileSync('openssl', ['req', ...request.split(' '), '-subj', `/CN=${name}`, ...files, ...rest], {
      stdio: 'pipe',
    });
  };
  make('authority');
  let signed = 0;
  return {
    ca: file('authority.pem'),
    sign(...names) {
      const name = `server-${++signed}`;
      const signer = ['-CA', file('authority.pem'), '-CAkey', file('authority.key')];
      make(name, ...signer, '-addext', `subjectAltName=${names.join(',')}`);
      return { key: file(`${name}.key`), certificate: file(`${name}.pem`) };
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
