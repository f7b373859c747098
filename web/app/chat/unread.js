/** The title of the page, with the number of messages that came while it was hidden. */
export class Unread {
  #page;
  #title = '';
  #count = 0;

  /** @param {Pick<Document, 'hidden' | 'title' | 'addEventListener'>} [page] */
  constructor(page = document) {
    this.#page = page;
    page.addEventListener('visibilitychange', () => !page.hidden && this.clear());
  }

  /** @param {string} title without the number */
  name(title) {
    this.#title = title;
    this.#write();
  }

  /** A message has come. Tells whether nobody sees it. */
  add() {
    if (!this.#page.hidden) return false;
    this.#count += 1;
    this.#write();
    return true;
  }

  clear() {
    if (this.#count === 0) return;
    this.#count = 0;
    this.#write();
  }

  #write() {
    this.#page.title = this.#count > 0 ? `(${this.#count}) ${this.#title}` : this.#title;
  }
}
