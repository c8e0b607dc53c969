/* What scrolls sideways can be scrolled by keyboard, too: it gets the focus. */
(() => {
  "use strict";
  const boxes = document.querySelectorAll(".formula, .highlight pre, .table-wrapper, .cell_output pre");
  const mark = () => boxes.forEach(box => {
    if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  });
  addEventListener("resize", mark);
  addEventListener("toggle", mark, true);
  addEventListener("load", mark);
})();
