import ColumnLayout from '@cloudscape-design/components/column-layout';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table, { type TableProps } from '@cloudscape-design/components/table';
import { useState } from 'react';
import { DAY_MS } from '../../../../core/units.ts';
import type { Feedback } from '../../api/api.ts';
import { useApi } from '../../api/context.ts';
import { Empty, Loaded } from '../../components/loaded.tsx';
import { Metric, Metrics } from '../../components/metric.tsx';
import { TimeChart } from '../../components/time-chart.tsx';
import { useResource } from '../../data/use-resource.ts';
import { count, figure, percent } from '../../format/format.ts';
import { Confusion } from './confusion.tsx';
import { Reliability } from './reliability.tsx';

const EVERY_MS = 30_000;
const DAY_S = 86_400;
const SPANS = [
  { id: '7', text: '7 days' },
  { id: '30', text: '30 days' },
  { id: '90', text: '90 days' },
];

type FeedbackViewProps = {
  readonly model: string;
  /** Left out: of all tenants. */
  readonly tenant?: string;
};

/** How often the version was right, by what callers told of it afterwards. */
export function FeedbackView({ model, tenant }: FeedbackViewProps) {
  const api = useApi();
  const [days, setDays] = useState('7');
  const feedback = useResource(
    `feedback of ${tenant ?? 'all'} on ${model} over ${days}`,
    (signal) => {
      const from = new Date((Math.floor(Date.now() / DAY_MS) + 1 - Number(days)) * DAY_MS).toISOString();
      return tenant === undefined
        ? api.call('model-feedback', { params: { model }, query: { from, step_s: DAY_S }, signal })
        : api.call('tenant-feedback', { params: { tenant, model }, query: { from }, signal });
    },
    { everyMs: EVERY_MS },
  );
  return (
    <SpaceBetween size="l">
      <Header
        variant="h2"
        description="By the true labels that callers tell afterwards"
        actions={
          <SegmentedControl
            selectedId={days}
            onChange={({ detail }) => setDays(detail.selectedId)}
            label="Span"
            options={SPANS}
          />
        }
      >
        Feedback
      </Header>
      <Loaded
        of={feedback}
        minHeight="medium"
        empty={{
          when: ({ count: rows }) => rows === 0,
          says: 'No true labels were told in this span. Callers send them to /v2/predictions/{id}/feedback.',
        }}
      >
        {(read) => <Told feedback={read} days={Number(days)} />}
      </Loaded>
    </SpaceBetween>
  );
}

function Told({ feedback, days }: { readonly feedback: Feedback; readonly days: number }) {
  const { accuracy, accuracy_interval, macro_f1, expected_calibration_error, agreement } = feedback;
  const points = (of: 'accuracy' | 'macro_f1') => feedback.items.map((item) => ({ at: item.at, value: item[of] }));
  return (
    <SpaceBetween size="l">
      <Container>
        <Metrics>
          <Metric
            label="Accuracy"
            value={percent(accuracy)}
            hint={
              accuracy_interval === null
                ? undefined
                : `${percent(accuracy_interval[0])} to ${percent(accuracy_interval[1])}, at 95 %`
            }
          />
          <Metric label="Macro F1" value={figure(macro_f1)} hint="every label weighing the same" />
          <Metric
            label="Calibration error"
            value={figure(expected_calibration_error)}
            hint="confidence and accuracy apart"
          />
          <Metric
            label="Labels told"
            value={count(feedback.count)}
            hint={agreement === null ? `in ${days} days` : `agrees with stable in ${percent(agreement)}`}
          />
        </Metrics>
      </Container>
      <Container header={<Header variant="h3">Over time</Header>}>
        <TimeChart
          series={[
            { title: 'Accuracy', points: points('accuracy') },
            { title: 'Macro F1', points: points('macro_f1') },
          ]}
          label="Accuracy and macro F1 by day"
          format={percent}
          span={[feedback.from, feedback.until]}
        />
      </Container>
      <ColumnLayout columns={2}>
        <Container header={<Header variant="h3">True label, and what was predicted</Header>} fitHeight>
          <Confusion confusion={feedback.confusion} />
        </Container>
        <Container header={<Header variant="h3">Confidence, and how often it was right</Header>} fitHeight>
          <Reliability calibration={feedback.calibration} />
        </Container>
      </ColumnLayout>
      <Table
        header={<Header variant="h3">By label</Header>}
        items={feedback.classes}
        trackBy="label"
        columnDefinitions={CLASSES}
        empty={<Empty>No labels.</Empty>}
      />
    </SpaceBetween>
  );
}

type Class = Feedback['classes'][number];
const figures = (text: string) => <span className="sluice-figures">{text}</span>;

const CLASSES: readonly TableProps.ColumnDefinition<Class>[] = [
  { id: 'label', header: 'Label', minWidth: 160, isRowHeader: true, cell: ({ label }) => label },
  { id: 'precision', header: 'Precision', cell: ({ precision }) => figures(percent(precision)) },
  { id: 'recall', header: 'Recall', cell: ({ recall }) => figures(percent(recall)) },
  { id: 'f1', header: 'F1', cell: ({ f1 }) => figures(figure(f1)) },
  { id: 'support', header: 'Truly so', cell: ({ support }) => figures(count(support)) },
];
