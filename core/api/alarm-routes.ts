import { alarmJson, checkJson } from './alarm-json.ts';
import type { RouteShape } from './route-shape.ts';
import { listOf } from './schemas.ts';

const control = { plane: 'control', role: 'operator' } as const;

export const ALARM_ROUTES = [
  {
    ...control,
    id: 'alarm-list',
    method: 'GET',
    path: '/control/v1/alarms',
    summary: 'Every alarm as of the last minute, those that are on first',
    responses: { 200: listOf(alarmJson) },
  },
  {
    ...control,
    id: 'check-list',
    method: 'GET',
    path: '/control/v1/checks',
    summary: 'The last 60 synthetic checks through the public path, newest first',
    responses: { 200: listOf(checkJson) },
  },
] as const satisfies readonly RouteShape[];
