import type { Bench } from './bench.ts';

/** One line of the report: what was measured, against which budget, and whether it was met (undefined: no budget). */
export type Row = {
  readonly what: string;
  readonly budget?: string;
  readonly measured: string;
  readonly met?: boolean;
  /** The numbers behind it, for the JSON. */
  readonly figures: Readonly<Record<string, unknown>>;
  /** What a line has no room for. */
  readonly table?: { readonly head: readonly string[]; readonly rows: readonly (readonly (string | number)[])[] };
};

/** One question asked of the running platform. */
export type Measurement = {
  readonly name: string;
  /** One line for people. */
  readonly summary: string;
  /** Runs without being named. */
  readonly byDefault: boolean;
  run(bench: Bench): Promise<Row[]>;
};

export function withDigits(value: number, digits: number): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** `median (least to most of n)`. */
export function spread(values: readonly number[], middle: number, digits: number): string {
  const show = (value: number) => withDigits(value, digits);
  return `${show(middle)} (${show(Math.min(...values))} to ${show(Math.max(...values))} of ${values.length})`;
}
