import type { Command } from 'commander';
import type { LogLevelJson, PoolJson } from '../../core/api/operations-json.ts';
import { request } from '../client.ts';
import { connect, type RemoteOptions, remote } from '../options.ts';
import { printResult } from '../output.ts';

type List<T> = { readonly items: readonly T[] };

/** What waits where, who works, and how much processes log. */
export function addOperationsCommands(program: Command): void {
  remote(program.command('pools').description('queues and workers of each pool, with what these have loaded')).action(
    pools,
  );
  const level = program.command('log-level').description('what every process of the region logs');
  remote(level.command('show').description('the change that is in force, if one is')).action(show);
  remote(level.command('set <level>').description('debug, info, warn or error, for a while'))
    .option('--minutes <count>', 'for how long', '15')
    .action(set);
}

async function pools(options: RemoteOptions): Promise<void> {
  const { items } = await request<List<PoolJson>>(await connect(options), 'GET', '/control/v1/pools');
  if (options.json) {
    printResult(options, items, [], () => []);
    return;
  }
  const lanes = items.flatMap(({ pool, lanes }) => lanes.map((lane) => ({ pool, ...lane })));
  printResult(options, lanes, ['pool', 'lane', 'waiting', 'oldest s'], (each) => [
    each.pool,
    each.lane,
    each.depth,
    each.oldest_s ?? '-',
  ]);
  const workers = items.flatMap(({ pool, workers }) => workers.map((worker) => ({ pool, ...worker })));
  printResult(options, workers, ['pool', 'worker', 'busy', 'backlog ms', 'up s', 'loaded'], (each) => [
    each.pool,
    each.draining ? `${each.worker} (drains)` : each.worker,
    `${each.busy ?? '-'} of ${each.runners}`,
    Math.round(each.backlog_ms),
    each.up_s === null ? '-' : Math.round(each.up_s),
    each.loaded
      .map(({ model, version, breaker }) => `${model}@${version}${breaker === 'closed' ? '' : ` (breaker ${breaker})`}`)
      .join('\n'),
  ]);
}

async function show(options: RemoteOptions): Promise<void> {
  printLevel(options, await request<LogLevelJson>(await connect(options), 'GET', '/control/v1/log-level'));
}

async function set(
  level: string,
  { minutes, ...options }: RemoteOptions & { readonly minutes: string },
): Promise<void> {
  const body = { level, minutes: Number(minutes) };
  printLevel(options, await request<LogLevelJson>(await connect(options), 'PUT', '/control/v1/log-level', body));
}

function printLevel(options: RemoteOptions, { level, until, by }: LogLevelJson): void {
  if (options.json) console.log(JSON.stringify({ level, until, by }, null, 2));
  else if (level === null) console.log('each process logs as it was started');
  else console.log(`every process logs from ${level} on until ${until}, as ${by} said`);
}
