/** Error thrown in place of the answer to a side effect that was carried out: the worker died just after it. */
export class Cut extends Error {
  override readonly name = 'Cut';
}

/** Counts side effects, and cuts once after the one it was told. */
export interface Scissors {
  /** Side effects so far, by name, in order. */
  readonly done: readonly string[];
  /** Cuts after the `at`-th side effect from now; never when 0. */
  arm(at: number): void;
  effect<T>(name: string, work: () => Promise<T>): Promise<T>;
}

export function createScissors(): Scissors {
  const done: string[] = [];
  let left = 0;
  return {
    done,
    arm(at) {
      done.length = 0;
      left = at;
    },
    async effect(name, work) {
      const result = await work();
      done.push(name);
      if (left > 0 && --left === 0) throw new Cut(`cut after ${name}`);
      return result;
    },
  };
}

/** The same object, with `scissors` after each of the named methods. */
export function cutting<T extends object>(target: T, methods: readonly (keyof T & string)[], scissors: Scissors): T {
  return new Proxy(target, {
    get(object, key, receiver) {
      const method: unknown = Reflect.get(object, key, receiver);
      if (typeof method !== 'function' || !methods.includes(key as keyof T & string)) return method;
      return (...parameters: unknown[]) =>
        scissors.effect(String(key), async () => (await Reflect.apply(method, object, parameters)) as unknown);
    },
  });
}
