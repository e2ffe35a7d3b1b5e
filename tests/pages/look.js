// Measures the layout of the page and returns the fields of `Laid` in lib.rs as JSON.
(async () => {
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const box = (element) => element.getBoundingClientRect();
  const overlaps = (a, b) =>
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
  const colliding = [];
  const plots = [...document.querySelectorAll("svg.plot")];
  const complete = plots.filter((svg) => {
    const size = box(svg);
    const described = ["title", "desc"].every((name) => svg.querySelector(name)?.textContent.trim());
    return described && svg.getAttribute("role") === "img" && size.width > 100 && size.height > 100;
  });
  for (const svg of plots) {
    const texts = [...svg.querySelectorAll("text")].filter((text) => text.textContent.trim());
    const around = box(svg);
    texts.forEach((text, index) => {
      const own = box(text);
      if (own.left < around.left - 1 || own.right > around.right + 1 || own.bottom > around.bottom + 1) {
        colliding.push(`out of the picture: ${text.textContent}`);
      }
      for (const other of texts.slice(index + 1)) {
        if (overlaps(own, box(other))) colliding.push(`${text.textContent} on ${other.textContent}`);
      }
    });
  }
  const paint = performance.getEntriesByName("first-contentful-paint")[0];
  return JSON.stringify({
    overflow: document.documentElement.scrollWidth - window.innerWidth,
    plots: complete.length,
    bare: plots.length - complete.length,
    tables: [...document.querySelectorAll("table")].filter((table) => table.rows.length > 1).length,
    colliding,
    fetched: performance.getEntriesByType("resource").map((entry) => entry.name),
    painted_ms: paint ? paint.startTime : performance.now(),
    paper: getComputedStyle(document.body).backgroundColor,
  });
})()
