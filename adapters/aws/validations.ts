import { Failure } from '../../core/failure.ts';
import { type ValidationRecord, validationRecordSchema } from '../../core/models/validation-record.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Log } from '../../core/ports/log.ts';
import type { Validations } from '../../core/ports/validations.ts';
import { SECOND_MS } from '../../core/units.ts';
import {
  OPEN_VALIDATIONS,
  openDigestKey,
  openValidationKey,
  validationKey,
  validationListKey,
  validationListPartition,
} from './keys.ts';
import type { Item, Table, Write } from './table.ts';

/** Writers of one validation at once that may each come between another's read and write. */
const MOST_TRIES = 20;
const FREE = { text: 'attribute_not_exists(pk)' };

/** Validations in the control table. Pushes are rare: what tells of an open one changes in one transaction with it. */
export class AwsValidations implements Validations {
  readonly #table: Table;
  readonly #log: Log;
  readonly #clock: Clock;

  constructor(table: Table, log: Log, clock: Clock) {
    this.#table = table;
    this.#log = log;
    this.#clock = clock;
  }

  async add(record: ValidationRecord): Promise<ValidationRecord> {
    const { id, model, digest, createdAtMs } = record;
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const held = await this.#table.get(openDigestKey(model, digest));
      const inProgress = held === undefined ? undefined : await this.#readable(String(held.id));
      if (inProgress !== undefined && isOpen(inProgress)) return inProgress;
      const mayTake = held === undefined ? FREE : { text: 'id = :before', values: { ':before': held.id } };
      const ttl = ttlOf(record);
      const added = await this.#table.transact(
        { put: toItem(record), condition: FREE },
        { put: { ...validationListKey(model, createdAtMs, id), id, ttl } },
        { put: { ...openValidationKey(createdAtMs, id), id, leaseUntilMs: 0, ttl } },
        { put: { ...openDigestKey(model, digest), id, ttl }, condition: mayTake },
      );
      if (added === 'written') return record;
    }
    throw conflict(id);
  }

  async read(id: string): Promise<ValidationRecord | undefined> {
    const item = await this.#table.get(validationKey(id));
    if (item === undefined) return undefined;
    const record = parse(id, item);
    return record.expiresAtMs > this.#clock.nowMs() ? record : undefined;
  }

  async take(nowMs: number, leaseUntilMs: number): Promise<ValidationRecord | undefined> {
    for await (const open of this.#table.query(OPEN_VALIDATIONS)) {
      if (Number(open.leaseUntilMs) > nowMs) continue;
      const taken = await this.#take(open, nowMs, leaseUntilMs);
      if (taken !== undefined) return taken;
    }
    return undefined;
  }

  async update(record: ValidationRecord): Promise<boolean> {
    return (await this.#replace(record, record.epoch)) === 'written';
  }

  async list(model: string, limit: number): Promise<readonly ValidationRecord[]> {
    const records: ValidationRecord[] = [];
    for await (const { id } of this.#table.query(validationListPartition(model), { newestFirst: true })) {
      if (records.length === limit) break;
      const record = await this.#readable(String(id));
      if (record !== undefined) records.push(record);
    }
    return records;
  }

  /** Nothing: the table deletes by `ttl`. */
  async purge(): Promise<number> {
    return 0;
  }

  /** undefined: somebody else took it, or it is not to be taken. */
  async #take(open: Item, nowMs: number, leaseUntilMs: number): Promise<ValidationRecord | undefined> {
    const id = String(open.id);
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const record = await this.#readable(id);
      if (record === undefined || !isOpen(record)) {
        // One that cannot be read holds up no other.
        await this.#table.delete({ pk: String(open.pk), sk: String(open.sk) });
        return undefined;
      }
      const { state } = record;
      if (state.kind === 'running' && state.leaseUntilMs > nowMs) return undefined;
      const attempts = state.kind === 'running' ? state.attempts + 1 : 1;
      const taken = { ...record, state: { kind: 'running', leaseUntilMs, attempts }, epoch: record.epoch + 1 } as const;
      const answer = await this.#replace(taken, record.epoch);
      if (answer === 'written') return taken;
      if (answer === 'refused') return undefined;
    }
    throw conflict(id);
  }

  async #replace(record: ValidationRecord, epoch: number): Promise<'written' | 'refused'> {
    const { id, model, digest, createdAtMs, state } = record;
    const openKey = openValidationKey(createdAtMs, id);
    const leaseUntilMs = state.kind === 'running' ? state.leaseUntilMs : 0;
    const isOwn = { text: 'attribute_not_exists(pk) OR id = :id', values: { ':id': id } };
    const others: Write[] = isOpen(record)
      ? [{ put: { ...openKey, id, leaseUntilMs, ttl: ttlOf(record) } }]
      : [{ delete: openKey }, { delete: openDigestKey(model, digest), condition: isOwn }];
    const isLast = { text: 'epoch = :epoch', values: { ':epoch': epoch } };
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const answer = await this.#table.transact({ put: toItem(record), condition: isLast }, ...others);
      if (answer !== 'conflict') return answer;
    }
    throw conflict(id);
  }

  async #readable(id: string): Promise<ValidationRecord | undefined> {
    try {
      return await this.read(id);
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'record-damaged') throw error;
      this.#log.error('a validation cannot be read', error, { id });
      return undefined;
    }
  }
}

function isOpen({ state }: ValidationRecord): boolean {
  return state.kind === 'queued' || state.kind === 'running';
}

function toItem(record: ValidationRecord) {
  const json = JSON.stringify(validationRecordSchema.parse(record));
  return { ...validationKey(record.id), epoch: record.epoch, record: json, ttl: ttlOf(record) };
}

function parse(id: string, item: Item): ValidationRecord {
  try {
    return validationRecordSchema.parse(JSON.parse(String(item.record)));
  } catch (cause) {
    throw new Failure('record-damaged', { detail: `validation ${id}` }, { cause });
  }
}

function ttlOf({ expiresAtMs }: ValidationRecord): number {
  return Math.ceil(expiresAtMs / SECOND_MS);
}

function conflict(id: string): Failure {
  return new Failure('state-conflict', { detail: `many writers of validation ${id} at once` });
}
