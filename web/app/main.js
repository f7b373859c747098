import { invitation, readAddress } from './address.js';
import { BackGuard } from './back-guard.js';
import { CallView } from './call-view.js';
import { isWanted } from './consent.js';
import { watchCrowd } from './crowd.js';
import * as keptVisit from './kept-visit.js';
import { begin, onLanguage } from './languages/document.js';
import { Lobby } from './lobby.js';
import { part } from './page.js';
import { Record } from './record.js';
import { whyNoRoomName } from './room-name.js';
import { isAsAsked, isSameSeal, whyNoSeal } from './sealed/seal.js';
import { Visit } from './visit.js';
import { whyNoCalls } from './webrtc.js';
import { isOver, summarize } from './words.js';

/** @import { Wish } from './address.js' */

const TICK_MS = 500;

// `loading.js` must not complain while the catalogue is loading.
document.body.dataset.loaded = 'code';
await begin();
onLanguage(() => {
  if (!visit) return;
  show(visit);
  void visit.devices.open();
});

const view = new CallView({
  turn: (kind, on) => void visit?.turn(kind, on),
  retry: () => void visit?.devices.retry(),
  use: ({ kind, deviceId }) => void visit?.devices.use(kind, deviceId),
  share: () => void visit?.extras.shareOrStop(),
  hand: () => visit?.extras.raiseOrLower(),
});
const record = new Record({
  room: () => visit?.wish.room ?? '',
  screen: () => visit?.extras.screen ?? null,
  tell: (on) => visit?.extras.record(on),
});
const guard = new BackGuard(
  () => visit !== null && visit.facts.phase === 'inside' && !isOver(summarize(visit.facts).state),
  () => visit && void hangUp(),
);
const lobby = new Lobby((wish, equipment) => (view.forget(), void enter(wish, equipment)));
const canCall = whyNoCalls() === '';

/** @type {Visit | null} */
let visit = null;

/** Started with the first visit. @type {Promise<void> | null} */
let crowd = null;

/**
 * @param {Wish} wish
 * @param {import('./devices/equipment.js').Equipment} [equipment] that is open already
 */
async function enter(wish, equipment) {
  if (!canCall) return lobby.show(wish, () => whyNoCalls());
  record.allow(false);
  view.clear();
  lobby.hide();
  view.open(wish, invitation(location.href, wish));
  // A secret is kept in the address once it has proved right.
  guard.enter(invitation(location.href, { ...wish, secret: undefined }));
  crowd ??= watchCrowd((tooMany) => { part('crowd', HTMLElement).hidden = !tooMany; });
  keptVisit.keep(wish);

  /** @type {Visit} */
  const mine = new Visit(wish, {
    changed: () => mine === visit && show(mine),
    asked: (peer, signal) => view.ask(peer, signal),
    equipped: (equipped) => mine === visit && view.showSelf(wish, equipped),
    shown: (extra) => mine === visit && view.showExtra(extra),
    noted: (key, values) => mine === visit && view.note(key, values),
  }, equipment);
  visit = mine;
  const call = await mine.begin();
  const { room } = mine;
  if (!call || !room || mine !== visit) return;
  guard.show(invitation(location.href, wish));
  view.follow(room, call, wish);
  void import('./sent/sent-picture.js').then(({ followSentPicture }) => followSentPicture(call), () => {});
  show(mine);
}

/** @param {Visit} visit */
function show({ facts, wish }) {
  const { state } = view.show(facts, wish);
  record.allow(facts.phase === 'inside' && !isOver(state));
  // A reload must not return to a room from which the user was removed.
  if (state === 'kicked' || state === 'closed') keptVisit.drop();
  if (facts.phase === 'refused' && state === 'error') refused(() => summarize(facts).text, facts.refusal ?? {});
}

/**
 * Back to the form, with what can be tried instead.
 *
 * @param {() => string} problem
 * @param {{ slug?: string, capacityMax?: number, secretMin?: number }} refusal
 */
function refused(problem, { slug = '', capacityMax, secretMin }) {
  if (visit && capacityMax) visit.wish.capacity = capacityMax;
  back(problem);
  if (secretMin || slug === 'secret-missing' || slug === 'secret-wrong') lobby.askForSecret();
}

/**
 * Returns to the form.
 *
 * @param {() => string} [problem]
 */
function back(problem) {
  const asked = readAddress(location.href);
  // Somebody has pasted another link to this room, such as the one with the key.
  const isPasted = Boolean(visit && asked.room === visit.wish.room && asked.seal && !isSameSeal(asked.seal, visit.wish.seal));
  const wish = { ...visit?.wish, ...(isPasted && defined(asked)) };
  visit = null;
  keptVisit.drop();
  record.allow(false);
  view.close();
  document.title = 'Signalpost';
  document.body.dataset.state = problem ? 'error' : 'lobby';
  guard.exit(problem || isPasted ? location.href : './');
  lobby.show(wish, problem ?? (() => (isPasted ? whyNot(wish) : '')));
}

async function hangUp() {
  const leaving = visit?.leave();
  back();
  await leaving;
}

/** Why this link cannot be followed; empty if it can. @param {Partial<Wish>} wish */
function whyNot({ seal }) {
  const typed = new URL(location.href).searchParams.get('room');
  return (canCall ? '' : whyNoCalls()) || (typed === null ? '' : whyNoRoomName(typed) || whyNoSeal(seal));
}

/** @param {Partial<Wish>} wish */
function defined(wish) {
  return Object.fromEntries(Object.entries(wish).filter(([, value]) => value !== undefined));
}

part('hang-up', HTMLElement).addEventListener('click', () => void hangUp());
part('use-here', HTMLElement).addEventListener('click', () => visit && isWanted() && void enter(visit.wish));
part('try-again', HTMLElement).addEventListener('click', () => {
  for (const link of visit?.call?.links.values() ?? []) if (link.state === 'failed') link.offer();
});
setInterval(() => document.body.dataset.state === 'full' && visit && show(visit), TICK_MS);

window.addEventListener('pagehide', keptVisit.leave);
window.addEventListener('pageshow', (event) => {
  if (!event.persisted || !visit) return;
  // Back from the browser's cache, to which other sites can lead, too. The client, which would take the seat again, must not see this.
  event.stopImmediatePropagation();
  const { wish } = visit;
  void hangUp();
  history.replaceState(null, '', invitation(location.href, wish));
});

// The whole link instead of one without a key: only its fragment is another, so the browser loads nothing.
window.addEventListener('hashchange', () => {
  const wish = readAddress(location.href);
  if (!visit && wish.room) lobby.show(wish, () => whyNot(wish));
});

const asked = readAddress(location.href);
const { wish: kept, reloaded } = keptVisit.take();
const known = kept && kept.room === asked.room ? kept : null;
if (whyNot(asked)) lobby.show(asked, () => whyNot(asked));
// A link with a key, pasted before the reload, is not followed without it.
else if (known && reloaded && isAsAsked(asked.seal, known.seal)) void enter(known);
else lobby.show({ ...known, ...defined(asked) });
document.body.dataset.loaded = 'true';
