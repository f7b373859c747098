import { choicesFor, offered } from './choices.js';
import { permission } from './permissions.js';
import { describe } from './words.js';

/** @import { Choice } from './choices.js' */
/** @import { Lack } from './words.js' */
/** @import { Kind } from './media.js' */

/** The devices that are wanted but missing, and what could be used instead. @extends {Map<Kind, Lack>} */
export class MissingDevices extends Map {
  #devices;
  /** @type {Choice[]} */
  choices = [];

  /** @param {MediaDevices | undefined} devices */
  constructor(devices) {
    super();
    this.#devices = devices;
  }

  /** Those that can be opened again: one that is paused is still open. */
  get closed() {
    return [...this].filter(([, { why }]) => why !== 'paused').map(([kind]) => kind);
  }

  /** It sends nothing. @param {Kind} kind */
  pause(kind) {
    this.set(kind, { why: 'paused', deviceId: null });
  }

  /** It sends again. @param {Kind} kind */
  resume(kind) {
    if (this.get(kind)?.why === 'paused') this.delete(kind);
  }

  /** Lists the devices that there are now. */
  async look() {
    const all = this.size > 0 ? await this.#devices?.enumerateDevices?.().catch(() => []) : [];
    this.choices = choicesFor(this.keys(), all ?? []);
  }

  async refresh() {
    await this.look();
    for (const [kind, lack] of this) {
      const state = (await permission(kind))?.state;
      if (this.get(kind) === lack) this.set(kind, { ...lack, permission: state });
    }
  }

  /** @param {Kind[]} wanted */
  report(wanted) {
    return { notice: describe(this, wanted), choices: offered(this.choices, this), canRetry: Boolean(this.#devices) && this.closed.length > 0, blocked: this.#isBlocked };
  }

  get #isBlocked() {
    return [...this.values()].some(({ error, permission }) => error === 'NotAllowedError' || permission === 'denied');
  }
}
