import type { RouteId } from '../../core/api/routes.ts';
import type { HttpHandler } from '../middleware/http-handler.ts';
import type { ModelHost } from './host.ts';
import { infer, inferVersion } from './infer.ts';
import { deleteIssuer, getIssuers, replaceIssuer } from './issuers.ts';
import {
  deleteKey,
  deleteOperatorKey,
  getKeys,
  getOperatorKeys,
  postBrowserToken,
  postKey,
  postOperatorKey,
} from './keys.ts';
import {
  listModels,
  readModelMetadata,
  readModelReadiness,
  readVersionMetadata,
  readVersionReadiness,
} from './models.ts';
import { deleteNoticeWebhook, getNoticeWebhooks, postNoticeWebhook } from './notice-webhooks.ts';
import { getPlans, replacePlan } from './plans.ts';
import { cancelPrediction, readPrediction } from './predictions.ts';
import { createPreflight } from './preflight.ts';
import { createRefusal } from './refuse.ts';
import { getRelease, getReleaseAudits, getReleases, postRelease, postReleaseVerb } from './releases.ts';
import { postModelReplay } from './replays.ts';
import { readLiveness, readOpenApi, readReadiness, readServerMetadata } from './server.ts';
import {
  deletePin,
  deleteTenant,
  deleteTenantData,
  getTenant,
  getTenants,
  getUsage,
  patchTenant,
  postTenant,
  putCaptureConsent,
  putPin,
} from './tenants.ts';
import { postUpload, putUpload } from './uploads.ts';
import { getValidation, getValidations } from './validations.ts';
import { getModelRoutes, getVersion, getVersions, postVersion, putStable } from './versions.ts';
import {
  deleteWebhook,
  getDeliveries,
  getWebhook,
  getWebhooks,
  patchWebhook,
  postReplay,
  postSecretRotation,
  postWebhook,
  postWebhookTest,
} from './webhooks.ts';

/** The handler of every route in the table; the compiler sees to it that none is missing. */
const HANDLERS: Readonly<Record<RouteId, (host: ModelHost) => HttpHandler>> = {
  'server-metadata': readServerMetadata,
  'server-live': readLiveness,
  'server-ready': readReadiness,
  'model-list': listModels,
  'model-metadata': readModelMetadata,
  'version-metadata': readVersionMetadata,
  'model-ready': readModelReadiness,
  'version-ready': readVersionReadiness,
  infer,
  'version-infer': inferVersion,
  'prediction-read': readPrediction,
  'prediction-cancel': cancelPrediction,
  openapi: readOpenApi,
  'tenant-create': postTenant,
  'tenant-list': getTenants,
  'tenant-read': getTenant,
  'tenant-patch': patchTenant,
  'tenant-remove': deleteTenant,
  'tenant-erase': deleteTenantData,
  'capture-consent-put': putCaptureConsent,
  'tenant-usage': getUsage,
  'key-create': postKey,
  'key-list': getKeys,
  'key-revoke': deleteKey,
  'browser-token-create': postBrowserToken,
  'operator-key-create': postOperatorKey,
  'operator-key-list': getOperatorKeys,
  'operator-key-revoke': deleteOperatorKey,
  'plan-list': getPlans,
  'plan-put': replacePlan,
  'issuer-list': getIssuers,
  'issuer-put': replaceIssuer,
  'issuer-remove': deleteIssuer,
  'upload-create': postUpload,
  'upload-receive': putUpload,
  'version-push': postVersion,
  'validation-list': getValidations,
  'validation-read': getValidation,
  'version-list': getVersions,
  'version-read': getVersion,
  'model-replay': postModelReplay,
  'model-route-list': getModelRoutes,
  'stable-put': putStable,
  'release-start': postRelease,
  'release-list': getReleases,
  'release-read': getRelease,
  'release-audit-list': getReleaseAudits,
  'release-verb': postReleaseVerb,
  'pin-put': putPin,
  'pin-remove': deletePin,
  'notice-webhook-create': postNoticeWebhook,
  'notice-webhook-list': getNoticeWebhooks,
  'notice-webhook-remove': deleteNoticeWebhook,
  'webhook-create': postWebhook,
  'webhook-list': getWebhooks,
  'webhook-read': getWebhook,
  'webhook-patch': patchWebhook,
  'webhook-remove': deleteWebhook,
  'webhook-secret-rotate': postSecretRotation,
  'webhook-test': postWebhookTest,
  'delivery-list': getDeliveries,
  'delivery-replay': postReplay,
};

/** The handler of each route. They keep nothing but what they are made from. */
export function createHandlers(host: ModelHost): Readonly<Record<RouteId, HttpHandler>> {
  const routes = Object.entries(HANDLERS).map(([id, create]) => [id, create(host)]);
  return Object.fromEntries(routes) as Record<RouteId, HttpHandler>;
}

/** All that a host calls. */
export type HttpHandlers = {
  readonly routes: Readonly<Record<RouteId, HttpHandler>>;
  /** OPTIONS on any route. */
  readonly preflight: HttpHandler;
  /** Whatever no route takes: answers the invocation's refusal. */
  readonly refuse: HttpHandler;
};

export function createHttp(host: ModelHost): HttpHandlers {
  return { routes: createHandlers(host), preflight: createPreflight(host), refuse: createRefusal(host) };
}
