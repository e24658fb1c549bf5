import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Textarea from '@cloudscape-design/components/textarea';
import Toggle from '@cloudscape-design/components/toggle';
import { useState } from 'react';
import type { ModelVersion, RequestTensor, ResponseTensor } from '../../api/api.ts';
import { useApi, useRegions, useWho } from '../../api/context.ts';
import { ProblemAlert } from '../../components/problem-alert.tsx';
import { useAction } from '../../data/use-action.ts';
import { duration } from '../../format/format.ts';
import { AnswerTable } from './answer-table.tsx';
import { curlCommand } from './curl-command.ts';
import { Command } from './push-help.tsx';
import { TenantSelect } from './tenant-select.tsx';
import { disagreement, exampleOf, readTensor, shapeText, type TensorSpec, type TypedTensor } from './tensor-text.ts';

type Typed = { readonly text: string; readonly linesAreRows: boolean };
type Answer = {
  readonly model: string;
  readonly version: string;
  readonly cache: string;
  readonly degraded: string | undefined;
  readonly variant: string | undefined;
  readonly requestId: string | undefined;
  readonly outputs: readonly ResponseTensor[];
  readonly tookMs: number;
  readonly inputs: readonly RequestTensor[];
};

type Inputs = {
  readonly of: (name: string) => Typed;
  readonly set: (name: string, typed: Typed) => void;
  readonly fill: () => void;
  /** In the order of the signature. */
  readonly read: readonly TypedTensor[];
  /** Undefined as long as an input is none. */
  readonly tensors: readonly RequestTensor[] | undefined;
  /** Why they do not go together. */
  readonly differs: string | undefined;
};

function useInputs(specs: readonly TensorSpec[]): Inputs {
  const [typed, setTyped] = useState<Readonly<Record<string, Typed>>>({});
  const of = (name: string): Typed => typed[name] ?? NOT_TYPED;
  const read = specs.map((spec) => readTensor(spec, of(spec.name).text, of(spec.name).linesAreRows));
  const found = read.flatMap((one) => (one.kind === 'tensor' ? [one.tensor] : []));
  const tensors = found.length === specs.length ? found : undefined;
  const shapes = found.map(({ shape }) => shape);
  return {
    of,
    set: (name, next) => setTyped((before) => ({ ...before, [name]: next })),
    fill: () =>
      setTyped(Object.fromEntries(specs.map((spec) => [spec.name, { text: exampleOf(spec), linesAreRows: false }]))),
    read,
    tensors,
    differs: tensors === undefined ? undefined : disagreement(specs, shapes),
  };
}

const NOT_TYPED: Typed = { text: '', linesAreRows: false };

/** A request to a version by hand: its inputs by the signature, then the answer, how it came about, and the command that does the same. */
export function TryIt({ version, named }: { readonly version: ModelVersion; readonly named: boolean }) {
  const who = useWho();
  const [tenant, setTenant] = useState(who.tenant ?? '');
  const [isFresh, setFresh] = useState(false);
  const [asked, setAsked] = useState(false);
  const [answer, setAnswer] = useState<Answer | undefined>(undefined);
  const inputs = useInputs(version.signature.inputs);
  const { tensors, differs } = inputs;
  const api = useApi({ tenant });
  const send = useAction(async (sent: readonly RequestTensor[]): Promise<Answer> => {
    const startedMs = performance.now();
    const options = { ...(named && { version: version.version }), ...(isFresh && { cache: 'no-cache' as const }) };
    const got = await api.predict(version.model, sent, options);
    return { ...got, tookMs: performance.now() - startedMs, inputs: sent };
  });
  const submit = async () => {
    setAsked(true);
    if (tensors !== undefined && differs === undefined && tenant !== '') setAnswer(await send.run(tensors));
  };
  return (
    <div className="sluice-try">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <Container
          header={<Header description={`Sends a real request to ${whom(version, named)}.`}>Request</Header>}
          footer={
            <SpaceBetween direction="horizontal" size="xs">
              <Button variant="primary" loading={send.running}>
                Predict
              </Button>
              <Button formAction="none" onClick={inputs.fill}>
                Fill with an example
              </Button>
            </SpaceBetween>
          }
        >
          <SpaceBetween size="m">
            {who.tenant === undefined && (
              <TenantField value={tenant} isMissing={asked && tenant === ''} onChange={setTenant} />
            )}
            <InputFields specs={version.signature.inputs} inputs={inputs} asked={asked} />
            <Toggle checked={isFresh} onChange={({ detail }) => setFresh(detail.checked)}>
              Compute anew, whatever the cache holds
            </Toggle>
          </SpaceBetween>
        </Container>
      </form>
      <Result version={version} named={named} answer={answer} error={send.error} tensors={tensors} />
    </div>
  );
}

function TenantField(props: {
  readonly value: string;
  readonly isMissing: boolean;
  readonly onChange: (tenant: string) => void;
}) {
  return (
    <FormField
      label="Tenant"
      description="You are an operator and have no tenant: choose for whom it is asked. It counts against that tenant's quota and cost."
      errorText={props.isMissing ? 'Choose a tenant.' : undefined}
    >
      <TenantSelect value={props.value} onChange={props.onChange} />
    </FormField>
  );
}

function InputFields(props: {
  readonly specs: readonly TensorSpec[];
  readonly inputs: Inputs;
  readonly asked: boolean;
}) {
  const { specs, inputs, asked } = props;
  return (
    <>
      {specs.map((spec, at) => {
        const one = inputs.read[at]!;
        return (
          <InputField
            key={spec.name}
            spec={spec}
            typed={inputs.of(spec.name)}
            mistake={asked && one.kind === 'mistake' ? one.says : undefined}
            shape={one.kind === 'tensor' ? one.shape : undefined}
            onChange={(next) => inputs.set(spec.name, next)}
          />
        );
      })}
      {asked && inputs.differs !== undefined && <StatusIndicator type="error">{inputs.differs}</StatusIndicator>}
    </>
  );
}

function whom({ model, version }: ModelVersion, named: boolean): string {
  return named ? `version ${version} of ${model}` : `${model}, whichever version answers the tenant`;
}

type InputFieldProps = {
  readonly spec: TensorSpec;
  readonly typed: Typed;
  readonly mistake: string | undefined;
  readonly shape: readonly number[] | undefined;
  readonly onChange: (typed: Typed) => void;
};

function InputField({ spec, typed, mistake, shape, onChange }: InputFieldProps) {
  const isText = spec.datatype === 'BYTES';
  const mayHaveRows = isText && typeof spec.shape[0] === 'string';
  const help = isText
    ? 'Text, as it is.'
    : spec.datatype === 'BOOL'
      ? 'true and false (or 1 and 0), one row a line; or JSON arrays.'
      : 'Numbers with commas or spaces between, one row a line; or JSON arrays.';
  return (
    <FormField
      label={
        <>
          {spec.name}{' '}
          <Box variant="small" color="text-body-secondary">
            {spec.datatype} {shapeText(spec.shape)}
          </Box>
        </>
      }
      description={help}
      constraintText={shape === undefined ? undefined : `Shape ${shapeText([...shape])}`}
      errorText={mistake}
      stretch
    >
      <SpaceBetween size="xs">
        <Textarea
          value={typed.text}
          rows={isText ? 4 : 3}
          spellcheck={false}
          onChange={({ detail }) => onChange({ ...typed, text: detail.value })}
          ariaRequired
        />
        {mayHaveRows && (
          <Toggle
            checked={typed.linesAreRows}
            onChange={({ detail }) => onChange({ ...typed, linesAreRows: detail.checked })}
          >
            Each line is a row
          </Toggle>
        )}
      </SpaceBetween>
    </FormField>
  );
}

type ResultProps = {
  readonly version: ModelVersion;
  readonly named: boolean;
  readonly answer: Answer | undefined;
  readonly error: unknown;
  readonly tensors: readonly RequestTensor[] | undefined;
};

function Result({ version, named, answer, error, tensors }: ResultProps) {
  const { region } = useRegions();
  const shown = answer?.inputs ?? tensors;
  const url = region.url || location.origin;
  return (
    <SpaceBetween size="l">
      <Container header={<Header>Answer</Header>}>
        <div className="sluice-answer" aria-live="polite">
          {error !== undefined && <ProblemAlert error={error} />}
          {error === undefined && answer === undefined && (
            <Box color="text-body-secondary">The answer stands here once it has come.</Box>
          )}
          {error === undefined && answer !== undefined && (
            <SpaceBetween size="m">
              <AnswerTable outputs={answer.outputs} />
              <Provenance answer={answer} />
            </SpaceBetween>
          )}
        </div>
      </Container>
      <Container
        header={<Header description="With a key of the tenant in SLUICE_KEY.">The same from a terminal</Header>}
      >
        {shown === undefined ? (
          <Box color="text-body-secondary">The command stands here once the inputs are whole.</Box>
        ) : (
          <Command
            text={curlCommand(url, {
              model: version.model,
              version: named ? version.version : undefined,
              inputs: shown,
            })}
          />
        )}
      </Container>
    </SpaceBetween>
  );
}

function Provenance({ answer }: { readonly answer: Answer }) {
  const caches: Readonly<Record<string, string>> = {
    hit: 'from the cache',
    miss: 'computed, now cached',
    bypass: 'computed anew',
  };
  return (
    <KeyValuePairs
      columns={3}
      items={[
        { label: 'Answered in', value: `${duration(answer.tookMs)}, to this browser and back` },
        { label: 'By', value: `${answer.variant ?? answer.model}, version ${answer.version}` },
        { label: 'Cache', value: caches[answer.cache] ?? 'none' },
        {
          label: 'Fallback',
          value:
            answer.degraded === undefined ? (
              'no'
            ) : (
              <StatusIndicator type="warning">{`answered in its place: ${answer.degraded}`}</StatusIndicator>
            ),
        },
        { label: 'Request', value: <code>{answer.requestId ?? '–'}</code> },
      ]}
    />
  );
}
