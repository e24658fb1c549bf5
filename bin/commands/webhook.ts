import type { Command } from 'commander';
import type { z } from 'zod';
import type {
  deliveryJson,
  webhookJson,
  webhookTestedJson,
  webhookWithSecretJson,
} from '../../core/api/webhook-schemas.ts';
import { request } from '../client.ts';
import { connect, type RemoteOptions, remote } from '../options.ts';
import { printResult } from '../output.ts';

type Webhook = z.infer<typeof webhookJson>;
type WithSecret = z.infer<typeof webhookWithSecretJson>;
type Tested = z.infer<typeof webhookTestedJson>;
type Delivery = z.infer<typeof deliveryJson>;
type List<T> = { readonly items: readonly T[] };

export function addWebhookCommands(program: Command): void {
  const webhook = program.command('webhook').description('where a tenant is told that accepted predictions have ended');
  remote(webhook.command('add <tenant> <url>').description('add an address; its secret is shown once'))
    .option('--event <events...>', 'prediction.succeeded, prediction.failed (default: both)')
    .action(add);
  remote(webhook.command('list <tenant>').description('webhooks of a tenant, without their secrets')).action(list);
  remote(webhook.command('remove <tenant> <webhook>').description('remove one and its deliveries')).action(remove);
  remote(webhook.command('test <tenant> <webhook>').description('post a test message now')).action(test);
  remote(webhook.command('deliveries <tenant> <webhook>').description('messages, the newest first'))
    .option('--limit <count>', 'how many', '50')
    .action(deliveries);
  remote(
    webhook.command('replay <tenant> <webhook> <delivery>').description('send a message again, with the same id'),
  ).action(replay);
}

async function add(
  tenant: string,
  url: string,
  options: RemoteOptions & { readonly event?: readonly string[] },
): Promise<void> {
  const body = { url, ...(options.event === undefined ? {} : { events: options.event }) };
  const made = await request<WithSecret>(await connect(options), 'POST', pathOf(tenant), body);
  printResult(options, [made], ['webhook', 'secret (shown once)'], (each) => [each.id, each.secret]);
}

async function list(tenant: string, options: RemoteOptions): Promise<void> {
  const page = await request<List<Webhook>>(await connect(options), 'GET', pathOf(tenant));
  printResult(options, page.items, ['webhook', 'url', 'events', 'state', 'created'], (each) => [
    each.id,
    each.url,
    each.events.join(' '),
    each.disabled === 'no' ? 'enabled' : `disabled (${each.disabled})`,
    timeOf(each.created_at_ms),
  ]);
}

async function remove(tenant: string, webhook: string, options: RemoteOptions): Promise<void> {
  await request(await connect(options), 'DELETE', pathOf(tenant, webhook));
  console.log(`removed ${webhook}`);
}

async function test(tenant: string, webhook: string, options: RemoteOptions): Promise<void> {
  const tested = await request<Tested>(await connect(options), 'POST', `${pathOf(tenant, webhook)}/test`);
  printResult(options, [tested], ['delivered', 'result'], (each) => [each.delivered ? 'yes' : 'no', each.result]);
  if (!tested.delivered) process.exitCode = 1;
}

async function deliveries(
  tenant: string,
  webhook: string,
  options: RemoteOptions & { readonly limit: string },
): Promise<void> {
  const path = `${pathOf(tenant, webhook)}/deliveries?limit=${encodeURIComponent(options.limit)}`;
  printDeliveries((await request<List<Delivery>>(await connect(options), 'GET', path)).items, options);
}

async function replay(tenant: string, webhook: string, delivery: string, options: RemoteOptions): Promise<void> {
  const path = `${pathOf(tenant, webhook)}/deliveries/${encodeURIComponent(delivery)}/replay`;
  printDeliveries([await request<Delivery>(await connect(options), 'POST', path)], options);
}

function printDeliveries(items: readonly Delivery[], options: RemoteOptions): void {
  const head = ['delivery', 'prediction', 'event', 'state', 'attempts', 'last result', 'created', 'next attempt'];
  printResult(options, items, head, (each) => [
    each.id,
    each.prediction,
    each.event,
    each.state,
    each.attempts,
    each.last_result ?? '-',
    timeOf(each.created_at_ms),
    each.due_at_ms === null ? '-' : timeOf(each.due_at_ms),
  ]);
}

function pathOf(tenant: string, webhook?: string): string {
  const path = `/control/v1/tenants/${encodeURIComponent(tenant)}/webhooks`;
  return webhook === undefined ? path : `${path}/${encodeURIComponent(webhook)}`;
}

function timeOf(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 19);
}
