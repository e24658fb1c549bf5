import type { Platform } from '../core/ports/platform.ts';
import { MINUTE_MS, SECOND_MS } from '../core/units.ts';

/** The agent calls ECS, which may take a moment; nothing waits for it. */
const ANSWER_WITHIN_MS = 5 * SECOND_MS;
/** Long enough that a renewal may fail once or twice, short enough that a worker that was stopped hard is soon let go. */
const PROTECTED_MINUTES = 5;
const RENEW_AFTER_MS = (PROTECTED_MINUTES * MINUTE_MS) / 2;
/** Work comes in waves: a call for each lull would be many. */
const RELEASE_AFTER_MS = 30 * SECOND_MS;
const RETRY_AFTER_MS = 30 * SECOND_MS;

export type TaskProtectionParts = Pick<Platform, 'clock' | 'log'> & {
  /** ECS_AGENT_URI; undefined: there is no agent, and nothing to do. */
  readonly agentUri: string | undefined;
};

/**
 * Keeps ECS from ending this task to have fewer, or newer ones, while it holds work. Spot interruptions end it all the same. A
 * call about every 2.5 minutes of work, and one after; where it is refused the worker drains when it is told to end, as always.
 */
export class TaskProtection {
  readonly #parts: TaskProtectionParts;
  #isProtected = false;
  #askedMs = Number.NEGATIVE_INFINITY;
  #busyMs = Number.NEGATIVE_INFINITY;
  #retryMs = Number.NEGATIVE_INFINITY;

  constructor(parts: TaskProtectionParts) {
    this.#parts = parts;
  }

  /** Called about once a second with whether the worker holds work. Never throws. */
  async update(isBusy: boolean): Promise<void> {
    const nowMs = this.#parts.clock.nowMs();
    if (isBusy) this.#busyMs = nowMs;
    if (this.#parts.agentUri === undefined || nowMs < this.#retryMs) return;
    if (isBusy && (!this.#isProtected || nowMs - this.#askedMs >= RENEW_AFTER_MS)) await this.#ask(true, nowMs);
    else if (this.#isProtected && nowMs - this.#busyMs >= RELEASE_AFTER_MS) await this.#ask(false, nowMs);
  }

  async #ask(isProtected: boolean, nowMs: number): Promise<void> {
    const { agentUri, log } = this.#parts;
    try {
      const asked = isProtected ? { ExpiresInMinutes: PROTECTED_MINUTES } : {};
      const response = await fetch(`${agentUri}/task-protection/v1/state`, {
        method: 'PUT',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ ProtectionEnabled: isProtected, ...asked }),
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      });
      const answer = (await response.json()) as { readonly protection?: unknown };
      // A refusal may come with status 200, as `failure`.
      if (!response.ok || answer.protection === undefined) throw new Error(`the agent answered ${response.status}`);
      this.#isProtected = isProtected;
      this.#askedMs = nowMs;
    } catch (error) {
      this.#retryMs = nowMs + RETRY_AFTER_MS;
      const reason = error instanceof Error ? error.message : undefined;
      log.warn('task protection not changed', { protected: isProtected, reason });
    }
  }
}
