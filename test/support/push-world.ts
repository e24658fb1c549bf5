import { type Push, pushVersion } from '../../core/models/push.ts';
import { runNextValidation, type Validate, type ValidatorPorts } from '../../core/models/run-validation.ts';
import type { Signature } from '../../core/models/signature.ts';
import type { Subject } from '../../core/models/validate.ts';
import type { ValidationRecord } from '../../core/models/validation-record.ts';
import type { ModelVersion } from '../../core/models/version.ts';
import type { PreparedGraph } from '../../core/ports/graphs.ts';
import { DEFAULT_PLANS } from '../../core/tenancy/plan.ts';
import { StoryClock } from './durability/story-clock.ts';
import { aValidation, ROW_SIGNATURE } from './jobs.ts';
import { type LocalPlatform, openLocalPlatform } from './local-platform.ts';

export const GOLDEN = `${JSON.stringify({
  inputs: [{ name: 'x', shape: [1, 1], datatype: 'FP32', data: [1] }],
  outputs: [{ name: 'y', shape: [1, 1], datatype: 'FP32', data: [2] }],
})}\n`;

export type Files = {
  readonly model?: string;
  readonly golden?: string | null;
  readonly tokenizer?: string;
  readonly reference?: string;
};

/** A region's storage, and a validation that finds every model good unless told otherwise. Time is real, but can be jumped over. */
export class PushWorld {
  readonly local: LocalPlatform;
  readonly clock = new StoryClock(0);
  readonly subjects: Subject[] = [];
  signature: Signature = ROW_SIGNATURE;
  /** What a repair makes of the file at this path; undefined: nothing is repaired. */
  repaired: PreparedGraph | undefined;
  /** What else happens while a model is looked at. */
  look: (...of: Parameters<Validate>) => Promise<unknown> = async () => {};
  changes: Partial<ValidatorPorts> = {};

  private constructor(local: LocalPlatform) {
    this.local = local;
  }

  static async open(): Promise<PushWorld> {
    const local = await openLocalPlatform();
    for (const plan of DEFAULT_PLANS) await local.ports.registry.writePlan(plan);
    return new PushWorld(local);
  }

  close(): Promise<void> {
    return this.local.close();
  }

  get ports(): ValidatorPorts {
    return {
      ...this.local.ports,
      clock: this.clock,
      log: this.local.log,
      config: { region: 'us', regionUrls: {}, corsOrigins: [], pools: ['default', 'big'], usdPerComputeHour: 1 },
      sandbox: { load: async () => ({ kind: 'crashed' }) },
      graphs: { prepare: () => Promise.reject(new Error('read by validation alone')) },
      tokenizers: { open: async () => ({ encode: () => [1] }), isOpen: () => true },
      ...this.changes,
    };
  }

  get validate(): Validate {
    return async (ports, subject, onProgress) => {
      this.subjects.push(subject);
      await this.look(ports, subject, onProgress);
      const asIs = { path: subject.path, repairs: [], summary: '', discard: async () => {} };
      return { signature: this.signature, validation: aValidation(), prepared: this.repaired ?? asIs };
    };
  }

  push(manifest: unknown, files: Files = {}): ReturnType<typeof pushVersion> {
    return pushVersion(this.ports, aPush(manifest, files), { validate: this.validate });
  }

  /** Looks at the next push, as a validator does. */
  runNext(signal?: AbortSignal): Promise<ValidationRecord | undefined> {
    return runNextValidation(this.ports, { validate: this.validate, signal });
  }

  async versions(model = 'm'): Promise<readonly ModelVersion[]> {
    return (await this.local.ports.registry.listVersions(model, 1000)).items;
  }

  async stableOf(model = 'm'): Promise<string | undefined> {
    return (await this.local.ports.registry.readRoute(model))?.stable;
  }
}

export function aPush(manifest: unknown, files: Files = {}): Push {
  const { model = 'model bytes', golden = GOLDEN, tokenizer, reference } = files;
  return {
    manifest,
    modelBytes: bytes(model),
    golden: golden === null ? undefined : bytes(golden),
    tokenizer: tokenizer === undefined ? undefined : bytes(tokenizer),
    reference: reference === undefined ? undefined : bytes(reference),
    pushedBy: 'key:1',
  };
}

async function* bytes(text: string): AsyncIterable<Uint8Array> {
  for (const character of text) yield new TextEncoder().encode(character);
}
