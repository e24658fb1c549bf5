import type { Recorder } from '../core/quality/recorder.ts';

/** Writes what is recorded, window by window, until stopped: then all that is left. */
export function startRecording(recorder: Recorder): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const recording = recorder.run(stopped.signal);
  return {
    async stop() {
      stopped.abort();
      await recording;
    },
  };
}
