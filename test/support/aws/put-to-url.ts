import { Failure } from '../../../core/failure.ts';
import { SECOND_MS } from '../../../core/units.ts';

/** PUTs bytes to a signed URL. That it has ended S3 finds out itself; the emulator takes it, so that is looked at here. */
export async function putToUrl(url: string, bytes: Uint8Array<ArrayBuffer>, nowMs: number): Promise<void> {
  const { searchParams } = new URL(url);
  const at = (searchParams.get('X-Amz-Date') ?? '').replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5');
  const endsAtMs = Date.parse(at) + Number(searchParams.get('X-Amz-Expires')) * SECOND_MS;
  if (!(nowMs < endsAtMs)) throw new Failure('upload-unknown');
  const { status } = await fetch(url, { method: 'PUT', body: bytes });
  if (status !== 200) throw new Error(`S3 answered ${status}`);
}
