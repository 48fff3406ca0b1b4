/** Error thrown in place of the answer to a side effect that was carried out: the worker died just after it. */
export class Cut extends Error {
  override readonly name = 'Cut';
}

/** Counts side effects, and cuts once after the one it was told. */
export interface Scissors {
  /** Side effects so far, by name, in order. */
  readonly done: readonly string[];
  /** The side effect that was cut after, if any was. */
  readonly cut: string | null;
  /** Cuts after the `at`-th side effect from now; never when 0. */
  arm(at: number): void;
  /** Has `look` look around after each side effect. */
  watch(look: () => Promise<void>): void;
  effect<T>(name: string, work: () => Promise<T>): Promise<T>;
}

export function createScissors(): Scissors {
  const done: string[] = [];
  let left = 0;
  let look = async (): Promise<void> => undefined;
  let cut: string | null = null;
  return {
    done,
    get cut() {
      return cut;
    },
    arm(at) {
      done.length = 0;
      cut = null;
      left = at;
    },
    watch(next) {
      look = next;
    },
    async effect(name, work) {
      const result = await work();
      done.push(name);
      await look();
      if (left > 0 && --left === 0) {
        cut = name;
        throw new Cut(`cut after ${name}`);
      }
      return result;
    },
  };
}

/** The same object, with `scissors` after each of the named methods. */
export function cutting<T extends object>(
  target: T,
  methods: readonly (keyof T & string)[],
  scissors: Scissors,
): T {
  return new Proxy(target, {
    get(object, key, receiver) {
      const method: unknown = Reflect.get(object, key, receiver);
      if (typeof method !== 'function' || !methods.includes(key as keyof T & string)) return method;
      return (...parameters: unknown[]) =>
        scissors.effect(
          String(key),
          async () => (await Reflect.apply(method, object, parameters)) as unknown,
        );
    },
  });
}
