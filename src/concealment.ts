import { Secret } from './secret.ts';

/** Shorter values would be found inside ordinary words. */
const SHORTEST = 4;

/**
 * Gives a function that takes every secret of `configuration` out of a text: the last guard before logs, errors and
 * history. A secret address is taken out in its parts too: its keys and its password.
 */
export function concealSecrets(configuration: unknown): (text: string) => string {
  const values = new Set<string>();
  for (const secret of secretsIn(configuration)) {
    const value = secret.reveal();
    // As it is, as it stands in an address, and as it stands in a JSON log line.
    for (const part of [value, ...addressParts(value)]) {
      values.add(part).add(encodeURIComponent(part)).add(JSON.stringify(part).slice(1, -1));
    }
  }
  // Longest first, so that no secret is left cut by a shorter one inside it.
  const hidden = [...values].filter((value) => value.length >= SHORTEST).sort((a, b) => b.length - a.length);
  return (text) => hidden.reduce((result, value) => result.replaceAll(value, '(secret)'), text);
}

/** The parts of a secret address that are secrets themselves. */
function addressParts(value: string): readonly string[] {
  if (!URL.canParse(value)) return [];
  const { protocol, password, pathname, search, searchParams } = new URL(value);
  const keys = [...searchParams]
    .filter(([name]) => /key|token|secret|password/i.test(name))
    .map(([, key]) => key);
  // A database's path is its name, which is no secret; a webhook's is its key.
  const path = protocol.startsWith('http') ? [pathname + search] : [];
  return [password, decoded(password), ...path, ...keys];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function* secretsIn(value: unknown): Generator<Secret> {
  if (value instanceof Secret) yield value;
  else if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) yield* secretsIn(part);
  }
}
