import Autosuggest from '@cloudscape-design/components/autosuggest';
import { useApi } from '../../api/context.ts';
import { useResource } from '../../data/use-resource.ts';

/** The first ones are offered; any other can be typed. */
const OFFERED = 100;

/** A tenant of the region by its id. */
export function TenantSelect(props: { readonly value: string; readonly onChange: (tenant: string) => void }) {
  const api = useApi();
  const tenants = useResource('first tenants', (signal) =>
    api.call('tenant-list', { query: { limit: OFFERED }, signal }),
  );
  return (
    <Autosuggest
      value={props.value}
      onChange={({ detail }) => props.onChange(detail.value.trim())}
      options={(tenants.kind === 'ready' ? tenants.value.items : []).map(({ id, name }) => ({
        value: id,
        description: name,
      }))}
      enteredTextLabel={(text) => `Use "${text}"`}
      placeholder="Id of a tenant"
      statusType={tenants.kind === 'loading' ? 'loading' : tenants.kind === 'failed' ? 'error' : 'finished'}
      loadingText="Loading tenants"
      errorText="The tenants cannot be read"
      empty="No tenant"
      ariaRequired
    />
  );
}
