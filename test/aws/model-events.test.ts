import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MODEL_EVENT_FIELDS } from '../../adapters/aws/environment.ts';
import { modelEvents } from '../../adapters/aws/model-events.ts';
import { type Emulators, startEmulators } from '../support/aws/emulators.ts';
import { aNotice } from '../support/drift.ts';

const SOURCE = { deployment: 'prod', region: 'us' };

let emulators: Emulators;
beforeAll(async () => {
  emulators = await startEmulators();
});
afterAll(() => emulators.stop());

async function received(queueUrl: string): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  for (;;) {
    const { Messages: messages = [] } = await emulators.fauxqs.sqs.send(
      new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10 }),
    );
    if (messages.length === 0) return found;
    found.push(...messages.map(({ Body: body }) => JSON.parse(body!) as Record<string, unknown>));
  }
}

test('each notice is a message with every field that the pipe asks for, however many there are', async () => {
  const { url } = emulators.fauxqs.createQueue();
  const tell = modelEvents(emulators.fauxqs.sqs, url, SOURCE);
  const notices = Array.from({ length: 23 }, (_, at) => aNotice({ version: String(at + 1) }));
  await tell([...notices, aNotice({ event: 'model.retraining_due', reason: 'schedule', window: undefined })]);
  const events = await received(url);
  expect(events).toHaveLength(24);
  for (const event of events) expect(Object.keys(event)).toEqual([...MODEL_EVENT_FIELDS]);
  expect(new Set(events.map(({ id }) => id)).size).toBe(24);
  expect(events.find(({ version }) => version === '7')).toMatchObject({
    ...SOURCE,
    event: 'model.drifted',
    reason: 'drift',
    model: 'm',
    at: '2026-01-15T12:00:00.000Z',
    window: { from: '2026-01-15T11:45:00.000Z', until: '2026-01-15T12:00:00.000Z' },
    checks: [{ name: 'labels', value: 0.31, threshold: 0.1 }],
  });
});

test('the same notice has the same id each time', async () => {
  const { url } = emulators.fauxqs.createQueue();
  const tell = modelEvents(emulators.fauxqs.sqs, url, SOURCE);
  for (let again = 0; again < 2; again += 1) await tell([aNotice()]);
  const [first, second] = await received(url);
  expect(first!.id).toBe(second!.id);
});

test('what could not be sent is told by throwing', async () => {
  const tell = modelEvents(emulators.fauxqs.sqs, `${emulators.fauxqs.createQueue().url}-not-there`, SOURCE);
  await expect(tell([aNotice()])).rejects.toThrow();
});
