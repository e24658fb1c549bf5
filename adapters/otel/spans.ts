import { type Attributes, type HrTime, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace';
import type { FinishedSpan, Spans, TraceContext } from '../../core/ports/spans.ts';
import { SECOND_MS } from '../../core/units.ts';

const KINDS = { server: SpanKind.SERVER, consumer: SpanKind.CONSUMER, internal: SpanKind.INTERNAL } as const;
const LIMITS = {
  maxQueueSize: 4096,
  maxExportBatchSize: 512,
  scheduledDelayMillis: 2 * SECOND_MS,
  exportTimeoutMillis: 5 * SECOND_MS,
};

/** A trace is five spans, 0.1 ms to make and send: half a percent of a core. */
const TRACES_PER_SECOND = 50;

export type SpansOptions = {
  /** See `Spans.share`. */
  readonly share: number;
  /** Of the process: its region, its pool. */
  readonly attributes: Attributes;
  /** Traces that this process samples in a second; default 50. */
  readonly tracesPerSecond?: number;
};

/** Sends spans by OTLP over HTTP, as JSON, to `<url>/v1/traces`. */
export function createOtlpSpans(url: string, options: SpansOptions): Spans {
  const exporter = new OTLPTraceExporter({
    url: `${url.replace(/\/+$/, '')}/v1/traces`,
    timeoutMillis: LIMITS.exportTimeoutMillis,
  });
  return createSpans(exporter, options);
}

/** Gives spans to any exporter of OpenTelemetry, in batches; 4,096 wait at the most, and 50 traces are sampled a second unless told otherwise. */
export function createSpans(
  exporter: SpanExporter,
  { share, attributes, tracesPerSecond = TRACES_PER_SECOND }: SpansOptions,
): Spans {
  const processor = new BatchSpanProcessor({ exporter, ...LIMITS });
  const resource = resourceFromAttributes({ 'service.name': 'sluice', ...attributes });
  let [second, traces] = [0, 0];
  return {
    share,
    hasRoom(nowMs) {
      const now = Math.floor(nowMs / SECOND_MS);
      if (now !== second) [second, traces] = [now, 0];
      traces += 1;
      return traces <= tracesPerSecond;
    },
    record(span) {
      try {
        processor.onEnd(toReadable(span, resource));
      } catch {
        // What is told of a request is never a reason for it to fail.
      }
    },
    flush: () => processor.forceFlush().catch(() => {}),
  };
}

function toReadable(span: FinishedSpan, resource: ReadableSpan['resource']): ReadableSpan {
  const { name, kind, startMs, endMs, failure, attributes, links = [], parent } = span;
  const context = toContext(span.context);
  return {
    name,
    kind: KINDS[kind],
    spanContext: () => context,
    ...(parent && { parentSpanContext: toContext(parent) }),
    startTime: toTime(startMs),
    endTime: toTime(endMs),
    duration: toTime(Math.max(0, endMs - startMs)),
    status: failure === undefined ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: failure },
    attributes: failure === undefined ? attributes : { ...attributes, 'error.type': failure },
    links: links.map((link) => ({ context: toContext(link) })),
    events: [],
    ended: true,
    resource,
    instrumentationScope: { name: 'sluice' },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** What is recorded is to be exported: sampling was decided before. */
function toContext({ traceId, spanId }: TraceContext): ReturnType<ReadableSpan['spanContext']> {
  return { traceId, spanId, traceFlags: TraceFlags.SAMPLED };
}

/** Seconds and nanoseconds. */
function toTime(ms: number): HrTime {
  const seconds = Math.floor(ms / SECOND_MS);
  return [seconds, Math.round((ms - seconds * SECOND_MS) * 1e6)];
}
