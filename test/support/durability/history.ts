import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs';

/** What a client may ask, by kind. */
type Questions = {
  /** `x`, `x + 1` … are its rows. */
  infer: {
    readonly tenant: string;
    readonly model: string;
    readonly version: string | undefined;
    readonly x: number;
    readonly rows: number;
    /** async: 202 at once. late: waits a moment, then 202. sync: waits. */
    readonly style: 'async' | 'late' | 'sync';
    readonly key: string | undefined;
    readonly timeoutMs: number | undefined;
  };
  read: { readonly tenant: string; readonly job: string };
  cancel: { readonly tenant: string; readonly job: string };
  take: { readonly tenant: string; readonly units: number };
  'create-tenant': { readonly tenant: string; readonly plan: string; readonly limits: TenantLimits };
  'change-tenant': { readonly tenant: string; readonly name: string };
  'read-tenant': { readonly tenant: string };
  'erase-tenant': { readonly tenant: string };
  'remove-tenant': { readonly tenant: string };
  'create-key': { readonly tenant: string };
  'revoke-key': { readonly tenant: string; readonly keyId: string };
  push: { readonly model: string; readonly term: number; readonly uploaded: boolean };
  /** Accepted, and validated when nobody waits any more. */
  'push-later': { readonly model: string; readonly term: number };
  'set-stable': { readonly model: string; readonly version: string };
  'read-route': { readonly model: string };
  'put-plan': { readonly plan: string; readonly weight: number };
  'put-issuer': { readonly issuer: string; readonly audience: string };
  'remove-issuer': { readonly issuer: string };
};

export type Kind = keyof Questions;
export type Operation<K extends Kind = Kind> = { [P in K]: { readonly kind: P } & Questions[P] }[K];
export type Infer = Operation<'infer'>;

export type TenantLimits = {
  readonly requestsPerSecond?: number;
  readonly requestBurst?: number;
  readonly rowsPerMinute?: number;
  readonly dailyComputeMs?: number;
};

/** What it was told. `refused` with a job is that job's own failure, or the job that holds the key. */
export type Told =
  | {
      readonly is: 'answered';
      readonly job: string;
      readonly version: string;
      readonly values: readonly number[];
      readonly computeMs: number;
      readonly endedAtMs: number;
      readonly replayed: boolean;
    }
  | { readonly is: 'accepted'; readonly job: string; readonly version: string }
  | { readonly is: 'refused'; readonly code: string; readonly job: string | undefined; readonly detail?: string }
  | { readonly is: 'cancelled' | 'ended' }
  | { readonly is: 'granted'; readonly units: number }
  | { readonly is: 'done'; readonly facts: Readonly<Record<string, string | number | boolean | undefined>> };

export type Entry =
  | { readonly e: 'started'; readonly incarnation: number; readonly atMs: number }
  | { readonly e: 'asked'; readonly id: string; readonly op: Operation; readonly atMs: number }
  | { readonly e: 'told'; readonly id: string; readonly told: Told; readonly atMs: number }
  | { readonly e: 'jumped'; readonly offsetMs: number }
  | { readonly e: 'died'; readonly at: string }
  | { readonly e: 'closed' };

/** A client's notebook: a line is with the operating system when `append` returns, so that no kill takes it back. */
export class HistoryWriter {
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, 'a');
  }

  append(entry: Entry): void {
    writeSync(this.#file, `${JSON.stringify(entry)}\n`);
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** All whole lines, in order; the last one may have been cut off by a kill. */
export function readHistory(path: string): Entry[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  lines.pop();
  return lines.map((line) => JSON.parse(line) as Entry);
}
