import { part } from './page.js';

/**
 * Asks before the browser's *Back* ends a call. The call has an entry of its own in the tab's history, so that going back stays
 * on this page.
 */
export class BackGuard {
  #dialog = part('leave-dialog', HTMLDialogElement);

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
  }

  /** The call begins, or continues after a reload. @param {string} address */
  enter(address) {
    if (isCall()) this.show(address);
    else history.pushState({ call: true }, '', address);
  }

  /** @param {string} address of the page in the call */
  show(address) {
    history.replaceState(history.state, '', address);
  }

  /** @param {string} address of the form */
  exit(address) {
    this.#dialog.close();
    history.replaceState(null, '', address);
  }
}

function isCall() {
  return Boolean(history.state?.call);
}
