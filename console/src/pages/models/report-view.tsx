import Box from '@cloudscape-design/components/box';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import type { Check, ModelVersion } from '../../api/api.ts';
import { bytes, count, dateTime, duration, figure, usd } from '../../format/format.ts';
import { BatchChart } from './batch-chart.tsx';
import { shapeText } from './tensor-text.ts';

const OUTCOMES = {
  passed: 'success',
  repaired: 'info',
  warning: 'warning',
  refused: 'error',
  skipped: 'stopped',
} as const satisfies Record<Check['outcome'], string>;

const MATES: Readonly<Record<ModelVersion['validation']['batch_mates']['verdict'], string>> = {
  independent: 'No: a row is answered alike whatever is in its run.',
  'size-dependent': 'The number of rows in a run changes answers: it is never batched across tenants.',
  'mate-dependent': 'Other rows in a run change answers: it is never batched across tenants.',
  'never-batched': 'It takes no batch: every request is a run of its own.',
};

/** What validation found of a version: figures are of the machine that validated, on one thread. */
export function ReportView({ version }: { readonly version: ModelVersion }) {
  return (
    <SpaceBetween size="l">
      <Figures version={version} />
      <div className="sluice-report">
        <Container header={<Header description="What callers send and get.">Signature</Header>}>
          <SpaceBetween size="m">
            <Tensors title="Inputs" of={version.signature.inputs} />
            <Tensors title="Outputs" of={version.signature.outputs} />
          </SpaceBetween>
        </Container>
        <Container header={<Header description="A run and its rows, by how many share it.">Latency by batch</Header>}>
          <BatchChart speed={version.validation.speed} />
        </Container>
      </div>
      <Checks version={version} />
      {version.validation.repairs.length > 0 && <Repairs of={version.validation.repairs} />}
      <Origin version={version} />
    </SpaceBetween>
  );
}

function Figures({ version: { validation, model_bytes: size } }: { readonly version: ModelVersion }) {
  const { golden_pairs: pairs, largest_difference: difference, batch_mates: mates } = validation;
  return (
    <Container header={<Header>Found by validation</Header>}>
      <KeyValuePairs
        columns={4}
        items={[
          { label: 'One row takes', value: duration(validation.row_ms) },
          { label: 'Loads in', value: duration(validation.load_ms) },
          { label: 'Memory at its peak', value: bytes(validation.memory_bytes) },
          { label: 'A thousand cost', value: usd(validation.usd_per_thousand) },
          {
            label: 'Golden pairs',
            value:
              pairs === 0
                ? 'none'
                : `${count(pairs)} answered, ${difference === 0 ? 'exactly' : `off by ${figure(difference)} at most`}`,
          },
          { label: 'Do batch-mates matter?', value: MATES[mates.verdict] },
          {
            label: 'Batches of',
            value: `${count(validation.batching.max_rows)} rows, ${duration(validation.batching.max_batch_ms)} at most`,
          },
          { label: 'Size', value: bytes(size) },
        ]}
      />
    </Container>
  );
}

function Tensors(props: { readonly title: string; readonly of: ModelVersion['signature']['inputs'] }) {
  return (
    <Table
      variant="embedded"
      contentDensity="compact"
      items={props.of}
      trackBy="name"
      ariaLabels={{ tableLabel: props.title }}
      wrapLines
      columnDefinitions={[
        { id: 'name', header: props.title, cell: ({ name }) => <code>{name}</code>, minWidth: 140 },
        { id: 'type', header: 'Type', cell: ({ datatype }) => datatype, minWidth: 80 },
        { id: 'shape', header: 'Shape', cell: ({ shape }) => shapeText(shape), minWidth: 90 },
      ]}
    />
  );
}

function Checks({ version: { validation } }: { readonly version: ModelVersion }) {
  return (
    <Table
      header={<Header description={`Took ${duration(validation.took_ms)}.`}>Checks</Header>}
      items={validation.checks}
      trackBy="check"
      wrapLines
      contentDensity="compact"
      columnDefinitions={[
        {
          id: 'check',
          header: 'Check',
          cell: ({ check, outcome }) => (
            <StatusIndicator type={OUTCOMES[outcome]} iconAriaLabel={outcome} wrapText={false}>
              {check}
            </StatusIndicator>
          ),
          minWidth: 150,
        },
        {
          id: 'detail',
          header: 'What was found',
          cell: ({ detail, advice }) => (
            <>
              {detail}
              {advice !== undefined && (
                <Box variant="small" color="text-body-secondary" display="block">
                  {advice}
                </Box>
              )}
            </>
          ),
          minWidth: 260,
        },
        { id: 'took', header: 'Took', cell: ({ took_ms: took }) => duration(took), minWidth: 90 },
      ]}
    />
  );
}

function Repairs({ of }: { readonly of: readonly string[] }) {
  return (
    <Container header={<Header description="Changed in the file before it was stored.">Repairs</Header>}>
      <ul className="sluice-because">
        {of.map((repair) => (
          <li key={repair}>{repair}</li>
        ))}
      </ul>
    </Container>
  );
}

function Origin({ version }: { readonly version: ModelVersion }) {
  const { manifest } = version;
  return (
    <Container header={<Header>Where it comes from</Header>}>
      <KeyValuePairs
        columns={2}
        items={[
          { label: 'Pushed', value: dateTime(version.pushed_at_ms) },
          { label: 'By', value: <code>{version.pushed_by}</code> },
          { label: 'SHA-256 of the graph', value: <code>{version.model_digest}</code> },
          { label: 'License', value: manifest.license ?? '–' },
          { label: 'Provenance', value: manifest.provenance ?? '–' },
          { label: 'Pool', value: manifest.pool ?? 'default' },
        ]}
      />
    </Container>
  );
}
