/** @import { Link } from './link.js' */

/** Links under ids that ended with our own id; kept until the same peers are connected again. */
export class Orphans {
  /** @type {Set<Link>} */
  #links = new Set();

  /** @param {Link[]} links whose ids ended just now */
  add(links) {
    for (const link of links) {
      link.depart();
      this.#links.add(link);
    }
    for (const link of this.#links) if (link.state === 'closed') this.#links.delete(link);
  }

  /**
   * Once as many are connected under new ids as there were under the old, the old have done their work.
   *
   * @param {Iterable<Link>} links all that there are
   */
  release(links) {
    const connected = [...links].filter((link) => link.state === 'connected' && !link.departed);
    if (connected.length < this.#links.size) return;
    for (const orphan of this.#links) orphan.close();
    this.#links.clear();
  }
}
