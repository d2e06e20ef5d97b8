"use strict";
(() => {
  const root = document.documentElement;
  const kept = (value) => {
    try {
      if (value !== undefined) localStorage.setItem("landfeed-theme", value);
      return localStorage.getItem("landfeed-theme");
    } catch {
      return null; // a browser may keep nothing of pages from disk
    }
  };
  const before = kept();
  if (before === "dark" || before === "light") root.dataset.theme = before;
  const button = document.getElementById("theme");
  if (button) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const dark = root.dataset.theme
        ? root.dataset.theme === "dark"
        : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
      kept(root.dataset.theme);
    });
  }
  const search = document.getElementById("search");
  if (!search) return;
  search.closest("p").hidden = false;
  const rows = [...document.querySelectorAll("#feeds tbody tr")];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const found = document.getElementById("found");
  const show = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    rows.forEach((row, index) => {
      row.hidden = !words.every((word) => texts[index].includes(word));
      if (!row.hidden) count += 1;
    });
    found.textContent = words.length ? `${count} of ${rows.length} feeds` : "";
  };
  search.addEventListener("input", show);
  show();
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement.tagName !== "INPUT") {
      event.preventDefault();
      search.focus();
    }
  });
})();
