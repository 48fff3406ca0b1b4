import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';

const ROOT = join(import.meta.dirname, '..', '..');

export interface GatewayProcess {
  /** Everything that it wrote. */
  output(): string;
  /** Resolves once it runs. @throws with its output when it ends before. */
  ready(): Promise<void>;
  /** Ends it by a signal; gives its exit code, null after SIGKILL. */
  end(signal: NodeJS.Signals): Promise<number | null>;
  readonly ended: Promise<number | null>;
}

const NOWHERE = 'http://127.0.0.1:9/?secure_key=k3y-k3y-k3y';
/** Secrets for `passerelle.example.yaml` where nothing answers. */
export const NOBODY_THERE = {
  FTP_PASSWORD: 'sesame-sesame',
  SHOP_EXPORT_ORDERS_URL: NOWHERE,
  SHOP_IMPORT_PRODUCTS_URL: NOWHERE,
  SHOP_UPDATE_STOCK_URL: NOWHERE,
};

/** `waits` for tests that restart the gateway: at the sandbox's pace, that alone could outlast what a step is given. */
export const UNHURRIED = {
  exportOrders: '60s',
  deliverOrders: '60s',
  ordersTaken: '60s',
  stockExport: '60s',
  newProducts: '60s',
  prepareStock: '60s',
  updateStock: '60s',
} as const;

/** Starts the gateway as `npm start` does, as a process of its own. */
export function startGatewayProcess(
  configPath: string,
  environment: Readonly<Record<string, string | undefined>>,
): GatewayProcess {
  const child: ChildProcess = spawn(
    process.execPath,
    ['--import', 'tsx', join(ROOT, 'src', 'worker.ts'), configPath],
    { env: { PATH: process.env.PATH, ...environment }, cwd: ROOT },
  );
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(child, 'exit').then(([code]: unknown[]) => code as number | null);
  return {
    output: () => output,
    async ready() {
      while (!output.includes('Passerelle is running')) {
        if (child.exitCode !== null || child.signalCode !== null)
          throw new Error(`The gateway ended: ${output}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async end(signal) {
      child.kill(signal);
      return ended;
    },
    ended,
  };
}

/** Connects to the Temporal that a gateway embeds. */
export async function connectTo(port: number): Promise<{ client: Client; close(): Promise<void> }> {
  const connection = await Connection.connect({ address: `127.0.0.1:${port}` });
  return { client: new Client({ connection }), close: () => connection.close() };
}
