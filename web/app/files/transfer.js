import { Pace } from './pace.js';

/** @import { Conversation } from './conversation.js' */
/** @import { Incoming } from './incoming.js' */
/** @import { Outgoing } from './outgoing.js' */

/** @typedef {'asked' | 'offered' | 'accepted' | 'interrupted' | 'resumed' | 'done' | 'over'} News what a person wants to know */

/** A transfer as the user sees it, and its news. */
export class Transfer {
  pace = new Pace();
  /** @type {{ state: string, interrupted: boolean } | null} */
  #before = null;
  #wasAccepted = false;

  /**
   * @param {Outgoing | Incoming} file
   * @param {Pick<Conversation, 'peer' | 'isInterrupted' | 'accept' | 'cancel'>} conversation
   */
  constructor(file, conversation) {
    this.file = file;
    this.conversation = conversation;
  }

  get peer() {
    return this.conversation.peer;
  }

  /** Is it waiting for the connection to come back? */
  get interrupted() {
    return this.isLive && this.file.state !== 'finishing' && this.#wasAccepted && this.conversation.isInterrupted;
  }

  /** Would something be lost with the page? */
  get isMoving() {
    return this.isLive && this.#wasAccepted;
  }

  get isLive() {
    return this.file.state !== 'done' && this.file.state !== 'over';
  }

  accept() {
    if (!('source' in this.file)) void this.conversation.accept(this.file);
  }

  cancel() {
    this.conversation.cancel(this.file);
  }

  /**
   * Something has changed. Returns what is news.
   *
   * @param {number} now milliseconds
   * @returns {News | null}
   */
  look(now) {
    const { state, agreed, stored } = this.file;
    const isMoving = agreed && (state === 'sending' || state === 'receiving');
    const first = isMoving && !this.#wasAccepted;
    this.#wasAccepted ||= isMoving;
    if (isMoving && !this.interrupted) this.pace.mark(now, stored);
    else this.pace.clear();
    const before = this.#before;
    // It goes on once the receiver has said from where.
    const interrupted = this.interrupted || (before?.interrupted === true && this.isLive && !agreed);
    this.#before = { state, interrupted };
    if (before === null && (state === 'asked' || state === 'offered')) return state;
    if (before?.state !== state && (state === 'done' || state === 'over')) return state;
    if (interrupted !== (before?.interrupted ?? false)) return interrupted ? 'interrupted' : 'resumed';
    return first && 'source' in this.file ? 'accepted' : null;
  }
}
