import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import RadioGroup from '@cloudscape-design/components/radio-group';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Textarea from '@cloudscape-design/components/textarea';
import { PRESETS } from './plan-presets.ts';

type PlanEditorProps = {
  readonly preset: string;
  readonly text: string;
  /** Of the text: `<place>: <what>`. */
  readonly errors: readonly string[];
  readonly onPreset: (id: string, text: string) => void;
  readonly onText: (text: string) => void;
};

/** A plan by a preset that may be changed, or as JSON. */
export function PlanEditor({ preset, text, errors, onPreset, onText }: PlanEditorProps) {
  const chosen = PRESETS.find(({ id }) => id === preset);
  const hasText = chosen === undefined || chosen.plan !== undefined;
  return (
    <Container header={<Header description="Weights grow, the last one is 100 %.">Plan</Header>}>
      <SpaceBetween size="m">
        <FormField label="Begin with">
          <RadioGroup
            value={preset}
            onChange={({ detail }) => onPreset(detail.value, textOf(detail.value, text))}
            items={[
              ...PRESETS.map(({ id, label, says }) => ({ value: id, label, description: says })),
              { value: 'json', label: 'JSON of your own', description: 'Every key of docs/releases.md.' },
            ]}
          />
        </FormField>
        {hasText && (
          <FormField
            label="Plan as JSON"
            stretch
            errorText={errors.length === 0 ? undefined : <Mistakes of={errors} text={text} />}
          >
            <div className="sluice-plan">
              <Textarea
                value={text}
                onChange={({ detail }) => onText(detail.value)}
                rows={18}
                spellcheck={false}
                invalid={errors.length > 0}
                ariaLabel="Plan as JSON"
              />
            </div>
          </FormField>
        )}
      </SpaceBetween>
    </Container>
  );
}

function textOf(id: string, before: string): string {
  const plan = PRESETS.find((preset) => preset.id === id)?.plan;
  if (plan !== undefined) return JSON.stringify(plan, undefined, 2);
  return id === 'json' && before === '' ? '{\n  "steps": [{ "setWeight": 100 }]\n}' : before;
}

function Mistakes({ of, text }: { readonly of: readonly string[]; readonly text: string }) {
  return (
    <ul className="sluice-because">
      {of.map((mistake) => (
        <li key={mistake}>
          {mistake}
          {contextOf(mistake, text)}
        </li>
      ))}
    </ul>
  );
}

/** What stands at the place of a mistake, such as `steps.1`, for those who count from one. */
function contextOf(mistake: string, text: string): string {
  const [place = ''] = mistake.split(':');
  const index = /(?:^|\.)steps\.(\d+)/.exec(place)?.[1];
  if (index === undefined) return '';
  try {
    const { steps } = JSON.parse(text) as { readonly steps?: readonly unknown[] };
    const step = steps?.[Number(index)];
    return step === undefined ? '' : ` – in ${JSON.stringify(step)}`;
  } catch {
    return '';
  }
}
