/** Works on so many things at once; the others wait, and come in their order. */
export type Queue = <Result>(work: () => Promise<Result>) => Promise<Result>;

export function createQueue(workers: number): Queue {
  let free = workers;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    }
  };
}
