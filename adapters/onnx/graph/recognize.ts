import { Failure } from '../../../core/failure.ts';
import { printable, sized } from './damage.ts';

/** What of a file is looked at. */
export const HEAD_BYTES = 4096;

/** Bytes at a place that only files of one kind have there. */
const MAGIC: readonly (readonly [offset: number, bytes: string, what: string])[] = [
  [0, '\x89HDF\r\n', 'an HDF5 file (Keras .h5): convert it with tf2onnx'],
  [4, 'TFL3', 'a TensorFlow Lite model: convert it with tf2onnx'],
  [4, 'ORTM', 'a model in ORT format: push the .onnx file that it was made from'],
  [0, 'GGUF', 'a GGUF file (llama.cpp)'],
  [0, '\x93NUMPY', 'a NumPy array'],
  [0, '\x1f\x8b', 'a gzip archive: unpack it'],
  [0, 'BZh', 'a bzip2 archive: unpack it'],
  [0, '\xfd7zXZ', 'an xz archive: unpack it'],
  [0, '\x28\xb5\x2f\xfd', 'a Zstandard archive: unpack it'],
  [0, '7z\xbc\xaf', 'a 7-Zip archive: unpack it'],
  [0, 'Rar!', 'a RAR archive: unpack it'],
  [257, 'ustar', 'a tar archive: unpack it'],
  [0, '\x7fELF', 'a program or shared library'],
  [0, '\x89PNG', 'a PNG image'],
  [0, '\xff\xd8\xff', 'a JPEG image'],
  [0, 'PAR1', 'a Parquet file'],
  [0, 'SQLite format 3', 'an SQLite database'],
];

/** Throws `model-invalid` for what is no ONNX file and says what it looks like; `head` is how it begins. */
export function refuseOthers(head: Buffer, sizeBytes: number): void {
  if (sizeBytes === 0) throw invalid('the file is empty', 'Export or copy it again.');
  const pointer = /^version https:\/\/git-lfs\.github\.com\/spec\/v1\b[\s\S]*?^size (\d{1,15})\r?$/m.exec(
    head.toString('latin1'),
  );
  if (pointer !== null) {
    throw invalid(
      `the file is a Git LFS pointer to a file of ${sized(Number(pointer[1]))}, not the model itself`,
      'Run `git lfs pull` where you push from, and push again.',
    );
  }
  const what = likenessOf(head);
  if (what === undefined) return;
  throw invalid(`the file is no ONNX model; it looks like ${what}`, 'Push the file that your exporter wrote as .onnx.');
}

function invalid(detail: string, advice: string): Failure {
  return new Failure('model-invalid', { detail, advice });
}

function likenessOf(head: Buffer): string | undefined {
  const text = head.toString('latin1');
  const magic = MAGIC.find(([offset, bytes]) => text.startsWith(bytes, offset));
  if (magic !== undefined) return magic[2];
  if (text.startsWith('PK\x03\x04')) return zip(text);
  if (head[0] === 0x80 && head[1]! >= 2 && head[1]! <= 5) return pickle(text);
  if (isSafetensors(head))
    return 'a safetensors file, which holds weights and no graph: export the model with torch.onnx';
  if (head.subarray(0, 64).every((byte) => byte === 0)) return 'zeros, as an interrupted copy leaves them';
  if (isText(head)) return textual(head.toString('utf8').trimStart());
  return tensorFlow(head, text);
}

function zip(text: string): string {
  if (/data\.pkl|constants\.pkl/.test(text))
    return 'a PyTorch checkpoint or TorchScript file: export it with torch.onnx';
  if (/model\.weights\.h5|metadata\.json/.test(text)) return 'a Keras archive: convert it with tf2onnx';
  if (text.includes('.npy')) return 'NumPy arrays (.npz)';
  return text.includes('.onnx') ? 'a zip archive with an .onnx file in it: unpack it' : 'a zip archive: unpack it';
}

function pickle(text: string): string {
  const library = /sklearn|xgboost|lightgbm|catboost|torch|keras|pandas|numpy/.exec(text)?.[0];
  const convert = library === 'torch' ? 'torch.onnx' : 'skl2onnx or onnxmltools';
  return `a Python pickle${library === undefined ? '' : ` of ${library}`}: convert the model with ${convert}`;
}

/** Eight bytes of length, then JSON (huggingface.co/docs/safetensors). */
function isSafetensors(head: Buffer): boolean {
  return head.length > 9 && head.readUInt32LE(4) === 0 && /^\{\s*["}]/.test(head.toString('latin1', 8, 32));
}

/** An ONNX file has control characters among its first bytes. */
function isText(head: Buffer): boolean {
  return head.every((byte) => (byte >= 0x20 && byte !== 0x7f) || [0x09, 0x0a, 0x0c, 0x0d].includes(byte));
}

function textual(text: string): string {
  if (/^(<!doctype html|<html|<head)/i.test(text)) {
    const title = /<title[^>]*>([^<]*)/i.exec(text)?.[1];
    return `a web page${title === undefined ? '' : ` ("${printable(title, 60)}")`}: the address that it was downloaded from wants a login, or is not the file's`;
  }
  if (text.startsWith('<')) return 'an XML document';
  if (/^[[{]/.test(text))
    return /"learner"|"gradient_booster"/.test(text) ? 'an XGBoost model in JSON: convert it with onnxmltools' : 'JSON';
  if (/^tree\r?\nversion=/.test(text)) return 'a LightGBM model: convert it with onnxmltools';
  return 'text';
}

/** A GraphDef begins with its first node; a SavedModel has its whole graph where ONNX has the exporter's name. */
function tensorFlow(head: Buffer, text: string): string | undefined {
  const isGraph = text.startsWith('\n') && /Placeholder|Const|VariableV2|NoOp/.test(text);
  const isSaved =
    text.startsWith('\x08\x01\x12') && head[3]! >= 0x80 && /serve|stripped_ops|Const|NoOp|Placeholder/.test(text);
  return isGraph || isSaved ? 'a TensorFlow model: convert it with tf2onnx' : undefined;
}
