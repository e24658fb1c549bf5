import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Modal from '@cloudscape-design/components/modal';
import RadioGroup from '@cloudscape-design/components/radio-group';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { DAY_MS } from '../../../../core/units.ts';
import { useApi } from '../../api/context.ts';
import { ProblemAlert } from '../../components/problem-alert.tsx';
import { useAction } from '../../data/use-action.ts';
import { useNotify } from '../../shell/notices.tsx';

type Kind = 'training' | 'validation' | 'window';

const KINDS = [
  { value: 'training', label: 'Training data', description: 'What reference.json in the model folder says' },
  { value: 'window', label: 'The last days of production', description: 'What this version was asked and answered' },
  { value: 'validation', label: 'Validation', description: 'The golden pairs: few, and good for labels alone' },
] as const;

/** Asks what a version is to be compared with from now on. */
export function ChooseReference(props: { readonly model: string; readonly onClose: (chosen: boolean) => void }) {
  const { model, onClose } = props;
  const api = useApi();
  const notify = useNotify();
  const [kind, setKind] = useState<Kind>('training');
  const [days, setDays] = useState('7');
  const choose = useAction(async () => {
    const until = Date.now();
    const from = new Date(until - Number(days) * DAY_MS).toISOString();
    const body = kind === 'window' ? { kind, from, until: new Date(until).toISOString() } : { kind };
    await api.call('quality-reference-put', { params: { model }, body });
    notify({ type: 'success', text: `${model} is compared with it from the next window on.` });
    onClose(true);
  });
  return (
    <Modal
      visible
      header={`What is ${model} compared with?`}
      closeAriaLabel="Close"
      onDismiss={() => !choose.running && onClose(false)}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={() => onClose(false)} disabled={choose.running}>
              Cancel
            </Button>
            <Button variant="primary" onClick={() => void choose.run()} loading={choose.running}>
              Choose
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <RadioGroup
          value={kind}
          onChange={({ detail }) => setKind(detail.value as Kind)}
          items={[...KINDS]}
          ariaLabel="Reference"
        />
        {kind === 'window' && (
          <FormField label="As far back as">
            <SegmentedControl
              selectedId={days}
              onChange={({ detail }) => setDays(detail.selectedId)}
              label="As far back as"
              options={[
                { id: '1', text: 'A day' },
                { id: '7', text: '7 days' },
                { id: '14', text: '14 days' },
              ]}
            />
          </FormField>
        )}
        {choose.error !== undefined && <ProblemAlert error={choose.error} />}
      </SpaceBetween>
    </Modal>
  );
}
