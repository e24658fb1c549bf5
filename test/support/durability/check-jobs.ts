import { createHash } from 'node:crypto';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../../../core/units.ts';
import type { Exchange, Exchanges } from './exchanges.ts';
import type { Infer, Told } from './history.ts';
import { CRASHING_FROM, expectedOf, modelFile } from './known-model.ts';
import { perform } from './perform.ts';
import type { RegionUnderTest } from './region-under-test.ts';
import type { Findings } from './verdict.ts';

/** A job that a client was told of. */
type KnownJob = { readonly id: string; readonly exchange: Exchange<'infer'>; readonly since: number };

/** Deadlines of core/inference/submit.ts, unless the request says otherwise. */
const DEADLINE_MS = { sync: 30 * SECOND_MS, late: 30 * SECOND_MS, async: 15 * MINUTE_MS };
/** Starts after which core/inference/work.ts gives a job up: each but the last was cut off by a kill. */
const STARTS = 5;
/** For the next one, once a job did not end in that time. */
const LITTLE_PATIENCE_MS = 200;
const MOST_TERMS = 1000;
/** What is said of a job whose tenant's data is no more; the tenant may be leaving, or have left. */
const GONE = new Set(['prediction-unknown', 'tenant-unknown', 'forbidden']);

/** Every accepted job has one outcome, the right one, and every reader is told the same. */
export class JobChecks {
  readonly #region: RegionUnderTest;
  readonly #exchanges: Exchanges;
  readonly #findings: Findings;
  readonly #jobs: readonly KnownJob[];
  /** The outcome of each job that has one, in words that are equal only for equal outcomes. */
  readonly #outcomes = new Map<string, string>();
  readonly #terms = new Map<string, number>();
  #patienceMs: number;

  /** `patienceMs`: how long a job may take to end that has not. */
  constructor(region: RegionUnderTest, exchanges: Exchanges, findings: Findings, patienceMs: number) {
    this.#region = region;
    this.#patienceMs = patienceMs;
    this.#exchanges = exchanges;
    this.#findings = findings;
    this.#jobs = knownJobs(exchanges);
    for (let term = 1; term <= MOST_TERMS; term += 1) {
      this.#terms.set(createHash('sha256').update(modelFile(term)).digest('hex'), term);
    }
  }

  async check(): Promise<void> {
    for (const job of this.#jobs) await this.#checkJob(job);
    this.#checkToldBefore();
    this.#checkDirectAnswers(await this.#directTerms());
    await this.#checkKeys();
    this.#checkQuarantine();
  }

  /** The outcomes once more, by another process than the one that found them first. */
  async checkAgain(region: RegionUnderTest): Promise<void> {
    for (const { id, exchange } of this.#jobs) {
      const before = this.#outcomes.get(id);
      // An erasure that was cut short has been completed meanwhile.
      if (before === undefined || this.#exchanges.erasedAfter(exchange.op.tenant, -1) !== 'no') continue;
      const again = outcomeOf(await perform(region, { kind: 'read', tenant: exchange.op.tenant, job: id }), id);
      if (again !== before) this.#findings.report('outcome-changed', `${id}: ${before}, after a restart ${again}`);
    }
  }

  async #checkJob(job: KnownJob): Promise<void> {
    const { id, exchange, since } = job;
    const { op } = exchange;
    this.#findings.count('accepted jobs');
    const told = await this.#final(op.tenant, id);
    const outcome = outcomeOf(told, id);
    const erased = this.#exchanges.erasedAfter(op.tenant, since);
    if (erased === 'yes') {
      if (told.is !== 'refused' || !GONE.has(told.code)) {
        this.#findings.report('left-behind', `${id} of ${op.tenant}, which was erased: ${describe(told)}`);
      }
      return;
    }
    if (erased === 'maybe' && told.is === 'refused') return;
    if (outcome === undefined) {
      this.#findings.report('job-lost', `${id} (${describeOp(op)}): ${describe(told)}`);
      return;
    }
    this.#outcomes.set(id, outcome);
    await this.#judge(job, told);
  }

  async #final(tenant: string, id: string): Promise<Told> {
    const untilMs = performance.now() + this.#patienceMs;
    for (;;) {
      const told = await perform(this.#region, { kind: 'read', tenant, job: id });
      if (told.is !== 'accepted') return told;
      if (performance.now() < untilMs) continue;
      this.#patienceMs = LITTLE_PATIENCE_MS;
      return told;
    }
  }

  async #judge({ id, exchange }: KnownJob, told: Told): Promise<void> {
    const { op } = exchange;
    const cancels = this.#exchanges.of('cancel').filter((cancel) => cancel.op.job === id);
    const isCancelled = told.is === 'refused' && told.code === 'prediction-cancelled';
    if (isCancelled) {
      this.#findings.count('cancelled');
      if (cancels.length === 0) this.#findings.report('wrong-outcome', `${id} was cancelled by nobody`);
      return;
    }
    if (cancels.some((cancel) => cancel.told?.is === 'cancelled')) {
      this.#findings.report('cancelled-but-ran', `${id}: ${describe(told)}`);
      return;
    }
    if (told.is === 'refused' && this.#isExcused(exchange, told)) return;
    const version = told.is === 'answered' ? told.version : undefined;
    const chosen = exchange.told?.is === 'accepted' ? exchange.told.version : (op.version ?? version);
    const term = chosen === undefined ? 0 : await this.#termOf(op.model, chosen);
    const isRight = (version === undefined || version === chosen) && agrees(op, term, told);
    if (!isRight) {
      this.#findings.report('wrong-outcome', `${id} (${describeOp(op)}, term ${term}): ${describe(told)}`);
    }
  }

  /** Expired because its deadline has passed, or given up because it was cut off too often. */
  #isExcused({ op, asked }: Exchange<'infer'>, told: Extract<Told, { is: 'refused' }>): boolean {
    // Under a key the job may be of an earlier attempt that was told nothing.
    const same = this.#exchanges.of('infer').filter((each) => op.key !== undefined && each.op.key === op.key);
    const first = same[0] ?? this.#exchanges.of('infer').find((each) => each.asked === asked)!;
    if (told.code === 'prediction-expired') {
      this.#findings.count('expired');
      const deadlineMs = first.askedMs + Math.min(op.timeoutMs ?? DEADLINE_MS[op.style], DAY_MS);
      return deadlineMs < this.#region.platform.clock.nowMs();
    }
    if (told.code !== 'prediction-failed' || !told.detail?.startsWith('given up')) return false;
    this.#findings.count('given up');
    return this.#exchanges.killsAfter(first.asked) >= STARTS;
  }

  async #termOf(model: string, version: string): Promise<number | undefined> {
    const record = await this.#region.platform.registry.readVersion(model, version);
    return record && this.#terms.get(record.modelDigest);
  }

  /** What was told while the history was written is what the reader is told. */
  #checkToldBefore(): void {
    const endedAt = new Map<string, number>();
    for (const { op, told, asked, answered } of this.#exchanges.of('read', 'infer')) {
      if (told === undefined || answered === undefined || !('job' in told) || told.job === undefined) continue;
      const final = this.#outcomes.get(told.job);
      const outcome = outcomeOf(told, told.job);
      if (final === undefined) continue;
      if (outcome !== undefined) {
        if (outcome !== final) {
          this.#findings.report('outcome-changed', `${told.job}: once ${outcome}, in the end ${final}`);
        }
        endedAt.set(told.job, Math.min(answered, endedAt.get(told.job) ?? Number.POSITIVE_INFINITY));
      } else if (told.is === 'accepted' && asked > (endedAt.get(told.job) ?? Number.POSITIVE_INFINITY)) {
        this.#findings.report('outcome-changed', `${told.job}: pending (${op.kind}) after it had ended`);
      }
    }
  }

  async #directTerms(): Promise<Map<string, number | undefined>> {
    const terms = new Map<string, number | undefined>();
    for (const { op, told } of this.#exchanges.of('infer')) {
      if (told?.is !== 'answered' || terms.has(`${op.model}@${told.version}`)) continue;
      terms.set(`${op.model}@${told.version}`, await this.#termOf(op.model, told.version));
    }
    return terms;
  }

  #checkDirectAnswers(terms: ReadonlyMap<string, number | undefined>): void {
    for (const { op, told } of this.#exchanges.of('infer')) {
      if (told?.is !== 'answered') continue;
      this.#findings.count('direct answers');
      const term = terms.get(`${op.model}@${told.version}`);
      if (!agrees(op, term, told)) this.#findings.report('wrong-outcome', `${describeOp(op)}: ${describe(told)}`);
    }
  }

  /** One key, one job: during the story, and when the reader asks again. */
  async #checkKeys(): Promise<void> {
    for (const group of keyGroups(this.#exchanges)) {
      const [first] = group;
      const jobs = new Set(group.flatMap(({ told }) => jobOf(told) ?? []));
      if (jobs.size > 1) this.#findings.report('two-jobs-of-one-key', `${first!.op.key}: ${[...jobs].join()}`);
      const [job] = jobs;
      const payloads = new Set(group.filter(({ told }) => jobOf(told) !== undefined).map(({ op }) => payloadOf(op)));
      if (payloads.size > 1)
        this.#findings.report('two-jobs-of-one-key', `${first!.op.key}: another request got its answer`);
      const known = group.find(({ told }) => jobOf(told) !== undefined);
      if (job === undefined || known === undefined) continue;
      await this.#askAgain(known, job);
    }
  }

  async #askAgain({ op, asked }: Exchange<'infer'>, job: string): Promise<void> {
    if (this.#exchanges.erasedAfter(op.tenant, asked) !== 'no') return;
    this.#findings.count('keys asked again');
    const told = await perform(this.#region, op);
    const outcome = outcomeOf(told, job);
    if (outcome === undefined || outcome !== this.#outcomes.get(job)) {
      this.#findings.report(
        'two-jobs-of-one-key',
        `${op.key}: ${this.#outcomes.get(job)}, asked again ${describe(told)}`,
      );
    }
  }

  #checkQuarantine(): void {
    const crashed = new Map<string, number>();
    const inputs = new Map(this.#jobs.map(({ id, exchange }) => [id, exchange.op]));
    for (const { op, told, asked, answered } of this.#exchanges.of('infer', 'read')) {
      const input = op.kind === 'infer' ? op : inputs.get(op.job);
      if (told === undefined || input === undefined || input.x < CRASHING_FROM) continue;
      const name = `${input.tenant} ${input.model} ${input.x} ${input.rows}`;
      const since = crashed.get(name);
      // A named version that is not the stable one condemns nothing.
      const isStable = input.version === undefined;
      const isKnown = since !== undefined && asked > since && this.#exchanges.erasedAfter(input.tenant, since) === 'no';
      const isRefused = told.is === 'refused' && told.code !== 'runner-crashed';
      if (op.kind === 'infer' && op.key === undefined && isKnown && !isRefused) {
        this.#findings.report('quarantine-forgotten', `${name}: ${describe(told)}`);
      }
      if (isStable && since === undefined && told.is === 'refused' && told.code === 'runner-crashed') {
        crashed.set(name, answered!);
      }
    }
  }
}

/** Jobs that were accepted: by a 202, or under a key. */
function knownJobs(exchanges: Exchanges): KnownJob[] {
  const jobs = new Map<string, KnownJob>();
  for (const exchange of exchanges.of('infer')) {
    const { told, op, answered } = exchange;
    const isDurable = told?.is === 'accepted' || op.key !== undefined;
    const id = jobOf(told);
    if (id !== undefined && isDurable && !jobs.has(id)) jobs.set(id, { id, exchange, since: answered! });
  }
  return [...jobs.values()];
}

function keyGroups(exchanges: Exchanges): Exchange<'infer'>[][] {
  const groups = new Map<string, Exchange<'infer'>[]>();
  for (const exchange of exchanges.of('infer')) {
    const { key, tenant, model, version } = exchange.op;
    if (key === undefined) continue;
    // After an erasure the key is free again.
    const name = [tenant, model, version, key, exchanges.erasuresBefore(tenant, exchange.asked)].join(' ');
    groups.set(name, [...(groups.get(name) ?? []), exchange]);
  }
  return [...groups.values()];
}

function jobOf(told: Told | undefined): string | undefined {
  return told !== undefined && 'job' in told ? told.job : undefined;
}

/** undefined: it has none yet, or there is no such job. */
function outcomeOf(told: Told, job: string): string | undefined {
  if (told.is === 'answered' && told.job === job) {
    return JSON.stringify([told.version, told.values, told.computeMs, told.endedAtMs]);
  }
  const isOwnFailure = told.is === 'refused' && told.job === job && told.code !== 'idempotency-in-flight';
  return isOwnFailure ? told.code : undefined;
}

function agrees(op: Infer, term: number | undefined, told: Told): boolean {
  if (term === undefined) return false;
  const expected = expectedOf(term, op.x, op.rows);
  if (expected.kind === 'failed') return told.is === 'refused' && told.code === expected.code;
  return told.is === 'answered' && JSON.stringify(told.values) === JSON.stringify(expected.values);
}

function payloadOf({ model, version, x, rows }: Infer): string {
  return JSON.stringify([model, version, x, rows]);
}

function describeOp({ tenant, model, version, x, rows, style, key }: Infer): string {
  return `${style} ${tenant} ${model}@${version ?? 'stable'} x=${x}+${rows} key=${key}`;
}

function describe(told: Told): string {
  return JSON.stringify(told);
}
