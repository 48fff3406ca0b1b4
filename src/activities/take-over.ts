import type { CycleRef, Deps } from './deps.ts';
import { noteAround } from './follow-old-gateway.ts';
import { AS_IT_STANDS, doubtUnwatched, noteOldOrders } from './shadow-orders.ts';
import { noteOldSales } from './shadow-sales.ts';

/** Milliseconds in which a restart is over, and its first cycle begun. People have switched the old jobs off before. */
const RESTART = 5 * 60_000;

/**
 * In the first live cycle after a time as the old gateway's shadow: notes what it sent since a cycle looked last, so that
 * none of it is sent again, and the orders that the shop gave it, which the shop may give only once. When nobody watched
 * for longer than a restart takes, what it had not sent by then is set aside: it may have sent it since.
 */
export async function takeOver(deps: Deps, cycle: CycleRef, signal: AbortSignal): Promise<void> {
  const { ftp, ledger, oldGateway } = deps;
  const lastLook = await ledger.lastLook();
  if (lastLook === null) return;
  const at = new Date();
  // The Webservice shows its orders again, all of them.
  if (oldGateway !== null) {
    await ftp.session((session) => noteAround(deps, session, oldGateway, at), signal);
    await noteOldOrders(deps, cycle, 1, AS_IT_STANDS);
  }
  // The orders of all that it ever sent: those that no orders file had shown then may be known now.
  await noteOldSales(deps, cycle, { since: new Date(0), isOver: true });
  await ledger.lookedAt(at, RESTART);
  await doubtUnwatched(deps, ['send', 'by_hand']);
  await ledger.forgetLooks();
}
