import { Pickers } from './devices/pickers.js';
import { part } from './page.js';

/** @import { Equipped } from './devices/equipped.js' */
/** @import { Kind } from './devices/media.js' */

/** What can be changed in the call: camera, microphone and speaker. */
export class Settings {
  #dialog = part('settings-dialog', HTMLDialogElement);
  #pickers;

  /** @param {(kind: Kind, deviceId: string) => void} choose a device */
  constructor(choose) {
    this.#pickers = new Pickers(part('settings-pickers', HTMLElement), choose);
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
