import type { Command } from 'commander';
import type { z } from 'zod';
import type { webhookJson, webhookWithSecretJson } from '../../core/api/webhook-schemas.ts';
import { request } from '../client.ts';
import { connect, type RemoteOptions, remote } from '../options.ts';
import { printResult } from '../output.ts';

type Webhook = z.infer<typeof webhookJson>;
type WithSecret = z.infer<typeof webhookWithSecretJson>;

const PATH = '/control/v1/notice-webhooks';

/** `sluice release notify`, `notified` and `unnotify`: which addresses are told of the region's releases. */
export function addNotifyCommands(release: Command): void {
  remote(
    release
      .command('notify <url>')
      .description('tell an address of releases and models, such as Slack\u2019s; shows its secret'),
  )
    .option('--event <events...>', 'release.changed, model.drifted, model.retraining_due, alarm.changed (default: all)')
    .action(add);
  remote(release.command('notified').description('addresses that are told of releases')).action(list);
  remote(release.command('unnotify <webhook>').description('tell an address no more')).action(remove);
}

async function add(url: string, options: RemoteOptions & { readonly event?: readonly string[] }): Promise<void> {
  const made = await request<WithSecret>(await connect(options), 'POST', PATH, { url, events: options.event });
  printResult(options, [made], ['webhook', 'secret (shown once)'], (each) => [each.id, each.secret]);
}

async function list(options: RemoteOptions): Promise<void> {
  const { items } = await request<{ readonly items: readonly Webhook[] }>(await connect(options), 'GET', PATH);
  printResult(options, items, ['webhook', 'url', 'state', 'created'], (each) => [
    each.id,
    each.url,
    each.disabled === 'no' ? 'enabled' : `disabled (${each.disabled})`,
    new Date(each.created_at_ms).toISOString().slice(0, 19),
  ]);
}

async function remove(webhook: string, options: RemoteOptions): Promise<void> {
  await request(await connect(options), 'DELETE', `${PATH}/${encodeURIComponent(webhook)}`);
  console.log(`removed ${webhook}`);
}
