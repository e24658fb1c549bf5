import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import { Link } from 'wouter';
import type { RegionConfig } from '../../api/config.ts';
import { useApi, useRegions, useSessions } from '../../api/context.ts';
import { useResource } from '../../data/use-resource.ts';
import { count, duration, percent, perSecond, usd } from '../../format/format.ts';
import { type RegionHealth, useHealth } from '../../shell/health.ts';

const EVERY_MS = 15_000;

const HEALTH: Readonly<Record<RegionHealth, { readonly type: StatusIndicatorProps.Type; readonly says: string }>> = {
  unknown: { type: 'loading', says: 'asking' },
  ready: { type: 'success', says: 'ready' },
  'not-ready': { type: 'warning', says: 'not ready' },
  down: { type: 'error', says: 'down' },
};

/** Every region beside the others: one that is down says so, and takes nothing from the others. */
export function Regions() {
  const { region: current, regions } = useRegions();
  const health = useHealth();
  if (regions.length < 2) return null;
  return (
    <section className="sluice-regions" aria-label="Regions">
      {regions.map((region) => (
        <RegionCard
          key={region.id}
          region={region}
          health={health[region.id] ?? 'unknown'}
          isCurrent={region.id === current.id}
        />
      ))}
    </section>
  );
}

type CardProps = { readonly region: RegionConfig; readonly health: RegionHealth; readonly isCurrent: boolean };

function RegionCard({ region, health, isCurrent }: CardProps) {
  const { sessions, all } = useSessions();
  const session = all[region.id];
  const { type, says } = HEALTH[health];
  const page = `${import.meta.env.BASE_URL}${region.id}/overview`;
  return (
    <div className={`sluice-region${isCurrent ? ' sluice-region-current' : ''}`}>
      <div className="sluice-region-head">
        {isCurrent ? <strong>{region.id}</strong> : <Link href={`~${page}`}>{region.id}</Link>}
        <StatusIndicator type={type}>{says}</StatusIndicator>
      </div>
      {session?.kind === 'signed-in' ? (
        <RegionFigures region={region} />
      ) : health === 'down' ? (
        <Box color="text-body-secondary">Nobody can reach it from here.</Box>
      ) : session?.kind === 'restoring' ? (
        <Box color="text-body-secondary">Signing in</Box>
      ) : (
        <Button variant="inline-link" onClick={() => void sessions.signIn(region.id, page)}>
          Sign in to {region.id}
        </Button>
      )}
    </div>
  );
}

function RegionFigures({ region }: { readonly region: RegionConfig }) {
  const api = useApi({ region });
  const overview = useResource('overview', (signal) => api.call('overview', { signal }), {
    everyMs: EVERY_MS,
    region: region.id,
  });
  if (overview.kind === 'loading') return <Box color="text-body-secondary">Loading</Box>;
  if (overview.kind === 'failed' || overview.staleBecause !== undefined) {
    return <Box color="text-status-error">Its API does not answer.</Box>;
  }
  const { value } = overview;
  const sounding = value.alarms.filter(({ state }) => state === 'alarm').length;
  const waiting = value.queues.reduce((sum, { depth }) => sum + depth, 0);
  const figures: readonly (readonly [string, string])[] = [
    ['requests', perSecond(value.requests_per_s)],
    ['p95', duration(value.p95_ms)],
    ['errors', percent(value.error_rate)],
    ['waiting', count(waiting)],
    ['workers', count(value.workers)],
    ['releases', count(value.active_releases.length)],
    ['alarms', count(sounding)],
    ['cost today', usd(value.cost_today_usd)],
  ];
  return (
    <dl className="sluice-region-figures">
      {figures.map(([name, text]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd className="sluice-figures">{text}</dd>
        </div>
      ))}
    </dl>
  );
}
