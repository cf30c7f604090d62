// Measures width, overflow and contrast of the page that it stands in, sorts one table, and tells the page around it.
(() => {
  const rgb = (text) => {
    const parts = text.match(/[\d.]+/g).map(Number);
    return { r: parts[0], g: parts[1], b: parts[2], a: parts.length > 3 ? parts[3] : 1 };
  };
  const channel = (value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  const light = (c) => 0.2126 * channel(c.r) + 0.7152 * channel(c.g) + 0.0722 * channel(c.b);
  const contrast = (a, b) => {
    const [high, low] = [light(a), light(b)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = rgb(getComputedStyle(at).backgroundColor);
      if (color.a === 1) return color;
      if (color.a > 0) return null;
    }
    return { r: 255, g: 255, b: 255, a: 1 };
  };
  const measure = () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
    const faint = [];
    let texts = 0;
    for (const element of document.body.querySelectorAll("*")) {
      if (element.matches("script, style, desc, .unseen, .skip")) continue;
      const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim() !== "");
      if (!own) continue;
      texts += 1;
      const style = getComputedStyle(element);
      const ink = rgb(element.namespaceURI.endsWith("svg") ? style.fill : style.color);
      const paper = ground(element);
      const ratio = paper ? contrast(ink, paper) : 0;
      if (ratio < 4.5) {
        faint.push(`${element.tagName} ${element.className} ${element.textContent.trim().slice(0, 40)} ${ratio.toFixed(2)}`);
      }
    }
    const root = document.documentElement;
    const overflow = Math.max(0, root.scrollWidth - root.clientWidth);
    const widest = [...document.body.querySelectorAll("*")]
      .filter((e) => !e.closest(".scroll") || e.classList.contains("scroll"))
      .filter((e) => e.getBoundingClientRect().right > root.clientWidth + 1 && !e.matches(".unseen"))
      .map((e) => `${e.tagName} ${e.className}`)
      .slice(0, 5);
    const cut = [...document.querySelectorAll(".sheet .scroll")]
      .filter((e) => e.scrollWidth > e.clientWidth + 1)
      .map((e) => `${e.getAttribute("aria-label")} ${e.scrollWidth} in ${e.clientWidth}`);
    const table = document.querySelector("#line-0 table.sort");
    const head = table.tHead.rows[0].cells[4];
    head.querySelector("button").click();
    const sorted = [...table.tBodies[0].rows].map((row) => Number(row.cells[4].textContent.replace(/\D/g, "")));
    const unexplained = table.tHead.rows[0].cells[8];
    unexplained.querySelector("button").click();
    return {
      width: window.innerWidth,
      is_dark: matchMedia("(prefers-color-scheme: dark)").matches,
      overflow,
      widest,
      cut,
      texts,
      faint: faint.slice(0, 20),
      sort: unexplained.getAttribute("aria-sort"),
      sorted,
    };
  };
  addEventListener("load", () => parent.postMessage(JSON.stringify(measure()), "*"));
})();
