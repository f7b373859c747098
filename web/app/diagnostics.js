import { show } from './languages/document.js';
import { escaped, nameOf } from './names.js';
import { copyOf, inside, part } from './page.js';

/** @import { Flow } from './panel/flow.js' */
/** @import { Panel } from './panel/panel.js' */
/** @import { Call, Room, WireEntry } from '../client/types.d.ts' */

const KEPT = 300;

/** For calls that do not work: the route of the media, what prevents it, and the signaling messages. */
export class Diagnostics {
  /** Loaded with the first call. @type {Panel | null} */
  #panel = null;
  #isMissing = false;
  /** @type {Call | null} */
  #call = null;
  #wire = part('wire', HTMLOListElement);
  #count = part('wire-count', HTMLElement);
  #seen = 0;

  constructor() {
    const view = part('diagnostics', HTMLDetailsElement);
    // It opens below the pictures, out of view.
    view.addEventListener('toggle', () => view.open && view.scrollIntoView());
  }

  /** The panel's contents, for programs. */
  get report() {
    return this.#panel?.report ?? [];
  }

  /**
   * @param {Room} room
   * @param {Call} call
   * @param {(id: string, flow: Partial<Flow>) => void} tell of each connection, once a second
   */
  follow(room, call, tell) {
    this.#call = call;
    room.on('wire', (entry) => this.#add(room, entry));
    import('./panel/panel.js').then((loaded) => {
      this.#missing(false);
      this.#panel ??= new loaded.Panel();
      if (call === this.#call) this.#panel.follow(room, call, tell);
    }, () => this.#missing(call === this.#call));
  }

  /** @param {boolean} isMissing whether the panel did not load for this call */
  #missing(isMissing) {
    if (this.#panel || isMissing === this.#isMissing) return;
    this.#isMissing = isMissing;
    part('no-connection', HTMLElement).hidden = isMissing;
    const ways = part('ways', HTMLElement);
    if (isMissing) return show(ways, 'not-loaded');
    delete ways.dataset.say;
    ways.replaceChildren();
  }

  clear() {
    this.#call = null;
    this.#missing(false);
    this.#panel?.clear();
    this.#seen = 0;
    this.#wire.replaceChildren();
    show(this.#count, 'wire-count', { count: 0 });
  }

  /**
   * @param {Room} room
   * @param {WireEntry} entry
   */
  #add(room, { direction, peer, type, at, message, refused }) {
    const row = copyOf('wire-entry');
    row.dataset.direction = direction;
    row.dataset.type = type;
    const other = peer === null ? null : room.peers.get(peer);
    inside(row, 'time').textContent = new Date(at).toLocaleTimeString([], { hour12: false });
    show(inside(row, 'direction'), direction === 'in' ? 'wire-from' : 'wire-to');
    if (peer === null) show(inside(row, 'peer'), direction === 'out' ? 'wire-all' : 'wire-server');
    else inside(row, 'peer').textContent = other ? nameOf(other) : peer.slice(0, 8);
    inside(row, 'type').textContent = type;
    if (refused) show(inside(row, 'refused'), `refused-${refused}`);
    inside(row, 'size').textContent = size(JSON.stringify(message).length);
    inside(row, 'content').textContent = readable(message);
    this.#wire.prepend(row);
    if (this.#wire.childElementCount > KEPT) this.#wire.lastElementChild?.remove();
    this.#seen += 1;
    show(this.#count, 'wire-count', { count: this.#seen });
  }
}

/** SDP line by line, or JSON, with invisible characters and direction marks escaped. @param {WireEntry['message']} message */
function readable(message) {
  return escaped('sdp' in message ? message.sdp : JSON.stringify(message, null, 2));
}

/** @param {number} characters */
function size(characters) {
  return characters < 1_000 ? `${characters} B` : `${(characters / 1_000).toFixed(1)} kB`;
}
