import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { parse, stringify } from 'yaml';
import { startGatewayProcess } from './support/gateway-process.ts';
import { temporaryFolder } from './sandbox/small-shop.ts';

const ROOT = join(import.meta.dirname, '..');
const SHOP = 'http://127.0.0.1:9/?secure_key=k3y-k3y-k3y';
const ENVIRONMENT = {
  FTP_PASSWORD: 'sesame-sesame',
  SHOP_EXPORT_ORDERS_URL: SHOP,
  SHOP_IMPORT_PRODUCTS_URL: SHOP,
  SHOP_UPDATE_STOCK_URL: SHOP,
  // Whatever is not refused before goes no further than Temporal.
  TEMPORAL_CLI: join(ROOT, 'no', 'temporal'),
};

it('in mode shadow is refused, in one sentence, with a template by which no order of a sales file is found', async () => {
  const folder = await temporaryFolder();
  const example = parse(await readFile(join(ROOT, 'passerelle.example.yaml'), 'utf8')) as object;
  await writeFile(join(folder, 'passerelle.yaml'), stringify({ ...example, mode: 'shadow' }));
  const source = await readFile(join(ROOT, 'sandbox', 'sales-template.xml'), 'utf8');
  const template = source.replace(/\{\{ order\.(id|reference) \}\}/g, '');
  await writeFile(join(folder, 'sales-template.xml'), template);
  const gateway = startGatewayProcess(join(folder, 'passerelle.yaml'), ENVIRONMENT);
  onTestFinished(async () => void (await gateway.end('SIGKILL')));
  expect(await gateway.ended).toBe(1);
  expect(gateway.output()).toMatch(
    /^Expected \{\{ order\.id \}\} or \{\{ order\.reference \}\} in <Vente>, by which mode: shadow finds an order in the old gateway's files, got neither \(.*sales-template\.xml, line 5\)\n$/,
  );
});
