import { describe, it } from 'vitest';
import { Failure, type FailureCode } from '../../core/failure.ts';

/** One adapter at work: what a contract's cases are run on. */
export type Subject<P> = {
  /** The port as it is now: read it again after a restart. */
  readonly port: P;
  nowMs(): number;
  /** Lets time pass for the adapter: at once where it can be told the time, else by waiting. */
  advance(ms: number): Promise<void>;
  /** Ends and starts the adapter in order; a no-op for a client of a service. */
  reopen(): Promise<void>;
  /** Ends it without any warning and starts it again. */
  crash(): Promise<void>;
  close(): Promise<void>;
};

export type Adapter<P, S extends Subject<P> = Subject<P>> = {
  /** A fresh, empty one. */
  open(): Promise<S>;
  /** Cases that it does not keep, by name, each with the reason. */
  readonly deviations?: Readonly<Record<string, string>>;
};

/** A promise of the port, and how to find out whether an adapter keeps it: `run` throws if not. */
export type Case<S> = { readonly name: string; run(subject: S): Promise<void> };

/** Runs a port's cases as tests. */
export function describeContract<P, S extends Subject<P>>(
  title: string,
  cases: readonly Case<S>[],
  adapter: Adapter<P, S>,
): void {
  describe(title, () => {
    for (const contractCase of cases) {
      const reason = adapter.deviations?.[contractCase.name];
      if (reason === undefined) it(contractCase.name, () => runCase(contractCase, adapter));
      else it.skip(`${contractCase.name} (deviation: ${reason})`, () => {});
    }
    const unknown = Object.keys(adapter.deviations ?? {}).filter((name) => !cases.some((known) => known.name === name));
    if (unknown.length > 0) throw new Error(`deviations from no case: ${unknown.join(', ')}`);
  });
}

/** The names of the cases that an adapter fails. */
export async function failingCases<P, S extends Subject<P>>(
  cases: readonly Case<S>[],
  adapter: Adapter<P, S>,
): Promise<string[]> {
  const failing: string[] = [];
  for (const contractCase of cases) {
    await runCase(contractCase, adapter).catch(() => failing.push(contractCase.name));
  }
  return failing;
}

async function runCase<P, S extends Subject<P>>(contractCase: Case<S>, adapter: Adapter<P, S>): Promise<void> {
  const subject = await adapter.open();
  try {
    await contractCase.run(subject);
  } finally {
    await subject.close();
  }
}

/** The code of the failure that a call ends in; anything else that it does fails the case. */
export async function failureCodeOf(call: Promise<unknown>): Promise<FailureCode> {
  try {
    await call;
  } catch (error) {
    if (error instanceof Failure) return error.code;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** How many calls ended in each way, as `describe` names it. */
export function countBy<T>(values: readonly T[], describe: (value: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[describe(value)] = (counts[describe(value)] ?? 0) + 1;
  return counts;
}

/** `count` calls started at once, as concurrent callers are. */
export function atOnce<T>(count: number, call: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => call(index)));
}

/** All that concurrent callers get who go on taking until nothing is left. Throws if one gets more than `most` at once. */
export async function takeAll<T>(most: number, take: () => Promise<readonly T[]>): Promise<T[]> {
  const all: T[] = [];
  for (;;) {
    const taken = await atOnce(5, take);
    if (taken.some((some) => some.length > most)) throw new Error(`more than ${most} were taken at once`);
    const some = taken.flat();
    if (some.length === 0) return all;
    all.push(...some);
    if (all.length > 1000) throw new Error('there is no end of it');
  }
}

/** The subject with more, its changing port kept. */
export function withMore<S extends object, M extends object>(subject: S, more: M): S & M {
  return Object.defineProperties(subject, Object.getOwnPropertyDescriptors(more)) as S & M;
}
