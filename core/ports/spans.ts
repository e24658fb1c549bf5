/** Where in a trace something is: W3C Trace Context. */
export type TraceContext = {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  /** Spans of this trace are kept; of the others only those that failed. */
  readonly sampled: boolean;
};

/** Something that took time and is over. Attributes are names, sizes and outcomes: never payload, label text or a secret. */
export type FinishedSpan = {
  readonly context: TraceContext;
  /** Undefined: it begins its trace. */
  readonly parent: TraceContext | undefined;
  readonly name: string;
  readonly kind: 'server' | 'consumer' | 'internal';
  readonly startMs: number;
  readonly endMs: number;
  /** What it failed with; undefined: it did not. */
  readonly failure?: string | undefined;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** Spans that it has to do with and is no child of: a batch's requests. */
  readonly links?: readonly TraceContext[] | undefined;
};

/** Takes spans away to wherever traces are looked at. Bounded: what finds no room is dropped. */
export interface Spans {
  /** 0 to 1: the share of traces that begin here of which spans are kept. */
  readonly share: number;
  /** Asked before a trace is sampled: false once as many were within this second as one may cost. What fails is told all the same. */
  hasRoom(nowMs: number): boolean;
  /** Never throws and never blocks. */
  record(span: FinishedSpan): void;
  /** Resolves once what was recorded before is away or given up. Never throws. */
  flush(): Promise<void>;
}
