import './releases.css';
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Form from '@cloudscape-design/components/form';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { useLocation, useSearchParams } from 'wouter';
import { SluiceError } from '../../api/api.ts';
import { useApi } from '../../api/context.ts';
import { Page } from '../../components/page.tsx';
import { ProblemAlert } from '../../components/problem-alert.tsx';
import { useAction } from '../../data/use-action.ts';
import { useNotify } from '../../shell/notices.tsx';
import { ModelSelect } from '../models/model-select.tsx';
import { PlanEditor } from './plan-editor.tsx';
import { PRESETS } from './plan-presets.ts';
import { VersionSelect } from './version-select.tsx';

type Draft = { readonly model: string; readonly version: string; readonly reason: string; readonly plan: string };

/** Starts a release: which version of which model, by which plan, and why. */
export function StartReleasePage() {
  const [search] = useSearchParams();
  return (
    <Page title="Start a release" above={[{ text: 'Releases', path: '/releases' }]}>
      <StartForm model={search.get('model') ?? ''} version={search.get('version') ?? ''} />
    </Page>
  );
}

function StartForm({ model, version }: { readonly model: string; readonly version: string }) {
  const api = useApi();
  const notify = useNotify();
  const [, navigate] = useLocation();
  const [draft, setDraft] = useState<Draft>({ model, version, reason: '', plan: '' });
  const [preset, setPreset] = useState(PRESETS[0]!.id);
  const [asked, setAsked] = useState(false);
  const set = (changes: Partial<Draft>) => setDraft((before) => ({ ...before, ...changes }));
  const usesJson = PRESETS.find(({ id }) => id === preset)?.plan !== undefined || preset === 'json';
  const plan = usesJson ? parsePlan(draft.plan) : undefined;
  const start = useAction(async (idempotencyKey: string) =>
    api.call('release-start', {
      params: { model: draft.model },
      body: { version: draft.version, reason: draft.reason.trim(), ...(plan?.value && { plan: plan.value }) },
      idempotencyKey,
    }),
  );
  const [key, setKey] = useState(() => crypto.randomUUID());
  const errors = errorsOf(draft, asked, start.error);
  const planErrors = plan?.error === undefined ? planProblems(start.error) : [plan.error];
  const submit = async () => {
    setAsked(true);
    const isWhole = draft.model !== '' && draft.version !== '' && draft.reason.trim() !== '';
    if (!isWhole || plan?.error !== undefined) return;
    const started = await start.run(key);
    // What was refused is another request once it was mended.
    if (started === undefined) return setKey(crypto.randomUUID());
    notify({ type: 'success', text: `The release of version ${started.candidate} has started: it ${started.golden}.` });
    navigate(`/releases/${started.id}`);
  };
  return (
    <form
      className="sluice-form"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <Form
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" formAction="none" onClick={() => navigate('/releases')}>
              Cancel
            </Button>
            <Button variant="primary" loading={start.running}>
              Start the release
            </Button>
          </SpaceBetween>
        }
      >
        <SpaceBetween size="l">
          <WhatFields draft={draft} errors={errors} onChange={set} />
          <PlanEditor
            preset={preset}
            text={draft.plan}
            errors={planErrors}
            onPreset={(id, text) => {
              setPreset(id);
              set({ plan: text });
              start.clear();
            }}
            onText={(text) => set({ plan: text })}
          />
          <Alert type="info">
            Both versions answer the stable one's golden pairs first, which takes up to 20 s. What differs is told, and
            stops nothing.
          </Alert>
          {start.error !== undefined && <StartProblem error={start.error} />}
        </SpaceBetween>
      </Form>
    </form>
  );
}

function WhatFields(props: {
  readonly draft: Draft;
  readonly errors: Errors;
  readonly onChange: (changes: Partial<Draft>) => void;
}) {
  const { draft, errors, onChange } = props;
  return (
    <Container header={<Header>What</Header>}>
      <SpaceBetween size="m">
        <FormField label="Model" errorText={errors.model}>
          <ModelSelect value={draft.model} onChange={(model) => onChange({ model, version: '' })} />
        </FormField>
        <FormField
          label="Version"
          description="The candidate: it gets no traffic before its workers are warm."
          errorText={errors.version}
        >
          {draft.model === '' ? (
            <Box color="text-body-secondary">Choose a model first.</Box>
          ) : (
            <VersionSelect model={draft.model} value={draft.version} onChange={(version) => onChange({ version })} />
          )}
        </FormField>
        <FormField label="Reason" constraintText="Kept in the audit, with your name." errorText={errors.reason}>
          <Input
            value={draft.reason}
            onChange={({ detail }) => onChange({ reason: detail.value })}
            ariaRequired
            autoComplete={false}
          />
        </FormField>
      </SpaceBetween>
    </Container>
  );
}

/** What stands at a field already is not told a second time. */
function StartProblem({ error }: { readonly error: unknown }) {
  const problems = planProblems(error);
  return problems.length > 0 ? (
    <Alert type="error" header="The plan has mistakes">
      They stand at the plan above.
    </Alert>
  ) : (
    <ProblemAlert error={error} />
  );
}

type Errors = {
  readonly model?: string | undefined;
  readonly version?: string | undefined;
  readonly reason?: string | undefined;
};

function errorsOf({ model, version, reason }: Draft, asked: boolean, error: unknown): Errors {
  const problem = error instanceof SluiceError ? error.problem : undefined;
  const field = (problem as { readonly field?: string } | undefined)?.field;
  const told = (name: keyof Errors) => (field === name ? problem?.detail : undefined);
  const missing = (value: string, text: string) => (asked && value.trim() === '' ? text : undefined);
  const incompatible = problem?.code === 'release-incompatible' ? listOf(problem).join('; ') : undefined;
  return {
    model: missing(model, 'Choose a model.') ?? told('model'),
    version: missing(version, 'Choose a version.') ?? incompatible ?? told('version'),
    reason: missing(reason, 'Say why.') ?? told('reason'),
  };
}

/** Every mistake of a plan that the server has found: `<place>: <what>`. */
function planProblems(error: unknown): readonly string[] {
  if (!(error instanceof SluiceError) || error.code !== 'release-plan-invalid') return [];
  return listOf(error.problem);
}

function listOf(problem: unknown): readonly string[] {
  const { problems } = (problem ?? {}) as { readonly problems?: unknown };
  return Array.isArray(problems) ? problems.map(String) : [];
}

function parsePlan(text: string): { readonly value?: Record<string, unknown>; readonly error?: string } {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return { value: value as Record<string, unknown> };
    return { error: 'A plan is a JSON object.' };
  } catch (error) {
    return { error: `Not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}
