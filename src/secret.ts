import { inspect } from 'node:util';

const HIDDEN = '(secret)';

/** A value that came from the environment or a secrets file. Prints, logs and serialises as `(secret)`. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** Gives the value itself: only where it goes on the wire. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  [inspect.custom](): string {
    return HIDDEN;
  }
}
