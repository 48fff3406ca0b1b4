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
    values.add(value).add(encodeURIComponent(value));
    if (!URL.canParse(value)) continue;
    const url = new URL(value);
    values.add(decodeURIComponent(url.password)).add(url.pathname + url.search);
    for (const [name, parameter] of url.searchParams)
      if (/key|token|secret|password/i.test(name)) values.add(parameter);
  }
  // Longest first, so that no secret is left cut by a shorter one inside it.
  const hidden = [...values].filter((value) => value.length >= SHORTEST).sort((a, b) => b.length - a.length);
  return (text) => hidden.reduce((result, value) => result.replaceAll(value, '(secret)'), text);
}

function* secretsIn(value: unknown): Generator<Secret> {
  if (value instanceof Secret) yield value;
  else if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) yield* secretsIn(part);
  }
}
