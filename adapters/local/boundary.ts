/**
 * Called before and after each write that decides what a crash leaves behind, with the name of the place:
 * `commit:before`, `commit:after`, `artifact:synced`, `artifact:renamed`, `upload:synced`, `upload:renamed`,
 * `key:synced`, `key:renamed`. A crash test ends the process there; throwing at `commit:before` is a failed commit.
 */
export type OnBoundary = (name: string) => void;
