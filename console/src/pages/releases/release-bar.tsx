import Button, { type ButtonProps } from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import type { ReleaseDetail } from '../../api/api.ts';
import { useNow } from '../../data/use-now.ts';
import { hasEnded, standingOf, stateOf, VERB_NAMES, type Verb } from './release-words.ts';

type ReleaseBarProps = { readonly release: ReleaseDetail; readonly onVerb: (verb: Verb) => void };

/** Stays at the top of the page: where the release is in one line, and what can be done about it. Abort is never further than a click. */
export function ReleaseBar({ release, onVerb }: ReleaseBarProps) {
  const nowMs = useNow();
  const { text, tone } = stateOf(release);
  return (
    <section className="sluice-release-bar" aria-label="State and actions">
      <div className="sluice-release-where">
        <span aria-live="polite">
          <StatusIndicator type={tone}>{text}</StatusIndicator>
        </span>
        <span className="sluice-release-headline">{standingOf(release, nowMs).headline}</span>
      </div>
      <div className="sluice-release-verbs">
        {hasEnded(release) ? (
          <AfterEnd release={release} onVerb={onVerb} />
        ) : (
          <Steering release={release} onVerb={onVerb} />
        )}
      </div>
    </section>
  );
}

function Steering({ release, onVerb }: ReleaseBarProps) {
  const isPaused = release.state === 'paused';
  const second: Verb = isPaused ? 'resume' : 'pause';
  return (
    <>
      <VerbButton release={release} verb={second} onVerb={onVerb} />
      {release.state === 'gated' && <VerbButton release={release} verb="approve" variant="primary" onVerb={onVerb} />}
      {release.state !== 'gated' && <Promotions release={release} onVerb={onVerb} />}
      <VerbButton release={release} verb="abort" tone="bad" onVerb={onVerb} />
    </>
  );
}

function Promotions({ release, onVerb }: ReleaseBarProps) {
  return (
    <ButtonDropdown
      items={(['promote', 'promote-full'] as const).map((verb) => {
        const refused = refusalOf(release, verb);
        return {
          id: verb,
          text: VERB_NAMES[verb],
          ...(refused !== undefined && { disabled: true, disabledReason: refused }),
        };
      })}
      onItemClick={({ detail }) => onVerb(detail.id as Verb)}
    >
      Promote
    </ButtonDropdown>
  );
}

function AfterEnd({ release, onVerb }: ReleaseBarProps) {
  return (
    <>
      {release.state === 'rolled-back' && <VerbButton release={release} verb="retry" onVerb={onVerb} />}
      <VerbButton release={release} verb="undo" onVerb={onVerb} always />
    </>
  );
}

function VerbButton(props: {
  readonly release: ReleaseDetail;
  readonly verb: Verb;
  readonly variant?: 'primary';
  readonly tone?: 'bad';
  /** Can be given with another version than the one foreseen. */
  readonly always?: boolean;
  readonly onVerb: (verb: Verb) => void;
}) {
  const { release, verb, variant = 'normal', tone, always = false, onVerb } = props;
  const refused = always ? undefined : refusalOf(release, verb);
  return (
    <Button
      variant={variant}
      onClick={() => onVerb(verb)}
      {...(tone === 'bad' && { style: BAD })}
      {...(refused !== undefined && { disabled: true, disabledReason: refused })}
    >
      {VERB_NAMES[verb]}
    </Button>
  );
}

const EDGE = { default: 'var(--bad)', hover: 'var(--bad)', active: 'var(--bad)' };
const BAD: ButtonProps.Style = { root: { borderColor: EDGE, color: EDGE } };

/** Why a verb would change nothing; undefined where it would. */
function refusalOf({ options }: ReleaseDetail, verb: Verb): string | undefined {
  return options.find((option) => option.verb === verb)?.refused ?? undefined;
}
