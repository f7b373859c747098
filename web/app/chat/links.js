/** Up to white space, quotes, and characters that are invisible or turn the text around. */
const LINK = /\bhttps?:\/\/[^\s<>"\u0000-\u001f\u007f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+/giu;
/** Ends a sentence rather than a link. */
const AFTER = /[.,;:!?'’”»…*_]+$/u;

/**
 * Splits a text into links and what is between them. Only http and https are links: anything else could run code or start programs.
 *
 * @param {string} text
 * @returns {{ text: string, href?: string }[]}
 */
export function linksIn(text) {
  /** @type {{ text: string, href?: string }[]} */
  const found = [];
  let end = 0;
  for (const { 0: raw, index } of text.matchAll(LINK)) {
    const link = trimmed(raw);
    if (!isLink(link)) continue;
    if (index > end) found.push({ text: text.slice(end, index) });
    found.push({ text: link, href: link });
    end = index + link.length;
  }
  if (end < text.length) found.push({ text: text.slice(end) });
  return found;
}

/** Without what belongs to the sentence: its full stop, and a bracket that was opened before the link. @param {string} raw */
function trimmed(raw) {
  for (let link = raw; ; ) {
    const shorter = link.replace(AFTER, '');
    const next = /[)\]]$/.test(shorter) && !isBalanced(shorter) ? shorter.slice(0, -1) : shorter;
    if (next === link) return link;
    link = next;
  }
}

/** @param {string} link */
function isBalanced(link) {
  const count = (/** @type {string} */ one) => link.split(one).length;
  return count('(') >= count(')') && count('[') >= count(']');
}

/** @param {string} link */
function isLink(link) {
  try {
    const { protocol, hostname, username, password } = new URL(link);
    // With a user name, https://bank.example@evil.example looks like another site.
    return (protocol === 'https:' || protocol === 'http:') && hostname !== '' && !username && !password;
  } catch {
    return false;
  }
}
