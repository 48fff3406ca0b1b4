/** PostgreSQL takes 65,535 parameters a statement; the widest table here has 13 columns. */
const BATCH = 1_000;

/** Items in parts that fit into one statement. */
export function* inBatches<T>(items: readonly T[]): Generator<T[]> {
  for (let start = 0; start < items.length; start += BATCH) yield items.slice(start, start + BATCH);
}
