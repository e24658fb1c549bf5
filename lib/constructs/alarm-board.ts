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
import type { AlarmId, AWS_ALARMS } from '../../core/operations/alarms.ts';

/** Of what people are told: every alarm is a section of the runbook. */
export type AlarmName = AlarmId | (typeof AWS_ALARMS)[number];

export type AlarmRule = {
  readonly name: AlarmName;
  /** Of what, where there are several: a pool and lane, a function. */
  readonly of?: string;
  readonly metric: IMetric;
  readonly threshold: number;
  readonly is?: 'at-least' | 'below';
  /** Periods of the metric, all of them. */
  readonly periods: number;
  /** What a period without a value is; default: `ok`. */
  readonly noData?: 'ok' | 'keep' | 'alarm';
  readonly says: string;
};

const NO_DATA = {
  ok: TreatMissingData.NOT_BREACHING,
  keep: TreatMissingData.IGNORE,
  alarm: TreatMissingData.BREACHING,
} as const;
const COMPARISONS = {
  'at-least': ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
  below: ComparisonOperator.LESS_THAN_THRESHOLD,
} as const;

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

  add({ name, of, metric, threshold, is = 'at-least', periods, noData = 'ok', says }: AlarmRule): void {
    const alarm = (metric as Metric | MathExpression).createAlarm(this, of === undefined ? name : `${name}-${of}`, {
      alarmDescription: `${says}${of === undefined ? '' : ` (${of})`}. ${this.#runbookUrl}#${name}`,
      comparisonOperator: COMPARISONS[is],
      threshold,
      evaluationPeriods: periods,
      datapointsToAlarm: periods,
      treatMissingData: NO_DATA[noData],
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
