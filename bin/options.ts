import { type Command, Option } from 'commander';
import { createOtlpSpans } from '../adapters/otel/spans.ts';
import { POOL_ID } from '../core/models/manifest.ts';
import type { Spans } from '../core/ports/spans.ts';
import type { Pools } from '../embedded/workers.ts';
import { type Connection, readSampleCredentials } from './client.ts';

export type RemoteOptions = {
  readonly url?: string;
  readonly key?: string;
  readonly region?: string;
  readonly json?: boolean;
};

export const DEFAULT_PORT = 8080;
/** More processes than any machine has use for. */
const MOST_RUNNERS = 256;

export function dataFolder(): string {
  return process.env.SLUICE_DATA ?? '.sluice';
}

export function basePort(): number {
  const text = process.env.SLUICE_PORT;
  if (text === undefined) return DEFAULT_PORT;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_534)
    throw new Error(`SLUICE_PORT must be a port from 1 to 65534, not ${text}`);
  return port;
}

/** `--pool name=runners`, one more of those given before it. */
export function collectPool(text: string, before: Pools = {}): Pools {
  const [name = '', count = '', ...more] = text.split('=');
  const runners = /^[1-9][0-9]{0,2}$/.test(count) ? Number(count) : 0;
  if (!POOL_ID.test(name) || runners < 1 || runners > MOST_RUNNERS || more.length > 0) {
    throw new Error(`a pool is written name=runners, such as acme=1 (1 to ${MOST_RUNNERS} runners), not ${text}`);
  }
  if (Object.hasOwn(before, name)) throw new Error(`the pool ${name} is named twice`);
  return { ...before, [name]: runners };
}

/** Of `SLUICE_POOLS`, such as `acme=1,default=2`. */
export function poolsFromEnvironment(): Pools {
  const pools = (process.env.SLUICE_POOLS ?? '').split(',').filter((pool) => pool.trim() !== '');
  return pools.reduce<Pools>((before, pool) => collectPool(pool.trim(), before), {});
}

/**
 * Where spans go, by OpenTelemetry's own variables: OTEL_EXPORTER_OTLP_ENDPOINT, such as http://127.0.0.1:4318, and
 * OTEL_TRACES_SAMPLER_ARG, the share of requests that are traced (default 0.01; failures always are). Nothing without the first.
 */
export function tracesFromEnvironment(): { spans?: (region: string) => Spans } {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_TRACES_SAMPLER_ARG: text } = process.env;
  if (url === undefined || url === '') return {};
  const share = Number(text ?? '0.01');
  if (!URL.canParse(url)) throw new Error(`OTEL_EXPORTER_OTLP_ENDPOINT must be a URL, not ${url}`);
  if (!(share >= 0 && share <= 1)) throw new Error(`OTEL_TRACES_SAMPLER_ARG must be a share from 0 to 1, not ${text}`);
  return { spans: (region) => createOtlpSpans(url, { share, attributes: { 'sluice.region': region } }) };
}

/** Options of every command that talks to a running region. */
export function remote(command: Command): Command {
  return command
    .option('--url <url>', 'base URL of the region (SLUICE_URL; default: the one on this machine)')
    .addOption(new Option('--region <region>', 'region of this machine to talk to').choices(['us', 'eu']).default('us'))
    .option('--key <apiKey>', 'API key (SLUICE_API_KEY; default: the sample operator of this machine)')
    .option('--json', 'print JSON');
}

/** Where to and as whom: options, then environment, then the sample operator that `npm start` made. */
export async function connect(options: RemoteOptions): Promise<Connection> {
  const port = basePort() + (options.region === 'eu' ? 1 : 0);
  const url = options.url ?? process.env.SLUICE_URL ?? `http://127.0.0.1:${port}`;
  const apiKey = options.key ?? process.env.SLUICE_API_KEY ?? (await sampleOperatorKey(options.region ?? 'us'));
  return { url, apiKey };
}

async function sampleOperatorKey(region: string): Promise<string> {
  try {
    const { operator } = await readSampleCredentials(dataFolder());
    return operator.regions[region] ?? operator.apiKey;
  } catch (cause) {
    throw new Error('No API key: pass --key, set SLUICE_API_KEY, or run where `npm start` has run.', { cause });
  }
}
