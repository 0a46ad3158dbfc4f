"use strict";
(() => {
  const find = document.getElementById("find");
  const found = document.getElementById("found");
  const items = [...document.querySelectorAll("[data-item]")];
  const texts = items.map((item) => item.textContent.toLowerCase());
  const groups = [...document.querySelectorAll("details.group")];
  const openBefore = new Map();

  const filter = () => {
    const wanted = find.value.trim().toLowerCase();
    let hits = 0;
    items.forEach((item, index) => {
      const group = item.closest("details.group");
      const title = group ? group.querySelector("summary").textContent.toLowerCase() : "";
      const hit = !wanted || texts[index].includes(wanted) || title.includes(wanted);
      item.hidden = !hit;
      hits += hit ? 1 : 0;
    });
    groups.forEach((group) => {
      const some = group.querySelector("[data-item]:not([hidden])") !== null;
      group.hidden = wanted !== "" && !some;
      if (wanted && !openBefore.has(group)) openBefore.set(group, group.open);
      if (wanted) group.open = some;
      else if (openBefore.has(group)) group.open = openBefore.get(group);
    });
    if (!wanted) openBefore.clear();
    document.body.classList.toggle("finding", wanted !== "");
    found.textContent = wanted ? `${hits} of ${items.length} shown` : "";
  };
  find.addEventListener("input", filter);
  find.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      const first = items.find((item) => !item.hidden);
      if (first) first.scrollIntoView({ block: "center" });
    }
  });

  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.hidden) {
      find.value = "";
      filter();
    }
    const group = target.closest("details");
    if (group && !group.open) group.open = true;
    target.scrollIntoView({ block: target.matches("[data-item]") ? "center" : "start" });
  };
  window.addEventListener("hashchange", reveal);
  if (location.hash) reveal();

  const dialog = document.querySelector("dialog");
  document.addEventListener("click", (event) => {
    const zoom = event.target.closest(".zoom");
    if (zoom) {
      const caption = document.createElement("p");
      caption.textContent = zoom.getAttribute("aria-label").replace("Enlarge: ", "");
      dialog.replaceChildren(zoom.firstElementChild.cloneNode(true), caption);
      dialog.showModal();
    } else if (event.target.closest("dialog")) {
      dialog.close();
    }
  });
})();
