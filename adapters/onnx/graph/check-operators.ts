import { Failure } from '../../../core/failure.ts';
import { counted, printable } from './damage.ts';
import { EXTENSION_DOMAINS, NEWEST_IR_VERSION, RUNTIME_DOMAINS, RUNTIME_OPERATORS } from './operators.ts';
import type { OperatorUse, Survey } from './survey.ts';

const MOST_NAMED = 5;

const FIRST_OPSETS: ReadonlyMap<string, ReadonlyMap<string, number>> = new Map(
  Object.entries(RUNTIME_OPERATORS).map(([domain, { since }]) => [
    domain,
    new Map(since.flatMap(([opset, names]) => names.split(' ').map((name) => [name, opset] as const))),
  ]),
);

/**
 * Throws `model-invalid` for operators, opsets and versions of the format that the runtime would refuse, all of them at once. What
 * it might have (operators of its own domains) is left to it.
 */
export function checkOperators(survey: Survey): void {
  if (survey.irVersion > NEWEST_IR_VERSION) {
    throw new Failure('model-invalid', {
      detail: `the file is of ONNX format (IR) version ${survey.irVersion}; this runtime reads up to ${NEWEST_IR_VERSION}`,
      advice: 'Export it with an older onnx package, or lower `ir_version` of the model before saving it.',
    });
  }
  for (const [domain, { newestOpset }] of Object.entries(RUNTIME_OPERATORS)) {
    const opset = survey.opsets.get(domain) ?? 0;
    if (opset <= newestOpset) continue;
    throw new Failure('model-invalid', {
      detail: `the model wants opset ${opset} of ${named(domain)}; this runtime has up to ${newestOpset}`,
      advice: `Export it with opset ${newestOpset} or less.`,
    });
  }
  const problems = [...survey.operators.values()].flatMap((use) => problemOf(use, survey) ?? []);
  if (problems.length === 0) return;
  const more = problems.length > MOST_NAMED ? `; and ${problems.length - MOST_NAMED} more` : '';
  throw new Failure('model-invalid', {
    detail: `the runtime does not have what the model uses: ${problems.slice(0, MOST_NAMED).join('; ')}${more}`,
    advice: adviceFor(survey),
  });
}

function problemOf({ domain, name, count, node }: OperatorUse, { opsets, functions }: Survey): string | undefined {
  if (functions.has(`${domain}:${name}`)) return undefined;
  const where = `${counted(count, 'node')}${node === '' ? '' : `, the first named "${node}"`}`;
  const opset = opsets.get(domain);
  const firstOpsets = FIRST_OPSETS.get(domain);
  if (firstOpsets === undefined) {
    if (RUNTIME_DOMAINS.test(domain) && !EXTENSION_DOMAINS.includes(domain)) return undefined;
    return `operator ${printable(name)} of domain ${printable(domain)}${opset === undefined ? '' : ` (opset ${opset})`}: ${where}`;
  }
  const first = firstOpsets.get(name);
  if (first === undefined) return `operator ${printable(name)} of ${named(domain)}: ${where}`;
  if (opset === undefined || opset >= first) return undefined;
  return `operator ${name} of ${named(domain)}, which has it from opset ${first} on, in a model of opset ${opset}: ${where}`;
}

function named(domain: string): string {
  return domain === '' ? 'the standard operators (ai.onnx)' : domain;
}

function adviceFor({ operators }: Survey): string {
  const domains = new Set([...operators.values()].map(({ domain }) => domain));
  if (EXTENSION_DOMAINS.some((domain) => domains.has(domain))) {
    return 'Operators of onnxruntime-extensions are not loaded here: leave tokenizing to `tokenizer` in the manifest.';
  }
  return 'Export with standard operators only and with an opset that has them; custom operators and their libraries are not loaded here.';
}
