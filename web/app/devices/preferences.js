import { lastingStorage } from '../../client/index.js';
import { BASE } from '../base.js';

/** @typedef {'audio' | 'video' | 'speaker'} Preference */

const KEY = `signalpost:devices:${BASE}`;
/** @type {readonly Preference[]} */
const ALL = ['audio', 'video', 'speaker'];

/** The ids of the devices that the user has chosen, for all visits. Browsers make ids for each site, and forget them with its cookies. */
export class Preferences {
  #storage;

  /** @param {Pick<Storage, 'getItem' | 'setItem'>} [storage] */
  constructor(storage = lastingStorage) {
    this.#storage = storage;
  }

  /** @returns {Map<Preference, string>} */
  get all() {
    try {
      const kept = JSON.parse(this.#storage.getItem(KEY) ?? '{}');
      return new Map(ALL.filter((what) => typeof kept?.[what] === 'string').map((what) => [what, kept[what]]));
    } catch {
      return new Map();
    }
  }

  /**
   * @param {Preference} what
   * @param {string} deviceId
   */
  set(what, deviceId) {
    this.#storage.setItem(KEY, JSON.stringify({ ...Object.fromEntries(this.all), [what]: deviceId }));
  }
}
