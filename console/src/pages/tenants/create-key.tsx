import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { DAY_MS } from '../../../../core/units.ts';
import type { ApiKeyCreated } from '../../api/api.ts';
import { useApi } from '../../api/context.ts';
import { ProblemAlert } from '../../components/problem-alert.tsx';
import { useAction } from '../../data/use-action.ts';

const ROLES = [
  { value: 'tenant-user', label: 'tenant-user', description: 'Predicts, reads results, gives feedback' },
  {
    value: 'tenant-admin',
    label: 'tenant-admin',
    description: 'That, and keys, usage, cost and erasure of this tenant',
  },
] as const;
const LIFETIMES = [
  { value: '90', label: '90 days' },
  { value: '365', label: 'A year' },
  { value: '', label: 'Until it is revoked' },
] as const;

type CreateKeyProps = { readonly tenant: string; readonly onClose: (created: boolean) => void };

/** Makes a key and shows its text, which nobody can read again. */
export function CreateKey({ tenant, onClose }: CreateKeyProps) {
  const api = useApi();
  const [label, setLabel] = useState('');
  const [role, setRole] = useState<'tenant-user' | 'tenant-admin'>('tenant-user');
  const [days, setDays] = useState('365');
  const [created, setCreated] = useState<ApiKeyCreated | undefined>(undefined);
  const create = useAction(() => {
    const expires = days === '' ? {} : { expires_at_ms: Date.now() + Number(days) * DAY_MS };
    return api.call('key-create', { params: { tenant }, body: { label, role, ...expires } });
  });
  const submit = async () => {
    if (label !== '') setCreated(await create.run());
  };
  const close = () => !create.running && onClose(created !== undefined);
  return (
    <Modal
      visible
      header={created === undefined ? 'Create a key' : 'The key was made'}
      closeAriaLabel="Close"
      onDismiss={close}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant={created === undefined ? 'link' : 'primary'} onClick={close} disabled={create.running}>
              {created === undefined ? 'Cancel' : 'I have kept it'}
            </Button>
            {created === undefined && (
              <Button variant="primary" onClick={() => void submit()} disabled={label === ''} loading={create.running}>
                Create
              </Button>
            )}
          </SpaceBetween>
        </Box>
      }
    >
      {created !== undefined ? (
        <SpaceBetween size="m">
          <Alert type="warning">
            This is the only time that it is shown. Put it where the tenant's server reads secrets.
          </Alert>
          <div className="sluice-secret">
            <code>{created.key}</code>
            <CopyToClipboard
              variant="icon"
              textToCopy={created.key}
              copyButtonAriaLabel="Copy the key"
              copySuccessText="Copied"
              copyErrorText="It could not be copied: select it"
            />
          </div>
        </SpaceBetween>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void submit();
          }}
        >
          <SpaceBetween size="m">
            <FormField label="Label" constraintText="Who calls with it: it is how you will know it again.">
              <Input
                value={label}
                onChange={({ detail }) => setLabel(detail.value)}
                ariaRequired
                autoComplete={false}
              />
            </FormField>
            <FormField label="Role">
              <Select
                selectedOption={ROLES.find(({ value }) => value === role) ?? null}
                onChange={({ detail }) => setRole(detail.selectedOption.value as typeof role)}
                options={ROLES}
              />
            </FormField>
            <FormField label="Valid for">
              <Select
                selectedOption={LIFETIMES.find(({ value }) => value === days) ?? null}
                onChange={({ detail }) => setDays(detail.selectedOption.value ?? '')}
                options={LIFETIMES}
              />
            </FormField>
            {create.error !== undefined && <ProblemAlert error={create.error} />}
          </SpaceBetween>
        </form>
      )}
    </Modal>
  );
}
