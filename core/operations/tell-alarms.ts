import { alarmToJson } from '../api/alarm-json.ts';
import type { Platform } from '../ports/platform.ts';
import { messageTo } from '../webhooks/fan-out.ts';
import { ALARM_EVENT, REGION_OWNER } from '../webhooks/webhook.ts';
import type { AlarmState } from './alarm-state.ts';
import { keyOf, ruleOf } from './alarms.ts';
import { isOn } from './list-alarms.ts';

/** Alarms that have gone on, or are over, within a minute. */
export type AlarmChanges = { readonly on: readonly AlarmState[]; readonly over: readonly AlarmState[] };

/** Tells somebody. May be asked twice for the same, after a crash. */
export type TellAlarms = (changes: AlarmChanges, nowMs: number) => Promise<void>;

export function changesOf(before: readonly AlarmState[], after: readonly AlarmState[]): AlarmChanges {
  const names = (alarms: readonly AlarmState[]) => new Set(alarms.filter(isOn).map(nameOf));
  const [were, are] = [names(before), names(after)];
  return {
    on: after.filter((alarm) => isOn(alarm) && !were.has(nameOf(alarm))),
    over: before.filter((alarm) => isOn(alarm) && !are.has(nameOf(alarm))),
  };
}

/** Addresses a message to each webhook of the region that wants such events. */
export function webhookAlarms({ webhooks, config }: Pick<Platform, 'webhooks' | 'config'>): TellAlarms {
  return async ({ on, over }, nowMs) => {
    const endpoints = (await webhooks.listEndpoints(REGION_OWNER)).filter(
      ({ disabled, events }) => disabled === 'no' && events.includes(ALARM_EVENT),
    );
    const changes = [...on.map((alarm) => ({ alarm, is: 'on' })), ...over.map((alarm) => ({ alarm, is: 'over' }))];
    const messages = changes.flatMap(({ alarm, is }) => {
      const body = bodyOf(alarm, is, config, nowMs);
      const name = `${nameOf(alarm)}/${is}/${nowMs}`;
      const message = { tenant: REGION_OWNER, about: alarm.id, name, event: ALARM_EVENT, body } as const;
      return endpoints.map((endpoint) => messageTo(endpoint, message, nowMs));
    });
    await webhooks.addDeliveries(messages);
  };
}

/** `text` is what Slack's incoming webhooks show. */
function bodyOf(
  alarm: AlarmState,
  is: string,
  { region, runbookUrl }: Pick<Platform['config'], 'region' | 'runbookUrl'>,
  nowMs: number,
): string {
  const { severity, says } = ruleOf(alarm.id);
  const data = alarmToJson(alarm, runbookUrl);
  const of = keyOf(alarm.of);
  return JSON.stringify({
    type: ALARM_EVENT,
    timestamp: new Date(nowMs).toISOString(),
    text: `${region}: ${alarm.id}${of === '' ? '' : ` (${of})`} is ${is}. ${says} (${severity}, ${data.runbook_url})`,
    data: { ...data, state: is === 'on' ? 'alarm' : 'ok', region },
  });
}

function nameOf({ id, of }: AlarmState): string {
  return `${id}/${keyOf(of)}`;
}
