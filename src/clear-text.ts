import type { Config } from './config.ts';

/** What crosses a network unencrypted, by setting; empty where everything is encrypted or stays on this machine. */
export function sentInClear({
  shop,
  ftp,
  shopFiles,
  alerts,
}: Pick<Config, 'shop' | 'ftp'> & Partial<Pick<Config, 'shopFiles' | 'alerts'>>): readonly string[] {
  const addresses =
    shop.kind === 'modules'
      ? ([
          ["shop.exportOrders: the module's key", shop.exportOrders.reveal()],
          ["shop.importProducts: the module's key", shop.importProducts.reveal()],
          ["shop.updateStock: the module's key", shop.updateStock.reveal()],
        ] as const)
      : ([["shop.url: the Webservice's key and the customers in the orders", shop.url]] as const);
  const called = (['webhook', 'heartbeat'] as const).flatMap((name) => {
    const address = alerts?.[name];
    return address === undefined
      ? []
      : [[`alerts.${name}: its address, which is a key`, address.reveal()] as const];
  });
  const clear = [...addresses, ...called].filter(([, address]) => {
    const { protocol, hostname } = new URL(address);
    return protocol === 'http:' && !isLoopback(hostname);
  });
  return [
    ...clear.map(([what]) => `${what} (use an https address)`),
    ...(ftp.tls === 'none' && !isLoopback(ftp.host)
      ? ['ftp.tls: the FTP password and the customers in the orders files (use explicit)']
      : []),
    ...(shopFiles?.tls === 'none' && !isLoopback(shopFiles.host)
      ? ["shopFiles.tls: the password of the shop's files (use explicit)"]
      : []),
    ...(alerts?.mail?.tls === 'none' && !isLoopback(alerts.mail.host)
      ? ['alerts.mail.tls: the warnings, and the password if there is one (use starttls or implicit)']
      : []),
  ];
}

/** True for an address of this machine, as it stands in an address or a setting. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || /^127\.\d+\.\d+\.\d+$/.test(host) || /^\[?::1\]?$/.test(host);
}
