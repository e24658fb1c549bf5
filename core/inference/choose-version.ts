import { Failure } from '../failure.ts';
import { FreshCache } from '../fresh-cache.ts';
import type { ModelRoute, ModelVersion } from '../models/version.ts';
import type { Platform } from '../ports/platform.ts';
import { SECOND_MS } from '../units.ts';
import { compileFixedAnswer, type FixedAnswer } from './fixed-answer.ts';
import type { Caller, InferRequest } from './request.ts';
import { compileTextValidator } from './tokenize.ts';
import { compileValidator, type ValidatedInputs } from './validate-inputs.ts';

const MOST_VERSIONS = 1000;
/** A vocabulary takes ten megabytes, a large one two hundred: of versions that hold one fewer are kept. */
const MOST_TOKENIZED = 64;

/** A version with all that is worked out once about it. */
export type ServingVersion = {
  readonly version: ModelVersion;
  /** An `InputValidator`; takes its time, in turns with others, over long texts that it tokenizes. */
  readonly validate: (request: InferRequest) => ValidatedInputs | Promise<ValidatedInputs>;
  /** Of a version whose fallback is one. */
  readonly fixedAnswer: FixedAnswer | undefined;
};

type ChooserPorts = Pick<Platform, 'registry' | 'tokenizers' | 'clock' | 'log'>;

/**
 * Which version answers. A change of the stable version is seen within a second, everywhere in the region;
 * versions themselves are immutable.
 */
export class VersionChooser {
  readonly #ports: ChooserPorts;
  readonly #routes = new FreshCache<ModelRoute | undefined>(SECOND_MS, 10_000);
  readonly #versions = new Map<string, ServingVersion>();
  /** `model@version plan` whose variant could not be followed: told once. */
  readonly #lostVariants = new Set<string>();

  constructor(ports: ChooserPorts) {
    this.#ports = ports;
  }

  /**
   * The version named, else the stable one, or in its place that of the model which its manifest names as the variant for the
   * caller's plan. Plan and credential need to include the model named only; a variant's own variants are not followed; where
   * there is no such model, or no stable version of it, the model named answers. Throws `model-unknown` (also for a
   * model that the plan or the credential leaves out), `version-unknown`, `version-not-ready`.
   */
  choose(
    caller: Caller,
    model: string,
    named: string | undefined,
    nowMs: number,
  ): ServingVersion | Promise<ServingVersion> {
    if (!mayCall(caller, model)) throw new Failure('model-unknown', { field: 'model' });
    const route = this.#routes.get(model, nowMs, () => this.#ports.registry.readRoute(model));
    const found =
      route instanceof Promise ? route.then((read) => this.#find(model, read, named)) : this.#find(model, route, named);
    if (named !== undefined) return found;
    return found instanceof Promise
      ? found.then((stable) => this.#variantFor(caller, stable, nowMs))
      : this.#variantFor(caller, found, nowMs);
  }

  /** The stable version of a model that answers in another one's place. Throws `model-unknown`, `version-not-ready`. */
  stableOf(model: string, nowMs: number): ServingVersion | Promise<ServingVersion> {
    const route = this.#routes.get(model, nowMs, () => this.#ports.registry.readRoute(model));
    return route instanceof Promise
      ? route.then((read) => this.#find(model, read, undefined))
      : this.#find(model, route, undefined);
  }

  #variantFor(caller: Caller, stable: ServingVersion, nowMs: number): ServingVersion | Promise<ServingVersion> {
    const { variants } = stable.version.manifest;
    if (variants === undefined) return stable;
    const { plan } = caller.tenant;
    const model = Object.hasOwn(variants, plan) ? variants[plan] : undefined;
    if (model === undefined || model === stable.version.model) return stable;
    const route = this.#routes.get(model, nowMs, () => this.#ports.registry.readRoute(model));
    return route instanceof Promise
      ? route.then((read) => this.#follow(read, stable, plan))
      : this.#follow(route, stable, plan);
  }

  #follow(route: ModelRoute | undefined, from: ServingVersion, plan: string): ServingVersion | Promise<ServingVersion> {
    if (route?.stable !== undefined) return this.#find(route.model, route, undefined);
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
    route: ModelRoute | undefined,
    named: string | undefined,
  ): ServingVersion | Promise<ServingVersion> {
    if (route === undefined) throw new Failure('model-unknown', { field: 'model' });
    const version = named ?? route.stable;
    if (version === undefined) throw new Failure('version-not-ready', { model });
    return this.#versions.get(`${model}@${version}`) ?? this.#load(model, version);
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

  #makeRoom({ tokenizerDigest }: ModelVersion): void {
    if (this.#versions.size >= MOST_VERSIONS) this.#versions.clear();
    if (tokenizerDigest === undefined) return;
    const tokenized = [...this.#versions].filter(([, { version }]) => version.tokenizerDigest !== undefined);
    const [oldest] = tokenized;
    if (oldest !== undefined && tokenized.length >= MOST_TOKENIZED) this.#versions.delete(oldest[0]);
  }
}

/** True if plan and credential both include the model. */
export function mayCall(caller: Caller, model: string): boolean {
  const { models } = caller.limits;
  const scope = caller.principal.models;
  return (models.includes('*') || models.includes(model)) && (scope === undefined || scope.includes(model));
}
