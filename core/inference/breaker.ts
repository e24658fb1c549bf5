import type { BreakerRules } from '../models/manifest.ts';
import type { BreakerReport } from '../ports/capacity.ts';
import { SECOND_MS } from '../units.ts';
import { OutcomeWindow } from './outcome-window.ts';

/**
 * `half-open`: one request at a time may try; `successes` of them in a row were answered so far. `only`: the one tenant for
 * which it is so, while it is closed for all others.
 */
type BreakerState =
  | { readonly kind: 'closed' }
  | { readonly kind: 'open'; readonly untilMs: number; readonly only: string | undefined }
  | { readonly kind: 'half-open'; readonly successes: number; readonly only: string | undefined };

const CLOSED: BreakerState = { kind: 'closed' };

/**
 * Whether a version that keeps failing is left alone for a while.
 *
 * closed → open: a request fails, there were at least `minRequests` in the window, and the mean over tenants of the share of
 * each one's own requests that failed is above `errorShare`. Every tenant counts the same, so that one who sends what the
 * model cannot take does not take it from the others. With the default share of 0.5: of three tenants one fails wholly:
 * (1 + 0 + 0) / 3 = 0.33, closed; of two, one: (1 + 0) / 2 = 0.5, which is not above 0.5, closed; two of three: 0.67,
 * open; the only tenant of the window: 1 / 1, open for that tenant only, as nobody knows how others would fare. For them it
 * stays closed, and opens for all once another one fails too. A share of 1 is never exceeded: it turns the breaker off.
 * open → half-open: after `openS`, by itself.
 * half-open → closed: `probes` successes in a row, and what was counted before is forgotten. One failure opens it again.
 *
 * Memory is bounded (`OutcomeWindow`); an observation costs two lookups, a failure also a look at each tenant.
 */
export class Breaker {
  readonly #rules: BreakerRules;
  readonly #window: OutcomeWindow;
  #state: BreakerState = CLOSED;

  constructor(rules: BreakerRules) {
    this.#rules = rules;
    this.#window = new OutcomeWindow(rules.windowS * SECOND_MS);
  }

  state(nowMs: number): BreakerState {
    if (this.#state.kind === 'open' && nowMs >= this.#state.untilMs) {
      this.#state = { kind: 'half-open', successes: 0, only: this.#state.only };
    }
    return this.#state;
  }

  /** As it is for the requests of one tenant. */
  stateFor(tenant: string, nowMs: number): BreakerState {
    const state = this.state(nowMs);
    return state.kind === 'closed' || state.only === undefined || state.only === tenant ? state : CLOSED;
  }

  /** How a request ended that was let through while it was closed: later it says nothing. True: this opened it. */
  observe(tenant: string, outcome: 'succeeded' | 'failed', nowMs: number): boolean {
    if (this.stateFor(tenant, nowMs).kind !== 'closed') return false;
    const failed = outcome === 'failed';
    this.#window.add(tenant, failed, nowMs);
    return failed && this.#openIfDue(nowMs);
  }

  /** A request failed because the version could not be loaded, which is so for every tenant. True: this opened it. */
  observeLoadFailure(nowMs: number): boolean {
    if (this.#state.kind !== 'closed' && this.#state.only === undefined) return false;
    this.#window.addForAll(nowMs);
    return this.#openIfDue(nowMs);
  }

  /** How a probe ended. True: this opened it again. */
  observeProbe(outcome: 'succeeded' | 'failed', nowMs: number): boolean {
    const state = this.state(nowMs);
    if (state.kind !== 'half-open') return false;
    if (outcome === 'failed') {
      this.#open(nowMs, state.only);
      return true;
    }
    const successes = state.successes + 1;
    this.#state = successes >= this.#rules.probes ? CLOSED : { ...state, successes };
    return false;
  }

  /** For the worker's report; undefined while it is closed and has seen no work in its window. */
  report(nowMs: number): BreakerReport | undefined {
    const state = this.state(nowMs);
    if (state.kind === 'open') return { state: 'open', untilMs: state.untilMs, tenant: state.only };
    if (state.kind === 'half-open') return { state: 'half-open', untilMs: nowMs, tenant: state.only };
    return this.#window.requests(nowMs) === 0 ? undefined : { state: 'closed', untilMs: nowMs };
  }

  #openIfDue(nowMs: number): boolean {
    const { minRequests, errorShare } = this.#rules;
    if (this.#window.requests(nowMs) < minRequests || !(this.#window.errorShare(nowMs) > errorShare)) return false;
    // Where it is open for one tenant, this is another one's failure.
    this.#open(nowMs, this.#state.kind === 'closed' ? this.#window.soleTenant : undefined);
    this.#window.clear();
    return true;
  }

  #open(nowMs: number, only: string | undefined): void {
    this.#state = { kind: 'open', untilMs: nowMs + this.#rules.openS * SECOND_MS, only };
  }
}
