import type { Command } from 'commander';
import type { DeadLetterJson } from '../../core/api/operations-json.ts';
import { request } from '../client.ts';
import { connect, type RemoteOptions, remote } from '../options.ts';
import { printResult } from '../output.ts';

type Page = { readonly items: readonly DeadLetterJson[]; readonly next: string | null };
type ListOptions = RemoteOptions & { readonly tenant?: string; readonly pool?: string; readonly limit: string };

/** `sluice dead-letters`: accepted predictions that nobody could handle. */
export function addDeadLetterCommands(program: Command): void {
  const letters = program
    .command('dead-letters')
    .description('accepted predictions that nobody could handle, and what becomes of them');
  remote(letters.command('list').description('of the region or a tenant, the newest first'))
    .option('--tenant <tenant>', 'of this tenant alone')
    .option('--pool <pool>', 'of this pool alone')
    .option('--limit <count>', 'how many', '50')
    .action(list);
  remote(
    letters.command('redrive <tenant> <letter>').description('run it again, as another prediction that is paid for'),
  ).action(redrive);
  remote(letters.command('discard <tenant> <letter>').description('forget it and what it asked')).action(discard);
}

async function list({ tenant, pool, limit, ...options }: ListOptions): Promise<void> {
  const query = new URLSearchParams({ limit, ...(pool === undefined ? {} : { pool }) });
  // A tenant's own admin may ask for its own alone.
  const path = tenant === undefined ? '/control/v1/dead-letters' : pathOf(tenant);
  const { items } = await request<Page>(await connect(options), 'GET', `${path}?${query}`);
  const head = ['letter', 'tenant', 'prediction', 'model', 'pool', 'reason', 'attempts', 'died', 'can run'];
  printResult(options, items, head, (each) => [
    each.id,
    each.tenant,
    each.prediction,
    each.model === null ? '-' : `${each.model}@${each.version}`,
    `${each.pool}/${each.lane}`,
    each.reason,
    each.attempts,
    each.at.slice(0, 19),
    each.redrivable ? 'yes' : 'no',
  ]);
}

async function redrive(tenant: string, letter: string, options: RemoteOptions): Promise<void> {
  const path = `${pathOf(tenant, letter)}/redrive`;
  const made = await request<{ prediction: string; redrive_of: string }>(await connect(options), 'POST', path);
  printResult(options, [made], ['runs as', 'was'], (each) => [each.prediction, each.redrive_of]);
}

async function discard(tenant: string, letter: string, options: RemoteOptions): Promise<void> {
  await request(await connect(options), 'DELETE', pathOf(tenant, letter));
  console.log(`discarded ${letter}`);
}

function pathOf(tenant: string, letter?: string): string {
  const path = `/control/v1/tenants/${encodeURIComponent(tenant)}/dead-letters`;
  return letter === undefined ? path : `${path}/${encodeURIComponent(letter)}`;
}
