import { copyOf, inside, part } from './page.js';
import { nameOf } from './visit.js';

/** @import { Call, Link, Room, WireEntry } from '../client/types.d.ts' */

const KEPT = 300;
const REFRESH_MS = 1_000;

/** What a developer wants to know when a call does not work: what was said, and where it flows. */
export class Diagnostics {
  #view = part('diagnostics', HTMLDetailsElement);
  #wire = part('wire', HTMLOListElement);
  #count = part('wire-count', HTMLElement);
  #connections = part('connections', HTMLTableSectionElement);
  /** @type {Call | null} */
  #call = null;
  #seen = 0;

  constructor() {
    this.#view.addEventListener('toggle', () => void this.#refresh());
  }

  /**
   * @param {Room} room
   * @param {Call} call
   */
  follow(room, call) {
    this.#call = call;
    room.on('wire', (entry) => this.#add(room, entry));
    void this.#refresh();
  }

  clear() {
    this.#call = null;
    this.#seen = 0;
    this.#wire.replaceChildren();
    this.#connections.replaceChildren();
    this.#count.textContent = '0 messages';
  }

  /**
   * @param {Room} room
   * @param {WireEntry} entry
   */
  #add(room, { direction, peer, type, at, message }) {
    const row = copyOf('wire-entry');
    row.dataset.direction = direction;
    row.dataset.type = type;
    const other = peer === null ? null : room.peers.get(peer);
    const everybody = direction === 'out' ? 'all' : 'server';
    inside(row, 'time').textContent = new Date(at).toLocaleTimeString([], { hour12: false });
    inside(row, 'direction').textContent = direction === 'in' ? 'from' : 'to';
    inside(row, 'peer').textContent = peer === null ? everybody : other ? nameOf(other) : peer.slice(0, 8);
    inside(row, 'type').textContent = type;
    inside(row, 'size').textContent = size(JSON.stringify(message).length);
    inside(row, 'content').textContent = readable(message);
    this.#wire.prepend(row);
    if (this.#wire.childElementCount > KEPT) this.#wire.lastElementChild?.remove();
    this.#seen += 1;
    this.#count.textContent = `${this.#seen} ${this.#seen === 1 ? 'message' : 'messages'}`;
  }

  /** As long as somebody looks. */
  async #refresh() {
    if (!this.#view.open || !this.#call) return;
    const rows = await Promise.all([...this.#call.links.values()].map(connectionRow));
    this.#connections.replaceChildren(...rows);
    setTimeout(() => void this.#refresh(), REFRESH_MS);
  }
}

/** @param {Link} link */
async function connectionRow({ peer, state, pc }) {
  const row = document.createElement('tr');
  const { path, roundTrip } = pc ? await route(pc) : { path: '–', roundTrip: '–' };
  for (const text of [nameOf(peer), state, path, roundTrip]) row.insertCell().textContent = text;
  return row;
}

/**
 * Which way the packets go: straight (`host`), through address translation (`srflx`, `prflx`) or through a relay.
 *
 * @param {RTCPeerConnection} pc
 */
async function route(pc) {
  const stats = await pc.getStats();
  const all = /** @type {Map<string, any>} */ (/** @type {unknown} */ (stats));
  const reports = [...all.values()];
  const chosen = reports.find(({ type }) => type === 'transport')?.selectedCandidatePairId;
  const pair = all.get(chosen) ?? reports.find(({ type, nominated }) => type === 'candidate-pair' && nominated);
  const [local, remote] = [all.get(pair?.localCandidateId), all.get(pair?.remoteCandidateId)];
  if (!local || !remote) return { path: '–', roundTrip: '–' };
  const protocol = local.relayProtocol ?? local.protocol;
  const roundTrip = Math.round((pair.currentRoundTripTime ?? 0) * 1000);
  return { path: `${local.candidateType} – ${remote.candidateType} (${protocol})`, roundTrip: `${roundTrip} ms` };
}

/** SDP line by line, the rest as JSON. @param {WireEntry['message']} message */
function readable(message) {
  return 'sdp' in message ? message.sdp : JSON.stringify(message, null, 2);
}

/** @param {number} characters */
function size(characters) {
  return characters < 1_000 ? `${characters} B` : `${(characters / 1_000).toFixed(1)} kB`;
}
