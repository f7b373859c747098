import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { afterEach, test } from 'node:test';

import common from '../../../web/app/languages/en.js';
import { LANGUAGES, choose } from '../../../web/app/languages/languages.js';
import { list, say, speak } from '../../../web/app/languages/say.js';
import files from '../../../web/app/languages/files/en.js';
import trouble from '../../../web/app/languages/trouble/en.js';
import { summarize } from '../../../web/app/words.js';

const FOLDER = new URL('../../../web/app/languages/', import.meta.url);
const english = { ...common, ...trouble, ...files };
const partsOf = async (tag) => Promise.all(['', 'trouble/', 'files/'].map(async (folder) => (await import(`${FOLDER}${folder}${tag}.js`)).default));
const catalogues = await Promise.all(LANGUAGES.map(async ({ tag }) => ({ tag, parts: await partsOf(tag) })));
for (const one of catalogues) one.catalogue = Object.assign({}, ...one.parts);
const of = (tag) => catalogues.find((one) => one.tag === tag).catalogue;
const forms = (message) => (typeof message === 'string' ? [message] : Object.values(message));
const placeholders = (text) => [...new Set([...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name))].sort();

afterEach(() => speak('en', english));

// ---- Catalogues ----------------------------------------------------------------------------------------------------

test('each language has all catalogues, and each catalogue is listed', () => {
  const others = ['document.js', 'files', 'languages.js', 'say.js', 'trouble'];
  for (const folder of [FOLDER, new URL('trouble/', FOLDER), new URL('files/', FOLDER)]) {
    const files = readdirSync(folder).filter((file) => !others.includes(file));
    assert.deepEqual(files.sort(), LANGUAGES.map(({ tag }) => `${tag}.js`).sort());
  }
});

test('no key is in two catalogues, and each is in the same one in all languages', () => {
  for (const { tag, parts } of catalogues) parts.forEach((part, at) => assert.deepEqual(Object.keys(part).sort(), Object.keys([common, trouble, files][at]).sort(), tag));
  assert.equal(Object.keys(english).length, [common, trouble, files].reduce((sum, one) => sum + Object.keys(one).length, 0));
});

/** What is wrong with a catalogue. */
function faults(tag, catalogue) {
  const missing = Object.keys(english).filter((key) => !Object.hasOwn(catalogue, key)).map((key) => `no ${key}`);
  const surplus = Object.keys(catalogue).filter((key) => !Object.hasOwn(english, key)).map((key) => `unknown ${key}`);
  const known = Object.entries(catalogue).filter(([key]) => Object.hasOwn(english, key));
  return [...missing, ...surplus, ...known.flatMap(([key, message]) => faultsOf(tag, key, message))];
}

function faultsOf(tag, key, message) {
  const wanted = placeholders(forms(english[key])[0]);
  const empty = forms(message).some((text) => text.trim() === '');
  const differs = forms(message).some((text) => String(placeholders(text)) !== String(wanted));
  const categories = typeof english[key] === 'string' ? null : [...new Intl.PluralRules(tag).resolvedOptions().pluralCategories].sort();
  const plural = typeof message === 'string' ? null : Object.keys(message).sort();
  return [
    ...(empty ? [`empty ${key}`] : []),
    ...(differs ? [`placeholders of ${key}`] : []),
    ...(String(categories) === String(plural) ? [] : [`forms of ${key}: ${plural}, not ${categories}`]),
  ];
}

for (const { tag, catalogue } of catalogues) {
  test(`${tag}: all messages, with the placeholders and the plural forms they need, and no others`, () => {
    assert.deepEqual(faults(tag, catalogue), []);
  });
}

test('faults are found', () => {
  const { mute, ...less } = of('de');
  assert.ok(mute);
  assert.deepEqual(faults('de', less), ['no mute']);
  assert.deepEqual(faults('de', { ...of('de'), extra: 'mehr' }), ['unknown extra']);
  assert.deepEqual(faults('de', { ...of('de'), mute: ' ' }), ['empty mute']);
  assert.deepEqual(faults('de', { ...of('de'), joined: '{nmae} ist da' }), ['placeholders of joined']);
  assert.deepEqual(faults('ar', { ...of('ar'), 'last-messages': { one: '{count}', other: '{count}' } }).length, 1);
  assert.deepEqual(faults('de', { ...of('de'), 'last-messages': '{count}' }).length, 1);
});

test('no language repeats the English sentences', () => {
  for (const { tag, catalogue } of catalogues.filter(({ tag }) => tag !== 'en')) {
    const same = Object.keys(english).filter((key) => forms(english[key])[0].replace(/\{\w+\}/g, '').trim().includes(' ') && forms(catalogue[key])[0] === forms(english[key])[0]);
    assert.deepEqual(same, [], tag);
  }
});

// ---- Messages ------------------------------------------------------------------------------------------------------

test('a message has the plural form of its language', () => {
  assert.equal(say('calling-you', { names: 'Ben', count: 1 }), 'Ben is calling');
  assert.equal(say('calling-you', { names: 'Ben and Cem', count: 2 }), 'Ben and Cem are calling');
  const seconds = (tag, ...counts) => (speak(tag, of(tag)), counts.map((count) => say('full-seconds', { count })));
  const arabic = seconds('ar', 0, 1, 2, 3, 11, 100);
  assert.equal(new Set(arabic).size, 6);
  assert.match(arabic[2], /ثانيتين/);
  assert.match(arabic[3], /3 ثوانٍ/);
  assert.match(seconds('zh-CN', 1)[0], /1 秒/);
  speak('de', of('de'));
  assert.equal(say('calling-you', { names: 'Ben', count: 1 }), 'Ben ruft an');
  assert.equal(say('calling-you', { names: list(['Ben', 'Cem']), count: 2 }), 'Ben und Cem rufen an');
});

test('what a catalogue lacks is said in English, in its plural form', () => {
  speak('ar', {});
  assert.equal(say('joined', { name: 'Ben' }), 'Ben joined');
  assert.equal(say('last-messages', { count: 2 }), 'Only the last 2 messages are kept.');
});

test('a value is inserted as it is, whatever it looks like', () => {
  assert.equal(say('waiting-after', { news: '{news} $& {name}' }), '{news} $& {name} – waiting for somebody to join');
});

test('from right to left, what is written from left to right is isolated, once', () => {
  assert.equal(say('ice-silent', { host: 'turn.example:3478', protocol: 'UDP' }), 'turn.example:3478 does not respond over UDP');
  speak('ar', of('ar'));
  assert.match(say('ice-silent', { host: 'turn.example:3478', protocol: 'UDP' }), /\u2068turn\.example:3478\u2069.*\u2068UDP\u2069/);
  assert.equal(say('joined', { name: '\u2068Ben\u2069' }), of('ar').joined.replace('{name}', '\u2068Ben\u2069'));
});

test('in messages from right to left, the operator’s options are isolated, or their dashes would be at the wrong end', () => {
  const options = Object.values(of('ar')).flatMap(forms).flatMap((text) => [...text.matchAll(/.?--[a-z-]+.?/gu)].map(([option]) => option));
  assert.ok(options.length > 5);
  assert.deepEqual(options.filter((option) => !/^\u2068.*\u2069$/.test(option)), []);
});

test('problems are worded by their slug, and the others in the words of the server', () => {
  const refused = (slug) => summarize({ phase: 'refused', refusal: { slug, message: 'M.', action: 'A.' }, links: [], news: '' }).text;
  assert.equal(refused('rate-limited'), 'M. A.', 'the server speaks English');
  speak('fr', of('fr'));
  assert.equal(refused('rate-limited'), of('fr')['rate-limited']);
  assert.equal(refused('room-locked'), of('fr')['room-locked']);
  assert.equal(refused('ticket-signature'), of('fr')['ticket-invalid']);
  assert.equal(refused('host-refused'), 'M. A.');
  assert.equal(refused('mute'), 'M. A.', 'a key that is no problem');
});

test('the language is the first that the user knows and the page speaks', () => {
  const chosen = (...wanted) => choose(wanted).tag;
  assert.equal(chosen('zh-CN', 'en'), 'zh-CN');
  assert.equal(chosen('pt-BR', 'fr-CA', 'en'), 'fr');
  assert.equal(chosen('ar-EG'), 'ar');
  assert.equal(chosen('en-GB', 'de'), 'en');
  assert.equal(chosen('zh'), 'zh-CN');
  assert.equal(chosen('', 'tlh'), 'en');
  assert.equal(chosen(), 'en');
});

// ---- The English in the HTML ---------------------------------------------------------------------------------------

const PAGES = ['index.html', 'network-test.html'].map((name) => readFileSync(new URL(`../${name}`, FOLDER), 'utf8'));
const html = PAGES.join('');
const ATTRIBUTES = { 'data-say-label': 'aria-label', 'data-say-placeholder': 'placeholder', 'data-say-content': 'content' };

test('the English in the HTML is that of the catalogue', () => {
  const texts = [...html.matchAll(/<[a-z0-9]+ (?:[^>]* )?data-say="([^"]*)"[^>]*>([^<]*)</g)];
  assert.ok(texts.length > 80, `${texts.length} texts`);
  for (const [, key, text] of texts) assert.equal(text, english[key], key);
  for (const [mark, attribute] of Object.entries(ATTRIBUTES)) {
    for (const [tag, key] of html.matchAll(new RegExp(`<[^>]* ${mark}="([^"]*)"[^>]*>`, 'g'))) {
      assert.equal(tag.match(new RegExp(` ${attribute}="([^"]*)"`))?.[1], english[key], key);
    }
  }
});

test('without JavaScript each page says so in all languages', () => {
  for (const page of PAGES) {
    const notice = /<noscript><div[^>]*>(.*?)<\/div><\/noscript>/s.exec(page)?.[1] ?? '';
    const said = [...notice.matchAll(/<p lang="([^"]*)"(?: dir="([^"]*)")?>([^<]*)<\/p>/g)].map(([, tag, dir, text]) => [tag, dir, text]);
    assert.deepEqual(said, LANGUAGES.map(({ tag, dir }) => [tag, dir, of(tag)['needs-script']]));
  }
});

/** A brand, keys, and what scripts write over. */
const LITERAL = /^(Signalpost|·|[MVTHC?]|0 messages)$/;

test('no text in the HTML is without a key', () => {
  const body = PAGES.map((page) => page.slice(page.indexOf('<body'))).join('').replace(/<noscript>.*?<\/noscript>|<!--.*?-->/gs, '');
  const bare = [...body.matchAll(/<([a-z0-9]+[^>]*)>([^<]+)|<\/[^>]*>([^<]+)/g)]
    .filter(([, tag = '']) => !tag.includes('data-say="')).map(([, , one, other]) => (one ?? other).trim()).filter(Boolean);
  assert.deepEqual(bare.filter((text) => !LITERAL.test(text)), []);
});
