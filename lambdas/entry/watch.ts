import { secretsManagerClient, ssmClient } from '../../adapters/aws/clients.ts';
import { readWatchEnvironment } from '../../adapters/aws/environment.ts';
import { publishMetrics } from '../../adapters/aws/publish-metrics.ts';
import { Secrets } from '../../adapters/aws/secrets.ts';
import { LiveSettings } from '../../adapters/aws/settings.ts';
import { askAt } from '../../adapters/node/ask.ts';
import { publishedOf } from '../../core/operations/publish.ts';
import { regionSources } from '../../core/operations/region-sources.ts';
import { isAwake, runChecks } from '../../core/operations/synthetic.ts';
import { watchMinute } from '../../core/operations/watch.ts';
import type { CheckResult } from '../../core/operations/watch-record.ts';
import { start } from './main.ts';
import { openLambdaRegion } from './region.ts';

/** One look at the region, whatever it is invoked for: see `watchMinute`. */
export const handler = await start(async (lambda) => {
  const { environment, endpoints, variables, clock, log } = lambda;
  const { region, deployment, pools, usdPerComputeHour, awsRegion } = environment;
  const { canaryKeySecret, checked, slo } = readWatchEnvironment(variables);
  const storage = openLambdaRegion(lambda);
  const secrets = new Secrets(secretsManagerClient({ region: awsRegion, endpoint: endpoints.secretsManager }));
  const client = ssmClient({ region: awsRegion, endpoint: endpoints.ssm });
  const settings = await LiveSettings.open({ client, parameter: environment.settingsParameter, clock, log });
  const config = { region, pools, usdPerComputeHour, slo, regionUrls: {}, corsOrigins: [] };
  const host = { ...storage, clock, log, config };
  const sources = regionSources(host);
  return async (): Promise<{ readonly alarms: number }> => {
    try {
      await settings.refresh();
      const url = settings.current.regionUrls[region];
      const record = await watchMinute(host, sources, url === undefined ? [] : await check(url), clock.nowMs());
      publishMetrics({ deployment, region }, publishedOf(record.measures), record.atMs);
      return { alarms: record.alarms.filter(({ condition }) => condition.kind === 'alarm').length };
    } finally {
      await storage.settled();
    }
  };

  async function check(url: string): Promise<readonly CheckResult[]> {
    const apiKey = await secrets.read(canaryKeySecret);
    // Until `setup` has run.
    if (apiKey === undefined) return [];
    const isAsked = checked !== undefined && (await isAwake(host, checked.model));
    return runChecks({
      ask: askAt(url),
      apiKey,
      checked: isAsked ? checked : undefined,
      log,
      nowMs: () => clock.nowMs(),
    });
  }
});
