/** `pred_` and 32 hex digits; unguessable. */
export function newPredictionId(): string {
  return `pred_${crypto.randomUUID().replaceAll('-', '')}`;
}
