import { Controls, DeviceNotice, showExtra } from './controls.js';
import { NOTHING } from './devices/equipped.js';
import { Keyboard } from './keyboard.js';
import { part } from './page.js';
import { PushToTalk } from './push-to-talk.js';
import { Settings } from './settings.js';

/** @import { Choice } from './devices/choices.js' */
/** @import { Equipped } from './devices/equipped.js' */
/** @import { Kind } from './devices/media.js' */
/** @import { Extra } from './devices/news.js' */

/**
 * What users can do with their own devices.
 *
 * @typedef {object} Devices
 * @property {(kind: Kind, on: boolean) => void} turn
 * @property {() => void} retry
 * @property {(choice: Pick<Choice, 'kind' | 'deviceId'>) => void} use
 * @property {() => void} share a screen, or stop
 * @property {() => void} hand raise or lower it
 */

/** The user's own devices in the call: their buttons and shortcuts, the dialog *Devices*, and what is wrong with them. */
export class DeviceControls {
  #controls;
  #notice;
  #settings;
  #keyboard;

  /**
   * @param {Devices} devices
   * @param {() => void} write what the shortcut for the chat does
   */
  constructor(devices, write) {
    const controls = new Controls(devices.turn);
    this.#controls = controls;
    this.#notice = new DeviceNotice(devices);
    this.#settings = new Settings((kind, deviceId) => devices.use({ kind, deviceId }));
    const talk = new PushToTalk(() => controls.isOff('audio'), (on) => devices.turn('audio', on));
    this.#keyboard = new Keyboard({
      ...{ microphone: () => controls.toggle('audio'), camera: () => controls.toggle('video'), chat: write },
      ...{ hand: devices.hand, talk: () => talk.press() },
    }, () => talk.release());
    part('share-screen', HTMLElement).addEventListener('click', devices.share);
    part('hand', HTMLElement).addEventListener('click', devices.hand);
  }

  /** @param {Equipped} equipped */
  show(equipped) {
    this.#controls.show(equipped.status);
    this.#notice.show(equipped);
    this.#settings.show(equipped);
  }

  /** @param {Extra | null} extra null if the call is over */
  showExtra(extra) {
    showExtra(extra);
  }

  closeDialogs() {
    this.#settings.close();
    this.#keyboard.close();
  }

  /** The call is over. */
  clear() {
    this.#controls.show(NOTHING.status);
    this.#notice.show(NOTHING);
    showExtra(null);
    this.closeDialogs();
  }
}
