import Alert from '@cloudscape-design/components/alert';
import Container from '@cloudscape-design/components/container';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import type { Quality, TenantQuality } from '../../api/api.ts';
import { RelativeTime } from '../../components/relative-time.tsx';
import { count, dateTime, NOTHING } from '../../format/format.ts';
import { REFERENCE_TEXTS, STATUS_SENTENCES, STATUS_TEXTS, STATUS_TONES } from './quality-words.ts';

/** How the version is, since when, beside what; and which labels no longer come. */
export function QualitySummary({ quality }: { readonly quality: TenantQuality | Quality }) {
  const { version, status, checked_at, window } = quality;
  const whole = 'reference' in quality ? quality : undefined;
  return (
    <SpaceBetween size="m">
      {whole !== undefined && whole.missing_classes.length > 0 && (
        <Alert type="error" header="Labels come no more">
          The reference has them, and none of {count(whole.rows)} answers did: {whole.missing_classes.join(', ')}.
        </Alert>
      )}
      <Container>
        <KeyValuePairs
          columns={4}
          items={[
            { label: 'Version', value: version },
            {
              label: 'State',
              value: (
                <>
                  <StatusIndicator type={STATUS_TONES[status]}>{STATUS_TEXTS[status]}</StatusIndicator>
                  <div>{STATUS_SENTENCES[status]}</div>
                </>
              ),
            },
            {
              label: 'Window',
              value:
                window === null ? (
                  'none has ended yet'
                ) : (
                  <>
                    {dateTime(window.from)}
                    <div>
                      until {dateTime(window.until)}, looked at <RelativeTime at={checked_at} />
                    </div>
                  </>
                ),
            },
            { label: 'Reference', value: whole === undefined ? NOTHING : referenceOf(whole) },
          ].filter(({ label }) => label !== 'Reference' || whole !== undefined)}
        />
      </Container>
    </SpaceBetween>
  );
}

function referenceOf({ reference }: Quality) {
  if (reference === null) return 'none';
  const { kind, rows, from, until } = reference;
  return (
    <>
      {REFERENCE_TEXTS[kind]}, {count(rows)} rows
      {from !== null && (
        <div>
          {dateTime(from)} until {dateTime(until)}
        </div>
      )}
    </>
  );
}
