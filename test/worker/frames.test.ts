import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FRAME, FrameReader, writeFrame } from '../../gpu-worker/frames.ts';

type Frame = { readonly kind: number; readonly payload: Uint8Array };

const anyFrame = fc.record({
  kind: fc.constantFrom(...Object.values(FRAME)),
  head: fc.uint8Array({ maxLength: 20 }),
  body: fc.uint8Array({ maxLength: 300 }),
});

/** What a socket would carry. */
function written(frames: readonly { kind: 1 | 2 | 3 | 4 | 5; head: Uint8Array; body: Uint8Array }[]): Buffer {
  const chunks: Buffer[] = [];
  const socket = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  for (const { kind, head, body } of frames) writeFrame(socket, kind, head, body);
  return Buffer.concat(chunks);
}

describe('frames', () => {
  test('come out as they went in, however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 6 }), fc.array(fc.integer({ min: 1, max: 400 })), (frames, cuts) => {
        const bytes = written(frames);
        const read: Frame[] = [];
        const reader = new FrameReader((kind, payload) => read.push({ kind, payload: Uint8Array.from(payload) }));
        let at = 0;
        for (const cut of [...cuts, bytes.length]) {
          if (at < bytes.length) reader.push(bytes.subarray(at, at + cut));
          at += cut;
        }
        expect(read).toEqual(
          frames.map(({ kind, head, body }) => ({ kind, payload: Uint8Array.from([...head, ...body]) })),
        );
      }),
    );
  });

  test('cut into single bytes are read without joining them again and again', () => {
    const bytes = written([{ kind: FRAME.run, head: new Uint8Array(8), body: new Uint8Array(100_000) }]);
    let frames = 0;
    const reader = new FrameReader(() => {
      frames += 1;
    });
    for (let at = 0; at < bytes.length; at += 1) reader.push(bytes.subarray(at, at + 1));
    expect(frames).toBe(1);
  });

  test('of a length that none has are refused', () => {
    const reader = new FrameReader(() => {});
    expect(() => reader.push(Uint8Array.of(255, 255, 255, 255, 1, 0, 0, 0))).toThrow(RangeError);
  });
});
