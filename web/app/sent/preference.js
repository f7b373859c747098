import { lastingStorage } from '../../client/index.js';
import { BASE } from '../base.js';

const KEY = `signalpost:sent-picture:${BASE}`;

/** @typedef {'auto' | 'full' | 'half' | 'small'} SentPreference */
/** @type {readonly string[]} */
const ALL = ['auto', 'full', 'half', 'small'];

/** How large a picture the user wants to send, for all visits. @returns {SentPreference} */
export function sentPreference(storage = lastingStorage) {
  const kept = storage.getItem(KEY) ?? '';
  return ALL.includes(kept) ? /** @type {SentPreference} */ (kept) : 'auto';
}

/** @param {string} preference */
export function preferSent(preference, storage = lastingStorage) {
  storage.setItem(KEY, preference);
}
