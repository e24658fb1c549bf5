import type { RouteId } from '../../core/api/routes.ts';
import type { HttpHandler } from '../middleware/http-handler.ts';
import { getAlarms, getChecks } from './alarms.ts';
import { getAudit, getAuditVerification, getTenantAudit } from './audits.ts';
import { deleteBudget, getBudgets, getOrphans, replaceBudget } from './budgets.ts';
import { getCost, getTenantCost } from './cost.ts';
import { deleteDeadLetter, getDeadLetters, getTenantDeadLetters } from './dead-letters.ts';
import { getModelFeedback, getTenantFeedback } from './feedback.ts';
import type { HttpHost } from './host.ts';
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
import { getModelMetrics, getOverview } from './metrics.ts';
import { deleteNoticeWebhook, getNoticeWebhooks, postNoticeWebhook } from './notice-webhooks.ts';
import { getLogLevel, getPools, putLogLevel } from './operations.ts';
import { getPlans, replacePlan } from './plans.ts';
import { getQuality, getTenantQuality, postQualityCheck, putQualityReference } from './quality.ts';
import { getAllReleases, getRelease, getReleaseAudits, getReleases, postReleaseVerb } from './releases.ts';
import { getSession } from './sessions.ts';
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
import { getModel, getModelRoutes, getVersion, getVersions, postVersion, putStable } from './versions.ts';
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

/** Endpoints by which a region is administered, but those that run models. */
export const CONTROL_HANDLERS = {
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
  'model-read': getModel,
  'stable-put': putStable,
  'quality-read': getQuality,
  'quality-check': postQualityCheck,
  'quality-reference-put': putQualityReference,
  'tenant-quality-read': getTenantQuality,
  'release-list': getReleases,
  'release-list-all': getAllReleases,
  'release-read': getRelease,
  'release-audit-list': getReleaseAudits,
  'release-verb': postReleaseVerb,
  'pin-put': putPin,
  'pin-remove': deletePin,
  'notice-webhook-create': postNoticeWebhook,
  'notice-webhook-list': getNoticeWebhooks,
  'notice-webhook-remove': deleteNoticeWebhook,
  'pool-list': getPools,
  'dead-letter-list': getDeadLetters,
  'tenant-dead-letter-list': getTenantDeadLetters,
  'dead-letter-discard': deleteDeadLetter,
  'audit-list': getAudit,
  'tenant-audit-list': getTenantAudit,
  'audit-verify': getAuditVerification,
  'log-level-read': getLogLevel,
  'log-level-put': putLogLevel,
  'webhook-create': postWebhook,
  'webhook-list': getWebhooks,
  'webhook-read': getWebhook,
  'webhook-patch': patchWebhook,
  'webhook-remove': deleteWebhook,
  'webhook-secret-rotate': postSecretRotation,
  'webhook-test': postWebhookTest,
  'delivery-list': getDeliveries,
  'delivery-replay': postReplay,
  'cost-read': getCost,
  'tenant-cost-read': getTenantCost,
  'budget-list': getBudgets,
  'budget-put': replaceBudget,
  'budget-remove': deleteBudget,
  'orphan-list': getOrphans,
  overview: getOverview,
  'model-metrics': getModelMetrics,
  'model-feedback': getModelFeedback,
  'tenant-feedback': getTenantFeedback,
  'session-read': getSession,
  'alarm-list': getAlarms,
  'check-list': getChecks,
} as const satisfies { readonly [Id in RouteId]?: (host: HttpHost) => HttpHandler };
