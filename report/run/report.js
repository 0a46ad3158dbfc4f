"use strict";
(() => {
  const part = (css, text) => {
    const made = document.createElement(css === "div" ? "div" : "span");
    made.textContent = text;
    return made;
  };
  const charts = [...document.querySelectorAll(".chart")].map((chart) => {
    const area = chart.querySelector(".area");
    return {
      area,
      stage: chart.closest(".stage"),
      steps: chart.dataset.x.split(" ").map(Number),
      start: Number(chart.dataset.start),
      end: Number(chart.dataset.end),
      title: area.getAttribute("aria-label").split(". At the end")[0],
      series: [...chart.querySelectorAll("data")].map((line) => ({
        name: line.dataset.name,
        css: line.className,
        texts: line.dataset.say.split("|"),
      })),
      at: -1,
    };
  });

  const child = (chart, css) => {
    let found = chart.area.querySelector("." + css);
    if (!found) {
      found = document.createElement("div");
      found.className = css;
      chart.area.append(found);
    }
    return found;
  };
  const across = (chart, step) => (step - chart.start) / Math.max(chart.end - chart.start, 1e-9);
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
    document.querySelectorAll(".cursor, .readout").forEach((one) => one.remove());
  };
  const show = (chart, at) => {
    chart.at = Math.min(Math.max(at, 0), chart.steps.length - 1);
    const step = chart.steps[chart.at];
    charts.forEach((one) => {
      if (one.stage === chart.stage) child(one, "cursor").style.left = `${100 * across(one, step)}%`;
    });
    document.querySelectorAll(".readout").forEach((one) => one.remove());
    const box = child(chart, "readout");
    box.append(part("div", `step ${step.toLocaleString("en")}`));
    [...chart.series].reverse().forEach((line) => {
      const row = part("div", "");
      row.className = line.css;
      const name = part("span", line.name || chart.title);
      name.prepend(document.createElement("i"));
      const value = document.createElement("b");
      value.textContent = line.texts[chart.at];
      row.append(name, value);
      box.append(row);
    });
    const place = across(chart, step) * chart.area.clientWidth;
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
      if (turn) show(chart, (chart.at < 0 ? chart.steps.length : chart.at) + turn);
      else if (event.key === "Home") show(chart, 0);
      else if (event.key === "End") show(chart, chart.steps.length - 1);
      else if (event.key === "Escape") clear();
      else return;
      event.preventDefault();
    });
  });
})();
