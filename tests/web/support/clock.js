/** A clock that only advances when told to. */
export class FakeClock {
  #now = 0;
  #timers = new Set();

  now = () => this.#now;
  date = () => 1_700_000_000_000 + this.#now;

  after = (ms, run) => {
    const timer = { at: this.#now + ms, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };

  /** How many timers are running. */
  get pending() {
    return this.#timers.size;
  }

  /** Advances the time, and runs everything that becomes due. */
  async advance(ms) {
    const end = this.#now + ms;
    await settled();
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
      await settled();
    }
    this.#now = end;
  }
}

/** Resolves when everything has run that does not need time to pass. */
export async function settled() {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
