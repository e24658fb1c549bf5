import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import type { Tenant } from '../../api/api.ts';
import { useApi, useRegions } from '../../api/context.ts';
import { ProblemAlert } from '../../components/problem-alert.tsx';
import { useAction } from '../../data/use-action.ts';
import { PlanSelect } from './plan-select.tsx';

/** Asks for what a tenant needs; its keys are made on its page. */
export function CreateTenant({ onClose }: { readonly onClose: (created: Tenant | undefined) => void }) {
  const api = useApi();
  const { region } = useRegions();
  const [id, setId] = useState('');
  const [name, setName] = useState('');
  const [plan, setPlan] = useState('');
  const create = useAction(() => api.call('tenant-create', { body: { id, name, plan } }));
  const blocked = id === '' || name === '' || plan === '';
  const submit = async () => {
    if (blocked) return;
    const created = await create.run();
    if (created !== undefined) onClose(created);
  };
  return (
    <Modal
      visible
      header="Create a tenant"
      closeAriaLabel="Close"
      onDismiss={() => !create.running && onClose(undefined)}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={() => onClose(undefined)} disabled={create.running}>
              Cancel
            </Button>
            <Button variant="primary" onClick={() => void submit()} disabled={blocked} loading={create.running}>
              Create
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <SpaceBetween size="m">
          <Box>
            Its data will be at home in <b>{region.id}</b> and stay there.
          </Box>
          <FormField label="Id" constraintText="Small letters, digits and hyphens. It is never changed.">
            <Input value={id} onChange={({ detail }) => setId(detail.value.trim())} ariaRequired autoComplete={false} />
          </FormField>
          <FormField label="Name">
            <Input value={name} onChange={({ detail }) => setName(detail.value)} ariaRequired autoComplete={false} />
          </FormField>
          <FormField label="Plan">
            <PlanSelect value={plan} onChange={setPlan} />
          </FormField>
          {create.error !== undefined && <ProblemAlert error={create.error} />}
        </SpaceBetween>
      </form>
    </Modal>
  );
}
