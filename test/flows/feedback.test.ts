import { expect, test } from 'vitest';
import type { FeedbackJson } from '../../core/api/feedback-json.ts';
import { sluice } from '../support/command-line.ts';
import { texts } from '../support/http-client.ts';
import { MarkerRun } from '../support/markers.ts';
import { startRunning } from '../support/running-platform.ts';
import { describeFeedback, sentiment } from './feedback.flow.ts';

describeFeedback(startRunning);

const OWN = '/control/v1/tenants/acme/models/marked/feedback';

test('no line of the log holds a label; after an erasure truths are taken anew', async () => {
  const marks = new MarkerRun();
  const [one, other] = [marks.next('one'), marks.next('other')];
  const labels = [one, other, 'negative', 'neutral', 'positive'];
  const model = sentiment({ name: 'marked', feedback: { days: 1, labels } });
  const running = await startRunning({ models: [model], runners: 1 });
  try {
    const acme = await running.addTenant('acme');
    const told = async (label: string) => {
      const answer = await acme.infer('marked', texts('text', 'I love it'));
      const path = `/v2/predictions/${answer.header('sluice-prediction')}/feedback`;
      expect((await acme.post(path, { label })).status).toBe(201);
    };
    await told(one);
    expect((await acme.get(OWN)).json<FeedbackJson>()).toMatchObject({ count: 1, accuracy: 0 });
    expect(marks.inBytes('log', Buffer.from(running.logLines.join('')))).toEqual([]);
    expect((await acme.send('DELETE', '/control/v1/tenants/acme/data')).status).toBe(204);
    expect((await acme.get(OWN)).json<FeedbackJson>().count).toBe(0);
    await told(other);
    expect((await acme.get(OWN)).json<FeedbackJson>().count).toBe(1);
  } finally {
    await running.end();
  }
}, 30_000);

test('`sluice feedback` tells the truth of a prediction, once', async () => {
  const running = await startRunning({ models: ['ticket-sentiment'], runners: 1 });
  try {
    const acme = await running.addTenant('acme');
    const answer = await acme.infer('ticket-sentiment', texts('text', 'I love it', 'I hate it'));
    const id = answer.header('sluice-prediction')!;
    const feedback = (...args: string[]) => sluice(['feedback', id, ...args], acme);
    const refused = await feedback('positive');
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('2 labels are needed')]);
    expect(await feedback('positive', 'negative')).toMatchObject({ code: 0, stdout: 'Counted.\n' });
    expect((await feedback('positive', 'negative')).stdout).toBe('Told before: counted once.\n');
    const json = await feedback('positive', 'negative', '--at', new Date().toISOString(), '--json');
    expect(JSON.parse(json.stdout)).toEqual({ id, counted: false });
    const other = await feedback('negative', 'negative');
    expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('feedback-conflict')]);
  } finally {
    await running.end();
  }
}, 30_000);
