import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';

const PAGE = new URL('../../../docs/connectivity.md', import.meta.url);

/** How many leading cells of a row must match in every run. The others are times and counts. */
const LASTING = 3;

/**
 * The row of a call.
 *
 * @param {{ network: string, told: string[], media: string, cells: string[] }} call
 */
export const record = ({ network, told, media, cells }) => compare('<!-- table -->', [network, told.join(', ') || 'nothing', media, ...cells]);

/** The row of an encoder's call. @param {string[]} row */
export const recordEncoder = (row) => compare('<!-- encoders -->', row);

/**
 * Compares a result with its row in docs/connectivity.md, which its first two cells name; UPDATE_DOCS=1 writes the row instead.
 *
 * @param {string} mark around the table
 * @param {string[]} row
 */
async function compare(mark, row) {
  console.log(row.join(' | '));
  const page = await readFile(PAGE, 'utf8');
  const [start, table, end] = page.split(mark);
  const lines = table.trim().split('\n');
  const at = lines.findIndex((line) => line.startsWith(`| ${row.slice(0, 2).join(' | ')} |`));
  if (process.env.UPDATE_DOCS) {
    lines.splice(at < 0 ? lines.length : at, at < 0 ? 0 : 1, `| ${row.join(' | ')} |`);
    await writeFile(PAGE, [start, `\n${lines.join('\n')}\n`, end].join(mark));
  } else {
    const documented = lines[at]?.split('|').slice(1, 1 + LASTING).map((cell) => cell.trim());
    assert.deepEqual(row.slice(0, LASTING), documented, 'docs/connectivity.md differs: investigate, or rerun with UPDATE_DOCS=1');
  }
}
