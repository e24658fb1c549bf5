import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Cloud, startCloud } from '../support/aws/cloud.ts';
import { DeployedPlatform } from '../support/aws/deployed-platform.ts';
import { fourOf } from '../support/http-client.ts';

const CALLER = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };
const REQUEST = 'POST /v2/models/{model}/infer';

/** As OTLP writes it in JSON. */
type SpanJson = {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
};
type Body = { readonly resourceSpans: { readonly scopeSpans: { readonly spans: SpanJson[] }[] }[] };

const spans: SpanJson[] = [];
let collector: Server;
let cloud: Cloud;
let platform: DeployedPlatform;

beforeAll(async () => {
  collector = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Body;
    spans.push(...body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  cloud = await startCloud();
  const tracesUrl = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  platform = await DeployedPlatform.start(cloud, { models: ['row-sum'], runners: 1, tracesUrl });
}, 120_000);

afterAll(async () => {
  await platform?.end();
  await cloud?.stop();
  collector?.close();
});

test('a function, the queue, a worker and its runner are one connected trace at a collector', async () => {
  const acme = await platform.addTenant('acme');
  const headers = { traceparent: `00-${CALLER.traceId}-${CALLER.spanId}-00` };
  expect((await acme.infer('row-sum', fourOf(1), { headers })).status).toBe(200);
  const found = await vi.waitFor(() => {
    const ours = spans.filter(({ traceId }) => traceId === CALLER.traceId);
    expect(ours.map(({ name }) => name).sort()).toEqual([REQUEST, 'batch', 'queue', 'run', 'runner'].sort());
    return Object.fromEntries(ours.map((span) => [span.name, span]));
  });
  expect(found[REQUEST]!.parentSpanId).toBe(CALLER.spanId);
  expect([found.queue!.parentSpanId, found.run!.parentSpanId]).toEqual([
    found[REQUEST]!.spanId,
    found[REQUEST]!.spanId,
  ]);
  expect(found.batch!.parentSpanId).toBe(found.run!.spanId);
  expect(found.runner!.parentSpanId).toBe(found.batch!.spanId);
});
