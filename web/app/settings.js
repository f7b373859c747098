import { Pickers } from './devices/pickers.js';
import { fillPicker } from './languages/document.js';
import { part } from './page.js';
import { soundsOn, switchSounds } from './sounds.js';

/** @import { Equipped } from './devices/equipped.js' */
/** @import { Kind } from './devices/media.js' */

/** What can be changed in the call: camera, microphone and speaker, and whether the page makes sounds. */
export class Settings {
  #dialog = part('settings-dialog', HTMLDialogElement);
  #pickers;

  /** @param {(kind: Kind, deviceId: string) => void} choose a device */
  constructor(choose) {
    this.#pickers = new Pickers(part('settings-pickers', HTMLElement), choose);
    const sounds = part('sounds', HTMLInputElement);
    sounds.checked = soundsOn();
    sounds.addEventListener('change', () => switchSounds(sounds.checked));
    fillPicker(part('settings-language', HTMLSelectElement));
    part('settings', HTMLElement).addEventListener('click', () => this.#dialog.showModal());
  }

  /** @param {Equipped} equipped */
  show(equipped) {
    void this.#pickers.show(equipped);
  }

  close() {
    this.#dialog.close();
  }
}
