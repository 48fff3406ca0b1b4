import { Context } from '@temporalio/activity';

/** What the running attempt wants the next one to know; sent again with each sign of life. */
const notes = new WeakMap<Context, unknown>();

/** Leaves a note for the next attempt of this activity. */
export function remember(note: unknown): void {
  const context = Context.current();
  notes.set(context, note);
  context.heartbeat(note);
}

/** Reads the note that the attempt before left. */
export function remembered(): unknown {
  return Context.current().info.heartbeatDetails as unknown;
}

/** Shows that this attempt is alive, so that a dead worker's is given to another one without waiting for its time-out. */
export function beat(context: Context): void {
  context.heartbeat(notes.get(context) ?? context.info.heartbeatDetails);
}
