import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ALARM_IDS, type AlarmId, ruleOf } from '../../core/operations/alarms.ts';
import { METRICS, type MetricName } from '../../core/operations/metric.ts';
import { prometheusName, prometheusValue } from '../../core/operations/prometheus.ts';
import { alertName, prometheusRule, prometheusRulesFile } from '../../core/operations/prometheus-rules.ts';
import { type Case, casesOf, type Series } from '../support/alarm-cases.ts';
import { HAS_PROMTOOL, promtool } from '../support/promtool.ts';

const RULES = join(import.meta.dirname, '..', '..', 'docs', 'prometheus', 'rules.yml');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-rules-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('the file of rules is what the alarms say now', async () => {
  expect(await readFile(RULES, 'utf8')).toBe(prometheusRulesFile());
});

describe.skipIf(!HAS_PROMTOOL)('rules as Prometheus reads them', () => {
  test('are sound', () => {
    expect(promtool(['check', 'rules', RULES])).toContain(`${ALARM_IDS.length} rules found`);
  });

  test.each(ALARM_IDS.map((id) => [id]))('%s fires when it must, and only then', async (id) => {
    await run(id, casesOf(id));
  });

  test('a case that expects the wrong thing is found', async () => {
    const [fires] = casesOf('server-errors');
    await expect(run('server-errors', [{ ...fires!, fires: false }])).rejects.toThrow(/FAILED/);
  });
});

async function run(id: AlarmId, cases: readonly Case[]): Promise<void> {
  const { labels, annotations } = prometheusRule(id);
  const tests = cases.map(({ name, series, atMinute, fires }) => ({
    interval: '1m',
    name,
    input_series: series.map(({ metric, of, runs }) => ({
      series: `${prometheusName(metric)}${JSON.stringify({ region: 'us', ...of }).replace(/"(\w+)":/g, '$1=')}`,
      values: runs
        .map(([value, minutes]) =>
          value === 'gone' ? `_x${minutes}` : `${prometheusValue(metric, value)}x${minutes - 1}`,
        )
        .join(' '),
    })),
    alert_rule_test: [
      {
        eval_time: `${atMinute}m`,
        alertname: alertName(id),
        exp_alerts: fires ? [expected(id, series, { labels, annotations }, atMinute)] : [],
      },
    ],
  }));
  const path = join(folder, `${id}.json`);
  await writeFile(path, JSON.stringify({ rule_files: [RULES], evaluation_interval: '1m', tests }));
  promtool(['test', 'rules', path]);
}

function expected(
  id: AlarmId,
  series: readonly Series[],
  { labels, annotations }: Pick<ReturnType<typeof prometheusRule>, 'labels' | 'annotations'>,
  atMinute: number,
) {
  const [first] = series;
  const isAbsent = first === undefined || (ruleOf(id).noData === 'alarm' && minutesOf(first) <= atMinute);
  return {
    exp_labels: { ...labels, ...(isAbsent ? {} : { region: 'us', ...first.of }) },
    exp_annotations: annotations,
  };
}

/** How long a series is there. */
function minutesOf({ runs }: Series): number {
  return runs.filter(([value]) => value !== 'gone').reduce((sum, [, minutes]) => sum + minutes, 0);
}

test('a metric is called in base units, as Prometheus wants it', () => {
  for (const metric of Object.keys(METRICS) as MetricName[]) {
    expect(prometheusName(metric)).toMatch(/^sluice_[a-z0-9_]+$/);
    expect(prometheusName(metric)).not.toMatch(/_(ms|s|days)$/);
  }
});
