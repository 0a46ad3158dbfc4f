"use strict";

// Searching the page: what has data-item is shown or hidden by its text.
(() => {
  const find = document.getElementById("find");
  if (!find) return;
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
})();

// Pictures that can be enlarged.
(() => {
  const dialog = document.querySelector("dialog");
  if (!dialog) return;
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

// Marks on a page and their rows in a list light up together.
(() => {
  const pair = (element) => [element, document.getElementById(element.dataset.region)];
  const light = (element, on) =>
    pair(element).forEach((part) => part && part.classList.toggle("on", on));
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

// The values of charts at the step under the pointer.
(() => {
  const charts = [...document.querySelectorAll(".chart")].map((chart) => {
    const area = chart.querySelector(".area");
    return {
      area,
      group: chart.closest("article"),
      steps: chart.dataset.steps.split(" ").map(Number),
      start: Number(chart.dataset.start),
      end: Number(chart.dataset.end),
      title: area.getAttribute("aria-label").split(". At the end")[0],
      series: [...chart.querySelectorAll("data")].map((curve) => ({
        name: curve.dataset.name,
        css: curve.className,
        values: curve.dataset.values.split("|"),
      })),
      index: -1,
    };
  });

  const make = (tag, text) => {
    const element = document.createElement(tag);
    element.textContent = text;
    return element;
  };
  const child = (chart, css) => {
    let element = chart.area.querySelector("." + css);
    if (!element) {
      element = make("div", "");
      element.className = css;
      chart.area.append(element);
    }
    return element;
  };
  const position = (chart, step) => (step - chart.start) / Math.max(chart.end - chart.start, 1e-9);
  const nearest = (steps, step) => {
    let low = 0;
    let high = steps.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (steps[middle] < step) low = middle + 1;
      else high = middle;
    }
    return low && step - steps[low - 1] < steps[low] - step ? low - 1 : low;
  };

  const clear = () => {
    document.querySelectorAll(".cursor, .readout").forEach((element) => element.remove());
  };
  const show = (chart, index) => {
    chart.index = Math.min(Math.max(index, 0), chart.steps.length - 1);
    const step = chart.steps[chart.index];
    charts.forEach((other) => {
      if (other.group === chart.group) {
        child(other, "cursor").style.left = `${100 * position(other, step)}%`;
      }
    });
    document.querySelectorAll(".readout").forEach((element) => element.remove());
    const box = child(chart, "readout");
    box.append(make("div", `step ${step.toLocaleString("en")}`));
    [...chart.series].reverse().forEach((curve) => {
      const row = make("div", "");
      row.className = curve.css;
      const name = make("span", curve.name || chart.title);
      name.prepend(make("i", ""));
      row.append(name, make("b", curve.values[chart.index]));
      box.append(row);
    });
    const place = position(chart, step) * chart.area.clientWidth;
    const width = box.offsetWidth;
    const right = place + 12 + width <= chart.area.clientWidth + 90;
    box.style.left = `${right ? place + 12 : Math.max(place - 12 - width, -40)}px`;
  };

  charts.forEach((chart) => {
    const move = (event) => {
      const outer = chart.area.getBoundingClientRect();
      const share = (event.clientX - outer.left) / outer.width;
      show(chart, nearest(chart.steps, chart.start + share * (chart.end - chart.start)));
    };
    chart.area.addEventListener("pointermove", move);
    chart.area.addEventListener("pointerdown", move);
    chart.area.addEventListener("pointerleave", clear);
    chart.area.addEventListener("blur", clear);
    chart.area.addEventListener("keydown", (event) => {
      const turn = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20 }[event.key];
      if (turn) show(chart, (chart.index < 0 ? chart.steps.length : chart.index) + turn);
      else if (event.key === "Home") show(chart, 0);
      else if (event.key === "End") show(chart, chart.steps.length - 1);
      else if (event.key === "Escape") clear();
      else return;
      event.preventDefault();
    });
  });
})();
