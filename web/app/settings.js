import { Flip } from './devices/flip.js';
import { Pickers } from './devices/pickers.js';
import { fillPicker } from './languages/document.js';
import { part } from './page.js';
import { preferSent, sentPreference } from './sent/preference.js';
import { soundsOn, switchSounds } from './sounds.js';

/** @import { Equipped } from './devices/equipped.js' */
/** @import { Kind } from './devices/media.js' */

/** What can be changed in the call: camera, microphone and speaker, the picture that is sent, and whether the page makes sounds. */
export class Settings {
  #dialog = part('settings-dialog', HTMLDialogElement);
  #pickers;
  #flip;

  /** @param {(kind: Kind, deviceId: string) => void} choose a device */
  constructor(choose) {
    this.#pickers = new Pickers(part('settings-pickers', HTMLElement), choose);
    this.#flip = new Flip(choose);
    const sent = part('sent-picture', HTMLSelectElement);
    sent.value = sentPreference();
    sent.addEventListener('change', () => preferSent(sent.value));
    const sounds = part('sounds', HTMLInputElement);
    sounds.checked = soundsOn();
    sounds.addEventListener('change', () => switchSounds(sounds.checked));
    fillPicker(part('settings-language', HTMLSelectElement));
    part('settings', HTMLElement).addEventListener('click', () => this.#dialog.showModal());
  }

  /** @param {Equipped} equipped */
  show(equipped) {
    void this.#pickers.show(equipped);
    void this.#flip.show(equipped);
  }

  close() {
    this.#dialog.close();
  }
}
