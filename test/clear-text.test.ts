import { expect, it } from 'vitest';
import { sentInClear } from '../src/clear-text.ts';
import type { Config } from '../src/config.ts';
import { Secret } from '../src/secret.ts';

const settings = (address: string, host: string, tls: 'none' | 'explicit') => {
  const url = new Secret(`${address}/cron?secure_key=k3y-k3y-k3y`);
  return {
    shop: { kind: 'modules', exportOrders: url, importProducts: url, updateStock: url },
    ftp: { host, tls },
  } as Pick<Config, 'shop' | 'ftp'>;
};

it('tells each setting that sends a secret or customers unencrypted, and no secret', () => {
  const told = sentInClear(settings('http://shop.example.org', 'ftp.example.org', 'none'));
  expect(told.map((line) => line.split(':')[0])).toEqual([
    'shop.exportOrders',
    'shop.importProducts',
    'shop.updateStock',
    'ftp.tls',
  ]);
  expect(told.join()).not.toMatch(/k3y|example/);
});

it.each([
  ['encrypted', 'https://shop.example.org', 'ftp.example.org', 'explicit'],
  ['on this machine', 'http://127.0.0.1:8080', '127.0.0.1', 'none'],
  ['on this machine, by name', 'http://localhost', 'localhost', 'none'],
  ['on this machine, IPv6', 'http://[::1]:8080', '::1', 'none'],
] as const)('says nothing of what is %s', (_name, address, host, tls) => {
  expect(sentInClear(settings(address, host, tls))).toEqual([]);
});

it('does not take a name for this machine that only begins like it', () => {
  expect(sentInClear(settings('http://127.0.0.1.example.org', 'localhost.example.org', 'none'))).toHaveLength(
    4,
  );
});

it('tells it of the Webservice too', () => {
  const { ftp } = settings('', 'localhost', 'none');
  const shop = (url: string) =>
    ({ shop: { kind: 'webservice', url }, ftp }) as Parameters<typeof sentInClear>[0];
  expect(sentInClear(shop('http://shop.example.org/'))).toEqual([
    "shop.url: the Webservice's key and the customers in the orders (use an https address)",
  ]);
  expect(sentInClear(shop('https://shop.example.org/'))).toEqual([]);
});

it('tells it of the warnings, where they are configured', () => {
  const alerts = (scheme: string, host: string) =>
    ({
      ...settings('https://shop.example.org', 'localhost', 'none'),
      alerts: {
        mail: { host, tls: 'none' },
        webhook: new Secret(`${scheme}://chat.example.org/k3y`),
        heartbeat: new Secret(`${scheme}://monitor.example.org/k3y`),
      },
    }) as Parameters<typeof sentInClear>[0];
  expect(sentInClear(alerts('http', 'smtp.example.org')).map((line) => line.split(':')[0])).toEqual([
    'alerts.webhook',
    'alerts.heartbeat',
    'alerts.mail.tls',
  ]);
  expect(sentInClear(alerts('https', '127.0.0.1'))).toEqual([]);
});

it('tells it of the shop’s files, where they are configured', () => {
  const files = (host: string) =>
    ({
      ...settings('https://shop.example.org', 'localhost', 'none'),
      shopFiles: { host, tls: 'none' },
    }) as Parameters<typeof sentInClear>[0];
  expect(sentInClear(files('ftp.shop.example.org'))).toEqual([
    "shopFiles.tls: the password of the shop's files (use explicit)",
  ]);
  expect(sentInClear(files('127.0.0.1'))).toEqual([]);
});
