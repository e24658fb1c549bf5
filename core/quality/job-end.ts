import type { FailureCode } from '../failure.ts';
import type { Job, Outcome } from '../inference/job.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { InputProfiler } from './profile-inputs.ts';
import type { RowLabels } from './row-labels.ts';

/** Where in a run's labels the rows of one job are. */
export type JobLabels = { readonly run: RowLabels; readonly firstRow: number };

/** How a job ended. */
export type JobEnd = {
  readonly outcome: Outcome;
  readonly labels?: JobLabels | undefined;
  /** Of the version that ran it: how its inputs are profiled, if they are to be. */
  readonly profileInputs?: InputProfiler | undefined;
};

/** How a shadow copy ended; `agrees` of one that was answered. */
export type ShadowEnd = JobEnd & { readonly agrees?: boolean | undefined };

/** The code that a request counts with, if any: one that its version crashed on and another one answered is an error too. */
export function errorOf(outcome: Outcome, elsewhere: boolean): FailureCode | undefined {
  if (outcome.kind === 'failed') return outcome.code;
  return elsewhere ? 'runner-crashed' : undefined;
}

/** The rows after the first: a request is one answer of a release's cohort, whose rows are alike. */
export function addRows(telemetry: Telemetry, { run, firstRow }: JobLabels, rows: number): void {
  for (let row = firstRow + 1; row < firstRow + rows; row += 1) {
    const [label, confidence] = [run.labelAt(row), run.confidenceAt(row)];
    if (label !== undefined) telemetry.labels.add(label);
    if (confidence !== undefined) telemetry.confidence.add(confidence);
  }
}

export function elementsOf({ inputs }: Job): number {
  let elements = 0;
  for (const { data } of inputs) elements += data.length;
  return elements;
}

/** Clocks of handlers and workers differ. */
export function atLeast0(ms: number): number {
  return ms > 0 ? ms : 0;
}
