import type { Work } from './work.ts';

/** A run's milliseconds shared out by what each request put into it: rows times length. They add up to the whole. */
export function shareCost(works: readonly Pick<Work, 'rows' | 'length'>[], ms: number): number[] {
  let elements = 0;
  for (const work of works) elements += work.rows * work.length;
  return works.map((work) => (ms * work.rows * work.length) / elements);
}
