/** Error thrown when the Webservice refuses; it answers with this status, code and text. */
export class WebserviceError extends Error {
  override readonly name = 'WebserviceError';
  readonly status: number;
  readonly errors: readonly { readonly code: number; readonly message: string }[];

  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.errors = [{ code, message }];
  }
}

/** Error thrown where PHP dies: the web server answers 500 with nothing in it. */
export class PhpFatalError extends Error {
  override readonly name = 'PhpFatalError';
}

/** Error thrown for an id that is not there when one row is read: 404 with nothing in it. */
export class NoSuchRow extends Error {
  override readonly name = 'NoSuchRow';
}

/** The refusal that offers the nearest of the words that would have been right. */
export function didYouMean(
  code: number,
  message: string,
  said: string,
  words: readonly string[],
): WebserviceError {
  const list = words.length > 1 ? ` The full list is: "${words.join('", "')}"` : '';
  return new WebserviceError(400, code, `${message}. Did you mean: "${nearest(said, words)}"?${list}`);
}

/** Of several that are as near, the last one. */
function nearest(said: string, words: readonly string[]): string {
  let best = '';
  let shortest = Number.POSITIVE_INFINITY;
  for (const word of words) {
    const distance = levenshtein(said, word);
    if (distance === 0) return word;
    if (distance <= shortest) {
      best = word;
      shortest = distance;
    }
  }
  return best;
}

function levenshtein(one: string, other: string): number {
  let above = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let row = 1; row <= one.length; row++) {
    const current = [row];
    for (let column = 1; column <= other.length; column++) {
      const same = one[row - 1] === other[column - 1] ? 0 : 1;
      current.push(
        Math.min((above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (above[column - 1] ?? 0) + same),
      );
    }
    above = current;
  }
  return above[other.length] ?? 0;
}
