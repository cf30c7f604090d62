// Sorts a table by the column whose heading is chosen. The page says everything without it.
(() => {
  const french = document.documentElement.lang === "fr";
  const value = (cell) => {
    const text = cell.textContent.trim();
    const digits = text.match(/\d[\d\s\u00a0\u202f.,]*/);
    if (!digits || !cell.classList.contains("n")) return text;
    const plain = french
      ? digits[0].replace(/[\s\u00a0\u202f.]/g, "").replace(",", ".")
      : digits[0].replace(/[\s\u00a0\u202f,]/g, "");
    const minus = /\u2212/.test(text) || /\u00a0Cr?(\u00a0|$)/.test(text);
    return (minus ? -1 : 1) * Number(plain);
  };
  const order = (a, b) => {
    if (typeof a === "number" && typeof b === "number") return a - b;
    if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
    return a < b ? -1 : a > b ? 1 : 0;
  };
  for (const table of document.querySelectorAll("table.sort")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, place) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const up = head.getAttribute("aria-sort") !== "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const body = table.tBodies[0];
        const rows = [...body.rows].map((row) => [value(row.cells[place]), row]);
        rows.sort((a, b) => (up ? order(a[0], b[0]) : order(b[0], a[0])));
        body.append(...rows.map((row) => row[1]));
      });
    });
  }
  const open = () => {
    const place = document.getElementById(location.hash.slice(1));
    if (place && place.tagName === "DETAILS") place.open = true;
  };
  window.addEventListener("hashchange", open);
  open();
})();
