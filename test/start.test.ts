import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { parse, stringify } from 'yaml';
import { freePort } from '../sandbox/free-port.ts';
import { NOBODY_THERE, startGatewayProcess } from './support/gateway-process.ts';
import { temporaryFolder } from './sandbox/small-shop.ts';

const ROOT = join(import.meta.dirname, '..');
const ENVIRONMENT = {
  ...NOBODY_THERE,
  // Whatever is not refused before goes no further than Temporal.
  TEMPORAL_CLI: join(ROOT, 'no', 'temporal'),
};

/** A gateway that cannot start, by its configuration with these changes. */
async function startWith(change: object, template: (source: string) => string) {
  const folder = await temporaryFolder();
  const example = parse(await readFile(join(ROOT, 'passerelle.example.yaml'), 'utf8')) as object;
  await writeFile(join(folder, 'passerelle.yaml'), stringify({ ...example, ...change }));
  const source = await readFile(join(ROOT, 'sandbox', 'sales-template.xml'), 'utf8');
  await writeFile(join(folder, 'sales-template.xml'), template(source));
  const gateway = startGatewayProcess(join(folder, 'passerelle.yaml'), ENVIRONMENT);
  onTestFinished(async () => void (await gateway.end('SIGKILL')));
  return gateway;
}

it('ends, in one sentence, where there is no such Temporal', async () => {
  const port = await freePort();
  const uiPort = await freePort();
  const gateway = await startWith({ temporal: { port, uiPort } }, (source) => source);
  expect(await gateway.ended).toBe(1);
  expect(gateway.output()).toMatch(/\nExpected to start .*\/no\/temporal, got: spawn .* ENOENT\n$/);
});

it('in mode shadow is refused, in one sentence, with a template by which no order of a sales file is found', async () => {
  const gateway = await startWith({ mode: 'shadow' }, (source) =>
    source.replace(/\{\{ order\.(id|reference) \}\}/g, ''),
  );
  expect(await gateway.ended).toBe(1);
  expect(gateway.output()).toMatch(
    /^Expected \{\{ order\.id \}\} or \{\{ order\.reference \}\} in <Vente>, by which mode: shadow finds an order in the old gateway's files, got neither \(.*sales-template\.xml, line 5\)\n$/,
  );
});
