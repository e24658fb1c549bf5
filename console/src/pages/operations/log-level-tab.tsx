import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import type { LogLevel, LogLevelPut } from '../../api/api.ts';
import { useApi } from '../../api/context.ts';
import { Loaded } from '../../components/loaded.tsx';
import { Metric, Metrics } from '../../components/metric.tsx';
import { ProblemAlert } from '../../components/problem-alert.tsx';
import { RelativeTime } from '../../components/relative-time.tsx';
import { useAction } from '../../data/use-action.ts';
import { type Resource, useResource } from '../../data/use-resource.ts';
import { useNotify } from '../../shell/notices.tsx';

const EVERY_MS = 15_000;

/** How much every process of the region writes into its log, for a while. */
export function LogLevelTab() {
  const api = useApi();
  const level = useResource('log-level', (signal) => api.call('log-level-read', { signal }), { everyMs: EVERY_MS });
  return (
    <Container
      header={
        <Header
          variant="h2"
          description="Every process of the region follows within a minute, and goes back by itself."
        >
          Log level
        </Header>
      }
    >
      <Loaded of={level}>{(now) => <Level now={now} level={level} />}</Loaded>
    </Container>
  );
}

function Level({ now, level }: { readonly now: LogLevel; readonly level: Resource<LogLevel> }) {
  return (
    <SpaceBetween size="l">
      <Metrics>
        <Metric
          label="Now"
          value={now.level ?? 'as started'}
          hint={
            now.until === null ? (
              'nobody has changed it'
            ) : (
              <>
                ends <RelativeTime at={now.until} />, set by {now.by}
              </>
            )
          }
        />
      </Metrics>
      <Change onChanged={() => void level.refresh()} />
    </SpaceBetween>
  );
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
const SPANS = [
  { value: '15', label: '15 min' },
  { value: '60', label: '1 h' },
  { value: '240', label: '4 h' },
];

function Change({ onChanged }: { readonly onChanged: () => void }) {
  const api = useApi();
  const notify = useNotify();
  const [level, setLevel] = useState<LogLevelPut['level']>('debug');
  const [minutes, setMinutes] = useState('15');
  const action = useAction(async () => {
    await api.call('log-level-put', { body: { level, minutes: Number(minutes) } });
    notify({ type: 'success', text: `Logs are written from ${level} on for ${minutes} minutes` });
    onChanged();
  });
  return (
    <SpaceBetween size="s">
      <div className="sluice-filter sluice-narrow">
        <FormField label="Level">
          <Select
            selectedOption={{ value: level, label: level }}
            options={LEVELS.map((each) => ({ value: each, label: each }))}
            onChange={({ detail }) => setLevel(LEVELS.find((each) => each === detail.selectedOption.value) ?? level)}
          />
        </FormField>
        <FormField label="For">
          <Select
            selectedOption={SPANS.find(({ value }) => value === minutes) ?? null}
            options={SPANS}
            onChange={({ detail }) => setMinutes(detail.selectedOption.value ?? minutes)}
          />
        </FormField>
      </div>
      <Button onClick={() => void action.run()} loading={action.running}>
        Change it
      </Button>
      {action.error !== undefined && <ProblemAlert error={action.error} />}
    </SpaceBetween>
  );
}
