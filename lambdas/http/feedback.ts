import { feedbackToJson } from '../../core/api/feedback-json.ts';
import { spanOf } from '../../core/api/time-span.ts';
import { readFeedback, readTenantFeedback } from '../../core/quality/feedback/read-feedback.ts';
import { DAY_MS, SECOND_MS } from '../../core/units.ts';
import type { HttpHandler } from '../middleware/http-handler.ts';
import { endpoint } from './endpoint.ts';
import type { HttpHost } from './host.ts';

/** What is looked at unless the query says so: labels come days after answers. */
const MODEL_SPAN_MS = 7 * DAY_MS;
const TENANT_SPAN_MS = 30 * DAY_MS;

export function postFeedback(host: HttpHost): HttpHandler {
  return endpoint(host, 'feedback-give', async ({ exchange, params, body }) => {
    const knownAtMs = body.at === undefined ? undefined : Date.parse(body.at);
    const truth = { label: body.label, knownAtMs };
    const given = await host.gateway.giveFeedback(exchange.actingFor, params.prediction, truth);
    const isFirst = given === 'counted';
    return { status: isFirst ? 201 : 200, body: { id: params.prediction, counted: isFirst } };
  });
}

export function getModelFeedback(host: HttpHost): HttpHandler {
  return endpoint(host, 'model-feedback', async ({ params: { model }, query: { version, ...asked } }) => {
    const span = spanOf(withSpan(asked, MODEL_SPAN_MS, host.clock.nowMs()), host.clock.nowMs());
    const read = await readFeedback(host, { model, version, ...span });
    return { status: 200, body: feedbackToJson(model, read, span) };
  });
}

export function getTenantFeedback(host: HttpHost): HttpHandler {
  return endpoint(host, 'tenant-feedback', async ({ params: { tenant, model }, query: { version, ...asked } }) => {
    const days = { ...withSpan(asked, TENANT_SPAN_MS, host.clock.nowMs()), step_s: DAY_MS / SECOND_MS };
    const span = spanOf(days, host.clock.nowMs());
    const read = await readTenantFeedback(host, tenant, { model, version, ...span });
    return { status: 200, body: feedbackToJson(model, read, span) };
  });
}

type Asked = { readonly from?: string | undefined; readonly until?: string | undefined };

function withSpan<T extends Asked>(asked: T, spanMs: number, nowMs: number): T {
  const untilMs = asked.until === undefined ? nowMs : Date.parse(asked.until);
  return { ...asked, from: asked.from ?? new Date(untilMs - spanMs).toISOString() };
}
