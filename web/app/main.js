import { invitation, readAddress } from './address.js';
import { BASE } from './base.js';
import { Chat } from './chat.js';
import { Controls } from './controls.js';
import { watchCrowd } from './crowd.js';
import { Diagnostics } from './diagnostics.js';
import { Lobby } from './lobby.js';
import { part } from './page.js';
import { Share } from './share.js';
import { Stage } from './stage.js';
import { Visit, nameOf } from './visit.js';
import { summarize } from './words.js';

/** @import { Wish } from './address.js' */

/** What was wished for, so that a refresh of the page goes back into the call without asking. */
const KEPT = `signalpost:visit:${BASE}`;
const TICK_MS = 500;

const view = part('call', HTMLElement);
const stage = new Stage();
const controls = new Controls();
const chat = new Chat();
const share = new Share();
const diagnostics = new Diagnostics();
const lobby = new Lobby((wish) => void enter(wish));

/** @type {Visit | null} */
let visit = null;

/** Begins with the first visit. @type {Promise<void> | null} */
let crowd = null;

/** @param {Wish} wish */
async function enter(wish) {
  clear();
  lobby.hide();
  view.hidden = false;
  write('call-room', wish.room);
  part('call-room', HTMLElement).focus();
  history.replaceState(null, '', invitation(location.href, wish));
  share.follow(location.href);
  crowd ??= watchCrowd((tooMany) => { part('crowd', HTMLElement).hidden = !tooMany; });
  sessionStorage.setItem(KEPT, JSON.stringify(wish));

  /** @type {Visit} */
  const mine = new Visit(wish, {
    changed: () => mine === visit && show(),
    equipped: ({ stream, notice }) => mine === visit && showSelf(wish, stream, notice),
  });
  visit = mine;
  const call = await mine.begin();
  const { room } = mine;
  if (!call || !room || mine !== visit) return;
  Object.assign(window, { signalpost: { room, call, get report() { return diagnostics.report; } } });
  stage.follow(call);
  chat.follow(call);
  diagnostics.follow(room, call);
  room.on('peer-joined', (peer) => chat.note(`${nameOf(peer)} joined`));
  room.on('peer-left', ({ peer }) => chat.note(`${nameOf(peer)} left`));
  show();
}

/**
 * @param {Wish} wish
 * @param {MediaStream | null} stream
 * @param {string} notice
 */
function showSelf({ name }, stream, notice) {
  stage.showSelf(stream, nameOf({ name }));
  controls.follow(stream, () => stage.refreshSelf(stream));
  write('notice', notice);
  part('notice', HTMLElement).hidden = notice === '';
}

/** Shows what there is to be known about the visit, in words. */
function show() {
  if (!visit) return;
  const { facts, wish } = visit;
  const { state, text, spoken } = summarize(facts);
  document.body.dataset.state = state;
  write('status', text);
  write('spoken-status', spoken);
  document.title = `${text} · ${wish.room}`;
  part('use-here', HTMLElement).hidden = state !== 'superseded';
  part('try-again', HTMLElement).hidden = !facts.links.some((link) => link.state === 'failed');
  const over = state === 'superseded' || state === 'kicked' || state === 'closed';
  write('hang-up', facts.phase !== 'inside' ? 'Cancel' : over ? 'Back' : 'Hang up');
  // A refresh must not bring somebody back in who was sent out.
  if (state === 'kicked' || state === 'closed') sessionStorage.removeItem(KEPT);
  if (facts.phase === 'refused' && state === 'error') back(text, facts.refusal?.slug === 'secret-wrong');
}

/**
 * Back to the form.
 *
 * @param {string} [problem]
 * @param {boolean} [secret] has to be entered
 */
function back(problem = '', secret = false) {
  const wish = visit?.wish ?? {};
  visit = null;
  clear();
  view.hidden = true;
  document.title = 'Signalpost';
  document.body.dataset.state = problem ? 'error' : 'lobby';
  if (!problem) history.replaceState(null, '', './');
  lobby.show(wish, problem);
  if (secret) lobby.askForSecret();
}

async function hangUp() {
  const leaving = visit?.leave();
  back();
  await leaving;
}

function clear() {
  Object.assign(window, { signalpost: undefined });
  sessionStorage.removeItem(KEPT);
  part('notice', HTMLElement).hidden = true;
  stage.clear();
  controls.follow(null, () => {});
  chat.clear();
  share.close();
  diagnostics.clear();
}

/**
 * @param {string} id
 * @param {string} text
 */
function write(id, text) {
  const element = part(id, HTMLElement);
  const target = element.querySelector('span') ?? element;
  // Writing the same again would have it read out again.
  if (target.textContent !== text) target.textContent = text;
}

/** @returns {Wish | null} */
function keptWish() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT) ?? 'null');
  } catch {
    return null;
  }
}

part('hang-up', HTMLElement).addEventListener('click', () => void hangUp());
part('use-here', HTMLElement).addEventListener('click', () => visit && void enter(visit.wish));
part('try-again', HTMLElement).addEventListener('click', () => {
  for (const link of visit?.call?.links.values() ?? []) if (link.state === 'failed') link.offer();
});
setInterval(() => document.body.dataset.state === 'full' && show(), TICK_MS);

const asked = readAddress(location.href);
const kept = keptWish();
const { room, name } = asked;
if (room !== undefined && name !== undefined) void enter({ ...asked, room, media: asked.media ?? 'both' });
else if (kept && kept.room === asked.room) void enter(kept);
else lobby.show(asked);
