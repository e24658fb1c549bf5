import type { Job } from './job.ts';
import { encodeTensors } from './tensor-codec.ts';

/** What a quarantine's fingerprint is taken of: the model and the inputs, whatever the version or the order of inputs. */
export function quarantineBytes(job: Pick<Job, 'model' | 'inputs'>): Uint8Array {
  const inputs = [...job.inputs].sort((a, b) => (a.name < b.name ? -1 : 1));
  const tensors = encodeTensors(inputs);
  const model = new TextEncoder().encode(`${job.model}\n`);
  const bytes = new Uint8Array(model.length + tensors.length);
  bytes.set(model);
  bytes.set(tensors, model.length);
  return bytes;
}
