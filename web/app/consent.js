/** A click or key press that was meant for the page before this one comes sooner. */
const SETTLE_MS = 500;

/**
 * Does the user want this? Camera, microphone and a seat in a room need a click or a key, which no link and no other site can give.
 * Browsers without `userActivation` are believed.
 */
export function isWanted() {
  return navigator.userActivation?.isActive ?? true;
}

/** Resolves once the page has been in view for a moment. */
export async function inView() {
  while (document.hidden) await new Promise((resolve) => document.addEventListener('visibilitychange', resolve, { once: true }));
  // An animation, unlike a timer, starts with the first picture.
  await document.body.animate?.(null, SETTLE_MS).finished;
}
