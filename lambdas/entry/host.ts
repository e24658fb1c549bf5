import { secretsManagerClient, ssmClient } from '../../adapters/aws/clients.ts';
import type { RegionEnvironment } from '../../adapters/aws/environment.ts';
import { Secrets } from '../../adapters/aws/secrets.ts';
import { LiveSettings } from '../../adapters/aws/settings.ts';
import { createIdentity } from '../../adapters/identity/identity.ts';
import type { SigningKeySource } from '../../adapters/identity/signing-key.ts';
import { HttpForwarder } from '../../adapters/node/http-forwarder.ts';
import { createOtlpSpans } from '../../adapters/otel/spans.ts';
import { createTokenizers } from '../../adapters/tokenizers/tokenizers.ts';
import { createWebhookSender } from '../../adapters/webhooks/sender.ts';
import { createGateway } from '../../core/inference/gateway.ts';
import { LiveLogLevel } from '../../core/operations/log-level.ts';
import type { RegionConfig } from '../../core/ports/platform.ts';
import { Recorder } from '../../core/quality/recorder.ts';
import { MIB } from '../../core/units.ts';
import type { HttpHost } from '../http/host.ts';
import { liveSigningKey } from './live-signing-key.ts';
import type { LambdaProcess } from './main.ts';
import { openLambdaRegion } from './region.ts';

/**
 * Files of the tokenizers that a process keeps open. At nine bytes of memory a byte they take 300 MB of the 1 GB of `infer`, and opening the
 * largest that there may be takes twice that for a moment.
 */
const TOKENIZER_FILE_BYTES = 32 * MIB;

export type LambdaHost = HttpHost & {
  /** Begins what is done beside a request; the promise resolves once it is done. Never throws. */
  refresh(): Promise<void>;
  /** Resolves once what an answer has left to be written is written: the process is frozen after it. */
  settled(): Promise<void>;
};

/** What handlers are made from. Settings alone are read at once: without the addresses of the regions nothing can be answered. */
export async function openHost(lambda: LambdaProcess): Promise<LambdaHost> {
  const { environment, endpoints, clock, log } = lambda;
  const region = openLambdaRegion(lambda);
  const { registry } = region;
  const client = ssmClient({ region: environment.awsRegion, endpoint: endpoints.ssm });
  const settings = await LiveSettings.open({ client, parameter: environment.settingsParameter, clock, log });
  log.setLevel(settings.current.logLevel);
  const { region: name, traces } = environment;
  const spans = traces && createOtlpSpans(traces.url, { share: traces.share, attributes: { 'sluice.region': name } });
  const platform = {
    ...region,
    spans,
    config: liveConfig(environment, settings),
    clock,
    log,
    identity: createIdentity({ registry, region: environment.region, signingKey: signingKeyOf(lambda) }),
    forwarder: new HttpForwarder(),
    webhookSender: createWebhookSender({ reach: 'public' }),
    tokenizers: createTokenizers(region.artifacts, TOKENIZER_FILE_BYTES),
  };
  const recorder = new Recorder(platform);
  const level = new LiveLogLevel(platform, settings.current.logLevel, (now) => log.setLevel(now));
  return {
    ...platform,
    gateway: createGateway({ ...platform, recorder }),
    async settled() {
      await Promise.all([region.settled(), recorder.flushIfDue(), spans?.flush()]);
    },
    async refresh() {
      await settings.refresh();
      await level.refresh(settings.current.logLevel);
    },
  };
}

function liveConfig(environment: RegionEnvironment, settings: LiveSettings): RegionConfig {
  const { region, pools, bridges, usdPerComputeHour } = environment;
  return {
    region,
    pools,
    bridges,
    usdPerComputeHour,
    get regionUrls() {
      return settings.current.regionUrls;
    },
    get runbookUrl() {
      return settings.current.runbookUrl;
    },
    get corsOrigins() {
      return settings.current.corsOrigins;
    },
  };
}

function signingKeyOf({ environment, endpoints, clock, log }: LambdaProcess): SigningKeySource {
  const client = secretsManagerClient({ region: environment.awsRegion, endpoint: endpoints.secretsManager });
  return liveSigningKey({ secrets: new Secrets(client), secret: environment.signingKeySecret, clock, log });
}
