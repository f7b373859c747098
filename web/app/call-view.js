import { whipRole } from '../client/index.js';
import { noteEvents } from './call-notes.js';
import { Callers } from './callers.js';
import { Chat } from './chat.js';
import { DeviceControls } from './device-controls.js';
import { followSpeaker } from './devices/speaker.js';
import { Diagnostics } from './diagnostics.js';
import { Files } from './files/gate.js';
import { show } from './languages/document.js';
import { say } from './languages/say.js';
import { LockNotice } from './lock-notice.js';
import { isolate, nameOf } from './names.js';
import { part, write } from './page.js';
import { barsOf } from './quality.js';
import { showSeal, tellLacks } from './sealed/marks.js';
import { Share } from './share.js';
import { play } from './sounds.js';
import { Stage } from './stage.js';
import { followVoices } from './voices.js';
import { WakeLock } from './wake-lock.js';
import { noteSealed, noteTaken } from './whip/notes.js';
import { WhipOpener } from './whip/opener.js';
import { isOver, summarize } from './words.js';

/** @import { Call, Peer, Room } from '../client/types.d.ts' */
/** @import { Wish } from './address.js' */
/** @import { Devices } from './device-controls.js' */
/** @import { Equipped } from './devices/equipped.js' */
/** @import { Extra } from './devices/news.js' */
/** @import { Key, Values } from './languages/say.js' */
/** @import { Facts, Summary } from './words.js' */

/** The call as it is shown. */
export class CallView {
  #view = part('call', HTMLElement);
  #stage = new Stage();
  #chat = new Chat();
  #files = new Files(this.#chat);
  #share = new Share();
  #callers = new Callers();
  #diagnostics = new Diagnostics();
  #lockNotice = new LockNotice();
  #devices;
  #wakeLock = new WakeLock();
  #whip = new WhipOpener(this.#share);
  #endVoices = () => {};

  /** @param {Devices} devices */
  constructor(devices) {
    this.#devices = new DeviceControls(devices, () => this.#chat.focus());
    void followSpeaker();
  }

  /**
   * @param {Wish} wish
   * @param {string} link for others
   */
  open({ room, seal }, link) {
    this.#view.hidden = false;
    tell('call-room', isolate(room));
    showSeal(seal);
    part('call-room', HTMLElement).focus();
    this.#share.follow(link);
    this.#chat.open(room);
  }

  /** What was said is not shown in the next call. */
  forget() {
    this.#chat.forget();
  }

  close() {
    this.clear();
    this.forget();
    this.#view.hidden = true;
  }

  /**
   * @param {Room} room
   * @param {Call} call
   * @param {Wish} wish
   */
  follow(room, call, wish) {
    this.#whip.follow(room, wish);
    const diagnostics = this.#diagnostics;
    Object.assign(window, { signalpost: { room, call, get report() { return diagnostics.report; } } });
    this.#stage.follow(call);
    this.#chat.follow(call);
    this.#files.follow(call);
    diagnostics.follow(room, call, (id, flow) => this.#stage.quality(id, barsOf(flow)));
    this.#endVoices();
    this.#endVoices = followVoices(call, (id, speaking) => this.#stage.speaks(id, speaking));
    this.#lockNotice.follow(room);
    const speak = (/** @type {string} */ text) => tell('spoken-devices', text);
    const note = (/** @type {Key} */ key, /** @type {Values} */ values) => this.note(key, values);
    room.on('peer-joined', (peer) => whipRole(peer) || play('joined'));
    noteEvents(room, call, this.#chat, this.#stage, speak);
    noteTaken(room, call, note);
    noteSealed(room, note);
  }

  /**
   * In the chat, and for screen readers.
   *
   * @param {Key} key
   * @param {Values} values
   */
  note(key, values) {
    this.#chat.note(key, values);
    tell('spoken-devices', say(key, values));
  }

  /**
   * @param {Peer} peer
   * @param {AbortSignal} signal
   */
  ask(peer, signal) {
    if (this.#whip.expects(peer)) return Promise.resolve(true);
    play('calling');
    // These would cover the question.
    this.#share.close();
    this.#devices.closeDialogs();
    this.#files.close();
    this.#whip.close();
    return this.#callers.ask(peer, signal);
  }

  /**
   * @param {Wish} wish
   * @param {Equipped} equipped
   */
  showSelf({ name }, equipped) {
    this.#stage.showSelf(equipped, nameOf({ name }));
    this.#devices.show(equipped);
  }

  /** @param {Extra | null} extra null if the call is over */
  showExtra(extra) {
    this.#devices.showExtra(extra);
    this.#stage.raise(extra?.hand === true);
  }

  /**
   * Shows the state of a visit.
   *
   * @param {Facts} facts
   * @param {Wish} wish
   * @returns {Summary}
   */
  show(facts, wish) {
    const summary = summarize(facts);
    const { state, text, spoken } = summary;
    document.body.dataset.state = state;
    tell('status', text);
    tell('spoken-status', spoken);
    this.#chat.name(`${text} · ${isolate(wish.room)}`);
    part('use-here', HTMLElement).hidden = state !== 'superseded';
    part('try-again', HTMLElement).hidden = !facts.links.some((link) => link.state === 'failed');
    const over = isOver(state);
    this.#wakeLock.want(facts.phase === 'inside' && !over);
    if (facts.phase === 'inside' && !over && part('hand', HTMLElement).hidden) this.showExtra({});
    show(/** @type {Element} */ (part('hang-up', HTMLElement).querySelector('span')), over ? 'back' : facts.phase === 'inside' ? 'hang-up' : 'cancel');
    this.#chat.end(over ? text : '');
    tellLacks(over ? [] : facts.lacking, wish.seal);
    if (over) {
      this.#share.close();
      this.#whip.close();
      this.#lockNotice.clear();
    }
    return summary;
  }

  clear() {
    Object.assign(window, { signalpost: undefined });
    this.#devices.clear();
    this.#stage.clear();
    tell('spoken-devices', '');
    this.#chat.clear();
    this.#files.clear();
    this.#share.close();
    this.#whip.clear();
    this.#wakeLock.want(false);
    this.#endVoices();
    this.#lockNotice.clear();
    tellLacks();
    this.#diagnostics.clear();
  }
}

/**
 * @param {string} id
 * @param {string} text
 */
function tell(id, text) {
  const element = part(id, HTMLElement);
  write(element.querySelector('span') ?? element, text);
}
