import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import type { Metrics, ReleaseDetail } from '../../api/api.ts';
import { useApi } from '../../api/context.ts';
import { Loaded } from '../../components/loaded.tsx';
import { TimeChart } from '../../components/time-chart.tsx';
import { useResource } from '../../data/use-resource.ts';
import { count, duration, percent } from '../../format/format.ts';
import { hasEnded } from './release-words.ts';

const LIVE_MS = 10_000;
const [SECOND_MS, MINUTE_MS, DAY_MS] = [1000, 60_000, 86_400_000];
/** As many as a chart of a third of the page shows apart. */
const MOST_STEPS = 120;
/** What is finer is read from every single report, minutes from what was added up. */
const FINEST_READ_S = 10;
/** Of older ones only hours are kept. */
const FINE_DAYS = 14;

type Both = { readonly stable: Metrics; readonly candidate: Metrics };

/** Requests, slowness and errors of both versions since the release began, step by step. */
export function OverTime({ release }: { readonly release: ReleaseDetail }) {
  const api = useApi();
  const { id, model, attempt } = release;
  const isOver = hasEnded(release);
  const both = useResource<Both>(
    `release over time ${id} ${attempt} ${isOver}`,
    async (signal) => {
      const query = spanOf(release, Date.now());
      const of = (version: string) =>
        api.call('model-metrics', { params: { model }, query: { version, ...query }, signal });
      const [stable, candidate] = await Promise.all([of(release.stable), of(release.candidate)]);
      return { stable, candidate };
    },
    isOver ? {} : { everyMs: LIVE_MS },
  );
  return (
    <div className="sluice-over-time">
      <Loaded of={both} minHeight="medium">
        {(value) => (
          <div className="sluice-charts">
            <Chart title="Requests" of={(item) => item.requests} format={count} both={value} />
            <Chart title="p95 latency" of={(item) => item.p95_ms} format={duration} both={value} />
            <Chart title="Error rate" of={(item) => item.error_rate} format={percent} both={value} />
          </div>
        )}
      </Loaded>
    </div>
  );
}

/** From the start to the end or now, in steps of whole windows of 5 s. */
function spanOf(release: ReleaseDetail, nowMs: number) {
  const fromMs = release.segments[0]?.from_ms ?? release.started_at_ms;
  const untilMs = Math.max(fromMs + MINUTE_MS, release.ended_at_ms ?? nowMs);
  const stepS = Math.max(5, Math.ceil((untilMs - fromMs) / MOST_STEPS / (5 * SECOND_MS)) * 5);
  const span = { from: new Date(fromMs).toISOString(), until: new Date(untilMs).toISOString() };
  return stepS > FINEST_READ_S || nowMs - fromMs > FINE_DAYS * DAY_MS ? span : { ...span, step_s: stepS };
}

type ChartProps = {
  readonly title: string;
  readonly of: (item: Metrics['items'][number]) => number | null;
  readonly format: (value: number) => string;
  readonly both: Both;
};

function Chart({ title, of, format, both: { stable, candidate } }: ChartProps) {
  const line = (name: string, metrics: Metrics) => ({
    title: `${name} ${metrics.version}`,
    points: metrics.items.map((item) => ({ at: item.at, value: of(item) })),
  });
  const step = stable.step_s >= 60 ? `${Math.round(stable.step_s / 60)} min` : `${stable.step_s} s`;
  return (
    <Container
      header={
        <Header variant="h3" description={`In steps of ${step}.`}>
          {title}
        </Header>
      }
    >
      <TimeChart
        label={`${title} of both versions over time`}
        height={170}
        format={format}
        span={[stable.from, stable.until]}
        series={[
          { ...line('Stable', stable), tone: 'stable', dashed: true },
          { ...line('Candidate', candidate), tone: 'candidate' },
        ]}
      />
    </Container>
  );
}
