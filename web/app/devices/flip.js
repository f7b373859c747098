import { part } from '../page.js';

/** @import { Equipped } from './equipped.js' */
/** @import { Kind } from './media.js' */

/** @typedef {Pick<MediaDeviceInfo, 'kind' | 'deviceId'> & { getCapabilities?: () => { facingMode?: string[] } }} Device */

/**
 * The camera on the other side of a phone, which may have several on its back: the first that the browser lists. Where the browser does not
 * tell the sides, the next one. Null if there is no other.
 *
 * @param {Device[]} devices
 * @param {string | undefined} used id of the one in use
 * @returns {string | null}
 */
export function otherCamera(devices, used) {
  const cameras = devices.filter(({ kind, deviceId }) => kind === 'videoinput' && deviceId !== '');
  const at = cameras.findIndex(({ deviceId }) => deviceId === used);
  if (at < 0 || cameras.length < 2) return null;
  const sides = cameras.map((camera) => camera.getCapabilities?.().facingMode?.[0]);
  const across = sides.findIndex((side) => side !== undefined && sides[at] !== undefined && side !== sides[at]);
  return cameras[across < 0 ? (at + 1) % cameras.length : across].deviceId;
}

/** The button on one's own picture that switches between a phone's cameras. */
export class Flip {
  #button = part('flip', HTMLButtonElement);
  /** @type {string | undefined} */
  #used;

  /** @param {(kind: Kind, deviceId: string) => void} choose a device */
  constructor(choose) {
    this.#button.addEventListener('click', async () => {
      const other = otherCamera(await cameras(), this.#used);
      if (other) choose('video', other);
    });
  }

  /** @param {Pick<Equipped, 'used' | 'status'>} equipped */
  async show({ used, status }) {
    this.#used = used.get('video');
    // With a mouse, there is the list of cameras.
    const isPhone = matchMedia('(pointer: coarse)').matches;
    this.#button.hidden = !isPhone || status.video !== 'live' || otherCamera(await cameras(), this.#used) === null;
  }
}

async function cameras() {
  return /** @type {Device[]} */ (await navigator.mediaDevices?.enumerateDevices?.().catch(() => []) ?? []);
}
