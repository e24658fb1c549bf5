import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import { toProblemView } from '../api/api.ts';

/** A failure as the API tells it: what happened, what to do, and the code and request by which others can find it. */
export function ProblemAlert(props: {
  readonly error: unknown;
  readonly onRetry?: (() => void) | undefined;
  readonly onDismiss?: (() => void) | undefined;
}) {
  const { title, advice, code, requestId } = toProblemView(props.error);
  const { onRetry, onDismiss } = props;
  return (
    <Alert
      type="error"
      header={title}
      action={onRetry && <Button onClick={onRetry}>Try again</Button>}
      {...(onDismiss && { dismissible: true, onDismiss, i18nStrings: { dismissAriaLabel: 'Close' } })}
    >
      {advice}
      <Box variant="small" display="block" color="inherit">
        Code <code>{code}</code>
        {requestId !== undefined && (
          <>
            {' '}
            · request <code>{requestId}</code>
          </>
        )}
      </Box>
    </Alert>
  );
}
