import { ALARM_IDS, type AlarmId, type AlarmRule, ruleOf } from './alarms.ts';
import { type MetricName, metricOf } from './metric.ts';
import { prometheusName, prometheusValue } from './prometheus.ts';

/** An alarm as Prometheus has it. */
export type PrometheusRule = {
  readonly alert: string;
  readonly expr: string;
  readonly forMinutes: number;
  readonly keepFiringMinutes: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
};

/** `error-budget-fast` is SluiceErrorBudgetFast there. */
export function alertName(id: AlarmId): string {
  return `Sluice${id.replaceAll(/(^|-)([a-z])/g, (_, __, letter: string) => letter.toUpperCase())}`;
}

export function prometheusRule(id: AlarmId): PrometheusRule {
  const rule = ruleOf(id);
  return {
    alert: alertName(id),
    expr: exprOf(rule),
    forMinutes: rule.forMinutes,
    keepFiringMinutes: rule.clearsAfterMinutes,
    labels: { severity: rule.severity, alarm: id },
    annotations: { summary: rule.says, runbook_url: `docs/runbook.md#${id}` },
  };
}

/** The rules of every alarm, for `rule_files` of a Prometheus that scrapes /metrics once a minute or more often. Needs Prometheus 2.42. */
export function prometheusRulesFile(): string {
  const lines = ALARM_IDS.flatMap((id) => {
    const { alert, expr, forMinutes, keepFiringMinutes, labels, annotations } = prometheusRule(id);
    return [
      `      - alert: ${alert}`,
      `        expr: ${JSON.stringify(expr)}`,
      `        for: ${forMinutes}m`,
      ...(keepFiringMinutes > 0 ? [`        keep_firing_for: ${keepFiringMinutes}m`] : []),
      ...mapping('labels', labels),
      ...mapping('annotations', annotations),
    ];
  });
  const head = ['# Made of core/operations/alarms.ts by docs/prometheus/generate.ts: change that.'];
  return `${[...head, 'groups:', '  - name: sluice', '    interval: 1m', '    rules:', ...lines].join('\n')}\n`;
}

function mapping(name: string, values: Readonly<Record<string, string>>): readonly string[] {
  // What JSON quotes is quoted in YAML too.
  const entries = Object.entries(values).map(([key, value]) => `          ${key}: ${JSON.stringify(value)}`);
  return [`        ${name}:`, ...entries];
}

function exprOf(rule: AlarmRule): string {
  const { metrics, threshold, is, noData } = rule;
  const conditions = metrics.map((metric) => {
    const series = `${prometheusName(metric)}${matchersOf(rule, metric)}`;
    const value = noData === 'keep' ? `last_over_time(${series}[6h])` : series;
    return `${value} ${is === 'below' ? '<' : '>='} ${prometheusValue(metric, threshold)}`;
  });
  const beyond = conditions.join(' and ');
  return noData === 'alarm' ? `${beyond} or absent(${prometheusName(metrics[0])})` : beyond;
}

/** Of what a rule is by: one that is of a model is not of a version of it. */
function matchersOf({ by, where = {} }: AlarmRule, metric: MetricName): string {
  const { of } = metricOf(metric);
  if (by === 'any' || of.length === 0) return '';
  const matchers = of.map((dimension) => {
    const name = where[dimension];
    if (name !== undefined) return `${dimension}="${name}"`;
    return `${dimension}${by.includes(dimension) ? '!=' : '='}""`;
  });
  return `{${matchers.join(',')}}`;
}
