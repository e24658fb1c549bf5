/** Unique in a region. */
export const RELEASE_ID = /^rel_[0-9a-f]{32}$/;

export function newReleaseId(): string {
  return `rel_${crypto.randomUUID().replaceAll('-', '')}`;
}
