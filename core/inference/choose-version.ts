import { asFailure, Failure } from '../failure.ts';
import { FreshCache } from '../fresh-cache.ts';
import type { ModelRoute, ModelVersion } from '../models/version.ts';
import type { Platform } from '../ports/platform.ts';
import type { Release } from '../release/release.ts';
import { type ReleaseTraffic, servedBy } from '../release/served.ts';
import { SECOND_MS } from '../units.ts';
import { type Assigned, assignVersion } from './assign-version.ts';
import { compileFixedAnswer, type FixedAnswer } from './fixed-answer.ts';
import { newPredictionId } from './prediction-id.ts';
import type { Caller, InferRequest } from './request.ts';
import { compileTextValidator } from './tokenize.ts';
import { compileValidator, type ValidatedInputs } from './validate-inputs.ts';

const MOST_VERSIONS = 1000;

/** A version with all that is worked out once about it. */
export type ServingVersion = {
  readonly version: ModelVersion;
  /** An `InputValidator`; takes its time, in turns with others, over long texts that it tokenizes. */
  readonly validate: (request: InferRequest) => ValidatedInputs | Promise<ValidatedInputs>;
  /** Of a version whose fallback is one. */
  readonly fixedAnswer: FixedAnswer | undefined;
};

/** The version that answers one request. */
export type ChosenVersion = ServingVersion & {
  /** What a release decided of the request; undefined: none had to do with it. */
  readonly assigned?: Assigned | undefined;
  /** True if the tenant pins the version: it is as good as named by the caller. */
  readonly pinned?: boolean | undefined;
};

type ChooserPorts = Pick<Platform, 'registry' | 'releases' | 'tokenizers' | 'clock' | 'log'>;

/** Who answers requests for a model. */
type Traffic = ModelRoute & { readonly release: ReleaseTraffic | undefined };

/**
 * Which version answers. A change of the stable version or of a release is seen within a second, everywhere in the region;
 * versions themselves are immutable.
 */
export class VersionChooser {
  readonly #ports: ChooserPorts;
  readonly #routes = new FreshCache<Traffic | undefined>(SECOND_MS, 10_000);
  readonly #versions = new Map<string, ServingVersion>();
  /** `model@version plan` whose variant could not be followed: told once. */
  readonly #lostVariants = new Set<string>();

  constructor(ports: ChooserPorts) {
    this.#ports = ports;
  }

  /**
   * The version named, else the one that the tenant pins, else the one that the model's release assigns, else the stable one; or in place of
   * the last two that of the model which its manifest names as the variant for the caller's plan, chosen in the same way. Plan and credential need to include the model named only; a variant's own variants are not followed; where
   * there is no such model, or no stable version of it, the model named answers. Throws `model-unknown` (also for a
   * model that the plan or the credential leaves out), `version-unknown`, `version-not-ready`.
   */
  choose(
    caller: Caller,
    model: string,
    named: string | undefined,
    nowMs: number,
  ): ChosenVersion | Promise<ChosenVersion> {
    if (!mayCall(caller, model)) throw new Failure('model-unknown', { field: 'model' });
    const traffic = this.#trafficOf(model, nowMs);
    if (named !== undefined)
      return traffic instanceof Promise
        ? traffic.then((read) => this.#find(model, read, named))
        : this.#find(model, traffic, named);
    const found =
      traffic instanceof Promise
        ? traffic.then((read) => this.#chooseFrom(caller, model, read))
        : this.#chooseFrom(caller, model, traffic);
    return found instanceof Promise
      ? found.then((chosen) => this.#variantFor(caller, chosen, nowMs))
      : this.#variantFor(caller, found, nowMs);
  }

  /** The version that serves, of a model that answers in another one's place. Throws `model-unknown`, `version-not-ready`. */
  stableOf(model: string, nowMs: number): ServingVersion | Promise<ServingVersion> {
    const traffic = this.#trafficOf(model, nowMs);
    return traffic instanceof Promise
      ? traffic.then((read) => this.#find(model, read, undefined))
      : this.#find(model, traffic, undefined);
  }

  /** Without a promise where it was read within a second. */
  #trafficOf(model: string, nowMs: number): Traffic | undefined | Promise<Traffic | undefined> {
    return this.#routes.get(model, nowMs, () => this.#readTraffic(model, nowMs));
  }

  async #readTraffic(model: string, nowMs: number): Promise<Traffic | undefined> {
    const [route, release] = await Promise.all([this.#ports.registry.readRoute(model), this.#readRelease(model)]);
    return route === undefined ? undefined : { ...route, release: servedBy(route, release, nowMs) };
  }

  /** A release that cannot be read has no candidate that anybody should be put on: the model's stable version goes on answering. */
  async #readRelease(model: string): Promise<Release | undefined> {
    try {
      return await this.#ports.releases.readLatest(model);
    } catch (error) {
      if (asFailure(error).code !== 'record-damaged') throw error;
      this.#ports.log.error('a release cannot be read: its stable version answers', error, { model });
      return undefined;
    }
  }

  #chooseFrom(caller: Caller, model: string, traffic: Traffic | undefined): ChosenVersion | Promise<ChosenVersion> {
    const pin = pinOf(caller, model);
    if (pin !== undefined) return withMark(this.#find(model, traffic, pin), { pinned: true });
    if (traffic?.release === undefined) return this.#find(model, traffic, undefined);
    const assigned = assignVersion(caller, traffic.release, newPredictionId());
    return withMark(this.#find(model, traffic, assigned.version), { assigned });
  }

  #variantFor(caller: Caller, chosen: ChosenVersion, nowMs: number): ChosenVersion | Promise<ChosenVersion> {
    const { variants } = chosen.version.manifest;
    if (variants === undefined || chosen.pinned === true) return chosen;
    const { plan } = caller.tenant;
    const model = Object.hasOwn(variants, plan) ? variants[plan] : undefined;
    if (model === undefined || model === chosen.version.model) return chosen;
    const traffic = this.#trafficOf(model, nowMs);
    return traffic instanceof Promise
      ? traffic.then((read) => this.#follow(caller, read, chosen))
      : this.#follow(caller, traffic, chosen);
  }

  #follow(caller: Caller, traffic: Traffic | undefined, from: ChosenVersion): ChosenVersion | Promise<ChosenVersion> {
    if (traffic?.stable !== undefined) return this.#chooseFrom(caller, traffic.model, traffic);
    const { plan } = caller.tenant;
    const { model, version, manifest } = from.version;
    const lost = `${model}@${version} ${plan}`;
    if (!this.#lostVariants.has(lost)) {
      if (this.#lostVariants.size >= MOST_VERSIONS) this.#lostVariants.clear();
      this.#lostVariants.add(lost);
      this.#ports.log.warn('a variant has no stable version: the model named answers', {
        model,
        version,
        plan,
        variant: manifest.variants?.[plan],
      });
    }
    return from;
  }

  #find(
    model: string,
    traffic: Traffic | undefined,
    version: string | undefined,
  ): ServingVersion | Promise<ServingVersion> {
    if (traffic === undefined) throw new Failure('model-unknown', { field: 'model' });
    const found = version ?? traffic.release?.serving ?? traffic.stable;
    if (found === undefined) throw new Failure('version-not-ready', { model });
    return this.#versions.get(`${model}@${found}`) ?? this.#load(model, found);
  }

  async #load(model: string, version: string): Promise<ServingVersion> {
    const record = await this.#ports.registry.readVersion(model, version);
    if (record === undefined) throw new Failure('version-unknown', { field: 'version', model });
    const validate = await this.#validatorOf(record);
    const serving = { version: record, validate, fixedAnswer: compileFixedAnswer(record) };
    this.#makeRoom(record);
    this.#versions.set(`${model}@${version}`, serving);
    return serving;
  }

  async #validatorOf(version: ModelVersion): Promise<ServingVersion['validate']> {
    const { tokenizers, clock } = this.#ports;
    if (version.tokenizerDigest === undefined) return compileValidator(version);
    return compileTextValidator(version, await tokenizers.open(version.tokenizerDigest), clock);
  }

  /** A vocabulary takes ten megabytes, a large one three hundred: none is held that was closed to make room for this one's. */
  #makeRoom({ tokenizerDigest }: ModelVersion): void {
    if (this.#versions.size >= MOST_VERSIONS) this.#versions.clear();
    if (tokenizerDigest === undefined) return;
    for (const [key, { version }] of this.#versions) {
      const digest = version.tokenizerDigest;
      if (digest !== undefined && !this.#ports.tokenizers.isOpen(digest)) this.#versions.delete(key);
    }
  }
}

/** True if plan and credential both include the model. */
export function mayCall(caller: Caller, model: string): boolean {
  const { models } = caller.limits;
  const scope = caller.principal.models;
  return (models.includes('*') || models.includes(model)) && (scope === undefined || scope.includes(model));
}

function pinOf({ tenant: { pins } }: Caller, model: string): string | undefined {
  return pins !== undefined && Object.hasOwn(pins, model) ? pins[model] : undefined;
}

function withMark(
  found: ServingVersion | Promise<ServingVersion>,
  mark: Pick<ChosenVersion, 'assigned' | 'pinned'>,
): ChosenVersion | Promise<ChosenVersion> {
  return found instanceof Promise ? found.then((serving) => ({ ...serving, ...mark })) : { ...found, ...mark };
}
