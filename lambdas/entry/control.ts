import { deleteIssuer, getIssuers, replaceIssuer } from '../http/issuers.ts';
import {
  deleteKey,
  deleteOperatorKey,
  getKeys,
  getOperatorKeys,
  postBrowserToken,
  postKey,
  postOperatorKey,
} from '../http/keys.ts';
import { deleteNoticeWebhook, getNoticeWebhooks, postNoticeWebhook } from '../http/notice-webhooks.ts';
import { getPlans, replacePlan } from '../http/plans.ts';
import { getRelease, getReleaseAudits, getReleases, postReleaseVerb } from '../http/releases.ts';
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
} from '../http/tenants.ts';
import { postUpload, putUpload } from '../http/uploads.ts';
import { getValidation, getValidations } from '../http/validations.ts';
import { getModelRoutes, getVersion, getVersions, postVersion, putStable } from '../http/versions.ts';
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
} from '../http/webhooks.ts';
import { buffered } from './buffered.ts';
import { openHost } from './host.ts';
import { start } from './main.ts';
import { createServe, type RoutesOf } from './serve.ts';

const ROUTES: RoutesOf<'control'> = {
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
  'model-route-list': getModelRoutes,
  'stable-put': putStable,
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

export const handler = await start(async (lambda) => {
  const host = await openHost(lambda);
  return buffered(host, createServe(host, ROUTES));
});
