import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { type ReactNode, useState } from 'react';
import type { Action } from '../data/use-action.ts';
import { ProblemAlert } from './problem-alert.tsx';

type ConfirmDialogProps<Result> = {
  readonly title: string;
  /** What will happen, with numbers and names. */
  readonly children: ReactNode;
  /** The button: the verb itself, never "OK". */
  readonly verb: string;
  readonly action: Action<readonly [reason: string], Result>;
  /** `required`: nothing happens without one. Left out: none is asked for, and the action gets ''. */
  readonly reason?: 'required' | 'optional';
  /** Must be typed as it is, for what cannot be undone. */
  readonly typed?: string;
  readonly onClose: (result: Result | undefined) => void;
};

/** Asks before something is done, stays open with the problem if it fails, and closes once it is done. */
export function ConfirmDialog<Result>(props: ConfirmDialogProps<Result>) {
  const { title, children, verb, action, reason: asksReason, typed, onClose } = props;
  const [reason, setReason] = useState('');
  const [text, setText] = useState('');
  const blocked = (typed !== undefined && text !== typed) || (asksReason === 'required' && reason.trim() === '');
  const cancel = () => {
    if (action.running) return;
    action.clear();
    onClose(undefined);
  };
  const confirm = async () => {
    if (blocked) return;
    const result = await action.run(reason.trim());
    if (result !== undefined) onClose(result);
  };
  return (
    <Modal
      visible
      header={title}
      onDismiss={cancel}
      closeAriaLabel="Close"
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={cancel} disabled={action.running}>
              Cancel
            </Button>
            <Button variant="primary" onClick={() => void confirm()} disabled={blocked} loading={action.running}>
              {verb}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void confirm();
        }}
      >
        <SpaceBetween size="m">
          <div>{children}</div>
          {asksReason !== undefined && (
            <FormField
              label={
                asksReason === 'required' ? (
                  'Reason'
                ) : (
                  <>
                    Reason <i>- optional</i>
                  </>
                )
              }
              constraintText="Kept in the audit."
            >
              <Input
                value={reason}
                onChange={({ detail }) => setReason(detail.value)}
                ariaRequired={asksReason === 'required'}
              />
            </FormField>
          )}
          {typed !== undefined && (
            <FormField
              label={
                <>
                  To confirm, type <code>{typed}</code>
                </>
              }
            >
              <Input value={text} onChange={({ detail }) => setText(detail.value)} ariaRequired autoComplete={false} />
            </FormField>
          )}
          {action.error !== undefined && <ProblemAlert error={action.error} />}
        </SpaceBetween>
      </form>
    </Modal>
  );
}
