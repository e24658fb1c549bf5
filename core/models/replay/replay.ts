import { Failure } from '../../failure.ts';
import type { Platform } from '../../ports/platform.ts';
import { SECOND_MS } from '../../units.ts';
import type { Signature } from '../signature.ts';
import type { ModelVersion } from '../version.ts';
import { capturedInputs, goldenInputs, type ReplayInput } from './inputs.ts';
import type { ReplayReport } from './report.ts';
import { Side } from './side.ts';
import { Tally } from './tally.ts';

/** Inputs of one replay: what a captured tenth of a day of a busy model gives, and all that a golden file may hold. */
export const MOST_REPLAYED = 1000;
/** From the first load to the last run: API Gateway ends an answer at 29 s. */
const BUDGET_MS = 20 * SECOND_MS;

export type ReplaySpec = {
  readonly model: string;
  readonly from: string;
  /** Of another model where it takes the same inputs. */
  readonly toModel: string;
  readonly to: string;
  readonly source: ReplayReport['source'];
  readonly limit: number;
  /** Captured predictions of this tenant alone. */
  readonly tenant: string | undefined;
  /** Principal id. */
  readonly askedBy: string;
  /** Aborts when the caller has gone away. */
  readonly signal: AbortSignal | undefined;
};

type ReplayPorts = Pick<Platform, 'registry' | 'artifacts' | 'captures' | 'sandbox' | 'tokenizers' | 'clock' | 'log'>;
type Versions = { readonly from: ModelVersion; readonly to: ModelVersion };

/** Runs the same inputs through two versions, beside the serving of both: in processes of its own, one replay at a time. */
export class Replays {
  readonly #ports: ReplayPorts;
  #isRunning = false;

  constructor(ports: ReplayPorts) {
    this.#ports = ports;
  }

  /**
   * What differs; ends after 20 s with what it has by then. `overloaded` while another one runs, `model-unknown`,
   * `version-unknown`, `tenant-unknown`, `request-invalid` where there is nothing to compare by, `model-load-failed`.
   */
  async run(spec: ReplaySpec): Promise<ReplayReport> {
    if (this.#isRunning) {
      throw new Failure('overloaded', { retryAfterMs: BUDGET_MS, detail: 'another replay is running in this region' });
    }
    this.#isRunning = true;
    try {
      return await replay(this.#ports, spec);
    } finally {
      this.#isRunning = false;
    }
  }
}

async function replay(ports: ReplayPorts, spec: ReplaySpec): Promise<ReplayReport> {
  const startedMs = ports.clock.nowMs();
  const endMs = startedMs + BUDGET_MS;
  const versions = await readVersions(ports, spec);
  expectComparable(versions, spec);
  const { source, limit, tenant } = spec;
  const asGraph = source === 'captured';
  const inputs = asGraph
    ? await capturedInputs(ports, versions.from, limit, tenant)
    : await goldenInputs(ports, versions.from, limit);
  const tally = new Tally(versions.from, versions.to, source);
  const sides = await Promise.all(
    [versions.from, versions.to].map((version) => Side.open(ports, version, asGraph, endMs)),
  );
  const stopped = inputs.length === 0 ? undefined : await runAll(sides as [Side, Side], inputs, tally, spec.signal);
  const tookMs = ports.clock.nowMs() - startedMs;
  const report: ReplayReport = { source, inputs: inputs.length, stopped, ...tally.report(), tookMs };
  log(ports, spec, report);
  return report;
}

/** Why it ended early, if it did. */
async function runAll(
  [from, to]: readonly [Side, Side],
  inputs: readonly ReplayInput[],
  tally: Tally,
  signal: AbortSignal | undefined,
): Promise<ReplayReport['stopped']> {
  try {
    const loaded = await settled([from.load(), to.load()]);
    if (!loaded.every((inTime) => inTime)) return 'time';
    for (const { id, inputs: tensors } of inputs) {
      if (signal?.aborted) return 'cancelled';
      // One after the other: what they take is measured.
      const before = await from.run(tensors);
      if (before.kind === 'stop') return before.why;
      const after = await to.run(tensors);
      if (after.kind === 'stop') return after.why;
      tally.add(id, before, after);
    }
    return undefined;
  } finally {
    await Promise.all([from.close(), to.close()]);
  }
}

/** As Promise.all, but no sooner than all have ended: whatever was started can then be closed. */
async function settled(promises: readonly Promise<boolean>[]): Promise<boolean[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}

async function readVersions({ registry }: Pick<Platform, 'registry'>, spec: ReplaySpec): Promise<Versions> {
  const read = async (model: string, version: string, field: string) => {
    const found = await registry.readVersion(model, version);
    if (found !== undefined) return found;
    const isKnown = (await registry.readRoute(model)) !== undefined;
    throw new Failure(isKnown ? 'version-unknown' : 'model-unknown', { field, model });
  };
  return { from: await read(spec.model, spec.from, 'from'), to: await read(spec.toModel, spec.to, 'to') };
}

/** Both must take what is replayed. */
function expectComparable({ from, to }: Versions, { source, tenant }: ReplaySpec): void {
  if (source === 'golden' && tenant !== undefined) {
    throw new Failure('request-invalid', { field: 'tenant', detail: 'golden pairs are of no tenant' });
  }
  if (source === 'captured' && from.tokenizerDigest !== to.tokenizerDigest) {
    const detail = 'the versions have other tokenizers, and captured texts are tokenized already: replay golden pairs';
    throw new Failure('request-invalid', { field: 'source', detail });
  }
  const taken = ({ signature, graphSignature }: ModelVersion) =>
    describeInputs(source === 'captured' ? (graphSignature ?? signature) : signature);
  if (taken(from) === taken(to)) return;
  const detail = `takes other inputs: ${taken(to)} instead of ${taken(from)}`;
  throw new Failure('request-invalid', { field: 'to', detail });
}

function describeInputs({ inputs }: Signature): string {
  return inputs
    .map(({ name, datatype }) => `${name} ${datatype}`)
    .sort()
    .join(', ');
}

function log(ports: Pick<Platform, 'log'>, spec: ReplaySpec, { compared, differ, tookMs }: ReplayReport): void {
  const { model, from, toModel, to, source, tenant, askedBy: principal } = spec;
  ports.log.info('replayed', { model, from, toModel, to, source, tenant, principal, compared, differ, tookMs });
}
