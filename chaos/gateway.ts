import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { bundleWorkflowCode, WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { BUNDLE_FILE, DIRECTIVE_FILE } from './directive.ts';
import { suffer } from './suffer.ts';

// The gateway as `npm start` runs it, in a process that suffers. It is started hundreds of times with the same workflows:
// they are bundled once.
const bundler = createRequire(import.meta.url)('@temporalio/worker/lib/workflow/bundler') as {
  bundleWorkflowCode: typeof bundleWorkflowCode;
};
const bundle = bundler.bundleWorkflowCode;
const file = process.env[BUNDLE_FILE] ?? '';
bundler.bundleWorkflowCode = async (options) => {
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as WorkflowBundleWithSourceMap;
  const made = await bundle(options);
  writeFileSync(`${file}.${process.pid}`, JSON.stringify(made));
  renameSync(`${file}.${process.pid}`, file);
  return made;
};
suffer(process.env[DIRECTIVE_FILE] ?? '');
process.argv[1] = fileURLToPath(new URL('../src/worker.ts', import.meta.url));
await import('../src/worker.ts');
