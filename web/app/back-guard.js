import { part } from './page.js';

/**
 * Asks before the browser's *Back* ends a call. The call has an entry of its own in the tab's history, so that going back stays
 * on this page.
 */
export class BackGuard {
  #dialog = part('leave-dialog', HTMLDialogElement);
  /** Of the page in the call. @type {string | null} */
  #address = null;

  /**
   * @param {() => boolean} isInCall
   * @param {() => void} leave the call, or what is left of it
   */
  constructor(isInCall, leave) {
    window.addEventListener('popstate', () => {
      if (isCall()) return;
      if (!isInCall()) return leave();
      history.forward();
      if (!this.#dialog.open) this.#dialog.showModal();
    });
    part('leave', HTMLButtonElement).addEventListener('click', leave);
    // Another link that was typed into the address is no step back, from which one could go forward.
    this.#dialog.addEventListener('close', () => {
      if (this.#address !== null && !isCall()) history.replaceState({ call: true }, '', this.#address);
    });
  }

  /** The call begins, or continues after a reload. @param {string} address */
  enter(address) {
    this.#address = address;
    if (isCall()) this.show(address);
    else history.pushState({ call: true }, '', address);
  }

  /** @param {string} address of the page in the call */
  show(address) {
    this.#address = address;
    history.replaceState(history.state, '', address);
  }

  /** @param {string} address of the form */
  exit(address) {
    this.#address = null;
    this.#dialog.close();
    history.replaceState(null, '', address);
  }
}

function isCall() {
  return Boolean(history.state?.call);
}
