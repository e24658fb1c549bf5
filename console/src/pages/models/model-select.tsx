import Autosuggest from '@cloudscape-design/components/autosuggest';
import { useApi } from '../../api/context.ts';
import { useResource } from '../../data/use-resource.ts';

const OFFERED = 50;

type ModelSelectProps = { readonly value: string; readonly onChange: (model: string) => void };

/** A model by the beginning of its name, as the server finds it. */
export function ModelSelect({ value, onChange }: ModelSelectProps) {
  const api = useApi();
  const found = useResource(`models like ${value}`, (signal) =>
    api.call('model-route-list', { query: { limit: OFFERED, ...(value !== '' && { prefix: value }) }, signal }),
  );
  const items = found.kind === 'ready' ? found.value.items : [];
  return (
    <Autosuggest
      value={value}
      onChange={({ detail }) => onChange(detail.value.trim())}
      options={items.map(({ model, stable }) => ({
        value: model,
        description: stable === null ? 'nothing is stable' : `version ${stable} is stable`,
      }))}
      filteringType="manual"
      enteredTextLabel={(text) => `Use "${text}"`}
      placeholder="Name of a model"
      statusType={found.kind === 'loading' ? 'loading' : found.kind === 'failed' ? 'error' : 'finished'}
      loadingText="Loading models"
      errorText="The models cannot be read"
      empty="No model of that name"
      ariaRequired
    />
  );
}
