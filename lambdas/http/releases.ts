import { pageToJson } from '../../core/api/control-json.ts';
import { parseIdempotencyKey } from '../../core/api/headers.ts';
import {
  releaseAuditToJson,
  releaseDetailToJson,
  releasePath,
  releaseStartedToJson,
  releaseToJson,
  releaseVerbToJson,
} from '../../core/api/release-json.ts';
import { Replays } from '../../core/models/replay/replay.ts';
import { beginRelease } from '../../core/release/begin-release.ts';
import { giveVerb, listReleaseAudits, listReleases, readRelease } from '../../core/release/manage-releases.ts';
import { readNumbers } from '../../core/release/read-numbers.ts';
import { listAllReleases } from '../../core/release/release-lists.ts';
import type { HttpHandler } from '../middleware/http-handler.ts';
import { endpoint } from './endpoint.ts';
import type { HttpHost, ModelHost } from './host.ts';

export function postRelease(host: ModelHost): HttpHandler {
  const replays = new Replays(host);
  return endpoint(host, 'release-start', async ({ exchange, params, body }) => {
    const { version, plan, reason: why } = body;
    exchange.reason = why;
    const { signal } = exchange.invocation;
    const key = parseIdempotencyKey(exchange.headers['idempotency-key']);
    const request = { model: params.model, version, plan, why, by: exchange.asker.id, key, signal };
    const begun = await beginRelease(host, replays, request);
    const headers = { Location: releasePath(begun.release) };
    return { status: 202, body: releaseStartedToJson(begun, host.clock.nowMs()), headers };
  });
}

export function getReleases(host: HttpHost): HttpHandler {
  return endpoint(host, 'release-list', async ({ params, query }) => {
    const page = await listReleases(host, params.model, query.limit, query.cursor);
    const nowMs = host.clock.nowMs();
    return { status: 200, body: pageToJson(page, (release) => releaseToJson(release, nowMs)) };
  });
}

export function getAllReleases(host: HttpHost): HttpHandler {
  return endpoint(host, 'release-list-all', async ({ query }) => {
    const page = await listAllReleases(host, query.state, query.limit, query.cursor);
    const nowMs = host.clock.nowMs();
    return { status: 200, body: pageToJson(page, (release) => releaseToJson(release, nowMs)) };
  });
}

export function getRelease(host: HttpHost): HttpHandler {
  return endpoint(host, 'release-read', async ({ exchange, params }) => {
    const release = await readRelease(host, params.release);
    const numbers = await readNumbers(host, release);
    const { usdPerComputeHour } = host.config;
    const shown = { by: exchange.asker.id, nowMs: host.clock.nowMs(), usdPerComputeHour };
    return { status: 200, body: releaseDetailToJson(release, numbers, shown) };
  });
}

export function getReleaseAudits(host: HttpHost): HttpHandler {
  return endpoint(host, 'release-audit-list', async ({ params, query }) => ({
    status: 200,
    body: pageToJson(await listReleaseAudits(host, params.release, query.limit, query.cursor), releaseAuditToJson),
  }));
}

export function postReleaseVerb(host: HttpHost): HttpHandler {
  return endpoint(host, 'release-verb', async ({ exchange, params, body }) => {
    const { verb, reason: why, version, attempt } = body;
    exchange.reason = `${verb}: ${why}`;
    const key = parseIdempotencyKey(exchange.headers['idempotency-key']);
    const id = body.id ?? key ?? crypto.randomUUID();
    const given = await giveVerb(host, params.release, { id, verb, by: exchange.asker.id, why, version, attempt });
    return { status: 200, body: releaseVerbToJson(given, host.clock.nowMs()) };
  });
}
