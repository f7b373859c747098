import { show } from './languages/document.js';
import { say } from './languages/say.js';
import { inOneLine, isolate } from './names.js';
import { part, write } from './page.js';

/** @import { Choice } from './devices/choices.js' */
/** @import { DeviceStatus, Equipped, Status } from './devices/equipped.js' */
/** @import { Kind } from './devices/media.js' */
/** @import { Extra } from './devices/news.js' */

const KINDS = /** @type {const} */ ({
  audio: { icon: 'microphone', labels: { live: 'mute', off: 'unmute' } },
  video: { icon: 'camera', labels: { live: 'camera-off', off: 'camera-on' } },
});

/** The buttons for the user's own microphone and camera. */
export class Controls {
  /** @type {Status} */
  #status = { audio: 'unavailable', video: 'unavailable' };
  #turn;
  #ids;

  /**
   * @param {(kind: Kind, on: boolean) => void} turn a device on or off
   * @param {Record<Kind, string>} [ids] of the buttons
   */
  constructor(turn, ids = { audio: 'microphone', video: 'camera' }) {
    this.#turn = turn;
    this.#ids = ids;
    for (const kind of /** @type {Kind[]} */ (['audio', 'video'])) part(ids[kind], HTMLButtonElement).addEventListener('click', () => this.toggle(kind));
  }

  /** @param {Kind} kind */
  isOff(kind) {
    return this.#status[kind] === 'off';
  }

  /** @param {Kind} kind */
  toggle(kind) {
    const status = this.#status[kind];
    if (status === 'live' || status === 'off') this.#turn(kind, status === 'off');
  }

  /** @param {Status} status */
  show(status) {
    this.#status = status;
    for (const kind of /** @type {Kind[]} */ (['audio', 'video'])) label(part(this.#ids[kind], HTMLButtonElement), kind, status[kind]);
  }
}

/**
 * @param {HTMLButtonElement} button
 * @param {Kind} kind
 * @param {DeviceStatus} status
 */
function label(button, kind, status) {
  const { icon, labels } = KINDS[kind];
  button.hidden = status === 'missing' || status === 'unavailable';
  if (button.hidden) return;
  button.dataset.off = String(status === 'off');
  button.querySelector('use')?.setAttribute('href', `#icon-${icon}${status === 'off' ? '-off' : ''}`);
  const text = button.querySelector('span');
  if (text) show(text, labels[status === 'off' ? 'off' : 'live']);
}

/** The buttons for a screen and a hand. @param {Extra | null} extra null if the call is over */
export function showExtra(extra) {
  const [share, hand] = [part('share-screen', HTMLElement), part('hand', HTMLElement)];
  share.hidden = !extra || !navigator.mediaDevices?.getDisplayMedia;
  hand.hidden = !extra;
  part('settings', HTMLElement).hidden = !extra;
  for (const [button, isOn, [on, off]] of /** @type {const} */ ([[share, extra?.screen, ['stop-sharing', 'share-screen']], [hand, extra?.hand, ['lower-hand', 'raise-hand']]])) {
    button.dataset.off = String(Boolean(isOn));
    show(/** @type {Element} */ (button.querySelector('span')), isOn ? on : off);
  }
}

/** What is wrong with the user's devices, and buttons to do something about it. */
export class DeviceNotice {
  #notice;
  #view;
  #next;
  #retry;
  #use;

  /**
   * @param {{ retry: () => void, use: (choice: Choice) => void }} actions
   * @param {{ notice: string, choices: string, next: string }} [ids] `next` takes the focus when the choices go
   */
  constructor({ retry, use }, { notice, choices, next } = { notice: 'notice', choices: 'device-choices', next: 'call-room' }) {
    this.#notice = part(notice, HTMLElement);
    this.#view = part(choices, HTMLElement);
    this.#next = part(next, HTMLElement);
    this.#retry = retry;
    this.#use = use;
  }

  /** @param {Pick<Equipped, 'notice' | 'choices' | 'canRetry'>} equipped */
  show({ notice, choices, canRetry }) {
    write(this.#notice, notice);
    this.#notice.hidden = notice === '';
    const focused = this.#view.contains(document.activeElement);
    this.#view.replaceChildren(
      ...(canRetry ? [button(say('try-again'), 'retry-devices', this.#retry)] : []),
      ...choices.map((choice) => button(say('use-device', { device: isolate(inOneLine(choice.label)) }), `use-${choice.kind}`, () => this.#use(choice))),
    );
    this.#view.hidden = this.#view.childElementCount === 0;
    const next = this.#view.querySelector('button') ?? this.#next;
    if (focused) next.focus();
  }
}

/**
 * @param {string} label
 * @param {string} id for tests
 * @param {() => void} press
 */
function button(label, id, press) {
  const element = document.createElement('button');
  element.type = 'button';
  element.className = 'button small';
  element.dataset.testid = id;
  // One box: what a button contains is set apart.
  element.append(document.createElement('span'));
  write(/** @type {Element} */ (element.firstElementChild), label);
  element.onclick = press;
  return element;
}
