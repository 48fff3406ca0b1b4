import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

export type FtpFault =
  /** The command never reaches the server; the connection is closed. */
  | { readonly kind: 'cut before' }
  /**
   * The server carries the command out, a transfer to its very end; its final reply never reaches the client: the
   * connection is closed instead.
   */
  | { readonly kind: 'reply lost' }
  /** The proxy answers itself; the command never reaches the server. 421 closes the connection, as servers do. */
  | { readonly kind: 'reply'; readonly code: number; readonly text: string }
  /**
   * The data connection of this transfer breaks once so many bytes have passed, in either direction; a shorter transfer
   * passes whole. Whoever receives sees the end of the data (`fin`, what a killed client looks like to the server) or a
   * reset (`rst`, a broken network). A client that sends sees a reset; a server that sends sees one too, or
   * nothing when it has sent everything. `swallowed`: the rest is thrown away, and both sides believe that all went well.
   * The control connection lives on.
   */
  | { readonly kind: 'data cut'; readonly after: number; readonly how: DataCut }
  /** From this command on, itself included, nothing of this connection and its data passes until the client gives up. */
  | { readonly kind: 'stall' }
  /**
   * The server carries the command out, a transfer to its very end; its final reply and all that follows never come,
   * and the connection stays open until the client gives up.
   */
  | { readonly kind: 'stall after' };

export type DataCut = 'fin' | 'rst' | 'swallowed';

export interface FtpRule {
  /** The verb, `STOR`; `*` for any. */
  readonly command: string;
  /** 1 = the next such command from now on, over all connections. */
  readonly occurrence: number;
  readonly fault: FtpFault;
}

/** A proxy that stands between FTP clients and one plain FTP server on this machine, and does harm on purpose. */
export interface FtpProxy {
  readonly host: '127.0.0.1';
  readonly port: number;
  /**
   * Verbs of the commands that clients have sent so far, in order, over all connections. USER, PASS and the QUIT of a
   * closing client are among them; what is sent into a stall or a closed connection is not.
   */
  readonly commands: readonly string[];
  /** Rules that have struck, in order. */
  readonly struck: readonly FtpRule[];
  /** Adds a rule. It strikes once. Of two that are due at one command the older strikes, the other at the next such command. */
  arm(rule: FtpRule): void;
  /** Forgets rules that have not struck yet, and lets connections in again. Stalled connections stay stalled. */
  disarm(): void;
  /** Refuses new connections for so many milliseconds: ECONNREFUSED. Those that stand live on. */
  refuse(milliseconds: number): void;
  /**
   * Calls `listener` with the number of commands so far, this one included, and the verb, and lets the command go on when
   * that is over: a rule that it arms can strike this very command. Returns what ends it.
   */
  onCommand(listener: CommandListener): () => void;
  /** From now on MDTM answers what `shift` makes of the server's time, as a server that shows local time does. */
  showTimes(shift: (time: Date) => Date): void;
  /** Closes every connection and the port. */
  stop(): Promise<void>;
}

type CommandListener = (count: number, verb: string) => void | Promise<void>;

/** What one connection needs of its proxy. */
interface Proxy {
  readonly server: { readonly host: string; readonly port: number };
  readonly wires: Wires;
  /** Counts a command, and finds the fault that strikes it. */
  take(verb: string): Promise<FtpFault | undefined>;
  shownTime(time: Date): Date;
}

const HOST = '127.0.0.1';
/** Milliseconds. A reset throws away what the other side has not read yet, so it is given time to read. */
const READING_TIME = 30;
/** Milliseconds until a port that another process holds is tried again. */
const RETRY = 20;
const UPLOADS: readonly string[] = ['STOR', 'STOU', 'APPE'];

/**
 * Starts a proxy on 127.0.0.1 in front of an FTP server. Passive mode only, without TLS: active data connections pass it
 * by. A client that connects while the server is down is let in and closed.
 */
export async function startFtpProxy(server: {
  readonly host: string;
  readonly port: number;
}): Promise<FtpProxy> {
  const commands: string[] = [];
  const struck: FtpRule[] = [];
  const listeners = new Set<CommandListener>();
  const wires = createWires();
  let armed: { readonly rule: FtpRule; left: number }[] = [];
  let shownTime = (time: Date): Date => time;

  const take = async (verb: string): Promise<FtpFault | undefined> => {
    const count = commands.push(verb);
    for (const listener of listeners) await listener(count, verb);
    const met = armed.filter(({ rule }) => rule.command === '*' || rule.command === verb);
    for (const one of met) one.left -= 1;
    const due = met.find(({ left }) => left <= 0);
    if (due === undefined) return undefined;
    armed = armed.filter((one) => one !== due);
    struck.push(due.rule);
    return due.rule.fault;
  };
  const proxy: Proxy = { server, wires, take, shownTime: (time) => shownTime(time) };
  const door = await openDoor((client) => serve(wires.keep(client), proxy));

  return {
    host: HOST,
    port: door.port,
    commands,
    struck,
    arm: (rule) => {
      armed.push({ rule, left: rule.occurrence });
    },
    disarm: () => {
      armed = [];
      door.open();
    },
    refuse: door.refuse,
    onCommand: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    showTimes: (shift) => {
      shownTime = shift;
    },
    stop: async () => {
      const closed = door.close();
      await wires.close();
      await closed;
    },
  };
}

/** Every socket and data listener of a proxy, so that none outlives it and none of their errors ends the process. */
interface Wires {
  keep(socket: Socket): Socket;
  connect(port: number, host: string): Socket;
  listen(onConnection: (socket: Socket) => void): Promise<Server>;
  close(): Promise<void>;
}

function createWires(): Wires {
  const open = new Map<Socket | Server, Promise<void>>();
  let stopped = false;

  const shut = (wire: Socket | Server) => {
    if ('destroy' in wire) wire.destroy();
    else wire.close();
  };
  const track = <T extends Socket | Server>(wire: T): T => {
    wire.on('error', () => undefined);
    const closed = new Promise<void>((resolve) => {
      wire.once('close', () => {
        open.delete(wire);
        resolve();
      });
    });
    open.set(wire, closed);
    if (stopped) shut(wire);
    return wire;
  };

  return {
    keep: track,
    connect: (port, host) => track(connect({ port, host, noDelay: true, allowHalfOpen: true })),
    listen: async (onConnection) => track(await listening(onConnection)),
    close: async () => {
      stopped = true;
      const closed = [...open.values()];
      for (const wire of open.keys()) shut(wire);
      await Promise.all(closed);
    },
  };
}

/** Waits for connections on a free port of 127.0.0.1. */
async function listening(onConnection: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ noDelay: true, allowHalfOpen: true }, onConnection);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, HOST, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return server;
}

/** The port that clients come to, which can be closed for a while. */
async function openDoor(onConnection: (socket: Socket) => void) {
  const door = await listening(onConnection);
  const { port } = door.address() as AddressInfo;
  let state: 'open' | 'refusing' | 'closed' = 'open';
  let timer: NodeJS.Timeout | undefined;

  const listen = () => {
    if (state === 'open' && !door.listening) door.listen(port, HOST);
  };
  const open = () => {
    if (state !== 'refusing') return;
    clearTimeout(timer);
    state = 'open';
    listen();
  };
  const shut = (next: 'refusing' | 'closed') => {
    clearTimeout(timer);
    state = next;
    door.close();
  };
  door.on('listening', () => {
    // Opening takes a moment, in which it may have been shut again.
    if (state !== 'open') door.close();
  });
  // Another process took the port while it was free.
  door.on('error', () => {
    timer = setTimeout(listen, RETRY);
  });

  return {
    port,
    open,
    refuse: (milliseconds: number) => {
      if (state === 'closed') return;
      shut('refusing');
      timer = setTimeout(open, milliseconds);
    },
    close: async () => {
      shut('closed');
      await new Promise<void>((resolve) => {
        door.close(() => resolve());
      });
    },
  };
}

/** Carries one client's control connection to the server and back. */
function serve(client: Socket, proxy: Proxy): void {
  const server = proxy.wires.connect(proxy.server.port, proxy.server.host);
  const commandsIn = createLineReader();
  const repliesIn = createReplyReader();
  const queue: string[] = [];
  let state: 'passing' | 'stalled' | 'closed' = 'passing';
  let clientEnded = false;
  /** What waits for its final reply; at first the greeting. */
  let awaited: { readonly verb: string; readonly fault: FtpFault | undefined } | undefined = {
    verb: '',
    fault: undefined,
  };
  let passage: Passage | undefined;

  const close = () => {
    state = 'closed';
    client.destroySoon();
    server.destroySoon();
  };
  const stall = () => {
    state = 'stalled';
    if (clientEnded) close();
  };

  const forward = async (verb: string, line: string): Promise<void> => {
    // Listening before the server is asked keeps its replies in order: none has to wait for a listener.
    if (verb === 'EPSV' || verb === 'PASV') {
      passage?.abandon();
      passage = await openPassage(proxy);
      if (client.destroyed) passage.abandon();
    }
    if (server.writable) server.write(line, 'latin1');
  };

  const obey = async (line: string): Promise<void> => {
    const verb = verbOf(line);
    const fault = await proxy.take(verb);
    switch (fault?.kind) {
      case 'cut before':
        close();
        return;
      case 'reply':
        client.write(`${fault.code} ${fault.text}\r\n`);
        if (fault.code === 421) close();
        return;
      case 'stall':
        passage?.freeze();
        stall();
        return;
      case 'data cut':
        passage?.cut(fault.after, fault.how, UPLOADS.includes(verb));
        break;
      case 'reply lost':
      case 'stall after':
      case undefined:
        break;
      default:
        throw new Error(`Expected a fault, got ${String(fault satisfies never)}`);
    }
    awaited = { verb, fault };
    await forward(verb, line);
  };

  let isPumping = false;
  /** Passes commands on, one at a time while somebody waits for replies. */
  const pumpAll = async (): Promise<void> => {
    for (;;) {
      const held = awaited !== undefined && !clientEnded;
      const line = state !== 'passing' || held ? undefined : queue.shift();
      if (line === undefined) break;
      await obey(line);
    }
    if (clientEnded) server.end();
  };
  const pump = () => {
    if (isPumping) return;
    isPumping = true;
    pumpAll()
      .catch(close)
      .finally(() => (isPumping = false));
  };

  const deliver = (reply: Reply) => {
    if (state !== 'passing') return;
    if (reply.code < 200) {
      client.write(reply.text, 'latin1');
      passage?.begin();
      return;
    }
    const answered = awaited;
    awaited = undefined;
    if (answered?.fault?.kind === 'reply lost') close();
    else if (answered?.fault?.kind === 'stall after') stall();
    else {
      client.write(rewritten(answered?.verb ?? '', reply, passage, proxy), 'latin1');
      pump();
    }
  };

  client.on('data', (chunk: Buffer) => {
    if (state !== 'passing') return;
    queue.push(...commandsIn(chunk).filter((line) => line.trim() !== ''));
    pump();
  });
  client.on('end', () => {
    clientEnded = true;
    if (state === 'passing') pump();
    else close();
  });
  client.on('error', (error) => breakLike(error, server));
  client.on('close', () => {
    passage?.abandon();
    server.destroySoon();
  });
  server.on('data', (chunk: Buffer) => {
    for (const reply of repliesIn(chunk)) deliver(reply);
  });
  server.on('end', () => {
    server.end();
    if (state === 'passing') client.destroySoon();
  });
  server.on('error', (error) => {
    if (state === 'passing') breakLike(error, client);
  });
}

/** The way of one data connection through the proxy. */
interface Passage {
  /** Where the client has to connect. */
  readonly port: number;
  /** Says on which port the server waits. */
  lead(port: number): void;
  /** Has the data break once so many bytes have passed. */
  cut(after: number, how: DataCut, upload: boolean): void;
  /** The server has announced the transfer. */
  begin(): void;
  /** Lets nothing pass any more. */
  freeze(): void;
  /** The control connection is done with it: data that flows may flow on, a frozen passage is closed. */
  abandon(): void;
}

async function openPassage(proxy: Proxy): Promise<Passage> {
  let target = 0;
  let ends: { readonly client: Socket; readonly server: Socket } | undefined;
  let state: 'open' | 'cut' | 'frozen' = 'open';
  let limit: { readonly after: number; readonly how: DataCut; readonly upload: boolean } | undefined;
  let passed = 0;

  const sever = (rest: Buffer) => {
    if (limit === undefined || ends === undefined) return;
    state = 'cut';
    const [from, to] = limit.upload ? [ends.client, ends.server] : [ends.server, ends.client];
    if (limit.how === 'swallowed') {
      to.end(rest);
      from.once('end', () => from.end());
      return;
    }
    if (limit.how === 'fin') {
      if (limit.upload) {
        // The sender first: it must not hear that all went well before it hears of the break.
        reset(from);
      } else {
        // A server that has sent everything already must be able to think that all went well. One that has not gets a
        // reset: ftp-srv would wait for ever after a mere end.
        from.once('data', () => reset(from));
        from.once('end', () => from.destroy());
      }
      to.write(rest);
      to.destroySoon();
      return;
    }
    from.pause();
    to.write(rest, () => {
      setTimeout(() => {
        reset(from);
        reset(to);
      }, READING_TIME);
    });
  };

  const carry = (from: Socket, to: Socket) => {
    from.on('data', (chunk: Buffer) => {
      if (state !== 'open') return;
      const room = (limit?.after ?? Infinity) - passed;
      passed += chunk.length;
      if (chunk.length >= room) sever(chunk.subarray(0, room));
      else if (!to.write(chunk)) {
        from.pause();
        to.once('drain', () => from.resume());
      }
    });
    from.on('end', () => {
      if (state === 'open') to.end();
    });
    from.on('error', (error) => {
      if (state === 'open') breakLike(error, to);
    });
  };

  const listener = await proxy.wires.listen((socket) => {
    listener.close();
    const client = proxy.wires.keep(socket);
    const server = proxy.wires.connect(target, proxy.server.host);
    ends = { client, server };
    carry(client, server);
    carry(server, client);
  });

  return {
    port: (listener.address() as AddressInfo).port,
    lead: (port) => {
      target = port;
    },
    cut: (after, how, upload) => {
      limit = { after, how, upload };
    },
    begin: () => {
      if (state === 'open' && limit?.after === 0) sever(Buffer.alloc(0));
    },
    freeze: () => {
      state = 'frozen';
    },
    abandon: () => {
      listener.close();
      if (state !== 'frozen') return;
      ends?.client.destroy();
      ends?.server.destroy();
    },
  };
}

/** Ends a socket the way its counterpart ended. */
function breakLike(error: Error, counterpart: Socket): void {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ECONNRESET' || code === 'EPIPE') reset(counterpart);
  else counterpart.destroySoon();
}

function reset(socket: Socket): void {
  // Node neither resets nor closes a socket that is being ended at this moment, ever: it can only be closed.
  if (socket.writableEnded && !socket.writableFinished) socket.destroy();
  else socket.resetAndDestroy();
}

/** One whole reply of the server, of one line or several. */
interface Reply {
  /** 0 for a line that is no reply. */
  readonly code: number;
  /** Latin 1, so that every byte stays what it is; with its line ends. */
  readonly text: string;
}

/** Reads bytes, in whatever pieces they come, into lines with their ends, in Latin 1. */
function createLineReader(): (chunk: Buffer) => readonly string[] {
  let rest = '';
  return (chunk) => {
    const lines = (rest + chunk.toString('latin1')).split(/(?<=\n)/);
    rest = lines.at(-1)?.endsWith('\n') === true ? '' : (lines.pop() ?? '');
    return lines;
  };
}

function createReplyReader(): (chunk: Buffer) => readonly Reply[] {
  const linesIn = createLineReader();
  let text = '';
  return (chunk) => {
    const replies: Reply[] = [];
    for (const line of linesIn(chunk)) {
      text += line;
      const code = /^\d{3}(?=[-\s])/.exec(text)?.[0];
      // `250-...` goes on until `250 ...`; what stands in between may look like anything.
      if (code !== undefined && !(line.startsWith(code) && /\s/.test(line[3] ?? ''))) continue;
      replies.push({ code: Number(code ?? 0), text });
      text = '';
    }
    return replies;
  };
}

function verbOf(line: string): string {
  return (line.trim().split(' ', 1)[0] ?? '').toUpperCase();
}

/** The reply as the client shall see it: data connections lead through the proxy, times are the shown ones. */
function rewritten(verb: string, { code, text }: Reply, passage: Passage | undefined, proxy: Proxy): string {
  if (code === 229 && passage !== undefined) {
    return text.replace(/\|\|\|(\d+)\|/, (_all, port: string) => {
      passage.lead(Number(port));
      return `|||${passage.port}|`;
    });
  }
  if (code === 227 && passage !== undefined) {
    return text.replace(/\d+,\d+,\d+,\d+,(\d+),(\d+)/, (_all, high: string, low: string) => {
      passage.lead(Number(high) * 256 + Number(low));
      return `127,0,0,1,${passage.port >> 8},${passage.port & 255}`;
    });
  }
  if (code === 213 && verb === 'MDTM') {
    return text.replace(/(?<= )(\d{14})(\.\d+)?/, (_all, seconds: string, fraction: string | undefined) =>
      written(proxy.shownTime(parsed(seconds, fraction ?? '')), fraction !== undefined),
    );
  }
  return text;
}

/** `20261124105430` and `.250` as a date; the digits are taken for UTC. */
function parsed(seconds: string, fraction: string): Date {
  return new Date(
    `${seconds.replace(/(....)(..)(..)(..)(..)(..)/, '$1-$2-$3T$4:$5:$6')}${fraction.slice(0, 4)}Z`,
  );
}

function written(time: Date, withFraction: boolean): string {
  const digits = time.toISOString().replaceAll(/\D/g, '');
  return withFraction ? `${digits.slice(0, 14)}.${digits.slice(14)}` : digits.slice(0, 14);
}
