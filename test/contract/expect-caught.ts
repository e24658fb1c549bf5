import { describe, expect, it } from 'vitest';
import type { Fault } from '../support/fault.ts';
import { type Adapter, type Case, failingCases, type Subject } from './contract.ts';

/** Each fault, put before a working adapter, must fail the case that is there to find it. */
export function expectCaught<P extends object, S extends Subject<P>>(
  title: string,
  cases: readonly Case<S>[],
  adapter: Adapter<P, S>,
  faults: readonly Fault<P>[],
): void {
  describe(`the ${title} contract finds an adapter out that`, () => {
    for (const { fault, caughtBy, breaks } of faults) {
      it(fault, async () => {
        const catching = cases.filter(({ name }) => name === caughtBy);
        expect(catching).toHaveLength(1);
        const broken: Adapter<P, S> = { open: async () => breakPort(await adapter.open(), breaks) };
        expect(await failingCases(catching, broken)).toEqual([caughtBy]);
      });
    }
  });
}

/** The subject with its port broken, anew after each restart as an adapter's memory is. */
function breakPort<P extends object, S extends Subject<P>>(subject: S, breaks: (port: P) => P): S {
  const whole = Object.getOwnPropertyDescriptor(subject, 'port')!;
  const portOf = () => (whole.get === undefined ? whole.value : whole.get.call(subject)) as P;
  let [from, broken]: [P | undefined, P | undefined] = [undefined, undefined];
  return Object.defineProperty(subject, 'port', {
    get() {
      if (from !== portOf()) {
        from = portOf();
        broken = breaks(from);
      }
      return broken;
    },
  });
}
