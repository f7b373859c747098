import { say, language } from '../languages/say.js';
import { isolate, isolatedName } from '../names.js';
import { safeName } from './safe-name.js';
import { MOST_IN_MEMORY } from './sinks.js';

/** @import { Key } from '../languages/say.js' */
/** @import { Peer } from '../../client/types.d.ts' */
/** @import { Incoming } from './incoming.js' */
/** @import { Outgoing } from './outgoing.js' */
/** @import { Pace } from './pace.js' */
/** @import { News } from './transfer.js' */

/** @typedef {Pick<Outgoing, 'offer' | 'state' | 'why' | 'by' | 'agreed' | 'stored'> | Pick<Incoming, 'offer' | 'state' | 'why' | 'by' | 'agreed' | 'stored'>} Told */

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];

/** @param {number} bytes @param {boolean} [perSecond] */
export function sizeIn(bytes, perSecond = false) {
  const step = Math.min(UNITS.length - 1, Math.max(0, Math.floor((Math.log10(bytes || 1) + 1e-9) / 3)));
  const value = bytes / 1_000 ** step;
  const unit = `${UNITS[step]}${perSecond ? '-per-second' : ''}`;
  return new Intl.NumberFormat(language(), { style: 'unit', unit, unitDisplay: step === 0 ? 'long' : 'short', maximumSignificantDigits: value < 100 ? 2 : 3 }).format(value);
}

/** @param {number} share of one */
export function percentIn(share) {
  return new Intl.NumberFormat(language(), { style: 'percent', maximumFractionDigits: 0 }).format(share);
}

/** @param {number} seconds */
function timeIn(seconds) {
  const [unit, value] = seconds < 90 ? ['second', seconds] : seconds < 5_400 ? ['minute', seconds / 60] : ['hour', seconds / 3_600];
  return new Intl.NumberFormat(language(), { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: 0 }).format(Math.max(1, Math.round(value)));
}

/** Why it came to an end: [this end's doing, the other's], for files that are sent and those that are received. @type {Record<'out' | 'in', Record<string, Key>>} */
const ENDS = {
  out: {
    ...{ declined: 'file-declined-by', cancelled: 'file-cancelled-by', space: 'file-no-space-at', disk: 'file-not-written-at', damaged: 'file-damaged-at' },
    ...{ 'too-large': 'file-too-large-at', 'too-many': 'file-too-many-at', left: 'file-left', gone: 'file-lost', unreadable: 'file-unreadable' },
  },
  in: {
    ...{ declined: 'file-declined', cancelled: 'file-cancelled-by', space: 'file-no-space', disk: 'file-not-written', damaged: 'file-damaged' },
    ...{ 'too-large': 'file-too-large', left: 'file-left', gone: 'file-gone', unreadable: 'file-unreadable-at' },
  },
};

/**
 * The status of a file.
 *
 * @param {Told} file
 * @param {{ peer: Peer, interrupted: boolean, pace: Pick<Pace, 'speed' | 'remaining'> }} about
 */
export function textOf(file, { peer, interrupted, pace }) {
  const name = isolatedName(peer);
  const { state, by, why = '' } = file;
  const way = 'source' in file ? 'out' : 'in';
  if (state === 'over') {
    const key = why === 'cancelled' && by === 'us' ? 'file-cancelled' : ENDS[way][why] ?? 'file-left';
    return say(key, { name, limit: sizeIn(MOST_IN_MEMORY) });
  }
  if (state === 'done') return say(way === 'out' ? 'file-arrived' : 'blob' in file && file.blob ? 'file-complete' : 'file-saved', { name });
  if (state === 'asked') return say('file-asked', { name });
  if (state === 'opening') return say('file-opening');
  if (state === 'finishing') return say('file-checking');
  if (interrupted) return say('file-interrupted', { name });
  if (state === 'offered' || !file.agreed) return say(way === 'out' ? 'file-offered' : 'file-interrupted', { name });
  if (state === 'checking') return say('file-checking');
  return progressOf(file, pace);
}

/**
 * @param {Told} file
 * @param {Pick<Pace, 'speed' | 'remaining'>} pace
 */
function progressOf({ offer: { size }, stored }, pace) {
  const [speed, seconds] = [pace.speed, pace.remaining(size)];
  const values = { done: sizeIn(stored), size: sizeIn(size) };
  if (!speed || seconds === null) return say('file-progress', values);
  return say('file-pace', { ...values, speed: sizeIn(speed, true), time: timeIn(seconds) });
}

/**
 * A note in the chat, and so for screen readers, about a beginning, an end or an interruption, and not about each percent.
 *
 * @param {News} news
 * @param {Told & { name?: string }} file
 * @param {Parameters<typeof textOf>[1]} about
 */
export function noteOf(news, file, about) {
  const [name, shown] = [isolatedName(about.peer), isolate(nameIn(file))];
  if (news === 'asked') return say('file-new', { name, file: shown, size: sizeIn(file.offer.size) });
  const text = news === 'accepted' ? say('file-accepted', { name }) : news === 'resumed' ? say('file-resumes', { name }) : textOf(file, about);
  return say('file-news', { file: shown, news: text });
}

/** @param {Told & { name?: string }} file */
export function nameIn({ name, offer }) {
  return name ?? safeName(offer.name);
}
