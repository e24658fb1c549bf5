import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ALARMS } from '../../lib/constructs/alarm-board.ts';
import { FUNCTION_NAMES, makeApp, REGIONS, ROOT, Synthesized } from './support/synthesized.ts';

const made = new Synthesized(makeApp());

describe.each(REGIONS)('who is told what of %s', (region) => {
  const alarms = Object.values(made.resources(region, 'observability', 'AWS::CloudWatch::Alarm')).map(
    ({ Properties }) => Properties,
  );
  const says = (name: string) => alarms.filter(({ AlarmDescription }) => AlarmDescription.endsWith(`#${name}`));

  test('every alarm mails people, with a link to what to do, and again when it is over', () => {
    for (const { AlarmActions, OKActions, AlarmDescription } of alarms) {
      expect(AlarmActions).toHaveLength(1);
      expect(OKActions).toEqual(AlarmActions);
      expect(AlarmDescription).toMatch(/ https:\/\/example\.com\/sluice\/runbook#[a-z-]+$/);
    }
    const [topic] = Object.values(made.resources(region, 'observability', 'AWS::SNS::Topic'));
    expect(topic!.Properties.KmsMasterKeyId).toBeDefined();
    const [subscription] = Object.values(made.resources(region, 'observability', 'AWS::SNS::Subscription'));
    expect(subscription!.Properties).toMatchObject({ Protocol: 'email', Endpoint: 'on-call@example.com' });
  });

  test('there is an alarm of each kind, for every queue, pool and function', () => {
    const pools = region === 'us' ? 3 : 1;
    expect(Object.fromEntries(ALARMS.map((name) => [name, says(name).length]))).toEqual({
      'dead-letters': 2 * pools,
      'queue-age': 2 * pools,
      'no-workers': pools,
      'server-errors': 1,
      'slow-answers': 1,
      'throttled-functions': FUNCTION_NAMES.length,
      'failed-invocations': 1,
      'release-clock': 1,
    });
  });

  test("one dead letter is enough, and a user's job may not wait longer than a minute", () => {
    for (const { Threshold, EvaluationPeriods } of says('dead-letters'))
      expect([Threshold, EvaluationPeriods]).toEqual([1, 1]);
    const thresholds = says('queue-age').map(({ Threshold }) => Threshold);
    expect(new Set(thresholds)).toEqual(new Set([60, 3600]));
  });
});

test('the runbook has a section for each alarm and no other', () => {
  const runbook = readFileSync(join(ROOT, 'docs', 'runbook.md'), 'utf8');
  const sections = [...runbook.matchAll(/^## (.+)$/gm)].map(([, title]) => title);
  expect(sections.toSorted()).toEqual([...ALARMS].toSorted());
});
