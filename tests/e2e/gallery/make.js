// Pictures of every state of the page, in all sizes, schemes and languages, in target/gallery with an index.html to look at.
//
//   node tests/e2e/gallery/make.js               all scenes
//   node tests/e2e/gallery/make.js form many     some
import { mkdir, readdir, writeFile } from 'node:fs/promises';

import { faults } from './boxes.js';
import { LANGUAGES, SCHEMES, SIZES, eachLook } from './looks.js';
import { SCENES, world } from './scenes.js';

const folder = new URL('../../../target/gallery/', import.meta.url);
const fileOf = (name, { size, scheme, language }) => `${name}.${size}.${scheme}.${language}.png`;

async function pictures(scene, room) {
  for await (const [name, page] of scene(room)) {
    await eachLook(page, async (look) => {
      // Forms and reports are longer than the window; a call is not.
      const fullPage = await page.evaluate(() => !document.querySelector('#call:not([hidden]), dialog[open]'));
      await page.screenshot({ path: new URL(fileOf(name, look), folder).pathname, fullPage });
      const found = look.scheme === 'light' ? await page.evaluate(faults) : [];
      for (const fault of found) console.log(`${fileOf(name, look)}: ${fault}`);
    });
    console.log(name);
  }
}

function html(files) {
  const names = [...new Set(files.map((file) => file.split('.')[0]))].sort();
  const figure = (file) => `<figure><img loading="lazy" src="${file}" alt=""><figcaption>${file.split('.').slice(1, 4).join(' · ')}</figcaption></figure>`;
  const sections = names.map((name) => `<section id="${name}"><h2>${name}</h2>${files.filter((file) => file.startsWith(`${name}.`)).map(figure).join('')}</section>`);
  const links = names.map((name) => `<a href="#${name}">${name}</a>`).join(' · ');
  return `<!doctype html><meta charset="utf-8"><title>Signalpost: all states of the page</title>
<style>body { font: 1rem system-ui, sans-serif; margin: 1rem; background: #888; } section { display: flex; flex-wrap: wrap; gap: 1rem; } h2 { width: 100%; } figure { margin: 0; } img { max-width: 30rem; max-height: 40rem; }</style>
<p>${links}</p>\n${sections.join('\n')}\n`;
}

const wanted = process.argv.slice(2).length > 0 ? process.argv.slice(2) : Object.keys(SCENES);
const unknown = wanted.filter((name) => !Object.hasOwn(SCENES, name));
if (unknown.length > 0) throw new Error(`no scene ${unknown}; there are: ${Object.keys(SCENES)}`);
await mkdir(folder, { recursive: true });
const room = await world();
try {
  for (const name of wanted) await pictures(SCENES[name], room);
} finally {
  await room.end();
}
const order = (file) => {
  const [name, size, scheme, language] = file.split('.');
  return [name, Object.keys(SIZES).indexOf(size), SCHEMES.indexOf(scheme), LANGUAGES.indexOf(language)].join();
};
const files = (await readdir(folder)).filter((file) => file.endsWith('.png')).sort((a, b) => order(a).localeCompare(order(b)));
await writeFile(new URL('index.html', folder), html(files));
console.log(`${files.length} pictures: ${new URL('index.html', folder).pathname}`);
