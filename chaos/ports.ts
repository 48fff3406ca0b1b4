import { createServer } from 'node:net';

let next = 15_000 + (process.pid % 100) * 100;

/**
 * A port below the range from which the system takes those of outgoing connections: a server that was killed finds its
 * own free again.
 */
export async function fixedPort(): Promise<number> {
  for (;;) {
    const port = next++;
    const isFree = await new Promise<boolean>((resolve) => {
      const server = createServer();
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}
