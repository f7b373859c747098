import { inside } from '../page.js';

/**
 * What is recorded at a moment: pictures with the names of who sends them, and sound.
 *
 * @typedef {{ video: HTMLVideoElement | null, name: string, isScreen: boolean }} Picture
 * @typedef {{ pictures: Picture[], sound: MediaStreamTrack[] }} Scene
 * @typedef {{ peer: string, screen: string | undefined }} Only the one tile to record
 *
 * What a recording needs of the call: the room's name, the screen that the user shares, and to tell the others.
 * @typedef {{ room: () => string, screen: () => MediaStream | null, tell: (on: boolean) => void }} Recorded
 */

/** What the call shows, and the user's own shared screen, which has no tile. */
export class SceneReader {
  #stage;
  #only;
  #screen;
  /** Plays the own screen. */
  #video = Object.assign(document.createElement('video'), { muted: true, playsInline: true });

  /**
   * @param {HTMLElement} stage
   * @param {Only | null} only
   * @param {() => MediaStream | null} screen the own one
   */
  constructor(stage, only, screen) {
    this.#stage = stage;
    this.#only = only;
    this.#screen = screen;
  }

  /** @returns {Scene} */
  read() {
    const tiles = [...this.#stage.querySelectorAll('.tile')].map((tile) => /** @type {HTMLElement} */ (tile)).filter((tile) => this.#isWanted(tile));
    const sound = tiles.flatMap((tile) => soundOf(videoOf(tile).srcObject));
    const own = this.#only ? null : this.#ownScreen();
    return { pictures: [...tiles.map(pictureOf), ...(own ? [own] : [])], sound: own ? [...sound, ...soundOf(this.#video.srcObject)] : sound };
  }

  close() {
    this.#video.srcObject = null;
  }

  /** @param {HTMLElement} tile */
  #isWanted({ dataset }) {
    return !this.#only || (dataset.peer === this.#only.peer && dataset.screen === this.#only.screen);
  }

  /** @returns {Picture | null} */
  #ownScreen() {
    const stream = this.#screen();
    if (this.#video.srcObject !== stream) {
      this.#video.srcObject = stream;
      if (stream) void this.#video.play().catch(() => {});
    }
    return stream && { video: this.#video, name: '', isScreen: true };
  }
}

/** @param {HTMLElement} tile @returns {Picture} */
function pictureOf(tile) {
  const video = videoOf(tile);
  const isShown = !video.hidden && tile.dataset.camera !== 'off' && tile.dataset.camera !== 'missing';
  return { video: isShown ? video : null, name: tile.dataset.name ?? inside(tile, 'name').textContent ?? '', isScreen: tile.dataset.screen === 'true' };
}

/** @param {HTMLElement} tile */
function videoOf(tile) {
  return /** @type {HTMLVideoElement} */ (tile.querySelector('video'));
}

/** @param {MediaProvider | null} source */
function soundOf(source) {
  return source instanceof MediaStream ? source.getAudioTracks() : [];
}
