// Wakes the islands of a page, as the script does that Leptos 0.8.23 writes into its pages
// (leptos/src/hydration/island_script.js), but as a file: the pages' policy allows no inline script.
const script = new URL("./PANEL_JS", import.meta.url);
const wasm = new URL("./PANEL_WASM", import.meta.url);

let panel;

/* Loads until it comes: a phone changes its network in the middle of a page. Each try has an address of its own,
   since a browser may remember that a module could not be had. Anything but a lost load is thrown. */
async function persist(load, address) {
  for (let tries = 0; ; tries++) {
    const from = new URL(address);
    if (tries > 0) from.searchParams.set("again", tries);
    try {
      return await load(from);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      console.warn(`${address} did not come, asking again.`, error);
    }
    await pause(Math.min(250 * 2 ** tries, 10_000));
  }
}

/* The time is over, or the network is back. */
const pause = (milliseconds) =>
  new Promise((over) => {
    setTimeout(over, milliseconds);
    addEventListener("online", over, { once: true });
  });

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
  panel = await persist((from) => import(from), script);
  await persist((from) => panel.default({ module_or_path: from }), wasm);
  panel.hydrate();
  await walk(document.body);
  document.documentElement.dataset.awake = "";
}

// The page is readable and works without this, so painting goes first: the second frame begins when the first one is
// painted. A page in the background has no frames.
if (document.visibilityState === "visible") requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(boot)));
else setTimeout(boot);
