import type { Command } from 'commander';
import { type Connection, readSampleCredentials } from './client.ts';

export type RemoteOptions = {
  readonly url?: string;
  readonly key?: string;
  readonly region?: string;
  readonly json?: boolean;
};

export const DEFAULT_PORT = 8080;

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

/** Options of every command that talks to a running region. */
export function remote(command: Command): Command {
  return command
    .option('--url <url>', 'base URL of the region (SLUICE_URL; default: the one on this machine)')
    .option('--region <region>', 'region of this machine to talk to', 'us')
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
