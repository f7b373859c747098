import { tabStorage } from '../../client/index.js';
import { BASE } from '../base.js';

/** @import { Kind } from './media.js' */

const KEY = `signalpost:off:${BASE}`;
/** @type {readonly unknown[]} */
const KINDS = ['audio', 'video'];

/**
 * What the user has switched off. The tab remembers it, so that neither a reload nor the next call opens a microphone that was
 * muted.
 */
export class Switches {
  #storage;

  /** @param {Pick<Storage, 'getItem' | 'setItem'>} [storage] */
  constructor(storage = tabStorage) {
    this.#storage = storage;
  }

  /** @returns {Kind[]} */
  get off() {
    try {
      const kept = JSON.parse(this.#storage.getItem(KEY) ?? '[]');
      return Array.isArray(kept) ? kept.filter((kind) => KINDS.includes(kind)) : [];
    } catch {
      return [];
    }
  }

  /**
   * @param {Kind} kind
   * @param {boolean} on
   */
  turn(kind, on) {
    const others = this.off.filter((other) => other !== kind);
    this.#storage.setItem(KEY, JSON.stringify(on ? others : [...others, kind]));
  }
}
