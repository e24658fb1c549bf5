/** Before the microseconds of CPU of an invocation, and how many of its calls left the process though none should. */
export const INVOCATION_LINE = 'cpu-of-invocation';

export type Invocation = { readonly cpuMs: number; readonly passed: number };

/** What the processes of a function have written of their invocations, in order. */
export function invocationsIn(lines: readonly string[]): readonly Invocation[] {
  return lines
    .filter((line) => line.startsWith(`${INVOCATION_LINE} `))
    .map((line) => {
      const [, micros, passed] = line.split(' ').map(Number);
      return { cpuMs: micros! / 1_000, passed: passed! };
    });
}
