/** Calls `run` with each item, at most `most` at once, and returns what they came to in the order of the items; the first failure ends it. */
export async function inParallel<T, R>(items: readonly T[], most: number, run: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = new Array(items.length);
  let next = 0;
  const runner = async () => {
    for (let at = next++; at < items.length; at = next++) results[at] = await run(items[at]!);
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, runner));
  return results;
}
