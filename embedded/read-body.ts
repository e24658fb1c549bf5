import type { IncomingMessage } from 'node:http';
import { Failure } from '../core/failure.ts';
import { MIB, SECOND_MS } from '../core/units.ts';

/** A body that has not arrived by then is given up: 4 MiB in 30 s is 1.1 Mbit/s. */
const BODY_WITHIN_MS = 30 * SECOND_MS;
/** Of all bodies that have arrived in part, so that slow senders cannot fill the memory: 64 of the largest. */
const MAX_PENDING_BYTES = 256 * MIB;
const NOTHING = Buffer.alloc(0);

type Incomplete = { readonly sinceMs: number; readonly giveUp: () => void };

/** Bodies that have arrived in part: their memory, and how long each has been waited for, under one timer. */
export class PendingBodies {
  #bytes = 0;
  readonly #incomplete = new Set<Incomplete>();
  #sweep: NodeJS.Timeout | undefined;

  /** False, and nothing taken, if there is no room. */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > MAX_PENDING_BYTES) return false;
    this.#bytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
  }

  /** Calls `giveUp` once the body has been waited for too long, a second late at most. */
  begin(giveUp: () => void): Incomplete {
    const body = { sinceMs: performance.now(), giveUp };
    this.#incomplete.add(body);
    this.#sweep ??= setInterval(() => this.#giveUpOverdue(), SECOND_MS).unref();
    return body;
  }

  end(body: Incomplete): void {
    this.#incomplete.delete(body);
  }

  #giveUpOverdue(): void {
    const dueMs = performance.now() - BODY_WITHIN_MS;
    for (const body of this.#incomplete) {
      if (body.sinceMs > dueMs) break;
      body.giveUp();
    }
    if (this.#incomplete.size > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }
}

/**
 * Calls back once: with the whole body, or the failure: `body-too-large` as soon as it passes `limitBytes`,
 * `body-incomplete` if it takes too long, `overloaded`. Not at all if the client goes away.
 */
export function readBody(
  request: IncomingMessage,
  limitBytes: number,
  pending: PendingBodies,
  done: (body: Buffer | Failure) => void,
): void {
  const chunks: Buffer[] = [];
  let received = 0;
  let settled = false;
  const incomplete = pending.begin(() => settle(new Failure('body-incomplete', { received })));
  const release = () => {
    pending.end(incomplete);
    pending.give(received);
    received = 0;
    settled = true;
  };
  const settle = (result: Buffer | Failure) => {
    if (settled) return;
    release();
    done(result);
  };
  request.on('data', (chunk: Buffer) => {
    if (settled) return;
    if (received + chunk.length > limitBytes) {
      settle(new Failure('body-too-large', { limitBytes }));
    } else if (pending.take(chunk.length)) {
      received += chunk.length;
      chunks.push(chunk);
    } else {
      settle(new Failure('overloaded', { retryAfterMs: SECOND_MS }));
    }
  });
  request.on('end', () =>
    settle(chunks.length === 1 ? chunks[0]! : chunks.length === 0 ? NOTHING : Buffer.concat(chunks)),
  );
  request.on('close', () => {
    if (!settled) release();
  });
}
