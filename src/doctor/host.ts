import { once } from 'node:events';
import { connect, isIP } from 'node:net';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { startDeadline } from '../prestashop/deadline.ts';
import { said, tellCertificate, type Tell } from './finding.ts';

/** Milliseconds in which a host must take a connection. */
const PATIENCE = 10_000;

/** Tells whether the host of an http(s) address takes a connection, and sends it nothing. Gives whether it does. */
export async function examineHost(address: string, tell: Tell, signal: AbortSignal): Promise<boolean> {
  const { host } = new URL(address);
  try {
    const validTo = await reach(address, signal);
    tell('ok', 'host', host);
    if (validTo !== null) tellCertificate(tell, host, validTo);
    return true;
  } catch (error) {
    tell('fault', 'host', host, said(error));
    return false;
  }
}

/**
 * Connects to the host of an http(s) address, and hangs up. Gives the end of its certificate; null where it has none.
 * @throws when nobody takes the connection, or a certificate cannot be trusted.
 */
export async function reach(address: string, signal: AbortSignal): Promise<Date | null> {
  const { protocol, hostname, port } = new URL(address);
  const isSecure = protocol === 'https:';
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const place = { host, port: port === '' ? (isSecure ? 443 : 80) : Number(port) };
  const deadline = startDeadline(PATIENCE, signal);
  // A name tells a server with several certificates which one is asked for; a number may not stand there.
  const socket = isSecure
    ? connectTls({ ...place, ...(isIP(host) === 0 ? { servername: host } : {}) })
    : connect(place);
  // What comes after the answer is nobody's.
  socket.on('error', () => undefined);
  try {
    await once(socket, isSecure ? 'secureConnect' : 'connect', { signal: deadline.signal });
    return socket instanceof TLSSocket ? new Date(socket.getPeerCertificate().valid_to) : null;
  } catch (error) {
    if (!deadline.signal.aborted) throw error;
    throw new Error(`Expected a connection within ${PATIENCE / 1_000} s, got none`, { cause: error });
  } finally {
    deadline.end();
    socket.destroy();
  }
}
