import type { Telemetry, TelemetryStep } from '../ports/telemetry.ts';
import { addTelemetry, emptyTelemetry } from './telemetry.ts';

/** A step with how many reports are in it. */
export type CountedStep = TelemetryStep & { readonly reports: number };

/** Telemetry sorted into steps of one length, each the merge of all that fell into it. */
export class Steps {
  readonly #fromMs: number;
  readonly #stepMs: number;
  readonly #steps = new Map<number, { reports: number; readonly telemetry: Telemetry }>();

  constructor(fromMs: number, stepMs: number) {
    this.#fromMs = fromMs;
    this.#stepMs = stepMs;
  }

  /** Adds what `reports` reports said of a window that starts at `atMs`, at or after the first step's start. */
  add(atMs: number, telemetry: Telemetry, reports = 1): void {
    const startMs = atMs - ((atMs - this.#fromMs) % this.#stepMs);
    let step = this.#steps.get(startMs);
    if (step === undefined) {
      step = { reports: 0, telemetry: emptyTelemetry() };
      this.#steps.set(startMs, step);
    }
    step.reports += reports;
    addTelemetry(step.telemetry, telemetry);
  }

  /** In order, those of nothing left out. */
  inOrder(): CountedStep[] {
    const steps = [...this.#steps].map(([startMs, step]) => ({ startMs, ...step }));
    return steps.sort((a, b) => a.startMs - b.startMs);
  }
}
