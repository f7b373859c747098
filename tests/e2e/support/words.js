/** The visible text of the page, without parts that vary between calls. */
export const words = (page) => page.evaluate(() => {
  const seen = [...document.querySelectorAll('#call h1, #call p, #call span, #call bdi, #call summary, #call button, #call figcaption, #call a')]
    .filter((element) => element.checkVisibility() && element.getClientRects().length > 0 && !element.closest('.unseen'));
  return seen.map((element) => [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.data.trim()).join(' '))
    .map((text) => text.trim().replace(/^Direct.*/, 'Direct').replace(/\d+/g, '0')).filter(Boolean).join('\n');
});
