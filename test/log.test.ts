import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import type { Config } from '../src/config.ts';
import { Secret } from '../src/secret.ts';
import { createLog } from '../src/worker.ts';

const PASSWORD = 'sésame "et" \\ encore';
const URL_WITH_KEY = 'https://shop.example.org/cron?secure_key=k3y-k3y-k3y';

it('takes secrets out of a line, of an error, of its causes and of what hangs on it', () => {
  let written = '';
  const out = new Writable({
    write(chunk: Buffer, _encoding, done) {
      written += chunk.toString();
      done();
    },
  });
  const config = {
    ftp: { password: new Secret(PASSWORD) },
    shop: { exportOrders: new Secret(URL_WITH_KEY) },
  };
  const log = createLog(config as unknown as Config, out);
  const cause = Object.assign(new Error(`no answer from ${URL_WITH_KEY}`), { input: URL_WITH_KEY });
  log.error({ error: new Error(`530 ${PASSWORD}`, { cause }), password: PASSWORD }, `login with ${PASSWORD}`);
  log.warn({ config }, 'k3y-k3y-k3y');
  expect(written.match(/\n/g)).toHaveLength(2);
  expect(written).toContain('no answer from (secret)');
  for (const secret of ['k3y-k3y-k3y', 'encore']) expect(written).not.toContain(secret);
  for (const line of written.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('level');
});
