/*
 * Shows a notice if the page's modules did not run. In the oldest JavaScript and not a module, so that it runs where they
 * do not.
 */
window.addEventListener('load', function () {
  var notice = document.getElementById('not-loaded');
  if (notice && !document.body.getAttribute('data-loaded')) notice.hidden = false;
});
