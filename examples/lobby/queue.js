/** Those who wait, first come, first served. */
export class Queue {
  #ids = [];
  #size;

  /** @param {number} size of a group */
  constructor(size) {
    this.#size = size;
  }

  [Symbol.iterator]() {
    return [...this.#ids].values();
  }

  /** Who asks again keeps their place. */
  add(id) {
    if (!this.#ids.includes(id)) this.#ids.push(id);
  }

  /** Returns whether they were waiting. */
  remove(id) {
    const at = this.#ids.indexOf(id);
    if (at >= 0) this.#ids.splice(at, 1);
    return at >= 0;
  }

  clear() {
    this.#ids = [];
  }

  /** Takes the first out, if there are enough for a group; otherwise returns null. */
  take() {
    return this.#ids.length < this.#size ? null : this.#ids.splice(0, this.#size);
  }

  placeOf(id) {
    return { place: this.#ids.indexOf(id) + 1, missing: this.#size - this.#ids.length };
  }
}
