import Select from '@cloudscape-design/components/select';
import { useApi } from '../../api/context.ts';
import { useResource } from '../../data/use-resource.ts';
import { date } from '../../format/format.ts';

/** As many as anybody goes through by eye; another number can be typed. */
const OFFERED = 50;

type VersionSelectProps = {
  readonly model: string;
  /** '' where none is chosen. */
  readonly value: string;
  readonly onChange: (version: string) => void;
  readonly except?: string | undefined;
};

/** The newest versions of a model, or any other by its number. */
export function VersionSelect({ model, value, onChange, except }: VersionSelectProps) {
  const api = useApi();
  const versions = useResource(`newest versions ${model}`, (signal) =>
    api.call('version-list', { params: { model }, query: { order: 'newest', limit: OFFERED }, signal }),
  );
  const items = versions.kind === 'ready' ? versions.value.items : [];
  const options = items
    .filter(({ version }) => version !== except)
    .map(({ version, pushed_at_ms: at, pushed_by: by }) => ({
      value: version,
      label: `Version ${version}`,
      description: `pushed ${date(at)} by ${by}`,
    }));
  const selected = options.find((option) => option.value === value) ?? { value, label: `Version ${value}` };
  return (
    <Select
      selectedOption={value === '' ? null : selected}
      options={options}
      onChange={({ detail }) => onChange(detail.selectedOption.value ?? '')}
      filteringType="auto"
      filteringPlaceholder="Number of a version"
      placeholder="Choose a version"
      statusType={versions.kind === 'loading' ? 'loading' : versions.kind === 'failed' ? 'error' : 'finished'}
      loadingText="Loading versions"
      errorText="The versions cannot be read"
      empty="No other version"
    />
  );
}
