import Select from '@cloudscape-design/components/select';
import { useApi } from '../../api/context.ts';
import { useResource } from '../../data/use-resource.ts';
import { count } from '../../format/format.ts';

/** One of the region's plans, with what it grants. */
export function PlanSelect(props: { readonly value: string; readonly onChange: (plan: string) => void }) {
  const api = useApi();
  const plans = useResource('plans', (signal) => api.call('plan-list', { signal }));
  const options = (plans.kind === 'ready' ? plans.value.items : []).map(({ id, limits }) => ({
    value: id,
    label: id,
    description: `${count(limits.requests_per_second)} requests/s, ${count(limits.requests_in_flight)} in flight`,
  }));
  return (
    <Select
      selectedOption={options.find(({ value }) => value === props.value) ?? null}
      onChange={({ detail }) => props.onChange(detail.selectedOption.value ?? '')}
      options={options}
      placeholder="A plan"
      statusType={plans.kind === 'loading' ? 'loading' : plans.kind === 'failed' ? 'error' : 'finished'}
      loadingText="Loading plans"
      errorText="The plans cannot be read"
      ariaRequired
    />
  );
}
