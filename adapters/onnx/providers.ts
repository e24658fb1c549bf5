import type { InferenceSession } from 'onnxruntime-node';

/** Where models compute. Chosen explicitly, once per worker: onnxruntime-node never falls back from one to another. */
export const PROVIDERS = ['cpu', 'cuda'] as const;
export type Provider = (typeof PROVIDERS)[number];

type Prepared = {
  readonly executionProviders: readonly InferenceSession.ExecutionProviderConfig[];
  /** Environment variables that the native library reads; a runner gets no others. */
  readonly environment: readonly string[];
  /** What to say when the library cannot start this provider. */
  readonly absent: string;
};

const PREPARED: Readonly<Record<Provider, Prepared>> = {
  cpu: {
    executionProviders: ['cpu'],
    environment: [],
    absent: 'onnxruntime could not start its CPU provider',
  },
  cuda: {
    // The binding exposes deviceId and nothing else: no memory limit, so a device is shared by trust domain only.
    executionProviders: [{ name: 'cuda', deviceId: 0 }],
    environment: ['LD_LIBRARY_PATH', 'CUDA_VISIBLE_DEVICES', 'NVIDIA_VISIBLE_DEVICES', 'NVIDIA_DRIVER_CAPABILITIES'],
    absent: 'the CUDA provider is not available here: install the CUDA 12 libraries of onnxruntime-node or choose cpu',
  },
};

export function executionProvidersOf(provider: Provider): readonly InferenceSession.ExecutionProviderConfig[] {
  return PREPARED[provider].executionProviders;
}

/** Of the host's environment, what a runner of this provider needs and nothing else. */
export function environmentOf(
  provider: Provider,
  host: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of PREPARED[provider].environment) {
    const value = host[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}

/** A reason to show for a session that could not be made: which provider is missing, if that is why. */
export function explainLoadError(provider: Provider, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (/bad_alloc/.test(message)) return `there is not enough memory for it (${message})`;
  const missing = /libonnxruntime_providers|backend not found|execution provider|cuda.*(not|fail)/i.test(message);
  return provider !== 'cpu' && missing ? PREPARED[provider].absent : message;
}
