export type IdempotencyKey = {
  readonly tenant: string;
  readonly principal: string;
  readonly route: string;
  readonly key: string;
};

export type IdempotencyRecord = {
  /** Tenant-keyed HMAC of the decoded request, hex. */
  readonly fingerprint: string;
  readonly jobId: string;
  /** Until then the caller that made the claim is taken to be at work on it. */
  readonly leaseUntilMs: number;
  readonly expiresAtMs: number;
};

/** Which job answers a key. Records past `expiresAtMs` are as if they were not there. */
export interface Idempotency {
  read(key: IdempotencyKey, nowMs: number): Promise<IdempotencyRecord | undefined>;
  /** Durable when it resolves with 'claimed'; of concurrent claims exactly one wins, the others get the winner's record. */
  claim(key: IdempotencyKey, record: IdempotencyRecord, nowMs: number): Promise<'claimed' | IdempotencyRecord>;
  /** Takes over an expired lease: of concurrent callers exactly one gets true. */
  renew(key: IdempotencyKey, jobId: string, leaseUntilMs: number, nowMs: number): Promise<boolean>;
  erase(tenant: string): Promise<void>;
}
