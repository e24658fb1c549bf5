import ColumnLayout from '@cloudscape-design/components/column-layout';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table, { type TableProps } from '@cloudscape-design/components/table';
import type { Quality } from '../../api/api.ts';
import { Empty } from '../../components/loaded.tsx';
import { TimeChart } from '../../components/time-chart.tsx';
import { count, figure, percent } from '../../format/format.ts';
import { ChecksTable } from './checks-table.tsx';
import { binPairs, CompareBars } from './compare-bars.tsx';
import { subjectOf } from './quality-words.ts';

/** Lines that can still be told apart. */
const MOST_LINES = 5;
const MOST_LABELS = 40;

/** All that is known of drift: now, over time, by label, by confidence, by input. */
export function DriftView({ quality }: { readonly quality: Quality }) {
  return (
    <SpaceBetween size="l">
      <ChecksTable checks={quality.checks} />
      <Container header={<Header variant="h2">Over time</Header>}>
        <TimeChart series={linesOf(quality)} label="Distance from the reference by window" height={220} />
      </Container>
      <ColumnLayout columns={2}>
        <Container header={<Header variant="h2">Labels</Header>} fitHeight>
          {quality.labels.length === 0 ? (
            <Empty>This model gives no labels, or none were seen.</Empty>
          ) : (
            <CompareBars
              label="Labels"
              pairs={quality.labels
                .slice(0, MOST_LABELS)
                .map(({ label, reference_share, share }) => ({ name: label, before: reference_share, now: share }))}
            />
          )}
        </Container>
        <Container header={<Header variant="h2">Confidence</Header>} fitHeight>
          {quality.confidence.current.every((rows) => rows === 0) ? (
            <Empty>No answer with a confidence yet.</Empty>
          ) : (
            <CompareBars
              label="Confidence"
              pairs={binPairs(quality.confidence.reference, quality.confidence.current)}
            />
          )}
        </Container>
      </ColumnLayout>
      <Table
        header={
          <Header variant="h2" description="Of a sample of rows: what is missing, cut off, or of other characters">
            Inputs
          </Header>
        }
        items={quality.data_quality}
        trackBy="input"
        columnDefinitions={INPUTS}
        empty={<Empty>No inputs were sampled yet.</Empty>}
      />
    </SpaceBetween>
  );
}

/** The checks that are furthest from the reference now, each over all windows that are kept. */
function linesOf({ checks, history }: Quality) {
  const order = [...checks].sort((a, b) => b.value / b.threshold - a.value / a.threshold).slice(0, MOST_LINES);
  const windows = [...history].reverse();
  return order.map((check) => ({
    title: subjectOf(check),
    points: windows.map((window) => ({
      at: window.at,
      value: window.checks.find(({ name }) => name === check.name)?.value,
    })),
  }));
}

type Input = Quality['data_quality'][number];

const figures = (text: string) => <span className="sluice-figures">{text}</span>;

function beside(now: number | null, before: number | null | undefined) {
  return figures(before === undefined || before === null ? percent(now) : `${percent(now)} (${percent(before)})`);
}

const INPUTS: readonly TableProps.ColumnDefinition<Input>[] = [
  { id: 'input', header: 'Input', isRowHeader: true, cell: ({ input }) => input },
  { id: 'rows', header: 'Rows', cell: ({ rows }) => figures(count(rows)) },
  {
    id: 'missing',
    header: 'Missing (reference)',
    cell: ({ missing_share, reference }) => beside(missing_share, reference?.missing_share),
  },
  {
    id: 'long',
    header: 'Too long (reference)',
    cell: ({ too_long_share, reference }) => beside(too_long_share, reference?.too_long_share),
  },
  { id: 'classes', header: 'Characters differ by', cell: ({ class_shift }) => figures(figure(class_shift)) },
];
