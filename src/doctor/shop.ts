import type { Config, ModulesConfig, WebserviceConfig } from '../config.ts';
import { openWebservice } from '../prestashop/webservice/api.ts';
import { missingRights, WANTED_RIGHTS } from '../prestashop/webservice/rights.ts';
import { said, type Tell } from './finding.ts';
import { examineHost } from './host.ts';

/** Examines the shop, whichever way it is reached. */
export function examineShop({ shop }: Config, tell: Tell, signal: AbortSignal): Promise<void> {
  switch (shop.kind) {
    case 'modules':
      return examineModules(shop, tell, signal);
    case 'webservice':
      return examineWebservice(shop, tell, signal);
  }
}

/** The cron addresses do what they are for when they are called: they are looked at, and only their hosts are connected to. */
async function examineModules(shop: ModulesConfig, tell: Tell, signal: AbortSignal): Promise<void> {
  const addresses = (['exportOrders', 'importProducts', 'updateStock'] as const).map((job) => ({
    setting: `shop.${job}`,
    url: new URL(shop[job].reveal()),
  }));
  for (const { setting, url } of addresses) {
    const same = addresses.find((other) => other.setting !== setting && other.url.href === url.href);
    // No fetch takes such an address.
    if (url.username !== '' || url.password !== '')
      tell('fault', 'address', setting, 'Expected an address without user and password, got one with them');
    else if (same !== undefined)
      tell('fault', 'address', setting, `Expected an address of its own, got the one of ${same.setting}`);
    else tell('ok', 'address', setting, url.host);
  }
  for (const origin of new Set(addresses.map(({ url }) => url.origin)))
    await examineHost(origin, tell, signal);
}

async function examineWebservice(
  { url, key, timeout, concurrency }: WebserviceConfig,
  tell: Tell,
  signal: AbortSignal,
): Promise<void> {
  if (!(await examineHost(url, tell, signal))) return;
  const { host } = new URL(url);
  try {
    const api = openWebservice({ url, key, timeout, concurrency });
    const { version, rights } = await api.capabilities(signal);
    tell('ok', 'webservice', host, version);
    const missing = missingRights(rights);
    for (const right of missing) tell('fault', 'right', right);
    if (missing.length === 0) tell('ok', 'right', '', Object.values(WANTED_RIGHTS).flat().length);
  } catch (error) {
    tell('fault', 'webservice', host, said(error));
  }
}
