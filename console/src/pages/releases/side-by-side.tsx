import Box from '@cloudscape-design/components/box';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import type { ReleaseCheck, ReleaseDetail } from '../../api/api.ts';
import { Settled } from '../../components/settled.tsx';
import { count, dateTime, duration, percent } from '../../format/format.ts';
import { comparedFigures } from './comparison.ts';
import { LabelShares } from './label-shares.tsx';
import { OverlayHistogram } from './overlay-histogram.tsx';
import { hasEnded, type Tone } from './release-words.ts';

const OUTCOMES: Readonly<Record<ReleaseCheck['outcome'], { readonly tone: Tone; readonly text: string }>> = {
  pass: { tone: 'success', text: 'no worse' },
  fail: { tone: 'error', text: 'worse' },
  inconclusive: { tone: 'pending', text: 'not sure yet' },
  absent: { tone: 'stopped', text: 'not compared' },
};

/** Both versions in the same time, with what the analysis makes of the difference. */
export function Figures({ release }: { readonly release: ReleaseDetail }) {
  return (
    <Container header={<Header description={spanOf(release)}>Stable and candidate</Header>}>
      <FigureTable release={release} />
      <ErrorCodes release={release} />
    </Container>
  );
}

/** How latency, confidence and labels of both are distributed, over each other. */
export function Distributions({ release }: { readonly release: ReleaseDetail }) {
  const { numbers, stable, candidate } = release;
  return (
    <div className="sluice-charts">
      <Container header={<Header variant="h3">Latency</Header>}>
        <OverlayHistogram
          label="Requests by latency"
          bins={(numbers?.latency ?? []).map(({ from_ms: from, until_ms: until, ...counts }) => ({
            from,
            until,
            ...counts,
          }))}
          stable={stable}
          candidate={candidate}
          format={duration}
          empty="No requests yet"
        />
      </Container>
      <Container header={<Header variant="h3">Confidence</Header>}>
        <OverlayHistogram
          label="Answers by confidence"
          bins={numbers?.confidence ?? []}
          stable={stable}
          candidate={candidate}
          format={percent}
          empty="No confidence: the model gives none"
        />
      </Container>
      <Container header={<Header variant="h3">Labels</Header>}>
        <LabelShares labels={numbers?.labels ?? []} stable={stable} candidate={candidate} />
      </Container>
    </div>
  );
}

function spanOf({ numbers, state }: ReleaseDetail): string {
  if (numbers === null) return 'Nothing was sent to the candidate yet.';
  const from = dateTime(numbers.from_ms);
  const isLive = state !== 'promoted' && state !== 'rolled-back';
  return isLive
    ? `Since ${from}, ${duration(Math.max(1000, numbers.until_ms - numbers.from_ms))}`
    : `${from} – ${dateTime(numbers.until_ms)}`;
}

function FigureTable({ release }: { readonly release: ReleaseDetail }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must take the focus, to be scrolled by keys.
    <section className="sluice-scroll-x" aria-label="Figures of both versions" tabIndex={0}>
      <table className="sluice-figure-table">
        <thead>
          <tr>
            <th scope="col">
              <span className="sluice-hidden">Figure</span>
            </th>
            <th scope="col" className="sluice-key-stable">
              Stable {release.stable}
            </th>
            <th scope="col" className="sluice-key-candidate">
              Candidate {release.candidate}
            </th>
            <th scope="col">Change</th>
            <th scope="col">Verdict</th>
          </tr>
        </thead>
        <tbody>
          {comparedFigures(release).map(({ name, stable, candidate, change, check }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{stable}</td>
              <td>{candidate}</td>
              <td className={check?.outcome === 'fail' ? 'sluice-worse' : ''}>{change}</td>
              <td>{check !== undefined && <CheckOutcome check={check} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function CheckOutcome({ check }: { readonly check: ReleaseCheck }) {
  const { tone, text } = OUTCOMES[check.outcome];
  return (
    <span title={check.sentence}>
      <StatusIndicator type={tone}>{text}</StatusIndicator>
    </span>
  );
}

/** Errors of both by their codes, the most frequent first. */
function ErrorCodes({ release: { numbers } }: { readonly release: ReleaseDetail }) {
  const codes = new Set([
    ...Object.keys(numbers?.stable.errors_by_code ?? {}),
    ...Object.keys(numbers?.candidate.errors_by_code ?? {}),
  ]);
  if (codes.size === 0 || numbers === null) return null;
  const of = (code: string) => [numbers.stable.errors_by_code[code] ?? 0, numbers.candidate.errors_by_code[code] ?? 0];
  const sorted = [...codes].sort((a, b) => of(b)[0]! + of(b)[1]! - of(a)[0]! - of(a)[1]!);
  return (
    <Box variant="small" color="text-body-secondary" padding={{ top: 's' }} display="block">
      Errors by code, stable and candidate:{' '}
      {sorted.map((code, at) => (
        <span key={code}>
          {at > 0 && ' · '}
          <code>{code}</code> {of(code).map(count).join(' / ')}
        </span>
      ))}
    </Box>
  );
}

const NO_VERDICT = {
  ended: 'It ended before there was anything to judge.',
  open: 'It comes once the candidate has answered something.',
} as const;

/** What stands beside it already is not said again. */
function sentenceOf({ sentence }: NonNullable<ReleaseDetail['verdict']>): string {
  const said = sentence.replace(/^not sure yet: /, '');
  return `${said.charAt(0).toUpperCase()}${said.slice(1)}.`;
}

/** What the analysis says of the present step, in words and with its numbers. */
export function VerdictPanel({ release }: { readonly release: ReleaseDetail }) {
  const { verdict } = release;
  const names = { pass: 'Pass', fail: 'Fail', inconclusive: 'Not sure yet' } as const;
  const tone = verdict === null ? 'pending' : OUTCOMES[verdict.outcome].tone;
  return (
    <Container header={<Header>Verdict</Header>}>
      <Settled of={`${release.id} ${release.state} ${release.step}`}>
        <div className="sluice-verdict">
          <StatusIndicator type={tone}>{verdict === null ? 'None' : names[verdict.outcome]}</StatusIndicator>
          <Box variant="p">
            {verdict === null ? NO_VERDICT[hasEnded(release) ? 'ended' : 'open'] : sentenceOf(verdict)}
          </Box>
          {verdict !== null && (
            <ul className="sluice-checks">
              {verdict.checks.map((check) => (
                <li key={check.name}>
                  <StatusIndicator type={OUTCOMES[check.outcome].tone} iconAriaLabel={OUTCOMES[check.outcome].text} />
                  <span>{check.sentence}</span>
                </li>
              ))}
            </ul>
          )}
        </div>
      </Settled>
    </Container>
  );
}
