/* What scrolls sideways can be scrolled by keyboard, too: it gets the focus. */
(() => {
  "use strict";
  const boxes = document.querySelectorAll(".formula, .highlight pre, .table-wrapper, .cell_output pre, .paper");
  const mark = box => {
    if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  };
  const sizes = new ResizeObserver(changes => changes.forEach(change => mark(change.target)));
  boxes.forEach(box => sizes.observe(box));
  addEventListener("load", () => boxes.forEach(mark)); // the fonts have come
})();
