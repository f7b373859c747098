import { inOneLine } from '../names.js';
import { copyOf, inside } from '../page.js';
import { optionsOf } from './options.js';
import { Preferences } from './preferences.js';
import { canChooseSpeaker, chooseSpeaker } from './speaker.js';

/** @import { Equipped } from './equipped.js' */
/** @import { Kind } from './media.js' */

/** @type {Record<Kind, MediaDeviceKind>} */
const INPUTS = { video: 'videoinput', audio: 'audioinput' };

/** Lists to choose camera, microphone and speaker from. */
export class Pickers {
  #root = copyOf('pickers');
  #preferences = new Preferences();
  /** @type {Map<Kind, string>} */
  #used = new Map();

  /**
   * @param {Element} place
   * @param {(kind: Kind, deviceId: string) => void} choose
   */
  constructor(place, choose) {
    place.replaceWith(this.#root);
    for (const kind of /** @type {Kind[]} */ (['video', 'audio'])) this.#list(kind).onchange = () => choose(kind, this.#list(kind).value);
    this.#list('speaker').onchange = () => void chooseSpeaker(this.#list('speaker').value);
    navigator.mediaDevices?.addEventListener?.('devicechange', () => void this.#fill());
  }

  /** @param {Pick<Equipped, 'used'>} equipped */
  async show({ used }) {
    this.#used = used;
    await this.#fill();
  }

  async #fill() {
    const devices = await navigator.mediaDevices?.enumerateDevices?.().catch(() => []) ?? [];
    const preferred = this.#preferences.all;
    for (const kind of /** @type {Kind[]} */ (['video', 'audio'])) fill(this.#list(kind), INPUTS[kind], devices, this.#used.get(kind) || preferred.get(kind));
    fill(this.#list('speaker'), 'audiooutput', canChooseSpeaker() ? devices : [], preferred.get('speaker'));
  }

  /** @param {Kind | 'speaker'} name */
  #list(name) {
    return /** @type {HTMLSelectElement} */ (inside(this.#root, name));
  }
}

/**
 * @param {HTMLSelectElement} list
 * @param {MediaDeviceKind} kind
 * @param {MediaDeviceInfo[]} devices
 * @param {string | undefined} used
 */
function fill(list, kind, devices, used) {
  const options = optionsOf(kind, devices, used);
  /** @type {HTMLElement} */ (list.parentElement).hidden = options.length === 0;
  const key = JSON.stringify(options);
  // An open list must not close.
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  list.replaceChildren(...options.map(({ value, label, selected }) => new Option(inOneLine(label), value, selected, selected)));
}
