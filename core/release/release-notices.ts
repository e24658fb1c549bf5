import type { Platform } from '../ports/platform.ts';
import type { ReleaseAudit } from '../ports/releases.ts';
import { DELIVERY_KEPT_MS, messageTo } from '../webhooks/fan-out.ts';
import { REGION_OWNER, RELEASE_EVENT, type WebhookDelivery, type WebhookEndpoint } from '../webhooks/webhook.ts';
import type { Release } from './release.ts';

/** What is older is told no more: until then the record of a message, which is kept as long, says that it was told. */
const TOLD_WITHIN_MS = DELIVERY_KEPT_MS;
/** Of a model, when one of its releases is first seen: the ones before it may have ended while nobody looked. */
const RECENT_RELEASES = 3;
const PAGE = 100;

type NoticePorts = Pick<Platform, 'releases' | 'webhooks' | 'log'>;

/**
 * Notes a message for each webhook of the region and each audit of a release: at least once, as long as somebody looks within a week, and with the same id whoever
 * notes it. Remembers only which epochs need no look; what was not told before a crash is told after it. A webhook is told of what comes after it was added.
 */
export class ReleaseNotices {
  readonly #ports: NoticePorts;
  readonly #regionUrl: string;
  /** By model. */
  readonly #told = new Map<string, { readonly id: string; readonly epoch: number }>();

  /** `regionUrl`: where the region's API is, without a slash at the end; '' leaves messages with a path. */
  constructor(ports: NoticePorts, regionUrl: string) {
    this.#ports = ports;
    this.#regionUrl = regionUrl;
  }

  /** The messages are durable if it is `told`. Never throws: what goes wrong is logged, and no reason to hold up a release. */
  async tell(release: Release, nowMs: number): Promise<'told' | 'not-told'> {
    const { id, model, epoch } = release;
    const told = this.#told.get(model);
    if (told?.id === id && told.epoch >= epoch) return 'told';
    try {
      const { webhooks, releases } = this.#ports;
      const endpoints = (await webhooks.listEndpoints(REGION_OWNER)).filter(
        ({ disabled, events }) => disabled === 'no' && events.includes(RELEASE_EVENT),
      );
      if (endpoints.length > 0) {
        const before = told?.id === id ? [] : (await releases.list(model, RECENT_RELEASES)).items;
        const untold = [...before.filter((each) => each.id !== id), release];
        const messages = await Promise.all(untold.map((each) => this.#messagesOf(each, endpoints, nowMs)));
        await webhooks.addDeliveries(messages.flat());
      }
      this.#told.set(model, { id, epoch });
      return 'told';
    } catch (error) {
      this.#ports.log.error('a release could not be told of', error, { model, release: id });
      return 'not-told';
    }
  }

  async #messagesOf(
    release: Release,
    endpoints: readonly WebhookEndpoint[],
    nowMs: number,
  ): Promise<readonly WebhookDelivery[]> {
    const told = this.#told.get(release.model);
    const fromEpoch = told?.id === release.id ? told.epoch + 1 : 1;
    const audits = (await this.#auditsOf(release.id)).filter(
      ({ epoch, atMs }) => epoch >= fromEpoch && nowMs - atMs < TOLD_WITHIN_MS,
    );
    return audits.flatMap((audit) => {
      const body = bodyOf(audit, release, this.#regionUrl);
      return endpoints
        .filter(({ createdAtMs }) => createdAtMs <= audit.atMs)
        .map((endpoint) => messageOf(audit, endpoint, body, nowMs));
    });
  }

  async #auditsOf(id: string): Promise<readonly ReleaseAudit[]> {
    const audits: ReleaseAudit[] = [];
    let cursor: string | undefined;
    do {
      const { items, next } = await this.#ports.releases.listAudits(id, PAGE, cursor);
      audits.push(...items);
      cursor = next;
    } while (cursor !== undefined);
    return audits;
  }
}

function messageOf(audit: ReleaseAudit, endpoint: WebhookEndpoint, body: string, nowMs: number): WebhookDelivery {
  const { release, epoch, what } = audit;
  const name = `${release}/${epoch}/${what}`;
  return messageTo(endpoint, { tenant: REGION_OWNER, about: release, name, event: RELEASE_EVENT, body }, nowMs);
}

/** `text` is what Slack's incoming webhooks show. */
function bodyOf(audit: ReleaseAudit, release: Release, regionUrl: string): string {
  const { model, epoch, atMs, by, what, why } = audit;
  const { id, stable, candidate, state } = release;
  const started = epoch === 1 && by === release.startedBy ? 'started, ' : '';
  const url = `${regionUrl}/control/v1/releases/${id}`;
  return JSON.stringify({
    type: RELEASE_EVENT,
    timestamp: new Date(atMs).toISOString(),
    text: forSlack(`${model} ${stable} → ${candidate}: ${started}${what}, by ${by}: ${why} (${url})`),
    data: { release: id, model, epoch, stable, candidate, state: state.kind, what, why, by, url },
  });
}

/** What a person wrote as a reason calls nobody and links to nothing. */
function forSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
