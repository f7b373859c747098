import { tabStorage } from '../client/index.js';
import { BASE } from './base.js';

/** @import { Wish } from './address.js' */

const KEY = `signalpost:visit:${BASE}`;
/** Clocks are read a moment apart, and may be coarse. */
const SLACK_MS = 1_000;

/**
 * `left`: when the page with this visit was left.
 *
 * @typedef {{ wish: Wish, left?: number }} Kept
 */

/** @param {Wish} wish */
export function keep(wish) {
  tabStorage.setItem(KEY, JSON.stringify({ wish }));
}

export function drop() {
  tabStorage.removeItem(KEY);
}

/** The page is being left, perhaps by a reload. */
export function leave() {
  const kept = read();
  if (kept) tabStorage.setItem(KEY, JSON.stringify({ ...kept, left: Date.now() }));
}

/**
 * The visit of the page that was in this tab before, and whether this page is a reload of that one. Only a reload may return to
 * the call without a click: the tab's storage is also there when another site has led back here, when the user went back in
 * the history, and when a tab was duplicated or restored.
 */
export function take() {
  const kept = read();
  drop();
  return { wish: kept?.wish ?? null, reloaded: kept?.left !== undefined && isReload(kept.left) };
}

/**
 * Was the page before this one left by the reload that loaded this one? A tab that the browser restores can count as reloaded, too,
 * but was left before.
 *
 * @param {number} left
 */
function isReload(left) {
  const [loaded] = performance.getEntriesByType('navigation');
  const { type } = /** @type {PerformanceNavigationTiming | undefined} */ (loaded) ?? {};
  const { prerendering, wasDiscarded } = /** @type {{ prerendering?: boolean, wasDiscarded?: boolean }} */ (document);
  const ago = Date.now() - left;
  return type === 'reload' && !prerendering && !wasDiscarded && ago >= -SLACK_MS && ago <= performance.now() + SLACK_MS;
}

/** @returns {Kept | null} */
function read() {
  try {
    const kept = JSON.parse(tabStorage.getItem(KEY) ?? 'null');
    return typeof kept?.wish?.room === 'string' ? kept : null;
  } catch {
    return null;
  }
}
