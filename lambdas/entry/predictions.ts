import { postFeedback } from '../http/feedback.ts';
import { cancelPrediction, readPrediction } from '../http/predictions.ts';
import { openHost } from './host.ts';
import { start } from './main.ts';
import { createServe, type RoutesOf } from './serve.ts';
import { streamed } from './streamed.ts';

const ROUTES: RoutesOf<'predictions'> = {
  'prediction-read': readPrediction,
  'prediction-cancel': cancelPrediction,
  'feedback-give': postFeedback,
};

export const handler = await start(async (lambda) => {
  const host = await openHost(lambda);
  return streamed(host, createServe(host, ROUTES));
});
