import type { Command } from 'commander';
import type { QualityJson } from '../../core/api/quality-json.ts';
import { request } from '../client.ts';
import { connect, type RemoteOptions, remote } from '../options.ts';
import { renderQuality } from '../quality-report.ts';

type QualityOptions = RemoteOptions & {
  readonly version?: string;
  readonly now?: boolean;
  readonly reference?: 'validation' | 'training' | 'window';
  readonly from?: string;
  readonly until?: string;
};

/** `sluice quality`: exit code 1 if the version has drifted or misses a class, so that a pipeline can ask. */
export function addQualityCommand(program: Command): void {
  remote(program.command('quality <model>'))
    .description('whether a version has drifted from its reference; exit code 1 if it has')
    .option('--version <version>', 'default: the stable one')
    .option('--now', 'what the window that is open would come to; counts for nothing')
    .option('--reference <kind>', 'compare with validation, training or window from now on')
    .option('--from <time>', 'where that window begins, such as 2026-11-01T00:00:00Z')
    .option('--until <time>', 'where it ends')
    .action(quality);
}

async function quality(model: string, options: QualityOptions): Promise<void> {
  const { version, now, reference, from, until } = options;
  const connection = await connect(options);
  const path = `/control/v1/models/${encodeURIComponent(model)}/quality`;
  const query = version === undefined ? '' : `?version=${encodeURIComponent(version)}`;
  if (reference !== undefined)
    await request(connection, 'PUT', `${path}/reference${query}`, { kind: reference, from, until });
  const found = now
    ? await request<QualityJson>(connection, 'POST', `${path}/checks${query}`)
    : await request<QualityJson>(connection, 'GET', `${path}${query}`);
  console.log(options.json ? JSON.stringify(found, null, 2) : renderQuality(found));
  if (found.status === 'drifted' || found.missing_classes.length > 0) process.exitCode = 1;
}
