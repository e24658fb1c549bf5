import type { ReleaseCheck, ReleaseDetail, ReleaseNumbers } from '../../api/api.ts';
import { count, duration, NOTHING, percent, usd } from '../../format/format.ts';

/** A figure of both versions, and what the analysis makes of it. */
export type ComparedFigure = {
  readonly name: string;
  readonly stable: string;
  readonly candidate: string;
  /** How the candidate differs: "+12 %"; nothing where one has no figure. */
  readonly change: string;
  readonly check: ReleaseCheck | undefined;
};

type Side = ReleaseNumbers['stable'];

const NO_SIDE: Side = {
  requests: 0,
  errors: 0,
  error_rate: null,
  p50_ms: null,
  p95_ms: null,
  p99_ms: null,
  errors_by_code: {},
  compute_ms: null,
  usd_per_thousand: null,
  crashes: 0,
  cache_hits: 0,
  fallbacks: 0,
  accuracy: null,
  feedback: 0,
};

/** The same rows whatever is known, so that nothing moves when a figure comes. */
export function comparedFigures({ numbers, verdict }: ReleaseDetail): readonly ComparedFigure[] {
  const stable = numbers?.stable ?? NO_SIDE;
  const candidate = numbers?.candidate ?? NO_SIDE;
  const checkOf = (name: ReleaseCheck['name']) => verdict?.checks.find((check) => check.name === name);
  const row = (
    name: string,
    of: (side: Side) => number | null,
    format: (value: number | null) => string,
    check?: ReleaseCheck['name'],
  ): ComparedFigure => ({
    name,
    stable: format(of(stable)),
    candidate: format(of(candidate)),
    change: change(of(stable), of(candidate)),
    check: check === undefined ? undefined : checkOf(check),
  });
  return [
    { ...row('Requests', (side) => side.requests, count), change: '' },
    { ...row('Error rate', (side) => side.error_rate, percent, 'errors'), change: points(stable, candidate) },
    row('Latency p50', (side) => side.p50_ms, duration, 'latency-p50'),
    row('Latency p95', (side) => side.p95_ms, duration, 'latency-p95'),
    row('Latency p99', (side) => side.p99_ms, duration, 'latency-p99'),
    row('Compute per prediction', (side) => side.compute_ms, duration, 'compute'),
    row('Cost per thousand', (side) => side.usd_per_thousand, usd),
    row('Right by feedback', (side) => side.accuracy, percent, 'accuracy'),
    agreement(numbers, checkOf('agreement')),
    row('Crashes', (side) => side.crashes, count),
    row('Fallbacks', (side) => side.fallbacks, count),
    row('Cache hits', (side) => side.cache_hits, count),
  ];
}

function agreement(numbers: ReleaseNumbers | null, check: ReleaseCheck | undefined): ComparedFigure {
  const compared = numbers?.shadow.compared ?? 0;
  return {
    name: 'Agreement of shadow answers',
    stable: compared === 0 ? NOTHING : `${count(compared)} compared`,
    candidate: percent(numbers?.agreement),
    change: '',
    check,
  };
}

/** Difference of error rates in points, as a ratio of small rates reads worse than it is. */
function points(stable: Side, candidate: Side): string {
  if (stable.error_rate === null || candidate.error_rate === null) return '';
  const difference = (candidate.error_rate - stable.error_rate) * 100;
  return difference === 0 ? '=' : `${signed(difference)} points`;
}

function change(stable: number | null, candidate: number | null): string {
  if (stable === null || candidate === null || stable === 0) return '';
  const growth = (candidate / stable - 1) * 100;
  return Math.abs(growth) < 0.05 ? '=' : `${signed(growth)} %`;
}

const one = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 1, signDisplay: 'exceptZero' });

function signed(value: number): string {
  return one.format(value).replace('-', '\u2212');
}
