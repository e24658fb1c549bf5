import { Failure } from '../../core/failure.ts';
import type { Log } from '../../core/ports/log.ts';
import type { Page } from '../../core/ports/registry.ts';
import type { ReleaseAudit, Releases } from '../../core/ports/releases.ts';
import { isActive, type Release } from '../../core/release/release.ts';
import { orLeftOut, readAudit, readRelease, writeAudit, writeRelease } from '../../core/release/release-record.ts';
import {
  ALL_RELEASES,
  allReleasesKey,
  latestReleaseKey,
  OPEN_RELEASES,
  openReleaseKey,
  releaseAuditKey,
  releaseAuditPartition,
  releaseKey,
  releaseListKey,
  releaseListPartition,
} from './keys.ts';
import type { Expression, Item, Table, Write } from './table.ts';

/** Writes of one model at once that may each come between another's two. */
const MOST_TRIES = 20;
const FREE = { text: 'attribute_not_exists(pk)' };

/**
 * Releases in the control table. A model has one item with its latest release whole: who may start is a condition on it, and gateways and workers read
 * nothing else. A change writes that item, the release's own, its place among the open ones and its audits in one transaction.
 */
export class AwsReleases implements Releases {
  readonly #table: Table;
  readonly #log: Log;

  constructor(table: Table, log: Log) {
    this.#table = table;
    this.#log = log;
  }

  async start(release: Release, audits: readonly ReleaseAudit[]): Promise<void> {
    const { id, model, epoch, startedAtMs } = release;
    if (epoch !== 1) throw new Error(`a release of epoch ${epoch} is not started`);
    const lists = [releaseListKey(model, startedAtMs, id), allReleasesKey(startedAtMs, id)];
    const listed = lists.map((key): Write => ({ put: { ...key, id } }));
    if (await this.#transact(release, audits, FREE, listed)) return;
    if ((await this.#table.get(releaseKey(id))) !== undefined)
      throw new Failure('already-exists', { detail: `release ${id}` });
    throw new Failure('state-conflict', { detail: `another release of ${model} is active` });
  }

  async write(release: Release, audits: readonly ReleaseAudit[]): Promise<void> {
    const { id, model, epoch } = release;
    const isLast = { text: 'epoch = :before', values: { ':before': epoch - 1 } };
    if (await this.#transact(release, audits, isLast, [])) return;
    throw new Failure('state-conflict', { detail: `release ${id} has changed, or another of ${model} is active` });
  }

  async read(id: string): Promise<Release | undefined> {
    const item = await this.#table.get(releaseKey(id));
    return item === undefined ? undefined : releaseOf(item);
  }

  async readLatest(model: string): Promise<Release | undefined> {
    const item = await this.#table.get(latestReleaseKey(model));
    return item === undefined ? undefined : releaseOf(item);
  }

  async listActive(): Promise<readonly Release[]> {
    return (await this.listOpen()).filter(isActive);
  }

  async listOpen(): Promise<readonly Release[]> {
    const models: string[] = [];
    for await (const { sk } of this.#table.query(OPEN_RELEASES)) models.push(String(sk));
    if (models.length === 0) return [];
    return this.#readable(await this.#table.getMany(models.map(latestReleaseKey)));
  }

  async settle(release: Release): Promise<void> {
    const { id, model, epoch } = release;
    if (isActive(release)) return;
    const isThis = {
      text: '#release = :id AND epoch = :epoch',
      names: { '#release': 'release' },
      values: { ':id': id, ':epoch': epoch },
    };
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      // A writer at the same time makes it another epoch, or has its own reason to have it open.
      if ((await this.#table.transact({ delete: openReleaseKey(model), condition: isThis })) !== 'conflict') return;
    }
    throw new Failure('state-conflict', { detail: `many writers of release ${id} at once` });
  }

  list(model: string, limit: number, cursor?: string): Promise<Page<Release>> {
    return this.#page(releaseListPartition(model), limit, cursor);
  }

  listRecent(limit: number, cursor?: string): Promise<Page<Release>> {
    return this.#page(ALL_RELEASES, limit, cursor);
  }

  async #page(partition: string, limit: number, cursor: string | undefined): Promise<Page<Release>> {
    const ids: string[] = [];
    let next: string | undefined;
    const range = cursor === undefined ? {} : { after: '0', before: cursor };
    const options = { ...range, newestFirst: true, limit: limit + 1 };
    for await (const { sk, id } of this.#table.query(partition, options)) {
      // A range ends with its bound.
      if (sk === cursor || ids.length === limit) continue;
      ids.push(String(id));
      next = String(sk);
    }
    const items = new Map((await this.#table.getMany(ids.map(releaseKey))).map((item) => [String(item.release), item]));
    const found = ids.flatMap((id): Item[] => (items.has(id) ? [items.get(id)!] : []));
    return { items: this.#readable(found), next: ids.length === limit ? next : undefined };
  }

  async listAudits(id: string, limit: number, cursor?: string): Promise<Page<ReleaseAudit>> {
    const items: ReleaseAudit[] = [];
    let seen = 0;
    let last: string | undefined;
    for await (const { sk, record } of this.#table.query(releaseAuditPartition(id), { limit, after: cursor })) {
      seen += 1;
      last = String(sk);
      items.push(...orLeftOut(this.#log, () => readAudit(String(record)), `audit ${last} of ${id}`));
    }
    return { items, next: seen === limit ? last : undefined };
  }

  /** False if the release's own condition, or the one on its model, does not hold. */
  async #transact(
    release: Release,
    audits: readonly ReleaseAudit[],
    condition: Expression,
    more: readonly Write[],
  ): Promise<boolean> {
    const { id, epoch } = release;
    const content = { release: id, epoch, record: writeRelease(release) };
    const own: Write = { put: { ...releaseKey(id), ...content }, condition };
    const told = audits.map((audit, at) => ({
      put: { ...releaseAuditKey(id, audit.epoch, at), record: writeAudit(audit) },
    }));
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const latest = await this.#latestWrites(release, content);
      const answer = await this.#table.transact(own, ...latest, ...told, ...more);
      if (answer !== 'conflict') return answer === 'written';
    }
    throw new Failure('state-conflict', { detail: `many writers of release ${id} at once` });
  }

  async #latestWrites(release: Release, content: Item): Promise<readonly Write[]> {
    const { id, model } = release;
    const key = latestReleaseKey(model);
    const open: Write = { put: { ...openReleaseKey(model), release: id, epoch: release.epoch } };
    const latest = await this.#table.get(key);
    if (isActive(release)) {
      // One that cannot be read holds its model for nobody.
      const mayTake = latest !== undefined && this.#readable([latest]).length === 0 ? String(latest.release) : id;
      const condition = {
        text: 'attribute_not_exists(pk) OR isActive = :no OR #release IN (:id, :other)',
        names: { '#release': 'release' },
        values: { ':no': false, ':id': id, ':other': mayTake },
      };
      return [{ put: { ...key, ...content, isActive: true }, condition }, open];
    }
    // What has ended and is not the latest does not become it while its epoch stays.
    if (latest?.release !== id) return [];
    const condition = { text: '#release = :id', names: { '#release': 'release' }, values: { ':id': id } };
    return [{ put: { ...key, ...content, isActive: false }, condition }, open];
  }

  #readable(items: readonly Item[]): Release[] {
    return items.flatMap((item) => orLeftOut(this.#log, () => releaseOf(item), `release ${String(item.release)}`));
  }
}

function releaseOf({ release, record }: Item): Release {
  return readRelease(String(release), String(record));
}
