/** @import { Link } from './link.js' */

/** Links to peers by ids from before this member got a new one; kept until the same peers are connected again. */
export class Orphans {
  /** @type {Set<Link>} */
  #links = new Set();

  /** @param {Link[]} links to ids that have just become invalid */
  add(links) {
    for (const link of links) {
      link.depart();
      this.#links.add(link);
    }
    for (const link of this.#links) if (link.state === 'closed') this.#links.delete(link);
  }

  /**
   * Closes the old links once as many new ones are connected.
   *
   * @param {Iterable<Link>} links all links of the call
   */
  release(links) {
    const connected = [...links].filter((link) => link.state === 'connected' && !link.departed);
    if (connected.length < this.#links.size) return;
    for (const orphan of this.#links) orphan.close();
    this.#links.clear();
  }
}
