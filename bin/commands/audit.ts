import type { Command } from 'commander';
import type { AuditJson, VerificationJson } from '../../core/api/operations-json.ts';
import { type Connection, request } from '../client.ts';
import { connect, type RemoteOptions, remote } from '../options.ts';
import { printResult, progress } from '../output.ts';

type Page = { readonly items: readonly AuditJson[]; readonly next: string | null };
const FILTERS = ['from', 'until', 'by', 'action'] as const;
type ListOptions = RemoteOptions & {
  readonly [Filter in (typeof FILTERS)[number]]?: string;
} & { readonly own?: string; readonly tenant?: string; readonly limit: string };
type VerifyOptions = RemoteOptions & { readonly known?: string };

/** `sluice audit`: `verify` exits with 1 if the log is broken. */
export function addAuditCommands(program: Command): void {
  const audit = program.command('audit').description('who asked for what change of the region');
  remote(audit.command('list').description('what was asked for, the newest first'))
    .option('--from <time>', 'not before, as 2026-11-28T12:00:00Z')
    .option('--until <time>', 'before')
    .option('--by <principal>', 'by this one alone, as `list` names it')
    .option('--action <route>', 'of this route alone, as release-verb')
    .option('--tenant <tenant>', 'of this tenant alone')
    .option('--own <tenant>', 'as an admin of this tenant: what was asked of it')
    .option('--limit <count>', 'how many', '50')
    .action(list);
  remote(audit.command('verify').description('walk the log and say where it was changed, cut or put in another order'))
    .option('--known <seq:hash>', 'a head that was noted down before: it must be in the log still')
    .action(verify);
}

async function list(options: ListOptions): Promise<void> {
  const connection = await connect(options);
  const wanted = Number(options.limit);
  const items: AuditJson[] = [];
  for (let cursor: string | null = ''; cursor !== null && items.length < wanted; ) {
    const page: Page = await request(connection, 'GET', pageOf(options, wanted - items.length, cursor));
    items.push(...page.items);
    cursor = page.next;
  }
  printResult(options, items, ['seq', 'when', 'who', 'role', 'tenant', 'action', 'of', 'outcome', 'why'], (each) => [
    each.seq,
    each.at.slice(0, 19),
    each.by,
    each.role,
    each.tenant ?? '-',
    each.action,
    Object.entries(each.target)
      .map(([name, value]) => `${name}=${value}`)
      .join(' '),
    each.status === null ? 'begun' : `${each.outcome} (${each.code ?? each.status})`,
    each.reason ?? '-',
  ]);
}

function pageOf(options: ListOptions, left: number, cursor: string): string {
  const query = new URLSearchParams({ limit: String(Math.min(1000, left)) });
  for (const name of FILTERS) if (options[name] !== undefined) query.set(name, options[name]);
  if (cursor !== '') query.set('cursor', cursor);
  if (options.own !== undefined) return `/control/v1/tenants/${encodeURIComponent(options.own)}/audit?${query}`;
  if (options.tenant !== undefined) query.set('tenant', options.tenant);
  return `/control/v1/audit?${query}`;
}

async function verify(options: VerifyOptions): Promise<void> {
  const found = await walk(await connect(options), options.known);
  if (options.json) console.log(JSON.stringify(found, null, 2));
  else if (found.ok) {
    console.log(`the log holds: ${found.entries} entries`);
    if (found.head !== null) console.log(`note down its head: ${found.head.seq}:${found.head.hash}`);
  } else console.log(`the log is broken at entry ${found.broken_at_seq}: ${found.why}`);
  if (!found.ok) process.exitCode = 1;
}

/** A long log takes several requests, each of which goes on where the one before it came to. */
async function walk(connection: Connection, known: string | undefined): Promise<VerificationJson> {
  let entries = 0;
  for (let from = 1; ; ) {
    const query = new URLSearchParams({ from_seq: String(from), ...(known === undefined ? {} : { known }) });
    const part: VerificationJson = await request(connection, 'GET', `/control/v1/audit/verification?${query}`);
    entries += part.entries;
    if (!part.ok || part.complete) return { ...part, from_seq: 1, entries };
    progress(`${entries} entries hold`);
    from = part.until_seq + 1;
  }
}
