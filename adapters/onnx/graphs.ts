import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../../core/failure.ts';
import type { Graphs, PreparedGraph } from '../../core/ports/graphs.ts';
import { checkOperators } from './graph/check-operators.ts';
import { cutOutputs, type Repair } from './graph/cut-outputs.ts';
import { counted, sized } from './graph/damage.ts';
import { FileReader } from './graph/file-reader.ts';
import { mendLocale } from './graph/mend-locale.ts';
import { HEAD_BYTES, refuseOthers } from './graph/recognize.ts';
import { writeSpliced } from './graph/splice.ts';
import { summarize } from './graph/summary.ts';
import { type Survey, surveyModel } from './graph/survey.ts';
import { type Frame, MOST_BYTES } from './graph/walk.ts';

/**
 * Reads model files without running them: once from front to back, weights jumped over, in a few megabytes of memory whatever the
 * file says. Repaired files are written into folders of their own in `scratchFolder`.
 */
export function createGraphs(scratchFolder: string = tmpdir()): Graphs {
  return {
    async prepare(modelPath) {
      const file = await open(modelPath, 'r');
      try {
        const { size } = await file.stat();
        return await prepare({ file, size, modelPath, scratchFolder });
      } finally {
        await file.close();
      }
    },
  };
}

type Source = {
  readonly file: FileHandle;
  readonly size: number;
  readonly modelPath: string;
  readonly scratchFolder: string;
};

async function prepare(source: Source): Promise<PreparedGraph> {
  const { file, size, modelPath } = source;
  const reader = new FileReader(file, size);
  refuseOthers(await reader.bytes(Math.min(HEAD_BYTES, size)), size);
  if (size > MOST_BYTES) {
    throw new Failure('model-invalid', { detail: `the file has ${sized(size)}; an ONNX file has at most 2 GiB` });
  }
  const survey = await surveyModel(reader);
  const graph = refuseIncomplete(survey);
  refuseExternalData(survey);
  checkOperators(survey);
  const repairs: Repair[] = [...(await cutOutputs(reader, survey, graph))];
  for (const frame of survey.stringNormalizers) {
    const repair = await mendLocale(reader, frame);
    if (repair !== undefined) repairs.push(repair);
  }
  const summary = summarize(survey);
  if (repairs.length === 0) return { path: modelPath, repairs: [], summary, discard: async () => {} };
  return { ...(await writeRepaired(source, repairs)), summary };
}

/** What every model has; something else that happens to be a protocol buffer has not. */
function refuseIncomplete({ graph, opsets, operators, inputs, outputs }: Survey): Frame {
  const [missing] = [
    ...(graph === undefined ? ['it has no graph'] : []),
    ...(opsets.size === 0 ? ['it names no opset'] : []),
    ...(operators.size === 0 ? ['its graph has no nodes'] : []),
    ...(inputs.length === 0 ? ['its graph has no inputs'] : []),
    ...(outputs.length === 0 ? ['its graph has no outputs'] : []),
  ];
  if (graph !== undefined && missing === undefined) return graph;
  throw new Failure('model-invalid', {
    detail: `the file can be read as a protocol buffer, but is no complete ONNX model: ${missing}`,
  });
}

function refuseExternalData({ external, externalTensors }: Survey): void {
  if (external === undefined) return;
  const { name, location } = external;
  const isOutside = /^([/\\]|[a-z]:)|(^|[/\\])\.\.([/\\]|$)/i.test(location);
  const where =
    location === ''
      ? 'in a file that it does not name'
      : `in ${location}, ${isOutside ? 'outside of the pushed folder, which is never read' : 'beside the model in its folder, which is not pushed with it'}`;
  const others = externalTensors > 1 ? ` and of ${counted(externalTensors - 1, 'more tensor')}` : '';
  throw new Failure('model-external-data', {
    detail: `the elements of the tensor ${name || 'without a name'}${others} lie ${where}`,
    tensor: name,
    location,
    place: isOutside ? 'outside' : 'inside',
  });
}

/** Throws `storage-unavailable` where the scratch folder takes no file. */
async function writeRepaired(
  { file, size, scratchFolder }: Source,
  repairs: readonly Repair[],
): Promise<Omit<PreparedGraph, 'summary'>> {
  let folder: string | undefined;
  const discard = async () => {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  };
  try {
    folder = await mkdtemp(join(scratchFolder, 'sluice-graph-'));
    const path = join(folder, 'model.onnx');
    const edits = repairs.flatMap((repair) => repair.edits);
    await writeSpliced(file, size, edits, path);
    return { path, repairs: repairs.map(({ sentence }) => sentence), discard };
  } catch (cause) {
    await discard();
    throw new Failure('storage-unavailable', { detail: 'the repaired model could not be written' }, { cause });
  }
}
