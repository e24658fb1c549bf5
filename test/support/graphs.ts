import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { writeModel } from '../../adapters/onnx/graph/codec.ts';
import type { OnnxModel } from '../../adapters/onnx/graph/messages.ts';
import { createGraphs } from '../../adapters/onnx/graphs.ts';
import { Failure } from '../../core/failure.ts';
import type { PreparedGraph } from '../../core/ports/graphs.ts';

/** A folder for model files that goes away with `close`. */
export class GraphFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'sluice-graphs-'));
  readonly scratch = mkdtempSync(join(this.path, 'scratch-'));
  readonly #graphs = createGraphs(this.scratch);
  #count = 0;

  write(model: OnnxModel | Uint8Array | string): string {
    const path = join(this.path, `${this.#count++}.onnx`);
    writeFileSync(path, typeof model === 'string' || model instanceof Uint8Array ? model : writeModel(model));
    return path;
  }

  prepare(model: OnnxModel | Uint8Array | string): Promise<PreparedGraph> {
    return this.#graphs.prepare(this.write(model));
  }

  /** The failure that preparing this ends with. */
  async refusal(model: OnnxModel | Uint8Array | string): Promise<Failure> {
    try {
      await this.prepare(model);
    } catch (error) {
      if (error instanceof Failure) return error;
      throw error;
    }
    throw new Error('was not refused');
  }

  close(): void {
    rmSync(this.path, { recursive: true });
  }
}

/** What onnxruntime answers, by output. */
export async function answer(
  model: string | Uint8Array,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<Record<string, { readonly dims: readonly number[]; readonly data: readonly unknown[] }>> {
  const session =
    typeof model === 'string'
      ? await InferenceSession.create(model, { logSeverityLevel: 4 })
      : await InferenceSession.create(model, { logSeverityLevel: 4 });
  try {
    const outputs = await session.run(feeds);
    return Object.fromEntries(
      Object.entries(outputs).map(([name, { dims, data }]) => [name, { dims, data: Array.from(data as string[]) }]),
    );
  } finally {
    await session.release();
  }
}

/** What onnxruntime says when it refuses to load a model; undefined if it loads. */
export async function loadProblem(model: OnnxModel | Uint8Array): Promise<string | undefined> {
  try {
    const bytes = model instanceof Uint8Array ? model : writeModel(model);
    await (await InferenceSession.create(bytes, { logSeverityLevel: 4 })).release();
    return undefined;
  } catch (error) {
    return String(error);
  }
}

export function floats(values: readonly number[], dims: readonly number[]): Tensor {
  return new Tensor('float32', Float32Array.from(values), dims);
}

export function texts(...values: string[]): Tensor {
  return new Tensor('string', values, [values.length]);
}
