import { invitation, readAddress } from './address.js';
import { BackGuard } from './back-guard.js';
import { noteEvents } from './call-notes.js';
import { Callers } from './callers.js';
import { Chat } from './chat.js';
import { isWanted } from './consent.js';
import { Controls, DeviceNotice } from './controls.js';
import { watchCrowd } from './crowd.js';
import { Diagnostics } from './diagnostics.js';
import { NOTHING } from './equipment.js';
import * as keptVisit from './kept-visit.js';
import { Keyboard } from './keyboard.js';
import { Lobby } from './lobby.js';
import { LockNotice } from './lock-notice.js';
import { isolate, nameOf } from './names.js';
import { part, write } from './page.js';
import { whyNoRoomName } from './room-name.js';
import { Share } from './share.js';
import { Stage } from './stage.js';
import { Visit } from './visit.js';
import { whyNoCalls } from './webrtc.js';
import { summarize } from './words.js';

/** @import { Call, Peer, Room } from '../client/types.d.ts' */
/** @import { Wish } from './address.js' */
/** @import { Equipped } from './equipment.js' */

const TICK_MS = 500;

const view = part('call', HTMLElement);
const stage = new Stage();
const controls = new Controls((kind, on) => void visit?.turn(kind, on));
const deviceNotice = new DeviceNotice({
  retry: () => void visit?.devices.retry(),
  use: ({ kind, deviceId }) => void visit?.devices.use(kind, deviceId),
});
const chat = new Chat();
const share = new Share();
const callers = new Callers();
const diagnostics = new Diagnostics();
const lockNotice = new LockNotice();
const guard = new BackGuard(() => visit !== null && visit.facts.phase === 'inside' && !isOver(), () => visit && void hangUp());
const keyboard = new Keyboard((action) => {
  if (action === 'microphone') controls.toggle('audio');
  else if (action === 'camera') controls.toggle('video');
  else chat.focus();
});
const lobby = new Lobby((wish) => void enter(wish));
const noCalls = whyNoCalls();

/** @type {Visit | null} */
let visit = null;

/** Started with the first visit. @type {Promise<void> | null} */
let crowd = null;

/** @param {Wish} wish */
async function enter(wish) {
  if (noCalls) return lobby.show(wish, noCalls);
  clear();
  lobby.hide();
  view.hidden = false;
  say('call-room', isolate(wish.room));
  part('call-room', HTMLElement).focus();
  // A secret is kept in the address once it has proved right.
  guard.enter(invitation(location.href, { room: wish.room }));
  share.follow(invitation(location.href, wish));
  crowd ??= watchCrowd((tooMany) => { part('crowd', HTMLElement).hidden = !tooMany; });
  keptVisit.keep(wish);

  /** @type {Visit} */
  const mine = new Visit(wish, {
    changed: () => mine === visit && show(),
    asked: (peer, signal) => ask(peer, signal),
    equipped: (equipped) => mine === visit && showSelf(wish, equipped),
  });
  visit = mine;
  const call = await mine.begin();
  const { room } = mine;
  if (!call || !room || mine !== visit) return;
  guard.show(invitation(location.href, wish));
  Object.assign(window, { signalpost: { room, call, get report() { return diagnostics.report; } } });
  follow(room, call);
  show();
}

/**
 * @param {Peer} peer
 * @param {AbortSignal} signal
 */
function ask(peer, signal) {
  // The dialog with the link would cover the question.
  share.close();
  return callers.ask(peer, signal);
}

/**
 * @param {Room} room
 * @param {Call} call
 */
function follow(room, call) {
  stage.follow(call);
  chat.follow(call);
  diagnostics.follow(room, call);
  lockNotice.follow(room);
  noteEvents(room, chat, stage, (text) => say('spoken-devices', text));
}

/**
 * @param {Wish} wish
 * @param {Equipped} equipped
 */
function showSelf({ name }, equipped) {
  stage.showSelf(equipped, nameOf({ name }));
  controls.show(equipped.status);
  deviceNotice.show(equipped);
}

function isOver() {
  return visit !== null && ['superseded', 'kicked', 'closed'].includes(summarize(visit.facts).state);
}

/** Shows the state of the visit. */
function show() {
  if (!visit) return;
  const { facts, wish } = visit;
  const { state, text, spoken } = summarize(facts);
  document.body.dataset.state = state;
  say('status', text);
  say('spoken-status', spoken);
  document.title = `${text} · ${isolate(wish.room)}`;
  part('use-here', HTMLElement).hidden = state !== 'superseded';
  part('try-again', HTMLElement).hidden = !facts.links.some((link) => link.state === 'failed');
  const over = isOver();
  chat.end(over ? text : '');
  say('hang-up', over ? 'Back' : facts.phase === 'inside' ? 'Hang up' : 'Cancel');
  // A reload must not return to a room from which the user was removed.
  if (state === 'kicked' || state === 'closed') keptVisit.drop();
  if (facts.phase === 'refused' && state === 'error') refused(text, facts.refusal ?? {});
}

/**
 * Back to the form, with what can be tried instead.
 *
 * @param {string} problem
 * @param {{ slug?: string, capacityMax?: number, secretMin?: number }} refusal
 */
function refused(problem, { slug = '', capacityMax, secretMin }) {
  if (visit && capacityMax) visit.wish.capacity = capacityMax;
  back(problem, Boolean(secretMin) || /^secret-(missing|wrong)$/.test(slug));
}

/**
 * Returns to the form.
 *
 * @param {string} [problem]
 * @param {boolean} [secret] ask for it
 */
function back(problem = '', secret = false) {
  const wish = visit?.wish ?? {};
  visit = null;
  clear();
  view.hidden = true;
  document.title = 'Signalpost';
  document.body.dataset.state = problem ? 'error' : 'lobby';
  guard.exit(problem ? location.href : './');
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
  keptVisit.drop();
  deviceNotice.show(NOTHING);
  stage.clear();
  controls.show(NOTHING.status);
  say('spoken-devices', '');
  chat.clear();
  share.close();
  keyboard.close();
  lockNotice.clear();
  diagnostics.clear();
}

/** @param {Partial<Wish>} wish */
function defined(wish) {
  return Object.fromEntries(Object.entries(wish).filter(([, value]) => value !== undefined));
}

/**
 * @param {string} id
 * @param {string} text
 */
function say(id, text) {
  const element = part(id, HTMLElement);
  write(element.querySelector('span') ?? element, text);
}

part('hang-up', HTMLElement).addEventListener('click', () => void hangUp());
part('use-here', HTMLElement).addEventListener('click', () => visit && isWanted() && void enter(visit.wish));
part('try-again', HTMLElement).addEventListener('click', () => {
  for (const link of visit?.call?.links.values() ?? []) if (link.state === 'failed') link.offer();
});
setInterval(() => document.body.dataset.state === 'full' && show(), TICK_MS);

window.addEventListener('pagehide', keptVisit.leave);
window.addEventListener('pageshow', (event) => {
  if (!event.persisted || !visit) return;
  // Back from the browser's cache, to which other sites can lead, too. The client, which would take the seat again, must not see this.
  event.stopImmediatePropagation();
  const { wish } = visit;
  void hangUp();
  history.replaceState(null, '', invitation(location.href, wish));
});

const asked = readAddress(location.href);
const { wish: kept, reloaded } = keptVisit.take();
const known = kept && kept.room === asked.room ? kept : null;
const typed = new URL(location.href).searchParams.get('room');
const problem = noCalls || (typed !== null && whyNoRoomName(typed));
if (problem) lobby.show(asked, problem);
else if (known && reloaded) void enter(known);
else lobby.show({ ...known, ...defined(asked) });
document.body.dataset.loaded = 'true';
