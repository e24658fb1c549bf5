import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { InMemorySpanExporter, type ReadableSpan } from '@opentelemetry/sdk-trace';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createOtlpSpans, createSpans } from '../../adapters/otel/spans.ts';
import type { Spans } from '../../core/ports/spans.ts';
import { childOf, traceOf } from '../../core/trace/trace-context.ts';
import { CUE, crashOnCue } from '../support/bad-models.ts';
import { type ApiClient, fourOf, int64s } from '../support/http-client.ts';
import { expectProblem } from '../support/problems.ts';
import { type RunningPlatform, startRunning } from '../support/running-platform.ts';

const CALLER = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
const TRACEPARENT = `00-${CALLER.traceId}-${CALLER.spanId}-00`;
/** Nobody else's number. */
const PAYLOAD = 77_345;

type Traced = {
  readonly running: RunningPlatform;
  readonly acme: ApiClient;
  spans(): Promise<readonly ReadableSpan[]>;
};

async function startTraced(share: number): Promise<Traced> {
  const exporter = new InMemorySpanExporter();
  const spans = createSpans(exporter, { share, attributes: { 'sluice.region': 'us' }, tracesPerSecond: 1000 });
  const running = await startRunning({ models: ['row-sum', crashOnCue()], runners: 1, spans: () => spans });
  return {
    running,
    acme: await running.addTenant('acme'),
    async spans() {
      await spans.flush();
      return exporter.getFinishedSpans();
    },
  };
}

describe('every request is traced', () => {
  let traced: Traced;
  beforeAll(async () => {
    traced = await startTraced(1);
  });
  afterAll(() => traced.running.end());

  /** Of one trace, once its request has ended. */
  async function traceFrom(traceId: string): Promise<readonly ReadableSpan[]> {
    return vi.waitFor(async () => {
      const found = (await traced.spans()).filter((span) => span.spanContext().traceId === traceId);
      expect(found.map(({ name }) => name)).toContain('POST /v2/models/{model}/infer');
      return found;
    });
  }

  test('from the request through the queue to its batch and the runner: one connected trace below its caller', async () => {
    const answer = await traced.acme.infer('row-sum', fourOf(PAYLOAD), { headers: { traceparent: TRACEPARENT } });
    expect(answer.status).toBe(200);
    const spans = await traceFrom(CALLER.traceId);
    const named = Object.fromEntries(spans.map((span) => [span.name, span]));
    const parentOf = (name: string) => named[name]?.parentSpanContext?.spanId;
    const idOf = (name: string) => named[name]?.spanContext().spanId;
    const request = 'POST /v2/models/{model}/infer';
    expect(spans.map(({ name }) => name).sort()).toEqual([request, 'batch', 'queue', 'run', 'runner'].sort());
    expect([request, 'queue', 'run', 'batch', 'runner'].map(parentOf)).toEqual([
      CALLER.spanId,
      idOf(request),
      idOf(request),
      idOf('run'),
      idOf('batch'),
    ]);
    expect(named[request]!.attributes).toMatchObject({
      'http.response.status_code': 200,
      'sluice.tenant': 'acme',
      'sluice.model': 'row-sum',
      'sluice.region': 'us',
    });
    for (const { startTime, endTime, duration } of spans) {
      expect(duration[0]).toBeGreaterThanOrEqual(0);
      expect(endTime[0] * 1e9 + endTime[1]).toBeGreaterThanOrEqual(startTime[0] * 1e9 + startTime[1]);
    }
  });

  test('a batch links the requests that share it', async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, (_, at) => traced.acme.infer('row-sum', fourOf(at))));
    for (const { status } of answers) expect(status).toBe(200);
    await vi.waitFor(async () => {
      const spans = await traced.spans();
      const batches = spans.filter(
        ({ name, attributes }) => name === 'batch' && Number(attributes['sluice.batch.jobs']) > 1,
      );
      expect(batches.length).toBeGreaterThan(0);
      for (const { links, attributes } of batches) expect(links.length).toBe(attributes['sluice.batch.jobs']);
      const runs = spans.filter(({ name }) => name === 'run');
      const ids = new Set(runs.map((span) => span.spanContext().spanId));
      expect(batches.flatMap(({ links }) => links).every(({ context }) => ids.has(context.spanId))).toBe(true);
    });
  });

  test('nothing of a payload or a key is in a span', async () => {
    await traced.acme.infer('row-sum', fourOf(PAYLOAD));
    const told = JSON.stringify(
      (await traced.spans()).map(({ name, attributes, status, links }) => [name, attributes, status, links]),
    );
    expect(told).not.toContain(String(PAYLOAD));
    expect(told).not.toContain(traced.acme.key!);
    expect(told).not.toMatch(/slk_/);
  });
});

describe('no request is sampled', () => {
  let traced: Traced;
  beforeAll(async () => {
    traced = await startTraced(0);
  });
  afterAll(() => traced.running.end());

  test('what went well leaves nothing, what failed leaves its whole way, whatever its caller says of sampling', async () => {
    const headers = { traceparent: TRACEPARENT.replace(/00$/, '01') };
    expect((await traced.acme.infer('row-sum', fourOf(1), { headers })).status).toBe(200);
    expectProblem(await traced.acme.infer('no-such-model', fourOf(1)), 'model-unknown');
    expect(await traced.spans()).toEqual([]);
    const answer = await traced.acme.infer(crashOnCue().manifest.name, int64s('n', CUE.crash), { headers });
    expect(answer.status).toBeGreaterThanOrEqual(500);
    await vi.waitFor(async () => {
      const spans = await traced.spans();
      expect(new Set(spans.map((span) => span.spanContext().traceId))).toEqual(new Set([CALLER.traceId]));
      const failures = Object.fromEntries(spans.map(({ name, attributes }) => [name, attributes['error.type']]));
      expect(failures).toMatchObject({ run: 'crashed', runner: 'crashed', outcome: expect.any(String) });
      expect(failures['POST /v2/models/{model}/infer']).toBe(failures.outcome);
    });
  });
});

test('no more traces are sampled in a second than one may cost', () => {
  const spans = createSpans(new InMemorySpanExporter(), { share: 1, attributes: {}, tracesPerSecond: 3 });
  const inSecond = (ms: number) => Array.from({ length: 5 }, () => spans.hasRoom(ms)).filter(Boolean).length;
  expect([inSecond(1000), inSecond(1999), inSecond(2000)]).toEqual([3, 0, 3]);
});

describe('the way to a collector', () => {
  test('is OTLP over HTTP; one that is away costs no request anything', async () => {
    const bodies: string[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        bodies.push(`${request.url} ${body}`);
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const spans = createOtlpSpans(url, { share: 1, attributes: { 'sluice.region': 'us' } });
    recordOne(spans);
    await spans.flush();
    expect(bodies).toHaveLength(1);
    expect(bodies[0]).toMatch(/^\/v1\/traces .*"resourceSpans".*"sluice\.region"/);
    expect(bodies[0]).toContain(CALLER.traceId);
    await new Promise((resolve) => server.close(resolve));
    recordOne(spans);
    await spans.flush();
  });
});

function recordOne(spans: Spans): void {
  const { context, parent } = traceOf(TRACEPARENT, 1);
  const when = { startMs: 1000, endMs: 1001.5 };
  spans.record({ context, parent, name: 'request', kind: 'server', ...when, attributes: {} });
  spans.record({ context: childOf(context), parent: context, name: 'run', kind: 'internal', ...when, attributes: {} });
}
