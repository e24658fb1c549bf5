import { asFailure, FAILURES, type Failure } from '../../failure.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Check, CheckName } from '../report.ts';

/** What a check found where it did not refuse; one that refuses throws its Failure. */
export type Finding = Pick<Check, 'detail' | 'advice'> & { readonly outcome: Exclude<Check['outcome'], 'refused'> };

/** Told after every check and while one takes its time: what was found so far, and what is being done. */
export type OnProgress = (checks: readonly Check[], doing: string) => void;

/** Says what is being done now. */
export type Say = (doing: string) => void;

/** Keeps what was found, in order, and tells who listens. */
export class ReportWriter {
  readonly #clock: Clock;
  readonly #onProgress: OnProgress;
  #checks: readonly Check[] = [];

  constructor(clock: Clock, onProgress: OnProgress) {
    this.#clock = clock;
    this.#onProgress = onProgress;
  }

  get checks(): readonly Check[] {
    return this.#checks;
  }

  /** Looks, and writes down what was found. What `look` throws is written down as refused, told, and thrown on. */
  async check<Found extends { readonly finding: Finding }>(
    check: CheckName,
    doing: string,
    look: (say: Say) => Found | Promise<Found>,
  ): Promise<Found> {
    const say: Say = (now) => this.#onProgress(this.#checks, now);
    const startedMs = this.#clock.nowMs();
    const tookMs = () => Math.max(0, Math.round(this.#clock.nowMs() - startedMs));
    say(doing);
    try {
      const found = await look(say);
      this.#add({ check, ...found.finding, tookMs: tookMs() });
      return found;
    } catch (error) {
      const failure = asFailure(error);
      if (failure.code !== 'internal') this.#add({ check, ...refusalOf(failure), tookMs: tookMs() });
      say('refused');
      throw error;
    }
  }

  #add(check: Check): void {
    this.#checks = [...this.#checks, check];
  }
}

function refusalOf({ code, facts, message }: Failure): Pick<Check, 'outcome' | 'detail' | 'advice'> {
  const advice = typeof facts.advice === 'string' ? facts.advice : FAILURES[code].advice;
  const problems = Array.isArray(facts.problems) ? `: ${facts.problems.join('; ')}` : '';
  return { outcome: 'refused', detail: `${message}${problems}`, advice };
}
