// Wakes the islands of a page, as the script does that Leptos 0.8.23 writes into its pages
// (leptos/src/hydration/island_script.js), but as a file: the pages' policy allows no inline script.
import init, * as panel from "./PANEL_JS";

const wasm = new URL("./PANEL_WASM", import.meta.url);

/* The callbacks of the `leptos-children` that are being walked, innermost last. */
const children = [];

async function walk(node) {
  const tag = node.localName;
  if (tag === "leptos-island") await wake(node);
  if (tag === "leptos-children") children.push(node.$$on_hydrate);
  for (const child of node.children) await walk(child);
  if (tag === "leptos-children") children.pop();
}

async function wake(island) {
  const name = island.dataset.component;
  const hydrate = panel[name];
  if (!hydrate) return console.warn(`No function for the island ${name}.`);
  children.at(-1)?.();
  await hydrate(island);
}

async function boot() {
  await init({ module_or_path: wasm });
  panel.hydrate();
  await walk(document.body);
  document.documentElement.dataset.awake = "";
}

// The page is readable and works without this, so painting goes first.
if ("requestIdleCallback" in window) requestIdleCallback(boot, { timeout: 1000 });
else setTimeout(boot);
