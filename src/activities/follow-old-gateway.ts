import { posix } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { refused } from '../failures.ts';
import { sameLook, type FtpSession } from '../ftp.ts';
import type { Sighting } from '../ledger/sightings.ts';
import { localTime } from '../local-time.ts';
import { copyStanding, lookAround, type OldGatewayPlaces, type StandingFile } from '../old-gateway.ts';
import type { Deps } from './deps.ts';

export interface FollowOldGatewayInput {
  /** ISO 8601. */
  readonly until: string;
}

export interface FollowOldGatewayResult {
  readonly looks: number;
}

/** Milliseconds that the old gateway's files stand at least: between looks further apart, one may have come and gone. */
export const SHORTEST_LIFE = 10_000;

/**
 * Looks at the old gateway's files every few seconds and copies each one that is new into the archive, `2026-11-24/shadow`:
 * some of them live for seconds only. Keeps one connection; when it breaks, the next attempt makes another.
 */
export const followOldGateway =
  (deps: Deps) =>
  async ({ until }: FollowOldGatewayInput): Promise<FollowOldGatewayResult> => {
    const { config, ftp, ledger, oldGateway } = deps;
    if (config.mode !== 'shadow' || oldGateway === null) throw refused('Expected mode shadow, got live');
    const signal = Context.current().cancellationSignal;
    const end = Date.parse(until);
    let looks = 0;
    await ftp.session(async (session) => {
      do {
        const at = new Date();
        await noteAround(deps, session, oldGateway, at);
        await ledger.lookedAt(at, SHORTEST_LIFE);
        looks++;
        await sleep(config.shadow.look, undefined, { signal });
      } while (Date.now() < end);
    }, signal);
    return { looks };
  };

/** Notes in the ledger what stands now and what is gone, and copies what is new. */
export async function noteAround(
  { archive, config, ledger }: Pick<Deps, 'archive' | 'config' | 'ledger'>,
  session: FtpSession,
  places: OldGatewayPlaces,
  at: Date,
): Promise<void> {
  const before = new Map((await ledger.standing()).map((sighting) => [sighting.path, sighting]));
  const standing = await lookAround(session, places, before.values());
  const paths = new Set(standing.map(({ path }) => path));
  // First: one that was renamed is known by the one that went.
  for (const { id, path } of before.values()) if (!paths.has(path)) await ledger.gone(id, at);
  for (const file of standing) {
    const known = before.get(file.path);
    if (known === undefined || !sameLook(known, file.look))
      await copy(await ledger.see({ ...file, at }), file);
    else if (known.sha256 === null) await copy(known, file);
  }

  async function copy(sighting: Sighting, file: StandingFile): Promise<void> {
    const bytes = await copyStanding(session, file);
    if (bytes === null) return;
    const [day = '', time = ''] = localTime(sighting.seenAt, config.timeZone).split(' ');
    const name = `${time.replaceAll(':', '')}-${sighting.id.slice(0, 8)}-${posix.basename(file.path)}`;
    await ledger.copied(sighting, await archive.write(`${day}/shadow`, name, bytes));
  }
}
