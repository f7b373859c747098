/** Swagger UI, operated by clicks. */
export class Swagger {
  constructor(page) {
    this.page = page;
  }

  static async open(page, base) {
    await page.goto(`${base}/swagger-ui/`);
    await page.locator('.opblock').first().waitFor();
    return new Swagger(page);
  }

  /** Enters a token in the "Authorize" dialog. */
  async authorize(token) {
    const { page } = this;
    await page.locator('.auth-wrapper .authorize').first().click();
    const section = page.locator('.auth-container').filter({ hasText: 'peer_token' });
    const logout = section.getByRole('button', { name: /remove authorization|logout/i });
    if (await logout.count()) await logout.click();
    await section.locator('input').fill(token);
    await section.getByRole('button', { name: /apply|authorize/i }).click();
    await page.locator('.modal-ux .btn-done').first().click();
  }

  /**
   * Opens an operation, fills in the given parameters, keeps the document's examples for the rest, executes it, and reads the response.
   *
   * @param {string} id `joinRoom`, …
   * @param {{ params?: Record<string, string>, example?: string }} [filling]
   */
  async execute(id, { params = {}, example } = {}) {
    const { page } = this;
    const block = page.locator(`[id$="-${id}"].opblock`);
    if (!(await block.getAttribute('class')).includes('is-open')) await block.locator('.opblock-summary-control').click();
    for (const [name, value] of Object.entries(params)) await block.locator(`tr[data-param-name="${name}"] input`).fill(value);
    if (example) await block.locator('.examples-select select').first().selectOption(example);
    const answered = page.waitForResponse((response) => response.url().includes('/v1/'), { timeout: 120_000 });
    await block.locator('.execute').click();
    const response = await answered;
    const shown = block.locator('.live-responses-table tbody .response-col_status').first();
    await shown.filter({ hasText: String(response.status()) }).waitFor();
    return { status: response.status(), body: response.status() === 204 ? null : await response.json() };
  }

  /** The response as the page shows it. */
  shown(id) {
    return this.page.locator(`[id$="-${id}"].opblock .live-responses-table .highlight-code`).first().textContent();
  }
}
