import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input, { type InputProps } from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useEffect, useRef, useState } from 'react';
import type { ReleaseDetail, ReleaseVerbAnswer } from '../../api/api.ts';
import { useApi } from '../../api/context.ts';
import { ProblemAlert } from '../../components/problem-alert.tsx';
import { useAction } from '../../data/use-action.ts';
import { effectOf, VERB_NAMES, type Verb } from './release-words.ts';
import { VersionSelect } from './version-select.tsx';

type VerbDialogProps = {
  readonly release: ReleaseDetail;
  readonly verb: Verb;
  readonly onClose: (answer: ReleaseVerbAnswer | undefined) => void;
};

/** After the dialog has put the focus where it begins. */
const FOCUS_AFTER_MS = 50;

/** Says what a verb would bring about now, asks for a reason, and gives it once, however often it is sent. */
export function VerbDialog({ release, verb, onClose }: VerbDialogProps) {
  const api = useApi();
  const [reason, setReason] = useState('');
  const [asked, setAsked] = useState(false);
  const [to, setTo] = useState(release.stable);
  const [id] = useState(() => crypto.randomUUID());
  const field = useRef<InputProps.Ref>(null);
  const option = release.options.find((each) => each.verb === verb);
  const action = useAction((said: string) =>
    api.call('release-verb', {
      params: { release: release.id },
      body: {
        verb,
        reason: said,
        id,
        ...(verb === 'undo' && { version: to }),
        ...(verb === 'retry' && { attempt: release.attempt }),
      },
    }),
  );
  useEffect(() => {
    const timer = setTimeout(() => field.current?.focus(), FOCUS_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  const confirm = async () => {
    setAsked(true);
    if (reason.trim() === '') {
      field.current?.focus();
      return;
    }
    const answer = await action.run(reason.trim());
    if (answer !== undefined) onClose(answer);
  };
  const name = VERB_NAMES[verb];
  return (
    <Modal
      visible
      header={`${name}: ${release.model} ${release.stable} → ${release.candidate}`}
      onDismiss={() => !action.running && onClose(undefined)}
      closeAriaLabel="Close"
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={() => onClose(undefined)} disabled={action.running}>
              Cancel
            </Button>
            <Button variant="primary" onClick={() => void confirm()} loading={action.running}>
              {name}
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
          <div>
            {option?.after === null || option === undefined ? (
              <Box variant="p">
                {option?.refused === null || option === undefined ? '' : `It will be refused: ${option.refused}.`}
              </Box>
            ) : (
              effects(verb, release, option.after, to).map((sentence) => (
                <Box variant="p" key={sentence}>
                  {sentence}
                </Box>
              ))
            )}
          </div>
          {verb === 'undo' && (
            <FormField label="Version to go to" description="Any version that is kept; the one before is warm still.">
              <VersionSelect model={release.model} value={to} onChange={setTo} />
            </FormField>
          )}
          <FormField
            label="Reason"
            constraintText="Kept in the audit, with your name."
            errorText={asked && reason.trim() === '' ? 'Say why.' : undefined}
          >
            <Input
              ref={field}
              value={reason}
              onChange={({ detail }) => setReason(detail.value)}
              ariaRequired
              autoComplete={false}
            />
          </FormField>
          {action.error !== undefined && <ProblemAlert error={action.error} />}
        </SpaceBetween>
      </form>
    </Modal>
  );
}

/** What the API foresees is of an undo to the stable version. */
function effects(
  verb: Verb,
  release: ReleaseDetail,
  after: Parameters<typeof effectOf>[2],
  to: string,
): readonly string[] {
  if (verb !== 'undo' || to === release.stable) return effectOf(verb, release, after);
  return [`Sends 100 % of ${release.model} to version ${to} as soon as that is warm.`];
}
