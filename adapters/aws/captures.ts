import { randomUUID } from 'node:crypto';
import { asFailure } from '../../core/failure.ts';
import { CAPTURE_LIMITS, type CaptureLimits, MOST_LISTED_BYTES } from '../../core/inference/capture.ts';
import { captureContext, decodeCapture, encodeCapture } from '../../core/inference/capture-codec.ts';
import type { Capture, Captures } from '../../core/ports/captures.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { DataKeys } from '../../core/ports/data-keys.ts';
import type { Log } from '../../core/ports/log.ts';
import { DAY_MS, KIB, SECOND_MS } from '../../core/units.ts';
import type { Blobs } from './blobs.ts';
import { type CaptureItem, CaptureItems, type Entry } from './capture-items.ts';
import { inParallel } from './in-parallel.ts';
import { captureBlobKey, captureBlobPrefixes } from './keys.ts';
import type { Table } from './table.ts';

/** Up to here an item costs less than an object: $0.625 a million KiB written, against $5 a million objects and a second call. */
const INLINE_BYTES = 8 * KIB;
const MOST_READS = 16;
/** What goes over the limits is deleted a twentieth of them at a time, on average, and shown no more from the first on. */
const TRIMMED_SHARE = 0.05;

/** How long a write waits for others of its tenant, to ask once for all whether it was erased meanwhile. */
const COLLECT_MS = 20;

type Parts = {
  readonly table: Table;
  readonly blobs: Blobs;
  readonly dataKeys: DataKeys;
  readonly clock: Clock;
  readonly log: Log;
};

/**
 * An item a capture in the jobs table, its tensors sealed for its tenant, id, model and version; large ones as blobs. A
 * capture costs a write and a small read. Expired ones are deleted by the table and the bucket, and not shown before.
 */
export class AwsCaptures implements Captures {
  readonly #parts: Parts;
  readonly #items: CaptureItems;
  readonly #limits: CaptureLimits;
  /** Of a tenant, the read that has not begun. */
  readonly #erasures = new Map<string, Promise<number>>();

  constructor(parts: Parts, limits: CaptureLimits = CAPTURE_LIMITS) {
    this.#parts = parts;
    this.#items = new CaptureItems(parts.table, limits, parts.log);
    this.#limits = limits;
  }

  async write(capture: Capture): Promise<void> {
    const { tenant } = capture;
    const sealed = await this.#parts.dataKeys.seal(tenant, captureContext(capture), encodeCapture(capture));
    // One that is too large alone drives no others out.
    if (sealed.length > this.#limits.bytes) return;
    const blob = sealed.length > INLINE_BYTES ? await this.#storeBlob(capture, sealed) : undefined;
    const entry = { ...capture, bytes: sealed.length, blob };
    if (!(await this.#items.add(entry, blob === undefined ? sealed : undefined))) return this.#discard(blob);
    // After the write: an erasure that comes later finds the item, one that came before is found here.
    if (capture.atMs <= (await this.#readErasure(tenant))) return this.#remove([entry]);
    await this.#trim(capture, sealed.length);
  }

  async list(model: string, limit: number, nowMs: number, tenant?: string): Promise<readonly Capture[]> {
    const entries = await this.#items.list(model, limit, nowMs, tenant);
    let bytes = 0;
    const listed = entries.filter((entry) => {
      bytes += entry.bytes;
      return bytes <= MOST_LISTED_BYTES;
    });
    const captures = await inParallel(await this.#items.read(listed), MOST_READS, (item) => this.#open(item));
    return captures.filter((capture) => capture !== undefined);
  }

  async erase(tenant: string): Promise<void> {
    const nowMs = this.#parts.clock.nowMs();
    await this.#items.erase(tenant, nowMs, Math.ceil((nowMs + DAY_MS) / SECOND_MS));
    for (const prefix of captureBlobPrefixes(tenant)) await this.#parts.blobs.deleteAll(prefix);
  }

  /** Nothing: the table deletes by `ttl`, the bucket by age. */
  async purge(): Promise<number> {
    return 0;
  }

  /** Reads that begin after all who wait for them have written. */
  #readErasure(tenant: string): Promise<number> {
    const collecting = this.#erasures.get(tenant);
    if (collecting !== undefined) return collecting;
    const read = this.#parts.clock.sleep(COLLECT_MS).then(() => {
      this.#erasures.delete(tenant);
      return this.#items.readErasure(tenant);
    });
    this.#erasures.set(tenant, read);
    return read;
  }

  /**
   * Seldom, and by chance, so that nobody counts: on average once for as many as are deleted together. Captures below the
   * average size cannot be too many bytes without being too many.
   */
  async #trim({ tenant, model }: Capture, bytes: number): Promise<void> {
    const most = this.#limits;
    const items = this.#items;
    const nowMs = this.#parts.clock.nowMs();
    const drawn = Math.random() * TRIMMED_SHARE;
    const isLarge = bytes > most.bytes / most.captures;
    if (isLarge && drawn < bytes / most.bytes) await this.#remove(await items.listBeyond(tenant, model, nowMs));
    else if (drawn < 1 / most.captures) await this.#remove(await items.listBeyondNumber(tenant, model, nowMs));
  }

  async #remove(entries: readonly Pick<Entry, 'tenant' | 'id' | 'blob'>[]): Promise<void> {
    await this.#items.remove(entries);
    await inParallel(entries, MOST_READS, ({ blob }) => this.#discard(blob));
  }

  async #open(item: CaptureItem): Promise<Capture | undefined> {
    const { bytes: _, blob, sealed = await this.#readBlob(blob), ...capture } = item;
    // Its object was deleted since it was listed.
    if (sealed === undefined) return undefined;
    try {
      const opened = await this.#parts.dataKeys.open(capture.tenant, captureContext(capture), sealed);
      return { ...capture, ...decodeCapture(opened) };
    } catch (error) {
      const { code } = asFailure(error);
      if (code !== 'data-erased' && code !== 'record-damaged') throw error;
      const { tenant, id } = capture;
      if (code === 'record-damaged')
        this.#parts.log.error('a capture is left out of a list', error, { tenant, capture: id });
      return undefined;
    }
  }

  async #storeBlob({ tenant, atMs, expiresAtMs }: Capture, sealed: Uint8Array): Promise<string> {
    const keptDays = Math.ceil((expiresAtMs - atMs) / DAY_MS);
    const key = captureBlobKey(tenant, keptDays, randomUUID());
    await this.#parts.blobs.put(key, sealed);
    return key;
  }

  async #readBlob(blob: string | undefined): Promise<Uint8Array | undefined> {
    return blob === undefined ? undefined : this.#parts.blobs.get(blob);
  }

  async #discard(blob: string | undefined): Promise<void> {
    if (blob !== undefined) await this.#parts.blobs.delete(blob);
  }
}
