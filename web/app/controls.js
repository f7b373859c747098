import { inOneLine, isolate } from './names.js';
import { part, write } from './page.js';

/** @import { Choice } from './equipment.js' */

/** The buttons for the user's own microphone and camera. */
export class Controls {
  #microphone = part('microphone', HTMLButtonElement);
  #camera = part('camera', HTMLButtonElement);

  /**
   * @param {MediaStream | null} stream
   * @param {() => void} changed
   */
  follow(stream, changed) {
    wire(this.#microphone, stream?.getAudioTracks() ?? [], ['Mute', 'Unmute'], 'microphone', changed);
    wire(this.#camera, stream?.getVideoTracks() ?? [], ['Camera off', 'Camera on'], 'camera', changed);
  }
}

/**
 * @param {HTMLButtonElement} button
 * @param {MediaStreamTrack[]} tracks
 * @param {[string, string]} labels while on, while off
 * @param {string} icon
 * @param {() => void} changed
 */
function wire(button, tracks, labels, icon, changed) {
  const show = () => {
    const off = tracks.some(({ enabled }) => !enabled);
    button.hidden = tracks.length === 0;
    button.dataset.off = String(off);
    const [use, label] = [button.querySelector('use'), button.querySelector('span')];
    use?.setAttribute('href', `#icon-${icon}${off ? '-off' : ''}`);
    if (label) label.textContent = labels[off ? 1 : 0];
  };
  button.onclick = () => {
    for (const track of tracks) track.enabled = !track.enabled;
    show();
    changed();
  };
  show();
}

/** Buttons for the devices that could replace a missing one. */
export class DeviceChoices {
  #view = part('device-choices', HTMLElement);

  /**
   * @param {Choice[]} choices
   * @param {(choice: Choice) => void} use
   */
  show(choices, use) {
    this.#view.hidden = choices.length === 0;
    this.#view.replaceChildren(...choices.map((choice) => {
      const button = document.createElement('button');
      button.className = 'button small';
      button.dataset.testid = `use-${choice.kind}`;
      write(button, `Use ${isolate(inOneLine(choice.label))}`);
      button.onclick = () => use(choice);
      return button;
    }));
  }
}
