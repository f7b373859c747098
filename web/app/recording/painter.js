import { initialOf } from '../names.js';
import { layOut } from '../tile-layout.js';
import { fit } from './fit.js';

/** @import { Box } from '../tile-layout.js' */
/** @import { Picture } from './scene.js' */

const WIDTH = 1280;
const HEIGHT = 720;
const GROUND = '#10161c';
const TILE = '#1b242d';
const AVATAR = '#3a4855';
const FONT = 'system-ui, sans-serif';

/** Draws the tiles of a call into one picture. */
export class Painter {
  #canvas = Object.assign(document.createElement('canvas'), { width: WIDTH, height: HEIGHT });
  #context = /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext('2d', { alpha: false }));

  /** @param {number} framesPerSecond */
  stream(framesPerSecond) {
    return this.#canvas.captureStream(framesPerSecond);
  }

  /** @param {Picture[]} pictures */
  paint(pictures) {
    const context = this.#context;
    context.fillStyle = GROUND;
    context.fillRect(0, 0, WIDTH, HEIGHT);
    const [tiles, screens] = [pictures.filter(({ isScreen }) => !isScreen), pictures.filter(({ isScreen }) => isScreen)];
    const boxes = layOut({ tiles: tiles.length, screens: screens.length, width: WIDTH, height: HEIGHT });
    for (const [at, picture] of [...tiles, ...screens].entries()) this.#draw(picture, [...boxes.tiles, ...boxes.screens][at]);
  }

  /**
   * @param {Picture} picture
   * @param {Box} box
   */
  #draw({ video, name, isScreen }, box) {
    const context = this.#context;
    context.fillStyle = TILE;
    context.fillRect(box.x, box.y, box.width, box.height);
    const { videoWidth: width = 0, videoHeight: height = 0 } = video ?? {};
    if (video && width > 0) {
      const { from, to } = fit({ width, height }, box, isScreen);
      context.drawImage(video, from.x, from.y, from.width, from.height, to.x, to.y, to.width, to.height);
    } else if (!isScreen) {
      this.#avatar(name, box);
    }
    if (name) this.#caption(name, box);
  }

  /**
   * @param {string} name
   * @param {Box} box
   */
  #avatar(name, { x, y, width, height }) {
    const context = this.#context;
    const size = Math.min(160, Math.min(width, height) * 0.4);
    context.fillStyle = AVATAR;
    context.beginPath();
    context.arc(x + width / 2, y + height / 2, size / 2, 0, 2 * Math.PI);
    context.fill();
    this.#write(initialOf(name), x + width / 2, y + height / 2, { size: size / 2, align: 'center' });
  }

  /**
   * @param {string} name
   * @param {Box} box
   */
  #caption(name, { x, y, width, height }) {
    const context = this.#context;
    const size = 18;
    const most = width - 2 * size;
    context.font = `600 ${size}px ${FONT}`;
    const wide = Math.min(most, context.measureText(name).width);
    context.fillStyle = 'rgb(0 0 0 / 65%)';
    context.fillRect(x + size / 2, y + height - size * 2, wide + size, size * 1.5);
    this.#write(name, x + size, y + height - size * 1.25, { size, align: 'left', most });
  }

  /**
   * @param {string} text
   * @param {number} x
   * @param {number} y
   * @param {{ size: number, align: CanvasTextAlign, most?: number }} how
   */
  #write(text, x, y, { size, align, most }) {
    const context = this.#context;
    Object.assign(context, { font: `600 ${size}px ${FONT}`, fillStyle: '#ffffff', textAlign: align, textBaseline: 'middle' });
    context.fillText(text, x, y, most);
  }
}
