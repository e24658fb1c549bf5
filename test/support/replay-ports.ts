import { createHash } from 'node:crypto';
import type { Tensor } from '../../core/inference/tensor.ts';
import type { Replays } from '../../core/models/replay/replay.ts';
import type { ModelVersion } from '../../core/models/version.ts';
import type { Capture } from '../../core/ports/captures.ts';
import type { SandboxRun } from '../../core/ports/sandbox.ts';
import { aVersion } from './jobs.ts';

type ReplayPorts = ConstructorParameters<typeof Replays>[0];

/** What a version does with an input. */
export type Script = (value: number) => Promise<SandboxRun> | SandboxRun;

/** Versions of model m whose answers are scripted, their golden pairs and what was captured of them, in memory. */
export class ReplayWorld {
  nowMs = 1_000_000;
  captures: Capture[] = [];
  readonly consents = new Map<string, boolean>();
  readonly logged: object[] = [];
  /** Processes that were started, by `model@version`, and how many of them run. */
  readonly loads: string[] = [];
  open = 0;
  onLoad: (key: string) => 'loaded' | 'refused' | 'crashed' | 'timed-out' = () => 'loaded';
  readonly #versions = new Map<string, ModelVersion>();
  readonly #scripts = new Map<string, Script>();
  readonly #files = new Map<string, Uint8Array>();

  /** Adds a version; the golden pairs are one of input x = n for each n below `golden`. */
  add(script: Script, changes: Partial<ModelVersion> & { readonly golden?: number } = {}): void {
    const { golden = 0, ...rest } = changes;
    const version: ModelVersion = { ...aVersion({ ...rest }), ...rest };
    const goldenDigest = golden === 0 ? undefined : this.#keepGolden(golden);
    const key = `${version.model}@${version.version}`;
    this.#versions.set(key, { ...version, modelDigest: key, ...(goldenDigest !== undefined && { goldenDigest }) });
    this.#scripts.set(key, script);
  }

  ports(): ReplayPorts {
    const world = this;
    return {
      clock: { nowMs: () => world.nowMs },
      log: { info: (message: string, fields: object) => world.logged.push({ message, ...fields }) },
      registry: {
        readVersion: async (model: string, version: string) => world.#versions.get(`${model}@${version}`),
        readRoute: async (model: string) =>
          [...world.#versions.values()].some((each) => each.model === model) ? { model } : undefined,
        readTenant: async (id: string) => {
          const captureConsent = world.consents.get(id);
          return captureConsent === undefined ? undefined : { id, captureConsent };
        },
      },
      artifacts: {
        fetch: async (digest: string) => digest,
        async *open(digest: string) {
          yield world.#files.get(digest)!;
        },
      },
      captures: {
        list: async (model: string, limit: number, _: number, tenant?: string) =>
          world.captures
            .filter((capture) => capture.model === model && (tenant === undefined || capture.tenant === tenant))
            .slice(0, limit),
      },
      sandbox: { load: async (path: string) => world.#load(path) },
      tokenizers: { open: async () => ({ encode: (text: string) => [...text].map((each) => each.charCodeAt(0)) }) },
    } as unknown as ReplayPorts;
  }

  #load(key: string) {
    this.loads.push(key);
    const kind = this.onLoad(key);
    if (kind !== 'loaded') return { kind, reason: 'scripted' };
    this.open += 1;
    let isOpen = true;
    const model = {
      run: async (inputs: readonly Tensor[]) => this.#scripts.get(key)!(Number(inputs[0]!.data[0])),
      close: async () => {
        if (isOpen) this.open -= 1;
        isOpen = false;
      },
    };
    return { kind, model };
  }

  #keepGolden(pairs: number): string {
    const tensor = (name: string, value: number) => ({ name, shape: [1, 1], datatype: 'FP32', data: [value] });
    const lines = Array.from({ length: pairs }, (_, at) =>
      JSON.stringify({ inputs: [tensor('x', at)], outputs: [tensor('y', at)] }),
    );
    const file = new TextEncoder().encode(lines.join('\n'));
    const digest = createHash('sha256').update(file).digest('hex');
    this.#files.set(digest, file);
    return digest;
  }
}
