import { readFile } from 'node:fs/promises';
import { asFailure } from '../../../core/failure.ts';
import { hashSecret, parseApiKey } from '../../../core/tenancy/api-key.ts';
import type { Exchange, Exchanges } from './exchanges.ts';
import type { Kind, Operation } from './history.ts';
import { modelFile } from './known-model.ts';
import { issuerUrl, perform } from './perform.ts';
import type { RegionUnderTest } from './region-under-test.ts';
import type { Findings } from './verdict.ts';

/** Versions of a model that are looked at: more than any story pushes. */
const PAGE = 1000;
/** A backlog of validations takes the reader a few seconds. */
const LOOK_EVERY_MS = 20;
const MOST_LOOKS = 1000;
/** After three kills a push is taken to be their cause; a story's clock jumps over the time that a validation has. */
const ENDED_BY_KILLS: ReadonlySet<string> = new Set(['validation-failed', 'validation-timeout']);

/** Tenants, keys, plans, issuers, versions and routes: what was told to be there is, and what was cut short can be completed. */
export class RecordChecks {
  readonly #region: RegionUnderTest;
  readonly #exchanges: Exchanges;
  readonly #findings: Findings;

  constructor(region: RegionUnderTest, exchanges: Exchanges, findings: Findings) {
    this.#region = region;
    this.#exchanges = exchanges;
    this.#findings = findings;
  }

  async check(): Promise<void> {
    for (const tenant of namesOf(this.#exchanges.of('create-tenant'), ({ tenant }) => tenant)) {
      await this.#checkTenant(tenant);
    }
    await this.#checkKeys();
    await this.#checkPlansAndIssuers();
    const pushes = this.#exchanges.of('push');
    for (const model of namesOf(this.#exchanges.of('push', 'push-later'), ({ model }) => model))
      await this.#checkModel(model);
    for (const push of pushes) await this.#checkPush(push);
    for (const push of this.#exchanges.of('push-later')) await this.#checkAcceptedPush(push);
  }

  /** Asks again for what was cut short: each must succeed, or say that it is there. */
  async complete(): Promise<void> {
    const cut = this.#exchanges.all.filter(({ op, told }) => told === undefined && RECORDS.has(op.kind));
    for (const { op } of cut) {
      this.#findings.count('cut short');
      const told = await perform(this.#region, op);
      const isThere = told.is === 'refused' && ACCEPTABLE.get(op.kind)?.includes(told.code);
      if (told.is !== 'done' && !isThere) {
        this.#findings.report('half-made', `${JSON.stringify(op)}: ${JSON.stringify(told)}`);
      }
    }
    for (const tenant of namesOf(this.#exchanges.of('create-tenant'), ({ tenant }) => tenant)) {
      if (!this.#isLeaving(tenant)) await this.#completeTenant(tenant);
    }
  }

  /** Created in part or whole: a change makes it whole, and then it is in the directory. */
  async #completeTenant(tenant: string): Promise<void> {
    const told = await perform(this.#region, { kind: 'change-tenant', tenant, name: 'completed' });
    const entry = await this.#region.platform.directory.lookup(tenant);
    if (told.is !== 'done' || entry?.region !== this.#region.platform.config.region) {
      this.#findings.report(
        'half-made',
        `tenant ${tenant}: ${JSON.stringify(told)}, directory ${JSON.stringify(entry)}`,
      );
    }
  }

  async #checkTenant(tenant: string): Promise<void> {
    this.#findings.count('tenants');
    const { registry, directory } = this.#region.platform;
    const record = await registry.readTenant(tenant);
    const entry = await directory.lookup(tenant);
    if (this.#isLeaving(tenant)) {
      const isGone = this.#exchanges
        .of('remove-tenant')
        .some(({ op, told }) => op.tenant === tenant && told?.is === 'done');
      if (isGone && (record !== undefined || entry !== undefined))
        this.#findings.report('left-behind', `tenant ${tenant}`);
      return;
    }
    const changes = this.#exchanges.of('create-tenant', 'change-tenant').filter(({ op }) => op.tenant === tenant);
    const state = record && { epoch: record.epoch, value: record.name };
    this.#checkState(`tenant ${tenant}`, changes, (op) => (op.kind === 'change-tenant' ? op.name : op.tenant), state);
    this.#checkReads(
      `tenant ${tenant}`,
      this.#exchanges.of('read-tenant').filter(({ op }) => op.tenant === tenant),
    );
    const isCreated = changes.some(({ op, told }) => op.kind === 'create-tenant' && told?.is === 'done');
    if (isCreated && entry === undefined) this.#findings.report('record-lost', `directory entry of ${tenant}`);
  }

  #isLeaving(tenant: string): boolean {
    return this.#exchanges.of('remove-tenant').some(({ op }) => op.tenant === tenant);
  }

  /**
   * A record that one client changes, one change after the other: it is as the last change that was told left it, or as one
   * that was asked for since, and has as many epochs as changes.
   */
  #checkState<K extends Kind>(
    name: string,
    changes: readonly Exchange<K>[],
    stateAfter: (op: Operation<K>) => unknown,
    found: { readonly epoch: number; readonly value: unknown } | undefined,
  ): void {
    const last = changes.findLastIndex(({ told }) => told?.is === 'done');
    if (last < 0) return;
    if (found === undefined) {
      this.#findings.report('record-lost', name);
      return;
    }
    const since = changes.slice(last + 1).filter(({ told }) => told === undefined);
    const possible = [changes[last]!, ...since].map(({ op }) => stateAfter(op));
    const epoch = epochOf(changes[last]!);
    const isEpochRight = epoch <= found.epoch && found.epoch <= epoch + since.length;
    if (!isEpochRight || !possible.includes(found.value)) {
      const expected = `${possible.join(' or ')} of epoch ${epoch} to ${epoch + since.length}`;
      this.#findings.report(
        'record-went-back',
        `${name}: ${found.value} of epoch ${found.epoch}, expected ${expected}`,
      );
    }
  }

  /** What was read once is not read older later. */
  #checkReads(name: string, reads: readonly Exchange[]): void {
    let newest = 0;
    for (const read of reads) {
      if (read.told?.is !== 'done') continue;
      if (epochOf(read) < newest)
        this.#findings.report('record-went-back', `${name}: epoch ${epochOf(read)} after ${newest}`);
      newest = Math.max(newest, epochOf(read));
    }
  }

  async #checkKeys(): Promise<void> {
    for (const { op, told } of this.#exchanges.of('create-key')) {
      if (told?.is !== 'done' || this.#isLeaving(op.tenant)) continue;
      this.#findings.count('keys');
      const parts = parseApiKey(String(told.facts.text))!;
      const record = await this.#region.platform.registry.readKey(parts.keyId);
      if (record?.secretSha256 !== hashSecret(parts.secret)) {
        this.#findings.report('record-lost', `key ${parts.keyId}`);
        continue;
      }
      const revocations = this.#exchanges.of('revoke-key').filter((each) => each.op.keyId === parts.keyId);
      const isRevoked = record.revokedAtMs !== undefined;
      if (!isRevoked && revocations.some((each) => each.told?.is === 'done')) {
        this.#findings.report('record-went-back', `key ${parts.keyId} is no longer revoked`);
      }
      if (isRevoked && revocations.length === 0) this.#findings.report('broke', `key ${parts.keyId} revoked by nobody`);
    }
  }

  async #checkPlansAndIssuers(): Promise<void> {
    const { registry } = this.#region.platform;
    const plans = this.#exchanges.of('put-plan');
    for (const id of namesOf(plans, ({ plan }) => plan)) {
      const plan = await registry.readPlan(id);
      const state = plan && { epoch: plan.epoch, value: plan.limits.weight };
      const changes = plans.filter(({ op }) => op.plan === id);
      this.#checkState(`plan ${id}`, changes, ({ weight }) => weight, state);
    }
    const issuers = new Map((await registry.listIssuers()).map((record) => [record.issuer, record.audience]));
    for (const { op, told } of this.#exchanges.of('put-issuer')) {
      const removals = this.#exchanges.of('remove-issuer').filter((each) => each.op.issuer === op.issuer);
      const isThere = issuers.get(issuerUrl(op.issuer)) === op.audience;
      if (told?.is === 'done' && removals.length === 0 && !isThere) {
        this.#findings.report('record-lost', `issuer ${op.issuer}`);
      }
      if (isThere && removals.some((each) => each.told?.is === 'done')) {
        this.#findings.report('record-went-back', `issuer ${op.issuer} is there again`);
      }
    }
  }

  async #checkModel(model: string): Promise<void> {
    const { registry } = this.#region.platform;
    const { items } = await registry.listVersions(model, PAGE);
    const numbers = items.map(({ version }) => Number(version));
    const isWhole = numbers.every((number, at) => number === at + 1);
    if (!isWhole || new Set(items.map(({ digest }) => digest)).size < items.length) {
      this.#findings.report('broke', `versions of ${model}: ${numbers.join()}`);
    }
    const route = await registry.readRoute(model);
    const isPushed = this.#exchanges.of('push').some(({ op, told }) => op.model === model && told?.is === 'done');
    if (isPushed && route?.stable === undefined) this.#findings.report('record-lost', `the stable version of ${model}`);
    const changes = this.#exchanges.of('set-stable').filter(({ op }) => op.model === model);
    const state = route && { epoch: route.epoch, value: route.stable };
    this.#checkState(`route ${model}`, changes, ({ version }) => version, state);
    this.#checkReads(
      `route ${model}`,
      this.#exchanges.of('read-route').filter(({ op }) => op.model === model),
    );
  }

  /** What was told to be accepted ends, and in a version of its digest unless the kills are taken to be its doing. */
  async #checkAcceptedPush({ op, told }: Exchange<'push-later'>): Promise<void> {
    if (told?.is !== 'done') return;
    this.#findings.count('accepted pushes');
    const { registry, validations, clock } = this.#region.platform;
    const name = `push ${told.facts.validation} of ${op.model}`;
    const ended = async () => {
      const record = await validations.read(String(told.facts.validation));
      return record === undefined || ['accepted', 'refused'].includes(record.state.kind) ? { record } : undefined;
    };
    let found = told.facts.validation === undefined ? { record: undefined } : await ended();
    for (let looks = 0; found === undefined && looks < MOST_LOOKS; looks += 1) {
      await clock.sleep(LOOK_EVERY_MS);
      found = await ended();
    }
    const state = found?.record?.state;
    if (state?.kind === 'refused' && ENDED_BY_KILLS.has(state.code)) {
      this.#findings.count('pushes given up');
      return;
    }
    const { items } = await registry.listVersions(op.model, PAGE);
    const version = items.find(({ digest }) => digest === told.facts.digest);
    if (version === undefined || (state?.kind === 'accepted' && state.version !== version.version)) {
      this.#findings.report('record-lost', `${name}: ${JSON.stringify(state)}`);
    }
  }

  async #checkPush({ op, told }: Exchange<'push'>): Promise<void> {
    if (told?.is !== 'done') return;
    this.#findings.count('pushes');
    const { registry, artifacts } = this.#region.platform;
    const name = `${op.model}@${told.facts.version}`;
    const version = await registry.readVersion(op.model, String(told.facts.version));
    if (version?.digest !== told.facts.digest) {
      this.#findings.report('record-lost', `version ${name}`);
      return;
    }
    try {
      const file = await readFile(await artifacts.fetch(version!.modelDigest));
      if (!file.equals(modelFile(op.term))) this.#findings.report('damaged', `the file of ${name}`);
    } catch (error) {
      this.#findings.report('record-lost', `the file of ${name}: ${asFailure(error).code}`);
    }
  }
}

const RECORDS = new Set<Kind>([
  'create-tenant',
  'change-tenant',
  'erase-tenant',
  'remove-tenant',
  'create-key',
  'revoke-key',
  'push',
  'push-later',
  'set-stable',
  'put-plan',
  'put-issuer',
  'remove-issuer',
]);

/** Answers to what was cut short that say it had been done, or that the tenant has been removed since. */
const ACCEPTABLE = new Map<Kind, readonly string[]>([
  ['create-tenant', ['already-exists']],
  ['change-tenant', ['tenant-unknown']],
  ['erase-tenant', ['tenant-unknown']],
  ['remove-tenant', ['tenant-unknown']],
  ['create-key', ['tenant-unknown']],
  ['revoke-key', ['key-unknown']],
  ['push', [...ENDED_BY_KILLS]],
]);

function namesOf<E extends Exchange>(exchanges: readonly E[], nameOf: (op: E['op']) => string): Set<string> {
  return new Set(exchanges.map(({ op }) => nameOf(op)));
}

function epochOf({ told }: Exchange): number {
  return told?.is === 'done' ? Number(told.facts.epoch) : 0;
}
