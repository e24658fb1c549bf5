import { Duration } from 'aws-cdk-lib';
import {
  type Alarm,
  ComparisonOperator,
  type IMetric,
  MathExpression,
  type Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';

/** Of what people are told, each a section of the runbook with this name. */
export const ALARMS = [
  'dead-letters',
  'queue-age',
  'no-workers',
  'server-errors',
  'slow-answers',
  'throttled-functions',
  'failed-invocations',
  'release-clock',
] as const;
export type AlarmName = (typeof ALARMS)[number];

export type AlarmRule = {
  readonly name: AlarmName;
  /** Of what, where there are several: a pool and lane, a function. */
  readonly of?: string;
  readonly metric: IMetric;
  readonly atLeast: number;
  /** Periods of the metric, all of them. */
  readonly periods: number;
  readonly says: string;
};

/** Alarms that mail people, each with a link to what to do. */
export class AlarmBoard extends Construct {
  readonly alarms: Alarm[] = [];
  readonly #topic: Topic;
  readonly #runbookUrl: string;

  constructor(scope: Construct, id: string, topic: Topic, runbookUrl: string) {
    super(scope, id);
    this.#topic = topic;
    this.#runbookUrl = runbookUrl;
  }

  add({ name, of, metric, atLeast, periods, says }: AlarmRule): void {
    const alarm = (metric as Metric | MathExpression).createAlarm(this, of === undefined ? name : `${name}-${of}`, {
      alarmDescription: `${says}${of === undefined ? '' : ` (${of})`}. ${this.#runbookUrl}#${name}`,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      threshold: atLeast,
      evaluationPeriods: periods,
      datapointsToAlarm: periods,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    const action = new SnsAction(this.#topic as ITopic);
    alarm.addAlarmAction(action);
    alarm.addOkAction(action);
    this.alarms.push(alarm);
  }
}

/** `part` of `whole` in percent; 0 while there is nothing. */
export function percentOf(part: IMetric, whole: IMetric): MathExpression {
  return new MathExpression({
    expression: 'IF(FILL(whole, 0) > 0, 100 * FILL(part, 0) / whole, 0)',
    usingMetrics: { part, whole },
    period: Duration.minutes(1),
  });
}
