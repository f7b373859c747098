/**
 * In a page: what cannot be read or pressed as it is shown now. Controls out of the window, over each other, or cut off; text that is
 * wider than what contains it, cut off, out of its button, or over other text.
 *
 * @returns {string[]}
 */
export function faults() {
  const CONTROLS = 'button, input, select, summary, a[href]';
  /** Names that others chose, and the summary of a panel, end in an ellipsis if there is no space. */
  const SHORTENED = '.tile figcaption, .diagnostics > summary .count';
  const found = new Set();
  const complain = (what, element) => found.add(`${what}: ${element.outerHTML.replace(/\s+/g, ' ').slice(0, 110)}`);

  const isUnseen = (element) => element.closest('.unseen, .symbols, option, [hidden], template') || getComputedStyle(element).clipPath !== 'none' || getComputedStyle(element).opacity === '0';
  const isShown = (element) => element.checkVisibility() && !isUnseen(element);
  const cross = (a, b) => ({ left: Math.max(a.left, b.left), right: Math.min(a.right, b.right), top: Math.max(a.top, b.top), bottom: Math.min(a.bottom, b.bottom) });
  const isEmpty = ({ left, right, top, bottom }) => right - left < 1 || bottom - top < 1;

  /** A box as far as what contains it shows it, and what cuts it off for good: scrolling shows the rest. */
  const clipped = (element, given, from = element.parentElement) => {
    let [rest, cutter] = [given, null];
    const box = { left: given.left, right: given.right, top: given.top, bottom: given.bottom };
    for (let around = from; around && around !== document.documentElement; around = around.parentElement) {
      const { overflowX, overflowY, position, display } = getComputedStyle(around);
      const edge = around.getBoundingClientRect();
      if (display !== 'inline' && overflowX !== 'visible') {
        if (['hidden', 'clip'].includes(overflowX) && (box.left < edge.left - 1 || box.right > edge.right + 1)) cutter ??= around;
        if (['hidden', 'clip'].includes(overflowY) && (box.top < edge.top - 2 || box.bottom > edge.bottom + 2)) cutter ??= around;
        rest = cross(rest, edge);
        if (['auto', 'scroll'].includes(overflowX)) Object.assign(box, { left: Math.max(box.left, edge.left), right: Math.min(box.right, edge.right) });
        if (['auto', 'scroll'].includes(overflowY)) Object.assign(box, { top: Math.max(box.top, edge.top), bottom: Math.min(box.bottom, edge.bottom) });
      }
      if (position === 'fixed') break;
    }
    return { rest, cutter };
  };

  const isCall = !document.querySelector('#call')?.hidden && document.querySelector('#call') !== null;
  const dialog = document.querySelector('dialog[open]');
  const callers = document.querySelector('.callers:not([hidden])');
  const root = dialog ?? document.body;
  const inRoot = [...root.querySelectorAll('*')].filter((element) => isShown(element) && !element.closest('svg, canvas, video'));
  /** What lies above all else may cover it, and what sticks to an edge covers what is scrolled under it. */
  const layer = (element) => {
    for (let around = element; around; around = around.parentElement) {
      const { position } = getComputedStyle(around);
      if (around === callers || position === 'sticky' || (isCall && around.matches('.record-note'))) return around;
    }
    return null;
  };

  // ---- Controls ----

  // A link may have a box on each of two lines.
  const controls = inRoot.filter((element) => element.matches(CONTROLS)).flatMap((element) => [...element.getClientRects()].map((box) => ({ element, box })));
  for (const { element, box } of controls) {
    if (box.left < -0.5 || box.right > innerWidth + 0.5) complain('outside the window', element);
    const mustBeInView = isCall && (element.closest('.controls, .callers, .top, dialog form') || (element.closest('.chat-form') && !document.querySelector('#diagnostics[open]')));
    if (mustBeInView && (box.top < -0.5 || box.bottom > innerHeight + 0.5)) complain('below or above the window', element);
    const { rest, cutter } = clipped(element, box);
    if (cutter && !isEmpty(rest) && !element.closest(SHORTENED)) complain('a control is cut off', element);
  }
  const visible = controls.map(({ element, box }) => ({ element, box: clipped(element, box).rest })).filter(({ box }) => !isEmpty(box));
  visible.forEach((one, at) => {
    for (const other of visible.slice(at + 1)) {
      if (one.element === other.element || one.element.contains(other.element) || other.element.contains(one.element) || layer(one.element) !== layer(other.element)) continue;
      const { left, right, top, bottom } = cross(one.box, other.box);
      if (right - left > 1 && bottom - top > 1) complain(`covered by ${other.element.id || other.element.textContent.trim()}`, one.element);
    }
  });

  // ---- Text ----

  const texts = [];
  for (const element of inRoot) {
    if (element.closest('select, pre')) continue;
    const own = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== '');
    if (own.length === 0) continue;
    if (parseFloat(getComputedStyle(element).fontSize) < 12) complain('small text', element);
    for (const node of own) {
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const box of range.getClientRects()) {
        if (box.width < 1) continue;
        const { rest, cutter } = clipped(element, box, element);
        if (cutter && !element.closest(SHORTENED)) complain('text is cut off', element);
        const frame = element.closest('button, .banner, .card, legend, label, th, td, figcaption');
        const edge = frame?.getBoundingClientRect();
        if (edge && !element.closest(SHORTENED) && !element.closest('.scroll') && (box.left < edge.left - 1 || box.right > edge.right + 1)) complain(`text is wider than its ${frame.tagName.toLowerCase()}`, element);
        if (!element.closest('.scroll') && (rest.left < -1 || rest.right > innerWidth + 1)) complain('text out of the window', element);
        // The box of a line is higher than its letters.
        const inset = (rest.bottom - rest.top) * 0.3;
        const letters = { ...cross(rest, rest), top: rest.top + inset, bottom: rest.bottom - inset };
        if (isEmpty(letters)) continue;
        texts.push({ element, box: letters });
        // The initial of a name lies under the picture.
        if (element.matches('.initial')) continue;
        for (const x of [letters.left + 2, letters.right - 2]) {
          const over = document.elementFromPoint(x, (letters.top + letters.bottom) / 2);
          if (over && !element.contains(over) && !over.contains(element) && layer(over) === layer(element)) complain(`text under ${over.id || over.tagName.toLowerCase()}`, element);
        }
      }
    }
    const parent = element.parentElement;
    const { position, display } = getComputedStyle(element);
    if (position === 'static' && display !== 'inline' && parent && !element.closest('.scroll') && element.getBoundingClientRect().width > parent.getBoundingClientRect().width + 1) complain('wider than its parent', element);
  }
  texts.forEach((one, at) => {
    for (const other of texts.slice(at + 1)) {
      if (one.element === other.element || layer(one.element) !== layer(other.element)) continue;
      const { left, right, top, bottom } = cross(one.box, other.box);
      if (right - left > 2 && bottom - top > 2) complain(`text over “${other.element.textContent.trim().slice(0, 20)}”`, one.element);
    }
  });

  if (document.documentElement.scrollWidth > innerWidth) found.add('the page scrolls sideways');
  if (isCall && document.documentElement.scrollHeight > innerHeight + 1) found.add('the call scrolls as a whole');
  return [...found];
}
