import { part } from './page.js';

/** The two switches for one's own sound and picture. */
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
 * @param {[string, string]} labels while it is on, and while it is off
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
