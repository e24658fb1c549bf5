import { Failure } from '../failure.ts';
import { FreshCache } from '../fresh-cache.ts';
import type { ModelRoute, ModelVersion } from '../models/version.ts';
import type { Registry } from '../ports/registry.ts';
import { SECOND_MS } from '../units.ts';
import type { Caller } from './request.ts';
import { compileValidator, type InputValidator } from './validate-inputs.ts';

/** A version with all that is worked out once about it. */
export type ServingVersion = { readonly version: ModelVersion; readonly validate: InputValidator };

/**
 * Which version answers. A change of the stable version is seen within a second, everywhere in the region;
 * versions themselves are immutable.
 */
export class VersionChooser {
  readonly #registry: Pick<Registry, 'readRoute' | 'readVersion'>;
  readonly #routes = new FreshCache<ModelRoute | undefined>(SECOND_MS, 10_000);
  readonly #versions = new Map<string, ServingVersion>();

  constructor(registry: Pick<Registry, 'readRoute' | 'readVersion'>) {
    this.#registry = registry;
  }

  /** Throws `model-unknown` (also for a model that the plan or the credential leaves out), `version-unknown`, `version-not-ready`. */
  choose(
    caller: Caller,
    model: string,
    named: string | undefined,
    nowMs: number,
  ): ServingVersion | Promise<ServingVersion> {
    if (!mayCall(caller, model)) throw new Failure('model-unknown', { field: 'model' });
    const route = this.#routes.get(model, nowMs, () => this.#registry.readRoute(model));
    return route instanceof Promise
      ? route.then((read) => this.#find(model, read, named))
      : this.#find(model, route, named);
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
    const record = await this.#registry.readVersion(model, version);
    if (record === undefined) throw new Failure('version-unknown', { field: 'version', model });
    const serving = { version: record, validate: compileValidator(record) };
    if (this.#versions.size >= 1000) this.#versions.clear();
    this.#versions.set(`${model}@${version}`, serving);
    return serving;
  }
}

/** True if plan and credential both include the model. */
export function mayCall(caller: Caller, model: string): boolean {
  const { models } = caller.limits;
  const scope = caller.principal.models;
  return (models.includes('*') || models.includes(model)) && (scope === undefined || scope.includes(model));
}
