import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import type { ReactNode } from 'react';
import { toProblemView } from '../api/api.ts';
import type { Resource } from '../data/use-resource.ts';
import { ProblemAlert } from './problem-alert.tsx';
import { RelativeTime } from './relative-time.tsx';

type LoadedProps<T> = {
  readonly of: Resource<T>;
  readonly children: (value: T) => ReactNode;
  /** While there is no answer yet: as tall as what comes, so that nothing jumps. */
  readonly minHeight?: 'small' | 'medium' | 'large';
  readonly empty?: { readonly when: (value: T) => boolean; readonly says: ReactNode };
};

/** What a resource holds, in every state: loading, failed, empty, there, and there but old. */
export function Loaded<T>({ of, children, minHeight = 'small', empty }: LoadedProps<T>) {
  if (of.kind === 'loading') {
    return (
      <div className={`sluice-loading sluice-loading-${minHeight}`} role="status">
        <Spinner size="large" />
        <span className="sluice-hidden">Loading</span>
      </div>
    );
  }
  if (of.kind === 'failed') return <ProblemAlert error={of.error} onRetry={() => void of.refresh()} />;
  return (
    <SpaceBetween size="m">
      {of.staleBecause !== undefined && <Stale at={of.atMs} error={of.staleBecause} />}
      {empty?.when(of.value) ? <Empty>{empty.says}</Empty> : children(of.value)}
    </SpaceBetween>
  );
}

function Stale({ at, error }: { readonly at: number; readonly error: unknown }) {
  return (
    <Alert type="warning">
      Not up to date: as of <RelativeTime at={at} />. {toProblemView(error).title}
    </Alert>
  );
}

/** Where there is nothing to show, and what would make it appear. */
export function Empty({ children }: { readonly children: ReactNode }) {
  return (
    <Box textAlign="center" color="text-body-secondary" padding={{ vertical: 'l' }}>
      {children}
    </Box>
  );
}
