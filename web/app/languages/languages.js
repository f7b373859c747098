/**
 * The languages of the page, as they call themselves. Each has a catalogue of the same name in this folder.
 *
 * @typedef {{ tag: string, name: string, dir?: 'rtl' }} Language
 * @type {readonly Language[]}
 */
export const LANGUAGES = [
  { tag: 'en', name: 'English' },
  { tag: 'zh-CN', name: '简体中文' },
  { tag: 'es', name: 'Español' },
  { tag: 'fr', name: 'Français' },
  { tag: 'de', name: 'Deutsch' },
  { tag: 'ja', name: '日本語' },
  { tag: 'ar', name: 'العربية', dir: 'rtl' },
];

/**
 * The first language that the user knows and the page speaks; English if there is none.
 *
 * @param {readonly string[]} wanted tags, the preferred ones first
 * @returns {Language}
 */
export function choose(wanted) {
  for (const tag of wanted) {
    const found = LANGUAGES.find((one) => one.tag === tag) ?? LANGUAGES.find((one) => primary(one.tag) === primary(tag));
    if (found) return found;
  }
  return LANGUAGES[0];
}

/** How a language is written. @param {string} tag @returns {'ltr' | 'rtl'} */
export function directionOf(tag) {
  return LANGUAGES.find((one) => one.tag === tag)?.dir ?? 'ltr';
}

/** @param {string} tag */
function primary(tag) {
  return tag.split('-')[0].toLowerCase();
}
