/** What happened to a batch that gave no outputs. */
export type Mishap = 'refused' | 'crashed' | 'timed-out';

export type Attempt<W> = {
  readonly works: readonly W[];
  /** Runners that this one job, alone, has killed. */
  readonly kills: number;
  /** Compute of failed runs that led here: charged to the job that turns out to be the cause, and to nobody else. */
  readonly wastedMs: number;
};

export type NextStep<W> =
  | { readonly kind: 'rerun'; readonly attempts: readonly Attempt<W>[] }
  /** The batch was this one job, and it is the cause. */
  | { readonly kind: 'blame'; readonly work: W; readonly mishap: Mishap; readonly wastedMs: number };

/** A runner may be killed from outside: only who kills two, alone, is the cause. */
const KILLS_TO_BLAME = 2;

/**
 * One bad input fails nobody else's. A refused batch is halved until the bad job is alone (2 × log₂ n cheap runs). After a
 * crash or a timeout every job runs alone: such a run costs a process, or the whole time limit, so the fewer the better.
 */
export function afterMishap<W>(attempt: Attempt<W>, mishap: Mishap, computeMs: number): NextStep<W> {
  const wastedMs = attempt.wastedMs + computeMs;
  const [first, second] = attempt.works;
  if (first !== undefined && second === undefined) {
    const kills = attempt.kills + (mishap === 'crashed' ? 1 : 0);
    if (mishap !== 'crashed' || kills >= KILLS_TO_BLAME) return { kind: 'blame', work: first, mishap, wastedMs };
    return { kind: 'rerun', attempts: [{ works: attempt.works, kills, wastedMs }] };
  }
  const parts = mishap === 'refused' ? halves(attempt.works) : attempt.works.map((work) => [work]);
  return { kind: 'rerun', attempts: parts.map((works) => ({ works, kills: 0, wastedMs })) };
}

function halves<W>(works: readonly W[]): readonly (readonly W[])[] {
  const middle = Math.ceil(works.length / 2);
  return [works.slice(0, middle), works.slice(middle)];
}
