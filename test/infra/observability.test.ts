import { describe, expect, test } from 'vitest';
import { ALARM_IDS, AWS_ALARMS, ruleOf } from '../../core/operations/alarms.ts';
import { DASHBOARDS } from '../../core/operations/dashboards.ts';
import { metricOf } from '../../core/operations/metric.ts';
import { publishedOf } from '../../core/operations/publish.ts';
import { FUNCTION_NAMES, makeApp, REGIONS, Synthesized } from './support/synthesized.ts';

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

  test('there is an alarm of each kind, for every queue, pool and function, and one of each that stands on what was measured', () => {
    const pools = region === 'us' ? 3 : 1;
    const several: Readonly<Record<string, number>> = {
      // Of what is kept, and of each queue as long as it is not.
      'dead-letters': 2 * pools + 1,
      'queue-age': pools,
      'batch-queue-age': pools,
      'no-workers': pools,
      'throttled-functions': FUNCTION_NAMES.length,
      // From within, and from outside.
      'check-failed': 2,
      // And of the certificate.
      'key-expiry': 2,
    };
    const names = [...ALARM_IDS, ...AWS_ALARMS];
    expect(Object.fromEntries(names.map((name) => [name, says(name).length]))).toEqual(
      Object.fromEntries(names.map((name) => [name, several[name] ?? 1])),
    );
  });

  test("one dead letter is enough, and a user's job may not wait longer than a minute", () => {
    for (const { Threshold, EvaluationPeriods } of says('dead-letters'))
      expect([Threshold, EvaluationPeriods]).toEqual([1, 1]);
    expect(new Set(says('queue-age').map(({ Threshold }) => Threshold))).toEqual(new Set([60]));
    expect(new Set(says('batch-queue-age').map(({ Threshold }) => Threshold))).toEqual(new Set([3600]));
  });

  test('alarms are as they are defined for every host: threshold, direction, time, and what no data is', () => {
    const missing = { ok: 'notBreaching', keep: 'ignore', alarm: 'breaching' };
    const comparison = { 'at-least': 'GreaterThanOrEqualToThreshold', below: 'LessThanThreshold' };
    for (const id of ALARM_IDS.filter((each) => ruleOf(each).cloudWatch === 'measures')) {
      const rule = ruleOf(id);
      const [alarm] = says(id).filter(({ MetricName }) => MetricName === 'alarm_value');
      expect(alarm, id).toMatchObject({
        Namespace: 'Sluice',
        Threshold: rule.threshold,
        ComparisonOperator: comparison[rule.is],
        EvaluationPeriods: Math.max(1, rule.forMinutes),
        TreatMissingData: missing[rule.noData],
        Dimensions: expect.arrayContaining([
          { Name: 'Alarm', Value: id },
          { Name: 'Region', Value: region },
        ]),
      });
    }
  });

  test('the region is asked from outside, with a key that is in no template', () => {
    const [canary] = Object.values(made.resources(region, 'observability', 'AWS::Synthetics::Canary'));
    expect(canary!.Properties).toMatchObject({
      Name: `sluice-prod-${region}-checks`,
      RuntimeVersion: 'syn-nodejs-3.1',
      Schedule: { Expression: 'rate(5 minutes)' },
    });
    expect(JSON.stringify(canary)).not.toContain('slk_');
    const [failed] = says('check-failed').filter(({ Namespace }) => Namespace === 'CloudWatchSynthetics');
    expect(failed).toMatchObject({ EvaluationPeriods: 2, TreatMissingData: 'breaching' });
  });

  test('both dashboards draw every panel that is defined', () => {
    const drawn = Object.values(made.resources(region, 'observability', 'AWS::CloudWatch::Dashboard'));
    expect(drawn.map(({ Properties }) => Properties.DashboardName).sort()).toEqual([
      `sluice-prod-${region}-data-science`,
      `sluice-prod-${region}-operations`,
    ]);
    const text = JSON.stringify(drawn);
    for (const { rows } of Object.values(DASHBOARDS))
      for (const { title, metrics } of rows.flat())
        for (const part of [title, ...metrics]) expect(text).toContain(part);
  });
});

test('no alarm is of a metric that nothing publishes', () => {
  const everything = ALARM_IDS.flatMap((id) => {
    const { metrics, by, where = {} } = ruleOf(id);
    const dimensions = by === 'any' ? metricOf(metrics[0]).of.slice(0, 1) : by;
    const of = Object.fromEntries(dimensions.map((name) => [name, where[name] ?? 'some']));
    return metrics.map((metric) => ({ metric, of, value: 1 }));
  });
  const published = new Set(publishedOf(everything).map(({ dimensions }) => dimensions.Alarm));
  for (const id of ALARM_IDS) expect([id, published.has(id)]).toEqual([id, ruleOf(id).cloudWatch === 'measures']);
});
