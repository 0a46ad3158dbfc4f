"use strict";
(() => {
  const pair = (element) => [element, document.getElementById(element.dataset.region)];
  const light = (element, on) => pair(element).forEach((one) => one && one.classList.toggle("on", on));
  const follow = (row) => {
    const list = row && row.closest(".list");
    if (!list || list.scrollHeight <= list.clientHeight) return;
    const [outer, inner] = [list.getBoundingClientRect(), row.getBoundingClientRect()];
    if (inner.top < outer.top || inner.bottom > outer.bottom) {
      list.scrollTop += inner.top - outer.top - (outer.height - inner.height) / 3;
    }
  };
  document.querySelectorAll("[data-region]").forEach((element) => {
    element.addEventListener("pointerenter", () => {
      light(element, true);
      if (element.classList.contains("mark")) follow(pair(element)[1]);
    });
    element.addEventListener("pointerleave", () => light(element, false));
    element.addEventListener("focusin", () => light(element, true));
    element.addEventListener("focusout", () => light(element, false));
  });
})();
