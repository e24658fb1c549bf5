import {
  feedbackBody,
  feedbackGivenJson,
  feedbackJson,
  feedbackQuery,
  tenantFeedbackQuery,
} from './feedback-schemas.ts';
import type { RouteShape } from './route-shape.ts';

export const FEEDBACK_ROUTES = [
  {
    id: 'feedback-give',
    method: 'POST',
    path: '/v2/predictions/{prediction}/feedback',
    summary: 'Tell the true label of a prediction; 200 if the same was told before',
    plane: 'data',
    role: 'tenant-user',
    body: feedbackBody,
    responses: { 201: feedbackGivenJson, 200: feedbackGivenJson },
  },
  {
    id: 'model-feedback',
    method: 'GET',
    path: '/control/v1/models/{model}/feedback',
    summary:
      'How often a version was right, by the feedback of all tenants: accuracy, F1 by class, calibration, over time. The last 7 days unless told otherwise',
    plane: 'control',
    role: 'operator',
    query: feedbackQuery,
    responses: { 200: feedbackJson },
  },
  {
    id: 'tenant-feedback',
    method: 'GET',
    path: '/control/v1/tenants/{tenant}/models/{model}/feedback',
    summary: "The same by a tenant's own feedback alone, by UTC day. The last 30 days unless told otherwise",
    plane: 'control',
    role: 'tenant-admin',
    query: tenantFeedbackQuery,
    responses: { 200: feedbackJson },
  },
] as const satisfies readonly RouteShape[];
