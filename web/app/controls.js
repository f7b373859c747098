import { inOneLine, isolate } from './names.js';
import { part, write } from './page.js';

/** @import { Choice } from './devices/choices.js' */
/** @import { DeviceStatus, Equipped, Status } from './devices/equipment.js' */
/** @import { Kind } from './devices/media.js' */

const KINDS = {
  audio: { id: 'microphone', labels: { live: 'Mute', off: 'Unmute' } },
  video: { id: 'camera', labels: { live: 'Camera off', off: 'Camera on' } },
};

/** The buttons for the user's own microphone and camera. */
export class Controls {
  /** @type {Status} */
  #status = { audio: 'unavailable', video: 'unavailable' };
  #turn;

  /** @param {(kind: Kind, on: boolean) => void} turn a device on or off */
  constructor(turn) {
    this.#turn = turn;
    for (const kind of /** @type {Kind[]} */ (['audio', 'video'])) part(KINDS[kind].id, HTMLButtonElement).addEventListener('click', () => this.toggle(kind));
  }

  /** @param {Kind} kind */
  toggle(kind) {
    const status = this.#status[kind];
    if (status === 'live' || status === 'off') this.#turn(kind, status === 'off');
  }

  /** @param {Status} status */
  show(status) {
    this.#status = status;
    for (const kind of /** @type {Kind[]} */ (['audio', 'video'])) label(kind, status[kind]);
  }
}

/**
 * @param {Kind} kind
 * @param {DeviceStatus} status
 */
function label(kind, status) {
  const { id, labels } = KINDS[kind];
  const button = part(id, HTMLButtonElement);
  button.hidden = status === 'missing' || status === 'unavailable';
  if (button.hidden) return;
  button.dataset.off = String(status === 'off');
  button.querySelector('use')?.setAttribute('href', `#icon-${id}${status === 'off' ? '-off' : ''}`);
  const text = button.querySelector('span');
  if (text) text.textContent = labels[status === 'off' ? 'off' : 'live'];
}

/** What is wrong with the user's devices, and buttons to do something about it. */
export class DeviceNotice {
  #notice = part('notice', HTMLElement);
  #view = part('device-choices', HTMLElement);
  #retry;
  #use;

  /** @param {{ retry: () => void, use: (choice: Choice) => void }} actions */
  constructor({ retry, use }) {
    this.#retry = retry;
    this.#use = use;
  }

  /** @param {Pick<Equipped, 'notice' | 'choices' | 'canRetry'>} equipped */
  show({ notice, choices, canRetry }) {
    write(this.#notice, notice);
    this.#notice.hidden = notice === '';
    const focused = this.#view.contains(document.activeElement);
    this.#view.replaceChildren(
      ...(canRetry ? [button('Try again', 'retry-devices', this.#retry)] : []),
      ...choices.map((choice) => button(`Use ${isolate(inOneLine(choice.label))}`, `use-${choice.kind}`, () => this.#use(choice))),
    );
    this.#view.hidden = this.#view.childElementCount === 0;
    const next = this.#view.querySelector('button') ?? part('call-room', HTMLElement);
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
  element.className = 'button small';
  element.dataset.testid = id;
  write(element, label);
  element.onclick = press;
  return element;
}
