import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import type { Tenant } from '../../api/api.ts';
import { useApi, useWho } from '../../api/context.ts';
import { reaches } from '../../auth/who.ts';
import { ConfirmDialog } from '../../components/confirm-dialog.tsx';
import { ProblemAlert } from '../../components/problem-alert.tsx';
import { useAction } from '../../data/use-action.ts';
import { date } from '../../format/format.ts';
import { useNotify } from '../../shell/notices.tsx';
import { PlanSelect } from './plan-select.tsx';

type SettingsProps = { readonly tenant: Tenant; readonly onChange: () => void };
type Asked = 'suspend' | 'resume' | 'consent' | 'withdraw' | 'erase';

/** What is set of a tenant, and what ends it. */
export function SettingsView({ tenant, onChange }: SettingsProps) {
  const { role } = useWho();
  const isOperator = reaches(role, 'operator');
  const [asked, setAsked] = useState<Asked | undefined>(undefined);
  return (
    <SpaceBetween size="l">
      <Container header={<Header variant="h2">Settings</Header>}>
        <KeyValuePairs columns={3} items={itemsOf(tenant)} />
      </Container>
      {isOperator && <ChangePlan key={tenant.epoch} tenant={tenant} onChange={onChange} />}
      <Container header={<Header variant="h2">Copies of predictions</Header>}>
        <SpaceBetween size="s">
          <Box>
            {tenant.capture_consent
              ? 'Samples of its predictions are kept, encrypted under its own key, for comparing versions.'
              : 'No copy of its predictions is kept.'}
          </Box>
          {tenant.capture_consent && (
            <Button onClick={() => setAsked('withdraw')}>Withdraw and erase the copies</Button>
          )}
          {!tenant.capture_consent && !isOperator && <Button onClick={() => setAsked('consent')}>Agree</Button>}
          {!tenant.capture_consent && isOperator && <Box variant="small">Only the tenant itself can agree to it.</Box>}
        </SpaceBetween>
      </Container>
      <Container header={<Header variant="h2">Ending</Header>}>
        <SpaceBetween direction="horizontal" size="xs">
          {isOperator && (
            <Button onClick={() => setAsked(tenant.suspended ? 'resume' : 'suspend')}>
              {tenant.suspended ? 'Let it call again' : 'Suspend'}
            </Button>
          )}
          <Button onClick={() => setAsked('erase')}>Erase all data</Button>
        </SpaceBetween>
      </Container>
      {asked !== undefined && (
        <Ask
          tenant={tenant}
          asked={asked}
          onClose={(done) => {
            setAsked(undefined);
            if (done) onChange();
          }}
        />
      )}
    </SpaceBetween>
  );
}

function itemsOf(tenant: Tenant) {
  const pins = Object.entries(tenant.pins).map(([model, version]) => `${model} ${version}`);
  return [
    { label: 'Home region', value: tenant.region },
    { label: 'Asked in another region', value: WRONG_REGION[tenant.wrong_region] },
    { label: 'Workers', value: tenant.pool ?? 'those of each model' },
    { label: 'Browsers may call from', value: tenant.allowed_origins.join(', ') || 'nowhere' },
    { label: 'Pinned versions', value: pins.join(', ') || 'none' },
    { label: 'Since', value: date(tenant.created_at_ms) },
  ];
}

const WRONG_REGION: Readonly<Record<Tenant['wrong_region'], string>> = {
  refuse: 'is refused, with the address of its home',
  redirect: 'is redirected home',
  forward: 'is forwarded home',
};

function ChangePlan({ tenant, onChange }: SettingsProps) {
  const api = useApi();
  const notify = useNotify();
  const [plan, setPlan] = useState(tenant.plan);
  const { id, epoch } = tenant;
  const change = useAction(() => api.call('tenant-patch', { params: { tenant: id }, body: { plan, epoch } }));
  const submit = async () => {
    if ((await change.run()) === undefined) return;
    notify({ type: 'success', text: `${id} has the plan ${plan} from now on.` });
    onChange();
  };
  return (
    <Container header={<Header variant="h2">Plan</Header>}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <SpaceBetween size="s">
          <FormField label="Plan" description="What it may use, and how much of the workers it gets under contention">
            <PlanSelect value={plan} onChange={setPlan} />
          </FormField>
          <Button formAction="submit" disabled={plan === tenant.plan} loading={change.running}>
            Change the plan
          </Button>
          {change.error !== undefined && <ProblemAlert error={change.error} />}
        </SpaceBetween>
      </form>
    </Container>
  );
}

type AskProps = { readonly tenant: Tenant; readonly asked: Asked; readonly onClose: (done: boolean) => void };

function Ask({ tenant, asked, onClose }: AskProps) {
  const api = useApi();
  const notify = useNotify();
  const { id, epoch } = tenant;
  const params = { tenant: id };
  const action = useAction(async (_reason: string) => {
    if (asked === 'erase') await api.call('tenant-erase', { params });
    else if (asked === 'consent' || asked === 'withdraw')
      await api.call('capture-consent-put', { params, body: { consent: asked === 'consent' } });
    else await api.call('tenant-patch', { params, body: { suspended: asked === 'suspend', epoch } });
    return true;
  });
  const { title, verb, says, done } = WORDS[asked];
  return (
    <ConfirmDialog
      title={title(id)}
      verb={verb}
      action={action}
      {...(asked === 'erase' && { typed: id })}
      onClose={(result) => {
        if (result === true) notify({ type: 'success', text: done(id) });
        onClose(result === true);
      }}
    >
      {says}
    </ConfirmDialog>
  );
}

type Words = {
  readonly title: (tenant: string) => string;
  readonly verb: string;
  readonly says: string;
  readonly done: (tenant: string) => string;
};

const WORDS: Readonly<Record<Asked, Words>> = {
  suspend: {
    title: (tenant) => `Suspend ${tenant}?`,
    verb: 'Suspend',
    says: 'All its requests are refused within a second. What it was promised is still computed, and nothing is erased.',
    done: (tenant) => `${tenant} is suspended.`,
  },
  resume: {
    title: (tenant) => `Let ${tenant} call again?`,
    verb: 'Let it call',
    says: 'Its keys are good again within a second.',
    done: (tenant) => `${tenant} may call again.`,
  },
  consent: {
    title: () => 'Have samples of predictions kept?',
    verb: 'Agree',
    says: 'Where a model asks for it, a share of inputs and outputs is kept, encrypted under the key of this tenant, for as many days as the model says. It is used to compare versions before they serve you.',
    done: () => 'Samples are kept from now on.',
  },
  withdraw: {
    title: () => 'Withdraw and erase the copies?',
    verb: 'Withdraw',
    says: 'No more copies are kept, and those that there are are erased.',
    done: () => 'No copies are kept any more.',
  },
  erase: {
    title: (tenant) => `Erase all data of ${tenant}?`,
    verb: 'Erase for ever',
    says: 'Its data key is destroyed first, so that nothing that was stored can ever be read again: waiting predictions, results, webhooks, copies, kept answers. The tenant, its keys and its bill stay. It cannot be undone.',
    done: (tenant) => `The data of ${tenant} are erased.`,
  },
};
