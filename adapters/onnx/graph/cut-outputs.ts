import { Failure } from '../../../core/failure.ts';
import { writeField } from './codec.ts';
import { damagedAt, printable } from './damage.ts';
import type { FileReader } from './file-reader.ts';
import type { OnnxDimension, OnnxNode, OnnxType, OnnxValue } from './messages.ts';
import { readMessage, readName, standardDomain } from './read-part.ts';
import type { Edit } from './splice.ts';
import type { GraphOutput, Survey } from './survey.ts';
import { type Frame, frameOf, walk } from './walk.ts';

/** A ZipMap of 10,000 classes with names of 40 letters has 420 kB. */
const MOST_NODE_BYTES = 512 * 1024;
const MOST_PARTS = 64;
const MOST_CLASSES_SHOWN = 10;
const FLOAT = 1;
const NODE = 1;
const OUTPUT = 12;
/** Of the standard operators, for files that name none: Identity has been there since the first. */
const IDENTITY_OPSET = 13;

export type Repair = { readonly edits: readonly Edit[]; readonly sentence: string };

/** Who makes and who takes an output of the graph. */
type Ends = { producer?: { readonly frame: Frame; readonly operator: string }; consumer?: string };

/**
 * Makes tensors of the graph's outputs that are none, where the node that makes them can be left out: ZipMap, whose input are the
 * probabilities, and SequenceConstruct, whose inputs are the tensors. Outputs keep their names. Throws
 * `model-output-unsupported` for any other, `model-invalid` for an input that is no tensor.
 */
export async function cutOutputs(reader: FileReader, survey: Survey, graph: Frame): Promise<readonly Repair[]> {
  refuseOddInputs(survey);
  const odd = survey.outputs.filter(({ value }) => !isTensor(value.type));
  if (odd.length === 0) return [];
  const names = new Set(odd.map(({ value }) => value.name ?? ''));
  if (names.size < odd.length) throw damagedAt(odd[0]!.frame.start, 'two outputs of one name');
  const ends = await findEnds(reader, graph, names);
  const repairs: Repair[] = [];
  for (const output of odd) repairs.push(await cutOutput(reader, survey, output, ends));
  return survey.opsets.has('') ? repairs : [withStandardOpset(repairs, reader.sizeBytes, graph), ...repairs.slice(1)];
}

function isTensor(type: OnnxType | undefined): boolean {
  // A missing type is inferred by the runtime.
  return type === undefined || Object.keys(type).length === 0 || type.tensorType !== undefined;
}

function refuseOddInputs({ inputs }: Survey): void {
  const odd = inputs.filter(({ type }) => !isTensor(type));
  if (odd.length === 0) return;
  const names = odd.slice(0, 5).map(({ name, type }) => `${printable(name ?? '')} (${kindOf(type)})`);
  throw new Failure('model-invalid', {
    detail: `inputs that are no tensors cannot be sent: ${names.join(', ')}`,
    advice: 'Export it with tensors as inputs: leave DictVectorizer and the like to the caller.',
  });
}

function kindOf(type: OnnxType | undefined): string {
  if (type?.sequenceType !== undefined) return `a sequence of ${pluralOf(type.sequenceType.elemType)}`;
  if (type?.optionalType !== undefined) return 'optional';
  if (type?.mapType !== undefined) return 'a map';
  return type?.sparseTensorType === undefined ? 'of a type that is not known' : 'a sparse tensor';
}

function pluralOf(type: OnnxType | undefined): string {
  if (type?.mapType !== undefined) return 'maps';
  return isTensor(type) ? 'tensors' : 'sequences';
}

async function findEnds(reader: FileReader, graph: Frame, names: ReadonlySet<string>): Promise<Map<string, Ends>> {
  const found = new Map<string, Ends>([...names].map((name) => [name, {}]));
  await walk(reader, graph, (field) =>
    field.number === NODE ? findInNode(reader, frameOf('Node', field, graph, reader), found) : undefined,
  );
  return found;
}

async function findInNode(reader: FileReader, frame: Frame, found: ReadonlyMap<string, Ends>): Promise<void> {
  const made: Ends[] = [];
  const taken: Ends[] = [];
  const said = { name: '', domain: '', value: '' };
  await walk(reader, frame, (field) => {
    const place = field.number === 1 ? taken : field.number === 2 ? made : undefined;
    if (place !== undefined) {
      const look = () => {
        const ends = found.get(said.value);
        if (ends !== undefined && place.length < MOST_PARTS) place.push(ends);
      };
      const reading = readName(reader, field, said, 'value');
      if (reading !== undefined) return reading.then(look);
      look();
      return undefined;
    }
    if (field.number === 4) return readName(reader, field, said, 'name');
    if (field.number === 7) return readName(reader, field, said, 'domain');
    return undefined;
  });
  const domain = standardDomain(said.domain);
  const operator = domain === '' ? said.name : `${domain}:${said.name}`;
  for (const ends of made) ends.producer = { frame, operator };
  for (const ends of taken) ends.consumer = printable(said.name);
}

async function cutOutput(
  reader: FileReader,
  survey: Survey,
  output: GraphOutput,
  found: ReadonlyMap<string, Ends>,
): Promise<Repair> {
  const { producer, consumer } = found.get(output.value.name ?? '') ?? {};
  if (consumer !== undefined)
    throw unsupported(output, `${consumer} uses it too, so that what makes it cannot be cut off`);
  if (producer?.operator === 'ai.onnx.ml:ZipMap' || producer?.operator === 'SequenceConstruct') {
    const node = await readMessage(reader, 'Node', producer.frame, MOST_NODE_BYTES);
    return producer.operator === 'SequenceConstruct'
      ? cutSequence(output, producer.frame, node)
      : cutZipMap(survey, output, producer.frame, node);
  }
  throw unsupported(output, producer === undefined ? 'no node makes it' : `${printable(producer.operator)} makes it`);
}

function unsupported({ value }: GraphOutput, why: string): Failure {
  const name = printable(value.name ?? '');
  return new Failure('model-output-unsupported', {
    detail: `the output ${name} is ${kindOf(value.type)}, and ${why}; only tensors can be answered`,
    output: name,
  });
}

function cutZipMap(survey: Survey, output: GraphOutput, frame: Frame, node: OnnxNode): Repair {
  const [input = ''] = node.input ?? [];
  const name = output.value.name ?? '';
  const classes = classesOf(node);
  if (input === '' || classes.length === 0) throw unsupported(output, 'its ZipMap names no input or no classes');
  const dim = [batchDimension(survey), { dimValue: classes.length }];
  const value = { name, type: { tensorType: { elemType: FLOAT, shape: { dim } } } };
  const shown = classes.slice(0, MOST_CLASSES_SHOWN).map((label) => printable(label, 40));
  const more = classes.length > MOST_CLASSES_SHOWN ? ` and ${classes.length - MOST_CLASSES_SHOWN} more` : '';
  return {
    edits: replace(frame, [identity(input, name)], output, [value]),
    sentence: `cut off ZipMap, which makes maps: ${printable(name)} is FP32 [batch, ${classes.length}] now, the numbers of the classes ${shown.join(', ')}${more}, in this order`,
  };
}

function cutSequence(output: GraphOutput, frame: Frame, node: OnnxNode): Repair {
  const inputs = node.input ?? [];
  const name = output.value.name ?? '';
  const type = output.value.type?.sequenceType?.elemType;
  if (type?.tensorType === undefined || inputs.length === 0 || inputs.length > MOST_PARTS) {
    throw unsupported(output, 'its SequenceConstruct cannot be taken apart');
  }
  const names = inputs.length === 1 ? [name] : inputs.map((_, at) => `${name}_${at}`);
  return {
    edits: replace(
      frame,
      names.map((each, at) => identity(inputs[at]!, each)),
      output,
      names.map((each) => ({ name: each, type })),
    ),
    sentence: `cut off SequenceConstruct, which makes a sequence: instead of ${printable(name)} there ${names.length === 1 ? 'is its only tensor, of the same name' : `are its tensors ${printable(names[0]!)} to ${printable(names.at(-1)!)}`}`,
  };
}

/** An Identity costs nothing (the runtime drops it) and lets the output keep its name. */
function identity(input: string, output: string): OnnxNode {
  return { input: [input], output: [output], name: `${output}_exposed`, opType: 'Identity' };
}

function replace(
  frame: Frame,
  nodes: readonly OnnxNode[],
  output: GraphOutput,
  values: readonly OnnxValue[],
): readonly Edit[] {
  const edit = ({ around, start, end }: Frame, fields: readonly Uint8Array[]): Edit => {
    if (around === undefined) throw new Error('a node outside of any graph');
    return { inside: around, start, end, bytes: Buffer.concat([...fields]) };
  };
  return [
    edit(
      frame,
      nodes.map((node) => writeField(NODE, 'Node', node)),
    ),
    edit(
      output.frame,
      values.map((value) => writeField(OUTPUT, 'Value', value)),
    ),
  ];
}

/** Class names, in the order of the columns; either list of a ZipMap is empty. */
function classesOf({ attribute = [] }: OnnxNode): readonly string[] {
  return attribute.flatMap(({ name, strings = [], ints = [] }) => {
    if (name === 'classlabels_strings') return strings.map((label) => Buffer.from(label).toString('utf8'));
    return name === 'classlabels_int64s' ? ints.map(String) : [];
  });
}

/** As the outputs beside it have it (the labels), or else the inputs: rows are batched only where all first dimensions agree. */
function batchDimension({ inputs, outputs }: Survey): OnnxDimension {
  for (const { type } of [...outputs.map(({ value }) => value), ...inputs]) {
    const [first] = type?.tensorType?.shape?.dim ?? [];
    if (first !== undefined) return first;
  }
  return {};
}

/** The first repair of a file that does not name the standard operators, which Identity is one of, names them too. */
function withStandardOpset([first]: readonly Repair[], sizeBytes: number, graph: Frame): Repair {
  if (first === undefined || graph.around === undefined) throw new Error('no repair to add an opset to');
  const bytes = writeField(8, 'Opset', { domain: '', version: IDENTITY_OPSET });
  return { ...first, edits: [...first.edits, { inside: graph.around, start: sizeBytes, end: sizeBytes, bytes }] };
}
