import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

// What Linux tells of the processes of this machine.

/** The processes that have `word` in their command line, and all that they started. */
export function processesWith(word: string): readonly number[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  const found = new Set(all.filter((pid) => pid !== process.pid && commandLine(pid).includes(word)));
  for (let before = -1; before < found.size;) {
    before = found.size;
    for (const pid of all) if (found.has(parentOf(pid))) found.add(pid);
  }
  return [...found];
}

/** Its arguments, joined by spaces. */
export function commandLine(pid: number): string {
  return told(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
}

/** The environment that it was started with: `NAME=value`. */
export function environmentOf(pid: number): readonly string[] {
  return told(`/proc/${pid}/environ`).split('\0').filter(Boolean);
}

export interface ListeningSocket {
  readonly pid: number;
  /** `127.0.0.1`, `::1`, or 32 hexadecimal digits for any other IPv6 address. */
  readonly address: string;
  readonly port: number;
}

/** The TCP sockets on which a process listens. */
export function listeningSockets(pid: number): readonly ListeningSocket[] {
  const own = socketsOf(pid);
  return ['tcp', 'tcp6'].flatMap((table) =>
    told(`/proc/${pid}/net/${table}`)
      .split('\n')
      .slice(1)
      .flatMap((line) => {
        const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
        if (state !== LISTENING || !own.has(inode)) return [];
        const [address = '', port = ''] = local.split(':');
        return [{ pid, address: addressOf(address), port: Number.parseInt(port, 16) }];
      }),
  );
}

const LISTENING = '0A';

function addressOf(hexadecimal: string): string {
  if (hexadecimal === '00000000000000000000000001000000') return '::1';
  if (hexadecimal.length !== 8) return hexadecimal;
  return [...Buffer.from(hexadecimal, 'hex')].toReversed().join('.');
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s*(\d+)$/m.exec(told(`/proc/${pid}/status`))?.[1] ?? -1);
}

function socketsOf(pid: number): ReadonlySet<string> {
  const links = listed(`/proc/${pid}/fd`).map((name) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${name}`);
    } catch {
      return '';
    }
  });
  return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
}

function listed(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** Empty when the process has ended meanwhile. */
function told(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
