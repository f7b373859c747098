/** @import { RoomEvent, RoomState, Step } from './room-state.js' */

/** Tells the room's events in the order in which they happened. While it is on hold it keeps them. */
export class EventQueue {
  /** What was known when the last event was told. @type {RoomState} */
  state;
  #tell;
  /** @type {Step[] | null} */
  #held = null;

  /**
   * @param {RoomState} state
   * @param {(event: RoomEvent) => void} tell
   */
  constructor(state, tell) {
    this.state = state;
    this.#tell = tell;
  }

  get onHold() {
    return this.#held !== null;
  }

  hold() {
    this.#held ??= [];
  }

  release() {
    const held = this.#held ?? [];
    this.#held = null;
    for (const step of held) this.put(step);
  }

  /** @param {Step} step */
  put(step) {
    if (this.#held) return void this.#held.push(step);
    this.state = step.state;
    for (const event of step.events) this.#tell(event);
  }
}
