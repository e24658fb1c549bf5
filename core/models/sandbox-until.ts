import type { Sandbox, SandboxedModel, SandboxLoad } from '../ports/sandbox.ts';

/** The sandbox until `signal` aborts: then its processes are killed, and loads that are under way or asked for throw its reason. */
export function sandboxUntil(signal: AbortSignal, sandbox: Sandbox): Sandbox {
  return {
    async load(path, limits) {
      signal.throwIfAborted();
      const load = await orAborted(signal, sandbox.load(path, limits));
      return load.kind === 'loaded' ? { kind: 'loaded', model: modelUntil(signal, load.model) } : load;
    },
  };
}

async function orAborted(signal: AbortSignal, loading: Promise<SandboxLoad>): Promise<SandboxLoad> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => {
    aborted.reject(signal.reason);
    // Nobody waits for it any more.
    void loading.then((load) => (load.kind === 'loaded' ? load.model.close() : undefined)).catch(() => {});
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([loading, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function modelUntil(signal: AbortSignal, model: SandboxedModel): SandboxedModel {
  const kill = () => void model.close().catch(() => {});
  signal.addEventListener('abort', kill, { once: true });
  return {
    signature: model.signature,
    loadMs: model.loadMs,
    run: (inputs, limitMs) => model.run(inputs, limitMs),
    peakBytes: () => model.peakBytes(),
    close() {
      signal.removeEventListener('abort', kill);
      return model.close();
    },
  };
}
