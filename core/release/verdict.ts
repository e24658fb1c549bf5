import type { Looks } from './statistics/looks.ts';

export const CHECKS = [
  'errors',
  'latency-p50',
  'latency-p95',
  'latency-p99',
  'agreement',
  'labels',
  'confidence',
  'accuracy',
  'compute',
] as const;
export type CheckName = (typeof CHECKS)[number];

/** What one comparison came to. `absent`: neither version has such data, as labels of a model that gives none; it neither passes nor fails. */
export type Check = {
  readonly name: CheckName;
  readonly outcome: 'pass' | 'fail' | 'inconclusive' | 'absent';
  /** The two figures that are compared; undefined where there is none. */
  readonly stable: number | undefined;
  readonly candidate: number | undefined;
  /** For a person: what was seen, in numbers. */
  readonly sentence: string;
};

/** What all checks came to. */
export type Verdict = {
  readonly outcome: 'pass' | 'fail' | 'inconclusive';
  /** What decided it; the worst if several did. */
  readonly sentence: string;
  readonly checks: readonly Check[];
  /** Requests of the candidate in this step. */
  readonly requests: number;
  /** To be kept in the release: a look is spent once it was made. */
  readonly looks: Looks;
};

/** Figures as people read them: three digits, percentages of shares. */
export function figure(value: number): string {
  return String(Number(value.toPrecision(3)));
}

export function percentage(share: number): string {
  return `${figure(share * 100)} %`;
}
