import type { Config } from './config.ts';

/** What crosses a network unencrypted, by setting; empty where everything is encrypted or stays on this machine. */
export function sentInClear({ shop, ftp }: Pick<Config, 'shop' | 'ftp'>): readonly string[] {
  const addresses = [
    ['shop.exportOrders', shop.exportOrders],
    ['shop.importProducts', shop.importProducts],
    ['shop.updateStock', shop.updateStock],
  ] as const;
  const clear = addresses.filter(([, secret]) => {
    const { protocol, hostname } = new URL(secret.reveal());
    return protocol === 'http:' && !isLoopback(hostname);
  });
  return [
    ...clear.map(([setting]) => `${setting}: the module's key (use an https address)`),
    ...(ftp.tls === 'none' && !isLoopback(ftp.host)
      ? ['ftp.tls: the FTP password and the customers in the orders files (use explicit)']
      : []),
  ];
}

/** True for an address of this machine, as it stands in an address or a setting. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || /^127\.\d+\.\d+\.\d+$/.test(host) || /^\[?::1\]?$/.test(host);
}
