import { printable } from '../printable.ts';
import { paint, renderTable } from '../table.ts';
import type { Adapted } from './assembly.ts';
import type { StackDeployed } from './deploy.ts';
import type { Step, Tour } from './predict.ts';

/** What is not deployed as it would be on AWS, and why. */
export function describeAdapted({ leftOut, wholeMethods, droppedConditions }: Adapted): string {
  const byReason = new Map<string, Set<string>>();
  for (const { type, id, stack, why } of leftOut) {
    const key = JSON.stringify([type, shortName(stack), why]);
    byReason.set(key, (byReason.get(key) ?? new Set()).add(id));
  }
  const rows = [...byReason].map(([key, ids]) => [...(JSON.parse(key) as string[]).toSpliced(2, 0, String(ids.size))]);
  const title = paint('bold', `${leftOut.length} resources are left out`);
  return [
    leftOut.length === 0 ? 'No resource is left out.' : `${title}\n${renderTable(['type', 'stack', '', 'why'], rows)}`,
    paint('bold', 'Other than on AWS'),
    `- ${wholeMethods} methods answer whole: ministack streams no answers.`,
    `- ${droppedConditions} conditions of policies are dropped: ministack does not tell the encryption context of a KMS call, or who has a service assume a role.`,
    '- The CLI deploys with its own keys, not with the roles of `cdk bootstrap`.',
    '- Functions have onnxruntime for the processor of this machine, and its Node.',
    '- No image is built and services have no tasks: the worker is a process of this machine.',
  ].join('\n');
}

/** A table of all stacks, those that were not reached among them. */
export function describeStacks(resources: Readonly<Record<string, number>>, stacks: readonly StackDeployed[]): string {
  const rows = Object.entries(resources).map(([name, count]) => {
    const found = stacks.find(({ stack }) => stack === name);
    const outcome = found?.outcome ?? 'not reached';
    return [
      shortName(name),
      count,
      found === undefined ? '' : found.seconds.toFixed(1),
      paint(outcome === 'deployed' ? 'green' : 'red', outcome),
    ];
  });
  return renderTable(['stack', 'resources', 'seconds', 'outcome'], rows);
}

export function describeTour({ steps, curl }: Tour): string {
  const rows = steps.map((step) => [
    isAsExpected(step) ? paint('green', 'ok') : paint('red', `NOT ${step.expected}`),
    step.what,
    step.found,
    `${step.tookMs.toFixed(0)} ms`,
  ]);
  return [
    paint('bold', 'Predictions through the deployed API'),
    renderTable(['', 'who does what', 'answer', 'took'], rows),
    ...steps.filter((step) => !isAsExpected(step)).map(({ text }) => printable(text)),
    curl,
  ].join('\n');
}

export function isAsExpected({ expected, found }: Step): boolean {
  return expected === found;
}

/** What of a stack's name is its own, after `sluice-emulated-local-`. */
function shortName(stack: string): string {
  return stack.split('-').slice(3).join('-');
}
