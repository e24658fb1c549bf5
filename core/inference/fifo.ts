/** Below this many items nothing is moved: a short queue reuses its array. */
const LEAST_TO_MOVE = 32;

/** First in, first out, each operation in amortised constant time. */
export class Fifo<T> {
  #items: T[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  peek(): T | undefined {
    return this.#items[this.#head];
  }

  /** Takes the item that `peek` showed. */
  drop(): void {
    this.#head += 1;
    if (this.#head === this.#items.length) {
      this.#items.length = 0;
      this.#head = 0;
    } else if (this.#head >= LEAST_TO_MOVE && this.#head * 2 > this.#items.length) {
      // More than half of the array is behind the head: each item is moved once at most for each one taken.
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
  }
}
