/** What the load generator is told: it sends to loopback only, for a bounded time. */
export type LoadSpec = {
  readonly port: number;
  /** Sent in turn, over and over. */
  readonly requests: readonly LoadRequest[];
  readonly loop: ClosedLoop | OpenLoop;
  /** Load before the figures start to count. */
  readonly warmupMs: number;
  readonly durationMs: number;
  /** Keep when each counted request was sent and answered, and how: for thousands, not millions. */
  readonly trace?: boolean;
};

export type LoadRequest = {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/** A fixed number in flight: each connection sends its next request as soon as an answer is there. */
export type ClosedLoop = { readonly kind: 'closed'; readonly connections: number };

/**
 * `each` requests are due every `everyMs`, answered or not. Latency counts from when a request was due, so that a
 * server that stalls is charged for those who had to wait (no coordinated omission).
 */
export type OpenLoop = {
  readonly kind: 'open';
  readonly everyMs: number;
  readonly each: number;
  readonly connections: number;
};

/** Figures of the requests that were due in the counted window. Times are milliseconds. */
export type LoadReport = {
  readonly windowMs: number;
  /** Answers that came within the window. */
  readonly answered: number;
  readonly statuses: Readonly<Record<string, number>>;
  /** Connections that failed, and requests still unanswered 10 s after the window. */
  readonly broken: number;
  readonly unanswered: number;
  /** Counts of latency in the buckets of `Histogram`, of answers with status 2xx. */
  readonly latency: readonly number[];
  /** CPU that the generator used in the window. */
  readonly cpuMs: number;
  readonly trace: readonly TracedRequest[];
};

export type TracedRequest = { readonly sentMs: number; readonly answeredMs: number; readonly status: number };
